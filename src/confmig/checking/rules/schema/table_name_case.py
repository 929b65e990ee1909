"""A table whose logical name is not in lower case, or that calls its id or name column so."""

from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts

RULE = Rule(
    "table-name-case",
    Severity.ERROR,
    "CMT compares names letter by letter: the environment has no such table or column, and the import stops before"
    " anything is written.",
    "TALXIS docs, TXM015",
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Look at the names that each table is declared with."""
    for table in facts.schema.merged_tables():
        for name in (table.name, table.primary_id, table.primary_name or ""):
            if name != name.lower():
                yield RULE.finding(
                    table.name,
                    "" if name == table.name else name,
                    f"{name!r} of table {table.name} is not in lower case, as all logical names are.",
                    f"Write {name.lower()!r}, in the rows of the package too.",
                )
