"""The list of what is in a zip, taken as hostile: names, sizes and places are checked before anything is unpacked.

Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT. Bombs of members that overlap:
https://www.bamsoftware.com/hacks/zipbomb/.
"""

import re
import stat
import struct
import unicodedata
import zipfile
from pathlib import Path
from typing import IO, NoReturn

from confmig.errors import PackageError
from confmig.package.limits import Limits

_END = b"PK\x05\x06"
_END_SIZE = 22
_END_64 = b"PK\x06\x06"
_RECORD_64 = 56 + 20
"""Before the end of a large zip stand its sizes in 64 bits, and a pointer to them."""

_LONGEST_COMMENT = 0xFFFF
_LARGEST_LIST = 16 * 1024**2
"""The list is held in memory. So large is that of 150,000 files of file columns."""

_SMALL = 10 * 1024**2
"""A member no larger than this unpacked does no harm, however well it is packed."""

_HEADER_SIZE = 30
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_METHOD_NAMES = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_PATCHED = 0x20

_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
"""https://learn.microsoft.com/windows/win32/fileio/naming-a-file"""

Listing = dict[str, zipfile.ZipInfo]
"""The files of a zip by their names, with ``/`` between folder and file."""


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip, once its list is known to be of a size that can be read.

    Raises:
        PackageError: It is no zip, or it is damaged.
    """
    try:
        with path.open("rb") as stream:
            size = _list_size(stream)
        if size > _LARGEST_LIST:
            _refuse(path, f"the list of its members alone has {size:,} bytes")
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, struct.error, NotImplementedError, ValueError, OverflowError, OSError) as error:
        raise PackageError(
            f"{path}: this is no data package: {error}.",
            "Give a zip, or a folder, with data.xml and data_schema.xml in it. One that was cut off is to be fetched"
            " or exported again.",
        ) from error


def _list_size(stream: IO[bytes]) -> int:
    """How many bytes the list of members has, as the end of the zip says; 0 where it says nothing."""
    end = stream.seek(0, 2)
    stream.seek(max(0, end - _END_SIZE - _LONGEST_COMMENT - _RECORD_64))
    tail = stream.read()
    place = len(tail) - _END_SIZE  # where zipfile looks, too: first for an end without a comment, then for the last
    if tail[place : place + 4] != _END or tail[-2:] != b"\0\0":
        place = tail.rfind(_END)
    if place < 0 or len(tail) - place < _END_SIZE:
        return 0
    record = tail[max(0, place - _RECORD_64) : place]
    if record.startswith(_END_64):
        return int.from_bytes(record[40:48], "little")
    return int.from_bytes(tail[place + 12 : place + 16], "little")


def checked_listing(archive: zipfile.ZipFile, path: Path, limits: Limits) -> Listing:
    """The files of a zip, once nothing about them is hostile.

    Raises:
        PackageError: Something is.
    """
    found: Listing = {}
    seen: set[str] = set()
    total = 0
    for info in archive.infolist():
        name = _checked_name(info, path)
        key = unicodedata.normalize("NFC", name.rstrip("/")).casefold()
        if key in seen:
            _refuse(path, f"the member {name!r} stands in it twice, or differs from another in case only")
        seen.add(key)
        _check_member(info, path, limits)
        total += info.file_size
        if total > limits.size:
            raise limits.exceeded("size", str(path), "its members unpack to more than {} bytes")
        if not name.endswith("/"):
            found[name] = info
    _check_places(archive, path)
    return found


def _checked_name(info: zipfile.ZipInfo, path: Path) -> str:
    """The member's name with ``/`` between its parts: old .NET writes a backslash."""
    name = info.orig_filename.replace("\\", "/")
    parts = name.rstrip("/").split("/")
    if name.startswith("/") or ".." in parts or re.match("[A-Za-z]:", name):
        _refuse(path, f"the member name {_shown(name)} leaves the package")
    for part in parts:
        if not part or part == "." or part.endswith((".", " ")) or _DEVICE.fullmatch(part):
            _refuse(path, f"the member name {_shown(name)} is none that every system can store")
    if not name.isprintable() or ":" in name:
        _refuse(path, f"the member name {_shown(name)} holds a character that no file name has")
    return name


def _shown(name: str) -> str:
    return repr(name if len(name) <= 100 else name[:97] + "…")


def _check_member(info: zipfile.ZipInfo, path: Path, limits: Limits) -> None:
    name = _shown(info.filename)
    if info.flag_bits & _ENCRYPTED:
        _refuse(path, f"the member {name} is encrypted", "Make the zip again without a password.")
    if info.flag_bits & _PATCHED or info.compress_type not in _METHODS:
        method = _METHOD_NAMES.get(info.compress_type, "which has no name here")
        _refuse(
            path,
            f"the member {name} is packed by method {info.compress_type}, {method}",
            "Make the zip again with deflate, which is what every tool writes unless it is told otherwise.",
        )
    if stat.S_ISLNK(info.external_attr >> 16):
        _refuse(path, f"the member {name} is a symbolic link", "Put the file itself into the zip.")
    if info.file_size > _SMALL and info.file_size > limits.ratio * max(info.compress_size, 1):
        raise limits.exceeded("ratio", f"{path}: {info.filename}", "it unpacks to more than {} times its size")


def _check_places(archive: zipfile.ZipFile, path: Path) -> None:
    """Check that no two members share bytes: a small zip could unpack to any size by that."""
    ordered = sorted(archive.infolist(), key=lambda info: info.header_offset)
    ends = [*(info.header_offset for info in ordered[1:]), archive.start_dir]
    for info, end in zip(ordered, ends, strict=True) if ordered else ():
        if info.header_offset + _HEADER_SIZE + len(info.orig_filename) + info.compress_size > end:
            _refuse(path, f"the member {_shown(info.filename)} overlaps what follows it")


def _refuse(path: Path, reason: str, hint: str = "Make the package again with a tool you trust.") -> NoReturn:
    raise PackageError(f"{path}: this zip is refused: {reason}.", hint)
