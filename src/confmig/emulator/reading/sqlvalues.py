"""The constants of a SQL query: texts, numbers, and the dates that DATEADD and GETUTCDATE make of them.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/sql#using-dateadd-and-getutcdate-functions
"""

from datetime import UTC, date, datetime, timedelta

from confmig.emulator.errors import bad_date
from confmig.emulator.reading.sqlsyntax import Literal, Value
from confmig.emulator.reading.sqltokens import unsupported

_PARTS = {
    "year": ("year", "yy", "yyyy"),
    "quarter": ("quarter", "qq", "q"),
    "month": ("month", "mm", "m"),
    "day": ("day", "dd", "d", "dayofyear", "dy", "y", "weekday", "dw", "w"),
    "week": ("week", "wk", "ww"),
    "hour": ("hour", "hh"),
    "minute": ("minute", "mi", "n"),
    "second": ("second", "ss", "s"),
}
_NAMES = {name: part for part, names in _PARTS.items() for name in names}
_MONTHS = {"year": 12, "quarter": 3, "month": 1}
_SECONDS = {"week": 604_800, "day": 86_400, "hour": 3_600, "minute": 60, "second": 1}


def text_of(value: Value, now: str) -> str | None:
    """The text of a constant; None for NULL.

    Args:
        value: The constant.
        now: The time of the request, as the wire writes it.

    Raises:
        ServiceError: DATEADD is given a part of a date that it does not know, or what is no date.
    """
    if isinstance(value, Literal):
        return value.text
    try:
        moment = _moment(value, now)
    except (ValueError, OverflowError) as error:
        raise bad_date() from error
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def _moment(value: Value, now: str) -> datetime | None:
    if isinstance(value, Literal):
        if value.text is None:
            return None
        moment = datetime.fromisoformat(value.text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if not value.part or value.base is None:
        return datetime.fromisoformat(now)
    base = _moment(value.base, now)
    part = _NAMES.get(value.part)
    if part is None:
        raise unsupported(f"The datepart {value.part} of DATEADD is")
    if base is None:
        return None
    if part in _MONTHS:
        return _later(base, value.number * _MONTHS[part])
    return base + timedelta(seconds=value.number * _SECONDS[part])


def _later(moment: datetime, months: int) -> datetime:
    """Some months later, on the last day of a month that has no such day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, (following - timedelta(days=1)).day))
