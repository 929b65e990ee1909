"""What the target lacks: found before anything is planned, as findings."""

from collections.abc import Iterator, Mapping

from confmig.checking.findings import Finding
from confmig.model.environment import TableInfo
from confmig.model.schema import Schema
from confmig.model.values import ColumnType

_INTEGERS = {ColumnType.NUMBER, ColumnType.CHOICE, ColumnType.STATE, ColumnType.STATUS, ColumnType.BIGINT}
_LOOKUPS = {ColumnType.LOOKUP, ColumnType.OWNER}
_ALIKE = (
    _INTEGERS,
    _LOOKUPS,
    {ColumnType.DECIMAL, ColumnType.MONEY, ColumnType.FLOAT, ColumnType.NUMBER},
    {ColumnType.STRING, ColumnType.GUID},
)


def missing_in(schema: Schema, tables: Mapping[str, TableInfo], url: str) -> Iterator[Finding]:
    """What a schema declares and an environment does not have, or has as something else.

    Every declared column counts, as in CMT, even one without data: a schema that does not fit says that the two
    environments are not at the same version.
    """
    for table in schema.merged_tables():
        info = tables.get(table.name)
        if info is None:
            yield Finding(
                "table-missing",
                table.name,
                "",
                f"{url} has no table {table.name}.",
                "Import the solution that holds it, or take the table out of the schema.",
            )
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
                yield Finding(
                    "column-type",
                    table.name,
                    column.name,
                    f"{table.name}.{column.name} is {column.type} in the schema but {known.type} in {url}.",
                    "Generate the schema again from the source, and compare the solutions of both sides.",
                )
        for relationship in table.many_to_many:
            if relationship.name not in info.relationships:
                yield Finding(
                    "relationship-missing",
                    table.name,
                    relationship.name,
                    f"{url} has no many-to-many relationship {relationship.name} on table {table.name}.",
                    "Import the solution that holds it, or take the relationship out of the schema.",
                )


def _fits(declared: ColumnType, actual: ColumnType) -> bool:
    if declared is actual or ColumnType.UNKNOWN in {declared, actual}:
        return True
    return any(declared in group and actual in group for group in _ALIKE)
