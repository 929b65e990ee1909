"""Which tables the lookups and relationships of a schema need beside its own."""

from collections.abc import Collection, Iterator

from confmig.model.schema import Column, Relationship, Schema, Table
from confmig.model.values import ColumnType

MAPPED = frozenset({"businessunit", "organization", "systemuser", "team", "transactioncurrency", "calendar", "role"})
"""Tables whose rows each environment has of its own: lookups find them by id or by name, and nobody moves them."""

_KEPT_BY_THE_SERVICE = frozenset(
    {"createdby", "createdonbehalfby", "createdbyexternalparty"}
    | {"modifiedby", "modifiedonbehalfby", "modifiedbyexternalparty"}
    | {"owninguser", "owningteam", "owningbusinessunit", "organizationid"}
    | {"masterid", "sendermailboxid", "slainvokedid"}
)
"""Lookups that nobody can write, whatever they point to."""


def may_be_written(column: Column) -> bool:
    """Whether a lookup is more than the service's own note of who or what; those every import leaves as they are."""
    return column.name not in _KEPT_BY_THE_SERVICE


def missing_tables(schema: Schema, outside: Collection[str] = ()) -> list[str]:
    """The tables that a schema needs and does not hold, by name; of several that a lookup may point to the first.

    Args:
        schema: The schema.
        outside: Tables whose rows the target is known to have already, under the same ids.
    """
    reachable = reachable_tables(schema, outside)
    found: set[str] = set()
    for table in schema.merged_tables():
        found.update(column.targets[0] for column in lookups_elsewhere(table, reachable))
        found.update(relationship.target or "" for relationship in sides_elsewhere(table, reachable))
    return sorted(found)


def reachable_tables(schema: Schema, outside: Collection[str]) -> Collection[str]:
    """The tables of a schema, not those that only join two of them, and those that every environment has."""
    return {*(table.name for table in schema.merged_tables()), *MAPPED, *outside}


def lookups_elsewhere(table: Table, reachable: Collection[str]) -> Iterator[Column]:
    """The lookups of a table that lead to none of these tables."""
    for column in table.columns:
        lookups = column.type is ColumnType.LOOKUP and may_be_written(column)
        targets = column.targets
        # Where a lookup may point to several tables, or with * to any, nobody can tell which of them the rows use.
        if lookups and targets and "*" not in targets and not any(target in reachable for target in targets):
            yield column


def sides_elsewhere(table: Table, reachable: Collection[str]) -> Iterator[Relationship]:
    """The relationships of a table that lead to none of these tables."""
    for relationship in table.many_to_many:
        if relationship.target and relationship.target not in reachable:
            yield relationship
