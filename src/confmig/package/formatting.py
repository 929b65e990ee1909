"""How a value stands as text in data.xml; ``text`` is the way back.

Strings are HTML-encoded as .NET's WebUtility does it and then escaped as XML; everything else is plain text in the
invariant culture. Python's ``html`` module is not equivalent: it writes ``'`` another way and leaves U+00A0 to U+00FF
alone. What would be read back as another value is refused.
"""

import math
import re
import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal

from confmig.model.values import Choices, ColumnType, Moment, Value, is_guid
from confmig.package.text import INT64, MOST_DIGITS, shown

_HTML_RARE = re.compile("[\u00a0-\u00ff\U00010000-\U0010ffff\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_XML_RARE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def encode_html(text: str) -> str:
    """Encode as .NET's WebUtility.HtmlEncode does.

    Characters that XML cannot hold become references too: the reader decodes once, so they survive.

    Raises:
        ValueError: It holds half a surrogate pair, which is no character; the message is a sentence without a subject.
    """
    # Most texts need none of it, and HTML needs much of it: a test and a replace are cheaper than a pattern for both.
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if '"' in text:
        text = text.replace('"', "&quot;")
    if "'" in text:
        text = text.replace("'", "&#39;")
    if text.isascii() and (text.isprintable() or _has_only_breaks(text)):
        return text
    return _HTML_RARE.sub(_html_reference, text)


def _has_only_breaks(text: str) -> bool:
    """Whether nothing but line breaks and tabs keeps a text from being printable."""
    return text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable()


def _html_reference(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError(f"holds U+{code:04X}, one half of a surrogate pair, which is no character")
    return f"&#{code};"


def escape_xml(text: str) -> str:
    """Escape for an attribute as .NET's XmlWriter does: line breaks and tabs as references, or parsers lose them.

    A character that XML cannot hold becomes U+FFFD. Values never meet that, since HTML encoding comes first; names that
    are there for people do, of rows that a lookup points to and of tables.
    """
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if '"' in text:
        text = text.replace('"', "&quot;")
    if text.isprintable():
        return text
    return _XML_RARE.sub("\ufffd", _escape_breaks(text))


def escape_name(text: str) -> str:
    """The same for a name that must be read as it is: of a table, a column or a file.

    Raises:
        ValueError: It holds what XML cannot; the message is a sentence without a subject.
    """
    if not text.isprintable() and _XML_RARE.search(text):
        raise ValueError(f"has a name with characters that no XML file can hold: {shown(text)}")
    return escape_xml(text)


def _escape_breaks(text: str) -> str:
    return text.replace("\r", "&#xD;").replace("\n", "&#xA;").replace("\t", "&#x9;")


def encode_attribute(text: str) -> str:
    """A string column's text as it stands in an attribute: HTML-encoded, then escaped.

    Raises:
        ValueError: See ``encode_html``.
    """
    encoded = encode_html(text)
    if "&" in encoded:
        encoded = encoded.replace("&", "&amp;")
    return encoded if encoded.isprintable() else _escape_breaks(encoded)


def attributes_text(pairs: Iterable[tuple[str, str | None]]) -> str:
    """Attributes as they stand in a start tag, each with a blank before it; those without a value are left out.

    A name of a namespace, ``{address}name`` as lxml writes it, brings its own declaration.
    """
    return "".join(_attribute(name, value) for name, value in pairs if value is not None)


def _attribute(name: str, value: str) -> str:
    if not name.startswith("{"):
        return f' {name}="{escape_xml(value)}"'
    namespace, _, local = name[1:].partition("}")
    if namespace == "http://www.w3.org/XML/1998/namespace":
        return f' xml:{local}="{escape_xml(value)}"'
    prefix = f"n{zlib.crc32(name.encode()):08x}"
    return f' xmlns:{prefix}="{escape_xml(namespace)}" {prefix}:{local}="{escape_xml(value)}"'


def format_value(kind: ColumnType, value: Value) -> str:
    """The text of a value, before XML escaping; the reverse of ``parse_value``.

    Not for lookups, party lists and files, which are more than one text.

    Raises:
        ValueError: No column of that type holds such a value; the message is a sentence without a subject.
    """
    return FORMATTERS[kind](value)


def format_moment(value: datetime) -> str:
    """The text in .NET's round-trip form: seven digits of a second, ``Z`` when the value names a moment in UTC."""
    tenth = value.tenth if isinstance(value, Moment) else 0
    if value.tzinfo is None:
        return f"{value.isoformat(timespec='microseconds')}{tenth}"
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return f"{value.isoformat(timespec='microseconds')[:26]}{tenth}Z"


def _format_moment(value: Value) -> str:
    if not isinstance(value, datetime):
        raise _misfit(value, "a date and time")
    try:
        return format_moment(value)
    except OverflowError:
        raise ValueError(f"is a time before the year 1 or after 9999 in UTC: {value.isoformat()}") from None


def _format_text(value: Value) -> str:
    if not isinstance(value, str):
        raise _misfit(value, "a text")
    return encode_html(value)


def _format_image(value: Value) -> str:
    if not isinstance(value, str):
        raise _misfit(value, "an image as base64")
    if not value.isprintable() and _XML_RARE.search(value):
        raise ValueError("is no base64: it holds characters that no XML file can hold")
    return value


def _format_guid(value: Value) -> str:
    if not isinstance(value, str):
        raise _misfit(value, "a guid")
    return require_guid(value)


def require_guid(text: str) -> str:
    """The text, which is a guid in lower case with dashes, as every id is that a package holds.

    Raises:
        ValueError: It is not; the message is a sentence without a subject.
    """
    if not is_guid(text):
        raise ValueError(f"is no guid in lower case with dashes: {shown(text)}")
    return text


def _format_int(value: Value) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _misfit(value, "a whole number")
    if not -INT64 <= value < INT64:
        raise ValueError(f"is a number beyond 64 bits: {shown(str(value))}")
    return str(value)


def _format_bool(value: Value) -> str:
    if not isinstance(value, bool):
        raise _misfit(value, "True or False")
    return "True" if value else "False"


def _format_decimal(value: Value) -> str:
    if not isinstance(value, Decimal):
        return _format_int(value)
    if not value.is_finite() or (value and not -MOST_DIGITS <= value.adjusted() <= MOST_DIGITS):
        raise ValueError(f"is a number out of any column's range: {shown(str(value))}")
    return format(value, "f")


def _format_float(value: Value) -> str:
    """The shortest text that reads back as the same number, as .NET writes it: ``234``, ``1.125``, ``1E+16``."""
    if not isinstance(value, float):
        return _format_int(value)
    if not math.isfinite(value):
        raise ValueError(f"is no number: {value}")
    text = repr(value)
    if "e" in text:
        mantissa, exponent = text.split("e")
        return f"{mantissa.removesuffix('.0')}E{int(exponent):+03d}"
    return text.removesuffix(".0")


def _format_choices(value: Value) -> str:
    if not isinstance(value, Choices):
        raise _misfit(value, "a set of choices")
    if -1 in value.options:
        raise ValueError("holds the choice -1, which only marks the ends of the list in a package")
    return "[" + ",".join(map(str, (-1, *value.options, -1))) + "]"


def _misfit(value: Value, wanted: str) -> ValueError:
    return ValueError(f"is not {wanted}: {shown(str(value))}")


FORMATTERS: dict[ColumnType, Callable[[Value], str]] = {
    ColumnType.BIGINT: _format_int,
    ColumnType.NUMBER: _format_int,
    ColumnType.CHOICE: _format_int,
    ColumnType.STATE: _format_int,
    ColumnType.STATUS: _format_int,
    ColumnType.DECIMAL: _format_decimal,
    ColumnType.MONEY: _format_decimal,
    ColumnType.FLOAT: _format_float,
    ColumnType.BOOL: _format_bool,
    ColumnType.DATETIME: _format_moment,
    ColumnType.GUID: _format_guid,
    ColumnType.CHOICES: _format_choices,
    ColumnType.IMAGE: _format_image,
    ColumnType.STRING: _format_text,
    ColumnType.UNKNOWN: _format_text,
}
"""How a value of each type is written; lookups, party lists and files are more than one text."""
