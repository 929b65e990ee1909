"""Rows of users: each environment has its own."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named
from confmig.model.schema import Table
from confmig.model.written import WrittenRow


class UsersNeedMap(RowRule):
    """Looks at each row."""

    rule = Rule(
        "users-need-map",
        Severity.WARNING,
        "Recent builds of CMT abort an import that brings users and no user map, and pac cannot be given one.",
        "GitHub: microsoft/Industry-Accelerator-Nonprofit#35, microsoft/powerplatform-vscode#705",
    )

    def row(self, row: WrittenRow, table: Table) -> Iterable[Finding]:
        """Whether it is a user."""
        if table.name == "systemuser":
            yield self.of_row(row, f"{named(row)} is a user.", "Take them out, or map them.")
