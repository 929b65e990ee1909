"""Two rows of a table that are equal in all columns which the schema marks with ``updateCompare``."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.ids import comparable, fingerprint, id_number
from confmig.checking.rules.rule import PackageFacts, RowRule, Rule, named, quoted
from confmig.model.schema import Table
from confmig.model.written import WrittenRow


class KeyShared(RowRule):
    """Keeps a fingerprint of each row's key."""

    rule = Rule(
        "key-shared",
        Severity.ERROR,
        "CMT finds the first row by the key of the second, and writes both into it. confmig refuses the plan, unless a"
        " part of the key is empty: such rows it matches by their ids.",
        "TALXIS docs, TXM025",
    )

    def __init__(self, facts: PackageFacts) -> None:
        super().__init__(facts)
        self._seen: dict[str, set[int]] = {}

    def row(self, row: WrittenRow, table: Table) -> Iterable[Finding]:
        """Whether the key was there before; rows with the same id are another matter."""
        key = table.compare_columns
        number = id_number(row.id)
        if not key or table.force_create or (number is not None and self.facts.ids.has(table.name, number)):
            return
        texts = {value.column: value.text for value in row.values}
        parts = [texts.get(name, "") for name in key]
        kinds = {column.name: column.type for column in table.columns}
        equal = [comparable(text, kinds[name]) for name, text in zip(key, parts, strict=True)]
        mark, seen = fingerprint(equal), self._seen.setdefault(table.name, set())
        if mark in seen:
            shown = ", ".join(f"{name} {quoted(part)}" for name, part in zip(key, parts, strict=True))
            message = f"{named(row)} has the key of a row before it: {shown}."
            yield self.of_row(row, message, "Give the rows different keys, or add a column to updateCompare.")
        seen.add(mark)
