"""A schema made from what an environment says of its tables."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from confmig.checking.dependencies import MAPPED
from confmig.model.environment import ColumnInfo, TableInfo
from confmig.model.schema import Column, Relationship, Schema, Table
from confmig.model.values import ColumnType
from confmig.planning.columns import STATE_COLUMNS, is_moved, left_out
from confmig.profiles.profile import Preset, PresetTable

_LOOKUPS = {ColumnType.LOOKUP}


@dataclass(slots=True)
class Selection:
    """Which tables a schema is made of, and which tables' rows the target is known to have already."""

    tables: Sequence[str]
    preset: Preset | None = None
    outside: Collection[str] = ()

    def with_tables(self, tables: Sequence[str]) -> "Selection":
        """The selection with other tables, each of them once."""
        return replace(self, tables=[*dict.fromkeys(tables)])

    def details(self, table: str) -> PresetTable:
        """What the preset says of a table."""
        known = self.preset.tables.get(table) if self.preset else None
        return known or PresetTable()

    def leaves_out(self, table: str, column: str) -> bool:
        """Whether the preset leaves a column out."""
        everywhere = self.preset.without if self.preset and table in self.preset.tables else ()
        return column in everywhere or column in self.details(table).without


@dataclass(slots=True)
class GeneratedSchema:
    """A schema, and the columns that one might miss in it, with the reason."""

    schema: Schema
    left_out: list[tuple[str, str, str]] = field(default_factory=list)


def generate_schema(infos: Mapping[str, TableInfo], selection: Selection) -> GeneratedSchema:
    """Make a schema of the selected tables, as far as the environment has them.

    The same tables give the same schema, byte for byte: tables come after those that their lookups point to, and by
    name where that leaves a choice; columns by name after the id, which is also the key that rows are matched by.
    """
    present = [name for name in selection.tables if name in infos]
    result = GeneratedSchema(Schema(()))
    reachable = {*present, *MAPPED, *selection.outside}
    tables = tuple(
        _table(infos[name], selection, present, reachable, result.left_out) for name in _ordered(present, infos)
    )
    result.schema = Schema(tables)
    return result


def required_targets(infos: Mapping[str, TableInfo], selection: Selection) -> Iterator[tuple[str, str]]:
    """The tables that the selected tables' rows cannot be without, each with the column that points to it.

    A lookup that may point to several tables says nothing of the kind: nobody can tell which of them the rows use.
    """
    for info in infos.values():
        for column in info.columns.values():
            needed = column.required and column.type in _LOOKUPS and is_moved(info, column)
            if needed and len(column.targets) == 1 and not selection.leaves_out(info.name, column.name):
                yield column.targets[0], f"{info.name}.{column.name}"


def _ordered(names: Sequence[str], infos: Mapping[str, TableInfo]) -> list[str]:
    """The tables, those that others point to first; a circle is cut where it is met."""
    ordered: dict[str, None] = {}
    begun: set[str] = set()

    def visit(name: str) -> None:
        if name in begun:
            return
        begun.add(name)
        lookups = (column for column in infos[name].columns.values() if column.type in _LOOKUPS)
        for target in sorted({target for column in lookups for target in column.targets}):
            if target in names:
                visit(target)
        ordered[name] = None

    for name in sorted(names):
        visit(name)
    return list(ordered)


def _table(
    info: TableInfo,
    selection: Selection,
    present: Collection[str],
    reachable: Collection[str],
    missed: list[tuple[str, str, str]],
) -> Table:
    columns = [_column(info, info.columns[info.primary_id])]
    for name in sorted(info.columns):
        column = info.columns[name]
        if name == info.primary_id or (selection.leaves_out(info.name, name) and not column.required):
            continue
        reason = _why_not(info, column, reachable)
        if reason is None:
            columns.append(_column(info, column))
        elif reason:
            missed.append((info.name, name, reason))
    return Table(
        name=info.name,
        primary_id=info.primary_id,
        columns=tuple(columns),
        display_name=info.display_name or info.name,
        object_type_code=None if info.object_type_code is None else str(info.object_type_code),
        primary_name=info.primary_name,
        relationships=tuple(_relationships(info, present)),
        filter=selection.details(info.name).filter,
    )


def _why_not(info: TableInfo, column: ColumnInfo, reachable: Collection[str]) -> str | None:
    """Why a column is no part of the schema: None when it is, empty when nobody would miss it."""
    if column.part_of or not column.readable:
        return ""
    if column.name in STATE_COLUMNS:
        return None
    if not is_moved(info, column):
        missed = column.custom and column.type is ColumnType.UNKNOWN
        return left_out(info, column) if missed else ""
    if column.type is ColumnType.BIGINT:
        return "the Configuration Migration Tool drops big integers; declare the column by hand to move it with confmig"
    if column.type in _LOOKUPS and not any(target in reachable for target in column.targets):
        refused = "; without it the service refuses new rows" if column.required else ""
        return f"it points to {' or '.join(column.targets) or 'no table'}, which is not among the tables{refused}"
    return None


def _column(info: TableInfo, column: ColumnInfo) -> Column:
    is_key = column.name == info.primary_id
    return Column(
        name=column.name,
        type=column.type,
        display_name=column.display_name or column.name,
        targets=column.targets if column.type in _LOOKUPS else (),
        compare=is_key,
        primary_key=is_key,
        # The Configuration Migration Tool writes a custom table's own id column without it.
        custom=column.custom and not is_key,
    )


def _relationships(info: TableInfo, present: Collection[str]) -> Iterator[Relationship]:
    """The many-to-many relationships within the schema, each on its first table."""
    for name in sorted(info.relationships):
        known = info.relationships[name]
        if known.table1 == info.name and known.table2 in present:
            reflexive = known.table1 == known.table2
            yield Relationship(
                name=name,
                many_to_many=True,
                reflexive=reflexive,
                target=known.table2,
                # The intersect table of a reflexive relationship holds the id twice, the second time with a suffix.
                target_primary_id=known.id2.removesuffix("two") if reflexive else known.id2,
            )
