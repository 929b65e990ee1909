"""What the target lacks: found before anything is planned, as findings."""

from collections.abc import Iterator, Mapping

from confmig.checking.findings import Finding
from confmig.model.environment import ColumnInfo, TableInfo
from confmig.model.schema import Column, Schema, Table
from confmig.model.values import ColumnType

_INTEGERS = {ColumnType.NUMBER, ColumnType.CHOICE, ColumnType.STATE, ColumnType.STATUS, ColumnType.BIGINT}
_LOOKUPS = {ColumnType.LOOKUP, ColumnType.OWNER}
_ALIKE = (
    _INTEGERS,
    _LOOKUPS,
    {ColumnType.DECIMAL, ColumnType.MONEY, ColumnType.FLOAT, ColumnType.NUMBER},
    {ColumnType.STRING, ColumnType.GUID},
)


_COMPARE = "Generate the schema again from the source, and compare the solutions of both sides."


def missing_in(schema: Schema, tables: Mapping[str, TableInfo], url: str) -> Iterator[Finding]:
    """What a schema declares and an environment does not have, or has as something else.

    Every declared column counts, as in CMT, even one without data: a schema that does not fit says that the two
    environments are not at the same version.
    """
    lacking = [table.name for table in schema.merged_tables() if table.name not in tables]
    for name in lacking:  # first, since relationships to them are missing with them
        hint = "Import the solution that holds it, or take the table out of the schema."
        yield Finding("table-missing", name, "", f"{url} has no table {name}.", hint)
    for table in schema.merged_tables():
        info = tables.get(table.name)
        if info is None:
            continue
        for column in table.columns:
            known = info.columns.get(column.name)
            if known is None:
                yield Finding(
                    "column-missing",
                    table.name,
                    column.name,
                    f"{url} has no column {column.name} in table {table.name}.",
                    "Bring both environments to the same solution version, or take the column out of the schema.",
                )
            elif not _fits(column.type, known.type):
                message = f"{table.name}.{column.name} is {column.type} in the schema but {known.type} in {url}."
                yield Finding("column-type", table.name, column.name, message, _COMPARE)
            elif _points_elsewhere(column, known):
                there = " or ".join(known.targets)
                message = f"{table.name}.{column.name} points to {' or '.join(column.targets)} in the schema"
                yield Finding("column-type", table.name, column.name, f"{message} but to {there} in {url}.", _COMPARE)
        if table.primary_id != info.primary_id:
            message = (
                f"The id column of {table.name} is {table.primary_id} in the schema but {info.primary_id} in {url}."
            )
            yield Finding("column-type", table.name, "", message, _COMPARE)
        yield from _relationships_missing(table, info, url)


def _points_elsewhere(column: Column, known: ColumnInfo) -> bool:
    """Whether a lookup can point to no table that the schema says; where it can to some, the rows decide."""
    if ColumnType.LOOKUP not in {column.type, known.type} or not column.targets or not known.targets:
        return False
    return "*" not in {*column.targets, *known.targets} and not {*column.targets} & {*known.targets}


def _relationships_missing(table: Table, info: TableInfo, url: str) -> Iterator[Finding]:
    hint = "Import the solution that holds it, or take the relationship out of the schema."
    for relationship in table.many_to_many:
        known = info.relationships.get(relationship.name)
        message = ""
        if known is None:
            message = f"{url} has no many-to-many relationship {relationship.name} on table {table.name}."
        elif relationship.target not in {None, "", *known.others(table.name)}:
            there = " and ".join(known.others(table.name))
            message = f"{relationship.name} leads from {table.name} to {there} in {url}, not to {relationship.target}."
        if message:
            yield Finding("relationship-missing", table.name, relationship.name, message, hint)


def differing_between(
    schema: Schema,
    source: Mapping[str, TableInfo],
    target: Mapping[str, TableInfo],
    source_url: str,
    target_url: str,
) -> Iterator[Finding]:
    """Declared columns that the two environments hold as different things, by what each says itself.

    A schema's words are few: what is a number to it may be a whole one, a decimal one or a choice; and it does not tell
    a day from a moment in time.
    """
    for table in schema.merged_tables():
        here, there = source.get(table.name), target.get(table.name)
        if here is None or there is None:
            continue
        for column in table.columns:
            one, other = here.columns.get(column.name), there.columns.get(column.name)
            if one is None or other is None or not _fits(column.type, other.type) or _points_elsewhere(column, other):
                continue
            if _kind(one) != _kind(other):
                message = (
                    f"{table.name}.{column.name} is {_kind(one)} in {source_url} but {_kind(other)} in {target_url}."
                )
                yield Finding("column-type", table.name, column.name, message, _COMPARE)


def _kind(column: ColumnInfo) -> str:
    """What a column holds, in words."""
    if column.type is ColumnType.DATETIME:
        moment = "a moment" if column.zoned else "a time without a zone"
        return f"{column.type} ({'a day' if column.date_only else moment})"
    return "lookup or owner" if column.type in _LOOKUPS else str(column.type)


def _fits(declared: ColumnType, actual: ColumnType) -> bool:
    if declared is actual or ColumnType.UNKNOWN in {declared, actual}:
        return True
    return any(declared in group and actual in group for group in _ALIKE)
