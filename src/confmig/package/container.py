"""Where a package's files lie: in a zip, or in a folder that the zip was unpacked to.

Found are the schema, the row files and the payloads, under the names of CMT and of the tools that imitate or split it.
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from confmig.errors import PackageError
from confmig.package.limits import LIMITS, Limits

_CHUNK = 256 * 1024
_SMALL = 10 * 1024**2


@dataclass(frozen=True, slots=True)
class Members:
    """Which member is what: the schema (or None), the row files in reading order, the payload files."""

    schema: str | None
    rows: tuple[str, ...]
    files: tuple[str, ...]


class Container:
    """A package's files by name. Use as a context manager."""

    def __init__(self, path: Path, limits: Limits = LIMITS) -> None:
        self.path = path
        self.limits = limits
        self._zip: zipfile.ZipFile | None = None
        if path.is_dir():
            self._names = sorted(file.relative_to(path).as_posix() for file in _folder_files(path))
        else:
            self._zip = _open_zip(path)
        try:
            if self._zip is not None:
                self._names = _checked_names(self._zip, path, limits)
            self.members = _find_members(self._names, path)
        except PackageError:
            self.close()
            raise

    def __enter__(self) -> "Container":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the zip."""
        if self._zip is not None:
            self._zip.close()

    def label(self, member: str) -> str:
        """How a member is called in messages."""
        return f"{self.path}: {member}"

    def read(self, member: str) -> bytes:
        """All bytes of a member."""
        return b"".join(self.chunks(member))

    def chunks(self, member: str) -> Iterator[bytes]:
        """A member's bytes, piece by piece.

        Raises:
            PackageError: The zip is damaged there.
        """
        with self.open(member) as stream:
            try:
                while chunk := stream.read(_CHUNK):
                    yield chunk
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
                raise _damaged(self.label(member), error) from error

    @contextmanager
    def open(self, member: str) -> Iterator[IO[bytes]]:
        """Open a member for reading."""
        try:
            stream = self._zip.open(member) if self._zip else (self.path / member).open("rb")
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
            raise _damaged(self.label(member), error) from error
        with stream:
            try:
                yield stream
            except (zipfile.BadZipFile, zlib.error, EOFError) as error:  # what a damaged member is read with
                raise _damaged(self.label(member), error) from error


def _folder_files(path: Path) -> Iterator[Path]:
    for entry in path.rglob("*"):
        if entry.is_symlink():
            raise PackageError(
                f"{entry}: a package folder holds no symbolic links.", "Replace the link by the file itself."
            )
        if entry.is_file():
            yield entry


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError:
        raise PackageError(
            f"{path}: there is no such data package.", "Check the path given with --data or --package."
        ) from None
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise PackageError(
            f"{path}: this is no data package: {error}.",
            "Give a zip, or a folder, with data.xml and data_schema.xml in it.",
        ) from error


def _checked_names(archive: zipfile.ZipFile, path: Path, limits: Limits) -> list[str]:
    """The member names, once nothing about them is hostile."""
    names: set[str] = set()
    total = 0
    for info in archive.infolist():
        total += info.file_size
        _refuse_when(info.filename in names, path, f"the member {info.filename!r} stands in it twice")
        _refuse_when(bool(info.flag_bits & 0x1), path, f"the member {info.filename!r} is encrypted")
        _refuse_when(_escapes(info.filename), path, f"the member name {info.filename!r} leaves the package")
        _refuse_when(
            info.file_size > _SMALL and info.file_size > limits.ratio * max(info.compress_size, 1),
            path,
            f"the member {info.filename!r} unpacks to more than {limits.ratio} times its size",
        )
        names.add(info.filename)
    _refuse_when(total > limits.size, path, f"it unpacks to {total:,} bytes")
    return [name for name in sorted(names) if not name.endswith("/")]


def _escapes(name: str) -> bool:
    return name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or ":" in name.split("/")[0]


def _refuse_when(wrong: bool, path: Path, reason: str) -> None:
    if wrong:
        raise PackageError(f"{path}: this zip is refused: {reason}.", "Make the package again with a tool you trust.")


def _damaged(label: str, error: Exception) -> PackageError:
    return PackageError(f"{label} cannot be read: {error}.", "The file is damaged; fetch or export it again.")


def _find_members(names: list[str], path: Path) -> Members:
    """Tell schema, rows and payloads apart.

    ``data.xml`` and ``data_schema.xml`` are CMT's; ``X.xml`` beside ``X_schema.xml`` is how other tools name a pair;
    ``<table>_data.xml`` beside ``data.xml`` is the split that xrm-ci-framework makes for source control.
    """
    xml = [name for name in names if name.endswith(".xml") and "/" not in name and name != "[Content_Types].xml"]
    schemas = [name for name in xml if name.removesuffix(".xml").endswith("schema")]
    rows = [name for name in xml if name not in schemas]
    schema = "data_schema.xml" if "data_schema.xml" in schemas else None
    if schema is None and len(schemas) > 1:
        raise PackageError(f"{path}: which of these is the schema: {', '.join(schemas)}?", "Leave one of them there.")
    if schema is None and schemas:
        schema = schemas[0]
    if "data.xml" in rows:
        rows = ["data.xml", *(name for name in rows if name.endswith("_data.xml"))]
    elif schema and schema.replace("_schema.xml", ".xml") in rows:
        rows = [schema.replace("_schema.xml", ".xml")]
    if not rows or (len(rows) > 1 and rows[0] != "data.xml"):
        found = ", ".join(names[:8]) or "nothing"
        raise PackageError(
            f"{path}: this is no data package: it has no data.xml (found: {found}).",
            "Give a zip, or a folder, with data.xml and data_schema.xml at its top.",
        )
    files = tuple(name for name in names if name.startswith("files/"))
    return Members(schema, tuple(rows), files)
