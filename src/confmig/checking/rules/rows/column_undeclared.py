"""A value of a column that the schema does not declare."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import PackageFacts, RowRule, Rule, named
from confmig.model.schema import Table
from confmig.model.written import WrittenRow


class ColumnUndeclared(RowRule):
    """Looks at each value's column."""

    rule = Rule(
        "column-undeclared",
        Severity.ERROR,
        "CMT skips the value with no more than a line in its log, and reports success.",
        "TALXIS docs, TXM012",
    )

    def __init__(self, facts: PackageFacts) -> None:
        super().__init__(facts)
        self._names = {table.name: {c.name for c in table.columns} for table in facts.schema.merged_tables()}

    def row(self, row: WrittenRow, table: Table) -> Iterable[Finding]:
        """Whether the schema knows each column that the row has a value of."""
        names = self._names[table.name]
        for value in row.values:
            if value.column not in names:
                message = f"{named(row)} has a value of {value.column}, which the schema does not declare."
                if value.column.lower() in names:
                    message += " The schema spells it in lower case."
                yield self.of_row(row, message, "Declare the column in the schema, or take its values out.", value)
