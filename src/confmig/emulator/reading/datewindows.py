"""The conditions on dates that know what time it is: ``Today``, ``LastXDays``, ``InFiscalYear``, ``OlderThanXMonths``.

They have one name as Web API query functions and another as operators of FetchXML:
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/queryfunctions
https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/reference/operators
Where these windows begin and end exactly is described by a program that translates them for the service
(https://github.com/MarkMpn/Sql4Cds, FetchXmlConditionMethods): the last X days are X whole days and today up to now,
the next X days what is left of today and X whole days; the users of the emulator are in UTC.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from confmig.emulator.catalog.model import Column
from confmig.emulator.errors import ServiceError, bad_query, invalid_argument
from confmig.emulator.storage.fiscal import FiscalCalendar
from confmig.emulator.storage.store import Store, Value
from confmig.emulator.writing.dates import wire_date

FETCH_OPERATORS = {
    "on": "On", "not-on": "NotOn", "on-or-after": "OnOrAfter", "on-or-before": "OnOrBefore",
    "yesterday": "Yesterday", "today": "Today", "tomorrow": "Tomorrow",
    "last-seven-days": "Last7Days", "next-seven-days": "Next7Days",
    "last-week": "LastWeek", "this-week": "ThisWeek", "next-week": "NextWeek",
    "last-month": "LastMonth", "this-month": "ThisMonth", "next-month": "NextMonth",
    "last-year": "LastYear", "this-year": "ThisYear", "next-year": "NextYear",
    "last-x-hours": "LastXHours", "next-x-hours": "NextXHours", "last-x-days": "LastXDays", "next-x-days": "NextXDays",
    "last-x-weeks": "LastXWeeks", "next-x-weeks": "NextXWeeks", "last-x-months": "LastXMonths",
    "next-x-months": "NextXMonths", "last-x-years": "LastXYears", "next-x-years": "NextXYears",
    "olderthan-x-minutes": "OlderThanXMinutes", "olderthan-x-hours": "OlderThanXHours",
    "olderthan-x-days": "OlderThanXDays", "olderthan-x-weeks": "OlderThanXWeeks",
    "olderthan-x-months": "OlderThanXMonths", "olderthan-x-years": "OlderThanXYears",
    "last-fiscal-year": "LastFiscalYear", "this-fiscal-year": "ThisFiscalYear", "next-fiscal-year": "NextFiscalYear",
    "last-fiscal-period": "LastFiscalPeriod", "this-fiscal-period": "ThisFiscalPeriod",
    "next-fiscal-period": "NextFiscalPeriod", "last-x-fiscal-years": "LastXFiscalYears",
    "next-x-fiscal-years": "NextXFiscalYears", "last-x-fiscal-periods": "LastXFiscalPeriods",
    "next-x-fiscal-periods": "NextXFiscalPeriods", "in-fiscal-year": "InFiscalYear",
    "in-fiscal-period": "InFiscalPeriod", "in-fiscal-period-and-year": "InFiscalPeriodAndYear",
    "in-or-before-fiscal-period-and-year": "InOrBeforeFiscalPeriodAndYear",
    "in-or-after-fiscal-period-and-year": "InOrAfterFiscalPeriodAndYear",
}  # fmt: skip
"""The operators of FetchXML by the names that query functions and ConditionOperator give them."""

DATE_OPERATORS = frozenset(FETCH_OPERATORS.values())
_ON_DAY = frozenset({"On", "NotOn", "OnOrAfter", "OnOrBefore"})
_TWO_VALUES = frozenset(name for name in DATE_OPERATORS if name.endswith("PeriodAndYear"))
_NO_VALUES = frozenset(
    name
    for name in DATE_OPERATORS - _ON_DAY - _TWO_VALUES
    if "X" not in name and name not in ("InFiscalYear", "InFiscalPeriod")
)
_MOST = 2**31 - 1
_SUNDAY = 6


@dataclass(frozen=True)
class Moment:
    """What relative dates are relative to: the time of the request, in UTC, and the organization's fiscal years."""

    now: datetime
    fiscal: FiscalCalendar


@dataclass(frozen=True)
class Window:
    """From ``start`` on and before ``end``; None is open."""

    start: datetime | None = None
    end: datetime | None = None


def moment_at(now: str, fiscal: FiscalCalendar) -> Moment:
    """The moment of a time that is written as the wire does."""
    return Moment(datetime.fromisoformat(now).astimezone(UTC).replace(tzinfo=None), fiscal)


def fiscal_calendar(store: Store) -> FiscalCalendar:
    """The fiscal calendar that the row of the organization describes."""
    table = store.catalog.tables.get("organization")
    names = ["fiscalcalendarstart", "fiscalperiodtype"]
    if table is None or not set(names) <= set(table.columns):
        return FiscalCalendar()
    row = store.read(table, store.organization_id, names) or {}
    start, kind = row.get("fiscalcalendarstart"), row.get("fiscalperiodtype")
    first = date.fromisoformat(str(start)[:10]) if start is not None else date(1753, 1, 1)
    return FiscalCalendar(first.month, first.day, int(str(kind)) if kind is not None else FiscalCalendar.kind)


def date_sql(
    add: Callable[[Value], str], column: Column, name: str, operator: str, values: Sequence[object], moment: Moment
) -> str:
    """The SQL condition of an operator on dates.

    Args:
        add: Takes up a parameter and gives its mark.
        column: The column.
        name: Its SQL name.
        operator: Name of the operator as in ``DATE_OPERATORS``.
        values: Its values, as numbers or as their digits.
        moment: What it is relative to.

    Raises:
        ServiceError: The column is no date, or the number or the kind of the values is wrong.
    """
    if column.type != "DateTime":
        raise bad_query(f"The operator '{operator}' does not go with '{column.name}', which is no date.")
    if operator in _ON_DAY:
        return _on_day(add, column, name, operator, values)
    numbers = _numbers(operator, values)
    if operator == "InFiscalPeriod":
        fiscal = moment.fiscal
        arguments = ", ".join(add(value) for value in (fiscal.month, fiscal.day, fiscal.kind))
        return f"fiscal_period({name}, {arguments}) = {add(numbers[0])}"
    found = window(operator, numbers, moment)
    if found is None:
        return "0"
    tests = [f"{name} IS NOT NULL"]
    if found.start is not None:
        tests.append(f"{name} >= {add(_start_text(column, found.start))}")
    if found.end is not None:
        tests.append(f"{name} < {add(_end_text(column, found.end))}")
    return f"({' AND '.join(tests)})"


def _on_day(add: Callable[[Value], str], column: Column, name: str, operator: str, values: Sequence[object]) -> str:
    if len(values) != 1:
        raise _wrong_values(operator)
    day = wire_date(column, str(values[0]))[:10]
    sign = {"On": "=", "NotOn": "<>", "OnOrAfter": ">=", "OnOrBefore": "<="}[operator]
    test = f"substr({name}, 1, 10) {sign} {add(day)}"
    # As with ne, a row without a date is not on that day.
    return f"({test} OR {name} IS NULL)" if operator == "NotOn" else test


def _numbers(operator: str, values: Sequence[object]) -> list[int]:
    wanted = 0 if operator in _NO_VALUES else 2 if operator in _TWO_VALUES else 1
    numbers = []
    for value in values:
        text = str(value)
        if not (text.isascii() and text.isdigit()) or len(text) > 10 or not 0 < int(text) <= _MOST:
            raise invalid_argument(f"The value '{text[:40]}' of '{operator}' is not a positive whole number.")
        numbers.append(int(text))
    if len(numbers) != wanted:
        raise _wrong_values(operator)
    return numbers


def _wrong_values(operator: str) -> ServiceError:
    return invalid_argument(f"The condition operator '{operator}' has the wrong number of values.")


def _start_text(column: Column, moment: datetime) -> str:
    return moment.date().isoformat() if column.behavior == "DateOnly" else f"{moment.isoformat(timespec='seconds')}Z"


def _end_text(column: Column, moment: datetime) -> str:
    if column.behavior != "DateOnly":
        return f"{moment.isoformat(timespec='seconds')}Z"
    # A day belongs to a window that ends in the midst of it.
    whole = moment.time() == time.min
    return (moment.date() if whole else moment.date() + timedelta(days=1)).isoformat()


def window(operator: str, numbers: Sequence[int], moment: Moment) -> Window | None:
    """The time that an operator means; None when there is none, such as a fifth quarter.

    Args:
        operator: Name of the operator.
        numbers: Its values.
        moment: What it is relative to.
    """
    try:
        if "Fiscal" in operator:
            return _fiscal(operator, numbers, moment)
        if operator.startswith("OlderThanX"):
            return Window(end=_shifted(moment.now, operator.removeprefix("OlderThanX"), -numbers[0]))
        if operator.startswith("LastX"):
            return Window(_shifted(moment.now, operator.removeprefix("LastX"), -numbers[0]), _after(moment.now))
        if operator.startswith("NextX"):
            return Window(moment.now, _next_end(moment.now, operator.removeprefix("NextX"), numbers[0]))
        return _named(operator, moment.now)
    except (OverflowError, ValueError):
        # So far away that no date is there: nothing is beyond it, and everything on this side is within reach.
        if operator.startswith("LastX"):
            return Window(end=_after(moment.now))
        return Window(moment.now) if operator.startswith("NextX") else None


def _after(now: datetime) -> datetime:
    """The end of a window that the present second belongs to."""
    return now.replace(microsecond=0) + timedelta(seconds=1)


def _midnight(now: datetime) -> datetime:
    return datetime.combine(now.date(), time.min)


def _shifted(now: datetime, unit: str, number: int) -> datetime:
    """The beginning of the present day, hour or minute, moved by a number of units."""
    if unit == "Minutes":
        return now.replace(second=0, microsecond=0) + timedelta(minutes=number)
    if unit == "Hours":
        return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=number)
    if unit in ("Days", "Weeks"):
        return _midnight(now) + timedelta(days=number * (7 if unit == "Weeks" else 1))
    return datetime.combine(_months_later(now.date(), number * (12 if unit == "Years" else 1)), time.min)


def _next_end(now: datetime, unit: str, number: int) -> datetime:
    """The end of the last of the next units: the present one is not counted."""
    if unit == "Hours":
        return _shifted(now, unit, number + 1)
    return _shifted(now, unit, number) + timedelta(days=1)


def _months_later(day: date, number: int) -> date:
    months = day.year * 12 + day.month - 1 + number
    year, month = divmod(months, 12)
    for last in range(day.day, day.day - 4, -1):
        try:
            return date(year, month + 1, last)
        except ValueError:
            if not 1 <= year <= 9999:
                raise
    raise ValueError(day)


def _named(operator: str, now: datetime) -> Window:
    today = _midnight(now)
    if operator == "Last7Days":
        return Window(today - timedelta(days=7), _after(now))
    if operator == "Next7Days":
        return Window(now, today + timedelta(days=8))
    days = {"Yesterday": -1, "Today": 0, "Tomorrow": 1}
    if operator in days:
        start = today + timedelta(days=days[operator])
        return Window(start, start + timedelta(days=1))
    step = {"Last": -1, "This": 0, "Next": 1}[operator[:4]]
    if operator[4:] == "Week":
        # Weeks are from Sunday to Saturday.
        sunday = today - timedelta(days=(today.weekday() - _SUNDAY) % 7) + timedelta(days=7 * step)
        return Window(sunday, sunday + timedelta(days=7))
    months = 1 if operator[4:] == "Month" else 12
    first = today.date().replace(day=1) if months == 1 else today.date().replace(month=1, day=1)
    ends = [_months_later(first, months * (step + more)) for more in (0, 1)]
    return Window(*(datetime.combine(end, time.min) for end in ends))


def _fiscal(operator: str, numbers: Sequence[int], moment: Moment) -> Window | None:
    calendar = moment.fiscal
    year, period = calendar.at(moment.now.date())

    def start(in_year: int, in_period: int = 1) -> datetime:
        return datetime.combine(calendar.start(in_year, in_period), time.min)

    if operator == "InFiscalYear":
        return Window(start(numbers[0]), start(numbers[0] + 1))
    if operator in _TWO_VALUES:
        wanted, in_year = numbers
        if wanted > calendar.periods:
            return None
        begin, end = start(in_year, wanted), start(in_year, wanted + 1)
        if operator.startswith("InOrBefore"):
            return Window(end=end)
        return Window(begin) if operator.startswith("InOrAfter") else Window(begin, end)
    yearly = operator.endswith(("Year", "Years"))
    here = (year, 1) if yearly else (year, period)

    def away(number: int) -> datetime:
        return start(here[0] + number) if yearly else start(here[0], here[1] + number)

    if operator.startswith("LastX"):
        return Window(away(-numbers[0]), _after(moment.now))
    if operator.startswith("NextX"):
        return Window(moment.now, away(numbers[0] + 1))
    step = {"Last": -1, "This": 0, "Next": 1}[operator[:4]]
    return Window(away(step), away(step + 1))
