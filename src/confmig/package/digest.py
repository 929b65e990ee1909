"""The digest of what a package says, whatever form it has.

It is over values, not over the bytes of files: a zip, its repacked twin and the folder made of it have the same digest.
Not in it are the time of export and the order of rows.
"""

import hashlib
import heapq
import tempfile
from collections.abc import Iterator, Mapping
from typing import IO

import msgspec

from confmig.model.records import Association, PackageEvent, Record, Unknown
from confmig.model.values import Moment, Value

_SIZE = hashlib.sha256().digest_size
_IN_MEMORY = 50_000
_BLOCK = 1024 * _SIZE


class ContentDigest:
    """Takes what a package holds, piece by piece and in any order, and gives one SHA-256."""

    def __init__(self, schema_digest: str, in_memory: int = _IN_MEMORY) -> None:
        self._schema_digest = schema_digest
        self._pieces = _SortedPieces(in_memory)
        self._encode = msgspec.json.Encoder(order="deterministic", enc_hook=_encode_moment).encode

    def add(self, event: PackageEvent) -> None:
        """Take one event; the beginning of a table or of the package says nothing by itself."""
        match event:
            case Record(table, row_id, values, extra):
                self._take("R", table, row_id, _held(values), extra or None)
            case Association(targets=targets):
                for target in targets:
                    self._take("A", *_pair(event), target)
            case Unknown(table, xml):
                self._take("U", table, xml)
            case _:
                pass

    def add_file(self, file_id: str, sha256: str) -> None:
        """Take the payload of a file column by the SHA-256 of its bytes, in hexadecimal digits."""
        self._take("F", file_id, sha256)

    def _take(self, *parts: object) -> None:
        self._pieces.add(hashlib.sha256(self._encode(parts)).digest())

    def hexdigest(self) -> str:
        """The digest of all that was taken."""
        whole = hashlib.sha256(self._schema_digest.encode())
        for piece in self._pieces.sorted():
            whole.update(piece)
        return whole.hexdigest()


def _encode_moment(value: object) -> object:
    """A date and time with all its digits; msgspec knows the other values by itself."""
    assert isinstance(value, Moment)  # noqa: S101  # no value has another class
    return [value.isoformat(), value.tenth]


def _held(values: Mapping[str, Value]) -> Mapping[str, Value]:
    """The values without those that are absent: a column that is left out and one without a value say the same."""
    for value in values.values():  # `None in` would ask each value whether it is equal, and they take time to deny it
        if value is None:
            return {name: value for name, value in values.items() if value is not None}
    return values


def _pair(event: Association) -> tuple[object, ...]:
    return event.table, event.relationship, event.source, event.target_table, event.id_column, event.extra


class _SortedPieces:
    """Digests in order, however many: in memory up to a limit, beyond it in sorted runs within one nameless file."""

    def __init__(self, in_memory: int) -> None:
        self._in_memory = in_memory
        self._held: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._runs: list[range] = []

    def add(self, piece: bytes) -> None:
        self._held.append(piece)
        if len(self._held) >= self._in_memory:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="confmig-")  # noqa: SIM115  # closed in sorted()
            start = self._file.tell()
            self._file.write(b"".join(sorted(self._held)))
            self._runs.append(range(start, self._file.tell(), _BLOCK))
            self._held.clear()

    def sorted(self) -> Iterator[bytes]:
        """All pieces in order, once."""
        if self._file is None:
            yield from sorted(self._held)
            return
        with self._file as file:
            yield from heapq.merge(sorted(self._held), *(_pieces_of(file, run) for run in self._runs))


def _pieces_of(file: IO[bytes], run: range) -> Iterator[bytes]:
    for start in run:
        file.seek(start)
        block = file.read(min(_BLOCK, run.stop - start))
        yield from (block[at : at + _SIZE] for at in range(0, len(block), _SIZE))
