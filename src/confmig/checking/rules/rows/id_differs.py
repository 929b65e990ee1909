"""A row whose id is not the value of its id column."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.ids import id_number
from confmig.checking.rules.rule import RowRule, Rule, named, quoted
from confmig.model.schema import Column
from confmig.model.values import ColumnType, canonical_guid
from confmig.model.written import WrittenRow, WrittenValue


class IdDiffers(RowRule):
    """Compares each row's id with its id column."""

    rule = Rule(
        "id-differs",
        Severity.ERROR,
        "CMT creates the row under the id of its column, and looks for it under the other: lookups to it and what is"
        " written in the second pass are lost.",
        "TALXIS docs, TXM017",
    )

    def wants(self, column: Column) -> bool:
        """Columns that may be the id."""
        return column.type is ColumnType.GUID

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """Whether the id column says the same as the row."""
        table = self.facts.schema.table(row.table)
        if table is None or column.name != table.primary_id:
            return
        own, declared = id_number(row.id), id_number(value.text)
        is_guid = not row.id or canonical_guid(row.id) is not None  # else guid-wrong tells it
        if declared is not None and own != declared and is_guid:
            message = f"{named(row)} has {value.column} {quoted(value.text)}."
            yield self.of_row(row, message, "Write the same id in both places.", value)
