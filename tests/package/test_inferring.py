"""The schema that is guessed for a package without one."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confmig.model.schema import Table
from confmig.model.values import ColumnType
from confmig.package.formatting import encode_html, escape_xml
from confmig.package.package import Package

from .helpers import ID1, ID2, ID3, document, make_folder, row, table
from .strategies import texts


def _infer(path: Path, *tables: str) -> dict[str, Table]:
    with Package(make_folder(path, document(*tables), None)) as package:
        assert package.schema.inferred
        return {found.name: found for found in package.schema.tables}


def _types(path: Path, *values: str) -> ColumnType | None:
    rows = "".join(row(f'<field name="a" value="{value}" />') for value in values)
    columns = {column.name: column.type for column in _infer(path, table(rows))["item"].columns}
    return columns.get("a")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ((ID1, ID2.upper()), ColumnType.GUID),
        (("True", "False"), ColumnType.BOOL),
        (("2026-03-11T10:30:00.0000000Z", "2026-03-11T00:00:00"), ColumnType.DATETIME),
        (("0", "-17", "330650000"), ColumnType.NUMBER),
        (("1.5", "-0.2500000000"), ColumnType.DECIMAL),
        (("1.5", "2"), ColumnType.DECIMAL),
        (("hello", "world"), ColumnType.STRING),
        (("1", "one"), ColumnType.STRING),
        (("True", "1"), ColumnType.STRING),
        (("007",), ColumnType.STRING),
        (("+1",), ColumnType.STRING),
        (("1", ""), ColumnType.NUMBER),
        (("",), None),
    ],
)
def test_a_type_is_guessed_that_fits_all_values_of_the_column(
    tmp_path: Path, values: tuple[str, ...], kind: ColumnType | None
) -> None:
    assert _types(tmp_path, *values) is kind


def test_what_the_file_says_beside_a_value_decides_its_type(tmp_path: Path) -> None:
    fields = (
        f'<field name="who" value="{ID2}" lookupentity="account" lookupentityname="A" />'
        f'<field name="ownerid" value="{ID2}" lookupentity="systemuser" lookupentityname="U" />'
        f'<field name="to" value=""><activitypointerrecords id="{ID3}"><field name="partyid" value="{ID2}"'
        ' lookupentity="contact" lookupentityname="C" /></activitypointerrecords></field>'
        '<field name="statecode" value="0" /><field name="statuscode" value="1" />'
    )
    other = f'<field name="who" value="{ID2}" lookupentity="contact" lookupentityname="C" />'
    columns = {column.name: column for column in _infer(tmp_path, table(row(fields) + row(other, ID2)))["item"].columns}
    assert {name: column.type for name, column in columns.items()} == {
        "who": ColumnType.LOOKUP,
        "ownerid": ColumnType.OWNER,
        "to": ColumnType.PARTIES,
        "statecode": ColumnType.STATE,
        "statuscode": ColumnType.STATUS,
    }
    assert columns["who"].targets == ("account", "contact")
    assert columns["ownerid"].targets == ()


def test_the_primary_id_is_the_column_that_holds_the_rows_id_and_else_the_usual_name(tmp_path: Path) -> None:
    keyed = table(row(f'<field name="other" value="{ID2}" /><field name="key" value="{ID1}" />'), "keyed")
    plain = table(row('<field name="name" value="x" />'), "plain")
    found = _infer(tmp_path, keyed, plain)
    assert (found["keyed"].primary_id, found["plain"].primary_id) == ("key", "plainid")
    assert [column.name for column in found["keyed"].columns if column.primary_key] == ["key"]


def test_relationships_are_those_that_have_associations(tmp_path: Path) -> None:
    links = "".join(
        f'<m2mrelationship sourceid="{ID1}" targetentityname="{target}" targetentitynameidfield="{target}id"'
        f' m2mrelationshipname="{name}"><targetids><targetid>{ID2}</targetid></targetids></m2mrelationship>'
        for name, target in (("item_tag", "tag"), ("item_tag", "tag"), ("item_item", "item"))
    )
    found = _infer(tmp_path, table("", associations=links))["item"].many_to_many
    assert [(one.name, one.target, one.target_primary_id, one.reflexive) for one in found] == [
        ("item_tag", "tag", "tagid", False),
        ("item_item", "item", "itemid", True),
    ]


def test_a_table_without_rows_is_still_a_table(tmp_path: Path) -> None:
    found = _infer(tmp_path, table(""))["item"]
    assert (found.display_name, found.columns) == ("Item", ())


def test_a_package_with_a_schema_is_not_guessed(tmp_path: Path) -> None:
    with Package(make_folder(tmp_path, document(table(row(""))))) as package:
        assert not package.schema.inferred


_SHAPES = st.one_of(
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z?", fullmatch=True),
    st.from_regex(r"-?[0-9]{1,10}(\.[0-9]{1,10})?", fullmatch=True),
    st.sampled_from(["True", "False", "2024-02-30T00:00:00", "2024-01-01T00:00:00.123456789Z", ID1, ID1.upper(), "٣"]),
    texts,
)


@settings(deadline=None, max_examples=150)
@given(st.lists(_SHAPES, min_size=1, max_size=4))
def test_rows_can_always_be_read_by_the_schema_that_was_guessed_from_them(found: list[str]) -> None:
    rows = "".join(row(f'<field name="a" value="{escape_xml(encode_html(text))}" />') for text in found)
    with TemporaryDirectory() as folder, Package(make_folder(Path(folder), document(table(rows)), None)) as package:
        assert len(list(package.rows())) == len(found) + 1
