"""A row with a ``newId``, the id that an import has noted for it in some target."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named
from confmig.model.schema import Table
from confmig.model.written import WrittenRow


class NewId(RowRule):
    """Looks at each row's attributes."""

    rule = Rule(
        "new-id",
        Severity.WARNING,
        "CMT prefers it to the row's own id, and so writes to that row of the target. confmig goes by the id.",
        "TALXIS docs, CmtData.xsd; tools-cli PR #167",
    )

    def row(self, row: WrittenRow, table: Table) -> Iterable[Finding]:
        """Whether there is one."""
        if row.new_id:
            message = f"{named(row)} of {table.name} has newId={row.new_id!r}."
            yield self.of_row(row, message, "Take the attribute out; exports have none.")
