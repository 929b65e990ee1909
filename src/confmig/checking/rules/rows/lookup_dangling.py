"""A lookup to a row of a table that the package is about, which the package does not hold.

Lookups to other tables are meant for rows that the target has; they are only counted.
"""

from collections.abc import Iterable
from dataclasses import replace

from confmig.checking.dependencies import MAPPED, may_be_written
from confmig.checking.findings import Finding, Place, Severity
from confmig.checking.rules.ids import Awaited, AwaitedRows, id_number, id_text
from confmig.checking.rules.rule import PackageFacts, RowRule, Rule
from confmig.model.schema import Column
from confmig.model.values import ZERO_ID, ColumnType, canonical_guid
from confmig.model.written import WrittenRow, WrittenTable, WrittenValue


class LookupDangling(RowRule):
    """Keeps the ids that lookups point to until the last row has come."""

    rule = Rule(
        "lookup-dangling",
        Severity.ERROR,
        "CMT looks the row up in the target, by id and then by name; where it is not found the lookup stays empty, and"
        " a row that needs it fails. confmig refuses the plan unless the target has the row.",
        "TALXIS tools-cli, plan 09; GitHub: MicrosoftDocs/powerapps-docs#2251",
    )

    def __init__(self, facts: PackageFacts) -> None:
        super().__init__(facts)
        self._awaited = AwaitedRows(facts.ids)

    def wants(self, column: Column) -> bool:
        """Lookups, owners and party lists."""
        return column.type in {ColumnType.LOOKUP, ColumnType.OWNER, ColumnType.PARTIES} and may_be_written(column)

    def table(self, start: WrittenTable) -> Iterable[Finding]:
        """What has come need not be waited for."""
        del start
        self._awaited.settle()
        return ()

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """Remember where it points to."""
        self._look(row, value, column)
        for party in value.parties:
            for item in party:
                if item.column == "partyid":
                    self._look(row, item, column)
        return ()

    def _look(self, row: WrittenRow, value: WrittenValue, column: Column) -> None:
        target = value.target or (column.targets[0] if len(column.targets) == 1 else "")
        number = 0 if canonical_guid(value.text) == ZERO_ID else id_number(value.text)  # no row has the zero guid
        if number is None or not target or target in MAPPED or target in self.facts.outside:
            return
        if self.facts.is_about(target):
            self._awaited.expect(Awaited(row.table, column.name, target), number, row.id, Place(row.file, value.line))
        else:
            self.facts.elsewhere[target] += 1

    def end(self) -> Iterable[Finding]:
        """What has not come until now never comes."""
        for what, number, row_id, place, count in self._awaited.missing():
            message = f"Row {row_id}: {what.column} points to {what.target} {id_text(number)}, which is not there."
            hint = f"Add the row, or, if the target has those rows under the same ids, give --outside {what.target}."
            yield replace(self.rule.finding(what.table, what.column, message, hint, place), count=count)
