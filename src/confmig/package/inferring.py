"""A schema for a package that came without one, guessed from its rows.

Packages are handed on as data.xml alone now and then. What is guessed here is marked by ``Schema.inferred``.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field

from confmig.model.records import Association, Record, TableStart
from confmig.model.schema import Column, Relationship, Schema, Table
from confmig.model.values import ColumnType, Lookup, Parties, Value, canonical_guid
from confmig.package.container import Container
from confmig.package.reader import read_rows
from confmig.package.text import parse_moment

_SHAPES = (
    (ColumnType.GUID, re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")),
    (ColumnType.BOOL, re.compile("True|False")),
    (ColumnType.NUMBER, re.compile(r"0|-?[1-9]\d{0,8}")),
    (ColumnType.DECIMAL, re.compile(r"-?\d+\.\d+")),
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:")
_BY_NAME = {"statecode": ColumnType.STATE, "statuscode": ColumnType.STATUS}


@dataclass
class _Seen:
    """What was seen of one table."""

    display_name: str | None = None
    types: dict[str, ColumnType] = field(default_factory=dict)
    targets: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    primary_id: str | None = None
    relationships: dict[str, Association] = field(default_factory=dict)


def infer_schema(container: Container) -> Schema:
    """Read all rows once and guess the tables, columns and relationships.

    The primary id is the column whose value is the row's id, or ``<table>id``.

    Raises:
        PackageError: The rows cannot be read.
    """
    tables: dict[str, _Seen] = defaultdict(_Seen)
    for event in read_rows(container, Schema(())):
        match event:
            case TableStart():
                tables[event.table].display_name = event.display_name
            case Record():
                _see_record(tables[event.table], event)
            case Association():
                tables[event.table].relationships.setdefault(event.relationship, event)
    return Schema(tuple(_table(name, seen) for name, seen in tables.items()), inferred=True)


def _see_record(seen: _Seen, record: Record) -> None:
    for column, value in record.values.items():
        if isinstance(value, Lookup):
            seen.targets[column][value.table] = None
        kind = _guess(column, value)
        if kind is None:
            continue
        known = seen.types.get(column, kind)
        seen.types[column] = known if known is kind else _common(known, kind)
        if seen.primary_id is None and isinstance(value, str) and record.id == canonical_guid(value):
            seen.primary_id = column


def _guess(column: str, value: Value) -> ColumnType | None:
    if isinstance(value, Lookup):
        return ColumnType.OWNER if column == "ownerid" else ColumnType.LOOKUP
    if isinstance(value, Parties):
        return ColumnType.PARTIES
    if column in _BY_NAME:
        return _BY_NAME[column]
    if not isinstance(value, str) or not value:
        return None
    if _MOMENT.match(value):
        try:
            parse_moment(value)
        except ValueError:
            return ColumnType.STRING
        return ColumnType.DATETIME
    return next((kind for kind, shape in _SHAPES if shape.fullmatch(value)), ColumnType.STRING)


def _common(first: ColumnType, second: ColumnType) -> ColumnType:
    if {first, second} == {ColumnType.NUMBER, ColumnType.DECIMAL}:
        return ColumnType.DECIMAL
    return ColumnType.STRING


def _table(name: str, seen: _Seen) -> Table:
    primary_id = seen.primary_id or f"{name}id"
    return Table(
        name=name,
        primary_id=primary_id,
        columns=tuple(
            Column(
                name=column,
                type=kind,
                display_name=column,
                type_text=kind.value,
                targets=tuple(seen.targets[column]) if kind is ColumnType.LOOKUP else (),
                primary_key=column == primary_id,
            )
            for column, kind in seen.types.items()
        ),
        display_name=seen.display_name,
        relationships=tuple(
            Relationship(
                name=association.relationship,
                many_to_many=True,
                reflexive=association.target_table == name,
                target=association.target_table,
                target_primary_id=association.target_id_column,
            )
            for association in seen.relationships.values()
        ),
    )
