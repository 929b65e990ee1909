"""The rows of a package looked at, by the rules about rows, in one pass over its texts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.ids import id_number
from confmig.checking.rules.registry import ROW_RULES
from confmig.checking.rules.rule import PackageFacts, RowRule, Rule
from confmig.model.schema import Column, Table
from confmig.model.values import ColumnType
from confmig.model.written import WrittenEvent, WrittenPairs, WrittenRow, WrittenStart, WrittenTable, WrittenValue

_PLACES = 5
"""Places of equal findings that are told; all are counted."""
_MOST = 10_000
"""Findings of different kinds beyond which no more are kept: such a package is broken all over."""

_CUT = Rule("findings-cut", Severity.WARNING, "", "")

_ValueHook = Callable[[WrittenRow, WrittenValue, Column], Iterable[Finding]]


def row_findings(
    events: Iterable[WrittenEvent], facts: PackageFacts, rules: Sequence[type[RowRule]] = ROW_RULES
) -> list[Finding]:
    """All that is wrong with the rows of a package, and all that CMT would make of it.

    Equal findings about one table and column are one, with their number and the first places.

    Raises:
        PackageError: The events come from a package that cannot be read.
    """
    asked = _Asked(facts, [rule(facts) for rule in rules])
    gathered = _Gathered()
    for event in events:
        for finding in asked.about(event):
            gathered.add(finding)
    for finding in asked.at_the_end():
        gathered.add(finding)
    return gathered.findings()


class _Gathered:
    """Findings, of which equal ones are one."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, ...], Finding] = {}
        self._left_out = 0

    def add(self, finding: Finding) -> None:
        """Add a finding, or count it to an equal one."""
        key = (finding.rule, finding.table, finding.column, finding.consequence)
        known = self._found.get(key)
        if known is not None:
            places = known.places if len(known.places) >= _PLACES else known.places + finding.places
            self._found[key] = replace(known, count=known.count + finding.count, places=places)
        elif len(self._found) < _MOST:
            self._found[key] = finding
        else:
            self._left_out += 1

    def findings(self) -> list[Finding]:
        """All of them, and a word about those that were too many."""
        found = list(self._found.values())
        if self._left_out:
            found.append(_CUT.finding("", "", f"There are {self._left_out:,} findings more.", "Mend these first."))
        return found


class _Asked:
    """The rules, each asked only about what it has an answer for."""

    def __init__(self, facts: PackageFacts, rules: Sequence[RowRule]) -> None:
        self._facts = facts
        self._rules = rules
        self._starts = [rule.start for rule in rules]
        self._tables = [rule.table for rule in rules]
        self._rows = [rule.row for rule in rules if type(rule).row is not RowRule.row]
        self._pairs = [rule.pairs for rule in rules if type(rule).pairs is not RowRule.pairs]
        self._ends = [rule.end for rule in rules]
        self._table: Table | None = None
        self._columns: dict[str, tuple[Column, list[_ValueHook]]] = {}

    def about(self, event: WrittenEvent) -> Iterator[Finding]:
        """What the rules find about one piece of the package."""
        match event:
            case WrittenRow():
                yield from self._about_row(event)
            case WrittenPairs():
                for pairs in self._pairs:
                    yield from pairs(event)
            case WrittenTable():
                self._begin(event.table)
                for table in self._tables:
                    yield from table(event)
            case WrittenStart():
                for start in self._starts:
                    yield from start(event)

    def at_the_end(self) -> Iterator[Finding]:
        """What the rules find when all has been read."""
        for end in self._ends:
            yield from end()

    def _begin(self, name: str) -> None:
        self._table = self._facts.schema.table(name)
        columns = self._table.columns if self._table else ()
        self._columns = {column.name: (column, self._hooks(column)) for column in reversed(columns)}

    def _hooks(self, column: Column) -> list[_ValueHook]:
        return [rule.value for rule in self._rules if rule.wants(column)]

    def _about_row(self, row: WrittenRow) -> Iterator[Finding]:
        table = self._table
        if table is not None:
            for ask in self._rows:
                yield from ask(row, table)
            for value in row.values:
                known = self._columns.get(value.column)
                if known is not None and (value.text or value.parties):
                    column, hooks = known
                    for hook in hooks:
                        yield from hook(row, value, column)
        number = id_number(row.id) or self._own_number(row)
        if number is not None:
            self._facts.ids.add(row.table, number)

    def _own_number(self, row: WrittenRow) -> int | None:
        """The id of a row that only its id column tells."""
        key = self._table.primary_id if self._table else ""
        return next((id_number(value.text) for value in row.values if value.column == key), None)


def refusing(read: Callable[[ColumnType, str], object]) -> Callable[[ColumnType, str], str]:
    """Why a reader of values refuses a text, empty when it takes it."""

    def refusal(kind: ColumnType, text: str) -> str:
        try:
            read(kind, text)
        except ValueError as error:
            return str(error)
        return ""

    return refusal
