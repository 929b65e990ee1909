"""A table that is declared more than once, which comes from joining two schema files."""

from collections import Counter
from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts

RULE = Rule(
    "table-twice",
    Severity.WARNING,
    "confmig joins the declarations. CMT takes each as a table of its own, so rows and settings that stand in one of"
    " them only count there [inferred].",
    "seen in a package of Microsoft's",
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Count the declarations of each table."""
    for name, count in Counter(table.name for table in facts.schema.tables).items():
        if count > 1:
            yield RULE.finding(name, "", f"{name} is declared {count} times.", "Join the declarations into one.")
