"""What differs in form only is told when it is asked for; what matters to an import is told always."""

from pathlib import Path

import pytest

from confmig.model.values import FileRef
from confmig.package.comparing import Difference, Kind, compare_packages, compare_schemas
from confmig.package.package import Package, read_schema

from .helpers import ID1, ID2, ID3, SCHEMA, document, make_folder, row, table

_FILE_SCHEMA = SCHEMA.replace(
    '<field displayname="Open" name="open" type="bool" />', '<field displayname="Scan" name="scan" type="filedata" />'
)
_NO_ID = "00000000-0000-0000-0000-000000000000"


def _compare(
    folder: Path, first: str, second: str, *, exact: bool, schemas: tuple[str, str] = (SCHEMA, SCHEMA)
) -> list[Difference]:
    left = make_folder(folder / "first", first, schemas[0])
    right = make_folder(folder / "second", second, schemas[1])
    return _differences(left, right, exact=exact)


def _differences(left: Path, right: Path, *, exact: bool) -> list[Difference]:
    with Package(left) as one, Package(right) as other:
        return list(compare_packages(one, other, exact=exact))


def _rows(*rows: str) -> str:
    return document(table("".join(rows)))


_WHO = f'<field name="parentid" value="{ID2}" lookupentity="item" lookupentityname="Two" />'
_PARTY = (
    f'<field name="to" value=""><activitypointerrecords id="{ID3}"><field name="partyid" value="{ID2}"'
    ' lookupentity="contact" lookupentityname="Ann" /><field name="participationtypemask" value="2" />'
    '<field name="addressused" value="ann@contoso.com" /></activitypointerrecords></field>'
)


@pytest.mark.parametrize(
    ("first", "second", "column", "aspect"),
    [
        ('<field name="price" value="1.5" />', '<field name="price" value="1.50" />', "price", ""),
        ('<field name="name" value="" />', "", "name", ""),
        ('<field name="to" value="" />', "", "to", ""),
        (_WHO, _WHO.replace("Two", "Renamed"), "parentid", ""),
        (_PARTY, _PARTY.replace("ann@", "bob@"), "to", ""),
        (_PARTY, _PARTY.replace(f'id="{ID3}"', f'id="{ID1}"'), "to", ""),
        (_PARTY, _PARTY.replace(f'id="{ID3}"', f'id="{ID3}" more="x"'), "to", ""),
        (_PARTY, _PARTY.replace('value="ann', 'mark="x" value="ann'), "to", ""),
        (
            '<field name="due" value="2024-01-01T00:00:00.0000000Z" />',
            '<field name="due" value="2024-01-01T00:00:00.0000000" />',
            "due",
            "",
        ),
        ('<field name="name" value="x" />', '<field name="name" value="x" mark="y" />', "name", "attributes"),
        ("", "<note>x</note>", "", "elements"),
    ],
)
def test_a_difference_in_form_is_told_when_it_is_asked_for(
    tmp_path: Path, first: str, second: str, column: str, aspect: str
) -> None:
    for name, one, other in (("there", first, second), ("back", second, first)):
        rows = _rows(row(one)), _rows(row(other))
        assert _compare(tmp_path / name, *rows, exact=False) == []
        (found,) = _compare(tmp_path / name, *rows, exact=True)
        assert (found.kind, found.table, found.row) == (Kind.FORM, "item", ID1)
        assert (found.column, found.aspect) == (column, aspect)
        bare = _rows(row(one, _NO_ID)), _rows(row(other, _NO_ID))
        assert _compare(tmp_path / name, *bare, exact=False) == []
        assert len(_compare(tmp_path / name, *bare, exact=True)) == 2  # without an id it is another row


@pytest.mark.parametrize(
    ("old", "new", "aspect"),
    [
        ("2024-01-01T", "2025-01-01T", "timestamp"),
        ("<entities ", '<entities mark="x" ', "attributes"),
        ('<entity name="item"', '<entity name="item" mark="x"', "attributes of the data"),
        ('displayname="Item"', 'displayname="Thing"', "attributes of the data"),
        ("</entities>", "<note>x</note></entities>", "elements"),
        (f'<record id="{ID1}"', f'<record id="{ID1}" newId="{ID2}"', "attributes"),
        ("</records>", "</records><note>x</note>", "elements"),
    ],
)
def test_what_stands_beside_the_values_is_told_when_it_is_asked_for(
    tmp_path: Path, old: str, new: str, aspect: str
) -> None:
    first = _rows(row('<field name="name" value="x" />'))
    assert old in first
    assert _compare(tmp_path, first, first.replace(old, new), exact=False) == []
    (found,) = _compare(tmp_path, first, first.replace(old, new), exact=True)
    assert (found.kind, found.aspect) == (Kind.FORM, aspect)


def test_a_row_that_stands_twice_is_told(tmp_path: Path) -> None:
    once, twice = row('<field name="name" value="x" />'), row('<field name="name" value="x" />') * 2
    assert _compare(tmp_path, _rows(once), _rows(twice), exact=False) == [
        Difference(Kind.CHANGED, "item", ID1, "", 1, 2, "copies of the row", "x")
    ]
    assert _compare(tmp_path / "same", _rows(twice), _rows(twice), exact=True) == []


def test_how_two_copies_share_the_columns_is_a_matter_of_form(tmp_path: Path) -> None:
    name, count = '<field name="name" value="x" />', '<field name="count" value="1" />'
    first, second = _rows(row(name + count) + row(name)), _rows(row(name) + row(count))
    assert _compare(tmp_path, first, second, exact=False) == []
    (found,) = _compare(tmp_path, first, second, exact=True)
    assert (found.kind, found.aspect) == (Kind.FORM, "how its copies share the columns")


def test_a_row_without_an_id_that_is_another_row_is_told_to_have_no_id(tmp_path: Path) -> None:
    name = '<field name="name" value="x" />'
    (found,) = _compare(tmp_path, _rows(row(name)), _rows(row(name, _NO_ID)), exact=True)
    assert found == Difference(Kind.FORM, "item", ID1, "", ID1, None, "id", "x")


def _link(extra: str = "", target: str = "tag", column: str = "tagid", times: int = 1) -> str:
    link = (
        f'<m2mrelationship sourceid="{ID1}" targetentityname="{target}" targetentitynameidfield="{column}"'
        f' m2mrelationshipname="item_tag"{extra}><targetids><targetid>{ID2}</targetid></targetids></m2mrelationship>'
    )
    return document(table(row('<field name="name" value="x" />'), associations=link * times))


@pytest.mark.parametrize(
    ("second", "kind", "aspect"),
    [
        (_link(target="other"), Kind.CHANGED, "table"),
        (_link(column="otherid"), Kind.CHANGED, "id column"),
        (_link(' mark="x"'), Kind.FORM, "attributes"),
        (_link(times=2), Kind.FORM, "copies"),
    ],
)
def test_what_an_association_says_is_compared(tmp_path: Path, second: str, kind: Kind, aspect: str) -> None:
    (found,) = _compare(tmp_path, _link(), second, exact=True)
    assert (found.kind, found.row, found.column, found.aspect, found.name) == (kind, ID1, "item_tag", aspect, "x")
    assert len(_compare(tmp_path, _link(), second, exact=False)) == (kind is Kind.CHANGED)


def _with_file(folder: Path, file_id: str, content: bytes | None, name: str = "a.pdf") -> Path:
    field = f'<field name="scan" value="{file_id}" filename="{name}" />'
    make_folder(folder, _rows(row(field)), _FILE_SCHEMA)
    if content is not None:
        (folder / "files").mkdir()
        (folder / "files" / f"{file_id}.bin").write_bytes(content)
    return folder


def test_files_are_the_same_when_their_names_and_bytes_are(tmp_path: Path) -> None:
    first = _with_file(tmp_path / "first", ID2, b"one")
    same = _with_file(tmp_path / "same", ID3, b"one")
    assert _differences(first, first, exact=True) == []
    assert _differences(first, same, exact=False) == []
    (found, *loose) = _differences(first, same, exact=True)
    assert (found.kind, found.column, found.aspect) == (Kind.FORM, "scan", "id of the file")
    assert loose == []
    renamed = _with_file(tmp_path / "renamed", ID2, b"one", "b.pdf")
    (found,) = _differences(first, renamed, exact=False)
    assert (found.kind, found.before, found.after) == (Kind.CHANGED, FileRef(ID2, "a.pdf"), FileRef(ID2, "b.pdf"))


@pytest.mark.parametrize("content", [b"two", None])
def test_a_file_with_other_bytes_or_none_was_changed(tmp_path: Path, content: bytes | None) -> None:
    first = _with_file(tmp_path / "first", ID2, b"one")
    (found,) = _differences(first, _with_file(tmp_path / "second", ID2, content), exact=False)
    assert (found.kind, found.row, found.column, found.aspect) == (Kind.CHANGED, ID1, "scan", "bytes of the file")
    assert str(found.before).startswith("3 bytes, SHA-256 ")


def test_a_file_that_no_row_has_is_compared_too(tmp_path: Path) -> None:
    paths = [make_folder(tmp_path / name, document()) for name in ("first", "second")]
    (paths[1] / "files").mkdir()
    (paths[1] / "files" / f"{ID2}.bin").write_bytes(b"x")
    (found,) = _differences(*paths, exact=False)
    assert (found.kind, found.row, found.aspect) == (Kind.ADDED, ID2, "file that no row has")


@pytest.mark.parametrize(
    ("old", "new", "column", "aspect"),
    [
        ('displayname="Item" etc', 'displayname="Thing" etc', "", "display name"),
        ('etc="1"', 'etc="2"', "", "object type code"),
        ('etc="1"', 'etc="1" mark="x"', "", "attributes"),
        ('displayname="Name"', 'displayname="Word"', "name", "display name"),
        ('name="name" type="string"', 'name="name" type="string" customfield="true"', "name", "custom"),
        ('name="name" type="string"', 'name="name" type="string" mark="x"', "name", "attributes"),
        ('"account|contact"', '"contact|account"', "to", "order of targets"),
        ("<entities >", '<entities mark="x">', "", "attributes"),
        ("</fields>", "</fields><note>x</note>", "", "elements"),
        (
            "<relationships />",
            '<relationships><relationship name="r" referencedEntity="x" /></relationships>',
            "r",
            "relationship",
        ),
    ],
)
def test_what_no_import_reads_in_a_schema_is_told_when_it_is_asked_for(
    tmp_path: Path, old: str, new: str, column: str, aspect: str
) -> None:
    assert old in SCHEMA
    one, other = tmp_path / "one.xml", tmp_path / "other.xml"
    one.write_text(SCHEMA)
    other.write_text(SCHEMA.replace(old, new))
    first, second = read_schema(one)[0], read_schema(other)[0]
    assert list(compare_schemas(first, second)) == []
    (found,) = compare_schemas(first, second, exact=True)
    assert (found.kind, found.column, found.aspect) == (Kind.FORM, column, aspect)


def test_the_order_of_columns_in_a_schema_is_told_when_it_is_asked_for(tmp_path: Path) -> None:
    lines = SCHEMA.splitlines()
    lines[4], lines[5] = lines[5], lines[4]
    one, other = tmp_path / "one.xml", tmp_path / "other.xml"
    one.write_text(SCHEMA)
    other.write_text("\n".join(lines))
    first, second = read_schema(one)[0], read_schema(other)[0]
    assert list(compare_schemas(first, second)) == []
    (found,) = compare_schemas(first, second, exact=True)
    assert (found.kind, found.aspect) == (Kind.FORM, "declarations")
