"""Two rows with the same primary name in a table that has no ``updateCompare``: CMT's most reported defect."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.ids import fingerprint, id_number
from confmig.checking.rules.rule import PackageFacts, RowRule, Rule, named, quoted
from confmig.model.schema import Table
from confmig.model.written import WrittenRow


class NameShared(RowRule):
    """Keeps a fingerprint of each row's name."""

    rule = Rule(
        "name-shared",
        Severity.ERROR,
        "CMT does not find the second row by its id, but the first by its name: it overwrites the first, and the second"
        " never arrives. confmig never matches by name.",
        "docs: manage-configuration-data; GitHub: microsoft/powerplatform-build-tools#957 and #1200",
    )

    def __init__(self, facts: PackageFacts) -> None:
        super().__init__(facts)
        self._seen: dict[str, set[int]] = {}
        self._keyed = {table.name for table in facts.schema.merged_tables() if table.compare_columns}

    def row(self, row: WrittenRow, table: Table) -> Iterable[Finding]:
        """Whether the name was there before; rows with the same id are another matter."""
        if table.name in self._keyed or table.force_create or not table.primary_name:
            return
        name = next((value.text for value in row.values if value.column == table.primary_name), "")
        number = id_number(row.id)
        if not name or (number is not None and self.facts.ids.has(table.name, number)):
            return
        mark, seen = fingerprint([name]), self._seen.setdefault(table.name, set())
        if mark in seen:
            message = f"{named(row)} has the {table.primary_name} of a row before it, {quoted(name)}."
            yield self.of_row(row, message, f'Mark {table.primary_id}, or a real key, with updateCompare="true".')
        seen.add(mark)
