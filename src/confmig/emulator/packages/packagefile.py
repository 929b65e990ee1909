"""Finding the schema and the data of a package, in a zip, in a folder or in single files."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from confmig.emulator.errors import PackageFileError
from confmig.emulator.packages.packagexml import (
    Association,
    EntityStart,
    Record,
    SchemaEntity,
    read_data,
    read_schema,
)

_HEAD = 1 << 16
_LARGEST = 4 << 30
Opener = Callable[[], AbstractContextManager[IO[bytes]]]


@dataclass(frozen=True)
class Package:
    """A package that has been looked at: its schema, and how its data and its files are opened.

    ``schema`` is None when the package has none.
    """

    schema: dict[str, SchemaEntity] | None
    data: tuple[tuple[str, Opener], ...]
    files: dict[str, Opener]

    def rows(self) -> Iterator[EntityStart | Record | Association]:
        """The tables, records and associations, in the order of the files.

        Raises:
            PackageFileError: A file cannot be read.
        """
        for name, opener in self.data:
            try:
                with opener() as stream:
                    yield from read_data(stream, name)
            except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
                raise PackageFileError(f"{name} cannot be read: {error}") from error

    def payload(self, file_id: str) -> bytes | None:
        """The bytes of a file column's value, when the package holds them."""
        opener = self.files.get(file_id.lower())
        if opener is None:
            return None
        with opener() as stream:
            return stream.read()


def open_package(path: Path) -> Package:
    """Look at a package.

    Args:
        path: A zip, a folder, a schema file or a data file.

    Raises:
        PackageFileError: There is no package there, or its schema cannot be read.
    """
    if path.is_dir():
        return _from_members(
            {entry.name: _file(entry) for entry in sorted(path.iterdir()) if entry.is_file()} | _files_folder(path),
            str(path),
        )
    if not path.is_file():
        raise PackageFileError(f"{path} does not exist")
    if zipfile.is_zipfile(path):
        return _from_members(_zip_members(path), str(path))
    members = {path.name: _file(path)}
    sibling = path.with_name(f"{path.stem}_schema.xml")
    if sibling.is_file():
        members[sibling.name] = _file(sibling)
    return _from_members(members, str(path))


def _file(path: Path) -> Opener:
    return lambda: path.open("rb")


def _files_folder(path: Path) -> dict[str, Opener]:
    folder = path / "files"
    return {f"files/{entry.name}": _file(entry) for entry in sorted(folder.glob("*.bin"))} if folder.is_dir() else {}


def _zip_members(path: Path) -> dict[str, Opener]:
    def opener(member: str) -> Opener:
        return lambda: _ZipMember(path, member)

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > _LARGEST:
                raise PackageFileError(f"{path} unpacks to more than {_LARGEST} bytes")
            return {info.filename: opener(info.filename) for info in archive.infolist() if not info.is_dir()}
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise PackageFileError(f"{path} is not a zip file: {error}") from error


class _ZipMember:
    """One member of a zip, opened with its archive and closed with it; nothing is ever extracted to disk."""

    def __init__(self, path: Path, member: str) -> None:
        self._archive = zipfile.ZipFile(path)
        try:
            self._stream = self._archive.open(member)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
            self._archive.close()
            raise PackageFileError(f"{path}: {member} cannot be read: {error}") from error

    def __enter__(self) -> IO[bytes]:
        return self._stream

    def __exit__(self, *_: object) -> None:
        # The archive's file stays open as long as a member of it does.
        self._stream.close()
        self._archive.close()


def _from_members(members: dict[str, Opener], where: str) -> Package:
    texts = {name: opener for name, opener in members.items() if _is_text(name)}
    kinds = {name: _kind(name, opener) for name, opener in texts.items()}
    schemas = [name for name, kind in kinds.items() if kind == "schema"]
    data = [name for name, kind in kinds.items() if kind == "data"]
    if not schemas and not data:
        raise PackageFileError(f"{where} holds neither a schema nor a data file")
    if len(schemas) > 1:
        schemas = [name for name in schemas if name.rpartition("/")[2] == "data_schema.xml"]
        if len(schemas) != 1:
            raise PackageFileError(f"{where} holds several schema files and none is named data_schema.xml")
    schema = None
    for name in schemas:
        try:
            with texts[name]() as stream:
                schema = read_schema(stream, name)
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise PackageFileError(f"{name} cannot be read: {error}") from error
    data.sort(key=lambda name: (name.rpartition("/")[2] != "data.xml", name))
    files = {
        name.rpartition("/")[2].removesuffix(".bin").lower(): opener
        for name, opener in members.items()
        if name.startswith("files/")
    }
    return Package(schema, tuple((name, texts[name]) for name in data), files)


def _is_text(name: str) -> bool:
    base = name.rpartition("/")[2]
    return base.lower().endswith(".xml") and not base.startswith(("[", ".")) and "/files/" not in f"/{name}"


def _kind(name: str, opener: Opener) -> str:
    """Whether a file is a schema, data, or something else that lies there."""
    with opener() as stream:
        head = stream.read(_HEAD)
    first = min(
        ((head.find(mark), kind) for mark, kind in ((b"<fields", "schema"), (b"<record", "data")) if mark in head),
        default=(0, ""),
    )[1]
    if first:
        return first
    if b"<entities" not in head and b"<entity " not in head:
        return "other"
    return "schema" if name.endswith("schema.xml") else "data"
