"""A value of a whole number, choice or state column that is no whole number of 32 bits."""

import re
from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named, quoted
from confmig.model.schema import Column
from confmig.model.values import ColumnType
from confmig.model.written import WrittenRow, WrittenValue

_TYPES = frozenset({ColumnType.NUMBER, ColumnType.CHOICE, ColumnType.STATE, ColumnType.STATUS})
_WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*")
_INT32 = 2**31
_LONGEST = 40
"""Beyond so many characters Python need not be asked for the number."""


class NumberDropped(RowRule):
    """Looks at columns of whole numbers."""

    rule = Rule(
        "number-dropped",
        Severity.ERROR,
        "CMT drops the value, 42.0 too, and what separators of thousands mean depends on the machine. confmig reads"
        " 42.0 as 42, and refuses what is no whole number.",
        "TALXIS docs, TXM022",
    )

    def wants(self, column: Column) -> bool:
        """Columns of whole numbers."""
        return column.type in _TYPES

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """Whether the text is a whole number that fits."""
        whole = _WHOLE.fullmatch(value.text)
        if whole and len(value.text) < _LONGEST and -_INT32 <= int(value.text) < _INT32:
            return
        what = "beyond 32 bits" if whole else "no whole number"
        message = f"{named(row)}: {column.name} is {quoted(value.text)}, which is {what}."
        yield self.of_row(row, message, "Write digits only.", value)
