"""A table that declares no columns: nothing of its rows would be moved."""

from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts

RULE = Rule(
    "column-missing", Severity.ERROR, "CMT exports and imports the declared columns only.", "dcm-data, a real export"
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Look at each table."""
    for table in facts.schema.merged_tables():
        if not table.columns:
            message = f"{table.name} declares no columns, so nothing of its rows would be moved."
            yield RULE.finding(table.name, "", message, "Declare its columns under <fields>.")
