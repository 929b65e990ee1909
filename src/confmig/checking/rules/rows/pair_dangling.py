"""An association one of whose ends is a row of a table that the package is about, and is not there."""

from collections.abc import Iterable
from dataclasses import replace

from confmig.checking.dependencies import MAPPED
from confmig.checking.findings import Finding, Place, Severity
from confmig.checking.rules.ids import Awaited, AwaitedRows, id_number, id_text
from confmig.checking.rules.rule import PackageFacts, RowRule, Rule
from confmig.model.written import WrittenPairs


class PairDangling(RowRule):
    """Keeps the ends of associations until the last row has come."""

    rule = Rule(
        "pair-dangling",
        Severity.ERROR,
        "CMT resolves the ends as it does lookups: where the target has no such row either, the association fails after"
        " the rows are committed [inferred]. confmig refuses the plan.",
        "TALXIS tools-cli, plan 09",
    )

    def __init__(self, facts: PackageFacts) -> None:
        super().__init__(facts)
        self._awaited = AwaitedRows(facts.ids)

    def pairs(self, pairs: WrittenPairs) -> Iterable[Finding]:
        """Remember both ends."""
        ends = [(pairs.table, pairs.source), *((pairs.target_table, target) for target in pairs.targets)]
        for table, end in ends:
            number = id_number(end)
            if number is None or not table or table in MAPPED or table in self.facts.outside:
                continue
            if self.facts.is_about(table):
                what = Awaited(pairs.table, pairs.relationship, table)
                self._awaited.expect(what, number, pairs.source, Place(pairs.file, pairs.line))
            else:
                self.facts.elsewhere[table] += 1
        return ()

    def end(self) -> Iterable[Finding]:
        """What has not come until now never comes."""
        for what, number, source, place, count in self._awaited.missing():
            message = f"{what.column} joins {what.table} {source} with {what.target} {id_text(number)}, not there."
            if what.table == what.target and id_number(source) == number:
                message = f"{what.column} joins {what.table} {source}, which is not there, with other rows."
            hint = f"Add the row, or, if the target has those rows under the same ids, give --outside {what.target}."
            yield replace(self.rule.finding(what.table, what.column, message, hint, place), count=count)
