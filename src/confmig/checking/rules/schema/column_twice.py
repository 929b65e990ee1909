"""A column that is declared more than once in a table."""

from collections import Counter
from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts

RULE = Rule(
    "column-twice",
    Severity.WARNING,
    "confmig goes by the first declaration; which of them CMT goes by is not known.",
    "not documented",
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Count the declarations of each column."""
    for table in facts.schema.tables:
        for name, count in Counter(column.name for column in table.columns).items():
            if count > 1:
                words = sorted({column.type_text for column in table.columns if column.name == name})
                what = f"{table.name}.{name} is declared {count} times, as {' and as '.join(words)}."
                yield RULE.finding(table.name, name, what, "Leave one declaration there.")
