"""A table that CMT never imports, though it lets one declare it."""

from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts

_WHY = {
    "role": "security roles travel in solutions",
    "calendar": "calendars are not supported",
}

RULE = Rule(
    "table-not-imported",
    Severity.ERROR,
    "CMT skips the rows of this table without a word.",
    "TALXIS tools-cli, docs/configuration-migration.md, limits",
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Look at each table."""
    for table in facts.schema.merged_tables():
        if why := _WHY.get(table.name):
            message = f"Rows of {table.name} never arrive by CMT: {why}."
            yield RULE.finding(table.name, "", message, "Take the table out of the schema.")
