"""The windows of the conditions on dates that know what time it is, at moments where they begin and end."""

from datetime import date, datetime

import pytest

from confmig.emulator.reading.datewindows import DATE_OPERATORS, FETCH_OPERATORS, Moment, Window, moment_at, window
from confmig.emulator.storage.fiscal import FiscalCalendar

# A Wednesday.
NOW = Moment(datetime(2026, 4, 1, 13, 45, 30), FiscalCalendar())


def time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@pytest.mark.parametrize(
    ("operator", "numbers", "start", "end"),
    [
        ("Yesterday", [], "2026-03-31", "2026-04-01"),
        ("Today", [], "2026-04-01", "2026-04-02"),
        ("Tomorrow", [], "2026-04-02", "2026-04-03"),
        ("Last7Days", [], "2026-03-25", "2026-04-01T13:45:31"),
        ("Next7Days", [], "2026-04-01T13:45:30", "2026-04-09"),
        ("LastWeek", [], "2026-03-22", "2026-03-29"),
        ("ThisWeek", [], "2026-03-29", "2026-04-05"),
        ("NextWeek", [], "2026-04-05", "2026-04-12"),
        ("LastMonth", [], "2026-03-01", "2026-04-01"),
        ("ThisMonth", [], "2026-04-01", "2026-05-01"),
        ("NextMonth", [], "2026-05-01", "2026-06-01"),
        ("LastYear", [], "2025-01-01", "2026-01-01"),
        ("ThisYear", [], "2026-01-01", "2027-01-01"),
        ("NextYear", [], "2027-01-01", "2028-01-01"),
        ("LastXHours", [3], "2026-04-01T10:00", "2026-04-01T13:45:31"),
        ("NextXHours", [3], "2026-04-01T13:45:30", "2026-04-01T17:00"),
        ("LastXDays", [1], "2026-03-31", "2026-04-01T13:45:31"),
        ("NextXDays", [1], "2026-04-01T13:45:30", "2026-04-03"),
        ("LastXWeeks", [2], "2026-03-18", "2026-04-01T13:45:31"),
        ("NextXWeeks", [2], "2026-04-01T13:45:30", "2026-04-16"),
        ("LastXMonths", [2], "2026-02-01", "2026-04-01T13:45:31"),
        ("NextXMonths", [2], "2026-04-01T13:45:30", "2026-06-02"),
        ("LastXYears", [1], "2025-04-01", "2026-04-01T13:45:31"),
        ("NextXYears", [1], "2026-04-01T13:45:30", "2027-04-02"),
        ("OlderThanXMinutes", [50], None, "2026-04-01T12:55"),
        ("OlderThanXHours", [2], None, "2026-04-01T11:00"),
        ("OlderThanXDays", [2], None, "2026-03-30"),
        ("OlderThanXWeeks", [1], None, "2026-03-25"),
        ("OlderThanXMonths", [1], None, "2026-03-01"),
        ("OlderThanXYears", [1], None, "2025-04-01"),
        ("ThisFiscalYear", [], "2026-01-01", "2027-01-01"),
        ("LastFiscalPeriod", [], "2026-01-01", "2026-04-01"),
        ("LastXYears", [2_000_000_000], None, "2026-04-01T13:45:31"),
        ("NextXDays", [2_000_000_000], "2026-04-01T13:45:30", None),
        ("LastXFiscalYears", [9999], None, "2026-04-01T13:45:31"),
    ],
)
def test_a_window_begins_and_ends_where_it_is_documented_to(
    operator: str, numbers: list[int], start: str | None, end: str | None
) -> None:
    assert window(operator, numbers, NOW) == Window(time(start), time(end))


def test_what_is_older_than_all_time_is_nothing() -> None:
    assert window("OlderThanXYears", [9999], NOW) is None
    assert window("InFiscalYear", [123_456], NOW) is None


def test_a_month_before_the_last_of_march_is_the_last_of_february() -> None:
    march = Moment(datetime(2024, 3, 31, 8), FiscalCalendar())
    assert window("OlderThanXMonths", [1], march) == Window(None, datetime(2024, 2, 29))
    assert window("OlderThanXMonths", [13], march) == Window(None, datetime(2023, 2, 28))


def test_a_week_begins_on_sunday() -> None:
    sunday, saturday = (Moment(datetime(2026, 3, day), FiscalCalendar()) for day in (29, 28))
    assert window("ThisWeek", [], sunday) == Window(datetime(2026, 3, 29), datetime(2026, 4, 5))
    assert window("ThisWeek", [], saturday) == Window(datetime(2026, 3, 22), datetime(2026, 3, 29))


@pytest.mark.parametrize(
    ("operator", "numbers", "start", "end"),
    [
        ("ThisFiscalYear", [], "2025-07-01", "2026-07-01"),
        ("LastFiscalYear", [], "2024-07-01", "2025-07-01"),
        ("NextFiscalYear", [], "2026-07-01", "2027-07-01"),
        ("ThisFiscalPeriod", [], "2026-04-01", "2026-07-01"),
        ("LastFiscalPeriod", [], "2026-01-01", "2026-04-01"),
        ("NextFiscalPeriod", [], "2026-07-01", "2026-10-01"),
        ("LastXFiscalYears", [1], "2024-07-01", "2026-04-01T13:45:31"),
        ("NextXFiscalYears", [1], "2026-04-01T13:45:30", "2027-07-01"),
        ("LastXFiscalPeriods", [2], "2025-10-01", "2026-04-01T13:45:31"),
        ("NextXFiscalPeriods", [1], "2026-04-01T13:45:30", "2026-10-01"),
        ("InFiscalYear", [2025], "2025-07-01", "2026-07-01"),
        ("InFiscalPeriodAndYear", [2, 2025], "2025-10-01", "2026-01-01"),
        ("InOrBeforeFiscalPeriodAndYear", [1, 2026], None, "2026-10-01"),
        ("InOrAfterFiscalPeriodAndYear", [4, 2025], "2026-04-01", None),
    ],
)
def test_fiscal_windows_follow_the_calendar_of_the_organization(
    operator: str, numbers: list[int], start: str | None, end: str | None
) -> None:
    july = Moment(NOW.now, FiscalCalendar(month=7))
    assert window(operator, numbers, july) == Window(time(start), time(end))


def test_a_fifth_quarter_is_no_time_at_all() -> None:
    assert window("InFiscalPeriodAndYear", [5, 2026], NOW) is None


def test_periods_of_four_weeks_leave_the_rest_of_the_year_to_the_thirteenth() -> None:
    weeks = FiscalCalendar(kind=2004)
    assert [weeks.start(2026, period).isoformat() for period in (1, 2, 13, 14)] == [
        "2026-01-01", "2026-01-29", "2026-12-03", "2027-01-01",
    ]  # fmt: skip
    assert weeks.at(date(2026, 12, 31)) == (2026, 13)


def test_a_period_that_begins_on_the_31st_begins_on_the_last_of_shorter_months() -> None:
    monthly = FiscalCalendar(month=1, day=31, kind=2003)
    assert [monthly.start(2026, period).isoformat() for period in (1, 2, 3, 4)] == [
        "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30",
    ]  # fmt: skip
    assert monthly.at(date(2026, 1, 30)) == (2025, 12)


def test_every_operator_has_its_window() -> None:
    """None is without meaning; those that compare with a given day, or recur every year, are no windows."""
    assert len(set(FETCH_OPERATORS.values())) == len(FETCH_OPERATORS)
    for operator in DATE_OPERATORS - {"On", "NotOn", "OnOrAfter", "OnOrBefore", "InFiscalPeriod"}:
        found = window(operator, [1, 2026] if operator.endswith("AndYear") else [1], NOW)
        assert found is not None
        assert found.start or found.end


def test_the_clock_of_a_request_is_in_utc() -> None:
    assert moment_at("2026-04-01T15:45:30+02:00", FiscalCalendar()) == NOW
