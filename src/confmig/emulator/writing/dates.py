"""Dates on the wire: to the second, in UTC, not before 1753.

https://learn.microsoft.com/power-apps/developer/data-platform/behavior-format-date-time-attribute
"""

import re
from datetime import UTC, datetime

from confmig.emulator.catalog.model import Column
from confmig.emulator.errors import bad_date

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_EARLIEST = "1753-01-01"


def wire_date(column: Column, text: str) -> str:
    """A date that a client wrote, in the form in which it is kept and given back.

    Raises:
        ServiceError: It is no date or out of range.
    """
    value = _day(text) if column.behavior == "DateOnly" else _moment(text)
    if value < _EARLIEST:
        raise bad_date()
    return value


def _day(text: str) -> str:
    day = text[:10]
    if not _DAY.fullmatch(day) or (len(text) > 10 and not _MOMENT.fullmatch(text)):
        raise bad_date()
    try:
        datetime.strptime(day, "%Y-%m-%d")
    except ValueError as error:
        raise bad_date() from error
    return day


def _moment(text: str) -> str:
    if _DAY.fullmatch(text):
        return f"{_day(text)}T00:00:00Z"
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise bad_date()
    day, time, seconds, _, zone = match.groups()
    whole = f"{day}T{time}{seconds or ':00'}"
    try:
        if zone is None or zone == "Z":
            datetime.fromisoformat(whole)
            return f"{whole}Z"
        return f"{datetime.fromisoformat(whole + zone).astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
    except (ValueError, OverflowError) as error:
        raise bad_date() from error
