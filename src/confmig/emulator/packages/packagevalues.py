"""Value text of a data file, as the store keeps it.

The store keeps a value in the form in which it goes over the wire: lower-case guids, numbers with their digits as
text, whole numbers as integers, dates as ISO text, booleans as 0 and 1, several choices as ``1,2``.
"""

import re
from datetime import UTC, datetime

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.model import LOOKUPS, NUMBERS, TEXTS, WHOLE, Column
from confmig.emulator.errors import PackageFileError
from confmig.emulator.packages.packagexml import unescape

_ISO = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d\d:\d\d)?")
_US_FORMS = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_BRACKETED = re.compile(r"\[-1(,-?\d+)*,-1\]")
_PARTS = re.compile(r"([+-]?)0*(\d.*)")
Stored = str | int | None


class DateText:
    """A date of a data file: its parts and whether it says that it is UTC."""

    __slots__ = ("day", "fraction", "time", "utc")

    def __init__(self, day: str, time: str, fraction: str, *, utc: bool) -> None:
        self.day = day
        self.time = time
        self.fraction = fraction
        self.utc = utc

    @property
    def midnight(self) -> bool:
        """Whether it has no time of day."""
        return self.time == "00:00:00" and not self.fraction

    def wire(self, behavior: str) -> str:
        """The form on the wire for a column of this behaviour."""
        if behavior == "DateOnly":
            return self.day
        return f"{self.day}T{self.time}{'.' + self.fraction if self.fraction else ''}Z"


def read_date(text: str) -> DateText | None:
    """A date in one of the forms that data files have; None when it is in none of them.

    They are ISO text with or without ``Z`` and, up to 2019, ``12/19/2017 4:57:00 PM`` (UTC).
    """
    match = _ISO.fullmatch(text.strip())
    if match is not None:
        day, time, fraction, zone = match.groups()
        time = (time or "00:00") + ("" if time and len(time) == 8 else ":00")
        if zone not in (None, "Z"):
            day, time = _in_utc(f"{day}T{time}{zone}")
        return DateText(day, time, (fraction or "").rstrip("0"), utc=zone is not None)
    for form in _US_FORMS:
        try:
            moment = datetime.strptime(text.strip(), form)
        except ValueError:
            continue
        return DateText(f"{moment:%Y-%m-%d}".rjust(10, "0"), f"{moment:%H:%M:%S}", "", utc=True)
    return None


def _in_utc(text: str) -> tuple[str, str]:
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return f"{moment:%Y-%m-%d}".rjust(10, "0"), f"{moment:%H:%M:%S}"


def is_number(text: str) -> bool:
    """Whether the text is a number in invariant form."""
    return _NUMBER.fullmatch(text) is not None


def is_choices(text: str) -> bool:
    """Whether the text is a list of choices with its sentinels."""
    return _BRACKETED.fullmatch(text) is not None


def choices(text: str) -> list[int]:
    """The choices of ``[-1,71000010,-1]`` or ``71000010,71000012``."""
    numbers = [int(part) for part in text.strip().strip("[]").split(",") if part.strip()]
    return [number for number in numbers if number != -1]


def stored(column: Column, text: str, where: str) -> Stored:
    """The value text of a column as the store keeps it; empty text is null unless the column holds texts.

    Args:
        column: The column.
        text: Its value text.
        where: Table and row, for messages.

    Raises:
        PackageFileError: The text is not a value of the column's type.
    """
    if column.type in TEXTS:
        return unescape(text)
    if text == "":
        return None
    try:
        return _typed(column, text)
    except ValueError as error:
        raise PackageFileError(f"{where}: {column.name} has {text[:60]!r}, which is no {column.type}") from error


def _typed(column: Column, text: str) -> Stored:
    kind = column.type
    if kind in WHOLE:
        return int(text.removesuffix(".0"))
    if kind in NUMBERS:
        return _digits(text)
    if kind == "Boolean":
        return 1 if text.strip().lower() == "true" else 0
    if kind == "DateTime":
        date = read_date(text)
        if date is None:
            raise ValueError(text)
        return date.wire(column.behavior)
    if kind in LOOKUPS or kind in ("Uniqueidentifier", "File"):
        return _guid(text)
    if kind == "MultiSelectPicklist":
        return ",".join(str(value) for value in choices(text)) or None
    return text


def _digits(text: str) -> str:
    if not is_number(text):
        raise ValueError(text)
    # JSON knows neither a plus nor leading zeros.
    parts = _PARTS.fullmatch(text)
    return f"{parts[1].strip('+')}{parts[2]}" if parts else text


def _guid(text: str) -> str:
    plain = naming.plain_guid(text)
    if not naming.is_guid(plain):
        raise ValueError(text)
    return plain
