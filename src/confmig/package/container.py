"""Where a package's files lie: in a zip, or in a folder that the zip was unpacked to.

Found are the schema, the row files and the payloads, under the names of CMT and of the tools that imitate or split it.
"""

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from confmig.errors import PackageError
from confmig.model.values import canonical_guid
from confmig.package.limits import LIMITS, Limits
from confmig.package.ziplisting import Listing, checked_listing, open_zip

_CHUNK = 256 * 1024
_MOST_FILES = 200_000
_MOST_AT_ONCE = 32 * 1024**2
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),
    *(RuntimeError, NotImplementedError, ValueError, OverflowError),
)
"""What zipfile raises for a member that is not as its list says."""


@dataclass(frozen=True, slots=True)
class Members:
    """Which member is what: the schema (or None), the row files in reading order, the payload files by their ids."""

    schema: str | None
    rows: tuple[str, ...]
    files: Mapping[str, str]


class Container:
    """A package's files by name. Use as a context manager."""

    def __init__(self, path: Path, limits: Limits = LIMITS) -> None:
        self.path = path
        self.limits = limits
        self._zip: zipfile.ZipFile | None = None
        self._listing: Listing = {}
        try:
            if path.is_dir():
                names = _folder_files(path, limits)
            else:
                _require_file(path)
                self._zip = open_zip(path)
                self._listing = checked_listing(self._zip, path, limits)
                names = sorted(self._listing)
            self.members = _find_members(names, path)
            self.others = _others(names, self.members)
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

    def read(self, member: str, most: int = _MOST_AT_ONCE) -> bytes:
        """All bytes of a member that must fit into memory.

        Raises:
            PackageError: The file is damaged there, or it has more than ``most`` bytes.
        """
        with self.open(member) as stream:
            data = stream.read(most + 1)
        if len(data) > most:
            raise PackageError(f"{self.label(member)}: the file has more than {most:,} bytes.", "Export it again.")
        return data

    def chunks(self, member: str) -> Generator[bytes, None, None]:
        """A member's bytes, piece by piece; close it when not all of them were taken.

        Raises:
            PackageError: The file is damaged there.
        """
        with self.open(member) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk

    @contextmanager
    def open(self, member: str) -> Iterator[IO[bytes]]:
        """Open a member for reading. Where it is damaged, reading raises PackageError."""
        label = self.label(member)
        size: int | None = None
        try:
            if self._zip is not None:
                info = self._listing[member]
                size = info.file_size
                stream = self._zip.open(info)
            else:
                stream = open_plain(self.path / member)
        except _DAMAGE as error:
            raise _damaged(label, error) from error
        with stream:
            yield cast(IO[bytes], MemberStream(stream, label, size))


class MemberStream(io.RawIOBase):
    """A member as it is read: what is wrong with it is said with its name.

    Args:
        stream: The bytes, unpacked.
        label: What messages call it.
        size: How many bytes there are to be, as the list of the zip says.
    """

    def __init__(self, stream: IO[bytes], label: str, size: int | None) -> None:
        super().__init__()
        self._stream = stream
        self._label = label
        self._left = size

    def readable(self) -> bool:
        """Whether it can be read: yes."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Read up to so many bytes; all that are left by default. Empty at the end only."""
        parts: list[bytes] = []
        missing = size
        while missing and (piece := self._read_some(_CHUNK if size < 0 else min(missing, _CHUNK))):
            parts.append(piece)
            missing -= len(piece) if size >= 0 else 0
        return b"".join(parts)

    def _read_some(self, size: int) -> bytes:
        try:
            piece = self._stream.read(size)
        except _DAMAGE as error:
            raise _damaged(self._label, error) from error
        if self._left is not None:
            self._left -= len(piece)
            if not piece and self._left:
                raise _damaged(self._label, f"it has {self._left:,} bytes less than the zip says")
        return piece


def _require_file(path: Path) -> None:
    """Check that a path names something that can be read to an end.

    Raises:
        PackageError: It does not.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        reason = "there is no such data package" if isinstance(error, FileNotFoundError) else f"{error}"
        raise PackageError(f"{path}: {reason}.", "Check the path.") from None
    if not stat.S_ISREG(mode):
        raise PackageError(f"{path}: this is neither a file nor a folder.", "Give a zip, or a folder.")


def open_plain(path: Path, *, follow: bool = False) -> IO[bytes]:
    """Open a file, without waiting for what may never come, and through a link only where ``follow`` says so.

    Raises:
        OSError: It cannot be opened, or it is no regular file.
    """
    careful = getattr(os, "O_NONBLOCK", 0) | (0 if follow else getattr(os, "O_NOFOLLOW", 0))
    stream = open(path, "rb", opener=lambda name, flags: os.open(name, flags | careful))  # noqa: SIM115  # closed by the caller
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError("it is no regular file")
    return stream


def _folder_files(path: Path, limits: Limits) -> list[str]:
    """The files of a folder, once nothing about them is hostile."""
    names: list[str] = []
    seen: set[str] = set()
    total = 0
    for entry, size in _walk(path):
        if entry.is_symlink():
            raise PackageError(
                f"{entry.path}: a package folder holds no symbolic links.", "Replace the link by the file itself."
            )
        if entry.is_dir(follow_symlinks=False):
            continue
        if not entry.is_file(follow_symlinks=False):
            raise PackageError(f"{entry.path}: this is neither a file nor a folder.", "Take it out of the package.")
        total += size
        if total > limits.size:
            raise limits.exceeded("size", str(path), "its files have more than {} bytes")
        name = Path(entry.path).relative_to(path).as_posix()
        if name.casefold() in seen:
            raise PackageError(
                f"{entry.path}: the folder has another file of that name, but for its case.", "Take one of them out."
            )
        seen.add(name.casefold())
        names.append(name)
        if len(names) > _MOST_FILES:
            raise PackageError(f"{path}: the folder holds more than {_MOST_FILES:,} files.", "Give the package alone.")
    return sorted(names)


def _walk(path: Path) -> Iterator[tuple[os.DirEntry[str], int]]:
    """What is in a folder and the folders in it, with the sizes."""
    folders = [os.fspath(path)]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    yield entry, entry.stat(follow_symlinks=False).st_size
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except OSError as error:
            raise PackageError(
                f"{folder}: the folder cannot be read: {error.strerror}.", "See that nothing changes it."
            ) from error


def _damaged(label: str, error: Exception | str) -> PackageError:
    reason = getattr(error, "strerror", None) or str(error) or "it ends too early"
    return PackageError(f"{label} cannot be read: {reason}.", "The file is damaged; fetch or export it again.")


def _others(names: list[str], members: Members) -> tuple[str, ...]:
    """The names of what is no part of a package."""
    known = {members.schema, *members.rows, *members.files.values(), "[Content_Types].xml"}
    return tuple(name for name in names if name not in known)


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
            "Give a zip or folder with data.xml and data_schema.xml at its top, or a folder with package.yml, as"
            " confmig unpack makes it.",
        )
    return Members(schema, tuple(rows), _find_payloads(names, path))


def _find_payloads(names: list[str], path: Path) -> dict[str, str]:
    """The payloads of file columns, ``files/<id>.bin``, by their ids; what else lies there belongs to no row."""
    found: dict[str, str] = {}
    for name in names:
        folder, _, file = name.partition("/")
        if folder != "files" or not file.endswith(".bin"):
            continue
        file_id = canonical_guid(file.removesuffix(".bin"))
        if file_id is not None and found.setdefault(file_id, name) != name:
            raise PackageError(
                f"{path}: {found[file_id]} and {name} are the content of one file.", "Leave one of them there."
            )
    return found
