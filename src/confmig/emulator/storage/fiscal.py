"""The fiscal calendar of an organization: its years and the periods within them.

https://learn.microsoft.com/power-platform/admin/work-fiscal-year-settings
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

_FOUR_WEEKS = timedelta(days=28)
# The values of the column fiscalperiodtype of the table organization, with the periods of a year.
_PERIODS = {2000: 1, 2001: 2, 2002: 4, 2003: 12, 2004: 13}
_FOUR_WEEKLY = 2004


@dataclass(frozen=True)
class FiscalCalendar:
    """When fiscal years begin and how they are divided; the default is what a new organization has.

    Attributes:
        month: Month in which a fiscal year begins.
        day: Its day in that month.
        kind: 2000 annual, 2001 semiannual, 2002 quarterly, 2003 monthly, 2004 four weeks.
    """

    month: int = 1
    day: int = 1
    kind: int = 2002

    @property
    def periods(self) -> int:
        """The number of periods of a year."""
        return _PERIODS.get(self.kind, 4)

    def start(self, year: int, period: int = 1) -> date:
        """The first day of a period; period 1 of the next year follows the last one.

        Raises:
            ValueError: The day is out of the calendar's range.
        """
        year, period = year + (period - 1) // self.periods, (period - 1) % self.periods
        if self.kind == _FOUR_WEEKLY:
            return _day(year, self.month, self.day) + _FOUR_WEEKS * period
        months = self.month - 1 + period * 12 // self.periods
        return _day(year + months // 12, months % 12 + 1, self.day)

    def at(self, day: date) -> tuple[int, int]:
        """The fiscal year, named by the calendar year in which it begins, and the period of a day."""
        year = day.year if day >= self.start(day.year) else day.year - 1
        period = next(number for number in range(self.periods, 0, -1) if self.start(year, number) <= day)
        return year, period


def _day(year: int, month: int, day: int) -> date:
    """A day, or the last one of a month that is too short for it."""
    if not 1 <= year <= 9999:
        raise ValueError(f"year {year} is out of range")
    return date(year, month, min(day, monthrange(year, month)[1]))


def fiscal_period(text: str | None, month: int, day: int, kind: int) -> int | None:
    """The fiscal period of a date as the store keeps it; a function of SQL."""
    return None if text is None else FiscalCalendar(month, day, kind).at(date.fromisoformat(text[:10]))[1]


def fiscal_year(text: str | None, month: int, day: int, kind: int) -> int | None:
    """The fiscal year of a date as the store keeps it; a function of SQL."""
    return None if text is None else FiscalCalendar(month, day, kind).at(date.fromisoformat(text[:10]))[0]
