"""Two packages side by side: a stream that holds neither of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from confmig.model.schema import Schema
from confmig.model.values import ColumnType, Lookup
from confmig.package.comparing.contents import (
    NAMED,
    NAMELESS,
    Content,
    Copies,
    Key,
    content_hash,
    decode_link,
    is_row,
    parse_key,
    side_by_side,
)
from confmig.package.comparing.differences import Difference, Kind, attributes_shown
from confmig.package.comparing.payloads import Payloads
from confmig.package.comparing.rows import RowComparison
from confmig.package.comparing.schemas import compare_schemas
from confmig.package.formatting import attributes_text
from confmig.package.package import Package
from confmig.package.sorting import decode_record


def compare_packages(first: Package, second: Package, *, exact: bool = False) -> Iterator[Difference]:
    """The differences from the first package to the second, table by table and row by row.

    Values are compared as values, so another way of writing a number or a date is none, nor is the order of rows. Rows
    that a package gives no id are compared by their content, those that a table holds twice are counted.

    Args:
        first: The package to begin with.
        second: What it became.
        exact: Also tell what differs in form only: digits, absent and empty values, names of lookups, all that a party
            says, attributes and elements that we do not know, the time of export. Two packages without an exact
            difference have the same digest.

    Raises:
        PackageError: A package is broken.
    """
    found = False
    for difference in _Comparison(first, second, exact).differences():
        found = True
        yield difference
    if exact and not found and first.digest != second.digest:
        yield Difference(Kind.FORM, "", before=first.digest, after=second.digest, aspect="digest")


@dataclass(slots=True)
class _Unpaired:
    """The rows without an id of one table that the other package lacks, by content: how many, and their name."""

    rows: dict[str, tuple[int, str]] = field(default_factory=dict)

    def take(self, content: str) -> bool:
        """Take one away, if there is one."""
        if content not in self.rows:
            return False
        count, name = self.rows.pop(content)
        if count > 1:
            self.rows[content] = count - 1, name
        return True


class _Comparison:
    """Goes through two packages once."""

    def __init__(self, first: Package, second: Package, exact: bool) -> None:
        self._packages = first, second
        self._contents = Content(first, exact=exact), Content(second, exact=exact)
        self._files = Payloads(first), Payloads(second)
        self._exact = exact
        self._rows = RowComparison(*self._files, exact=exact)
        schemas = first.schema, second.schema
        self._names = {table.name: table.primary_name for schema in schemas for table in schema.merged_tables()}
        self._with_files = set().union(*map(_tables_with_files, schemas))
        self._table = ""
        self._unpaired = _Unpaired(), _Unpaired()
        self._row: Copies | None = None
        self._row_key = ""

    def differences(self) -> Iterator[Difference]:
        """All differences."""
        left, right = self._packages
        yield from compare_schemas(left.schema, right.schema, exact=self._exact)
        if self._exact and left.timestamp != right.timestamp:
            yield Difference(Kind.FORM, "", before=left.timestamp, after=right.timestamp, aspect="timestamp")
        for text, one, other in side_by_side(self._contents[0].groups(), self._contents[1].groups()):
            if is_row(text):
                self._row_key, self._row = text, other or one
            if one is not None and other is not None and one.same_as(other) and not self._with_files:
                continue
            key = parse_key(text)
            if key.table != self._table:
                yield from self._rest_of_table()
                self._table = key.table
            yield from self._compare(key, one, other, self._name_for(text))
        yield from self._rest_of_table()
        yield from self._loose_files()
        if self._exact:
            yield from self._beginnings()

    def _compare(self, key: Key, one: Copies | None, other: Copies | None, name: str) -> Iterator[Difference]:
        if key.part == NAMELESS:
            self._count_nameless(key, one, other, name)
        elif key.part == NAMED and not key.relationship:
            yield from self._compare_row(key, one, other, name)
        elif key.part == NAMED:
            yield from self._compare_link(key, one, other, name)
        elif self._exact and (one is None or other is None or one.count != other.count):
            texts = [None if copies is None else copies.body.decode() * copies.count for copies in (one, other)]
            yield Difference(Kind.FORM, key.table, "", "", texts[0], texts[1], "elements")

    def _name_for(self, key: str) -> str:
        """The name of the row that a key is about: its own, or that of the row before an association."""
        if self._row is None or not key.startswith(self._row_key):
            return ""
        record = decode_record(self._row.body)
        return record.name(self._names.get(record.table))

    def _compare_row(self, key: Key, one: Copies | None, other: Copies | None, name: str) -> Iterator[Difference]:
        if one is not None and other is not None:
            if not one.same_as(other) or key.table in self._with_files:
                yield from self._rows.compare(key.table, key.id, name, one, other)
            return
        copies, twins = (one, self._unpaired[1]) if one is not None else (other, self._unpaired[0])
        assert copies is not None  # noqa: S101  # a key is on one side at least
        record = decode_record(copies.body)
        if twins.rows and twins.take(content_hash(record, exact=self._exact)):
            if self._exact:
                before, after = (key.id, None) if one is not None else (None, key.id)
                yield Difference(Kind.FORM, key.table, key.id, "", before, after, "id", name)
            return
        kind = Kind.REMOVED if one is not None else Kind.ADDED
        yield Difference(kind, key.table, key.id, name=name, values=record.values)

    def _count_nameless(self, key: Key, one: Copies | None, other: Copies | None, name: str) -> None:
        surplus = (one.count if one else 0) - (other.count if other else 0)
        if surplus:
            self._unpaired[0 if surplus > 0 else 1].rows[key.id] = abs(surplus), name

    def _rest_of_table(self) -> Iterator[Difference]:
        """The rows without an id that no row of the other package is like."""
        for kind, unpaired in zip((Kind.REMOVED, Kind.ADDED), self._unpaired, strict=True):
            for count, name in unpaired.rows.values():
                for _ in range(count):
                    yield Difference(kind, self._table, name=name, aspect="a row without an id")
            unpaired.rows.clear()

    def _compare_link(self, key: Key, one: Copies | None, other: Copies | None, name: str) -> Iterator[Difference]:
        before, after = _end(key, one), _end(key, other)
        of_row = key.table, key.id, key.relationship
        if one is None or other is None:
            kind = Kind.ASSOCIATED if one is None else Kind.DISASSOCIATED
            yield Difference(kind, *of_row, before, after, name=name)
            return
        if one.same_as(other):
            return
        links = decode_link(one.body), decode_link(other.body)
        if before != after:
            yield Difference(Kind.CHANGED, *of_row, before, after, "table", name)
        if links[0][1] != links[1][1]:
            yield Difference(Kind.CHANGED, *of_row, links[0][1], links[1][1], "id column", name)
        if self._exact and links[0][2] != links[1][2]:
            yield Difference(
                Kind.FORM, *of_row, attributes_shown(links[0][2]), attributes_shown(links[1][2]), "attributes", name
            )
        if self._exact and one.count != other.count:
            yield Difference(Kind.FORM, *of_row, one.count, other.count, "copies", name)

    def _loose_files(self) -> Iterator[Difference]:
        """Payloads that no row was found to have."""
        left, right = self._files
        for file_id in sorted((left.ids | right.ids) - left.asked - right.asked):
            before, after = left.describe(file_id) or None, right.describe(file_id) or None
            if before != after:
                kind = Kind.ADDED if before is None else Kind.REMOVED if after is None else Kind.CHANGED
                yield Difference(kind, "", file_id, "", before, after, "file that no row has")

    def _beginnings(self) -> Iterator[Difference]:
        """What stands in the data of the package and of its tables beside rows; the digest knows nothing of it."""
        left, right = self._contents
        if left.attributes != right.attributes:
            yield Difference(
                Kind.FORM,
                "",
                before=attributes_shown(left.attributes),
                after=attributes_shown(right.attributes),
                aspect="attributes",
            )
        for table in sorted(left.beginnings.keys() & right.beginnings.keys()):
            if left.beginnings[table] != right.beginnings[table]:
                texts = [_beginning(content, table) for content in (left, right)]
                yield Difference(Kind.FORM, table, "", "", texts[0], texts[1], "attributes of the data")


def _end(key: Key, copies: Copies | None) -> Lookup | None:
    """The other row of an association."""
    return None if copies is None else Lookup(decode_link(copies.body)[0], key.target)


def _beginning(content: Content, table: str) -> str:
    pairs = sorted(content.beginnings[table])
    return "; ".join(attributes_text([("displayname", name), *extra]).strip() for name, extra in pairs)


def _tables_with_files(schema: Schema) -> set[str]:
    return {
        table.name
        for table in schema.merged_tables()
        if any(column.type is ColumnType.FILE for column in table.columns)
    }
