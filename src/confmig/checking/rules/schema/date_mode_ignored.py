"""A date mode on a column that holds no date."""

from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts
from confmig.model.values import ColumnType

RULE = Rule(
    "date-mode-ignored",
    Severity.WARNING,
    "CMT moves values of datetime columns only, and ignores the mode elsewhere.",
    "docs: configure-date-settings-for-demo-data",
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Look at each column that has a mode."""
    for table in facts.schema.merged_tables():
        for column in table.columns:
            if column.date_mode and column.type is not ColumnType.DATETIME:
                what = (
                    f"{table.name}.{column.name} is a {column.type_text} and has dateMode={column.date_mode.value!r}."
                )
                yield RULE.finding(table.name, column.name, what, "Take dateMode off the column.")
