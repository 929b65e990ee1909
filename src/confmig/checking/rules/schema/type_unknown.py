"""A column whose type is no type at all, such as the ``unknown`` that CMT itself writes where it has no word."""

from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts
from confmig.model.values import ColumnType

RULE = Rule(
    "type-unknown",
    Severity.ERROR,
    "CMT looks types up in a fixed table and refuses the whole package when one is not in it.",
    "TALXIS docs, TXM016",
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Look at each column."""
    for table in facts.schema.merged_tables():
        for column in table.columns:
            if column.type is ColumnType.UNKNOWN:
                yield RULE.finding(
                    table.name,
                    column.name,
                    f"{table.name}.{column.name} has the type {column.type_text!r}, which nothing can be moved with.",
                    "Generate the schema again from the source, or take the column out.",
                )
