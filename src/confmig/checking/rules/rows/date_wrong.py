"""A value of a date column that is no date."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named
from confmig.model.schema import Column
from confmig.model.values import ColumnType
from confmig.model.written import WrittenRow, WrittenValue


class DateWrong(RowRule):
    """Looks at date columns."""

    rule = Rule(
        "date-wrong",
        Severity.ERROR,
        "CMT reads the invariant round-trip form (and, of old packages, that of the United States); confmig refuses"
        " anything else.",
        "TALXIS docs, values of type datetime",
    )

    def wants(self, column: Column) -> bool:
        """Date columns."""
        return column.type is ColumnType.DATETIME

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """Whether the text is a date."""
        if why := self.facts.refusal(column.type, value.text):
            message = f"{named(row)}: {column.name} {why}."
            yield self.of_row(row, message, "Write it as 2026-05-01T08:00:00.0000000Z.", value)
