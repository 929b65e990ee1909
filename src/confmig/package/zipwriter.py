"""A zip whose bytes are ours to the last: they depend on what is written, and on nothing else.

Python's zipfile writes other bytes from version to version (its local headers of 3.11.3 and 3.11.4 differ), and another
zlib packs in another way. Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, of which this is what
System.IO.Packaging writes.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

_STORED, _DEFLATED = 0, 8
_LEVEL = 6
_FLAGS_OF_DEFLATED = 2
"""Genuine packages have it; to a reader it means nothing."""

_TIME, _DATE = 0, (1 << 5) | 1
"""Midnight of 1 January 1980: the first moment of a zip, and the same for each member."""

_PLAIN, _WITH_ZIP64 = 20, 45
_FULL_32, _FULL_16 = 0xFFFFFFFF, 0xFFFF

_GROWTH_HINT = struct.pack("<HHHH12x", 0xA220, 16, 0xA028, 12)
"""Room in a local header for sizes of 64 bits, which are known only afterwards. ECMA-376-2, C.3.1 calls it so."""


@dataclass(slots=True)
class _Member:
    name: bytes
    offset: int
    method: int
    crc: int = 0
    packed: int = 0
    size: int = 0


class MemberStream:
    """What the bytes of one member are written to."""

    def __init__(self, stream: IO[bytes], member: _Member) -> None:
        self._stream = stream
        self._member = member
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15) if member.method == _DEFLATED else None

    def write(self, data: bytes) -> None:
        """Write some of it."""
        self._member.crc = zlib.crc32(data, self._member.crc)
        self._member.size += len(data)
        self._put(self._deflate.compress(data) if self._deflate else data)

    def finish(self) -> None:
        """Write what the packing still holds back."""
        if self._deflate:
            self._put(self._deflate.flush())

    def _put(self, packed: bytes) -> None:
        self._member.packed += len(packed)
        self._stream.write(packed)


class ZipWriter:
    """Writes a zip, member by member, in their order.

    Args:
        stream: A new file, which can be sought in.
        pack: Whether members are deflated; what is stored has the same bytes under every zlib.
        zip64_from: The size from which on the fields of 32 bits are too small; only tests give another.
    """

    def __init__(self, stream: IO[bytes], *, pack: bool, zip64_from: int = _FULL_32) -> None:
        self._stream = stream
        self._method = _DEFLATED if pack else _STORED
        self._zip64_from = zip64_from
        self._members: list[_Member] = []

    @contextmanager
    def member(self, name: str, *, pack: bool = True) -> Iterator[MemberStream]:
        """Write one member, of any size; one that is not to be packed is stored in any case."""
        member = _Member(name.encode(), self._stream.tell(), self._method if pack else _STORED)
        self._write_local(member)
        content = MemberStream(self._stream, member)
        yield content
        content.finish()
        end = self._stream.tell()
        self._stream.seek(member.offset)
        self._write_local(member)
        self._stream.seek(end)
        self._members.append(member)

    def add(self, name: str, data: bytes) -> None:
        """Write one member that is at hand."""
        with self.member(name) as stream:
            stream.write(data)

    def finish(self) -> None:
        """Write the directory; before that it is no zip."""
        start = self._stream.tell()
        for member in self._members:
            self._write_central(member)
        size, count = self._stream.tell() - start, len(self._members)
        if max(start, size) >= self._zip64_from or count >= _FULL_16:
            record = self._stream.tell()
            self._stream.write(
                struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, _WITH_ZIP64, _WITH_ZIP64, 0, 0, count, count, size, start)
            )
            self._stream.write(struct.pack("<IIQI", 0x07064B50, 0, record, 1))
            count, size, start = min(count, _FULL_16), _FULL_32, _FULL_32
        self._stream.write(struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, size, start, 0))

    def _write_local(self, member: _Member) -> None:
        """The header before a member; written once before its sizes are known, and once more over that."""
        large = self._is_large(member)
        sizes = (_FULL_32, _FULL_32) if large else (member.packed, member.size)
        extra = struct.pack("<HHQQ", 1, 16, member.size, member.packed) if large else _GROWTH_HINT
        self._stream.write(struct.pack("<I", 0x04034B50) + self._common(member, large))
        self._stream.write(struct.pack("<IIIHH", member.crc, *sizes, len(member.name), len(extra)))
        self._stream.write(member.name + extra)

    def _write_central(self, member: _Member) -> None:
        large = self._is_large(member) or member.offset >= self._zip64_from
        places = (_FULL_32,) * 3 if large else (member.packed, member.size, member.offset)
        wide = struct.pack("<HHQQQ", 1, 24, member.size, member.packed, member.offset) if large else b""
        self._stream.write(struct.pack("<IH", 0x02014B50, _WITH_ZIP64) + self._common(member, large))
        self._stream.write(struct.pack("<IIIHH", member.crc, *places[:2], len(member.name), len(wide)))
        self._stream.write(struct.pack("<HHHII", 0, 0, 0, 0, places[2]) + member.name + wide)

    def _common(self, member: _Member, large: bool) -> bytes:
        version = _WITH_ZIP64 if large else _PLAIN
        flags = _FLAGS_OF_DEFLATED if member.method == _DEFLATED else 0
        return struct.pack("<HHHHH", version, flags, member.method, _TIME, _DATE)

    def _is_large(self, member: _Member) -> bool:
        return max(member.packed, member.size) >= self._zip64_from
