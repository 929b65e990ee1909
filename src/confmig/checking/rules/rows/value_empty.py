"""A value that is there and empty."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named
from confmig.model.schema import Table
from confmig.model.values import PARTY_ROLES, ColumnType
from confmig.model.written import WrittenRow


class ValueEmpty(RowRule):
    """Looks at each value but party lists, which are written so."""

    rule = Rule(
        "value-empty",
        Severity.WARNING,
        "What CMT makes of it is not known; it never clears a value. confmig leaves the column alone.",
        "TALXIS docs, values",
    )

    def row(self, row: WrittenRow, table: Table) -> Iterable[Finding]:
        """Whether a value has no text."""
        for value in row.values:
            if not value.text and not value.parties and value.column not in PARTY_ROLES:
                column = next((column for column in table.columns if column.name == value.column), None)
                if column and column.type is not ColumnType.PARTIES:
                    message = f"{named(row)} has an empty value of {value.column}."
                    yield self.of_row(row, message, "Take the <field> out; an absent value says the same.", value)
