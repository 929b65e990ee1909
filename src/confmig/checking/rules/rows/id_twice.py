"""Two rows of one table with the same id."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.ids import id_number
from confmig.checking.rules.rule import RowRule, Rule, named
from confmig.model.schema import Table
from confmig.model.written import WrittenRow


class IdTwice(RowRule):
    """Compares the id of each row with those before it."""

    rule = Rule(
        "id-twice",
        Severity.ERROR,
        "CMT imports each copy, and leaves lookups to that id empty.",
        "TALXIS docs, TXM017",
    )

    def row(self, row: WrittenRow, table: Table) -> Iterable[Finding]:
        """Whether the id was there before."""
        number = id_number(row.id)
        if number is not None and self.facts.ids.has(table.name, number):
            message = f"{named(row)} of {table.name} comes a second time."
            yield self.of_row(row, message, "Take out all but one of them, or give each an id of its own.")
