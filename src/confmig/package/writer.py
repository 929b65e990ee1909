"""data.xml and the zip around it, written as CMT writes them.

No declaration and no byte order mark, a CRLF before the root, CRLF between lines, two blanks of indentation, no line
break at the end; the members data.xml, data_schema.xml, [Content_Types].xml.
"""

import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import IO

from confmig.model.records import Association, PackageEvent, PackageStart, Record, TableStart, Unknown
from confmig.model.schema import Schema
from confmig.model.values import ZERO_ID, ColumnType, FileRef, Lookup, Parties, Party, Value
from confmig.package.text import attributes_text, encode_html, escape_xml, format_moment, format_value

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

_FLUSH = 512
_CHUNK = 1024 * 1024
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def write_package(
    path: Path,
    schema_bytes: bytes,
    schema: Schema,
    events: Iterable[PackageEvent],
    timestamp: str | None = None,
    keep: Callable[[], bool] = lambda: True,
    files: OpenFile | None = None,
) -> None:
    """Write a data package; it appears under its name only when it is whole.

    Args:
        path: Where the zip goes; a file there is replaced.
        schema_bytes: The schema file, taken over byte for byte.
        schema: The same, parsed: it tells how values are written.
        events: Tables, rows and associations in the order in which they are to stand.
        timestamp: The time of export; default: now, or SOURCE_DATE_EPOCH.
        keep: Asked once all rows were read: whether the package may appear after all.
        files: Opens the payload of a file column by its id; without it no payloads are written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
            with archive.open(_member("data.xml"), "w", force_zip64=True) as stream:
                seen = _FilesSeen(events)
                write_rows(stream, schema, seen, timestamp or export_timestamp())
            archive.writestr(_member("data_schema.xml"), schema_bytes)
            with_files = files is not None and seen.ids
            archive.writestr(_member("[Content_Types].xml"), CONTENT_TYPES_WITH_FILES if with_files else CONTENT_TYPES)
            if files is not None:
                for file_id in sorted(seen.ids):
                    _write_file(archive, file_id, files)
        if keep():
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


class _FilesSeen:
    """The events as they pass; remembered are the ids of the files that rows refer to."""

    def __init__(self, events: Iterable[PackageEvent]) -> None:
        self._events = events
        self.ids: set[str] = set()

    def __iter__(self) -> Iterator[PackageEvent]:
        for event in self._events:
            if isinstance(event, Record):
                self.ids.update(value.id for value in event.values.values() if isinstance(value, FileRef))
            yield event


def _write_file(archive: zipfile.ZipFile, file_id: str, files: OpenFile) -> None:
    with files(file_id) as content, archive.open(_member(f"files/{file_id}.bin"), "w", force_zip64=True) as stream:
        while chunk := content.read(_CHUNK):
            stream.write(chunk)


def _member(name: str) -> zipfile.ZipInfo:
    """A member as System.IO.Packaging writes it, with a fixed time so that equal content gives equal bytes."""
    info = zipfile.ZipInfo(name, _FIXED_TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 0
    return info


def export_timestamp() -> str:
    """Now in .NET's round-trip form, or the moment that SOURCE_DATE_EPOCH names (reproducible-builds.org)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    return format_moment(moment)


def write_rows(stream: IO[bytes], schema: Schema, events: Iterable[PackageEvent], timestamp: str | None) -> None:
    """Write the text of data.xml to a binary stream."""
    lines: list[str] = []
    for line in _document(schema, events, timestamp):
        lines.append(line)
        if len(lines) >= _FLUSH:
            stream.write("".join(lines).encode())
            lines.clear()
    stream.write("".join(lines).encode())


def _document(schema: Schema, events: Iterable[PackageEvent], timestamp: str | None) -> Iterator[str]:
    writer = _TableWriter(schema)
    begun = False
    for event in events:
        if not begun:
            extra = event.extra if isinstance(event, PackageStart) else ()
            yield _root(timestamp, extra)
            begun = True
        yield from writer.write(event)
    if not begun:
        yield _root(timestamp, ())
    yield from writer.finish()
    yield "\r\n</entities>"


def _root(timestamp: str | None, extra: Iterable[tuple[str, str]]) -> str:
    return (
        '\r\n<entities xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"{attributes_text([("timestamp", timestamp), *extra])}>'
    )


class _TableWriter:
    """Opens and closes the elements around rows: CMT leaves out a table that has no rows."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._pending: TableStart | None = None
        self._open = False
        self._part = ""
        self._unknown: list[str] = []
        self._types: dict[str, ColumnType] = {}

    def write(self, event: PackageEvent) -> Iterator[str]:
        match event:
            case TableStart():
                yield from self.finish()
                self._pending = event
                table = self._schema.table(event.table)
                self._types = {column.name: column.type for column in table.columns} if table else {}
            case Record():
                yield from self._enter("records")
                yield from _record_lines(event, self._types)
            case Association():
                yield from self._enter("m2mrelationships")
                yield from _association_lines(event)
            case Unknown(table="", xml=xml):
                yield from self.finish()
                yield f"\r\n  {xml}"
            case Unknown(xml=xml):
                self._unknown.append(xml)
            case PackageStart():
                pass  # written with the root

    def _enter(self, part: str) -> Iterator[str]:
        yield from self._begin()
        if part == "m2mrelationships" and not self._part:
            yield "\r\n    <records />"
        if part != self._part:
            if self._part:
                yield f"\r\n    </{self._part}>"
            yield f"\r\n    <{part}>"
            self._part = part

    def _begin(self) -> Iterator[str]:
        if not self._open and self._pending:
            yield f"\r\n  <entity{attributes_text(_entity_pairs(self._pending))}>"
            self._open = True

    def finish(self) -> Iterator[str]:
        if self._unknown:
            yield from self._begin()
        if self._open:
            yield f"\r\n    </{self._part}>" if self._part else "\r\n    <records />"
            if self._part != "m2mrelationships":
                yield "\r\n    <m2mrelationships />"
            for xml in self._unknown:
                yield f"\r\n    {xml}"
            yield "\r\n  </entity>"
        self._pending, self._open, self._part, self._unknown = None, False, "", []


def _entity_pairs(start: TableStart) -> Iterator[tuple[str, str]]:
    yield "name", start.table
    if start.display_name is not None:
        yield "displayname", start.display_name
    yield from start.extra


def _record_lines(record: Record, types: dict[str, ColumnType]) -> Iterator[str]:
    extra = record.extra
    own = attributes_text(extra[""]) if "" in extra else ""
    yield f'\r\n      <record id="{record.id or ZERO_ID}"{own}>'
    for name, value in record.values.items():
        kind = types.get(name, ColumnType.STRING)
        unknown = attributes_text(extra[name]) if name in extra else ""
        if value is not None or kind is ColumnType.PARTIES or unknown:
            yield from _field_lines(_escaped_name(name), kind, value, unknown)
    for _, xml in extra.get("<>", ()):
        yield f"\r\n        {xml}"
    yield "\r\n      </record>"


@lru_cache(maxsize=4096)
def _escaped_name(name: str) -> str:
    """The name of a column or table: it comes from a file or a service, so it is no markup either."""
    return escape_xml(name)


def _field_lines(name: str, kind: ColumnType, value: Value, unknown: str) -> Iterator[str]:
    match value:
        case Lookup():
            yield f'\r\n        <field name="{name}"{_lookup_attributes(value)}{unknown} />'
        case Parties(parties) if parties:
            yield f'\r\n        <field name="{name}" value="" lookupentity="" lookupentityname=""{unknown}>'
            for party in parties:
                yield from _party_lines(party)
            yield "\r\n        </field>"
        case Parties():
            yield f'\r\n        <field name="{name}" value=""{unknown} />'
        case FileRef(id=file_id, name=file_name):
            named = f' filename="{escape_xml(file_name)}"' if file_name is not None else ""
            yield f'\r\n        <field name="{name}" value="{file_id}"{named}{unknown} />'
        case _:
            text = escape_xml(format_value(kind, value))
            yield f'\r\n        <field name="{name}" value="{text}"{unknown} />'


def _lookup_attributes(lookup: Lookup) -> str:
    name = "" if lookup.name is None else f' lookupentityname="{escape_xml(lookup.name)}"'
    return f' value="{lookup.id}" lookupentity="{_escaped_name(lookup.table)}"{name}'


def _party_lines(party: Party) -> Iterator[str]:
    extra = dict(party.extra)
    yield f'\r\n          <activitypointerrecords id="{party.id or ZERO_ID}"{attributes_text(extra.get("", ()))}>'
    for name, value in party.columns:
        unknown = attributes_text(extra.get(name, ()))
        if isinstance(value, Lookup):
            text = _lookup_attributes(value)
        else:
            text = f' value="{escape_xml(encode_html("" if value is None else str(value)))}"'
        yield f'\r\n            <field name="{_escaped_name(name)}"{text}{unknown} />'
    yield "\r\n          </activitypointerrecords>"


def _association_lines(association: Association) -> Iterator[str]:
    pairs = [
        ("sourceid", association.source),
        ("targetentityname", association.target_table),
        ("targetentitynameidfield", association.target_id_column or f"{association.target_table}id"),
        ("m2mrelationshipname", association.relationship),
        *association.extra,
    ]
    yield f"\r\n      <m2mrelationship{attributes_text(pairs)}>"
    yield "\r\n        <targetids>"
    for target in association.targets:
        yield f"\r\n          <targetid>{target}</targetid>"
    yield "\r\n        </targetids>"
    yield "\r\n      </m2mrelationship>"
