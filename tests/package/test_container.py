"""Where a package's files lie, and the zips that are refused."""

import contextlib
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confmig.errors import ExitCode, PackageError
from confmig.package.container import Container
from confmig.package.package import Package

from .helpers import (
    ID1,
    ID2,
    SCHEMA,
    digest_of,
    document,
    events_of,
    make_folder,
    make_zip,
    records_of,
    refusal_of,
    row,
    table,
)

_ROW = row('<field name="name" value="first" />')
_DATA = document(table(_ROW))
_MEMBERS = [("data.xml", _DATA.encode()), ("data_schema.xml", SCHEMA.encode())]


def _members(path: Path) -> tuple[str | None, tuple[str, ...], Mapping[str, str]]:
    with Container(path) as container:
        return container.members.schema, container.members.rows, container.members.files


def test_a_zip_and_a_folder_of_the_same_files_hold_the_same(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "folder", _DATA)
    archive = make_zip(tmp_path / "data.zip", _MEMBERS)
    assert events_of(folder) == events_of(archive)
    assert len(records_of(folder)) == 1


def test_the_members_may_stand_in_any_order_and_content_types_may_be_absent(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "data.zip", [("[Content_Types].xml", b"<Types />"), *reversed(_MEMBERS)])
    assert _members(archive) == ("data_schema.xml", ("data.xml",), {})
    assert events_of(archive) == events_of(make_zip(tmp_path / "other.zip", _MEMBERS))


def test_a_pair_named_otherwise_is_found(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "p.zip", [("Books.xml", _DATA.encode()), ("Books_schema.xml", SCHEMA.encode())])
    assert _members(archive) == ("Books_schema.xml", ("Books.xml",), {})
    assert len(records_of(archive)) == 1


def test_the_split_form_reads_the_files_of_all_tables(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "split", document())
    for name, row_id in (("item", ID1), ("theme", ID2)):
        text = table(row('<field name="name" value="x" />', row_id), name)
        (folder / f"{name}_data.xml").write_text(f'\ufeff<?xml version="1.0" encoding="utf-8"?>\n{text}', "utf-8")
    assert _members(folder) == ("data_schema.xml", ("data.xml", "item_data.xml", "theme_data.xml"), {})
    assert [(record.table, record.id) for record in records_of(folder)] == [("item", ID1), ("theme", ID2)]


def test_rows_without_a_schema_are_read_and_the_schema_is_marked_as_inferred(tmp_path: Path) -> None:
    with Package(make_folder(tmp_path / "bare", _DATA, None)) as package:
        assert package.schema.inferred
        assert len(list(package.rows())) == 2


def test_files_are_told_apart_from_rows(tmp_path: Path) -> None:
    payload = f"files/{ID1}.bin"
    archive = make_zip(tmp_path / "data.zip", [*_MEMBERS, (payload, b"\x00\x01")])
    assert _members(archive) == ("data_schema.xml", ("data.xml",), {ID1: payload})
    with Container(archive) as container:
        assert container.read(payload) == b"\x00\x01"


@pytest.mark.parametrize("name", ["files/x.bin", "files/.bin", f"files/sub/{ID1}.bin", f"files/{ID1}.txt"])
def test_what_no_row_can_refer_to_is_left_out_and_said(tmp_path: Path, name: str) -> None:
    with Package(make_zip(tmp_path / "data.zip", [*_MEMBERS, (name, b"x")])) as package:
        assert package.left_out == (name,)
        assert not package.file_ids


def test_a_file_is_found_by_its_id_however_that_is_written(tmp_path: Path) -> None:
    names = [f"files/{{{ID1.upper()}}}.bin", f"files/{ID1.replace('-', '')}.bin"]
    with Package(make_zip(tmp_path / "data.zip", [*_MEMBERS, (names[0], b"x")])) as package:
        assert [*package.file_ids] == [ID1]
    assert "the content of one file" in refusal_of(
        make_zip(tmp_path / "twice.zip", [*_MEMBERS, *((name, b"x") for name in names)])
    )


@pytest.mark.parametrize(
    "members",
    [
        [],
        [("readme.txt", b"hello")],
        [("data_schema.xml", SCHEMA.encode())],
        [("nested/data.xml", _DATA.encode()), ("nested/data_schema.xml", SCHEMA.encode())],
        [("one.xml", _DATA.encode()), ("two.xml", _DATA.encode())],
    ],
)
def test_a_zip_without_rows_is_refused_with_what_was_found(tmp_path: Path, members: list[tuple[str, bytes]]) -> None:
    message = refusal_of(make_zip(tmp_path / "data.zip", members))
    assert "data.zip" in message
    assert "no data.xml" in message
    assert all(name in message for name, _ in members)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert "no data.xml" in refusal_of(tmp_path)


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "no such data package" in refusal_of(tmp_path / "none.zip")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 half"])
def test_a_file_that_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.zip"
    path.write_bytes(content)
    assert "no data package" in refusal_of(path)


def test_a_refusal_ends_with_the_exit_code_of_packages_and_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PackageError) as caught:
        events_of(tmp_path / "none.zip")
    assert caught.value.exit_code is ExitCode.PACKAGE
    assert caught.value.hint


def test_a_member_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with pytest.warns(UserWarning, match="Duplicate name"):
        make_zip(path, [*_MEMBERS, ("data.xml", b"<entities />")])
    assert "'data.xml' stands in it twice" in refusal_of(path)


@pytest.mark.parametrize(
    "name", ["../data.xml", "files/../../x.bin", "/etc/passwd", "\\windows\\x", "files\\..\\..\\x", "C:/x.xml"]
)
def test_a_member_that_would_leave_the_package_is_refused(tmp_path: Path, name: str) -> None:
    message = refusal_of(make_zip(tmp_path / "data.zip", [*_MEMBERS, (name, b"x")]))
    assert "leaves the package" in message


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "data.zip", _MEMBERS)
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    path.write_bytes(data)
    assert "'data.xml' is encrypted" in refusal_of(path)


def test_a_member_that_unpacks_to_many_times_its_size_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "data.zip", [*_MEMBERS, ("files/bomb.bin", bytes(12 * 1024**2))])
    assert "250 times" in refusal_of(path)


@pytest.mark.parametrize("target", ["file", "folder", "nothing"])
def test_a_symbolic_link_in_a_folder_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "file").write_text(_DATA)
    (tmp_path / "folder").mkdir()
    package = make_folder(tmp_path / "package", _DATA)
    (package / "link.xml").symlink_to(tmp_path / target)
    assert "symbolic link" in refusal_of(package)


def _damage(path: Path, member: str, change: Callable[[bytearray, int, int], None]) -> None:
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(member)
    data = bytearray(path.read_bytes())
    start = info.header_offset + 30 + len(info.filename.encode())
    change(data, start, info.compress_size)
    path.write_bytes(data)


def _overwrite(data: bytearray, start: int, size: int) -> None:
    data[start : start + size] = b"\xff" * size


def _flip_one(data: bytearray, start: int, size: int) -> None:
    # In the middle: the last byte of deflated data may hold bits that mean nothing.
    data[start + size // 2] ^= 0x40


def _wrong_sum(data: bytearray, start: int, size: int) -> None:
    # The checksum in the directory, which zipfile compares with what it read.
    for mark, offset in ((b"PK\x01\x02", 16),):
        position = 0
        while (position := data.find(mark, position)) >= 0:
            data[position + offset] ^= 0xFF
            position += 4


@pytest.mark.parametrize("change", [_overwrite, _flip_one, _wrong_sum])
@pytest.mark.parametrize("member", ["data.xml", "data_schema.xml"])
def test_a_damaged_member_is_refused_with_its_name(
    tmp_path: Path, member: str, change: Callable[[bytearray, int, int], None]
) -> None:
    rows = "".join(row(f'<field name="name" value="{number}" />') for number in range(300))
    path = make_zip(tmp_path / "data.zip", [("data.xml", document(table(rows)).encode()), _MEMBERS[1]])
    _damage(path, member, change)
    assert "data.zip" in refusal_of(path)


def test_a_zip_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "data.zip", _MEMBERS)
    whole = path.read_bytes()
    for size in range(0, len(whole), 37):
        path.write_bytes(whole[:size])
        refusal_of(path)


@settings(deadline=None, max_examples=200)
@given(st.integers(0), st.integers(1, 255))
def test_a_zip_with_one_wrong_byte_is_refused_or_holds_the_same(place: int, change: int) -> None:
    with TemporaryDirectory() as folder:
        path = make_zip(Path(folder, "data.zip"), [*_MEMBERS, ("[Content_Types].xml", b"<Types />")])
        digest = digest_of(path)
        data = bytearray(path.read_bytes())
        data[place % len(data)] ^= change
        path.write_bytes(data)
        with contextlib.suppress(PackageError), Package(path) as package:
            # A wrong byte in the directory can hide the schema; then it is guessed, and marked so.
            assert package.schema.inferred or package.digest == digest
