"""The digest of a package: over its content, not over the zip's bytes."""

import zipfile
from pathlib import Path
from uuid import UUID

import pytest

from confmig.model.records import Record
from confmig.package.digest import ContentDigest
from confmig.package.package import Package

from .helpers import ID1, ID2, ID3, SCHEMA, digest_of, document, make_folder, make_zip, row, table

_PARTY = (
    f'<field name="to" value=""><activitypointerrecords id="{ID3}"><field name="partyid" value="{ID2}"'
    ' lookupentity="contact" lookupentityname="Ann" /></activitypointerrecords></field>'
)
_LINK = (
    f'<m2mrelationship sourceid="{ID1}" targetentityname="tag" targetentitynameidfield="tagid"'
    f' m2mrelationshipname="item_tag"><targetids><targetid>{ID2}</targetid></targetids></m2mrelationship>'
)
_DATA = document(
    table(
        row(
            '<field name="name" value="one" /><field name="count" value="1" />'
            f'<field name="parentid" value="{ID2}" lookupentity="item" lookupentityname="Two" />{_PARTY}'
        )
        + row('<field name="name" value="two" />', ID2),
        associations=_LINK,
    )
)
_MEMBERS = [("data.xml", _DATA.encode()), ("data_schema.xml", SCHEMA.encode())]


def test_a_zip_and_a_folder_of_the_same_content_have_the_same_digest(tmp_path: Path) -> None:
    assert digest_of(make_folder(tmp_path / "a", _DATA)) == digest_of(make_zip(tmp_path / "data.zip", _MEMBERS))


def test_a_repacked_zip_has_the_same_digest(tmp_path: Path) -> None:
    first = make_zip(tmp_path / "first.zip", _MEMBERS)
    second = tmp_path / "second.zip"
    with zipfile.ZipFile(second, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("[Content_Types].xml", (1999, 1, 1, 0, 0, 0)), b"<Types />")
        for name, data in reversed(_MEMBERS):
            archive.writestr(zipfile.ZipInfo(name, (1999, 1, 1, 0, 0, 0)), data)
    assert first.read_bytes() != second.read_bytes()
    assert digest_of(first) == digest_of(second)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2024-01-01T00:00:00.0000000Z", "2025-02-02T00:00:00.0000000Z"),
        ("<entities ", "\r\n<entities   "),
        ("<records>", "\r\n    <records>\r\n  "),
        ('name="count" value="1"', 'value="1"   name="count"'),
        ("</entities>", '<entity name="empty" displayname="Empty"><records /></entity></entities>'),
    ],
)
def test_the_time_of_export_and_the_layout_do_not_change_the_digest(tmp_path: Path, old: str, new: str) -> None:
    changed = _DATA.replace(old, new)
    assert changed != _DATA
    assert digest_of(make_folder(tmp_path / "a", _DATA)) == digest_of(make_folder(tmp_path / "b", changed))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('value="one"', 'value="One"'),
        ('value="one"', 'value="one "'),
        ('name="count" value="1"', 'name="count" value="11"'),
        ('<field name="count" value="1" />', ""),
        ('name="count"', 'name="open"'),
        ('lookupentity="item"', 'lookupentity="other"'),
        ('lookupentity="contact"', 'lookupentity="account"'),
        (f'name="partyid" value="{ID2}"', f'name="partyid" value="{ID1}"'),
        (_PARTY, '<field name="to" value="" />'),
        ('m2mrelationshipname="item_tag"', 'm2mrelationshipname="item_other"'),
        ('targetentityname="tag"', 'targetentityname="other"'),
        (f"<targetid>{ID2}</targetid>", f"<targetid>{ID3}</targetid>"),
        (f"<targetid>{ID2}</targetid>", f"<targetid>{ID2}</targetid><targetid>{ID3}</targetid>"),
        (_LINK, ""),
        (f'<record id="{ID2}">', f'<record id="{ID3}">'),
        ('<entity name="item"', '<entity name="other"'),
    ],
)
def test_a_changed_value_changes_the_digest(tmp_path: Path, old: str, new: str) -> None:
    # Without declared types every text can be read, so only the digest decides.
    schema = '<entities><entity name="item"><fields><field name="name" type="string" /></fields></entity></entities>'
    changed = _DATA.replace(old, new, 1)
    assert changed != _DATA
    first, second = make_folder(tmp_path / "a", _DATA, schema), make_folder(tmp_path / "b", changed, schema)
    assert digest_of(first) != digest_of(second)


def test_values_that_change_places_change_the_digest(tmp_path: Path) -> None:
    changed = _DATA.replace('"one"', '"tmp"').replace('"two"', '"one"').replace('"tmp"', '"two"')
    assert digest_of(make_folder(tmp_path / "a", _DATA)) != digest_of(make_folder(tmp_path / "b", changed))


def test_a_changed_schema_changes_both_digests_and_its_layout_neither(tmp_path: Path) -> None:
    def digests(name: str, schema: str) -> tuple[str, str]:
        with Package(make_folder(tmp_path / name, _DATA, schema)) as package:
            return package.digest, package.schema_digest

    first = digests("first", SCHEMA)
    assert digests("layout", SCHEMA.replace("\n", "\r\n").replace("  ", "\t")) == first
    other = digests(
        "other", SCHEMA.replace('name="name" type="string"', 'updateCompare="true" name="name" type="string"')
    )
    assert other[0] != first[0]
    assert other[1] != first[1]


def test_the_digest_is_the_same_whether_the_rows_were_read_before_or_not(tmp_path: Path) -> None:
    path = make_folder(tmp_path / "a", _DATA)
    with Package(path) as package:
        next(iter(package.rows()))
        half = package.digest
    with Package(path) as package:
        whole = list(package.rows())
        assert whole
        assert package.digest == half
        assert list(package.rows()) == whole
        assert package.digest == half


def test_the_order_of_rows_does_not_change_the_digest_and_a_row_that_stands_twice_does(tmp_path: Path) -> None:
    rows = [row(f'<field name="name" value="{name}" />', row_id) for name, row_id in (("a", ID1), ("b", ID2))]
    first = digest_of(make_folder(tmp_path / "first", document(table("".join(rows)))))
    assert digest_of(make_folder(tmp_path / "second", document(table("".join(reversed(rows)))))) == first
    assert digest_of(make_folder(tmp_path / "third", document(table("".join([*rows, rows[0]]))))) != first


def test_a_digest_is_the_same_in_memory_and_through_files() -> None:
    events = [Record("item", str(UUID(int=number)), {"name": str(number)}) for number in range(1000)]
    digests = []
    for in_memory in (7, 100_000):
        digest = ContentDigest("schema", in_memory)
        for event in events:
            digest.add(event)
        digests.append(digest.hexdigest())
    assert digests[0] == digests[1]


def test_the_bytes_of_a_file_are_part_of_the_digest(tmp_path: Path) -> None:
    folders = [make_folder(tmp_path / name, _DATA) for name in "ab"]
    for folder, content in zip(folders, (b"one", b"two"), strict=True):
        (folder / "files").mkdir()
        (folder / "files" / f"{ID3}.bin").write_bytes(content)
    assert digest_of(folders[0]) != digest_of(folders[1])
