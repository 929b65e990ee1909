"""A schema: which tables, columns and relationships a data package is about, and how its rows are to be matched."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from confmig.model.values import ColumnType

Extra = tuple[tuple[str, str], ...]
"""Attributes that we do not know, kept from reading to writing."""


class DateMode(StrEnum):
    """Whether dates are moved forward at import, and in which steps."""

    ABSOLUTE = "absolute"
    RELATIVE = "relative"
    RELATIVE_DAILY = "relativeDaily"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, as the schema declares it.

    ``type_text`` is the word in the file; ``type`` is what it stands for. ``compare`` marks a part of the table's
    matching key. ``targets`` are the tables that a lookup may point to, in the file's order.
    """

    name: str
    type: ColumnType
    display_name: str | None = None
    type_text: str = ""
    targets: tuple[str, ...] = ()
    compare: bool = False
    primary_key: bool = False
    custom: bool = False
    date_mode: DateMode | None = None
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class Relationship:
    """A relationship that the schema declares on a table.

    For a many-to-many relationship ``name`` is the intersect table, ``target`` the table on the other side and
    ``target_primary_id`` that table's id column. A many-to-one entry is kept but not used. ``attributes`` are all
    attributes as they stood in the file, ``unknown_xml`` the elements within.
    """

    name: str
    many_to_many: bool = False
    reflexive: bool = False
    target: str | None = None
    target_primary_id: str | None = None
    attributes: Extra = ()
    unknown_xml: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, as the schema declares it. One table may be declared twice, with other columns."""

    name: str
    primary_id: str
    columns: tuple[Column, ...]
    display_name: str | None = None
    object_type_code: str | None = None
    primary_name: str | None = None
    disable_plugins: bool = False
    skip_update: bool = False
    force_create: bool = False
    relationships: tuple[Relationship, ...] = ()
    filter: str | None = None
    extra: Extra = ()
    unknown_xml: str = ""

    @property
    def many_to_many(self) -> tuple[Relationship, ...]:
        """The many-to-many relationships only."""
        return tuple(relationship for relationship in self.relationships if relationship.many_to_many)

    def with_columns(self, columns: tuple[Column, ...]) -> "Table":
        """The table with other columns."""
        return replace(self, columns=columns)

    @property
    def compare_columns(self) -> tuple[str, ...]:
        """The names of the columns that make the matching key."""
        return tuple(column.name for column in self.columns if column.compare)


@dataclass(frozen=True, slots=True)
class Schema:
    """All that a schema file says.

    ``inferred`` is set when a package had no schema and this one was guessed from its rows.
    """

    tables: tuple[Table, ...]
    import_order: tuple[str, ...] = ()
    date_mode: DateMode | None = None
    extra: Extra = ()
    unknown_xml: str = ""
    inferred: bool = False
    _merged: dict[str, Table] = field(init=False, default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the tables by name, joining the columns of a table that is declared twice."""
        for table in self.tables:
            known = self._merged.get(table.name)
            self._merged[table.name] = _join(known, table) if known else table

    def table(self, name: str) -> Table | None:
        """The table with all the columns that any of its declarations names, or None."""
        return self._merged.get(name)

    def with_tables(self, tables: tuple[Table, ...]) -> "Schema":
        """The schema with other tables."""
        return replace(self, tables=tables)

    def names(self) -> list[str]:
        """The names of all tables and intersect tables, sorted."""
        intersects = {item.name for table in self.tables for item in table.many_to_many}
        return sorted({table.name for table in self.tables} | intersects)

    def merged_tables(self) -> Iterator[Table]:
        """Each table once, in the order of first declaration."""
        return iter(self._merged.values())


def _join(first: Table, second: Table) -> Table:
    known = {column.name for column in first.columns}
    names = {relationship.name for relationship in first.relationships}
    return Table(
        name=first.name,
        primary_id=first.primary_id,
        columns=first.columns + tuple(column for column in second.columns if column.name not in known),
        display_name=first.display_name,
        object_type_code=first.object_type_code,
        primary_name=first.primary_name or second.primary_name,
        disable_plugins=first.disable_plugins or second.disable_plugins,
        skip_update=first.skip_update or second.skip_update,
        force_create=first.force_create or second.force_create,
        relationships=first.relationships + tuple(item for item in second.relationships if item.name not in names),
        filter=first.filter or second.filter,
        extra=first.extra,
        unknown_xml=first.unknown_xml,
    )
