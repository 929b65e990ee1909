"""data_schema.xml: parsed, refused, and written as CMT writes it."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from lxml import etree

from confmig.errors import PackageError
from confmig.model.schema import Column, DateMode, Relationship, Schema, Table
from confmig.model.values import ColumnType
from confmig.package.comparing import compare_schemas
from confmig.package.package import Package, read_schema
from confmig.package.schemafile import parse_schema, write_schema

from .helpers import SCHEMA, document, make_folder
from .strategies import schemas

_FETCH = (
    '<fetch><entity name="item"><filter><condition attribute="name" operator="eq" value="a &amp; b" /></filter>'
    "</entity></fetch>"
)


def _parse(text: str) -> Schema:
    return parse_schema(text.encode(), "data_schema.xml")


def _table(inner: str = "<fields />", attributes: str = 'name="item" primaryidfield="itemid"') -> Table:
    return _parse(f"<entities><entity {attributes}>{inner}</entity></entities>").tables[0]


def _column(attributes: str) -> Column:
    return _table(f"<fields><field {attributes} /></fields>").columns[0]


def _refusal(text: str | bytes) -> str:
    with pytest.raises(PackageError) as caught:
        parse_schema(text if isinstance(text, bytes) else text.encode(), "data_schema.xml")
    return caught.value.message


def test_a_real_schema_says_the_same_after_it_was_written(corpus_schema: Path) -> None:
    schema = parse_schema(corpus_schema.read_bytes(), corpus_schema.name)
    written = write_schema(schema)
    assert parse_schema(written, "written") == schema
    assert write_schema(parse_schema(written, "written")) == written


def test_the_schema_of_a_real_package_says_the_same_after_it_was_written(corpus_package: Path) -> None:
    with Package(corpus_package) as package:
        written = write_schema(package.schema)
        assert list(compare_schemas(package.schema, parse_schema(written, "written"))) == []
    assert write_schema(parse_schema(written, "written")) == written


def _bare(schema: bytes) -> bytes:
    """The lines without indentation, as hands edited it, and without the empty elements that some builds leave out."""
    plain = re.sub(rb' skipupdate="false"|<(?:relationships|filter) />', b"", schema)
    return b"\n".join(filter(None, map(bytes.strip, plain.splitlines())))


def test_a_schema_of_cmt_is_written_as_cmt_wrote_it(recent_package: Path) -> None:
    with Package(recent_package) as package:
        assert _bare(write_schema(package.schema)) == _bare(package.schema_bytes)


@settings(deadline=None)
@given(schemas())
def test_every_schema_says_the_same_after_it_was_written(schema: Schema) -> None:
    parsed = parse_schema(write_schema(schema), "written")
    again = parse_schema(write_schema(parsed), "written")
    assert again == parsed
    assert (parsed.import_order, parsed.date_mode) == (schema.import_order, schema.date_mode)
    for left, right in zip(parsed.tables, schema.tables, strict=True):
        assert left.columns == right.columns
        assert (left.name, left.primary_id, left.primary_name) == (right.name, right.primary_id, right.primary_name)
        assert (left.display_name, left.object_type_code) == (right.display_name, right.object_type_code)
        assert (left.disable_plugins, left.skip_update) == (right.disable_plugins, right.skip_update)
        assert (left.force_create, left.filter) == (right.force_create, right.filter)
        assert [(one.name, one.reflexive, one.target, one.target_primary_id) for one in left.many_to_many] == [
            (one.name, one.reflexive, one.target, one.target_primary_id) for one in right.many_to_many
        ]


def test_a_written_schema_has_the_bytes_of_cmt() -> None:
    schema = Schema(
        (
            Table(
                "item",
                "itemid",
                (
                    Column("itemid", ColumnType.GUID, "Item", "guid", primary_key=True),
                    Column("code", ColumnType.STRING, "Code & <more>", "string", compare=True, custom=True),
                    Column("due", ColumnType.DATETIME, "Due", "datetime", date_mode=DateMode.RELATIVE_DAILY),
                    Column("who", ColumnType.LOOKUP, "Who", "entityreference", targets=("account", "contact")),
                ),
                "Item",
                "10001",
                "name",
                skip_update=True,
                relationships=(Relationship("item_tag", True, False, "tag", "tagid"),),
                filter="<fetch />",
            ),
        ),
        ("item",),
        DateMode.RELATIVE,
    )
    assert write_schema(schema).decode().split("\r\n") == [
        '<entities  dateMode="relative">',
        '  <entity name="item" displayname="Item" etc="10001" primaryidfield="itemid" primarynamefield="name"'
        ' disableplugins="false" skipupdate="true">',
        "    <fields>",
        '      <field displayname="Item" name="itemid" type="guid" primaryKey="true" />',
        '      <field updateCompare="true" displayname="Code &amp; &lt;more&gt;" name="code" type="string"'
        ' customfield="true" />',
        '      <field displayname="Due" name="due" type="datetime" dateMode="relativeDaily" />',
        '      <field displayname="Who" name="who" type="entityreference" lookupType="account|contact" />',
        "    </fields>",
        "    <relationships>",
        '      <relationship name="item_tag" manyToMany="true" isreflexive="false" relatedEntityName="item_tag"'
        ' m2mTargetEntity="tag" m2mTargetEntityPrimaryKey="tagid" />',
        "    </relationships>",
        "    <filter>&lt;fetch /&gt;</filter>",
        "  </entity>",
        "  <entityImportOrder>",
        "    <entityName>item</entityName>",
        "  </entityImportOrder>",
        "</entities>",
    ]


def test_a_schema_without_a_date_mode_begins_with_the_odd_blank_of_cmt() -> None:
    assert write_schema(Schema(())) == b"<entities >\r\n</entities>"


@pytest.mark.parametrize(
    "text",
    [
        '<entities kept="yes" />',
        "<entities><kept>yes</kept></entities>",
        '<entities><entity name="item" kept="yes"><fields /></entity></entities>',
        '<entities><entity name="item"><fields /><kept>yes</kept></entity></entities>',
        '<entities><entity name="item"><fields><field name="a" type="string" kept="yes" /></fields>'
        "</entity></entities>",
        '<entities><entity name="item"><fields /><relationships><relationship name="r" kept="yes" /></relationships>'
        "</entity></entities>",
        '<entities><entity name="item"><fields /><relationships><relationship name="r"><fields>'
        '<field name="kept" type="guid" /></fields></relationship></relationships></entity></entities>',
        '<entities xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:kept="yes" />',
        '<entities><entity name="item" xml:kept="yes"><fields /></entity></entities>',
    ],
)
def test_what_is_not_known_is_kept(text: str) -> None:
    schema = _parse(text)
    written = write_schema(schema)
    assert b"kept" in written
    assert parse_schema(written, "written") == schema


@pytest.mark.parametrize("targets", ["*", "account|*"])
def test_a_lookup_to_any_table_is_written_as_one(targets: str) -> None:
    schema = _parse(
        f'<entities><entity name="item"><fields><field name="a" type="entityreference" lookupType="{targets}" />'
        "</fields></entity></entities>"
    )
    assert f'lookupType="{targets}"'.encode() in write_schema(schema)


def test_a_type_of_another_tool_keeps_its_word_when_written() -> None:
    text = '<entities><entity name="item"><fields><field name="a" type="memo" /></fields></entity></entities>'
    assert b'type="memo"' in write_schema(_parse(text))
    assert _column('name="a" type="memo"').type is ColumnType.STRING


@pytest.mark.parametrize(
    "inner",
    [
        f"<filter>{_FETCH.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}</filter>",
        f"<filter>\n      {_FETCH.replace('&', '&amp;').replace('<', '&lt;')}\n    </filter>",
        f"<filter><![CDATA[{_FETCH}]]></filter>",
        f"<filter><!-- only some -->{_FETCH.replace('&', '&amp;').replace('<', '&lt;')}</filter>",
    ],
)
def test_a_filter_as_text_is_its_fetch_xml(inner: str) -> None:
    assert _table(f"<fields />{inner}").filter == _FETCH


def test_a_filter_as_nested_elements_is_the_same_fetch_xml() -> None:
    found = _table(f"<fields /><filter>{_FETCH}</filter>").filter
    assert found is not None
    assert etree.tostring(etree.fromstring(found), method="c14n") == etree.tostring(
        etree.fromstring(_FETCH), method="c14n"
    )


def test_a_nested_filter_is_written_as_text() -> None:
    schema = _parse(f'<entities><entity name="item"><fields /><filter>{_FETCH}</filter></entity></entities>')
    assert b"<filter>&lt;fetch&gt;&lt;entity name=" in write_schema(schema)


@pytest.mark.parametrize("inner", ["", "<filter />", "<filter></filter>", "<filter>\n   </filter>"])
def test_an_empty_filter_is_none(inner: str) -> None:
    assert _table(f"<fields />{inner}").filter is None


def test_an_escaped_less_than_within_a_filter_survives_writing() -> None:
    fetch = _FETCH.replace("a &amp; b", "&lt;&quot;&gt;")
    schema = Schema((Table("item", "itemid", (), filter=fetch),))
    assert parse_schema(write_schema(schema), "written").tables[0].filter == fetch


@pytest.mark.parametrize("word", ["True", "TRUE", "yes", "2", "t", "false true"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<entity name="item" disableplugins="', '"><fields /></entity>'),
        ('<entity name="item" skipupdate="', '"><fields /></entity>'),
        ('<entity name="item" forcecreate="', '"><fields /></entity>'),
        ('<entity name="item"><fields><field name="a" type="string" updateCompare="', '" /></fields></entity>'),
        ('<entity name="item"><fields><field name="a" type="string" primaryKey="', '" /></fields></entity>'),
        ('<entity name="item"><fields><field name="a" type="string" customfield="', '" /></fields></entity>'),
        ('<entity name="item"><relationships><relationship name="a" manyToMany="', '" /></relationships></entity>'),
    ],
)
def test_a_wrong_boolean_is_refused_with_its_line_and_attribute(before: str, after: str, word: str) -> None:
    message = _refusal(f"<entities>\n\n{before}{word}{after}</entities>")
    assert "data_schema.xml, line 3" in message
    assert repr(word) in message
    assert before.rsplit(" ", 1)[1].removesuffix('="') in message


@pytest.mark.parametrize(("word", "meant"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_the_booleans_of_the_xml_serializer_are_read(word: str, meant: bool) -> None:
    assert _column(f'name="a" type="string" updateCompare="{word}"').compare is meant


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<entities>\n<entity><fields /></entity></entities>", "<entity> has no name"),
        ('<entities>\n<entity name=" "><fields /></entity></entities>', "<entity> has no name"),
        (
            '<entities>\n<entity name="a"><fields><field type="guid" /></fields></entity></entities>',
            "<field> has no name",
        ),
        (
            '<entities>\n<entity name="a"><relationships><relationship manyToMany="true" /></relationships></entity>'
            "</entities>",
            "<relationship> has no name",
        ),
    ],
)
def test_a_missing_name_is_refused_with_its_line(text: str, what: str) -> None:
    message = _refusal(text)
    assert "data_schema.xml, line 2" in message
    assert what in message


def test_the_line_counts_from_the_first_line_of_the_file_even_when_that_is_empty() -> None:
    assert "line 4" in _refusal("\r\n\r\n<entities>\r\n<entity><fields /></entity></entities>")


@pytest.mark.parametrize("mode", ["Relative", "relativedaily", "weekly"])
def test_a_wrong_date_mode_is_refused(mode: str) -> None:
    assert repr(mode) in _refusal(f'<entities dateMode="{mode}" />')


def test_broken_xml_is_refused_with_its_file_and_line() -> None:
    assert "data_schema.xml, line 3" in _refusal("<entities>\n<entity>\n</wrong>\n</entities>")


@pytest.mark.parametrize("text", [b"", b"   \r\n", b"no xml at all", b"PK\x03\x04", b"\x00\x01", b"<entities>"])
def test_a_file_that_is_no_xml_is_refused(text: bytes) -> None:
    assert "data_schema.xml" in _refusal(text)


def test_another_root_is_refused() -> None:
    assert "<ImportExportXml>" in _refusal("<ImportExportXml />")


@pytest.mark.parametrize(
    "declaration",
    [
        "<!DOCTYPE entities>",
        '<!DOCTYPE entities [<!ENTITY a "b">]>',
        '<!DOCTYPE entities SYSTEM "http://127.0.0.1:9/schema.dtd">',
        '<!-- <entities --><!DOCTYPE entities [<!ENTITY a "b">]>',
    ],
)
def test_a_document_type_is_refused(declaration: str) -> None:
    assert "document type" in _refusal(f'{declaration}<entities><entity name="a"><fields /></entity></entities>')


def test_entities_that_expand_without_end_are_refused() -> None:
    levels = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 12))
    message = _refusal(f'<!DOCTYPE entities [<!ENTITY e0 "{"x" * 100}">{levels}]><entities a="&e11;">&e11;</entities>')
    assert "data_schema.xml" in message


@pytest.mark.parametrize(
    "before",
    [
        b"\xef\xbb\xbf",
        b"\r\n",
        b"\xef\xbb\xbf\r\n\r\n",
        b'<?xml version="1.0" encoding="utf-8"?>\r\n',
        b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-16"?>',
        b'\r\n<?xml version="1.0" encoding="UTF-16"?>\n',
    ],
)
def test_what_stands_before_the_root_does_not_matter(before: bytes) -> None:
    plain = SCHEMA.replace("Item", "Égalité").encode()
    assert parse_schema(before + plain, "a") == parse_schema(plain, "b")


def test_utf_16_with_a_byte_order_mark_is_read() -> None:
    text = f'<?xml version="1.0" encoding="utf-16"?>{SCHEMA}'
    assert parse_schema(text.encode("utf-16"), "a") == _parse(SCHEMA)


def test_a_table_without_a_declared_id_takes_the_column_marked_as_key_and_else_the_usual_name() -> None:
    fields = '<fields><field name="key" type="guid" primaryKey="true" /></fields>'
    assert _table(fields, 'name="item"').primary_id == "key"
    assert _table("<fields />", 'name="item"').primary_id == "itemid"
    assert _table(fields, 'name="item" primaryidfield="itemid"').primary_id == "itemid"


def test_the_name_of_a_relationship_is_its_intersect_table() -> None:
    table = _table(
        '<relationships><relationship name="schema_name" manyToMany="true" relatedEntityName="item_tag"'
        ' m2mTargetEntity="tag" m2mTargetEntityPrimaryKey="tagid" /></relationships>'
    )
    (found,) = table.many_to_many
    assert (found.name, found.target, found.target_primary_id) == ("item_tag", "tag", "tagid")


def test_a_schema_is_read_from_a_file_a_folder_and_a_missing_one_is_refused(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "package", document())
    schema, data = read_schema(folder)
    assert data == SCHEMA.encode()
    assert read_schema(folder / "data_schema.xml") == (schema, data)
    with pytest.raises(PackageError, match=r"none\.xml"):
        read_schema(tmp_path / "none.xml")
