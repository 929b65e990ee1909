"""An id that is no guid: of a row, of what a lookup points to, of the ends of an association."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named, quoted
from confmig.model.schema import Column, Table
from confmig.model.values import ColumnType, canonical_guid
from confmig.model.written import WrittenPairs, WrittenRow, WrittenValue

_TYPES = frozenset({ColumnType.GUID, ColumnType.LOOKUP, ColumnType.OWNER, ColumnType.FILE})


class GuidWrong(RowRule):
    """Looks at everything that is an id."""

    rule = Rule(
        "guid-wrong",
        Severity.ERROR,
        "confmig refuses it; CMT fails on the row [inferred].",
        "confmig's reader",
    )

    def wants(self, column: Column) -> bool:
        """Columns whose text is an id."""
        return column.type in _TYPES

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """Whether a value is a guid."""
        if canonical_guid(value.text) is None:
            message = f"{named(row)}: {column.name} is {quoted(value.text)}, which is no guid."
            yield self.of_row(row, message, "Write the guid in lower case, with dashes.", value)

    def row(self, row: WrittenRow, table: Table) -> Iterable[Finding]:
        """Whether a row's id is a guid."""
        if row.id and canonical_guid(row.id) is None:
            message = f"A row of {table.name} has the id {quoted(row.id)}, which is no guid."
            yield self.of_row(row, message, "Write the guid in lower case, with dashes.")

    def pairs(self, pairs: WrittenPairs) -> Iterable[Finding]:
        """Whether both ends of each association are guids."""
        for end in (pairs.source, *pairs.targets):
            if canonical_guid(end) is None:
                message = f"An association of {pairs.table} by {pairs.relationship} has an end {quoted(end)}: no guid."
                yield self.of_pairs(pairs, message, "Write the guid in lower case, with dashes.")
