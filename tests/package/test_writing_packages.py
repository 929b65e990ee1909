"""data.xml and the zip around it, written; and what was written, read again."""

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

from confmig.errors import PackageError
from confmig.model.records import Association, PackageEvent, Record, TableStart, Unknown
from confmig.model.schema import Column, Schema, Table
from confmig.model.values import Choices, ColumnType, FileRef, Lookup, Parties, Party, Value, same_value
from confmig.package.package import Package
from confmig.package.schemafile import parse_schema, write_schema
from confmig.package.text import parse_moment
from confmig.package.writer import CONTENT_TYPES, write_package

from .helpers import (
    ID1,
    ID2,
    ID3,
    SCHEMA,
    document,
    events_of,
    make_folder,
    member_of,
    records_of,
    rewrite,
    row,
    table,
    without_empty_tables,
)
from .strategies import marked_contents, texts

_SCHEMA = parse_schema(SCHEMA.encode(), "schema")
_STAMP = "2024-01-01T00:00:00.0000000Z"
_START = TableStart("item", "Item")
_ROW = Record("item", ID1, {"name": "x"})
_EVENTS: list[PackageEvent] = [_START, _ROW]


def _write(path: Path, *events: PackageEvent, schema: Schema = _SCHEMA) -> Path:
    write_package(path, write_schema(schema), schema, iter(events), _STAMP)
    return path


def _lines(path: Path) -> list[str]:
    return member_of(path, "data.xml").decode().split("\r\n")


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(marked_contents())
def test_every_schema_and_its_rows_survive_being_written_and_read(content: tuple[Schema, list[PackageEvent]]) -> None:
    schema, events = content
    with TemporaryDirectory() as folder:
        path = Path(folder, "data.zip")
        write_package(path, write_schema(schema), schema, events)
        assert events_of(path) == _as_read(events)


def _as_read(events: list[PackageEvent]) -> list[PackageEvent]:
    """The same without columns that hold nothing: a null is left out of a package."""
    return [
        replace(event, values={name: value for name, value in event.values.items() if value is not None})
        if isinstance(event, Record)
        else event
        for event in events
    ]


@settings(deadline=None, max_examples=200)
@given(texts)
def test_every_text_survives_in_a_declared_column_an_undeclared_one_and_a_party(text: str) -> None:
    party = Party(None, 2, (("addressused", text),), ID1)
    record = Record("item", ID1, {"name": text, "undeclared": text, "to": Parties((party,))})
    with TemporaryDirectory() as folder:
        (found,) = records_of(_write(Path(folder, "data.zip"), _START, record))
    assert found == record


def test_a_written_package_has_the_bytes_of_cmt(tmp_path: Path) -> None:
    columns = [("code", "string"), ("size", "number"), ("rate", "float"), ("price", "money"), ("day", "datetime")]
    columns += [("on", "bool"), ("tags", "optionsetvaluecollection"), ("who", "entityreference"), ("to", "partylist")]
    columns += [("cc", "partylist"), ("doc", "filedata"), ("picture", "imagedata"), ("gone", "string")]
    schema = Schema((Table("item", "itemid", tuple(Column(name, ColumnType(word)) for name, word in columns)),))
    party = Party(
        Lookup("contact", ID2, "Ann & Bob"),
        2,
        (
            ("partyid", Lookup("contact", ID2, "Ann & Bob")),
            ("activityid", Lookup("activitypointer", ID1)),
            ("participationtypemask", "2"),
            ("addressused", "é"),
        ),
        ID3,
    )
    record = Record(
        "item",
        ID1,
        {
            "code": "<a> 'b' é\r\n",
            "size": 42,
            "rate": 234.0,
            "price": Decimal("11.5000000000"),
            "day": datetime(2026, 3, 11, 10, 30, tzinfo=UTC),
            "on": True,
            "tags": Choices((1, 2)),
            "who": Lookup("account", ID2, "A <é>"),
            "to": Parties((party,)),
            "cc": Parties(()),
            "doc": FileRef(ID3, "r&d.pdf"),
            "picture": "AAAA",
            "gone": None,
        },
    )
    link = Association("item_tag", "item", ID1, "tag", (ID2, ID3), "tagid")
    empty = TableStart("other", "Other")
    path = _write(tmp_path / "data.zip", empty, TableStart("item", 'I "1"'), record, link, empty, schema=schema)
    assert _lines(path) == [
        "",
        '<entities xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' timestamp="{_STAMP}">',
        '  <entity name="item" displayname="I &quot;1&quot;">',
        "    <records>",
        f'      <record id="{ID1}">',
        '        <field name="code" value="&amp;lt;a&amp;gt; &amp;#39;b&amp;#39; &amp;#233;&#xD;&#xA;" />',
        '        <field name="size" value="42" />',
        '        <field name="rate" value="234" />',
        '        <field name="price" value="11.5000000000" />',
        '        <field name="day" value="2026-03-11T10:30:00.0000000Z" />',
        '        <field name="on" value="True" />',
        '        <field name="tags" value="[-1,1,2,-1]" />',
        f'        <field name="who" value="{ID2}" lookupentity="account" lookupentityname="A &lt;é&gt;" />',
        '        <field name="to" value="" lookupentity="" lookupentityname="">',
        f'          <activitypointerrecords id="{ID3}">',
        f'            <field name="partyid" value="{ID2}" lookupentity="contact" lookupentityname="Ann &amp; Bob" />',
        f'            <field name="activityid" value="{ID1}" lookupentity="activitypointer" />',
        '            <field name="participationtypemask" value="2" />',
        '            <field name="addressused" value="&amp;#233;" />',
        "          </activitypointerrecords>",
        "        </field>",
        '        <field name="cc" value="" />',
        f'        <field name="doc" value="{ID3}" filename="r&amp;d.pdf" />',
        '        <field name="picture" value="AAAA" />',
        "      </record>",
        "    </records>",
        "    <m2mrelationships>",
        f'      <m2mrelationship sourceid="{ID1}" targetentityname="tag" targetentitynameidfield="tagid"'
        ' m2mrelationshipname="item_tag">',
        "        <targetids>",
        f"          <targetid>{ID2}</targetid>",
        f"          <targetid>{ID3}</targetid>",
        "        </targetids>",
        "      </m2mrelationship>",
        "    </m2mrelationships>",
        "  </entity>",
        "</entities>",
    ]


def test_a_table_without_associations_has_the_empty_element_and_one_without_rows_has_its_own(tmp_path: Path) -> None:
    link = Association("item_tag", "item", ID1, "tag", (ID2,), "tagid")
    assert "    <m2mrelationships />" in _lines(_write(tmp_path / "rows.zip", _START, _ROW))
    assert "    <records />" in _lines(_write(tmp_path / "links.zip", _START, link))


def test_the_members_are_those_of_cmt_in_its_order(tmp_path: Path) -> None:
    schema_bytes = b"\xef\xbb\xbf" + SCHEMA.encode() + b"\n<!-- as it was -->"
    path = tmp_path / "data.zip"
    write_package(path, schema_bytes, _SCHEMA, iter(_EVENTS), _STAMP)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["data.xml", "data_schema.xml", "[Content_Types].xml"]
        assert archive.read("data_schema.xml") == schema_bytes
        assert archive.read("[Content_Types].xml") == CONTENT_TYPES
        for info in archive.infolist():
            assert (info.create_system, info.compress_type, info.flag_bits) == (0, zipfile.ZIP_DEFLATED, 2)
            assert (info.create_version, info.extract_version, info.extra) == (45, 20, b"")
            assert info.date_time == (1980, 1, 1, 0, 0, 0)


def test_the_content_types_are_the_191_bytes_of_cmt() -> None:
    assert len(CONTENT_TYPES) == 191
    assert CONTENT_TYPES.startswith(b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?><Types ')


def test_the_same_rows_and_source_date_epoch_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for name in ("first.zip", "second.zip"):
        write_package(tmp_path / name, SCHEMA.encode(), _SCHEMA, iter(_EVENTS))
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()
    with Package(tmp_path / "first.zip") as package:
        assert package.timestamp == "2023-11-14T22:13:20.0000000Z"


def test_without_source_date_epoch_the_time_of_export_is_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    before = datetime.now(UTC)
    write_package(tmp_path / "data.zip", SCHEMA.encode(), _SCHEMA, iter(_EVENTS))
    with Package(tmp_path / "data.zip") as package:
        stamp = package.timestamp
    assert stamp is not None
    assert len(stamp) == len(_STAMP)
    assert before <= parse_moment(stamp) <= datetime.now(UTC)


class _LostError(Exception):
    """What an environment raises in the middle of an export."""


def _breaking(error: BaseException, rows: int = 3) -> Iterator[PackageEvent]:
    yield _START
    for _ in range(rows):
        yield _ROW
    raise error


@pytest.mark.parametrize("error", [_LostError(), KeyboardInterrupt(), PackageError("broken")])
@pytest.mark.parametrize("rows", [0, 3, 5000])
def test_a_package_whose_rows_break_off_does_not_appear(tmp_path: Path, error: BaseException, rows: int) -> None:
    with pytest.raises(type(error)):
        write_package(tmp_path / "data.zip", SCHEMA.encode(), _SCHEMA, _breaking(error, rows))
    assert list(tmp_path.iterdir()) == []


def test_an_older_package_stays_as_it_is_when_the_new_ones_rows_break_off(tmp_path: Path) -> None:
    path = _write(tmp_path / "data.zip", _START, _ROW)
    before = path.read_bytes()
    with pytest.raises(_LostError):
        write_package(path, SCHEMA.encode(), _SCHEMA, _breaking(_LostError()))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_package_stays_out_of_sight_until_it_is_whole_and_then_replaces_the_older_one(tmp_path: Path) -> None:
    path = _write(tmp_path / "data.zip", _START, _ROW)
    before = path.read_bytes()
    seen: list[bytes] = []

    def watching() -> Iterator[PackageEvent]:
        yield _START
        seen.append(path.read_bytes())
        yield Record("item", ID2, {"name": "y"})
        seen.append(path.read_bytes())

    write_package(path, SCHEMA.encode(), _SCHEMA, watching())
    assert seen == [before, before]
    assert [record.id for record in records_of(path)] == [ID2]
    assert list(tmp_path.iterdir()) == [path]


def test_the_folder_of_a_package_is_made(tmp_path: Path) -> None:
    assert len(records_of(_write(tmp_path / "new" / "folder" / "data.zip", _START, _ROW))) == 1


def test_a_column_that_holds_nothing_is_left_out(tmp_path: Path) -> None:
    (found,) = records_of(_write(tmp_path / "d.zip", _START, Record("item", ID1, {"name": None, "count": 0})))
    assert found.values == {"count": 0}


def test_a_row_without_an_id_stands_under_the_zero_id_and_has_none_again(tmp_path: Path) -> None:
    path = _write(tmp_path / "data.zip", _START, Record("item", None, {"name": "x"}))
    assert '      <record id="00000000-0000-0000-0000-000000000000">' in _lines(path)
    assert records_of(path)[0].id is None


def test_a_party_without_an_id_has_none_again(tmp_path: Path) -> None:
    who = Lookup("contact", ID2, "Ann")
    party = Party(who, 2, (("partyid", who), ("participationtypemask", "2")))
    path = _write(tmp_path / "data.zip", _START, Record("item", ID1, {"to": Parties((party,))}))
    assert records_of(path)[0].values == {"to": Parties((party,))}


@pytest.mark.parametrize("name", ["tab\x0bbed", "nul\x00", "\ufffe", "esc\x1b[0m"])
def test_a_name_with_characters_that_xml_cannot_hold_leaves_the_package_readable(tmp_path: Path, name: str) -> None:
    values: dict[str, Value] = {"parentid": Lookup("item", ID2, name), "name": "after"}
    start = TableStart("item", name)
    (found,) = records_of(_write(tmp_path / "data.zip", start, Record("item", ID1, values)))
    assert same_value(found.values["parentid"], values["parentid"])
    assert found.values["name"] == "after"


@pytest.mark.parametrize("strange", ['a" b="c', "a&b", "a<b", "a'b"])
def test_strange_names_of_tables_and_columns_are_escaped(tmp_path: Path, strange: str) -> None:
    events: list[PackageEvent] = [
        TableStart(strange, strange),
        Record(strange, ID1, {strange: "x", "who": Lookup(strange, ID2, "n")}),
        Association(strange, strange, ID1, strange, (ID2,), strange),
    ]
    assert events_of(_write(tmp_path / "data.zip", *events)) == events


_PLACES = {
    "the root": document(table(row(""))).replace("<entities ", '<entities mark="kept" '),
    "a table": document(table(row("")).replace('name="item"', 'name="item" mark="kept"')),
    "a row": document(table(row("").replace("<record", '<record newId="kept"'))),
    "a row without an id": document(table('<record mark="kept"><field name="name" value="x" /></record>')),
    "a field": document(table(row('<field name="name" value="x" mark="kept" />'))),
    "a field of a lookup": document(
        table(row(f'<field name="parentid" value="{ID2}" lookupentity="item" lookupentityname="n" mark="kept" />'))
    ),
    "a party list": document(table(row('<field name="to" value="" mark="kept" />'))),
    "a field with an empty value": document(table(row('<field name="count" value="" isnull="kept" />'))),
    "a field without a value": document(table(row('<field name="name" isnull="kept" />'))),
    "a party": document(
        table(
            row(
                f'<field name="to" value=""><activitypointerrecords id="{ID2}" mark="kept"><field name="partyid"'
                f' value="{ID3}" lookupentity="contact" lookupentityname="n" /></activitypointerrecords></field>'
            )
        )
    ),
    "a field of a party": document(
        table(
            row(
                f'<field name="to" value=""><activitypointerrecords id="{ID2}"><field name="partyid" mark="kept"'
                f' value="{ID3}" lookupentity="contact" lookupentityname="n" /></activitypointerrecords></field>'
            )
        )
    ),
    "an association": document(
        table(
            "",
            associations=f'<m2mrelationship sourceid="{ID1}" targetentityname="t" targetentitynameidfield="tid"'
            f' m2mrelationshipname="it" mark="kept"><targetids><targetid>{ID2}</targetid></targetids>'
            "</m2mrelationship>",
        )
    ),
    "an element in a row": document(table(row("<note>kept</note>"))),
    "an element in a table": document(table(row("")).replace("</entity>", '<note by="kept" /></entity>')),
    "an element in a table without rows": document(table("").replace("</entity>", "<note>kept</note></entity>")),
    "a nested element": document(table(row('<note><field name="kept">a &amp; b</field><record /></note>'))),
    "an attribute of a namespace": document(table(row('<field name="name" value="x" xsi:type="kept" />'))).replace(
        "<entities ", '<entities xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    ),
    "an attribute of a namespace on a row": document(table(row("").replace("<record", '<record xml:lang="kept"'))),
    "an element of a namespace": document(table(row('<n:note xmlns:n="urn:x" n:a="kept" />'))),
}


@pytest.mark.parametrize("place", _PLACES)
def test_what_is_not_known_survives_being_read_and_written(tmp_path: Path, place: str) -> None:
    path = make_folder(tmp_path / "package", _PLACES[place])
    written = rewrite(path, tmp_path / "data.zip")
    assert b"kept" in member_of(written, "data.xml")
    assert without_empty_tables(events_of(written)) == without_empty_tables(events_of(path))


def test_an_unknown_element_stays_in_its_own_table(tmp_path: Path) -> None:
    empty = table("", "first").replace("</entity>", "<note>of the first</note></entity>")
    path = make_folder(tmp_path / "package", document(empty, table(row(""), "second")))
    written = etree.fromstring(member_of(rewrite(path, tmp_path / "data.zip"), "data.xml").strip())
    assert [note.text for note in written.iterfind("entity[@name='second']/note")] == []
    assert [note.text for note in written.iterfind("entity[@name='first']/note")] == ["of the first"]


def test_an_unknown_element_of_the_root_does_not_become_part_of_a_table(tmp_path: Path) -> None:
    data = document("<note>before</note>", table(row("")), "<note>after</note>")
    path = make_folder(tmp_path / "package", data)
    unknown = [event for event in events_of(path) if isinstance(event, Unknown)]
    assert [event.table for event in unknown] == ["", ""]
    written = etree.fromstring(member_of(rewrite(path, tmp_path / "data.zip"), "data.xml").strip())
    assert [note.text for note in written.iterfind("note")] == ["before", "after"]


def test_a_table_that_stands_twice_is_written_twice(tmp_path: Path) -> None:
    events: list[PackageEvent] = [
        _START,
        _ROW,
        TableStart("other", "Other"),
        Record("other", ID2, {}),
        _START,
        Record("item", ID3, {}),
    ]
    assert events_of(_write(tmp_path / "data.zip", *events)) == events


def test_the_payloads_of_files_go_along_and_are_declared(tmp_path: Path) -> None:
    schema = Schema((Table("item", "itemid", (Column("doc", ColumnType.FILE, type_text="filedata"),)),))
    events: list[PackageEvent] = [TableStart("item"), Record("item", ID1, {"doc": FileRef(ID2, "report.pdf")})]
    path = tmp_path / "data.zip"
    write_package(path, write_schema(schema), schema, events, files=lambda file_id: BytesIO(f"of {file_id}".encode()))
    assert member_of(path, f"files/{ID2}.bin") == f"of {ID2}".encode()
    assert b'Extension="bin"' in member_of(path, "[Content_Types].xml")
    with Package(path) as package, package.open_file(ID2) as stream:
        assert list(package.file_ids) == [ID2]
        assert stream.read() == f"of {ID2}".encode()
        with pytest.raises(PackageError, match="holds no files/"):
            package.open_file(ID1)
