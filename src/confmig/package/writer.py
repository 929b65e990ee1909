"""A data package as a zip, written as CMT writes it: data.xml, data_schema.xml, [Content_Types].xml, then the files."""

import os
import re
import shutil
from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from confmig.errors import UsageError
from confmig.model.records import PackageEvent
from confmig.model.schema import Schema
from confmig.package.dataxml import write_rows
from confmig.package.formatting import format_moment
from confmig.package.zipwriter import ZipWriter

CONTENT_TYPES = (
    b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>'
    b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    b'<Default Extension="xml" ContentType="application/octet-stream" /></Types>'
)
"""The third member, byte for byte; hosts that open the zip through System.IO.Packaging need it."""

CONTENT_TYPES_WITH_FILES = CONTENT_TYPES.replace(
    b" /></Types>", b' /><Default Extension="bin" ContentType="application/octet-stream" /></Types>'
)
"""The same of a package with files/*.bin, as System.IO.Packaging would add it [inferred]."""

OpenFile = Callable[[str], AbstractContextManager[IO[bytes]]]
"""Opens the payload of a file column by its id."""

_CHUNK = 1024 * 1024


NOW = ""
"""The time of export where it is not given."""


def write_package(
    path: Path,
    schema_bytes: bytes,
    schema: Schema,
    events: Iterable[PackageEvent],
    timestamp: str | None = NOW,
    keep: Callable[[], bool] = lambda: True,
    files: OpenFile | None = None,
    file_ids: Collection[str] | None = None,
) -> None:
    """Write a data package; it appears under its name only when it is whole.

    Where SOURCE_DATE_EPOCH is set, equal content gives equal bytes on every machine. So nothing is packed then, for
    each zlib packs in its own way.

    Args:
        path: Where the zip goes; a file there is replaced.
        schema_bytes: The schema file, taken over byte for byte.
        schema: The same, parsed: it tells how values are written.
        events: Tables, rows and associations in the order in which they are to stand.
        timestamp: The time of export, or None where the package is to tell none; default: now, or SOURCE_DATE_EPOCH.
        keep: Asked once all rows were read: whether the package may appear after all.
        files: Opens the payload of a file column by its id; without it no payloads are written.
        file_ids: The files whose payloads are written; default: all that rows refer to.

    Raises:
        PackageError: A value cannot be written so that it is read as the same again.
        UsageError: SOURCE_DATE_EPOCH is no time, or the file cannot be written.
    """
    if timestamp == NOW:
        timestamp = export_timestamp()
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb", buffering=_CHUNK) as stream:
            archive = ZipWriter(stream, pack=source_date() is None)
            with archive.member("data.xml") as data:
                referred = write_rows(data.write, schema, events, timestamp)
            archive.add("data_schema.xml", schema_bytes)
            _write_files(archive, referred if file_ids is None else set(file_ids), files)
            archive.finish()
        if keep():
            partial.replace(path)
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise  # what reads the rows failed, or it says itself which file it was
        raise UsageError(
            f"{path}: the package cannot be written: {error.strerror}.",
            "Make room there, and where temporary files go (TMPDIR), or give another place.",
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _write_files(archive: ZipWriter, file_ids: set[str], files: OpenFile | None) -> None:
    """Write the payloads after the list of what kinds of parts there are."""
    if files is None or not file_ids:
        archive.add("[Content_Types].xml", CONTENT_TYPES)
        return
    archive.add("[Content_Types].xml", CONTENT_TYPES_WITH_FILES)
    # Stored as they are: most kinds of files are packed already, and one of zeros would look like a zip bomb.
    for file_id in sorted(file_ids):
        with files(file_id) as content, archive.member(f"files/{file_id}.bin", pack=False) as stream:
            shutil.copyfileobj(content, stream, _CHUNK)


def source_date() -> datetime | None:
    """The moment that SOURCE_DATE_EPOCH names (https://reproducible-builds.org/specs/source-date-epoch/), if it is set.

    Raises:
        UsageError: It names none.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "").strip()
    if not epoch:
        return None
    try:
        if re.fullmatch("[0-9]+", epoch):
            return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise UsageError(
        f"SOURCE_DATE_EPOCH={epoch[:60]!r}: this is no number of seconds since 1970.",
        "Set it as `git log -1 --format=%ct` prints it, or leave it out.",
    )


def export_timestamp() -> str:
    """Now in .NET's round-trip form, or the moment that SOURCE_DATE_EPOCH names.

    Raises:
        UsageError: See ``source_date``.
    """
    return format_moment(source_date() or datetime.now(UTC))
