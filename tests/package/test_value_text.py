"""How values stand as text in data.xml: .NET's forms."""

import html.entities
import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from confmig.model.values import Choices, ColumnType, FileRef, Lookup, Parties, Value
from confmig.package.formatting import encode_attribute, encode_html, escape_xml, format_moment, format_value
from confmig.package.text import column_type, decode_html, parse_moment, parse_value

from .helpers import ID1
from .strategies import VALUES, texts, xml_texts

T = ColumnType
_HALF_PAST = datetime(2026, 3, 11, 10, 30, tzinfo=UTC)

CANONICAL: list[tuple[ColumnType, str, Value]] = [
    (T.STRING, "plain", "plain"),
    (T.STRING, "", ""),
    (T.STRING, "  padded ", "  padded "),
    (T.STRING, "Root &lt;&quot;&#233;", 'Root <"é'),
    (T.UNKNOWN, "a &amp; b", "a & b"),
    (T.IMAGE, "iVBORw0KGgo=", "iVBORw0KGgo="),
    (T.NUMBER, "42", 42),
    (T.NUMBER, "-7", -7),
    (T.BIGINT, "9223372036854775807", 9223372036854775807),
    (T.CHOICE, "330650000", 330650000),
    (T.STATE, "0", 0),
    (T.STATUS, "2", 2),
    (T.DECIMAL, "1.2500000000", Decimal("1.2500000000")),
    (T.MONEY, "11.5000000000", Decimal("11.5000000000")),
    (T.MONEY, "0.0000", Decimal("0.0000")),
    (T.MONEY, "1234567890123456789.1234", Decimal("1234567890123456789.1234")),
    (T.MONEY, "-922337203685477.5808", Decimal("-922337203685477.5808")),
    (T.FLOAT, "1.125", 1.125),
    (T.FLOAT, "234", 234.0),
    (T.FLOAT, "2223.45", 2223.45),
    (T.FLOAT, "-0.1", -0.1),
    (T.FLOAT, "1E+16", 1e16),
    (T.FLOAT, "1E-05", 1e-5),
    (T.BOOL, "True", True),
    (T.BOOL, "False", False),
    (T.DATETIME, "2026-03-11T10:30:00.0000000Z", _HALF_PAST),
    (T.DATETIME, "2026-03-11T10:30:00.0000000", _HALF_PAST.replace(tzinfo=None)),
    (T.DATETIME, "2026-03-11T10:30:00.1234560Z", _HALF_PAST.replace(microsecond=123456)),
    (T.DATETIME, "0001-01-01T00:00:00.0000000Z", datetime(1, 1, 1, tzinfo=UTC)),
    (T.GUID, ID1, ID1),
    (T.CHOICES, "[-1,71000010,71000012,-1]", Choices((71000010, 71000012))),
    (T.CHOICES, "[-1,-1]", Choices(())),
]

TOLERATED: list[tuple[ColumnType, str, Value]] = [
    (T.STRING, "<not> 'encoded' é", "<not> 'encoded' é"),
    (T.BOOL, "true", True),
    (T.BOOL, "FALSE", False),
    (T.BOOL, "0", False),
    (T.NUMBER, " 42 ", 42),
    (T.MONEY, "2.50", Decimal("2.50")),
    (T.GUID, "{11111111-1111-4111-8111-111111111111}", ID1),
    (T.CHOICES, "1,2", Choices((1, 2))),
    (T.DATETIME, "6/12/2017 9:45:00 AM", datetime(2017, 6, 12, 9, 45)),
    (T.DATETIME, "12/19/2017 4:57:00 PM", datetime(2017, 12, 19, 16, 57)),
    (T.DATETIME, "4/29/2019 12:09:57 PM", datetime(2019, 4, 29, 12, 9, 57)),
    (T.DATETIME, "4/29/2019 12:09:57 AM", datetime(2019, 4, 29, 0, 9, 57)),
    (T.DATETIME, "4/29/2019", datetime(2019, 4, 29)),
    (T.DATETIME, "2026-03-11T10:30:00Z", _HALF_PAST),
    (T.DATETIME, "2026-03-11T10:30:00", _HALF_PAST.replace(tzinfo=None)),
    (T.DATETIME, "2026-03-11", datetime(2026, 3, 11)),
    (T.DATETIME, "2026-03-11T12:30:00+02:00", _HALF_PAST),
    (T.DATETIME, "2026-03-11T10:30:00.1234560Z", _HALF_PAST.replace(microsecond=123456)),
    (T.DATETIME, "2026-03-11T10:30:00.123456", _HALF_PAST.replace(microsecond=123456, tzinfo=None)),
]

MALFORMED = [
    (T.NUMBER, "x"),
    (T.NUMBER, "1.5"),
    (T.NUMBER, "1,000"),
    (T.NUMBER, "1_000"),
    (T.NUMBER, "٤٢"),
    (T.BIGINT, "1E+99999"),
    (T.CHOICE, "1.5"),
    (T.STATE, "Active"),
    (T.STATUS, "[-1,1,-1]"),
    (T.MONEY, "1,5"),
    (T.MONEY, "€5"),
    (T.MONEY, "NaN"),
    (T.MONEY, "Infinity"),
    (T.MONEY, "1_0.5"),
    (T.MONEY, "1E+99999"),
    (T.DECIMAL, "1.2.3"),
    (T.DECIMAL, "-"),
    (T.FLOAT, "inf"),
    (T.FLOAT, "nan"),
    (T.FLOAT, "1E400"),
    (T.BOOL, "yes"),
    (T.BOOL, "2"),
    (T.DATETIME, "tomorrow"),
    (T.DATETIME, "2019-13-01T00:00:00Z"),
    (T.DATETIME, "2019-02-29T00:00:00Z"),
    (T.DATETIME, "2019-01-01T25:00:00Z"),
    (T.DATETIME, "29/4/2019 8:00:00 PM"),
    (T.DATETIME, "4/29/2019 13:00:00 PM"),
    (T.DATETIME, "4/29/2019 0:00:00 AM"),
    (T.DATETIME, "0001-01-01T00:00:00+14:00"),
    (T.DATETIME, "9999-12-31T23:59:59-14:00"),
    (T.GUID, "1234"),
    (T.GUID, "{}"),
    (T.CHOICES, "[1;2]"),
    (T.CHOICES, "red"),
    (T.CHOICES, "[-1,1.5,-1]"),
]


@pytest.mark.parametrize(("kind", "text", "value"), [*CANONICAL, *TOLERATED])
def test_a_text_stands_for_its_value(kind: ColumnType, text: str, value: Value) -> None:
    parsed = parse_value(kind, text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(("kind", "text", "value"), CANONICAL)
def test_a_value_is_written_as_dotnet_writes_it(kind: ColumnType, text: str, value: Value) -> None:
    assert format_value(kind, value) == text


@pytest.mark.parametrize(("kind", "text"), MALFORMED)
def test_a_malformed_value_is_refused_with_a_sentence_that_shows_it(kind: ColumnType, text: str) -> None:
    with pytest.raises(ValueError, match=r"^is n") as caught:
        parse_value(kind, text)
    assert repr(text) in str(caught.value)


def test_a_long_malformed_value_is_shown_in_short() -> None:
    with pytest.raises(ValueError, match="is no") as caught:
        parse_value(T.NUMBER, "x" * 100_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "kind",
    [kind for kind in ColumnType if kind not in {T.LOOKUP, T.OWNER, T.PARTIES, T.FILE, T.STRING, T.UNKNOWN, T.IMAGE}],
)
def test_an_empty_text_of_a_type_that_is_not_text_is_no_value(kind: ColumnType) -> None:
    assert parse_value(kind, "") is None


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from([kind for kind in ColumnType if kind not in {T.LOOKUP, T.OWNER, T.PARTIES, T.FILE}]).flatmap(
        lambda kind: st.tuples(st.just(kind), VALUES[kind])
    )
)
def test_every_value_survives_as_text(case: tuple[ColumnType, Value]) -> None:
    kind, value = case
    assert not isinstance(value, Lookup | Parties | FileRef)
    parsed = parse_value(kind, format_value(kind, value))
    assert parsed == value
    assert type(parsed) is type(value)


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**19), max_value=10**19, places=10))
def test_a_decimal_keeps_all_its_digits_and_its_scale_as_text(number: Decimal) -> None:
    parsed = parse_value(T.DECIMAL, format_value(T.DECIMAL, number))
    assert isinstance(parsed, Decimal)
    assert parsed.as_tuple() == number.as_tuple()


@settings(deadline=None)
@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_has_seven_digits_of_a_second_and_a_z(moment: datetime) -> None:
    text = format_moment(moment)
    assert len(text) == len("2026-03-11T10:30:00.0000000Z")
    assert parse_moment(text) == moment


ENCODED = [
    ("&<>\"'", "&amp;&lt;&gt;&quot;&#39;"),
    ("é", "&#233;"),
    ("\u00a0\u00ff", "&#160;&#255;"),
    ("\u009f\u0100€ж漢", "\u009f\u0100€ж漢"),
    ("😀", "&#128512;"),
    ("&lt;", "&amp;lt;"),
    ("line\r\nline\ttab", "line\r\nline\ttab"),
]


@pytest.mark.parametrize(("plain", "encoded"), ENCODED)
def test_html_is_encoded_as_dotnet_encodes_it(plain: str, encoded: str) -> None:
    assert encode_html(plain) == encoded
    assert decode_html(encoded) == plain


@pytest.mark.parametrize(
    ("encoded", "plain"),
    [
        ("&amp;lt;", "&lt;"),
        ("&nbsp;", "\u00a0"),
        ("&eacute;", "é"),
        ("&apos;", "'"),
        ("&#x27;&#X27;", "''"),
        ("&#128512;", "😀"),
        ("&amp", "&amp"),
        ("&bogus;", "&bogus;"),
        ("a & b; c", "a & b; c"),
        ("&#xD800;", "&#xD800;"),
        ("&#1114112;", "&#1114112;"),
        ("&;&#;&#x;", "&;&#;&#x;"),
    ],
)
def test_html_is_decoded_once_and_only_where_a_reference_names_a_character(encoded: str, plain: str) -> None:
    assert decode_html(encoded) == plain


@settings(deadline=None, max_examples=500)
@given(texts)
def test_every_text_survives_html_encoding(text: str) -> None:
    assert decode_html(encode_html(text)) == text


@settings(deadline=None, max_examples=300)
@given(texts)
def test_every_text_survives_html_encoding_within_an_xml_attribute(text: str) -> None:
    assert encode_attribute(text) == escape_xml(encode_html(text))
    element = etree.fromstring(f'<field value="{encode_attribute(text)}" />')
    assert decode_html(element.get("value", "")) == text


@settings(deadline=None)
@given(xml_texts)
def test_every_text_that_xml_can_hold_survives_escaping_alone(text: str) -> None:
    assert etree.fromstring(f'<field value="{escape_xml(text)}" />').get("value") == text


def test_line_breaks_and_tabs_are_escaped_as_dotnets_xml_writer_escapes_them() -> None:
    assert escape_xml("a\r\nb\tc") == "a&#xD;&#xA;b&#x9;c"


@pytest.mark.parametrize("kind", list(ColumnType))
def test_every_word_of_the_format_names_its_type(kind: ColumnType) -> None:
    assert column_type(kind.value) is kind


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("integer", T.NUMBER),
        ("double", T.FLOAT),
        ("memo", T.STRING),
        ("picklist", T.CHOICE),
        ("lookup", T.LOOKUP),
        ("customer", T.LOOKUP),
        ("file", T.FILE),
        ("Unknown", T.UNKNOWN),
        ("nonsense", T.UNKNOWN),
    ],
)
def test_the_words_of_other_tools_are_understood_and_the_rest_is_unknown(word: str, kind: ColumnType) -> None:
    assert column_type(word) is kind


def _decoded_slowly(text: str) -> str:
    """Each reference by itself, from the left, by Python's table of the names that HTML 4 has."""

    def character(match: re.Match[str]) -> str:
        name = match[1]
        if name == "apos":
            return "'"
        if name[0] != "#":
            code = html.entities.name2codepoint.get(name)
        else:
            code = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
        return match[0] if code is None or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF else chr(code)

    return re.sub("&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]*);", character, text)


@given(
    st.lists(
        st.sampled_from(
            [*"&;#x<>\"' amp", "&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&#233;", "&eacute;", "&#xE9;", "lt;"]
        ),
        max_size=12,
    ).map("".join)
)
def test_decoding_at_once_is_decoding_each_reference(text: str) -> None:
    assert decode_html(text) == _decoded_slowly(text)
