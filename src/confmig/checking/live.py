"""Live rows: what is published must not be moved while it runs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from confmig.checking.findings import Finding, Severity

_SHOWN = 10


class LivePolicy(StrEnum):
    """What happens with a live row of the source.

    ``fail``: nothing is exported. ``filter``: the row is left out. ``exclude-status``: it is exported, and the columns
    that hold states are left out of schema and data, so every row arrives in its table's first state.
    """

    FAIL = "fail"
    FILTER = "filter"
    EXCLUDE_STATUS = "exclude-status"


@dataclass(slots=True)
class LiveRows:
    """The live rows of a table: their ids, and the first of them as words."""

    ids: set[str] = field(default_factory=set)
    first: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.ids)

    def add(self, name: str, row_id: str, state: str) -> None:
        """Remember a row; the same row a second time changes nothing."""
        if row_id not in self.ids and len(self.first) < _SHOWN:
            self.first.append(f"{name or '(no name)'} ({row_id}, {state})")
        self.ids.add(row_id)


_WHAT = {
    LivePolicy.FAIL: "is live, and a live row is not moved",
    LivePolicy.FILTER: "is live and left out",
    LivePolicy.EXCLUDE_STATUS: "is live and moved without a state",
}
_HINTS = {
    LivePolicy.FAIL: "Stop it in the source, filter it out in the schema, or give --live filter (such rows are left"
    " out) or --live exclude-status (all arrive without their states).",
    LivePolicy.FILTER: "Nothing, if they are not wanted in the target.",
    LivePolicy.EXCLUDE_STATUS: "Publish it in the target when it has arrived.",
}


def live_findings(found: dict[str, LiveRows], policy: LivePolicy) -> Iterator[Finding]:
    """One finding for each table with live rows."""
    for table, rows in found.items():
        if rows.count:
            what = _WHAT[policy] if rows.count == 1 else _WHAT[policy].replace("is", "are", 1)
            more = f" and {rows.count - len(rows.first)} more" if rows.count > len(rows.first) else ""
            number = f"{rows.count} row{'s' if rows.count > 1 else ''}"
            yield Finding(
                "live-rows",
                table,
                "",
                f"{number} of {table} {what}: {'; '.join(rows.first)}{more}.",
                _HINTS[policy],
                Severity.ERROR if policy is LivePolicy.FAIL else Severity.WARNING,
            )
