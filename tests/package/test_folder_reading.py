"""Folders that people have edited, and folders that are hostile: read, or refused with file, line and reason."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confmig.errors import PackageError
from confmig.model.records import Association, Record
from confmig.model.values import Choices, Lookup
from confmig.package.limits import Limits
from confmig.package.package import Package

from .folders import unpack
from .helpers import ID1, ID2, ID3, SCHEMA, document, events_of, make_folder, records_of, refusal_of, row, table

_SCHEMA = SCHEMA.replace(
    '<field displayname="To"',
    '<field name="kinds" type="optionsetvaluecollection" /><field name="doc" type="filedata" /><field displayname="To"',
)
_ROW = f"""\
id: {ID1}
name: One
count: 5
open: true
parentid: {{table: item, id: {ID2}, name: Two}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one row."""
    pairs = (
        f'<m2mrelationship sourceid="{ID1}" targetentityname="tag" targetentitynameidfield="tagid"'
        f' m2mrelationshipname="item_tag"><targetids><targetid>{ID2}</targetid></targetids></m2mrelationship>'
    )
    data = document(table(row('<field name="name" value="One" />'), associations=pairs))
    made = unpack(make_folder(tmp_path / "xml", data, _SCHEMA), tmp_path / "folder")
    (made / "item" / "one-11111111.yml").write_text(_ROW)
    return made


def _edit(folder: Path, text: str) -> Path:
    file = folder / "item" / "one-11111111.yml"
    file.write_text(text)
    return file


def test_values_are_read_by_the_type_of_their_column(folder: Path) -> None:
    _edit(folder, _ROW.replace("One", "no") + "kinds: [3, 1]\nprice: 1.50\ndue: 2024-01-31\n")
    (record,) = records_of(folder)
    assert record.values["name"] == "no"
    assert (record.values["count"], record.values["open"]) == (5, True)
    assert record.values["parentid"] == Lookup("item", ID2, "Two")
    assert record.values["kinds"] == Choices((3, 1))
    assert str(record.values["price"]) == "1.50"


def test_a_row_written_by_hand_may_be_called_as_one_likes_and_have_comments(folder: Path) -> None:
    (folder / "item" / "My row.yml").write_text(f"# added in October\nid: {ID3}\n  # new\nname: >-\n  folded\n  text\n")
    found = {record.id: record for record in records_of(folder)}
    assert found[ID3].values == {"name": "folded text"}


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (_ROW + "nmae: x\n", 6, "no column nmae in table item; is name meant"),
        (_ROW.replace("count: 5", "count: five"), 3, "column count is a whole number: is no number: 'five'"),
        (_ROW.replace("true", "yes"), 4, "column open is true or false"),
        (_ROW + "due: soon\n", 6, "column due is a date and time"),
        (_ROW + "price: 1,5\n", 6, "column price is a number"),
        (_ROW + f"parentid2: {ID2}\n", 6, "is parentid meant"),
        (_ROW.replace(f"{{table: item, id: {ID2}, name: Two}}", ID2), 5, "a lookup is {table: …, id: …, name: …}, not"),
        (_ROW.replace("table: item, ", ""), 5, "the table is missing"),
        (_ROW.replace(f"id: {ID2}", "id: 7"), 5, "the id is no guid: '7'"),
        (_ROW.replace("name: Two", "label: Two"), 5, "without 'label'"),
        (_ROW + "kinds: a\n", 6, "column kinds is a list of choices"),
        (_ROW + "kinds: [1, '']\n", 6, "'' is no option of kinds"),
        (_ROW + "kinds: [-1, 1, -1]\n", 6, "'-1' is no option of kinds"),
        (_ROW + "count2: [1]\n", 6, "no column count2"),
        (_ROW.replace("count: 5", "count: [5]"), 3, "no column of several values"),
        (_ROW + "to: x\n", 6, "a list of parties"),
        (_ROW + "to:\n" + "  - {}\n" * 10_001, 7, "column to has more than 10,000 parties"),
        (_ROW + "doc: x\n", 6, "a file is {id: …"),
        (_ROW.replace(ID1, "1"), 1, "the id is no guid: '1'"),
        (_ROW.replace(f"id: {ID1}\n", ""), 1, "the row has no id"),
        (_ROW + "$undeclared:\n  count: 5\n", 7, "needs not stand below"),
        (_ROW + '$unknown:\n  xml: ["<record/>"]\n', 7, "an element that the format knows"),
        (_ROW + '$unknown:\n  xml: ["<a><b></a>"]\n', 7, "is to be one element"),
        (_ROW + '$unknown:\n  attributes: {\'x="1" y\': "2"}\n', 7, "no name of an XML attribute"),
        (_ROW + "$unknown:\n  attributes: {id: x}\n", 7, "the format knows"),
        (_ROW + "$unknown:\n  columns: {name: {value: x}}\n", 7, "the format knows"),
        (_ROW + "$unknown:\n  columns: {due: {x: y}}\n", 1, "which the row does not have"),
        (_ROW + "due: !file x.html\n", 6, "there is no file one-11111111.x.html"),
        (_ROW.replace("One", "!file ../../package.yml"), 2, "there is no file one-11111111.../../package.yml"),
        (_ROW.replace("One", "!file /etc/passwd"), 2, "there is no file"),
        (_ROW.replace("One", "!include x"), 2, "name is to be a text"),
        (_ROW.replace("One", "&a One"), 2, "anchors and aliases"),
        (_ROW + "name: Two\n", 6, "'name' stands here twice"),
        (
            _ROW.replace("One", "Offer #1"),
            2,
            "a comment begins at the # in this line, and cuts the text off",
        ),
        (_ROW.replace("One", "Offer: 1"), 2, "this is no YAML: mapping values"),
    ],
)
def test_a_mistake_is_told_with_its_line(folder: Path, text: str, line: int, reason: str) -> None:
    file = _edit(folder, text)
    message = refusal_of(folder)
    assert message.startswith(f"{file}, line {line}: ")
    assert reason in message


def test_comments_of_their_own_and_behind_quotes_are_no_mistake(folder: Path) -> None:
    _edit(folder, "# of October\n" + _ROW.replace("One", '"Offer #1" # was 2'))
    assert [record.values["name"] for record in records_of(folder)][:1] == ["Offer #1"]


def test_a_message_does_not_repeat_all_of_a_hostile_key(folder: Path) -> None:
    _edit(folder, _ROW + f"? {'x' * 1_000_000}\n: 1\n")
    assert len(refusal_of(folder)) < 1000


def test_a_merge_that_was_not_decided_is_refused_in_a_file_beside_a_row_too(folder: Path) -> None:
    _edit(folder, _ROW.replace("One", "!file name.html"))
    side = folder / "item" / "one-11111111.name.html"
    side.write_text("<p>\n<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> branch\n</p>\n")
    assert refusal_of(folder).startswith(f"{side}, line 2: a conflict of a merge")


def test_the_last_pair_of_a_relationship_may_be_taken_out(folder: Path) -> None:
    (file,) = (folder / "item" / "associations").iterdir()
    head = file.read_text().partition("  - [")[0]
    file.write_text(head)
    assert not [event for event in events_of(folder) if isinstance(event, Association)]
    file.write_text(head.replace("target: tag\n", ""))
    assert "to which table the relationship leads" in refusal_of(folder)


def test_files_beside_a_row_are_read_to_the_byte(folder: Path) -> None:
    text = "\r\n<p>\ufeffx</p>\r \n\n"
    (folder / "item" / "one-11111111.text.html").write_bytes(text.encode())
    (folder / "item" / "one-11111111.set.json").write_text('{\n  "a": [1.50,\n 2]\n}\n')
    _edit(folder, f"id: {ID1}\nname: !file text.html\n$undeclared:\n  more: !json set.json\n")
    (record,) = records_of(folder)
    assert record.values == {"name": text, "more": '{"a":[1.50,2]}'}


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: (folder / "README.md").write_text("x"), "README.md: this file is no part of a package"),
        (lambda folder: (folder / "data.xml").write_text("x"), "data.xml: this file is no part of a package"),
        (lambda folder: (folder / "item" / "notes.txt").write_text("x"), "notes.txt: no row refers to this file"),
        (lambda folder: (folder / "item" / "more").mkdir(), "more: this folder is no part of a table"),
        (lambda folder: (folder / "No Table").mkdir(), "No Table: this is no name of a table's folder"),
        (lambda folder: (folder / "item" / "associations" / "x.txt").write_text(""), "no file of associations"),
        (lambda folder: (folder / "files").mkdir() or (folder / "files" / "x.bin").write_text(""), "no <id>.bin"),
        (lambda folder: (folder / "data_schema.xml").unlink(), "data_schema.xml cannot be read: No such file"),
        (
            lambda folder: (folder / "data_schema.xml").write_text("<entities>"),
            "data_schema.xml, line 1: this is no well",
        ),
        (lambda folder: (folder / "package.yml").write_text("format: 2\n"), "the format is 2; this confmig reads 1"),
        (
            lambda folder: (folder / "package.yml").write_text("format: 1\nx: 2\n"),
            "line 2: the key 'x' is unknown here",
        ),
        (lambda folder: (folder / "package.yml").write_text(""), "package.yml, line 1: a mapping is expected"),
        (lambda folder: (folder / "item" / "ONE-11111111.yml").write_text(_ROW), "are one name on other systems"),
        (lambda folder: (folder / "Item").mkdir(), "are one name on other systems"),
        (lambda folder: (folder / "item" / "x.yml").symlink_to("one-11111111.yml"), "x.yml: this is a symbolic link"),
        (lambda folder: (folder / "x").symlink_to(folder / "item"), "x: this is a symbolic link"),
        (lambda folder: os.mkfifo(folder / "item" / "x.yml"), "x.yml: this is no plain file"),
        (lambda folder: (folder / "item" / "table.yml").write_text("name: other\n"), "no name of a table's folder"),
        (lambda folder: (folder / "item" / "x.yml").write_bytes(b"id: \xff"), "x.yml, line 1: this is no UTF-8"),
        (lambda folder: Path(os.fsdecode(os.fsencode(folder) + b"/item/\xff.yml")).touch(), "is no UTF-8"),
    ],
)
def test_what_a_folder_should_not_hold_is_refused(make: Callable[[Path], object], reason: str, folder: Path) -> None:
    make(folder)
    assert reason in refusal_of(folder)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("pairs: []\n", 1, "does not say of which relationship"),
        ("relationship: a\ntarget: b\npairs:\n  - [1, 2]\n", 4, "a pair is to be [id, id]"),
        (f"relationship: a\npairs:\n  - [{ID1}]\n", 3, "a pair is to be [id, id]"),
        (f"relationship: a\npairs:\n  - {ID1}\n", 3, "a pair is to be [id, id]"),
        ("relationship: a\npairs: x\n", 2, "a list of [id, id]"),
        ("relationship: a\nother: x\n", 2, "the key 'other' is unknown here"),
    ],
)
def test_associations_are_checked_too(folder: Path, text: str, line: int, reason: str) -> None:
    (file,) = (folder / "item" / "associations").iterdir()
    file.write_text(text)
    message = refusal_of(folder)
    assert message.startswith(f"{file}, line {line}: ")
    assert reason in message


def _refusal(folder: Path, limits: Limits) -> str:
    with pytest.raises(PackageError) as caught, Package(folder, limits) as package:
        list(package.rows())
    return caught.value.message


def test_a_folder_has_the_limits_of_a_zip(folder: Path) -> None:
    (folder / "item" / "one-11111111.text.html").write_text("x" * 2000)
    _edit(folder, _ROW.replace("One", "!file text.html"))
    assert "has more than 1,000 characters" in _refusal(folder, Limits(value=1000))
    assert "the file has more than 100 characters" in _refusal(folder, Limits(value=100))
    _edit(folder, _ROW.replace("One", "y" * 2000))
    assert "line 2, column name: the value has more than 1,000 characters" in _refusal(folder, Limits(value=1000))
    assert "the files have more than 2,000 bytes" in _refusal(folder, Limits(size=2000))
    (folder / "other").mkdir()
    assert "more than 1 tables" in _refusal(folder, Limits(tables=1))


def test_the_payload_of_a_file_is_referred_to_once(folder: Path) -> None:
    (folder / "item" / "one-11111111.doc.pdf").write_bytes(b"pdf")
    _edit(folder, f"id: {ID1}\ndoc: {{id: {ID3}, name: a.pdf, content: !file doc.pdf}}\n")
    with Package(folder) as package:
        assert list(package.file_ids) == [ID3]
        with package.open_file(ID3) as stream:
            assert stream.read() == b"pdf"
        with pytest.raises(PackageError, match="no content of the file"):
            package.open_file(ID2)
    _edit(folder, f"id: {ID1}\nname: !file doc.pdf\ndoc: {{id: {ID3}, content: !file doc.pdf}}\n")
    assert "referred to twice" in refusal_of(folder)
    (folder / "item" / "two.doc.pdf").write_bytes(b"pdf")
    (folder / "item" / "two.yml").write_text(f"id: {ID2}\ndoc: {{id: {ID3}, content: !file doc.pdf}}\n")
    _edit(folder, f"id: {ID1}\ndoc: {{id: {ID3}, content: !file doc.pdf}}\n")
    assert "another content already" in refusal_of(folder)


_RICH = f"""\
id: {ID1}
name: !crlf |-
  One
  two
count: 5
kinds: [1, 2]
due: 2024-01-01T00:00:00.5Z
parentid: {{table: item, id: {ID2}, name: Two}}
doc: {{id: {ID3}, name: a.pdf, content: !file doc.pdf}}
to:
  - id: {ID3}
    partyid: {{table: contact, id: {ID2}}}
    participationtypemask: "2"
$undeclared:
  more: !json set.json
$unknown:
  attributes: {{newId: x}}
  columns:
    count: {{isnull: "true"}}
  xml:
    - <a b="1"/>
"""
_PIECES = [
    b"",
    b"\n",
    b"  ",
    b": ",
    b"- ",
    b"!",
    b"&a",
    b"*a",
    b"|",
    b">",
    b"[",
    b"}",
    b"\xff",
    b"\x00",
    b'"',
    b"'",
    b"#",
    b"---\n",
    b"id",
    b"!file",
    b"$",
]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_folder_is_read_or_refused(folder: Path, data: st.DataObject) -> None:
    """Whatever stands in a folder's files: no other error than the one that tells what is wrong."""
    (folder / "item" / "one-11111111.set.json").write_text('{"a": [1]}')
    (folder / "item" / "one-11111111.doc.pdf").write_bytes(b"pdf")
    (folder / "item" / "table.yml").write_text("name: item\ndisplay_name: Things\n")
    (folder / "package.yml").write_text("format: 1\ntimestamp: x\n$unknown:\n  attributes: {a: b}\n")
    _edit(folder, _RICH)
    names = sorted(file for file in folder.rglob("*") if file.is_file())
    if not data.draw(st.booleans()):
        assert len(records_of(folder)) == 1
    before = {name: name.read_bytes() for name in names}
    name = data.draw(st.sampled_from(names))
    content = bytearray(before[name])
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        content[start : start + data.draw(st.integers(0, 6))] = data.draw(st.sampled_from(_PIECES))
    name.write_bytes(content)
    try:
        with suppress(PackageError), Package(folder) as package:
            assert package.digest
    finally:
        name.write_bytes(before[name])


def test_rows_are_read_one_at_a_time(folder: Path) -> None:
    (folder / "item" / "two-22222222.yml").write_text(f"id: {ID2}\nwrong: x\n")
    with Package(folder) as package:
        rows = (event for event in package.rows() if isinstance(event, Record))
        assert next(rows).id == ID1
        with pytest.raises(PackageError, match="no column wrong"):
            next(rows)


def test_a_table_that_the_schema_does_not_declare_is_read_last_and_as_it_is(folder: Path) -> None:
    (folder / "another").mkdir()
    (folder / "another" / "x.yml").write_text(f"id: {ID3}\nanything: 007\n$id: x\n")
    first, second = records_of(folder)
    assert (first.table, second.table) == ("item", "another")
    assert second.values == {"anything": "007", "id": "x"}
