"""The values that texts in data.xml stand for; ``formatting`` is the way back.

Strings are HTML-encoded by .NET's WebUtility and then escaped as XML; everything else is plain text in the invariant
culture. Python's ``html`` module is not equivalent: it reads entities that lack their semicolon.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from html.entities import name2codepoint

from confmig.model.values import Choices, ColumnType, Moment, Value, canonical_guid, is_guid

_TYPE_WORDS = {
    # Words that other tools write where CMT knows only its own.
    "integer": ColumnType.NUMBER,
    "int": ColumnType.NUMBER,
    "double": ColumnType.FLOAT,
    "memo": ColumnType.STRING,
    "entityname": ColumnType.STRING,
    "picklist": ColumnType.CHOICE,
    "boolean": ColumnType.BOOL,
    "lookup": ColumnType.LOOKUP,
    "customer": ColumnType.LOOKUP,
    "uniqueidentifier": ColumnType.GUID,
    "image": ColumnType.IMAGE,
    "file": ColumnType.FILE,
    "multiselectpicklist": ColumnType.CHOICES,
}

_HTML_REFERENCE = re.compile("&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z][a-zA-Z0-9]*));")


def column_type(word: str) -> ColumnType:
    """The column type that a schema's ``type`` names; UNKNOWN when the word is unknown, as CMT itself writes."""
    lowered = word.strip().lower()
    if lowered in _TYPE_WORDS:
        return _TYPE_WORDS[lowered]
    try:
        return ColumnType(lowered)
    except ValueError:
        return ColumnType.UNKNOWN


def decode_html(text: str) -> str:
    """Decode once, as .NET's WebUtility.HtmlDecode does: a reference must end in a semicolon and name a character."""
    if "&" not in text:
        return text
    # What most texts hold: replaced at once, as no reference overlaps another; &amp; last, as it may begin another.
    plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&#39;", "'")
    if plain.count("&") == plain.count("&amp;"):
        return plain.replace("&amp;", "&")
    return _HTML_REFERENCE.sub(_html_character, text)


_HTML_FREQUENT = {f"&#{code};": chr(code) for code in (39, *range(0xA0, 0x100))} | {
    "&lt;": "<",
    "&gt;": ">",
    "&quot;": '"',
    "&amp;": "&",
}
"""All that .NET itself writes but for the characters beyond U+FFFF."""


def _html_character(match: re.Match[str]) -> str:
    frequent = _HTML_FREQUENT.get(match[0])
    if frequent is not None:
        return frequent
    decimal, hexadecimal, name = match.groups()
    if name:
        code = 39 if name == "apos" else name2codepoint.get(name)
    else:
        code = int(decimal) if decimal else int(hexadecimal, 16)
    if code is None or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return match.group()
    return chr(code)


def parse_value(kind: ColumnType, text: str) -> Value:
    """The value that a text stands for.

    Not for lookups, party lists and files, which are more than one text.

    Raises:
        ValueError: The text is not of that type; the message is a sentence without a subject.
    """
    return PARSERS[kind](text)


_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
"""A number in the invariant culture. Python reads more: underscores, digits of other scripts, endless exponents."""
MOST_DIGITS = 40
"""A decimal beyond that many digits before or after its point is out of any column's range."""

INT64 = 2**63
"""Whole numbers lie below it, and not below its negative."""


_SHORT = 18
"""So many digits are below 64 bits, whatever they are."""


def _parse_int(text: str) -> int | None:
    if text.isdigit() and len(text) <= _SHORT and text.isascii():
        return int(text)
    number = _parse_decimal(text)
    if number is None:
        return None
    if number != number.to_integral_value():
        raise ValueError(f"is no whole number: {shown(text)}")
    if not -INT64 <= number < INT64:
        raise ValueError(f"is a number beyond 64 bits: {shown(text)}")
    return int(number)


def _parse_decimal(text: str) -> Decimal | None:
    if not text:
        return None
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        raise ValueError(f"is no number: {shown(text)}")
    number = Decimal(stripped)
    if number and not -MOST_DIGITS <= number.adjusted() <= MOST_DIGITS:
        raise ValueError(f"is a number out of any column's range: {shown(text)}")
    # With an exponent it is written another way than it would be read, and so would have another digest.
    return Decimal(format(number, "f")) if "e" in stripped.lower() else number


def _parse_float(text: str) -> float | None:
    if not text:
        return None
    stripped = text.strip()
    number = float(stripped) if _NUMBER.fullmatch(stripped) else math.nan
    if not math.isfinite(number):
        raise ValueError(f"is no number: {shown(text)}")
    return number


_BOOLS = {"True": True, "False": False, "true": True, "false": False, "": None}


def _parse_bool(text: str) -> bool | None:
    if text in _BOOLS:
        return _BOOLS[text]
    # CMT reads anything but "true" as false, 1 and yes among them [TALXIS docs]: what was meant is not guessed.
    word = text.strip().lower()
    if word == "true":
        return True
    if word in {"false", "0"}:
        return False
    raise ValueError(f"is neither True nor False: {shown(text)}")


def _parse_guid(text: str) -> str | None:
    if not text:
        return None
    guid = text if is_guid(text) else canonical_guid(text)
    if guid is None:
        raise ValueError(f"is no guid: {shown(text)}")
    return guid


_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,10}\s*")


def _parse_choices(text: str) -> Choices | None:
    """Read ``[-1,a,b,-1]``, where -1 only marks the ends, and the plain ``a,b``."""
    if not text:
        return None
    inner = text.strip()
    if inner.startswith("[") and inner.endswith("]"):
        inner = inner[1:-1]
    parts = [part for part in inner.split(",") if part.strip()]
    if not all(_WHOLE.fullmatch(part) for part in parts):
        raise ValueError(f"is no list of choices: {shown(text)}")
    return Choices(tuple(number for number in map(int, parts) if number != -1))


_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?)?(Z|[+-]\d\d:\d\d)?", re.ASCII
)
_EN_US = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d\d)(?::(\d\d))?(?: ([AP]M))?)?", re.IGNORECASE | re.ASCII
)


def parse_moment(text: str) -> datetime:
    """Read a date and time: .NET's round-trip form, or the en-US form of packages from 2019 and before.

    Returns an aware datetime in UTC when the text says ``Z`` or an offset, else a naive one; a ``Moment`` where the
    second's fraction has a seventh digit.

    Raises:
        ValueError: The text is neither.
    """
    stripped = text.strip()
    try:
        if match := _ISO.fullmatch(stripped):
            return _iso_moment(match)
        if match := _EN_US.fullmatch(stripped):
            return _en_us_moment(match)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"is no date and time: {shown(text)}")


def _iso_moment(match: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    micros = int((fraction or "").ljust(6, "0")[:6])
    moment = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micros)
    if zone == "Z":
        moment = moment.replace(tzinfo=UTC)
    elif zone is not None:
        moment = datetime.fromisoformat(moment.isoformat() + zone).astimezone(UTC)
    tenth = int((fraction or "")[6:] or 0)
    return Moment.of(moment, tenth) if tenth else moment


def _en_us_moment(match: re.Match[str]) -> datetime:
    month, day, year, hour, minute, second, half = match.groups()
    hours = int(hour or 0)
    if half:
        if not 1 <= hours <= 12:
            raise ValueError(hours)
        hours = hours % 12 + (12 if half.upper() == "PM" else 0)
    return datetime(int(year), int(month), int(day), hours, int(minute or 0), int(second or 0))


_USUAL_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.0{1,7})?(Z?)", re.ASCII)


def _parse_date(text: str) -> datetime | None:
    """Read a value of a datetime column; nearly all are whole seconds, so those come first."""
    if not text:
        return None
    if match := _USUAL_MOMENT.fullmatch(text):
        try:
            return datetime.fromisoformat(text[:19] + "+00:00" if match[1] else text[:19])
        except ValueError:
            raise ValueError(f"is no date and time: {shown(text)}") from None
    return parse_moment(text)


def _parse_image(text: str) -> str:
    return text


Parser = Callable[[str], Value]
"""Gives the value that a text stands for; None for an empty text where the column does not hold texts."""

PARSERS: dict[ColumnType, Parser] = {
    ColumnType.STRING: decode_html,
    ColumnType.UNKNOWN: decode_html,
    ColumnType.IMAGE: _parse_image,
    ColumnType.BIGINT: _parse_int,
    ColumnType.NUMBER: _parse_int,
    ColumnType.CHOICE: _parse_int,
    ColumnType.STATE: _parse_int,
    ColumnType.STATUS: _parse_int,
    ColumnType.BOOL: _parse_bool,
    ColumnType.DATETIME: _parse_date,
    ColumnType.DECIMAL: _parse_decimal,
    ColumnType.MONEY: _parse_decimal,
    ColumnType.FLOAT: _parse_float,
    ColumnType.GUID: _parse_guid,
    ColumnType.CHOICES: _parse_choices,
}


def shown(text: str) -> str:
    """A text in messages: quoted, and not in all its length."""
    return repr(text if len(text) <= 60 else text[:57] + "…")
