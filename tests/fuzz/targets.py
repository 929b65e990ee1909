"""What is fuzzed: each target takes any bytes, and lets nothing out but what is a bug.

A refusal is a ``PackageError``; anything else that is raised is a bug, and so is a value that does not survive writing
and reading.
"""

import contextlib
import io
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from confmig.errors import PackageError
from confmig.model.records import Association, PackageEvent, Record, Unknown
from confmig.model.schema import Schema
from confmig.model.values import ColumnType
from confmig.package.dataxml import write_rows
from confmig.package.limits import Limits
from confmig.package.package import Package
from confmig.package.reader import RowTarget
from confmig.package.schemafile import parse_schema, write_schema

LIMITS = Limits(ratio=100, size=1024**2, value=64 * 1024, tables=50)
"""Small, so that they are met."""

_COLUMNS = "".join(
    f'<field name="{kind}" type="{kind}" lookupType="{"item" if kind is ColumnType.LOOKUP else ""}" />'
    for kind in ColumnType
)
SCHEMA = parse_schema(
    f'<entities><entity name="item" primaryidfield="guid"><fields>{_COLUMNS}</fields></entity></entities>'.encode(),
    "data_schema.xml",
)
"""A table with a column of each type, named as its type."""

_FOLDER = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())  # noqa: S108  # in memory


def read_zip(data: bytes) -> None:
    """Read a package whose zip has these bytes; or, by the first of them, one that is spoilt or holds them as rows."""
    mode, data = data[:1], data[1:]
    if mode == b"s" and len(data) > 8:
        data = _spoilt(data)
    elif mode == b"r":
        data = _zip(("data.xml", data))
    with tempfile.NamedTemporaryFile(dir=_FOLDER, suffix=".zip") as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(PackageError), Package(Path(file.name), LIMITS) as package:
            assert len(package.digest) == 64
            package.timestamp  # noqa: B018  # it is read anew


def _spoilt(data: bytes) -> bytes:
    """A good zip in which some bytes are changed: each three say where, and to what."""
    whole = bytearray(
        _zip(("data.xml", SEEDS["data"][0]), ("data_schema.xml", SEEDS["schema"][0]), ("files/x.bin", b""))
    )
    for start in range(0, min(len(data) - 2, 30), 3):
        place = int.from_bytes(data[start : start + 2], "little")
        whole[-1 - place % len(whole)] = data[start + 2]
    return bytes(whole)


def _zip(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def read_schema(data: bytes) -> None:
    """Read a schema; what was read is the same once it was written and read again."""
    try:
        schema = parse_schema(data, "data_schema.xml", limits=LIMITS)
        written = write_schema(schema)
    except PackageError:
        return
    again = parse_schema(written, "data_schema.xml")
    assert again == _with_type_words(schema), f"{schema}\nwas read from {written!r} as\n{again}"


def _with_type_words(schema: Schema) -> Schema:
    """The schema with a word for the type of each column: for want of one, the type's own is written."""
    return schema.with_tables(
        tuple(
            table.with_columns(
                tuple(replace(column, type_text=column.type_text or column.type.value) for column in table.columns)
            )
            for table in schema.tables
        )
    )


def read_data(data: bytes) -> None:
    """Read rows; what was read is the same once it was written and read again."""
    try:
        events = list(RowTarget(SCHEMA, "data.xml", LIMITS).read(iter([data])))
        written = _written(SCHEMA, events)
    except PackageError:
        return
    again = list(RowTarget(SCHEMA, "data.xml").read(iter([written])))
    assert _said(again) == _said(events), f"{events}\nwas read from {written!r} as\n{again}"


def _written(schema: Schema, events: list[PackageEvent]) -> bytes:
    buffer = io.BytesIO()
    write_rows(buffer.write, schema, events, None)
    return buffer.getvalue()


def _said(events: list[PackageEvent]) -> tuple[list[object], Counter[str]]:
    """What events say: a column that is there without a value says what one says that is not there."""
    said: list[object] = []
    unknown: Counter[str] = Counter()
    for event in events:
        if isinstance(event, Record):
            values = {name: value for name, value in event.values.items() if value is not None}
            said.append((event.table, event.id, values, event.extra))
        elif isinstance(event, Association):
            target_id = event.target_id_column or f"{event.target_table}id"  # what is written for want of one
            said.append(replace(event, target_id_column=target_id))
        elif isinstance(event, Unknown):
            unknown[event.xml] += 1
    return said, unknown


_ID = b"11111111-1111-4111-8111-111111111111"

SEEDS: dict[str, list[bytes]] = {
    "data": [
        b'\r\n<entities timestamp="2024-07-26T15:51:30.5429904Z"><entity name="item" displayname="Item"><records>'
        b'<record id="%s"><field name="guid" value="%s" /><field name="string" value="a &amp;lt; b&#xD;&#xA;" />'
        b'<field name="number" value="7" /><field name="money" value="1.1200" /><field name="bool" value="True" />'
        b'<field name="datetime" value="2024-05-06T00:00:00.0000000Z" /><field name="float" value="1E-7" />'
        b'<field name="optionsetvaluecollection" value="[-1,1,2,-1]" />'
        b'<field name="filedata" value="%s" filename="a" />'
        b'<field name="entityreference" value="%s" lookupentity="item" lookupentityname="x" />'
        b'<field name="partylist" value="" lookupentity="" lookupentityname=""><activitypointerrecords id="%s">'
        b'<field name="partyid" value="%s" lookupentity="contact" lookupentityname="Ann" />'
        b'<field name="participationtypemask" value="2" /></activitypointerrecords></field></record></records>'
        b'<m2mrelationships><m2mrelationship sourceid="%s" targetentityname="tag" targetentitynameidfield="tagid"'
        b' m2mrelationshipname="item_tag"><targetids><targetid>%s</targetid></targetids></m2mrelationship>'
        b"</m2mrelationships></entity></entities>" % ((_ID,) * 8),
        b'<entities><entity name="item"><records><record id="%s" newId="x">'
        b'<field name="datetime" value="1/2/2019 3:04 AM" /><field name="other" value="" isnull="true" />'
        b'<note a="b">t<c /></note></record></records></entity></entities>' % _ID,
        '<?xml version="1.0" encoding="utf-16"?><entities><entity name="ж"/></entities>'.encode("utf-16"),
        b'<!DOCTYPE entities [<!ENTITY e "x">]><entities>&e;</entities>',
    ],
    "schema": [
        b'<entities  dateMode="relative"><entity name="item" displayname="Item" etc="1" primaryidfield="itemid"'
        b' primarynamefield="name" disableplugins="false" skipupdate="true"><fields><field updateCompare="true"'
        b' displayname="Item" name="itemid" type="guid" primaryKey="true" /><field name="p" type="entityreference"'
        b' lookupType="a|b" customfield="true" /><field name="d" type="datetime" dateMode="relativeDaily" /></fields>'
        b'<relationships><relationship name="r" manyToMany="true" isreflexive="false" relatedEntityName="r"'
        b' m2mTargetEntity="tag" m2mTargetEntityPrimaryKey="tagid" /></relationships><filter>&lt;fetch /&gt;</filter>'
        b"</entity><entityImportOrder><entityName>item</entityName></entityImportOrder></entities>",
        b'<entities><entity name="a"><fields><field name="x" type="y" z="1" /></fields><filter><fetch>'
        b'<entity name="a"/></fetch></filter><more/></entity><other>t</other></entities>',
    ],
}
SEEDS["zip"] = [
    b"z" + _zip(("data.xml", SEEDS["data"][0]), ("data_schema.xml", SEEDS["schema"][0])),
    b"s" + bytes(range(16)),
    *(b"r" + seed for seed in SEEDS["data"]),
]

TARGETS: dict[str, Callable[[bytes], None]] = {"zip": read_zip, "schema": read_schema, "data": read_data}
