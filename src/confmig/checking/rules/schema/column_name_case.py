"""A column whose logical name, or the table that it points to, is not in lower case.

A warning only: Microsoft's own schemas have one such column (``msdyn_screenpoptimeout_optionSet``).
"""

from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts

RULE = Rule(
    "column-name-case",
    Severity.WARNING,
    "CMT compares names letter by letter: unless the environment spells it just so, the import stops before anything is"
    " written.",
    "TALXIS docs, TXM015",
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Look at each column and at what it points to."""
    for table in facts.schema.merged_tables():
        for column in table.columns:
            for name in (column.name, *column.targets):
                if name != name.lower():
                    yield RULE.finding(
                        table.name,
                        column.name,
                        f"{name!r} of {table.name}.{column.name} is not in lower case.",
                        f"Write {name.lower()!r}, in the rows of the package too.",
                    )
