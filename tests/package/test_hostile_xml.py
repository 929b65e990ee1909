"""data.xml and data_schema.xml made to do harm, or damaged: refused with file, line and reason, in bounded memory."""

import contextlib
import tracemalloc
from pathlib import Path

import pytest

from confmig.errors import PackageError
from confmig.model.records import Association, Record
from confmig.package.limits import LIMITS, Limits
from confmig.package.package import Package
from confmig.package.schemafile import parse_schema

from .helpers import ID1, ID2, SCHEMA, document, events_of, make_folder, records_of, refusal_of, row, table

_FIELD = '<field name="name" value="x" />'
_MB = 1024**2


def _refusal(path: Path, limits: Limits = LIMITS) -> PackageError:
    with pytest.raises(PackageError) as caught, Package(path, limits) as package:
        list(package.rows())
    return caught.value


def _schema_refusal(data: str | bytes, limits: Limits = LIMITS) -> PackageError:
    with pytest.raises(PackageError) as caught:
        parse_schema(data if isinstance(data, bytes) else data.encode(), "data_schema.xml", limits=limits)
    return caught.value


_BOMBS = [
    '<!DOCTYPE e [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    f'<!DOCTYPE e [<!ENTITY a "{"x" * 100_000}">]>',
    "<!DOCTYPE e [<!ENTITY % p \"<!ENTITY b 'x'>\">%p;]>",
    '<!DOCTYPE e [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE e SYSTEM "http://127.0.0.1:9/x.dtd">',
    '<!DOCTYPE e PUBLIC "-//x//y" "x.dtd">',
    '<!DOCTYPE e [<!ATTLIST entities timestamp CDATA "2020">]>',
    "<!DOCTYPE e>",
]


@pytest.mark.parametrize("doctype", _BOMBS)
@pytest.mark.parametrize(
    "before", ["", "\r\n", "<!-- <entities> -->\n", "<?t <entities> ?>", f"<!--{'-x' * 400_000}-->"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_a_document_type_is_refused_wherever_it_stands_and_in_any_encoding(
    tmp_path: Path, doctype: str, before: str, encoding: str
) -> None:
    if encoding == "utf-16-le":
        before = before.lstrip()
    body = f"{before}{doctype}<entities>&b;</entities>".encode(encoding)
    for message in (refusal_of(make_folder(tmp_path, body)), _schema_refusal(body).message):
        assert "document type" in message
        assert f"line {before.count(chr(10)) + 1}:" in message


def test_a_document_type_after_the_root_has_begun_is_no_xml(tmp_path: Path) -> None:
    assert "line 2: this is no well-formed XML" in refusal_of(
        make_folder(tmp_path, "<entities>\n<!DOCTYPE e></entities>")
    )


@pytest.mark.parametrize("text", ["&undefined;", '<a b="&undefined;" />'])
def test_an_entity_that_nothing_declares_is_refused(tmp_path: Path, text: str) -> None:
    assert "undefined entity" in refusal_of(make_folder(tmp_path, f"<entities>{text}</entities>"))


def _peak_of(path: Path, limits: Limits) -> float:
    """How many MB refusing a package takes."""
    tracemalloc.start()
    try:
        _refusal(path, limits)
        return tracemalloc.get_traced_memory()[1] / _MB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("opening", "filler", "closing"),
    [
        ('<field name="name" value="', "x", '" />'),
        ('<field name="name" value="', "&amp;amp;", '" />'),
        ('<field name="', "x", '" value="" />'),
        ("<!--", "x", "-->"),
        ("<?target ", "x", "?>"),
        ("<note>", "x", "</note>"),
        ("<note>", "<a/>", "</note>"),
        ("<", "x", " />"),
    ],
)
def test_a_piece_of_more_than_the_limit_is_refused_before_all_of_it_is_read(
    tmp_path: Path, opening: str, filler: str, closing: str
) -> None:
    huge = opening + filler * (40 * _MB // len(filler)) + closing
    path = make_folder(tmp_path, "\n" + document(table("\n" + row(huge))))
    assert _peak_of(path, Limits(value=_MB)) < 12
    error = _refusal(path)
    assert "data.xml, line 3" in error.message
    assert f"{8 * _MB:,} characters (limit: value)" in error.message
    assert "--package-limits value=" in error.hint


@pytest.mark.parametrize("length", [101, 5_000, 3 * _MB])
def test_a_value_just_beyond_the_limit_is_refused_and_one_at_it_is_read(tmp_path: Path, length: int) -> None:
    field = f'<field name="name" value="{"x" * length}" />'
    path = make_folder(tmp_path, document(table(row(field))))
    error = _refusal(path, Limits(value=length - 1))
    assert f"line 1: table item, row {ID1}, column name: the value has more than {length - 1:,}" in error.message
    with Package(path, Limits(value=length)) as package:
        assert sum(isinstance(event, Record) for event in package.rows()) == 1


def test_the_name_of_a_lookup_is_a_value_too(tmp_path: Path) -> None:
    field = f'<field name="parentid" value="{ID2}" lookupentity="item" lookupentityname="{"x" * 200}" />'
    assert "limit: value" in _refusal(make_folder(tmp_path, document(table(row(field)))), Limits(value=199)).message


@pytest.mark.parametrize("count", [10_001, 100_000])
def test_too_many_tables_are_refused_in_the_schema_and_in_the_rows(tmp_path: Path, count: int) -> None:
    names = [f"t{number}" for number in range(count)]
    entities = "\n".join(f'<entity name="{name}"><fields /></entity>' for name in names)
    error = _schema_refusal(f"<entities>\n{entities}</entities>")
    assert "line 10002: there are more than 10,000 tables" in error.message
    assert "--package-limits tables=" in error.hint
    error = _refusal(
        make_folder(tmp_path, "\n".join(["<entities>", *(table("", name) for name in names), "</entities>"]))
    )
    assert "data.xml, line 10002: there are more than 10,000 tables" in error.message


def test_the_tables_of_all_files_count(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, document())
    for number in range(4):
        (folder / f"t{number}_data.xml").write_text(table("", f"t{number}"))
    assert "more than 3 tables" in _refusal(folder, Limits(tables=3)).message
    with Package(folder, Limits(tables=4)) as package:
        assert len(list(package.rows())) == 4


@pytest.mark.parametrize("tag", ["note", "entities", "records", "targetids", "entity name='item'"])
def test_elements_deep_in_each_other_are_refused(tmp_path: Path, tag: str) -> None:
    name = tag.split()[0]
    deep = f"<{tag}>" * 200_000 + f"</{name}>" * 200_000
    for inner in (deep, table(row(deep)), table(row(f'<field name="to" value=""><activitypointerrecords>{deep}'))):
        with contextlib.suppress(RecursionError):
            assert "line 1" in refusal_of(make_folder(tmp_path, f"<entities>{inner}"))
    assert "deep" in _schema_refusal(f"<entities>{deep}").message


@pytest.mark.parametrize("place", ["<note {} />", '<field name="name" value="x" {} />'])
def test_an_element_with_very_many_attributes_is_refused(tmp_path: Path, place: str) -> None:
    many = place.format(" ".join(f'a{number}=""' for number in range(1_500)))
    assert "more than 1,000 attributes" in refusal_of(make_folder(tmp_path, document(table(row(many)))))
    assert "more than 1,000 attributes" in _schema_refusal(f"<entities>{many}</entities>").message


def test_endlessly_many_names_of_elements_are_refused(tmp_path: Path) -> None:
    notes = "".join(f"<n{number} />" for number in range(150_000))
    assert "different names" in refusal_of(make_folder(tmp_path, document(table(row(notes)))))


def test_a_row_with_very_many_columns_or_parties_is_refused(tmp_path: Path) -> None:
    fields = "".join(f'<field name="c{number}" value="" />' for number in range(11_000))
    assert "more than 10,000 columns" in refusal_of(make_folder(tmp_path, document(table(row(fields)))))
    parties = '<field name="to" value="">' + "<activitypointerrecords />" * 11_000 + "</field>"
    assert "more than 10,000 parties" in refusal_of(make_folder(tmp_path, document(table(row(parties)))))


def test_an_association_with_very_many_targets_is_given_in_parts(tmp_path: Path) -> None:
    targets = "".join(f"<targetid>{number:08}-0000-4000-8000-000000000000</targetid>" for number in range(12_000))
    text = (
        f'<m2mrelationship sourceid="{ID1}" targetentityname="tag" targetentitynameidfield="tagid"'
        f' m2mrelationshipname="item_tag"><targetids>{targets}</targetids></m2mrelationship>'
    )
    events = events_of(make_folder(tmp_path, document(table("", associations=text))))
    found = [event for event in events if isinstance(event, Association)]
    assert max(len(event.targets) for event in found) == 5_000
    assert len({target for event in found for target in event.targets}) == 12_000


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x08", "\x0b", "\x1f", "\ufffe"])
def test_a_control_character_is_refused_as_it_stands_and_as_a_reference(tmp_path: Path, character: str) -> None:
    for text in (character, f"&#{ord(character)};", f"&#x{ord(character):X};"):
        data = (
            f'<entities>\n<entity name="item"><records>\n{row(_FIELD.replace("x", text))}</records></entity></entities>'
        )
        assert "data.xml, line 3: this is no well-formed XML" in refusal_of(make_folder(tmp_path, data))
        assert (
            "line 2: this is no well-formed XML" in _schema_refusal(f"<entities>\n<a b='{text}' /></entities>").message
        )


def test_a_control_character_is_named(tmp_path: Path) -> None:
    assert "control character 0x0B" in refusal_of(make_folder(tmp_path, "<entities>\x0b</entities>"))


@pytest.mark.parametrize("reference", ["&#xD800;", "&#x110000;", "&#99999999999;", "&#-1;", "&#x;"])
def test_a_reference_to_no_character_is_refused(tmp_path: Path, reference: str) -> None:
    assert "no well-formed XML" in refusal_of(make_folder(tmp_path, f"<entities a='{reference}' />"))


_TEXT = document(table(row('<field name="name" value="Égalité €" />')))


@pytest.mark.parametrize(
    ("declared", "used"),
    [
        ("", "utf-8"),
        ("", "utf-8-sig"),
        ("utf-8", "utf-8"),
        ("utf-16", "utf-8"),
        ("UTF-16", "utf-8-sig"),
        ("unicode", "utf-8"),
        ("", "utf-16"),
        ("utf-16", "utf-16"),
        ("", "utf-16-le"),
        ("utf-16", "utf-16-be"),
        ("windows-1252", "windows-1252"),
        ("iso-8859-15", "iso-8859-15"),
    ],
)
def test_an_encoding_that_is_what_it_says_is_read(tmp_path: Path, declared: str, used: str) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    (record,) = records_of(make_folder(tmp_path / "rows", (head + _TEXT).encode(used)))
    assert record.values["name"] == "Égalité €"
    schema = (head + SCHEMA.replace('displayname="Name"', 'displayname="Égalité €"')).encode(used)
    found = parse_schema(schema, "s").table("item")
    assert found is not None
    assert found.columns[1].display_name == "Égalité €"


@pytest.mark.parametrize(
    ("declared", "used"),
    [
        ("", "windows-1252"),
        ("utf-8", "windows-1252"),
        ("utf-16", "windows-1252"),
        ("utf-8", "utf-16"),
        ("", "utf-32"),
        ("utf-32", "utf-32-le"),
        ("", "utf-32-be"),
        ("shift-jis", "utf-8"),
        ("no-such-encoding", "utf-8"),
        ("utf-7", "utf-7"),
    ],
)
def test_an_encoding_that_is_another_than_it_says_or_is_none_is_refused(
    tmp_path: Path, declared: str, used: str
) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    data = (head + _TEXT).encode(used)
    assert "data.xml" in refusal_of(make_folder(tmp_path, data))
    assert "data_schema.xml" in _schema_refusal(data).message


def test_bytes_that_are_not_utf_8_are_named_with_their_line(tmp_path: Path) -> None:
    data = _TEXT.replace("<records>", "<records>\n\n").encode("windows-1252")
    assert "data.xml, line 3: this is no well-formed XML: the byte 0xC9" in refusal_of(make_folder(tmp_path, data))


def test_a_file_that_was_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = document(table(row('<field name="name" value="x" />'), associations="<!-- c -->")).encode()
    for size in range(len(whole)):
        assert "data.xml" in refusal_of(make_folder(tmp_path, whole[:size]))
    for size in range(len(SCHEMA)):
        assert "data_schema.xml" in _schema_refusal(SCHEMA[:size]).message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (table(row('<field name="count" value="many" />')), f"line 4: table item, row {ID1}, column count: the value"),
        (table(row('<field name="name" value="a" /><field name="name" value="b" />')), "line 4: table item"),
        (table('<record id="77" />'), "line 4: table item: the id of a row is no guid"),
        (table(row("text")), "line 4: text stands where"),
        (table(row('<field name="name" value="x">text</field>')), "line 4: text stands where"),
        (table(row('<field value="x" />')), "line 4: a <field> of item has no name"),
        ('<entity name="item"><field name="name" value="x" /></entity>', "line 4: a <field> stands outside"),
        ("<entity />", "line 4: an <entity> has no name"),
        ("<record />", "line 4: a row stands outside"),
        ("<targetid>x</targetid>", "line 4: a <targetid> stands outside"),
        ('<entity name="item"><entity name="tag" /></entity>', "line 4: a table stands within table item"),
    ],
)
def test_a_refusal_names_the_line(tmp_path: Path, text: str, reason: str) -> None:
    path = make_folder(tmp_path, f"\r\n<entities>\r\n<!-- a\r\n comment -->{text}</entities>".replace("\r\n<!", "<!"))
    message = refusal_of(path)
    assert "data.xml, line" in message
    assert reason.replace("line 4", "line 3") in message


def test_the_line_of_a_schema_is_right_beyond_65535(tmp_path: Path) -> None:
    lines = "\n" * 70_000
    assert "line 70002:" in _schema_refusal(f"<entities>\n{lines}<entity /></entities>").message


def test_a_schema_beyond_all_reason_is_refused(tmp_path: Path) -> None:
    path = make_folder(tmp_path, document(), b"<entities>" + b" " * (33 * _MB) + b"</entities>")
    assert "data_schema.xml: the file has more than" in refusal_of(path)
