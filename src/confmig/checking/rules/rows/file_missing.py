"""A value of a file column whose payload is not in the package."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named
from confmig.model.schema import Column
from confmig.model.values import ColumnType, canonical_guid
from confmig.model.written import WrittenRow, WrittenValue


class FileMissing(RowRule):
    """Looks for the payload of each file."""

    rule = Rule(
        "file-missing",
        Severity.ERROR,
        "CMT fails on the row, and reports success.",
        "TALXIS docs, TXM023",
    )

    def wants(self, column: Column) -> bool:
        """File columns."""
        return column.type is ColumnType.FILE

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """Whether the payload is there."""
        guid = canonical_guid(value.text)
        if guid is not None and guid not in self.facts.file_ids:
            message = f"{named(row)}: {column.name} has the file {guid}, and there is no files/{guid}.bin."
            yield self.of_row(row, message, "Export the package again, with its files.", value)
