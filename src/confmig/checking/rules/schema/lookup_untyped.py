"""A lookup column without ``lookupType``, the tables that it may point to. No real schema has one."""

from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts
from confmig.model.values import ColumnType

RULE = Rule(
    "lookup-untyped",
    Severity.WARNING,
    "CMT leaves a lookup empty whose table is not in this list; what it does without a list is not known.",
    "TALXIS docs, TXM021",
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Look at each lookup column."""
    for table in facts.schema.merged_tables():
        for column in table.columns:
            if column.type is ColumnType.LOOKUP and not column.targets:
                message = f"{table.name}.{column.name} does not say which tables it points to."
                yield RULE.finding(table.name, column.name, message, 'Add lookupType="table", or "table|table".')
