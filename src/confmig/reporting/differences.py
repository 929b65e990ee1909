"""The differences of two packages as a report: counted to the last, listed up to a limit."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice

from confmig.errors import ExitCode
from confmig.package.comparing import Difference, Kind
from confmig.reporting.report import Cell, Report, Section
from confmig.reporting.values import number_of, show_sides, show_value

_COUNTED = (
    Kind.SCHEMA,
    Kind.ADDED,
    Kind.REMOVED,
    Kind.CHANGED,
    Kind.ASSOCIATED,
    Kind.DISASSOCIATED,
    Kind.FORM,
)
_COLUMNS = ("kind", "table", "row", "id", "column", "before", "after")
_SHOWN_COLUMNS = 8


def differences_report(differences: Iterable[Difference], first: str, second: str, *, same: str, listed: int) -> Report:
    """How two packages or schemas differ.

    Args:
        differences: The differences, read to their end; what is not listed is not held.
        first: Where the comparison begins.
        second: What it is compared with.
        same: The verdict where nothing differs.
        listed: How many differences are listed.
    """
    tables = _Tables()
    rows: list[tuple[Cell, ...]] = []
    for difference in differences:
        tables.count(difference)
        if len(rows) < listed:
            rows.append(_row(difference))
    count = tables.total
    return Report(
        "diff",
        ExitCode.DIFFERENCES if count else ExitCode.DONE,
        f"{number_of(count, 'difference')}." if count else same,
        {"differences": count, **tables.facts(), "first": first, "second": second},
        [tables.section(), Section("Differences", _COLUMNS, rows, count - len(rows))],
        reason="differences" if count else "",
    )


class _Tables:
    """Counts by table and kind. Of rows that changed the rows are counted, not their columns."""

    def __init__(self) -> None:
        self.total = 0
        self._counts: dict[str, Counter[Kind]] = {}
        self._last: tuple[str, str, Kind] | None = None

    def count(self, difference: Difference) -> None:
        self.total += 1
        this = difference.table, difference.row, difference.kind
        counts = self._counts.setdefault(difference.table, Counter())
        if difference.kind is not Kind.CHANGED or this != self._last:
            counts[difference.kind] += 1
        self._last = this

    def facts(self) -> dict[str, int]:
        """The sums of all tables."""
        return {kind.value: sum(counts[kind] for counts in self._counts.values()) for kind in _COUNTED}

    def section(self) -> Section:
        """A row for each table with differences."""
        kinds = [kind for kind in _COUNTED if any(counts[kind] for counts in self._counts.values())]
        rows: list[tuple[Cell, ...]] = [
            (table or "(package)", *(counts[kind] for kind in kinds)) for table, counts in sorted(self._counts.items())
        ]
        return Section("Tables", ("table", *(kind.value for kind in kinds)), rows)


def _row(item: Difference) -> tuple[Cell, ...]:
    column = f"{item.column}: {item.aspect}" if item.column and item.aspect else item.column or item.aspect
    before, after = _sides(item)
    return item.kind.value, item.table, item.name, item.row, column, before, after


def _sides(item: Difference) -> tuple[str, str]:
    if item.kind is Kind.ADDED and item.values:
        return "—", _values(item)
    if item.kind is Kind.REMOVED and item.values:
        return _values(item), "—"
    if item.aspect:
        return show_value("", item.before), show_value("", item.after)
    return show_sides(item.column, item.before, item.after)


def _values(item: Difference) -> str:
    """The first values of a row."""
    values = [f"{name}: {show_value(name, value)}" for name, value in islice(item.values.items(), _SHOWN_COLUMNS)]
    more = len(item.values) - len(values)
    return "; ".join(values) + (f"; and {number_of(more, 'column')} more" if more else "")
