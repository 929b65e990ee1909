"""What cannot be written so that it is read as the same again is refused, with a sentence that says where."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given, settings

from confmig.errors import PackageError, UsageError
from confmig.model.records import Association, PackageEvent, Record, TableStart
from confmig.model.schema import Column, Schema, Table
from confmig.model.values import Choices, ColumnType, FileRef, Lookup, Parties, Party, Value
from confmig.package.package import Package
from confmig.package.schemafile import write_schema
from confmig.package.writer import write_package

from .helpers import ID1, ID2, ID3, digest_of, events_of, member_of
from .strategies import VALUES

T = ColumnType
_AHEAD = timezone(timedelta(hours=14))

REFUSED: list[tuple[ColumnType, Value, str]] = [
    (T.FLOAT, float("nan"), "is no number: nan"),
    (T.FLOAT, float("-inf"), "is no number: -inf"),
    (T.FLOAT, "1.5", "is not a whole number"),
    (T.DECIMAL, Decimal("NaN"), "out of any column's range"),
    (T.MONEY, Decimal("Infinity"), "out of any column's range"),
    (T.MONEY, Decimal("1E+1000000"), "out of any column's range"),
    (T.DECIMAL, Decimal("1E-41"), "out of any column's range"),
    (T.DECIMAL, 1.5, "is not a whole number"),
    (T.NUMBER, 2**63, "beyond 64 bits"),
    (T.NUMBER, True, "is not a whole number"),
    (T.CHOICE, Decimal(1), "is not a whole number"),
    (T.BOOL, 1, "is not True or False"),
    (T.DATETIME, datetime(1, 1, 1, tzinfo=_AHEAD), "before the year 1"),
    (T.DATETIME, "2024-01-01", "is not a date and time"),
    (T.CHOICES, Choices((1, -1, 2)), "holds the choice -1"),
    (T.CHOICES, 5, "is not a set of choices"),
    (T.GUID, "{" + ID1 + "}", "is no guid in lower case"),
    (T.GUID, ID1.replace("1", "A"), "is no guid in lower case"),
    (T.STRING, "half \ud83d", "U+D83D, one half of a surrogate pair"),
    (T.STRING, 5, "is not a text"),
    (T.IMAGE, "a\x00b", "is no base64"),
    (T.LOOKUP, Lookup("", ID2), "does not say to which table"),
    (T.LOOKUP, Lookup("item", 'x" />'), "is no guid in lower case"),
    (T.LOOKUP, Lookup("item\x01", ID2), "name with characters that no XML file can hold"),
    (T.LOOKUP, ID2, "is no entityreference"),
    (T.OWNER, 5, "is no owner"),
    (T.PARTIES, "x", "is no partylist"),
    (T.PARTIES, Parties((Party(Lookup("", ID2), 1, (("partyid", Lookup("", ID2)),)),)), "does not say to which table"),
    (T.FILE, ID1, "is no filedata"),
    (T.FILE, FileRef("../x", "a"), "is no guid in lower case"),
    (T.FILE, FileRef(ID2, "a\x0b.pdf"), "name with characters that no XML file can hold"),
    (T.STRING, FileRef(ID2, "a.pdf"), "is no string"),
]


def _write(path: Path, kind: ColumnType, *events: PackageEvent) -> Path:
    schema = Schema((Table("item", "itemid", (Column("x", kind, type_text=kind.value),)),))
    write_package(path, write_schema(schema), schema, [TableStart("item"), *events])
    return path


@pytest.mark.parametrize(("kind", "value", "reason"), REFUSED)
def test_a_value_that_would_be_read_as_another_is_refused(
    tmp_path: Path, kind: ColumnType, value: Value, reason: str
) -> None:
    with pytest.raises(PackageError) as caught:
        _write(tmp_path / "data.zip", kind, Record("item", ID1, {"x": value}))
    assert reason in caught.value.message
    assert f"table item, row {ID1}, column x: the value " in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_ids_that_are_none_are_refused(tmp_path: Path) -> None:
    link = Association("rel", "item", ID1, "tag", (ID2, "<"), "tagid")
    for event, where in ((Record("item", 'a"b', {}), "its id"), (link, "relationship rel: an id")):
        with pytest.raises(PackageError, match=where):
            _write(tmp_path / "data.zip", T.STRING, event)


def test_an_undeclared_column_and_one_with_a_strange_name(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="column y: the value is not a text: '5'"):
        _write(tmp_path / "data.zip", T.STRING, Record("item", ID1, {"y": 5}))
    with pytest.raises(PackageError, match="name with characters"):
        _write(tmp_path / "data.zip", T.STRING, Record("item", ID1, {"y\x00": "5"}))


def test_a_row_of_another_table_is_never_written_among_these(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a row of other among those of item"):
        _write(tmp_path / "data.zip", T.STRING, Record("other", ID1, {}))


@pytest.mark.parametrize("kind", list(ColumnType))
def test_every_value_of_every_type_is_read_as_it_was_written_and_gives_the_same_digest(
    tmp_path_factory: pytest.TempPathFactory, kind: ColumnType
) -> None:
    folder = tmp_path_factory.mktemp("packages")

    @settings(deadline=None, max_examples=60)
    @given(VALUES[kind])
    def check(value: Value) -> None:
        record = Record("item", ID1, {"x": value})
        first = _write(folder / "first.zip", kind, record)
        assert events_of(first)[-1] == record
        with Package(first) as package:
            write_package(folder / "second.zip", package.schema_bytes, package.schema, package.rows())
        assert digest_of(folder / "second.zip") == digest_of(first)

    check()


def test_a_party_that_only_the_value_names_is_written_with_its_columns(tmp_path: Path) -> None:
    schema = Schema((Table("item", "itemid", (Column("to", T.PARTIES, type_text="partylist"),)),))
    who = Lookup("contact", ID2, "Ann")
    found: list[PackageEvent] = [TableStart("item"), Record("item", ID1, {"to": Parties((Party(who, 1),))})]
    write_package(tmp_path / "data.zip", write_schema(schema), schema, found)
    row = events_of(tmp_path / "data.zip")[-1]
    assert isinstance(row, Record)
    columns = (("partyid", who), ("participationtypemask", "1"))
    assert row.values == {"to": Parties((Party(who, 1, columns),))}


_FILE = Record("item", ID1, {"x": FileRef(ID2, "a")})
_FILES = Schema((Table("item", "itemid", (Column("x", T.FILE, type_text="filedata"),)),))


def test_a_payload_that_is_missing_stops_the_writing(tmp_path: Path) -> None:
    def missing(file_id: str) -> IO[bytes]:
        raise PackageError(f"there is no {file_id}")

    with pytest.raises(PackageError, match=f"there is no {ID2}"):
        write_package(tmp_path / "a.zip", write_schema(_FILES), _FILES, [TableStart("item"), _FILE], files=missing)
    assert list(tmp_path.iterdir()) == []


def test_a_payload_that_two_rows_name_is_opened_and_written_once(tmp_path: Path) -> None:
    opened: list[str] = []

    @contextmanager
    def files(file_id: str) -> Iterator[IO[bytes]]:
        opened.append(file_id)
        yield BytesIO(b"content")

    events: list[PackageEvent] = [TableStart("item"), _FILE, Record("item", ID3, _FILE.values)]
    write_package(tmp_path / "a.zip", write_schema(_FILES), _FILES, events, files=files)
    assert opened == [ID2]
    assert member_of(tmp_path / "a.zip", f"files/{ID2}.bin") == b"content"


def test_a_payload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    class Broken(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise KeyboardInterrupt(size)

    with pytest.raises(KeyboardInterrupt):
        write_package(
            tmp_path / "a.zip", write_schema(_FILES), _FILES, [TableStart("item"), _FILE], files=lambda _: Broken()
        )
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_with_the_name_of_the_package(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    path.with_name("data.zip.part").symlink_to("/dev/full")
    with pytest.raises(UsageError) as caught:
        _write(path, T.STRING, Record("item", ID1, {"x": "y"}))
    assert f"{path}: the package cannot be written: {os.strerror(errno.ENOSPC)}." == caught.value.message
    assert list(tmp_path.iterdir()) == []
