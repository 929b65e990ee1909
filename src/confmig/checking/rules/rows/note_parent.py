"""A note or attachment of a row whose table the package does not hold."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named
from confmig.model.schema import Column
from confmig.model.written import WrittenRow, WrittenValue

_PARENTS = {("annotation", "objectid"), ("activitymimeattachment", "objectid")}


class NoteParent(RowRule):
    """Looks at what notes and attachments belong to."""

    rule = Rule(
        "note-parent",
        Severity.WARNING,
        "A note cannot be without its parent: where the target does not have it, CMT fails on the note.",
        "GitHub: MicrosoftDocs/powerapps-docs#2251",
    )

    def wants(self, column: Column) -> bool:
        """The lookup to the parent."""
        return column.name == "objectid"

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """Whether the parent's table is in the package."""
        target = value.target or ""
        known = not target or self.facts.is_about(target) or target in self.facts.outside
        if (row.table, column.name) in _PARENTS and not known:
            message = f"{named(row)} belongs to {target} {value.text}, and the package has no rows of {target}."
            hint = f"Add table {target}, or, if the target has those rows, give --outside {target}."
            yield self.of_row(row, message, hint, value)
