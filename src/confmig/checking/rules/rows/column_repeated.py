"""Two values of one column in one row."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named, quoted
from confmig.model.schema import Table
from confmig.model.written import WrittenRow


class ColumnRepeated(RowRule):
    """Counts the values of each column of a row."""

    rule = Rule(
        "column-repeated",
        Severity.ERROR,
        "One of the values is lost: confmig takes the last; which one CMT takes is not known.",
        "not documented",
    )

    def row(self, row: WrittenRow, table: Table) -> Iterable[Finding]:
        """Whether a column comes a second time."""
        del table
        if len({value.column for value in row.values}) == len(row.values):
            return
        seen: set[str] = set()
        for value in row.values:
            if value.column in seen:
                message = f"{named(row)} has a second value of {value.column}, {quoted(value.text)}."
                yield self.of_row(row, message, "Leave the value that is meant.", value)
            seen.add(value.column)
