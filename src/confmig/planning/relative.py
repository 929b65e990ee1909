"""Dates relative to the day of the import: by how much they are moved, and when one that was moved counts as held.

A schema may ask (``dateMode``) that demo data stay recent: at import its dates are moved forward by the time that has
passed since the export, ``relative`` in steps of a week, so that weekdays stay, ``relativeDaily`` in steps of a day.
https://learn.microsoft.com/power-platform/admin/configure-date-settings-for-demo-data
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from confmig.model.schema import DateMode, Schema, Table
from confmig.model.values import ColumnType, Value, same_value

_STEPS = {DateMode.RELATIVE: 7, DateMode.RELATIVE_DAILY: 1}
"""The days of one step of each mode that moves dates."""

LATEST = datetime(9999, 12, 30, 23, 59, 59)
"""The last moment that a column can hold (``DateTimeAttributeMetadata.MaxSupportedValue``)."""


def date_modes(schema: Schema, table: Table) -> dict[str, DateMode]:
    """The columns of a table whose dates are moved: by their own mode, else by the schema's."""
    modes = {
        column.name: column.date_mode or schema.date_mode or DateMode.ABSOLUTE
        for column in table.columns
        if column.type is ColumnType.DATETIME
    }
    return {name: mode for name, mode in modes.items() if mode is not DateMode.ABSOLUTE}


def days_to_move(mode: DateMode, exported: datetime, as_of: datetime) -> int:
    """By how many days dates are moved: the whole steps that have passed; none when the export is yet to come.

    Whole steps are counted, none is rounded up: Microsoft says "in one week increments", and a date is never moved by
    more than the time that has passed [inferred].
    """
    step = _STEPS[mode]
    return max(0, (as_of - exported).days // step * step)


@dataclass(frozen=True, slots=True)
class Shift:
    """How the dates of one column are moved.

    ``earlier`` lets a date count as held that an earlier import moved, by fewer steps.
    """

    days: int
    step: int
    earlier: bool = False

    def move(self, value: Value) -> Value:
        """The value, later by whole days, so at the same time of day; None when a column cannot hold it any more."""
        if not isinstance(value, datetime):
            return value
        try:
            moved = value + timedelta(days=self.days)
        except OverflowError:
            return None
        return moved if moved.replace(tzinfo=None) <= LATEST else None

    def holds(self, moved: Value, current: Value) -> bool:
        """Whether the target holds a date: as it is moved now, or where that is allowed as it was moved before."""
        if not (self.earlier and isinstance(moved, datetime) and isinstance(current, datetime)):
            return same_value(moved, current)
        behind = (moved.date() - current.date()).days
        whole = 0 <= behind <= self.days and behind % self.step == 0
        return whole and same_value(moved - timedelta(days=behind), current)


@dataclass(frozen=True, slots=True)
class RelativeDates:
    """What becomes of a package's relative dates in one plan.

    ``modes``: (table, column) to mode, of the columns that hold dates. ``exported`` is the moment that they are
    relative to, None when the package does not tell it; ``as_of`` stands for now, None when dates stay as they are.
    """

    modes: Mapping[tuple[str, str], DateMode] = field(default_factory=dict)
    exported: datetime | None = None
    as_of: datetime | None = None
    earlier: bool = False

    def days(self, mode: DateMode) -> int:
        """By how many days the dates of a mode are moved."""
        if self.exported is None or self.as_of is None:
            return 0
        return days_to_move(mode, self.exported, self.as_of)

    def shifts(self, table: str) -> dict[str, Shift]:
        """The columns of a table whose dates are moved, and how."""
        return {
            column: Shift(days, _STEPS[mode], self.earlier)
            for (name, column), mode in self.modes.items()
            if name == table and (days := self.days(mode))
        }

    def as_texts(self) -> dict[str, str]:
        """By how much dates are moved, as it stands among the plan's policies and goes into its digest.

        The moment itself is not in there, so that a plan has one digest for as long as it writes the same values.
        """
        if self.exported is None or self.as_of is None:
            return {}
        return {mode.value: _in_words(mode, self.days(mode)) for mode in sorted(set(self.modes.values()))}

    def moments(self) -> tuple[str, str]:
        """The as-of time and the export's, as they stand in the plan's header; empty where it depends on neither."""
        if self.exported is None or self.as_of is None or not self.modes:
            return "", ""
        return self.as_of.isoformat(), self.exported.isoformat()

    def describe(self, mode: DateMode) -> str:
        """What happens with the dates of a mode, and why, for the plan's notes."""
        if self.exported is None:
            return f"dates stay as they are: the package has no timestamp that they are relative to (dateMode {mode})"
        since = f"exported {show_moment(self.exported)}"
        if self.as_of is None:
            return f"dates stay as they are: the plan is not made as of any moment ({since}, dateMode {mode})"
        span = f"{since}, as of {show_moment(self.as_of)}, dateMode {mode}"
        if days := self.days(mode):
            return f"dates are moved forward by {_in_words(mode, days)}: {span}"
        if self.as_of < self.exported:
            return f"dates stay as they are: the package's timestamp is yet to come ({span})"
        return f"dates stay as they are: less than a {'week' if _STEPS[mode] > 1 else 'day'} has passed ({span})"


def shifts_in(policies: Mapping[str, str]) -> list[str]:
    """By how much a plan moves dates, mode by mode, from its policies."""
    return [f"{mode}: {policies[mode]}" for mode in _STEPS if mode in policies]


def show_moment(moment: datetime) -> str:
    """A moment in UTC for people, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _in_words(mode: DateMode, days: int) -> str:
    text = f"{days} day{'' if days == 1 else 's'}"
    weeks = days // 7
    return f"{weeks} week{'' if weeks == 1 else 's'} ({text})" if mode is DateMode.RELATIVE else text
