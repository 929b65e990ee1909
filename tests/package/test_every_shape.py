"""Every type and shape of a package that is known: nothing is lost or changed by reading, nor by writing again."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from confmig.model.records import Association, PackageStart, Record, Unknown
from confmig.model.values import Choices, Lookup, Parties, Value
from confmig.package.package import Package
from confmig.package.schemafile import parse_schema, write_schema

from .helpers import (
    ID1,
    ID2,
    ID3,
    digest_of,
    document,
    events_of,
    make_folder,
    member_of,
    records_of,
    refusal_of,
    rewrite,
    row,
    table,
)

_NO_VALUE = ["number", "money", "datetime", "bool", "guid", "float", "bigint", "entityreference", "owner", "filedata"]


def _schema(kind: str, more: str = "") -> str:
    return (
        f'<entities><entity name="item" primaryidfield="itemid"><fields><field name="a" type="{kind}" {more}/>'
        "</fields></entity></entities>"
    )


def _read(path: Path, kind: str, field: str, more: str = "") -> Value:
    """The value of a field, which must be the same once it was written and read again."""
    package = make_folder(path / "first", document(table(row(field))), _schema(kind, more))
    (first,) = records_of(package)
    (again,) = records_of(rewrite(package, path / "again.zip"))
    assert again == Record(
        "item", ID1, {name: value for name, value in first.values.items() if value is not None}, first.extra
    )
    return first.values["a"]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("money", "922337203685477.1234", Decimal("922337203685477.1234")),
        ("money", "-922337203685477.5808", Decimal("-922337203685477.5808")),
        ("decimal", "12345678901.0123456789", Decimal("12345678901.0123456789")),
        ("decimal", "1.2500000000", Decimal("1.2500000000")),
        ("decimal", "1E+3", Decimal(1000)),
        ("decimal", "2.5E-7", Decimal("0.00000025")),
        ("decimal", "-0.0000000001", Decimal("-0.0000000001")),
        ("float", "1.7976931348623157E+308", 1.7976931348623157e308),
        ("float", "5E-324", 5e-324),
        ("float", "0.1", 0.1),
        ("float", "123456789012345680", 123456789012345680.0),
        ("bigint", "9223372036854775807", 2**63 - 1),
        ("bigint", "-9223372036854775808", -(2**63)),
        ("number", "-2147483648", -(2**31)),
        ("number", "0042", 42),
        ("bool", "true", True),
        ("bool", "FALSE", False),
        ("guid", f"{{{ID2.upper()}}}", ID2),
        ("guid", ID2.replace("-", ""), ID2),
        ("datetime", "0001-01-01T00:00:00.0000000", datetime(1, 1, 1)),
        ("datetime", "9999-12-31T23:59:59.9999990Z", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
        ("datetime", "12/19/2017 4:57:00 PM", datetime(2017, 12, 19, 16, 57)),
        ("datetime", "12/19/2017 12:00:00 AM", datetime(2017, 12, 19)),
        ("datetime", "2024-02-29T23:00:00-02:00", datetime(2024, 3, 1, 1, tzinfo=UTC)),
        ("datetime", "2024-02-29", datetime(2024, 2, 29)),
        ("optionsetvaluecollection", "[-1,71000010,71000012,-1]", Choices((71000010, 71000012))),
        ("optionsetvaluecollection", "3,1", Choices((3, 1))),
        ("optionsetvaluecollection", "[-1,-1]", Choices(())),
        ("optionsetvaluecollection", "[]", Choices(())),
        ("string", " &#x9;&#xD;&#xA; ", " \t\r\n "),
        ("string", "&amp;amp;lt;", "&lt;"),
        ("string", "a&amp;nbsp;b &amp;copy &amp;bogus;", "a\u00a0b &copy &bogus;"),
        ("string", "<![CDATA[", None),
        ("imagedata", "iVBORw0KGgo=", "iVBORw0KGgo="),
        ("unknown", "&amp;#128512;", "😀"),
    ],
)
def test_a_value_is_kept_with_all_its_digits_and_characters(tmp_path: Path, kind: str, text: str, value: Value) -> None:
    if value is None:
        assert "data.xml, line 1" in refusal_of(
            make_folder(tmp_path, document(table(row(f'<field name="a" value="{text}" />'))))
        )
        return
    found = _read(tmp_path, kind, f'<field name="a" value="{text}" />')
    assert found == value
    assert type(found) is type(value)
    if isinstance(value, Decimal):
        assert f'value="{value:f}"'.encode() in member_of(tmp_path / "again.zip", "data.xml")


@pytest.mark.parametrize("kind", _NO_VALUE)
@pytest.mark.parametrize(
    "field", ['<field name="a" value="" />', '<field name="a" />', '<field name="a" lookupentity="b" />']
)
def test_no_value_is_none_in_every_type_that_is_no_text(tmp_path: Path, kind: str, field: str) -> None:
    assert _read(tmp_path, kind, field) is None


@pytest.mark.parametrize("kind", ["datetime", "string"])
@pytest.mark.parametrize("text", ["2024-01-01T00:00:00.1234567Z", "2024-01-01T00:00:00.0000001"])
def test_a_seventh_digit_of_a_second_is_kept(tmp_path: Path, kind: str, text: str) -> None:
    path = make_folder(tmp_path / "one", document(table(row(f'<field name="a" value="{text}" />'))), _schema(kind))
    written = rewrite(path, tmp_path / "data.zip")
    assert f'value="{text}"'.encode() in member_of(written, "data.xml")
    coarse = f"{text[:26]}0{text[27:]}"
    other = make_folder(tmp_path / "two", document(table(row(f'<field name="a" value="{coarse}" />'))), _schema(kind))
    assert digest_of(written) == digest_of(path) != digest_of(other)


@pytest.mark.parametrize("text", ["1_0", "\u0661", "1,5", "0x1F", "1e400", "NaN", "Infinity", "--1", "1 2", "+"])
@pytest.mark.parametrize("kind", ["number", "decimal", "money", "float", "bigint", "optionsetvalue", "state"])
def test_what_python_alone_would_read_as_a_number_is_none(tmp_path: Path, kind: str, text: str) -> None:
    field = f'<field name="a" value="{text}" />'
    assert "column a: the value" in refusal_of(make_folder(tmp_path, document(table(row(field))), _schema(kind)))


@pytest.mark.parametrize("text", ["[1", "1_0", "[-1,a,-1]", "1;2", "[[1]]", "\u0661"])
def test_what_is_no_list_of_choices_is_refused(tmp_path: Path, text: str) -> None:
    data = document(table(row(f'<field name="a" value="{text}" />')))
    assert "no list of choices" in refusal_of(make_folder(tmp_path, data, _schema("optionsetvaluecollection")))


@pytest.mark.parametrize(
    ("field", "more", "lookup"),
    [
        (f'value="{ID2}" lookupentity="b" lookupentityname="N &amp;lt;"', "", Lookup("b", ID2, "N &lt;")),
        (f'value="{{{ID2.upper()}}}" lookupentity="b" lookupentityname=""', "", Lookup("b", ID2, "")),
        (f'value="{ID2}" lookupentity="b"', 'lookupType="x|y" ', Lookup("b", ID2)),
        (f'value="{ID2}"', 'lookupType="b" ', Lookup("b", ID2)),
        (f'value="{ID2}" lookupentityname="N"', 'lookupType="b" ', Lookup("b", ID2, "N")),
    ],
)
def test_a_lookup_is_kept_with_its_table_and_name(tmp_path: Path, field: str, more: str, lookup: Lookup) -> None:
    assert _read(tmp_path, "entityreference", f'<field name="a" {field} />', more) == lookup


def test_a_column_that_stands_twice_with_the_same_value_is_read_once(tmp_path: Path) -> None:
    field = f'<field name="a" value="{ID2}" lookupentity="b" x="1" />'
    assert _read(tmp_path, "entityreference", field * 2) == Lookup("b", ID2)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('value="x"', 'value="y"'),
        ('value=""', 'value="y"'),
        ('value="x" a="1"', 'value="x" a="2"'),
    ],
)
def test_a_column_that_stands_twice_with_two_values_is_refused(tmp_path: Path, first: str, second: str) -> None:
    data = document(table(row(f'<field name="a" {first} />\n<field name="a" {second} />')))
    message = refusal_of(make_folder(tmp_path, data, _schema("string")))
    assert f"line 2: table item, row {ID1}, column a: the value stands twice" in message


@pytest.mark.parametrize(
    "fields",
    [
        "",
        '<activitypointerrecords id="" />',
        '<activitypointerrecords><field name="participationtypemask" value="9" /></activitypointerrecords>',
        f'<activitypointerrecords id="{ID3}" mark="1">'
        f'<field name="partyid" value="{ID2}" lookupentity="systemuser" x="1" />'
        f'<field name="activityid" value="{ID3}" lookupentity="activitypointer" />'
        '<field name="addressused" value="a@b" /></activitypointerrecords>',
        '<activitypointerrecords><field name="addressused" value="&amp;lt;a@b&amp;gt;" /></activitypointerrecords>' * 2,
    ],
)
@pytest.mark.parametrize("head", ['value=""', 'value="" lookupentity="" lookupentityname=""', ""])
def test_parties_are_kept(tmp_path: Path, head: str, fields: str) -> None:
    found = _read(tmp_path, "partylist", f'<field name="a" {head}>{fields}</field>')
    assert isinstance(found, Parties)
    assert len(found.parties) == fields.count("<activitypointerrecords")


def test_what_stands_around_rows_is_kept(tmp_path: Path) -> None:
    data = (
        '<entities xmlns:p="urn:p" timestamp="t" p:mark="1"><?instruction?><!-- comment --><entity name="item" x="1">'
        f'<relationships><r a="&lt;&#13;">t &amp; u<p:e /></r></relationships><m2mrelationship sourceid="{ID1.upper()}"'
        ' targetentityname="tag" targetentitynameidfield="tagid" m2mrelationshipname="r" m2mrelationshipschemaname="R">'
        f"<targetids><targetid>\n{{{ID2}}}\n</targetid></targetids></m2mrelationship><records>"
        f'<record id="{ID1}" newId="{ID3}" p:mark="2"><field name="a" value="1" p:mark="3" /><!-- c --><![CDATA[ ]]>'
        "</record></records></entity><more>text</more></entities>"
    )
    package = make_folder(tmp_path / "first", data, _schema("number"))
    events = events_of(package)
    assert events[0] == PackageStart((("{urn:p}mark", "1"),))
    assert (
        Record("item", ID1, {"a": 1}, {"": (("newId", ID3), ("{urn:p}mark", "2")), "a": (("{urn:p}mark", "3"),)})
        in events
    )
    unknown = '<relationships><r a="&lt;&#13;">t &amp; u<ns0:e xmlns:ns0="urn:p"/></r></relationships>'
    assert Unknown("item", unknown) in events
    assert Unknown("", "<more>text</more>") in events
    schema_name = (("m2mrelationshipschemaname", "R"),)
    assert Association("r", "item", ID1, "tag", (ID2,), "tagid", schema_name) in events
    again = events_of(rewrite(package, tmp_path / "again.zip"))
    assert sorted(map(repr, again)) == sorted(map(repr, events))


def test_a_table_that_begins_twice_keeps_all_its_rows(tmp_path: Path) -> None:
    data = document(table(row("", ID1)), table(row("", ID2), "tag"), table(row("", ID3)))
    package = make_folder(tmp_path / "first", data, _schema("number"))
    assert [record.id for record in records_of(package)] == [ID1, ID2, ID3]
    assert events_of(rewrite(package, tmp_path / "again.zip")) == events_of(package)


@pytest.mark.parametrize(
    "filter_",
    [
        '<fetch><entity name="item"><filter><condition attribute="a" value="&amp;amp;" /></filter></entity></fetch>',
        '<fetch>\n  <entity name="item" />\n</fetch>',
    ],
)
def test_a_filter_means_the_same_as_text_and_as_elements(filter_: str) -> None:
    escaped = filter_.replace("&", "&amp;").replace("<", "&lt;")
    found = []
    for text in (filter_, escaped, f"<![CDATA[{filter_}]]>"):
        schema = parse_schema(
            f'<entities><entity name="item"><fields /><filter>{text}</filter></entity></entities>'.encode(), "s"
        )
        assert parse_schema(write_schema(schema), "s") == schema
        found.append((schema.tables[0].filter or "").replace(" />", "/>"))
    assert len(set(found)) == 1


def test_a_schema_keeps_order_modes_switches_and_what_is_not_known() -> None:
    text = (
        '<entities  dateMode="relativeDaily" version="1"><entity name="item" etc="10" skipupdate="1" forcecreate="true"'
        ' guidswap="x"><fields><field name="d" type="datetime" dateMode="relative" maxlength="5" /><field name="k"'
        ' type="string" updateCompare="1" /></fields><relationships><relationship name="r" manyToMany="false"'
        ' referencedEntity="a"><fields><field name="f" /></fields></relationship></relationships><more /></entity>'
        "<entityImportOrder><entityName>b</entityName><entityName>item</entityName></entityImportOrder><x /></entities>"
    )
    schema = parse_schema(text.encode(), "s")
    assert schema.import_order == ("b", "item")
    assert schema.extra == (("version", "1"),)
    assert schema.tables[0].skip_update
    assert schema.tables[0].force_create
    assert schema.tables[0].extra == (("guidswap", "x"),)
    assert schema.tables[0].columns[0].extra == (("maxlength", "5"),)
    assert parse_schema(write_schema(schema), "s") == schema


def test_the_time_of_export_keeps_its_seventh_digit(tmp_path: Path) -> None:
    stamp = "2024-07-26T15:51:30.5429904Z"
    with Package(make_folder(tmp_path, f'<entities timestamp="{stamp}" />')) as package:
        assert package.timestamp == stamp
