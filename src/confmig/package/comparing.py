"""How two packages differ: in their schemas, and table by table, row by row, column by column."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from confmig.model.records import Association, Record
from confmig.model.schema import Column, Schema, Table
from confmig.model.values import Value, plain_form, same_value
from confmig.package.package import Package


class Kind(StrEnum):
    """What kind of difference it is, seen from the first package to the second."""

    SCHEMA = "schema"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    ASSOCIATED = "associated"
    DISASSOCIATED = "disassociated"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. ``row`` is the row's id, ``before`` and ``after`` are the values of ``column``."""

    kind: Kind
    table: str
    row: str = ""
    column: str = ""
    before: Value = None
    after: Value = None
    message: str = ""


@dataclass(slots=True)
class _Content:
    """A package's rows by id, those without an id, and its pairs."""

    rows: dict[tuple[str, str], dict[str, Value]] = field(default_factory=dict)
    nameless: dict[str, list[Mapping[str, Value]]] = field(default_factory=lambda: defaultdict(list))
    pairs: set[tuple[str, str, str, str]] = field(default_factory=set)


def compare_packages(first: Package, second: Package) -> Iterator[Difference]:
    """The differences from the first package to the second.

    Values are compared as values, so another way of writing a number or a date is none. Rows that a package gives no id
    are compared by their content.
    """
    yield from compare_schemas(first.schema, second.schema)
    left, right = _read(first), _read(second)
    _pair_nameless(left, right)
    for key in sorted(left.rows.keys() | right.rows.keys()):
        yield from _compare_row(key, left.rows.get(key), right.rows.get(key))
    for table in sorted(left.nameless.keys() | right.nameless.keys()):
        yield from (Difference(Kind.REMOVED, table, message="a row without an id") for _ in left.nameless[table])
        yield from (Difference(Kind.ADDED, table, message="a row without an id") for _ in right.nameless[table])
    for table, source, relationship, target in sorted(left.pairs ^ right.pairs):
        gone = (table, source, relationship, target) in left.pairs
        kind = Kind.DISASSOCIATED if gone else Kind.ASSOCIATED
        yield Difference(kind, table, source, relationship, message=f"with {target}")


def compare_schemas(first: Schema, second: Schema) -> Iterator[Difference]:
    """The differences between what two schemas say."""
    for attribute in ("date_mode", "import_order"):
        before, after = getattr(first, attribute), getattr(second, attribute)
        if before != after:
            yield Difference(Kind.SCHEMA, "", message=f"{attribute}: {before} → {after}")
    left = {table.name: table for table in first.merged_tables()}
    right = {table.name: table for table in second.merged_tables()}
    for name in sorted(left.keys() | right.keys()):
        if name not in right:
            yield Difference(Kind.SCHEMA, name, message="the table is in the first schema only")
        elif name not in left:
            yield Difference(Kind.SCHEMA, name, message="the table is in the second schema only")
        else:
            yield from _compare_tables(left[name], right[name])


def _compare_tables(left: Table, right: Table) -> Iterator[Difference]:
    columns = {column.name: column for column in left.columns}, {column.name: column for column in right.columns}
    for name in sorted(columns[0].keys() | columns[1].keys()):
        yield from _compare_columns(left.name, name, columns[0].get(name), columns[1].get(name))
    for attribute in ("primary_id", "primary_name", "filter", "disable_plugins", "skip_update", "force_create"):
        before, after = getattr(left, attribute), getattr(right, attribute)
        if before != after:
            yield Difference(Kind.SCHEMA, left.name, message=f"{attribute}: {before} → {after}")
    relationships = {item.name for item in left.many_to_many}, {item.name for item in right.many_to_many}
    for name in sorted(relationships[0] ^ relationships[1]):
        where = "first" if name in relationships[0] else "second"
        yield Difference(Kind.SCHEMA, left.name, message=f"the relationship {name} is in the {where} schema only")


def _compare_columns(table: str, name: str, left: Column | None, right: Column | None) -> Iterator[Difference]:
    if left is None or right is None:
        where = "second" if left is None else "first"
        yield Difference(Kind.SCHEMA, table, column=name, message=f"the column is in the {where} schema only")
        return
    for attribute in ("type", "compare", "targets", "date_mode"):
        before, after = getattr(left, attribute), getattr(right, attribute)
        if before != after:
            yield Difference(Kind.SCHEMA, table, column=name, message=f"{attribute}: {before} → {after}")


def _read(package: Package) -> _Content:
    content = _Content()
    for event in package.rows():
        match event:
            case Record(table, None, values):
                content.nameless[table].append(values)
            case Record(table, str() as row_id, more):
                # A row that stands in the package twice counts as one with the columns of both.
                content.rows.setdefault((table, row_id), {}).update(more)
            case Association():
                for target in event.targets:
                    content.pairs.add((event.table, event.source, event.relationship, target))
            case _:
                pass
    return content


def _pair_nameless(left: _Content, right: _Content) -> None:
    """Take away the rows without an id that the other package has with equal content, with or without an id."""
    for table in left.nameless.keys() & right.nameless.keys():
        common = Counter(map(_content_key, left.nameless[table])) & Counter(map(_content_key, right.nameless[table]))
        for content in (left, right):
            content.nameless[table] = _without(content.nameless[table], common)
    for own, other in ((left, right), (right, left)):
        for table, rows in own.nameless.items():
            named: dict[str, list[tuple[str, str]]] = defaultdict(list)
            for key, values in other.rows.items():
                if key[0] == table and key not in own.rows:
                    named[_content_key(values)].append(key)
            left_over: list[Mapping[str, Value]] = []
            for row in rows:
                if twins := named[_content_key(row)]:
                    del other.rows[twins.pop()]
                else:
                    left_over.append(row)
            own.nameless[table] = left_over


def _without(rows: list[Mapping[str, Value]], common: Counter[str]) -> list[Mapping[str, Value]]:
    """The rows without those that are counted in ``common``."""
    taken = Counter(common)
    left_over: list[Mapping[str, Value]] = []
    for row in rows:
        content = _content_key(row)
        if taken[content]:
            taken[content] -= 1
        else:
            left_over.append(row)
    return left_over


def _content_key(values: Mapping[str, Value]) -> str:
    plain = ((name, plain_form(value)) for name, value in values.items())
    return repr(sorted((name, repr(value)) for name, value in plain if value is not None))


def _compare_row(
    key: tuple[str, str], left: Mapping[str, Value] | None, right: Mapping[str, Value] | None
) -> Iterator[Difference]:
    table, row = key
    if left is None or right is None:
        yield Difference(Kind.ADDED if left is None else Kind.REMOVED, table, row)
        return
    for name in sorted(left.keys() | right.keys()):
        before, after = left.get(name), right.get(name)
        if not same_value(before, after):
            yield Difference(Kind.CHANGED, table, row, name, before, after)
