"""A value of a 64-bit column."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named, quoted
from confmig.model.schema import Column
from confmig.model.values import ColumnType
from confmig.model.written import WrittenRow, WrittenValue


class BigintDropped(RowRule):
    """Looks at 64-bit columns."""

    rule = Rule(
        "bigint-dropped",
        Severity.ERROR,
        "CMT takes the type and drops the values, at export and at import. confmig moves them.",
        "TALXIS docs; dcm-data, a real export",
    )

    def wants(self, column: Column) -> bool:
        """64-bit columns."""
        return column.type is ColumnType.BIGINT

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """Any value is dropped."""
        wrong = " It is no whole number either." if self.facts.refusal(column.type, value.text) else ""
        message = f"{named(row)} has a value of {column.name}, {quoted(value.text)}.{wrong}"
        yield self.of_row(row, message, "Move it by confmig only, or keep it in a column of another type.", value)
