"""A value of a yes/no column that is neither True nor False."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named
from confmig.model.schema import Column
from confmig.model.values import ColumnType
from confmig.model.written import WrittenRow, WrittenValue


class BoolMisread(RowRule):
    """Looks at yes/no columns."""

    rule = Rule(
        "bool-misread",
        Severity.ERROR,
        "CMT reads anything but true as false, 1 and yes among them; confmig refuses what it would have to guess.",
        "TALXIS docs, values of type bool",
    )

    def wants(self, column: Column) -> bool:
        """Yes/no columns."""
        return column.type is ColumnType.BOOL

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """Whether the text is one that both read alike."""
        if why := self.facts.refusal(column.type, value.text):
            message = f"{named(row)}: {column.name} {why}."
            yield self.of_row(row, message, "Write True or False.", value)
