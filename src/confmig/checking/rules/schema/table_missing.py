"""A schema without tables: nothing would be moved."""

from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts

RULE = Rule("table-missing", Severity.ERROR, "CMT has nothing to export or import.", "docs: manage-configuration-data")


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Look at the whole schema."""
    if not facts.schema.tables:
        yield RULE.finding("", "", "The schema has no tables.", "Add the tables whose rows are to be moved.")
