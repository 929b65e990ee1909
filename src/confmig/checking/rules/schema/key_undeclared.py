"""A table whose id column is not declared, or not as a guid.

A warning only: confmig takes the id from the row itself, and many schemas that work leave the column out.
"""

from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts
from confmig.model.values import ColumnType

RULE = Rule(
    "key-undeclared",
    Severity.WARNING,
    "CMT takes the id of a new row from this column: without it rows get new ids, and what is written in its second"
    " pass (lookups within the table among it) is lost.",
    "TALXIS docs, TXM008 and TXM017",
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Look at the id column of each table that declares any."""
    for table in facts.schema.merged_tables():
        declared = [column for column in table.columns if column.name == table.primary_id]
        hint = f"Declare {table.primary_id} as a column of type guid with primaryKey."
        if table.columns and not declared:
            message = f"{table.name} does not declare its id column {table.primary_id}."
            yield RULE.finding(table.name, table.primary_id, message, hint)
        elif declared and declared[0].type is not ColumnType.GUID:
            message = f"{table.name} declares its id column {table.primary_id} as {declared[0].type_text!r}."
            yield RULE.finding(table.name, table.primary_id, message, hint)
