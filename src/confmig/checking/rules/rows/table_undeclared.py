"""Rows of a table that the schema does not declare."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Place, Severity
from confmig.checking.rules.rule import RowRule, Rule
from confmig.model.written import WrittenTable


class TableUndeclared(RowRule):
    """Looks at each table that begins."""

    rule = Rule(
        "table-undeclared",
        Severity.ERROR,
        "CMT skips the rows with no more than a line in its log, and reports success.",
        "TALXIS docs, TXM012",
    )

    def table(self, start: WrittenTable) -> Iterable[Finding]:
        """Whether the schema knows the table."""
        if self.facts.schema.table(start.table) is None:
            message = f"The package has rows of {start.table}, which its schema does not declare."
            if self.facts.schema.table(start.table.lower()):
                message += " The schema spells it in lower case."
            hint = "Declare the table in the schema, or take its rows out."
            yield self.rule.finding(start.table, "", message, hint, Place(start.file, start.line))
