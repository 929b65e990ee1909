"""A value of a decimal, money or floating-point column that is no number in the invariant culture."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named, quoted
from confmig.model.schema import Column
from confmig.model.values import ColumnType
from confmig.model.written import WrittenRow, WrittenValue

_EXACT = frozenset({ColumnType.DECIMAL, ColumnType.MONEY})


class DecimalWrong(RowRule):
    """Looks at columns of numbers with places."""

    rule = Rule(
        "decimal-wrong",
        Severity.ERROR,
        "CMT reads numbers in the invariant culture: a decimal comma or a currency sign costs the value, or changes it."
        " confmig refuses them.",
        "TALXIS docs, TXM022",
    )

    def wants(self, column: Column) -> bool:
        """Columns of numbers with places."""
        return column.type in _EXACT or column.type is ColumnType.FLOAT

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """Whether the text is a number; with an exponent it is one of floating point only [inferred]."""
        text = value.text
        if self.facts.refusal(column.type, text) or (column.type in _EXACT and "e" in text.lower()):
            message = f"{named(row)}: {column.name} is {quoted(text)}, which is no {column.type_text or 'number'}."
            yield self.of_row(row, message, "Write digits with a point, such as 1234.50.", value)
