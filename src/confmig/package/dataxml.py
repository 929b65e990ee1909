"""The text of data.xml, table by table, as CMT writes it.

No declaration and no byte order mark, a CRLF before the root, CRLF between lines, two blanks of indentation, no line
break at the end.
"""

from collections.abc import Callable, Iterable

from confmig.errors import PackageError
from confmig.model.records import Association, PackageEvent, PackageStart, Record, TableStart, Unknown
from confmig.model.schema import Schema
from confmig.model.values import ZERO_ID, ColumnType, FileRef
from confmig.package.fields import FieldWriter, field_writer
from confmig.package.formatting import attributes_text, require_guid

_FLUSH = 128 * 1024
"""So many characters are written at once: rows are mostly short, and each write has its price."""


def write_rows(
    write: Callable[[bytes], object], schema: Schema, events: Iterable[PackageEvent], timestamp: str | None
) -> set[str]:
    """Write the text of data.xml, piece by piece.

    Returns:
        The ids of the files that rows refer to.

    Raises:
        PackageError: A value cannot be written so that it is read as the same again.
    """
    document = _Document(schema, timestamp)
    parts: list[str] = []
    size = 0
    for event in events:
        text = document.text_of(event)
        parts.append(text)
        size += len(text)
        if size > _FLUSH:
            write("".join(parts).encode())
            parts.clear()
            size = 0
    parts.append(document.end())
    write("".join(parts).encode())
    return document.files


class _Document:
    """Gives the text of each event, with the elements around rows: CMT leaves out a table that has no rows."""

    def __init__(self, schema: Schema, timestamp: str | None) -> None:
        self.files: set[str] = set()
        self._schema = schema
        self._timestamp = timestamp
        self._begun = False
        self._table = ""
        self._pending = TableStart("")
        self._open = False
        self._part = ""
        self._unknown: list[str] = []
        self._fields = _Fields({})

    def text_of(self, event: PackageEvent) -> str:
        """The text that an event adds to the document."""
        if not self._begun:
            return self._root(event) + self.text_of(event)
        match event:
            case Record():
                return self._enter("records", event.table) + self._row(event)
            case Association():
                return self._enter("m2mrelationships", event.table) + _association_text(event)
            case TableStart():
                return self._start_table(event)
            case Unknown(table="", xml=xml):
                return f"{self._end_table()}\r\n  {xml}"
            case Unknown(xml=xml):
                self._unknown.append(xml)
        return ""  # the beginning of the package is written with the root

    def end(self) -> str:
        """The text at the end of the document."""
        root = "" if self._begun else self._root(None)
        return f"{root}{self._end_table()}\r\n</entities>"

    def _root(self, event: PackageEvent | None) -> str:
        self._begun = True
        extra = event.extra if isinstance(event, PackageStart) else ()
        return (
            '\r\n<entities xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
            ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
            f"{attributes_text([('timestamp', self._timestamp), *extra])}>"
        )

    def _start_table(self, event: TableStart) -> str:
        text = self._end_table()
        table = self._schema.table(event.table)
        self._table, self._pending = event.table, event
        self._fields = _Fields({column.name: column.type for column in table.columns} if table else {})
        return text

    def _enter(self, part: str, table: str) -> str:
        """The text before a row or association: nothing where one of its kind stands before it."""
        if table != self._table:
            raise ValueError(f"a row of {table} among those of {self._table or 'no table'}")
        if part == self._part:
            return ""
        text = self._open_table()
        if self._part:
            text += f"\r\n    </{self._part}>"
        elif part == "m2mrelationships":
            text += "\r\n    <records />"
        self._part = part
        return f"{text}\r\n    <{part}>"

    def _open_table(self) -> str:
        if self._open:
            return ""
        self._open = True
        pairs = [("name", self._pending.table), ("displayname", self._pending.display_name), *self._pending.extra]
        return f"\r\n  <entity{attributes_text(pairs)}>"

    def _end_table(self) -> str:
        text = self._open_table() if self._unknown else ""
        if self._open:
            text += f"\r\n    </{self._part}>" if self._part else "\r\n    <records />"
            if self._part != "m2mrelationships":
                text += "\r\n    <m2mrelationships />"
            text += "".join(f"\r\n    {xml}" for xml in self._unknown)
            text += "\r\n  </entity>"
        self._table, self._open, self._part, self._unknown = "", False, "", []
        return text

    def _row(self, record: Record) -> str:
        for name in self._fields.files:
            if isinstance(value := record.values.get(name), FileRef):
                self.files.add(value.id)
        return _row_text(record, self._fields)


class _Fields(dict[str, FieldWriter]):
    """What writes the fields of a table's columns; a column that the schema does not declare holds text."""

    def __init__(self, types: dict[str, ColumnType]) -> None:
        super().__init__()
        self.files = [name for name, kind in types.items() if kind is ColumnType.FILE]
        self._types = types

    def __missing__(self, name: str) -> FieldWriter:
        self[name] = field_writer(name, self._types.get(name, ColumnType.STRING))
        return self[name]


def _row_text(record: Record, fields: _Fields) -> str:
    extra = record.extra
    own = attributes_text(extra[""]) if "" in extra else ""
    name = ""
    try:
        parts = [f'\r\n      <record id="{require_guid(record.id or ZERO_ID)}"{own}>']
        for name, value in record.values.items():
            unknown = attributes_text(extra[name]) if name in extra else ""
            if value is not None or unknown:
                parts.append(fields[name](value, unknown))
    except ValueError as error:
        where = f"column {name}: the value" if name else "its id"
        raise _unwritable(f"table {record.table}, row {record.id}, {where} {error}") from None
    parts.extend(f"\r\n        {xml}" for _, xml in extra.get("<>", ()))
    parts.append("\r\n      </record>")
    return "".join(parts)


def _association_text(association: Association) -> str:
    pairs = [
        ("sourceid", association.source),
        ("targetentityname", association.target_table),
        ("targetentitynameidfield", association.id_column),
        ("m2mrelationshipname", association.relationship),
        *association.extra,
    ]
    try:
        require_guid(association.source)
        targets = "".join(
            f"\r\n          <targetid>{require_guid(target)}</targetid>" for target in association.targets
        )
    except ValueError as error:
        raise _unwritable(
            f"table {association.table}, relationship {association.relationship}: an id {error}"
        ) from None
    return (
        f"\r\n      <m2mrelationship{attributes_text(pairs)}>\r\n        <targetids>{targets}"
        "\r\n        </targetids>\r\n      </m2mrelationship>"
    )


def _unwritable(what: str) -> PackageError:
    return PackageError(
        f"The package cannot be written: {what}.",
        "Mend the value where it comes from, or leave the column out of the schema.",
    )
