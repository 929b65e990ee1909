"""A row that has no value of its id column, though the schema declares it."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Place, Severity
from confmig.checking.rules.rule import RowRule, Rule, named
from confmig.model.schema import Table
from confmig.model.written import WrittenRow


class KeyAbsent(RowRule):
    """Looks for the id column in each row."""

    rule = Rule(
        "key-absent",
        Severity.WARNING,
        "confmig takes the id from the row. CMT takes it from the column: the row gets a new id, and each import makes"
        " another copy where nothing else matches it.",
        "TALXIS docs, TXM017",
    )

    def row(self, row: WrittenRow, table: Table) -> Iterable[Finding]:
        """Whether the id column is there."""
        key = table.primary_id
        if any(value.column == key and value.text for value in row.values):
            return
        if any(column.name == key for column in table.columns):
            message = f"{named(row)} has no value of its id column {key}."
            hint = f'Add <field name="{key}" value="…" /> with the id of the row.'
            yield self.rule.finding(row.table, key, message, hint, Place(row.file, row.line))
