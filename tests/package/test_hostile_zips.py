"""Zips and folders that are made to do harm, or that were damaged: each is refused with its member and the reason."""

import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from confmig.errors import PackageError
from confmig.package.limits import LIMITS, Limits, parse_limits
from confmig.package.package import Package, read_schema

from .helpers import ID2, SCHEMA, document, events_of, make_folder, make_zip, records_of, refusal_of, row, table

_DATA = document(table(row('<field name="name" value="first" />')))
_MEMBERS = [("data.xml", _DATA.encode()), ("data_schema.xml", SCHEMA.encode())]


def _refusal(path: Path, limits: Limits) -> PackageError:
    with pytest.raises(PackageError) as caught, Package(path, limits) as package:
        list(package.rows())
    return caught.value


def _with_names(path: Path, *names: str) -> Path:
    """A zip with more members, of exactly these names, which zipfile itself would mend."""
    placeholders = [f"{number:04}".ljust(len(name.encode()), "_") for number, name in enumerate(names)]
    make_zip(path, [*_MEMBERS, *((placeholder, b"x") for placeholder in placeholders)])
    data = path.read_bytes()
    for placeholder, name in zip(placeholders, names, strict=True):
        data = data.replace(placeholder.encode(), name.encode())
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../../etc/cron.d/x", "leaves the package"),
        ("files/../../../x.bin", "leaves the package"),
        ("/etc/passwd_", "leaves the package"),
        ("\\\\server\\share\\x", "leaves the package"),
        ("..\\..\\windows\\x", "leaves the package"),
        ("C:\\windows\\x", "leaves the package"),
        ("c:relative", "leaves the package"),
        ("data.xml\0.txt", "character that no file name has"),
        ("files/a\nb.bin", "character that no file name has"),
        ("files/a:stream", "character that no file name has"),
        ("files/CON.bin", "none that every system can store"),
        ("nul.txt", "none that every system can store"),
        ("files/COM1", "none that every system can store"),
        ("files//x.bin", "none that every system can store"),
        ("files/./x.bin", "none that every system can store"),
        ("files/x.bin ", "none that every system can store"),
        ("files/x.bin.", "none that every system can store"),
    ],
)
def test_a_name_that_could_do_harm_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    message = refusal_of(_with_names(tmp_path / "data.zip", name))
    assert reason in message
    assert "data.zip" in message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("files/a.bin", "files\\a.bin"),
        ("files/a.bin", "files/A.BIN"),
        ("a.txt", "a.txt/"),
        ("data_1", "DATA.xml"),
    ],
)
def test_two_names_that_mean_one_file_are_refused(tmp_path: Path, first: str, second: str) -> None:
    assert "stands in it twice" in refusal_of(_with_names(tmp_path / "data.zip", first, second))


def test_two_names_that_are_spelled_with_other_characters_for_one_letter_are_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "data.zip", [*_MEMBERS, ("files/\u00e9.bin", b""), ("files/e\u0301.bin", b"")])
    assert "stands in it twice" in refusal_of(path)


def test_a_backslash_between_folder_and_file_is_read_as_a_slash(tmp_path: Path) -> None:
    path = _with_names(tmp_path / "data.zip", f"files\\{ID2}.bin")
    with Package(path) as package, package.open_file(ID2) as stream:
        assert stream.read() == b"x"


def test_a_member_packed_by_a_method_that_is_rare_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("data.xml", _DATA)
    assert "bzip2" in refusal_of(path)


@pytest.mark.parametrize("flag", [0x1, 0x40, 0x2000])
def test_an_encrypted_member_is_refused(tmp_path: Path, flag: int) -> None:
    path = make_zip(tmp_path / "data.zip", _MEMBERS)
    data = bytearray(path.read_bytes())
    place = data.index(b"PK\x01\x02") + 8
    data[place : place + 2] = struct.pack("<H", struct.unpack_from("<H", data, place)[0] | flag)
    path.write_bytes(data)
    assert "'data.xml' is encrypted" in refusal_of(path)


def test_a_symbolic_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    link = zipfile.ZipInfo("data.xml")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "'data.xml' is a symbolic link" in refusal_of(path)


def test_members_that_overlap_are_refused(tmp_path: Path) -> None:
    # As in https://www.bamsoftware.com/hacks/zipbomb/: several entries of the list lead to the same bytes.
    path = make_zip(tmp_path / "data.zip", [*_MEMBERS, ("files/a.bin", b"x" * 50), ("files/b.bin", b"y" * 50)])
    with zipfile.ZipFile(path) as archive:
        target = archive.getinfo("files/a.bin").header_offset
    data = bytearray(path.read_bytes())
    place = data.rindex(b"PK\x01\x02") + 42
    data[place : place + 4] = struct.pack("<I", target)
    path.write_bytes(data)
    assert "overlaps" in refusal_of(path)


def _change_sizes(path: Path, member: str, unpacked: int) -> None:
    """Let the list and the member's header say that it unpacks to so many bytes."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(member)
    data = bytearray(path.read_bytes())
    entry = data.rindex(member.encode()) - 46
    data[entry + 24 : entry + 28] = struct.pack("<I", unpacked)
    data[info.header_offset + 22 : info.header_offset + 26] = struct.pack("<I", unpacked)
    path.write_bytes(data)


@pytest.mark.parametrize("lie", [10, 1_000_000, 0xFFFFFFFE])
@pytest.mark.parametrize("member", ["data.xml", "data_schema.xml", f"files/{ID2}.bin"])
def test_a_size_that_lies_is_refused(tmp_path: Path, member: str, lie: int) -> None:
    path = make_zip(tmp_path / "data.zip", [*_MEMBERS, (f"files/{ID2}.bin", b"content of a file")])
    _change_sizes(path, member, lie)
    message = refusal_of(path)
    assert member in message


@pytest.mark.parametrize("size", [0, 1, 40])
def test_a_list_of_members_that_lies_about_its_own_size_is_refused(tmp_path: Path, size: int) -> None:
    path = make_zip(tmp_path / "data.zip", _MEMBERS)
    data = bytearray(path.read_bytes())
    place = data.rindex(b"PK\x05\x06") + 12
    data[place : place + 4] = struct.pack("<I", 0x7FFFFFFF - size)
    path.write_bytes(data)
    assert "the list of its members" in refusal_of(path)


def test_sizes_of_64_bits_that_lie_are_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "data.zip", _MEMBERS)
    data = path.read_bytes()
    place = data.rindex(b"PK\x05\x06")
    record = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, 2**60, 2**60, 2**62, 2**62)
    locator = struct.pack("<IIQI", 0x07064B50, 0, place, 1)
    path.write_bytes(data[:place] + record + locator + data[place:])
    assert "the list of its members" in refusal_of(path)


def test_millions_of_tiny_members_are_refused_before_they_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    entry = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0) + b"abcdefg"
    count = 17 * 1024**2 // len(entry)
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, count * len(entry), 0, 0)
    path.write_bytes(entry * count + end)
    assert "the list of its members" in refusal_of(path)


def test_a_member_beyond_the_ratio_is_refused_with_the_way_to_allow_it(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "data.zip", [("data.xml", _DATA.encode() + b" " * (11 * 1024**2)), _MEMBERS[1]])
    error = _refusal(path, LIMITS)
    assert "data.xml" in error.message
    assert "250 times" in error.message
    assert "--package-limits ratio=" in error.hint
    with Package(path, Limits(ratio=1032)) as package:
        assert len(list(package.rows())) == 2


def test_a_package_beyond_the_size_is_refused_with_the_way_to_allow_it(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "data.zip", _MEMBERS)
    folder = make_folder(tmp_path / "folder", _DATA)
    size = len(_DATA) + len(SCHEMA)
    for path in (archive, folder):
        error = _refusal(path, Limits(size=size - 1))
        assert f"{size - 1:,} bytes" in error.message
        assert "--package-limits size=" in error.hint
        with Package(path, Limits(size=size)) as package:
            assert len(list(package.rows())) == 2


@pytest.mark.parametrize("members", [_MEMBERS, [*_MEMBERS, ("files/x.bin", os.urandom(500))]])
def test_a_zip_that_was_cut_anywhere_is_refused(tmp_path: Path, members: list[tuple[str, bytes]]) -> None:
    whole = make_zip(tmp_path / "whole.zip", members).read_bytes()
    cut = tmp_path / "cut.zip"
    for size in range(0, len(whole), 13):
        cut.write_bytes(whole[:size])
        assert "cut.zip" in refusal_of(cut)


def test_a_payload_with_a_wrong_checksum_is_refused_with_its_name(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "data.zip", [*_MEMBERS, (f"files/{ID2}.bin", b"content of a file")])
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 16] ^= 1
    path.write_bytes(data)
    with pytest.raises(PackageError, match=f"files/{ID2}.bin cannot be read"), Package(path) as package:
        _ = package.digest


def test_a_zip_within_a_zip_is_only_a_file(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("data.xml", "no package")
    path = make_zip(tmp_path / "data.zip", [*_MEMBERS, ("files/inner.zip", inner.getvalue())])
    assert len(records_of(path)) == 1


def test_a_directory_named_like_the_rows_is_not_the_rows(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "data.xml").mkdir(parents=True)
    assert "no data.xml" in refusal_of(folder)
    assert "no data.xml" in refusal_of(make_zip(tmp_path / "data.zip", [("data.xml/", b""), _MEMBERS[1]]))


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


@pytest.mark.parametrize(("make", "reason"), [(_fifo, "neither a file nor a folder"), (_link, "symbolic link")])
@pytest.mark.parametrize("name", ["data.xml", "x.txt", "files/x.bin", "deep/er/x"])
def test_what_is_no_file_in_a_folder_is_refused(
    tmp_path: Path, name: str, make: Callable[[Path], None], reason: str
) -> None:
    folder = make_folder(tmp_path / "folder", _DATA)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).unlink(missing_ok=True)
    make(folder / name)
    message = refusal_of(folder)
    assert reason in message
    assert name in message


@pytest.mark.parametrize("path", [Path("/dev/zero"), Path("/dev/null")])
def test_a_device_is_no_package_and_no_schema(path: Path) -> None:
    assert "neither a file nor a folder" in refusal_of(path)
    with pytest.raises(PackageError, match="no regular file"):
        read_schema(path)


def test_a_pipe_is_no_package_and_no_schema(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "neither a file nor a folder" in refusal_of(pipe)
    with pytest.raises(PackageError, match="no regular file"):
        read_schema(pipe)


@pytest.mark.parametrize("make", [_fifo, _link, Path.exists])
def test_a_file_that_is_exchanged_after_it_was_looked_at_is_not_read(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    folder = make_folder(tmp_path / "folder", _DATA)
    with Package(folder) as package:
        (folder / "data.xml").unlink()
        make(folder / "data.xml")
        with pytest.raises(PackageError, match=r"data\.xml cannot be read"):
            list(package.rows())


@pytest.mark.parametrize("name", ["DATA.xml", "files/AB.bin", "files/ab.BIN"])
def test_two_files_of_a_folder_that_differ_in_case_only_are_refused(tmp_path: Path, name: str) -> None:
    folder = make_folder(tmp_path / "folder", _DATA)
    (folder / "files").mkdir()
    (folder / "files" / "ab.bin").write_bytes(b"a")
    assert len(records_of(folder)) == 1
    if (folder / name).exists():
        return  # a disk that knows no case
    (folder / name).write_bytes(b"b")
    assert "but for its case" in refusal_of(folder)


def test_empty_files_are_refused(tmp_path: Path) -> None:
    assert "data.xml: the file is empty" in refusal_of(make_zip(tmp_path / "a.zip", [("data.xml", b""), _MEMBERS[1]]))
    assert "data_schema.xml: the file is empty" in refusal_of(
        make_zip(tmp_path / "b.zip", [_MEMBERS[0], ("data_schema.xml", b"")])
    )


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        (None, LIMITS),
        ("", LIMITS),
        ("ratio=500", Limits(ratio=500)),
        ("size=40GB, value=16MB", Limits(size=40 * 1024**3, value=16 * 1024**2)),
        ("tables=20000,size=1TB,value=100k,ratio=1", Limits(1, 1024**4, 100 * 1024, 20000)),
        ("size=3 GiB", Limits(size=3 * 1024**3)),
    ],
)
def test_limits_are_read(text: str | None, limits: Limits) -> None:
    assert parse_limits(text) == limits


def test_what_reads_as_before_needs_no_limits(tmp_path: Path) -> None:
    assert events_of(make_zip(tmp_path / "data.zip", _MEMBERS)) == events_of(make_folder(tmp_path / "folder", _DATA))
