"""What goes with a table or a relationship: lookups, intersect tables, and their places in solutions."""

from collections.abc import Iterable

from confmig.emulator.catalog.model import Column, ManyToMany, Table
from confmig.emulator.errors import component_in_use
from confmig.emulator.metadata.components import Components
from confmig.emulator.metadata.metadata import entity_id, relationship_id
from confmig.emulator.metadata.metadatacolumns import attribute_id
from confmig.emulator.storage.schema import Schema
from confmig.emulator.storage.store import quoted, table_sql

_BELOW = frozenset({("activityparty", "activityid"), ("annotation", "objectid")})
"""Lookups of tables whose rows go with the rows they belong to: parties and notes."""


def remove_many_to_many(schema: Schema, components: Components, gone: Iterable[ManyToMany]) -> None:
    """Remove N:N relationships with their intersect tables."""
    removed = list(gone)
    for many in removed:
        components.remove(relationship_id(many))
        components.remove(entity_id(schema.catalog.tables[many.intersect]))
    kept = [many for many in schema.catalog.many_to_many if many not in removed]
    schema.change(schema.catalog.replace(many_to_many=kept))
    schema.drop_tables(many.intersect for many in removed)


def remove_lookups(schema: Schema, components: Components, target: Table) -> None:
    """Let no lookup of any other table point to a table; those that pointed nowhere else are removed.

    Raises:
        ServiceError: A key of another table needs such a lookup.
    """
    for name in list(schema.catalog.tables):
        for column in list(schema.catalog.tables[name].columns.values()):
            if target.name in column.targets and name != target.name:
                if (name, column.name) in _BELOW:
                    _remove_below(schema, name, column.name, target)
                remove_target(schema, components, schema.catalog.tables[name], column, target.name)
    declared = [one for one in schema.catalog.declared if target.name not in (one.table, one.target)]
    schema.change(schema.catalog.replace(declared=declared))


def _remove_below(schema: Schema, name: str, column: str, target: Table) -> None:
    """Remove the rows that belong to the rows of a table."""
    ids = f"SELECT {quoted(target.primary_id)} FROM {table_sql(target.name)}"  # noqa: S608 (quoted)
    schema.query(f"DELETE FROM {table_sql(name)} WHERE {quoted(column)} IN ({ids})")  # noqa: S608 (quoted)


def remove_target(schema: Schema, components: Components, table: Table, column: Column, target: str) -> None:
    """Let a lookup no longer point to a table; without any target it is removed.

    Raises:
        ServiceError: A key needs the lookup.
    """
    for one in schema.catalog.from_table.get(table.name, []):
        if (one.column, one.target) == (column.name, target):
            components.remove(relationship_id(one))
    gone = (table.name, column.name, target)
    declared = [one for one in schema.catalog.declared if (one.table, one.column, one.target) != gone]
    schema.change(schema.catalog.replace(declared=declared))
    targets = tuple(one for one in column.targets if one != target)
    if targets:
        schema.set_targets(table, column, targets)
        return
    keys = [key for key in table.keys if column.name in key.columns]
    if keys:
        raise component_in_use("Attribute", attribute_id(table, column), len(keys))
    components.remove(attribute_id(table, column))
    schema.drop_columns(table, [column])
