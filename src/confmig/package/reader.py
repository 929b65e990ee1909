"""data.xml, read as a stream of rows and associations.

A push parser with a target of our own: no element objects, so memory does not grow with the file.
"""

from collections.abc import Iterator, Mapping

from lxml import etree

from confmig.errors import PackageError
from confmig.model.records import Association, PackageEvent, PackageStart, Record, TableStart, Unknown
from confmig.model.schema import Schema
from confmig.model.values import (
    PARTY_ROLES,
    ZERO_ID,
    ColumnType,
    FileRef,
    Lookup,
    Parties,
    Party,
    Value,
    canonical_guid,
)
from confmig.package.container import Container
from confmig.package.text import decode_html, parse_value
from confmig.package.xml import FeedParser, doctype_error, lines_before, push_parser, strip_leading, syntax_error

_FIELD = {"name", "value", "lookupentity", "lookupentityname"}
_ASSOCIATION = {"sourceid", "targetentityname", "targetentitynameidfield", "m2mrelationshipname"}
_FRAME = {"entities", "records", "m2mrelationships", "targetids"}

Attributes = Mapping[str, str]
_PartyXml = tuple[Attributes, list[Attributes]]
"""A party's own attributes, and those of its fields."""


def read_rows(container: Container, schema: Schema) -> Iterator[PackageEvent]:
    """Read all rows of a package, in the order of its files.

    Raises:
        PackageError: Broken XML, a damaged file, or a value that is not of its column's type.
    """
    for member in container.members.rows:
        target = RowTarget(schema, container.label(member))
        yield from _feed(container, member, target)


def read_timestamp(container: Container) -> str | None:
    """The time at which the package was exported, as its text; None when it does not say."""
    member = container.members.rows[0]
    target = RowTarget(Schema(()), container.label(member))
    for _ in _feed(container, member, target):
        break
    return target.timestamp


def _feed(container: Container, member: str, target: "RowTarget") -> Iterator[PackageEvent]:
    parser: FeedParser | None = None
    skipped = 0
    try:
        for chunk in container.chunks(member):
            if parser is None:
                whole, chunk = chunk, strip_leading(chunk)
                skipped += lines_before(whole, chunk)
                if not chunk:
                    continue
                parser = push_parser(target, chunk, target.file)
            parser.feed(chunk)
            yield from target.take()
        if parser is None:
            raise PackageError(f"{target.file}: the file is empty.", "Export the package again.")
        parser.close()
    except etree.XMLSyntaxError as error:
        raise syntax_error(error, target.file, skipped) from error
    yield from target.take()


class RowTarget:
    """Turns the parser's calls into events; they are taken from it after each piece of the file."""

    def __init__(self, schema: Schema, file: str) -> None:
        self.file = file
        self.timestamp: str | None = None
        self._schema = schema
        self._events: list[PackageEvent] = []
        self._table = ""
        self._columns: dict[str, ColumnType] = {}
        self._targets: dict[str, tuple[str, ...]] = {}
        self._record: Attributes | None = None
        self._fields: list[tuple[Attributes, list[_PartyXml]]] = []
        self._party: list[Attributes] | None = None
        self._association: Attributes | None = None
        self._target_ids: list[str] = []
        self._text: list[str] | None = None
        self._foreign: etree.TreeBuilder | None = None
        self._depth = 0
        self._unknown: list[str] = []
        self._begun = False
        self._primary_id = ""

    def take(self) -> list[PackageEvent]:
        """The events since the last call."""
        events, self._events = self._events, []
        return events

    def doctype(self, name: str | None, public_id: str | None, system: str | None) -> None:
        """Called by the parser for a document type: none is accepted."""
        del name, public_id, system
        raise doctype_error(self.file)

    def start(self, tag: str, attributes: Attributes) -> None:
        """Called by the parser where an element begins."""
        if not self._begun:
            self._start_root(tag, attributes)
        if self._foreign is not None:
            self._foreign.start(tag, dict(attributes))
            self._depth += 1
        elif tag == "field":
            self._start_field(attributes)
        elif tag == "record":
            self._require_table("a row")
            self._record, self._fields = attributes, []
        elif tag == "entity":
            self._start_table(attributes)
        elif tag == "activitypointerrecords":
            self._start_party(attributes)
        elif tag == "m2mrelationship":
            self._require_table("an association")
            self._association, self._target_ids = attributes, []
        elif tag == "targetid":
            self._text = []
        elif tag == "fields" and self._table and self._record is None:
            raise PackageError(f"{self.file}: this is a schema, not the rows of a package.", "Give the data package.")
        elif tag not in _FRAME:
            self._foreign = etree.TreeBuilder()
            self._foreign.start(tag, dict(attributes))
            self._depth = 1

    def data(self, text: str) -> None:
        """Called by the parser for text."""
        if self._foreign is not None:
            self._foreign.data(text)
        elif self._text is not None:
            self._text.append(text)

    def end(self, tag: str) -> None:
        """Called by the parser where an element ends."""
        if self._foreign is not None:
            self._end_foreign(tag)
        elif tag == "record":
            self._end_record()
        elif tag == "activitypointerrecords":
            self._party = None
        elif tag == "targetid":
            self._target_ids.append("".join(self._text or ()))
            self._text = None
        elif tag == "m2mrelationship":
            self._end_association()
        elif tag == "entity":
            self._table = ""

    def close(self) -> None:
        """Called by the parser at the end of the file."""

    def _start_root(self, tag: str, attributes: Attributes) -> None:
        """Only a data file may be read as one: anything else would look like a package without rows."""
        self._begun = True
        if tag not in {"entities", "entity"}:
            raise PackageError(
                f"{self.file}: the root is <{tag}>, where a data file has <entities>.",
                "Give a data package of the Configuration Migration Tool.",
            )
        if tag == "entities":
            self.timestamp = attributes.get("timestamp")
            if extra := tuple(item for item in attributes.items() if item[0] != "timestamp"):
                self._events.append(PackageStart(extra))

    def _require_table(self, what: str) -> None:
        if not self._table:
            raise PackageError(f"{self.file}: {what} stands outside of any table.", "Export the package again.")

    def _start_table(self, attributes: Attributes) -> None:
        self._table = attributes.get("name", "")
        if not self._table:
            raise PackageError(f"{self.file}: an <entity> has no name.", "Export the package again.")
        table = self._schema.table(self._table)
        self._primary_id = table.primary_id if table else ""
        self._columns = {column.name: column.type for column in table.columns} if table else {}
        self._targets = {column.name: column.targets for column in table.columns} if table else {}
        extra = tuple(item for item in attributes.items() if item[0] not in {"name", "displayname"})
        self._events.append(TableStart(self._table, attributes.get("displayname"), extra))

    def _start_field(self, attributes: Attributes) -> None:
        if not attributes.get("name"):
            raise PackageError(f"{self.file}: a <field> of {self._table} has no name.", "Export the package again.")
        if self._party is not None:
            self._party.append(attributes)
        elif self._record is None:
            raise PackageError(
                f"{self.file}: a <field> of {self._table} stands outside a <record>.", "Export the package again."
            )
        else:
            self._fields.append((attributes, []))

    def _start_party(self, attributes: Attributes) -> None:
        if not self._fields:
            raise PackageError(
                f"{self.file}: parties of {self._table} stand outside a <field>.", "Export the package again."
            )
        self._party = []
        self._fields[-1][1].append((attributes, self._party))

    def _end_foreign(self, tag: str) -> None:
        assert self._foreign is not None  # noqa: S101  # only called while one is open
        self._foreign.end(tag)
        self._depth -= 1
        if self._depth == 0:
            xml = etree.tostring(self._foreign.close(), encoding="unicode")
            self._foreign = None
            if self._record is None:
                self._events.append(Unknown(self._table, xml))
            else:
                self._unknown.append(xml)

    def _end_record(self) -> None:
        assert self._record is not None  # noqa: S101  # the parser keeps elements balanced
        record_id = self._guid(self._record.get("id"), "the id of a row") if self._record.get("id") else ZERO_ID
        values: dict[str, Value] = {}
        extra: dict[str, tuple[tuple[str, str], ...]] = {}
        for attributes, parties in self._fields:
            name = attributes.get("name", "")
            values[name] = self._value(record_id, name, attributes, parties)
            plain = len(attributes) == 2 and "value" in attributes
            if not plain and (unknown := _unknown(attributes, self._columns.get(name))):
                extra[name] = unknown
        if unknown := tuple(item for item in self._record.items() if item[0] != "id"):
            extra[""] = unknown
        if self._unknown:
            extra["<>"] = tuple(("", xml) for xml in self._unknown)
            self._unknown = []
        named: Value = record_id if record_id != ZERO_ID else values.get(self._primary_id)
        self._events.append(Record(self._table, named if isinstance(named, str) else None, values, extra))
        self._record = None

    def _value(self, record_id: str, column: str, attributes: Attributes, parties: list[_PartyXml]) -> Value:
        kind = self._columns.get(column)
        text = attributes.get("value", "")
        if parties or kind is ColumnType.PARTIES:
            role = PARTY_ROLES.get(column)
            return Parties(tuple(self._party_value(record_id, role, party, fields) for party, fields in parties))
        if attributes.get("lookupentity") or kind in {ColumnType.LOOKUP, ColumnType.OWNER}:
            return self._lookup(record_id, column, attributes)
        if kind is None:
            return decode_html(text)
        if kind is ColumnType.FILE:
            if not text:
                return None
            return FileRef(self._guid(text, f"column {column} of row {record_id}"), attributes.get("filename"))
        try:
            return parse_value(kind, text)
        except ValueError as error:
            raise self._malformed(record_id, column, str(error)) from None

    def _lookup(self, record_id: str, column: str, attributes: Attributes) -> Lookup | None:
        text = attributes.get("value", "")
        if not text:
            return None
        guid = canonical_guid(text)
        if guid is None:
            raise self._malformed(record_id, column, f"is no guid: {text[:60]!r}")
        table = attributes.get("lookupentity")
        if not table:
            targets = self._targets.get(column, ())
            if len(targets) != 1 or targets[0] == "*":
                raise self._malformed(record_id, column, "does not say which table it points to (no lookupentity)")
            table = targets[0]
        return Lookup(table, guid, attributes.get("lookupentityname"))

    def _party_value(self, record_id: str, role: int | None, own: Attributes, fields: list[Attributes]) -> Party:
        """A party; its role is the column's where the file does not say."""
        who: Lookup | None = None
        columns: list[tuple[str, Value]] = []
        for attributes in fields:
            name = attributes.get("name", "")
            if attributes.get("lookupentity"):
                lookup = self._lookup(record_id, name, attributes)
                who = lookup if name == "partyid" else who
                columns.append((name, lookup))
            else:
                text = attributes.get("value", "")
                columns.append((name, decode_html(text)))
                if name == "participationtypemask" and text:
                    role = self._role(record_id, text)
        kept = [("", tuple(item for item in own.items() if item[0] != "id"))]
        kept += [(attributes.get("name", ""), _unknown(attributes, None)) for attributes in fields]
        party_id = canonical_guid(own.get("id", ""))
        extra = tuple((name, unknown) for name, unknown in kept if unknown)
        return Party(who, role, tuple(columns), None if party_id == ZERO_ID else party_id, extra)

    def _role(self, record_id: str, text: str) -> int | None:
        try:
            role = parse_value(ColumnType.NUMBER, text)
        except ValueError as error:
            raise self._malformed(record_id, "participationtypemask", str(error)) from None
        return role if isinstance(role, int) else None

    def _end_association(self) -> None:
        assert self._association is not None  # noqa: S101  # the parser keeps elements balanced
        attributes = self._association
        relationship = attributes.get("m2mrelationshipname", "")
        if not relationship:
            raise PackageError(
                f"{self.file}: an association of {self._table} does not name its relationship.",
                "Add m2mrelationshipname, or export the package again.",
            )
        source = self._guid(attributes.get("sourceid"), f"the source of {relationship}")
        targets = tuple(self._guid(text, f"a target of {relationship}") for text in self._target_ids)
        extra = tuple(item for item in attributes.items() if item[0] not in _ASSOCIATION)
        self._events.append(
            Association(
                relationship,
                self._table,
                source,
                attributes.get("targetentityname", ""),
                targets,
                attributes.get("targetentitynameidfield"),
                extra,
            )
        )
        self._association = None

    def _guid(self, text: str | None, what: str) -> str:
        guid = canonical_guid(text or "")
        if guid is None:
            raise PackageError(
                f"{self.file}: table {self._table}: {what} is no guid: {(text or '')[:60]!r}.",
                "Mend the id, or export the package again.",
            )
        return guid

    def _malformed(self, record_id: str, column: str, reason: str) -> PackageError:
        return PackageError(
            f"{self.file}: table {self._table}, row {record_id}, column {column}: the value {reason}.",
            "Mend the value in the package, or export it again.",
        )


def _unknown(attributes: Attributes, kind: ColumnType | None) -> tuple[tuple[str, str], ...]:
    known = _FIELD | {"filename"} if kind is ColumnType.FILE else _FIELD
    return tuple(item for item in attributes.items() if item[0] not in known)
