"""What a package holds as pieces under keys, so that two packages can be read side by side in one order.

The keys are by table; within it first the rows without an id by their content, then each row with its associations.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from confmig.model.codec import encode_value
from confmig.model.records import Association, PackageStart, Record, TableStart, Unknown
from confmig.model.values import Value, plain_form
from confmig.package.package import Package
from confmig.package.sorting import Piece, decode_record, encode_record, sorted_pieces

NAMELESS, NAMED, UNKNOWN = "0", "1", "2"
"""The parts of a table, in this order."""
_END = "\0"
"""No name and no id holds it, and it is less than all that they hold."""

Link = tuple[str, str | None, tuple[tuple[str, str], ...]]
"""An association beside its key: the other row's table and id column, and attributes that we do not know."""

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
decode_link = msgspec.msgpack.Decoder(Link).decode


@dataclass(frozen=True, slots=True)
class Key:
    """A key, taken apart. ``relationship`` and ``target`` are those of an association, empty for a row."""

    table: str
    part: str
    id: str
    relationship: str = ""
    target: str = ""


def is_row(key: str) -> bool:
    """Whether a key is that of a row, with an id or without."""
    end = key.index(_END)
    return key[end + 1] != UNKNOWN and key.find(_END, end + 1) < 0


def parse_key(key: str) -> Key:
    """Take a key apart."""
    table, rest, *link = key.split(_END)
    return Key(table, rest[0], rest[1:], *link)


class Copies:
    """What one package holds under one key: nearly always one piece.

    Pieces of one key are compared without holding them: ``print`` is a sum of digests, so their order does not
    matter.
    """

    __slots__ = ("body", "count", "print")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.count = 1
        self.print = 0

    def add(self, body: bytes, named_row: bool) -> None:
        """Take one more; of a row that stands twice the columns of both count, the later one's first."""
        if self.count == 1:
            self.print = _number(self.body, named_row)
        self.print += _number(body, named_row)
        self.count += 1
        if named_row and body != self.body:
            first, second = decode_record(self.body), decode_record(body)
            joined = {**first.values, **second.values}
            self.body = encode_record(Record(first.table, first.id, joined, {**first.extra, **second.extra}))

    def same_as(self, other: "Copies") -> bool:
        """Whether both hold the same pieces, byte for byte."""
        if self.count == 1:
            return other.count == 1 and self.body == other.body
        return self.count == other.count and self.print == other.print


def _number(body: bytes, named_row: bool) -> int:
    """A digest that can be summed; the order of a row's columns does not matter."""
    text = content_hash(decode_record(body), exact=True) if named_row else hashlib.sha256(body).hexdigest()
    return int(text, 16)


class Content:
    """A package's pieces in order of their keys, and what it says beside them.

    Args:
        package: The package; it is read once.
        exact: Whether rows without an id are the same only when they are so to the digit.
    """

    def __init__(self, package: Package, *, exact: bool) -> None:
        self.package = package
        self.attributes: tuple[tuple[str, str], ...] = ()
        self.beginnings: dict[str, set[tuple[str, tuple[tuple[str, str], ...]]]] = defaultdict(set)
        self._exact = exact

    def groups(self) -> Iterator[tuple[str, Copies]]:
        """Each key once, in order, with all that stands under it."""
        current = ""
        copies: Copies | None = None
        for key, body in sorted_pieces(self._pieces()):
            if copies is not None and key == current:
                parsed = parse_key(key)
                copies.add(body, parsed.part == NAMED and not parsed.relationship)
                continue
            if copies is not None:
                yield current, copies
            current, copies = key, Copies(body)
        if copies is not None:
            yield current, copies

    def _pieces(self) -> Iterator[Piece]:
        begun: TableStart | None = None
        for event in self.package.rows():
            match event:
                case Record():
                    yield self._row(event)
                case Association(table=table, source=source):
                    link = _encode((event.target_table, event.id_column, event.extra))
                    for target in event.targets:
                        yield _key(table, NAMED, source, event.relationship, target), link
                case Unknown(table, xml):
                    body = xml.encode()
                    yield _key(table, UNKNOWN, hashlib.sha256(body).hexdigest()), body
                case TableStart():
                    begun = event
                    continue
                case PackageStart():
                    self.attributes = event.extra
                    continue
            if begun is not None:  # a table that holds nothing says nothing
                self.beginnings[begun.table].add((begun.display_name or "", begun.extra))
                begun = None

    def _row(self, record: Record) -> Piece:
        if record.id is not None:
            return _key(record.table, NAMED, record.id), encode_record(record)
        return _key(record.table, NAMELESS, content_hash(record, exact=self._exact)), encode_record(record)


def content_hash(record: Record, *, exact: bool) -> str:
    """SHA-256 of what a row holds beside its id."""
    if exact:
        held = {name: encode_value(value) for name, value in record.values.items() if value is not None}
        return hashlib.sha256(_encode((held, record.extra))).hexdigest()
    return hashlib.sha256(repr(sorted(_plain(record.values))).encode("utf-8", "surrogatepass")).hexdigest()


def _plain(values: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        plain = plain_form(value)
        if plain is not None:
            yield name, repr(plain)


def _key(table: str, part: str, *names: str) -> str:
    return f"{table}{_END}{part}{_END.join(names)}"


def side_by_side(
    left: Iterable[tuple[str, Copies]], right: Iterable[tuple[str, Copies]]
) -> Iterator[tuple[str, Copies | None, Copies | None]]:
    """Each key of either side once, in order, with what both have under it."""
    lefts, rights = iter(left), iter(right)
    one, other = next(lefts, None), next(rights, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None  # noqa: S101  # one of the two is there
            yield one[0], one[1], None
            one = next(lefts, None)
        elif one is None or other[0] < one[0]:
            yield other[0], None, other[1]
            other = next(rights, None)
        else:
            yield one[0], one[1], other[1]
            one, other = next(lefts, None), next(rights, None)
