"""What a schema misses by itself: tables that its lookups and relationships need, and tables that never move."""

from collections.abc import Collection, Iterator

from confmig.checking.findings import Finding, Severity
from confmig.model.schema import Column, Relationship, Schema, Table
from confmig.model.values import ColumnType
from confmig.profiles.profile import Profiles

MAPPED = frozenset({"businessunit", "organization", "systemuser", "team", "transactioncurrency", "calendar", "role"})
"""Tables whose rows each environment has of its own: lookups find them by id or by name, and nobody moves them."""

_KEPT_BY_THE_SERVICE = frozenset(
    {"createdby", "createdonbehalfby", "createdbyexternalparty"}
    | {"modifiedby", "modifiedonbehalfby", "modifiedbyexternalparty"}
    | {"owninguser", "owningteam", "owningbusinessunit", "organizationid"}
    | {"masterid", "sendermailboxid", "slainvokedid"}
)
"""Lookups that nobody can write, whatever they point to."""


def dependency_findings(schema: Schema, profiles: Profiles, outside: Collection[str] = ()) -> Iterator[Finding]:
    """Lookups and relationships whose tables the schema does not hold, and what else makes a schema incomplete.

    Microsoft's tool calls this "Validate Schema".

    Args:
        schema: The schema.
        profiles: What is known of products.
        outside: Tables whose rows the target is known to have already, under the same ids.
    """
    reachable = _reachable(schema, outside)
    for table in schema.merged_tables():
        yield from _missing_targets(table, reachable, profiles)
        yield from _missing_sides(table, reachable, profiles)
        yield from _undeclared_columns(table)
        yield from _unknown_types(table)
    yield from never_moved(schema, profiles)
    yield from _incomplete_groups(_present(schema), outside, profiles)


def never_moved(schema: Schema, profiles: Profiles) -> Iterator[Finding]:
    """Tables whose rows are not moved as data, whatever a schema says; and a schema that moves nothing at all."""
    if not schema.tables:
        yield Finding(
            "table-missing", "", "", "The schema has no tables.", "Add the tables whose rows are to be moved."
        )
    for table in schema.merged_tables():
        if why := profiles.why_never(table.name):
            message = f"Rows of {table.name} are not moved as data: {why}."
            yield Finding("never-moved", table.name, "", message, "Take the table out of the schema.")


def missing_tables(schema: Schema, outside: Collection[str] = ()) -> list[str]:
    """The tables that ``dependency_findings`` misses, by name; of several that a lookup may point to the first."""
    reachable = _reachable(schema, outside)
    found: set[str] = set()
    for table in schema.merged_tables():
        found.update(column.targets[0] for column in _lookups_elsewhere(table, reachable))
        found.update(relationship.target or "" for relationship in _sides_elsewhere(table, reachable))
    return sorted(found)


def _present(schema: Schema) -> set[str]:
    """The tables of a schema; not those that only join two of them."""
    return {table.name for table in schema.merged_tables()}


def _reachable(schema: Schema, outside: Collection[str]) -> Collection[str]:
    return {*_present(schema), *MAPPED, *outside}


def _lookups_elsewhere(table: Table, reachable: Collection[str]) -> Iterator[Column]:
    for column in table.columns:
        lookups = column.type is ColumnType.LOOKUP and column.name not in _KEPT_BY_THE_SERVICE
        targets = column.targets
        # Where a lookup may point to several tables, or with * to any, nobody can tell which of them the rows use.
        if lookups and targets and "*" not in targets and not any(target in reachable for target in targets):
            yield column


def _sides_elsewhere(table: Table, reachable: Collection[str]) -> Iterator[Relationship]:
    for relationship in table.many_to_many:
        if relationship.target and relationship.target not in reachable:
            yield relationship


def _missing_targets(table: Table, reachable: Collection[str], profiles: Profiles) -> Iterator[Finding]:
    for column in _lookups_elsewhere(table, reachable):
        yield Finding(
            "dependency-missing",
            table.name,
            column.name,
            f"{table.name}.{column.name} points to {' or '.join(column.targets)}, which the schema does not hold.",
            _advice(column.targets[0], "column", profiles),
        )


def _missing_sides(table: Table, reachable: Collection[str], profiles: Profiles) -> Iterator[Finding]:
    for relationship in _sides_elsewhere(table, reachable):
        yield Finding(
            "dependency-missing",
            table.name,
            relationship.name,
            f"Relationship {relationship.name} of {table.name} leads to {relationship.target}, which the schema"
            " does not hold.",
            _advice(relationship.target or "", "relationship", profiles),
        )


def _advice(missing: str, what: str, profiles: Profiles) -> str:
    outside = f"if the target has those rows under the same ids, give --outside {missing}."
    if profiles.why_never(missing):
        return f"Take the {what} out, or, {outside}"
    return f"Add table {missing} to the schema, take the {what} out, or, {outside}"


def _undeclared_columns(table: Table) -> Iterator[Finding]:
    """Of the id a warning only: confmig takes it from the row itself, and many schemas that work leave it out."""
    if not table.columns:
        message = f"{table.name} declares no columns, so nothing of its rows would be moved."
        yield Finding("column-missing", table.name, "", message, "Declare its columns under <fields>.")
    elif all(column.name != table.primary_id for column in table.columns):
        yield Finding(
            "key-undeclared",
            table.name,
            table.primary_id,
            f"{table.name} does not declare its id column {table.primary_id}: the Configuration Migration Tool would"
            " give new ids to its rows.",
            f"Declare {table.primary_id} as a column of type guid with primaryKey.",
            Severity.WARNING,
        )


def _unknown_types(table: Table) -> Iterator[Finding]:
    for column in table.columns:
        if column.type is ColumnType.UNKNOWN:
            yield Finding(
                "type-unknown",
                table.name,
                column.name,
                f"{table.name}.{column.name} has the type {column.type_text!r}, which nothing can be moved with.",
                "Generate the schema again from the source, or take the column out.",
            )


def _incomplete_groups(present: Collection[str], outside: Collection[str], profiles: Profiles) -> Iterator[Finding]:
    for missing, here in profiles.companions(present):
        if missing not in outside:
            yield Finding(
                "dependency-missing",
                here,
                "",
                f"{here} is incomplete without {missing}: neither works without the other.",
                f"Add table {missing} to the schema, or, if the target has those rows under the same ids, give"
                f" --outside {missing}.",
            )
