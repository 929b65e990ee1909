"""A value of a multi-select choice in a form that CMT does not read."""

import re
from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named, quoted
from confmig.model.schema import Column
from confmig.model.values import ColumnType
from confmig.model.written import WrittenRow, WrittenValue

_READ = re.compile(r"\s*(?:\[-1(?:,\s*-?[0-9]+)*,\s*-1\]|-?[0-9]+(?:\s*,\s*-?[0-9]+)*)\s*")


class ChoicesDropped(RowRule):
    """Looks at multi-select choices."""

    rule = Rule(
        "choices-dropped",
        Severity.ERROR,
        "CMT reads [-1,a,b,-1] and a,b only, and drops [a,b] and a;b. confmig reads [a,b] too.",
        "TALXIS docs, values of type optionsetvaluecollection",
    )

    def wants(self, column: Column) -> bool:
        """Multi-select choices."""
        return column.type is ColumnType.CHOICES

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """Whether the text has one of the two forms."""
        if not _READ.fullmatch(value.text) or self.facts.refusal(column.type, value.text):
            message = f"{named(row)}: {column.name} is {quoted(value.text)}, which CMT cannot read."
            yield self.of_row(row, message, "Write [-1,100000001,100000002,-1].", value)
