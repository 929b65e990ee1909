"""A table whose rows are records of what happened, consent or the like: not configuration, whatever a schema says."""

from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts

RULE = Rule(
    "never-moved",
    Severity.ERROR,
    "CMT would copy the rows; what they belong to in the target is another thing.",
    "confmig's profiles of products",
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Look at each table."""
    for table in facts.schema.merged_tables():
        if why := facts.profiles.why_never(table.name):
            message = f"Rows of {table.name} are not moved as data: {why}."
            yield RULE.finding(table.name, "", message, "Take the table out of the schema.")
