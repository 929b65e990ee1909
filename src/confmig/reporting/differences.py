"""The differences of two packages as a report: counted to the last, listed up to a limit, long texts as diffs."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice

from confmig.errors import ExitCode
from confmig.model.secrets import SECRETS
from confmig.model.values import Choices, Parties, Party, Value
from confmig.package.comparing import Difference, Kind
from confmig.reporting.binaries import binary_in, describe_bytes, text_in
from confmig.reporting.report import Block, Cell, Report, Section
from confmig.reporting.unified import unified_diff
from confmig.reporting.values import is_sensitive, number_of, shorten, show_sides, show_value

_COLUMNS = ("kind", "table", "row", "id", "column", "before", "after")
_SHOWN_COLUMNS = 8
_FITS = 60
"""Characters of a text that a cell can hold."""
_TEXTUAL = {Kind.SCHEMA, Kind.CHANGED, Kind.FORM}


def differences_report(
    differences: Iterable[Difference],
    first: str,
    second: str,
    *,
    same: str,
    listed: int,
    names: Mapping[str, str | None],
) -> Report:
    """How two packages or schemas differ.

    Args:
        differences: The differences, read to their end; what is not listed is not held.
        first: Where the comparison begins.
        second: What it is compared with.
        same: The verdict where nothing differs.
        listed: How many differences are listed.
        names: What people call the tables.
    """
    tables = _Tables()
    rows: list[tuple[Cell, ...]] = []
    blocks: list[Block] = []
    for difference in differences:
        tables.count(difference)
        if len(rows) < listed:
            rows.append(_row(difference))
            if block := _block(difference):
                blocks.append(block)
    count = tables.total
    return Report(
        "diff",
        ExitCode.DIFFERENCES if count else ExitCode.DONE,
        f"{number_of(count, 'difference')}." if count else same,
        {"differences": count, **tables.facts(), "first": first, "second": second},
        [
            tables.section(names),
            Section("Differences", _COLUMNS, rows, count - len(rows), sentences=2),
            Section("Texts", (), (), blocks=blocks),
        ],
        reason="differences" if count else "",
    )


class _Tables:
    """Counts by table and kind. Of rows that changed the rows are counted, not their columns."""

    def __init__(self) -> None:
        self.total = 0
        self._counts: dict[str, Counter[Kind]] = {}
        self._last: tuple[str, str, Kind] | None = None

    def count(self, difference: Difference) -> None:
        """Count one; those of one row come one after the other."""
        self.total += 1
        this = difference.table, difference.row, difference.kind
        counts = self._counts.setdefault(difference.table, Counter())
        if difference.kind is not Kind.CHANGED or this != self._last:
            counts[difference.kind] += 1
        self._last = this

    def facts(self) -> dict[str, int]:
        """The sums of all tables."""
        return {kind.value: self._sum(kind) for kind in Kind}

    def _sum(self, kind: Kind) -> int:
        return sum(counts[kind] for counts in self._counts.values())

    def section(self, names: Mapping[str, str | None]) -> Section:
        """A row for each table with differences, a column for each kind that there is."""
        kinds = [kind for kind in Kind if self._sum(kind)]
        rows: list[tuple[Cell, ...]] = [
            (table or "(package)", names.get(table), *(counts[kind] for kind in kinds))
            for table, counts in sorted(self._counts.items())
        ]
        return Section("Tables", ("table", "name", *(kind.value for kind in kinds)), rows)


def _row(item: Difference) -> tuple[Cell, ...]:
    before, after = _sides(item)
    return item.kind.value, item.table, shorten(item.name), item.row, _where(item), before, after


def _where(item: Difference) -> str:
    """The column, and what of it."""
    return ": ".join(part for part in (item.column, item.aspect) if part)


def _sides(item: Difference) -> tuple[str, str]:
    if item.values:
        values = _values(item)
        return (values, "—") if item.kind is Kind.REMOVED else ("—", values)
    if binary_in(item.before) or binary_in(item.after):
        return _binary(item.column, item.before), _binary(item.column, item.after)
    if item.kind is Kind.FORM:
        return _form(item.column, item.before), _form(item.column, item.after)
    return show_sides("" if item.kind is Kind.SCHEMA else item.column, item.before, item.after)


def _values(item: Difference) -> str:
    """The first values of a row."""
    values = [f"{name}: {_binary(name, value)}" for name, value in islice(item.values.items(), _SHOWN_COLUMNS)]
    more = len(item.values) - len(values)
    return "; ".join(values) + (f"; and {number_of(more, 'column')} more" if more else "")


def _binary(column: str, value: Value) -> str:
    """A value; bytes in base64, as images are, by their size and digest."""
    content = None if is_sensitive(column) else binary_in(value)
    return show_value(column, value) if content is None else describe_bytes(content)


def _form(column: str, value: Value) -> str:
    """A value as it stands, where it is its form that differs."""
    if is_sensitive(column):
        return show_value(column, value)
    match value:
        case "":
            return "empty text"
        case Choices(options=()) | Parties(parties=()):
            return "empty"
        case datetime():
            return value.isoformat()
        case _:
            return show_value(column, value)


def _block(item: Difference) -> Block | None:
    """The diff of two texts that cells cannot hold, or in which they would look alike."""
    if item.kind not in _TEXTUAL or (item.kind is not Kind.SCHEMA and is_sensitive(item.column)):
        return None
    texts = _text(item.before, item.kind), _text(item.after, item.kind)
    if not any(texts) or any(map(binary_in, texts)):
        return None
    before, after = (SECRETS.hide(text or "") for text in texts)
    if not (isinstance(item.before, Parties) or isinstance(item.after, Parties)):
        sides = _sides(item)
        if max(len(before), len(after)) <= _FITS and "\n" not in before + after and sides[0] != sides[1]:
            return None
    diff = unified_diff(before, after)
    about = (item.table, shorten(item.name), item.row, _where(item))
    return Block(about, "\n".join(diff.lines), diff.more)


def _text(value: Value, kind: Kind) -> str | None:
    """A value that is compared as a text: a text itself, also one in base64, or parties, one a line."""
    match value:
        case str() if content := binary_in(value):
            return text_in(content) or value
        case str():
            return value
        case Parties(parties) if kind is Kind.FORM:
            return "\n".join(map(_whole_party, parties))
        case Parties(parties):
            return "\n".join(sorted(map(_party, parties)))
        case _:
            return None


def _party(party: Party) -> str:
    """Who takes part, and as what."""
    who = show_value("", party.party) if party.party else show_value("addressused", party.address)
    return f"{who}, as {party.role}"


def _whole_party(party: Party) -> str:
    columns = [f"{name}: {show_value(name, value)}" for name, value in party.columns]
    extra = [f"{name}[{key}]: {text}" for name, pairs in party.extra for key, text in pairs]
    return "; ".join([party.id or "without an id", *columns, *extra])
