"""A text with a percent sign in a column that ``updateCompare`` marks."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named, quoted
from confmig.model.schema import Column
from confmig.model.values import ColumnType
from confmig.model.written import WrittenRow, WrittenValue


class KeyWildcard(RowRule):
    """Looks at texts that are parts of a key."""

    rule = Rule(
        "key-wildcard",
        Severity.WARNING,
        "CMT asks for the row with LIKE, where % stands for anything: it may find and overwrite another row [inferred]."
        " confmig compares texts exactly.",
        "TALXIS tools-cli, BuildQueryExpression [code]",
    )

    def wants(self, column: Column) -> bool:
        """Texts that are parts of a key."""
        return column.compare and column.type is ColumnType.STRING

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """Whether the text has a wildcard."""
        if "%" in value.text:
            message = f"{named(row)}: {column.name}, a part of the key, is {quoted(value.text)}."
            yield self.of_row(row, message, "Match by another column.", value)
