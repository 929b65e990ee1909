"""A row without an id: empty, or the zero guid."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.ids import id_number
from confmig.checking.rules.rule import RowRule, Rule
from confmig.model.schema import Table
from confmig.model.values import ZERO_ID, canonical_guid
from confmig.model.written import WrittenRow


class IdMissing(RowRule):
    """Looks at the id of each row."""

    rule = Rule(
        "id-missing",
        Severity.WARNING,
        "confmig makes an id of the row's place in the package. In CMT no lookup can find the row [inferred].",
        "seen in packages of tools",
    )

    def row(self, row: WrittenRow, table: Table) -> Iterable[Finding]:
        """Whether the row, or its id column, says which row it is."""
        if row.id and canonical_guid(row.id) != ZERO_ID:
            return
        if not any(value.column == table.primary_id and id_number(value.text) for value in row.values):
            yield self.of_row(row, f"A row of {table.name} has no id.", "Give each row an id.")
