"""How two packages differ."""

from pathlib import Path

import pytest

from confmig.model.values import Lookup
from confmig.package.comparing import Difference, Kind, compare_packages
from confmig.package.package import Package

from .helpers import ID1, ID2, ID3, SCHEMA, document, make_folder, row, table

_NO_ID = "00000000-0000-0000-0000-000000000000"
_WHO = f'<field name="parentid" value="{ID2}" lookupentity="item" lookupentityname="Two" />'


def _compare(folder: Path, first: str, second: str, schemas: tuple[str, str] = (SCHEMA, SCHEMA)) -> list[Difference]:
    left = make_folder(folder / "first", first, schemas[0])
    right = make_folder(folder / "second", second, schemas[1])
    with Package(left) as one, Package(right) as other:
        return list(compare_packages(one, other))


def _rows(*rows: str) -> str:
    return document(table("".join(rows)))


def _named(text: str, row_id: str = ID1) -> str:
    return row(f'<field name="name" value="{text}" />', row_id)


def _link(target: str = ID2, name: str = "item_tag") -> str:
    return (
        f'<m2mrelationship sourceid="{ID1}" targetentityname="tag" targetentitynameidfield="tagid"'
        f' m2mrelationshipname="{name}"><targetids><targetid>{target}</targetid></targetids></m2mrelationship>'
    )


def test_a_row_in_the_second_package_only_was_added(tmp_path: Path) -> None:
    found = _compare(tmp_path, _rows(_named("x")), _rows(_named("x"), _named("y", ID2)))
    assert found == [Difference(Kind.ADDED, "item", ID2, name="y", values={"name": "y"})]


def test_a_row_in_the_first_package_only_was_removed(tmp_path: Path) -> None:
    found = _compare(tmp_path, _rows(_named("x"), _named("y", ID2)), _rows(_named("x")))
    assert found == [Difference(Kind.REMOVED, "item", ID2, name="y", values={"name": "y"})]


def test_a_column_that_holds_something_else_was_changed_from_one_value_to_the_other(tmp_path: Path) -> None:
    found = _compare(tmp_path, _rows(_named("x")), _rows(_named("y")))
    assert found == [Difference(Kind.CHANGED, "item", ID1, "name", "x", "y", name="y")]


def test_a_column_that_is_absent_on_one_side_was_changed(tmp_path: Path) -> None:
    filled, bare = _rows(row('<field name="count" value="0" />')), _rows(row(""))
    assert _compare(tmp_path / "a", filled, bare) == [Difference(Kind.CHANGED, "item", ID1, "count", 0, None)]
    assert _compare(tmp_path / "b", bare, filled) == [Difference(Kind.CHANGED, "item", ID1, "count", None, 0)]


def test_a_lookup_that_points_elsewhere_was_changed(tmp_path: Path) -> None:
    found = _compare(tmp_path, _rows(row(_WHO)), _rows(row(_WHO.replace(ID2, ID3))))
    assert found == [
        Difference(Kind.CHANGED, "item", ID1, "parentid", Lookup("item", ID2, "Two"), Lookup("item", ID3, "Two"))
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('<field name="price" value="1.5" />', '<field name="price" value="1.5000000000" />'),
        (
            '<field name="due" value="6/12/2017 9:45:00 AM" />',
            '<field name="due" value="2017-06-12T09:45:00.0000000Z" />',
        ),
        ('<field name="open" value="True" />', '<field name="open" value="true" />'),
        ('<field name="name" value="é &amp;lt;" />', '<field name="name" value="&amp;#233; &lt;" />'),
        (_WHO, _WHO.replace("Two", "Renamed")),
        ('<field name="name" value="" />', ""),
        ('<field name="to" value="" />', ""),
        (
            '<field name="name" value="x" /><field name="count" value="1" />',
            '<field name="count" value="1" /><field name="name" value="x" />',
        ),
    ],
)
def test_another_way_of_writing_the_same_value_is_no_difference(tmp_path: Path, first: str, second: str) -> None:
    assert _compare(tmp_path / "there", _rows(row(first)), _rows(row(second))) == []
    assert _compare(tmp_path / "back", _rows(row(second)), _rows(row(first))) == []
    no_ids = _rows(row(first, _NO_ID)), _rows(row(second, _NO_ID))
    assert _compare(tmp_path / "bare", *no_ids) == []


def test_the_order_of_rows_and_tables_is_no_difference(tmp_path: Path) -> None:
    one, two = table(_named("x") + _named("y", ID2)), table(_named("z", ID3), "other")
    other = table(_named("y", ID2) + _named("x"))
    assert _compare(tmp_path, document(one, two), document(two, other)) == []


def test_an_association_is_told_by_its_relationship_and_its_target(tmp_path: Path) -> None:
    left = document(table(_named("x"), associations=_link(ID2)))
    right = document(table(_named("x"), associations=_link(ID3)))
    assert _compare(tmp_path, left, right) == [
        Difference(Kind.DISASSOCIATED, "item", ID1, "item_tag", before=Lookup("tag", ID2), name="x"),
        Difference(Kind.ASSOCIATED, "item", ID1, "item_tag", after=Lookup("tag", ID3), name="x"),
    ]


def test_associations_are_compared_as_a_set(tmp_path: Path) -> None:
    left = document(table(_named("x"), associations=_link(ID2) + _link(ID3) + _link(ID2)))
    right = document(table(_named("x"), associations=_link(ID3) + _link(ID2)))
    assert _compare(tmp_path, left, right) == []


def _party(table_name: str = "contact", party: str = ID2, role: int = 2) -> str:
    return (
        f'<activitypointerrecords id="{ID3}"><field name="partyid" value="{party}" lookupentity="{table_name}"'
        f' lookupentityname="n" /><field name="participationtypemask" value="{role}" /></activitypointerrecords>'
    )


@pytest.mark.parametrize(
    "parties", ["", _party("account"), _party(party=ID1), _party(role=3), _party() + _party(party=ID1)]
)
def test_other_parties_are_a_change_of_their_column(tmp_path: Path, parties: str) -> None:
    left, right = (_rows(row(f'<field name="to" value="">{inner}</field>')) for inner in (_party(), parties))
    (found,) = _compare(tmp_path, left, right)
    assert (found.kind, found.column) == (Kind.CHANGED, "to")


def test_rows_without_ids_are_compared_by_their_content(tmp_path: Path) -> None:
    left = _rows(_named("a", _NO_ID), _named("b", _NO_ID))
    right = _rows(_named("b", _NO_ID), _named("c", _NO_ID))
    assert _compare(tmp_path, left, right) == [
        Difference(Kind.REMOVED, "item", name="a", aspect="a row without an id"),
        Difference(Kind.ADDED, "item", name="c", aspect="a row without an id"),
    ]


def test_equal_rows_without_ids_are_counted(tmp_path: Path) -> None:
    left, right = _rows(*[_named("a", _NO_ID)] * 3), _rows(*[_named("a", _NO_ID)] * 2)
    assert [found.kind for found in _compare(tmp_path / "there", left, right)] == [Kind.REMOVED]
    assert [found.kind for found in _compare(tmp_path / "back", right, left)] == [Kind.ADDED]
    assert _compare(tmp_path / "same", left, left) == []


def test_a_row_without_an_id_is_the_row_of_the_same_content_that_has_one(tmp_path: Path) -> None:
    with_id, without = _rows(_named("a")), _rows(_named("a", _NO_ID))
    assert _compare(tmp_path / "there", without, with_id) == []
    assert _compare(tmp_path / "back", with_id, without) == []


def test_rows_without_ids_do_not_hide_that_a_row_has_another_id(tmp_path: Path) -> None:
    left, right = _rows(_named("a"), _named("a", _NO_ID)), _rows(_named("a", ID2), _named("a", _NO_ID))
    assert sorted((found.kind, found.row) for found in _compare(tmp_path, left, right)) == [
        (Kind.ADDED, ID2),
        (Kind.REMOVED, ID1),
    ]


def test_rows_of_other_tables_with_the_same_id_or_content_are_other_rows(tmp_path: Path) -> None:
    left, right = document(table(_named("a"), "one")), document(table(_named("a"), "two"))
    assert [(found.kind, found.table) for found in _compare(tmp_path, left, right)] == [
        (Kind.REMOVED, "one"),
        (Kind.ADDED, "two"),
    ]


_COLUMN = '<field displayname="Due" name="due" type="datetime" />'


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (_COLUMN, "", ("due", "column", "declared", None)),
        (_COLUMN, _COLUMN + _COLUMN.replace("due", "start"), ("start", "column", None, "declared")),
        ('name="count" type="number"', 'name="count" type="string"', ("count", "type", "number", "string")),
        ('name="count" type="number"', 'name="count" type="integer"', ("count", "type", "number", "integer")),
        (
            'name="name" type="string"',
            'updateCompare="true" name="name" type="string"',
            ("name", "part of the key", False, True),
        ),
        (' primaryKey="true"', "", ("itemid", "primary key", True, False)),
        ('lookupType="item"', 'lookupType="item|other"', ("parentid", "targets", "item", "item or other")),
        (
            'name="due" type="datetime"',
            'name="due" type="datetime" dateMode="relative"',
            ("due", "date mode", None, "relative"),
        ),
        ('primarynamefield="name"', 'primarynamefield="due"', ("", "primary name", "name", "due")),
        ('primaryidfield="itemid"', 'primaryidfield="name"', ("", "primary id", "itemid", "name")),
        ('disableplugins="false"', 'disableplugins="true"', ("", "disable plugins", False, True)),
        ('disableplugins="false"', 'disableplugins="false" skipupdate="true"', ("", "skip update", False, True)),
        ('disableplugins="false"', 'disableplugins="false" forcecreate="true"', ("", "force create", False, True)),
        ("<relationships />", "<relationships /><filter>&lt;fetch /&gt;</filter>", ("", "filter", None, "<fetch />")),
        (
            "<relationships />",
            '<relationships><relationship name="it" manyToMany="true" /></relationships>',
            ("it", "relationship", None, "declared"),
        ),
    ],
)
def test_a_difference_between_the_schemas_is_told_with_its_table_and_column(
    tmp_path: Path, old: str, new: str, told: tuple[object, ...]
) -> None:
    assert old in SCHEMA
    (found,) = _compare(tmp_path, document(), document(), (SCHEMA, SCHEMA.replace(old, new)))
    assert (found.kind, found.table) == (Kind.SCHEMA, "item")
    assert (found.column, found.aspect, found.before, found.after) == told


_RELATIONSHIP = (
    '<relationships><relationship name="it" manyToMany="true" isreflexive="false" relatedEntityName="it"'
    ' m2mTargetEntity="tag" m2mTargetEntityPrimaryKey="tagid" /></relationships>'
)


@pytest.mark.parametrize(
    ("old", "new", "aspect"),
    [
        ('isreflexive="false"', 'isreflexive="true"', "reflexive"),
        ('m2mTargetEntity="tag"', 'm2mTargetEntity="other"', "target"),
        ('PrimaryKey="tagid"', 'PrimaryKey="otherid"', "id of the target"),
    ],
)
def test_what_a_relationship_says_is_compared(tmp_path: Path, old: str, new: str, aspect: str) -> None:
    first = SCHEMA.replace("<relationships />", _RELATIONSHIP)
    (found,) = _compare(tmp_path, document(), document(), (first, first.replace(old, new)))
    assert (found.kind, found.table, found.column, found.aspect) == (Kind.SCHEMA, "item", "it", aspect)


def test_a_table_in_one_schema_only_is_told(tmp_path: Path) -> None:
    more = SCHEMA.replace("</entities>", '<entity name="more"><fields /></entity></entities>')
    there = _compare(tmp_path / "there", document(), document(), (SCHEMA, more))
    back = _compare(tmp_path / "back", document(), document(), (more, SCHEMA))
    assert there == [Difference(Kind.SCHEMA, "more", after="declared", aspect="table")]
    assert back == [Difference(Kind.SCHEMA, "more", before="declared", aspect="table")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<entities >", '<entities dateMode="relative">'),
        ("</entities>", "<entityImportOrder><entityName>item</entityName></entityImportOrder></entities>"),
    ],
)
def test_a_difference_that_changes_how_everything_is_imported_is_told(tmp_path: Path, old: str, new: str) -> None:
    found = _compare(tmp_path, document(), document(), (SCHEMA, SCHEMA.replace(old, new)))
    assert [difference.kind for difference in found] == [Kind.SCHEMA]


@pytest.mark.parametrize(
    ("old", "new"), [('etc="1"', 'etc="10042"'), ('displayname="Item"', 'displayname="Thing"'), ("\n", "\r\n")]
)
def test_what_differs_between_environments_anyway_is_no_difference_of_schemas(
    tmp_path: Path, old: str, new: str
) -> None:
    assert _compare(tmp_path, document(), document(), (SCHEMA, SCHEMA.replace(old, new))) == []
