"""What two schemas say, compared."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from confmig.model.schema import Column, Relationship, Schema, Table
from confmig.model.values import Value
from confmig.package.comparing.differences import Difference, Kind, attributes_shown
from confmig.package.schemafile import write_schema

_TOLD = {"name", "relatedEntityName", "manyToMany", "isreflexive", "m2mTargetEntity", "m2mTargetEntityPrimaryKey"}
"""Attributes of a many-to-many relationship that are compared by what they mean."""
_Part = TypeVar("_Part", Column, Relationship)
_Said = Sequence[tuple[str, Value]]
"""What is said of a thing: aspects and texts, the same aspects for each thing of its kind."""


def compare_schemas(first: Schema, second: Schema, *, exact: bool = False) -> Iterator[Difference]:
    """The differences between what two schemas say.

    By value are: tables, columns and relationships that one schema lacks, types as they are written (there are words
    that CMT refuses), keys, targets, flags, filters, modes of dates and the order of import. With ``exact`` also
    what environments differ in anyway or no import reads: display names, codes of tables, attributes that we do not
    know, the order in which things are declared.
    """
    found = False
    for difference in _compare(first, second, exact):
        found = True
        yield difference
    if exact and not found:
        before, after = write_schema(first).decode(), write_schema(second).decode()
        yield from _told("", "", [("declarations", before)], [("declarations", after)], Kind.FORM)


def _compare(first: Schema, second: Schema, exact: bool) -> Iterator[Difference]:
    yield from _told("", "", _of_schema(first), _of_schema(second))
    if exact:
        yield from _told("", "", _form_of_schema(first), _form_of_schema(second), Kind.FORM)
    left = {table.name: table for table in first.merged_tables()}
    right = {table.name: table for table in second.merged_tables()}
    for name in sorted(left.keys() | right.keys()):
        yield from _compare_tables(name, left.get(name), right.get(name), exact)


def _compare_tables(name: str, left: Table | None, right: Table | None, exact: bool) -> Iterator[Difference]:
    if left is None or right is None:
        yield _declared(name, "", "table", left is not None)
        return
    yield from _compare_parts(name, "column", _columns(left), _columns(right), _of_column)
    yield from _told(name, "", _of_table(left), _of_table(right))
    yield from _compare_parts(name, "relationship", _used(left), _used(right), _of_relationship)
    if exact:
        form = Kind.FORM
        yield from _compare_common(name, _columns(left), _columns(right), _form_of_column, form)
        yield from _told(name, "", _form_of_table(left), _form_of_table(right), form)
        yield from _compare_common(name, _used(left), _used(right), _form_of_relationship, form)
        yield from _compare_parts(name, "relationship", _unused(left), _unused(right), _form_of_relationship, form)


def _compare_parts(
    table: str,
    what: str,
    left: Mapping[str, _Part],
    right: Mapping[str, _Part],
    said: Callable[[_Part], _Said],
    kind: Kind = Kind.SCHEMA,
) -> Iterator[Difference]:
    """The columns or relationships of a table: which there are, and what is said of them."""
    for name in sorted(left.keys() ^ right.keys()):
        yield _declared(table, name, what, name in left, kind)
    yield from _compare_common(table, left, right, said, kind)


def _compare_common(
    table: str,
    left: Mapping[str, _Part],
    right: Mapping[str, _Part],
    said: Callable[[_Part], _Said],
    kind: Kind,
) -> Iterator[Difference]:
    for name in sorted(left.keys() & right.keys()):
        yield from _told(table, name, said(left[name]), said(right[name]), kind)


def _declared(table: str, column: str, what: str, before: bool, kind: Kind = Kind.SCHEMA) -> Difference:
    """Something that one schema declares only."""
    word = "declared"
    return Difference(kind, table, "", column, word if before else None, None if before else word, what)


def _told(table: str, column: str, left: _Said, right: _Said, kind: Kind = Kind.SCHEMA) -> Iterator[Difference]:
    for (aspect, before), (_, after) in zip(left, right, strict=True):
        if before != after:
            yield Difference(kind, table, "", column, before, after, aspect)


def _of_schema(schema: Schema) -> _Said:
    return [("date mode", schema.date_mode), ("import order", ", ".join(schema.import_order) or None)]


def _form_of_schema(schema: Schema) -> _Said:
    return [("attributes", attributes_shown(schema.extra)), ("elements", schema.unknown_xml or None)]


def _columns(table: Table) -> dict[str, Column]:
    return {column.name: column for column in table.columns}


def _of_column(column: Column) -> _Said:
    return [
        ("type", column.type_text or column.type.value),
        ("part of the key", column.compare),
        ("primary key", column.primary_key),
        ("targets", " or ".join(sorted(set(column.targets))) or None),
        ("date mode", column.date_mode),
    ]


def _form_of_column(column: Column) -> _Said:
    return [
        ("display name", column.display_name),
        ("custom", column.custom),
        ("order of targets", "|".join(column.targets) or None),
        ("attributes", attributes_shown(column.extra)),
    ]


def _of_table(table: Table) -> _Said:
    return [
        ("primary id", table.primary_id),
        ("primary name", table.primary_name),
        ("filter", table.filter),
        ("disable plugins", table.disable_plugins),
        ("skip update", table.skip_update),
        ("force create", table.force_create),
    ]


def _form_of_table(table: Table) -> _Said:
    return [
        ("display name", table.display_name),
        ("object type code", table.object_type_code),
        ("attributes", attributes_shown(table.extra)),
        ("elements", table.unknown_xml or None),
    ]


def _used(table: Table) -> dict[str, Relationship]:
    return {item.name: item for item in table.many_to_many}


def _unused(table: Table) -> dict[str, Relationship]:
    """Many-to-one entries: no import reads them."""
    return {item.name: item for item in table.relationships if not item.many_to_many}


def _of_relationship(item: Relationship) -> _Said:
    return [
        ("reflexive", item.reflexive),
        ("target", item.target),
        ("id of the target", item.target_primary_id),
    ]


def _form_of_relationship(item: Relationship) -> _Said:
    told = _TOLD if item.many_to_many else set()
    unknown = tuple(sorted(pair for pair in item.attributes if pair[0] not in told))
    return [("attributes", attributes_shown(unknown)), ("elements", item.unknown_xml or None)]
