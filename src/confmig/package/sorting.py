"""Rows in the order of their keys, however many: in memory up to a limit, beyond it through a file that is removed.

The service sorts guids as SQL Server does, not as text, and it is the text's order that makes two exports comparable.
What is held is bounded by bytes, not by rows: one row may hold some megabytes.
"""

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import IO, cast

import msgspec

from confmig.model.codec import Coded, decode_value, encode_value
from confmig.model.records import Record

IN_MEMORY = 24 * 1024**2
_BLOCK = 64 * 1024
_LENGTH = 4
_PIECE_COST = 150
"""Bytes that a piece takes in memory beside its text."""

Piece = tuple[str, bytes]
"""A key to sort by, and what belongs to it."""

_Extra = dict[str, tuple[tuple[str, str], ...]]

_encode_row = msgspec.msgpack.Encoder().encode
_decode_row = msgspec.msgpack.Decoder(
    tuple[str, str | None, dict[str, object], _Extra]
).decode  # Coded, which msgspec cannot be told
_encode_block = msgspec.msgpack.Encoder().encode
_decode_block = msgspec.msgpack.Decoder(list[tuple[str, bytes]]).decode


def sorted_by_id(rows: Iterable[Record], in_memory: int = IN_MEMORY) -> Iterator[Record]:
    """The rows in order of their ids.

    Args:
        rows: Rows of one table, with ids.
        in_memory: How many bytes are sorted without a file.
    """
    pieces = ((record.id or "", encode_record(record)) for record in rows)
    for _, body in sorted_pieces(pieces, in_memory):
        yield decode_record(body)


def encode_record(record: Record) -> bytes:
    """A row as bytes, with all that it holds but the version; equal bytes are equal rows."""
    values = {name: encode_value(value) for name, value in record.values.items()}
    return _encode_row((record.table, record.id, values, record.extra))


def decode_record(body: bytes) -> Record:
    """The reverse of ``encode_record``."""
    table, row_id, coded, extra = _decode_row(body)
    return Record(
        table, row_id, {name: decode_value(value) for name, value in cast("dict[str, Coded]", coded).items()}, extra
    )


def sorted_pieces(pieces: Iterable[Piece], in_memory: int = IN_MEMORY) -> Iterator[Piece]:
    """The pieces in order of their keys; those of one key stay in the order in which they came.

    Args:
        pieces: What is to be sorted; it is read to its end before the first piece is given.
        in_memory: How many bytes are sorted without a file.
    """
    held: list[Piece] = []
    size = 0
    with _Runs() as runs:
        for piece in pieces:
            held.append(piece)
            size += len(piece[1]) + _PIECE_COST
            if size > in_memory:
                held.sort(key=itemgetter(0))
                runs.add(held)
                held, size = [], 0
        held.sort(key=itemgetter(0))
        yield from runs.merged_with(held)


class _Runs:
    """Sorted runs, one after the other in one file, which has no name and ends with the process at the latest."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._ranges: list[tuple[int, int]] = []

    def __enter__(self) -> "_Runs":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, run: list[Piece]) -> None:
        """Write one sorted run."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="confmig-")  # noqa: SIM115  # closed with the runs
        start = self._file.tell()
        for block in _blocks(run):
            encoded = _encode_block(block)
            self._file.write(len(encoded).to_bytes(_LENGTH, "big") + encoded)
        self._ranges.append((start, self._file.tell()))

    def merged_with(self, last: list[Piece]) -> Iterator[Piece]:
        """All pieces in order; ``last`` is the run that was not written."""
        if self._file is None:
            return iter(last)
        runs = [self._read(self._file, start, end) for start, end in self._ranges]
        return heapq.merge(*runs, last, key=itemgetter(0))

    @staticmethod
    def _read(file: IO[bytes], start: int, end: int) -> Iterator[Piece]:
        while start < end:
            file.seek(start)
            length = int.from_bytes(file.read(_LENGTH), "big")
            block = _decode_block(file.read(length))
            start += _LENGTH + length
            yield from block


def _blocks(run: list[Piece]) -> Iterator[list[Piece]]:
    """A run in portions of about one reading."""
    block: list[Piece] = []
    size = 0
    for piece in run:
        block.append(piece)
        size += len(piece[1])
        if size > _BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block
