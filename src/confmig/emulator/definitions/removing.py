"""Taking tables, columns, relationships and solutions out of an environment definition."""

from collections.abc import Iterable, Iterator

import msgspec

from confmig.emulator.catalog import basetables
from confmig.emulator.definitions.definitions import Definition, Json, RemoveDef
from confmig.emulator.definitions.tabledefinitions import KeyDef, TableDef
from confmig.emulator.errors import EmulatorStartError


def without(definition: Definition, remove: RemoveDef, file: str) -> Definition:
    """A definition less what shall be removed of it and what cannot be without that.

    Args:
        definition: The definition.
        remove: What to remove.
        file: The file that says so, for messages.

    Raises:
        EmulatorStartError: There is no such thing, or every environment has it.
    """
    if remove == RemoveDef():
        return definition
    _check(definition, remove, file)
    gone = frozenset(remove.tables)
    tables = {
        name: _trimmed(table, gone, remove.columns.get(name, ()))
        for name, table in definition.tables.items()
        if name not in gone
    }
    lost = {name: definition.tables[name].columns.keys() - table.columns.keys() for name, table in tables.items()}
    many_to_many = {
        name: many
        for name, many in definition.many_to_many.items()
        if name not in remove.relationships and gone.isdisjoint((many.table1, many.table2))
    }
    lost_pairs = {
        listed
        for name, many in definition.many_to_many.items()
        if name not in many_to_many
        for listed in (name, many.intersect)
    }
    return msgspec.structs.replace(
        definition,
        solutions={
            name: msgspec.structs.replace(solution, tables=tuple(one for one in solution.tables if one not in gone))
            for name, solution in definition.solutions.items()
            if name not in remove.solutions
        },
        tables=tables,
        many_to_many=many_to_many,
        relationships={
            names: one
            for names, one in definition.relationships.items()
            if gone.isdisjoint((one.table, one.target)) and one.column not in lost.get(one.table, ())
        },
        roles={
            name: msgspec.structs.replace(
                role, tables={one: role.tables[one] for one in role.tables if one not in gone}
            )
            for name, role in definition.roles.items()
        },
        rows={
            name: tuple(_kept_values(row, lost.get(name, set()), gone) for row in rows)
            for name, rows in definition.rows.items()
            if name not in gone
        },
        associations={name: pairs for name, pairs in definition.associations.items() if name not in lost_pairs},
    )


def _check(definition: Definition, remove: RemoveDef, file: str) -> None:
    base = {table.name for table in basetables.base_tables()}
    columns = (f"{table}.{column}" for table, names in remove.columns.items() for column in names)
    asked: tuple[tuple[str, Iterable[str], set[str]], ...] = (
        ("solution", remove.solutions, set(definition.solutions)),
        ("table", remove.tables, set(definition.tables) - base),
        ("column", columns, set(_removable_columns(definition))),
        ("relationship", remove.relationships, set(definition.many_to_many)),
    )
    for kind, names, removable in asked:
        for name in names:
            if name not in removable:
                raise EmulatorStartError(f"{file}: remove: what it includes has no {kind} {name} that can be removed")
    for name, removed in remove.columns.items():
        table = definition.tables[name]
        primary = {"id": table.primary_id or basetables.id_column_of(name), "name": table.primary_name}
        for kind, column in primary.items():
            if column in removed:
                raise EmulatorStartError(f"{file}: remove: {name} cannot be without its primary {kind} column {column}")


def _removable_columns(definition: Definition) -> Iterator[str]:
    """The columns that would not come back, as those do that every table has."""
    base = {table.name: table.columns for table in basetables.base_tables()}
    for name, table in definition.tables.items():
        fixed = {column.name for column in basetables.system_columns(table.ownership)} | set(base.get(name, ()))
        yield from (f"{name}.{column}" for column in table.columns if column not in fixed)


def _trimmed(table: TableDef, gone: frozenset[str], removed: tuple[str, ...]) -> TableDef:
    """A table without the removed columns, without lookups to tables that are gone, and without keys of those."""
    columns = {}
    for name, column in table.columns.items():
        targets = tuple(target for target in column.targets if target not in gone)
        if name not in removed and (targets or not column.targets):
            columns[name] = msgspec.structs.replace(column, targets=targets)
    lost = table.columns.keys() - columns.keys()
    keys = {
        name: key
        for name, key in table.keys.items()
        if lost.isdisjoint(key.columns if isinstance(key, KeyDef) else key)
    }
    return msgspec.structs.replace(table, columns=columns, keys=keys)


def _kept_values(row: Json, lost: set[str], gone: frozenset[str]) -> Json:
    return {
        name: value
        for name, value in row.items()
        if name not in lost and not (isinstance(value, dict) and value.get("table") in gone)
    }
