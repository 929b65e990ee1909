"""What git shows when a package changes: a line for a column, a file for a row."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from confmig.errors import PackageError
from confmig.package.folder.replacing import replace_folder
from confmig.package.package import Package

from .folders import changed_lines, files_of, unpack
from .helpers import ID1, ID2, ID3, SCHEMA, document, make_folder, refusal_of, row, table

_SCHEMA = SCHEMA.replace(
    '<field displayname="To"',
    '<field name="rate" type="decimal" /><field name="size" type="float" /><field name="kind" type="optionsetvalue" />'
    '<field name="kinds" type="optionsetvaluecollection" /><field name="text" type="string" />'
    '<field name="image" type="imagedata" /><field displayname="To"',
)
_JSON = json.dumps({"a": [1, 2, {"b": "x" * 120}], "c": "d"}, separators=(",", ":")).replace('"', "&quot;")


def _field(name: str, value: str) -> str:
    return f'<field name="{name}" value="{value}" />'


def _lookup(name: str, row_id: str, label: str) -> str:
    return f'<field name="{name}" value="{row_id}" lookupentity="item" lookupentityname="{label}" />'


def _party(name: str, party: str, address: str) -> str:
    return (
        f'<field name="{name}" value="" lookupentity="" lookupentityname=""><activitypointerrecords id="{party}">'
        f'<field name="participationtypemask" value="2" /><field name="addressused" value="{address}" />'
        "</activitypointerrecords></field>"
    )


_FIELDS = [
    _field("name", "Row"),
    _field("count", "5"),
    _field("price", "11.5000000000"),
    _field("due", "2024-01-01T00:00:00.0000000Z"),
    _field("open", "True"),
    _lookup("parentid", ID2, "Two"),
    _field("rate", "0.1"),
    _field("size", "1.5"),
    _field("kind", "1"),
    _field("kinds", "[-1,1,2,-1]"),
    _field("text", "one&#xA;two&#xA;three"),
    _party("to", ID3, "a@contoso.com"),
]


def _pair(*targets: str) -> str:
    ids = "".join(f"<targetid>{target}</targetid>" for target in targets)
    return (
        f'<m2mrelationship sourceid="{ID1}" targetentityname="tag" targetentitynameidfield="tagid"'
        f' m2mrelationshipname="item_tag"><targetids>{ids}</targetids></m2mrelationship>'
    )


def _folder(tmp_path: Path, name: str, fields: list[str], rows: str = "", pairs: str = "") -> dict[str, bytes]:
    data = document(table(row("".join(fields)) + rows, associations=pairs))
    return files_of(unpack(make_folder(tmp_path / f"{name}-xml", data, _SCHEMA), tmp_path / name))


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('"5"', '"6"', "count: 6"),
        ('"11.5000000000"', '"11.50"', "price: 11.50"),
        ("2024-01-01T00:00:00.0000000Z", "2024-01-01T00:00:00.5000000Z", "due: 2024-01-01T00:00:00.5Z"),
        ("2024-01-01T00:00:00.0000000Z", "2024-01-01T00:00:00.0000000", "due: 2024-01-01T00:00:00"),
        ('"True"', '"False"', "open: false"),
        (f'"{ID2}" lookupentity', f'"{ID3}" lookupentity', f"parentid: {{table: item, id: {ID3}, name: Two}}"),
        ('"Two"', '"A, B"', f'parentid: {{table: item, id: {ID2}, name: "A, B"}}'),
        ('"0.1"', '"0.1234567891"', "rate: 0.1234567891"),
        ('"1.5"', '"2"', "size: 2"),
        ('"kind" value="1"', '"kind" value="2"', "kind: 2"),
        ("[-1,1,2,-1]", "[-1,1,3,-1]", "kinds: [1, 3]"),
        ("two", "2 and a half", "  2 and a half"),
        ("a@contoso.com", "b@contoso.com", "    addressused: b@contoso.com"),
    ],
)
def test_a_changed_column_is_a_changed_line(tmp_path: Path, old: str, new: str, line: str) -> None:
    before = _folder(tmp_path, "before", _FIELDS)
    after = _folder(tmp_path, "after", [field.replace(old, new) for field in _FIELDS])
    assert changed_lines(before, after) == {"item/row-11111111.yml": [line.encode()]}


@pytest.mark.parametrize(
    ("text", "suffix", "old", "new"),
    [
        ("&lt;p>One&lt;/p>&#xD;&#xA;&lt;p>Two&lt;/p>", "html", "Two", "Three"),
        (_JSON, "json", "&quot;d&quot;", "&quot;e&quot;"),
    ],
)
def test_a_changed_part_of_a_long_text_is_a_changed_line_of_its_file(
    tmp_path: Path, text: str, suffix: str, old: str, new: str
) -> None:
    before = _folder(tmp_path, "before", [_field("name", "Row"), _field("text", text)])
    after = _folder(tmp_path, "after", [_field("name", "Row"), _field("text", text.replace(old, new))])
    changes = changed_lines(before, after)
    assert list(changes) == [f"item/row-11111111.text.{suffix}"]
    assert len(changes[f"item/row-11111111.text.{suffix}"]) == 1


def test_a_new_name_renames_the_files_and_changes_a_line(tmp_path: Path) -> None:
    text = _field("text", "&lt;p>One&lt;/p>&#xA;")
    before = _folder(tmp_path, "before", [_field("name", "Row"), text])
    after = _folder(tmp_path, "after", [_field("name", "Other"), text])
    assert set(changed_lines(before, after)) == {
        f"item/{name}-11111111.{suffix}" for name in ("row", "other") for suffix in ("yml", "text.html")
    }
    assert before["item/row-11111111.text.html"] == after["item/other-11111111.text.html"]
    assert before["item/row-11111111.yml"].replace(b"Row", b"Other") == after["item/other-11111111.yml"]


def test_a_new_row_is_a_new_file_and_a_new_pair_a_new_line(tmp_path: Path) -> None:
    before = _folder(tmp_path, "before", _FIELDS, pairs=_pair(ID3))
    after = _folder(tmp_path, "after", _FIELDS, row(_field("name", "New"), ID2), _pair(ID3, ID2))
    name = next(name for name in before if "associations" in name)
    assert {file for file in after if before.get(file) != after[file]} == {"item/new-22222222.yml", name}
    added = set(after[name].splitlines()) - set(before[name].splitlines())
    assert added == {f"  - [{ID1}, {ID2}]".encode()}
    assert len(after[name].splitlines()) == len(before[name].splitlines()) + 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that was written before."""
    data = document(table(row(_field("name", "One") + _field("text", "&lt;p>a&lt;/p>&#xA;")), associations=_pair(ID2)))
    with Package(make_folder(tmp_path / "first", data, _SCHEMA)) as package:
        replace_folder(package, tmp_path / "out")
    return tmp_path / "out"


def _second(tmp_path: Path) -> Package:
    data = document(table(row(_field("name", "Two"), ID2)))
    return Package(make_folder(tmp_path / "second", data, _SCHEMA))


def test_files_of_rows_that_are_gone_are_removed(folder: Path, tmp_path: Path) -> None:
    (folder / "item" / ".DS_Store").write_bytes(b"x")
    (folder / ".git" / "refs").mkdir(parents=True)
    with _second(tmp_path) as package:
        counts, changes = replace_folder(package, folder)
    assert (counts.rows, changes.added, changes.changed, changes.removed, changes.unchanged) == (1, 1, 0, 3, 3)
    assert set(files_of(folder)) == {
        ".gitattributes",
        "data_schema.xml",
        "package.yml",
        "item/two-22222222.yml",
        "item/.DS_Store",
    }
    assert not (folder / "item" / "associations").exists()
    assert (folder / ".git" / "refs").is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "out", "second"]


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: (folder / "item" / "notes.txt").write_text("mine"),
        lambda folder: (folder / "item" / "one-11111111.notes.txt").write_text("mine"),
        lambda folder: (folder / "item" / "other.yml").write_text("services: []\n"),
        lambda folder: (folder / "README.md").write_text("mine"),
        lambda folder: (
            (folder / "item" / "more" / "x").mkdir(parents=True) or (folder / "item/more/x/y").write_text("")
        ),
        lambda folder: (folder / "item" / "one-11111111.yml").write_text("<<<<<<< HEAD\nid: 1\n"),
        lambda folder: (folder / "item" / "link.yml").symlink_to(folder / "package.yml"),
    ],
)
def test_nothing_is_removed_that_is_no_part_of_a_package(
    make: Callable[[Path], object], folder: Path, tmp_path: Path
) -> None:
    from confmig.errors import PackageError

    make(folder)
    before = files_of(folder)
    with _second(tmp_path) as package, pytest.raises(PackageError, match="no part of the package"):
        replace_folder(package, folder)
    assert files_of(folder) == before


def test_what_people_added_to_gitattributes_stays(folder: Path, tmp_path: Path) -> None:
    (folder / ".gitattributes").write_text("* -text\n*.json linguist-generated\n")
    with _second(tmp_path) as package:
        replace_folder(package, folder)
    assert "linguist" in (folder / ".gitattributes").read_text()


def test_the_time_of_export_stays_only_where_nothing_else_has_changed(folder: Path, tmp_path: Path) -> None:
    before = files_of(folder)
    data = (
        (tmp_path / "first" / "data.xml")
        .read_text()
        .replace("2024-01-01T00:00:00.0000000Z", "2025-01-01T00:00:00.0000000Z")
    )
    with Package(make_folder(tmp_path / "later", data, _SCHEMA)) as package:
        _, changes = replace_folder(package, folder, keep_time=True)
        assert (changes.changed, files_of(folder)) == (0, before)
        _, changes = replace_folder(package, folder)
        assert changes.changed == 1
    assert b"2025" in files_of(folder)["package.yml"]


def test_a_folder_whose_change_was_cut_short_is_no_package_until_the_change_is_made_again(tmp_path: Path) -> None:
    def package(name: str, *tables: str) -> Path:
        return make_folder(tmp_path / name, document(*tables), _SCHEMA)

    before = package("before", table(row(_field("name", "One") + _field("image", "iVBORw0KGgo="))))
    after = package("after", table(row(_field("name", "Two"), ID2)), table(row(_field("name", "New"), ID3), "new"))
    folder = unpack(before, tmp_path / "folder")
    (folder / "new").symlink_to(tmp_path)  # stops the change after its beginning
    with Package(after) as opened, pytest.raises(PackageError, match="symbolic links"):
        replace_folder(opened, folder)
    (folder / "new").unlink()
    assert "package.yml, line 2: the folder is being changed" in refusal_of(folder)
    with Package(after) as opened:
        replace_folder(opened, folder)
    assert files_of(folder) == files_of(unpack(after, tmp_path / "whole"))
