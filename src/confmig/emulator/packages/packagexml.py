"""Reading a package's XML as a stream, without entities, network or document types.

The file may begin with blanks before its declaration and may carry a byte order mark, as the Configuration Migration
Tool writes it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.entities import name2codepoint
from typing import IO

from lxml import etree

from confmig.emulator.catalog.naming import plain_guid
from confmig.emulator.errors import PackageFileError

_CHUNK = 1 << 18
_BOMS = (b"\xef\xbb\xbf",)
_REFERENCE = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]*));")
_NAMED = {**name2codepoint, "apos": 39}


@dataclass(frozen=True, slots=True)
class RecordField:
    """One value of a record as the file gives it; ``parties`` are the rows inside a party list."""

    name: str
    value: str
    target: str | None = None
    target_name: str | None = None
    filename: str | None = None
    parties: tuple["Record", ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a table."""

    entity: str
    id: str
    fields: tuple[RecordField, ...]


@dataclass(frozen=True, slots=True)
class Association:
    """The targets of one source row in one N:N relationship."""

    entity: str
    relationship: str
    source: str
    target_entity: str
    target_id_column: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntityStart:
    """A table of the data file, also when it has no rows."""

    entity: str
    display_name: str


@dataclass(frozen=True)
class SchemaField:
    """A column as the schema declares it."""

    name: str
    type: str
    display_name: str = ""
    targets: tuple[str, ...] = ()
    custom: bool = False


@dataclass(frozen=True)
class SchemaRelationship:
    """An N:N relationship as the schema declares it."""

    name: str
    target: str
    target_id: str


@dataclass
class SchemaEntity:
    """A table as the schema declares it; declared twice, the declarations are put together."""

    name: str
    display_name: str = ""
    type_code: int = 0
    primary_id: str = ""
    primary_name: str = ""
    fields: dict[str, SchemaField] = field(default_factory=dict)
    relationships: list[SchemaRelationship] = field(default_factory=list)


def unescape(text: str) -> str:
    """Undo HTML encoding once, as .NET's HtmlDecode does: only references that end with a semicolon."""
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    code = _NAMED.get(name or "", -1)
    if name is None:
        code = int(hexadecimal, 16) if decimal is None else int(decimal)
    if not 0 < code <= 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return match.group()
    return chr(code)


def events(stream: IO[bytes], name: str, tags: tuple[str, ...]) -> Iterator[tuple[str, etree._Element]]:
    """The start and end events of some elements of a file.

    Args:
        stream: The file.
        name: Its name, for messages.
        tags: The elements whose events are wanted; events of all others would cost most of the time.

    Raises:
        PackageFileError: It is not well-formed or has a document type.
    """
    parser = etree.XMLPullParser(
        events=("start", "end"), tag=tags, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
    )
    try:
        chunk = _first_chunk(stream, name)
        while chunk:
            parser.feed(chunk)
            for action, element in parser.read_events():
                yield str(action), element
            chunk = stream.read(_CHUNK)
        parser.close()
        for action, element in parser.read_events():
            yield str(action), element
    except etree.XMLSyntaxError as error:
        raise PackageFileError(f"{name} is not well-formed XML: {error}") from error


def _first_chunk(stream: IO[bytes], name: str) -> bytes:
    chunk = stream.read(_CHUNK)
    for mark in _BOMS:
        chunk = chunk.removeprefix(mark)
    chunk = chunk.lstrip()
    if not chunk:
        raise PackageFileError(f"{name} is empty")
    if b"<!DOCTYPE" in chunk or b"<!ENTITY" in chunk:
        raise PackageFileError(f"{name} has a document type, which no data package has")
    if chunk.startswith(b"<?xml") and b"utf-16" in chunk[:100].lower():
        # A declaration that .NET wrote for a string, over bytes that are UTF-8 all the same.
        chunk = chunk[chunk.index(b"?>") + 2 :]
    return chunk


def read_data(stream: IO[bytes], name: str) -> Iterator[EntityStart | Record | Association]:
    """The tables, records and associations of a data file, or of one table's file of the split form.

    Raises:
        PackageFileError: It is not a data file.
    """
    entity = None
    begun = False
    for action, element in events(stream, name, ("entities", "entity", "record", "m2mrelationship")):
        tag = element.tag
        if not begun:
            begun = True
            if element.getparent() is not None or tag not in ("entities", "entity"):
                break
        if action == "start":
            if tag == "entity":
                entity = element.get("name", "")
                yield EntityStart(entity, element.get("displayname", ""))
        elif tag == "record" and entity is not None:
            yield _record(entity, element)
            _forget(element)
        elif tag == "m2mrelationship" and entity is not None:
            yield _association(entity, element)
            _forget(element)
    else:
        if begun:
            return
    raise PackageFileError(f"{name} does not begin with <entities>")


def _forget(element: etree._Element) -> None:
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def _record(entity: str, element: etree._Element) -> Record:
    return Record(
        entity, plain_guid(element.get("id", "")), tuple(_field(child) for child in element.iterchildren("field"))
    )


def _field(element: etree._Element) -> RecordField:
    parties = (
        tuple(_record("activityparty", child) for child in element.iterchildren("activitypointerrecords"))
        if len(element)
        else ()
    )
    get = element.get
    target = get("lookupentity")
    if target is not None:
        target = target.lower()  # logical names are lower case; other spellings are those of people
    return RecordField(
        get("name", ""),
        get("value", ""),
        target,
        get("lookupentityname") if target is not None else None,
        get("filename"),
        parties,
    )


def _association(entity: str, element: etree._Element) -> Association:
    targets = tuple(plain_guid(child.text or "") for child in element.iter("targetid"))
    return Association(
        entity,
        element.get("m2mrelationshipname", ""),
        plain_guid(element.get("sourceid", "")),
        element.get("targetentityname", ""),
        element.get("targetentitynameidfield", ""),
        targets,
    )


def read_schema(stream: IO[bytes], name: str) -> dict[str, SchemaEntity]:
    """The tables that a schema file declares.

    Raises:
        PackageFileError: It is not a schema file.
    """
    entities: dict[str, SchemaEntity] = {}
    root: etree._Element | None = None
    for _, element in events(stream, name, ("entities",)):
        root = element if root is None else root
    if root is None or root.getparent() is not None:
        raise PackageFileError(f"{name} does not begin with <entities>")
    for element in root.iterchildren("entity"):
        _declare(entities, element)
    return entities


def _declare(entities: dict[str, SchemaEntity], element: etree._Element) -> None:
    name = element.get("name", "")
    entity = entities.setdefault(name, SchemaEntity(name))
    entity.display_name = entity.display_name or element.get("displayname", "")
    code = element.get("etc", "")
    entity.type_code = entity.type_code or (int(code) if code.isascii() and code.isdigit() and len(code) < 10 else 0)
    entity.primary_id = entity.primary_id or element.get("primaryidfield", "")
    entity.primary_name = entity.primary_name or element.get("primarynamefield", "")
    for child in element.iterfind("fields/field"):
        targets = tuple(part for part in child.get("lookupType", "").split("|") if part and part != "*")
        declared = SchemaField(
            child.get("name", ""),
            child.get("type", ""),
            child.get("displayname", ""),
            targets,
            child.get("customfield") == "true",
        )
        entity.fields.setdefault(declared.name, declared)
    known = {relationship.name for relationship in entity.relationships}
    for child in element.iterfind("relationships/relationship"):
        if child.get("manyToMany") in ("true", "1") and child.get("name", "") not in known:
            entity.relationships.append(
                SchemaRelationship(
                    child.get("name", ""), child.get("m2mTargetEntity", ""), child.get("m2mTargetEntityPrimaryKey", "")
                )
            )
