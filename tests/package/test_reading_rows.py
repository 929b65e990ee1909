"""data.xml, read: values, parties, associations, and what is refused."""

import contextlib
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confmig.errors import PackageError
from confmig.model.records import Association, PackageEvent, Record, TableStart, Unknown
from confmig.model.values import ColumnType, FileRef, Lookup, Parties, Value
from confmig.package.package import Package

from .helpers import ID1, ID2, ID3, SCHEMA, document, events_of, make_folder, records_of, refusal_of, row, table

_NOTE = row('<field name="name" value="first" />')
_SECRET = "the-content-of-another-file"  # a marker, not a secret


def _values(path: Path, fields: str) -> dict[str, Value]:
    (record,) = records_of(make_folder(path, document(table(row(fields)))))
    return dict(record.values)


def test_each_value_is_read_as_its_column_says(tmp_path: Path) -> None:
    found = _values(
        tmp_path,
        f'<field name="itemid" value="{ID1}" /><field name="name" value="a &amp;lt; b&#xD;&#xA;&amp;#233;" />'
        '<field name="count" value="7" /><field name="price" value="1234567890123456789.1200" />'
        '<field name="due" value="2024-05-06T00:00:00.0000000Z" /><field name="open" value="True" />'
        f'<field name="parentid" value="{ID2}" lookupentity="item" lookupentityname="A &amp;lt; B" />'
        '<field name="to" value="" />',
    )
    assert found == {
        "itemid": ID1,
        "name": "a < b\r\né",
        "count": 7,
        "price": Decimal("1234567890123456789.1200"),
        "due": datetime(2024, 5, 6, tzinfo=UTC),
        "open": True,
        "parentid": Lookup("item", ID2, "A &lt; B"),
        "to": Parties(()),
    }
    assert str(found["price"]) == "1234567890123456789.1200"


def test_the_columns_keep_the_order_of_the_file(tmp_path: Path) -> None:
    assert list(_values(tmp_path, '<field name="open" value="True" /><field name="count" value="1" />')) == [
        "open",
        "count",
    ]


def test_a_column_that_the_schema_does_not_declare_is_read_as_text(tmp_path: Path) -> None:
    assert _values(tmp_path, '<field name="other" value="&amp;#233; 1" />') == {"other": "é 1"}


def test_a_value_in_a_lookup_column_without_its_table_takes_the_only_one_declared(tmp_path: Path) -> None:
    assert _values(tmp_path, f'<field name="parentid" value="{ID2}" />') == {"parentid": Lookup("item", ID2)}


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind in ColumnType
        if kind not in {ColumnType.STRING, ColumnType.UNKNOWN, ColumnType.IMAGE, ColumnType.PARTIES}
    ],
)
def test_an_empty_value_of_any_type_that_is_not_text_is_no_value(tmp_path: Path, kind: ColumnType) -> None:
    schema = f'<entities><entity name="item"><fields><field name="a" type="{kind}" /></fields></entity></entities>'
    (record,) = records_of(make_folder(tmp_path, document(table(row('<field name="a" value="" />'))), schema))
    assert record.values.get("a") is None


def test_a_file_is_read_with_its_name(tmp_path: Path) -> None:
    schema = '<entities><entity name="item"><fields><field name="a" type="filedata" /></fields></entity></entities>'
    text = document(table(row(f'<field name="a" value="{ID2}" filename="r&amp;d.pdf" />')))
    (record,) = records_of(make_folder(tmp_path, text, schema))
    assert record.values == {"a": FileRef(ID2, "r&d.pdf")}
    assert not record.extra


def test_a_party_list_is_read_with_who_takes_part_and_as_what(tmp_path: Path) -> None:
    found = _values(
        tmp_path,
        '<field name="to" value="" lookupentity="" lookupentityname="">'
        f'<activitypointerrecords id="{ID1}">'
        f'<field name="partyid" value="{ID2}" lookupentity="contact" lookupentityname="Ann" />'
        f'<field name="activityid" value="{ID3}" lookupentity="activitypointer" />'
        '<field name="participationtypemask" value="3" /></activitypointerrecords>'
        '<activitypointerrecords><field name="addressused" value="a@x.test" /></activitypointerrecords></field>',
    )["to"]
    assert isinstance(found, Parties)
    first, second = found.parties
    assert (first.party, first.role, first.id) == (Lookup("contact", ID2, "Ann"), 3, ID1)
    assert [name for name, _ in first.columns] == ["partyid", "activityid", "participationtypemask"]
    assert (second.party, second.role, second.id) == (None, 2, None)
    assert second.columns == (("addressused", "a@x.test"),)


def _association(name: str = "item_tag", extra: str = "") -> str:
    return (
        f'<m2mrelationship sourceid="{ID1}" targetentityname="tag" targetentitynameidfield="tagid"'
        f' m2mrelationshipname="{name}"{extra}><targetids><targetid>{ID2}</targetid>'
        f"<targetid>{{{ID3.upper()}}}</targetid></targetids></m2mrelationship>"
    )


def test_associations_are_read_with_their_targets_and_what_is_not_known_of_them(tmp_path: Path) -> None:
    text = document(table("", associations=_association(extra=' m2mrelationshipschemaname="Item_Tag"')))
    assert events_of(make_folder(tmp_path, text)) == [
        TableStart("item", "Item"),
        Association("item_tag", "item", ID1, "tag", (ID2, ID3), "tagid", (("m2mrelationshipschemaname", "Item_Tag"),)),
    ]


def test_an_association_directly_below_its_table_is_read(tmp_path: Path) -> None:
    text = document(f'<entity name="item">{_association()}</entity>')
    assert isinstance(events_of(make_folder(tmp_path, text))[1], Association)


@pytest.mark.parametrize("head", ["<record>", '<record id="">', '<record id="00000000-0000-0000-0000-000000000000">'])
def test_a_row_whose_id_is_not_told_has_none(tmp_path: Path, head: str) -> None:
    text = document(table(f'{head}<field name="name" value="x" /></record>'))
    (record,) = records_of(make_folder(tmp_path, text))
    assert record.id is None


def test_a_row_without_fields_is_a_row(tmp_path: Path) -> None:
    assert records_of(make_folder(tmp_path, document(table(row(""))))) == [Record("item", ID1, {})]


def test_what_is_not_known_is_given_by_its_place(tmp_path: Path) -> None:
    text = document(
        f'<entity name="item" displayname="Item" mark="1"><records><record id="{ID1}" newId="{ID2}">'
        '<field name="name" value="x" isnull="false" /><note>n</note></record></records><other a="b" /></entity>'
    )
    start, record, unknown = events_of(make_folder(tmp_path, text))
    assert isinstance(start, TableStart)
    assert start.extra == (("mark", "1"),)
    assert isinstance(record, Record)
    assert record.extra == {"": (("newId", ID2),), "name": (("isnull", "false"),), "<>": (("", "<note>n</note>"),)}
    assert unknown == Unknown("item", '<other a="b"/>')


def test_a_table_that_stands_twice_begins_twice(tmp_path: Path) -> None:
    events = events_of(make_folder(tmp_path, document(table(_NOTE), table(row("", ID2)))))
    assert [type(event) for event in events] == [TableStart, Record, TableStart, Record]


@pytest.mark.parametrize(
    "before",
    [
        b"\r\n",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf\r\n\n  ",
        b'<?xml version="1.0" encoding="utf-8"?>\r\n',
        b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-16"?>\r\n',
        b'\r\n<?xml version="1.0" encoding="UTF-16"?>',
        b"\n" * 300_000,
        b"<!-- a comment -->",
    ],
)
def test_what_stands_before_the_root_does_not_matter(tmp_path: Path, before: bytes) -> None:
    text = document(table(row('<field name="name" value="Égalité ж 😀" />'))).encode()
    with Package(make_folder(tmp_path, before + text)) as package:
        assert package.timestamp == "2024-01-01T00:00:00.0000000Z"
        _, record = package.rows()
    assert isinstance(record, Record)
    assert record.values == {"name": "Égalité ж 😀"}


def test_utf_16_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="utf-16"?>' + document(table(row('<field name="name" value="é😀" />')))
    (record,) = records_of(make_folder(tmp_path, text.encode("utf-16")))
    assert record.values == {"name": "é😀"}


@pytest.mark.parametrize("stamp", ["4/29/2019 8:09:57 PM", "2024-07-26T15:51:30.5429904Z"])
def test_the_time_of_export_is_its_text(tmp_path: Path, stamp: str) -> None:
    with Package(make_folder(tmp_path, f'\r\n<entities timestamp="{stamp}"></entities>')) as package:
        assert package.timestamp == stamp


def test_a_package_need_not_say_when_it_was_exported(tmp_path: Path) -> None:
    with Package(make_folder(tmp_path, "<entities />")) as package:
        assert package.timestamp is None
        assert list(package.rows()) == []


@pytest.mark.parametrize(
    ("fields", "column"),
    [
        ('<field name="count" value="many" />', "count"),
        ('<field name="price" value="1,5" />', "price"),
        ('<field name="due" value="soon" />', "due"),
        ('<field name="open" value="yes" />', "open"),
        ('<field name="itemid" value="77" />', "itemid"),
        ('<field name="parentid" value="77" lookupentity="item" lookupentityname="x" />', "parentid"),
        ('<field name="other" value="77" lookupentity="item" lookupentityname="x" />', "other"),
    ],
)
def test_a_malformed_value_is_refused_with_its_file_table_row_and_column(
    tmp_path: Path, fields: str, column: str
) -> None:
    message = refusal_of(make_folder(tmp_path, document(table(_NOTE.replace(ID1, ID2) + row(fields)))))
    for part in ("data.xml", "table item", f"row {ID1}", f"column {column}"):
        assert part in message


@pytest.mark.parametrize(
    "value", ["1E+999999", "0001-01-01T00:00:00+14:00", "9" * 5000, "\u0664\u0662", "x" * 10_000, "&lt;b&gt;"]
)
@pytest.mark.parametrize("column", ["due", "itemid", "open"])
def test_a_hostile_value_is_refused_and_shown_in_short(tmp_path: Path, column: str, value: str) -> None:
    message = refusal_of(make_folder(tmp_path, document(table(row(f'<field name="{column}" value="{value}" />')))))
    assert f"column {column}" in message
    assert len(message) < 1000


def test_a_lookup_that_could_point_to_several_tables_and_does_not_say_which_is_refused(tmp_path: Path) -> None:
    schema = SCHEMA.replace('lookupType="item"', 'lookupType="item|other"')
    text = document(table(row(f'<field name="parentid" value="{ID2}" />')))
    message = refusal_of(make_folder(tmp_path, text, schema))
    assert "column parentid" in message
    assert "which table" in message


@pytest.mark.parametrize(
    "text",
    [
        document(table('<record id="77"></record>')),
        document(table(row('<field name="to" value=""><activitypointerrecords id="77" /></field>'))),
        document(table("", associations=_association().replace(ID1, "77"))),
        document(table("", associations=_association().replace(ID2, "77"))),
        document(table("", associations=_association().replace(ID2, ""))),
    ],
)
def test_an_id_that_is_no_guid_is_refused_with_its_table(tmp_path: Path, text: str) -> None:
    message = refusal_of(make_folder(tmp_path, text))
    assert "table item" in message
    assert "no guid" in message


@pytest.mark.parametrize(
    "text",
    [
        "<entities><entity><records /></entity></entities>",
        document(table(row('<field value="x" />'))),
        document(table(row('<field name="" value="x" />'))),
        document(f'<entity name="item"><records>{row("")}<field name="a" value="b" /></records></entity>'),
        document('<entity name="item"><activitypointerrecords /></entity>'),
        document(table("", associations=_association(name=""))),
        document(_NOTE),
    ],
)
def test_a_table_row_column_or_association_without_its_name_or_place_is_refused(tmp_path: Path, text: str) -> None:
    assert "data.xml" in refusal_of(make_folder(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \r\n",
        "Not found",
        '{"error": "x"}',
        "<html><body>Please sign in</body></html>",
        "<Entities />",
        "<ImportExportXml />",
        f'<entities xmlns="http://x.test">{table(_NOTE)}</entities>',
    ],
)
def test_a_file_that_is_no_data_xml_is_refused_rather_than_read_as_empty(tmp_path: Path, text: str) -> None:
    assert "data.xml" in refusal_of(make_folder(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<entities>\n<entity name='item'>\n</wrong>\n</entities>", 3),
        ("<entities>\r\n<entity name='item'>\r\n<records>\r\n<record id='1' id='2' />", 4),
        ("<entities>\n<entity name='a & b'>\n</entity></entities>", 2),
        ("<entities>\n<entity name='item'>\n\n&undefined;</entity></entities>", 4),
        ("<entities>\n<entity name='item' displayname='\x0b' /></entities>", 2),
        ("\r\n<entities>\r\n<entity name='item'>\r\n</wrong>\r\n</entities>", 4),
        ("\n\n\n<entities></wrong>", 4),
        ('<?xml version="1.0"?>\n<entities>\n</wrong>', 3),
    ],
)
def test_broken_xml_is_refused_with_its_file_and_line(tmp_path: Path, text: str, line: int) -> None:
    message = refusal_of(make_folder(tmp_path, text))
    assert f"data.xml, line {line}:" in message


def test_the_line_is_right_far_down_a_long_file(tmp_path: Path) -> None:
    rows = "\r\n".join(row(f'<field name="name" value="{"x" * 200}" />') for _ in range(70_000 // 20))
    message = refusal_of(make_folder(tmp_path, f"<entities>\r\n<entity name='item'><records>\r\n{rows}\r\n</wrong>"))
    assert f"line {3500 + 3}:" in message


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, keep: float) -> None:
    whole = document(table("".join(row('<field name="name" value="x" />') for _ in range(50))))
    assert "no well-formed XML" in refusal_of(make_folder(tmp_path, whole[: int(len(whole) * keep)]))


def test_rows_that_were_given_before_the_break_stay(tmp_path: Path) -> None:
    rows = "".join(row(f'<field name="name" value="{"x" * 500}" />') for _ in range(2000))
    path = make_folder(tmp_path, document(table(rows))[:-30])
    seen: list[PackageEvent] = []
    with Package(path) as package, pytest.raises(PackageError):
        seen.extend(package.rows())
    assert len(seen) > 1000


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    text = document(table(row('<field name="name" value="Café" />'))).encode("latin-1")
    assert "data.xml" in refusal_of(make_folder(tmp_path, text))


_WHOLE = document(
    table(
        row(f'<field name="count" value="1" /><field name="parentid" value="{ID2}" lookupentity="item" />')
        + row('<field name="to" value=""><activitypointerrecords id="" /></field>', ID2),
        associations=_association(),
    )
).encode()


@settings(deadline=None, max_examples=200)
@given(
    st.integers(0, len(_WHOLE)), st.integers(0, 40), st.binary(max_size=4) | st.sampled_from([b"<", b'"', b"</record>"])
)
def test_a_file_that_was_spoilt_anywhere_is_read_or_refused_but_never_a_crash(
    place: int, gone: int, put: bytes
) -> None:
    with TemporaryDirectory() as folder:
        path = make_folder(Path(folder), _WHOLE[:place] + put + _WHOLE[place + gone :])
        with contextlib.suppress(PackageError):
            events = events_of(path)
            assert all(isinstance(event, PackageEvent) for event in events)


_DOCTYPES = [
    "<!DOCTYPE entities>",
    "<!doctype entities>",
    '<!DOCTYPE entities [<!ENTITY e "x">]>',
    '<!DOCTYPE entities SYSTEM "{file}">',
    '<!DOCTYPE entities [<!ENTITY e SYSTEM "{file}">]>',
    '<!DOCTYPE entities [<!ENTITY % p SYSTEM "{file}">%p;<!ENTITY e "x">]>',
]


@pytest.mark.parametrize("doctype", _DOCTYPES)
@pytest.mark.parametrize(
    "before", ["", "\r\n", "<!-- <entities -->", "<?target <entities ?>", '<?xml version="1.0"?>\n']
)
def test_a_document_type_is_refused_and_no_other_file_is_read(tmp_path: Path, doctype: str, before: str) -> None:
    (tmp_path / "other.txt").write_text(_SECRET)
    declared = doctype.format(file=(tmp_path / "other.txt").as_uri())
    use = "&e;" if "ENTITY e" in doctype else ""
    data = f'{before}{declared}<entities><entity name="item" displayname="{use if "SYSTEM" not in doctype else ""}">'
    path = make_folder(tmp_path / "package", f"{data}{use}</entity></entities>")
    message = refusal_of(path)
    assert _SECRET not in message
    assert "document type" in message or doctype.startswith("<!doctype")


def test_a_document_type_in_utf_16_is_refused(tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE entities [<!ENTITY e "x">]><entities>&e;</entities>'
    assert "document type" in refusal_of(make_folder(tmp_path, text.encode("utf-16")))


@pytest.mark.parametrize("before", ["", "<!-- <entities -->"])
def test_entities_that_expand_without_end_are_refused(tmp_path: Path, before: str) -> None:
    levels = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 12))
    doctype = f'<!DOCTYPE entities [<!ENTITY e0 "{"x" * 100}">{levels}]>'
    bomb = f'{before}{doctype}<entities><entity name="&e11;">&e11;</entity></entities>'
    assert "data.xml" in refusal_of(make_folder(tmp_path, bomb))
