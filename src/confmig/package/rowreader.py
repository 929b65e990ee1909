"""The rows of data.xml: one <record> with its fields at a time."""

from collections.abc import Callable
from typing import NoReturn

from confmig.model.records import Record
from confmig.model.schema import Table
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
    is_guid,
)
from confmig.package.text import PARSERS, Parser, decode_html, parse_value
from confmig.package.xmlstream import Attributes, XmlStream, kept

Extra = tuple[tuple[str, str], ...]

_LOOKUPS = {ColumnType.LOOKUP, ColumnType.OWNER}
_FIELD = {"name", "value", "lookupentity", "lookupentityname"}
_FILE_FIELD = _FIELD | {"filename"}
_MOST = 10_000
MOST_PARTIES = 10_000
"""More columns, or parties, has no row: Dataverse ends at 1,024 columns."""


class RowReader:
    """Reads rows, for as long as the parser is within one.

    Args:
        stream: The parser; its handlers are ours within a row.
        give: Takes each row.
    """

    def __init__(self, stream: XmlStream, give: Callable[[Record], None]) -> None:
        self._stream = stream
        self._give = give
        self._longest = stream.limits.value
        self._outside = stream.handlers
        self._table = ""
        self._primary_id = ""
        self._kinds: dict[str, ColumnType] = {}
        self._targets: dict[str, tuple[str, ...]] = {}
        self._parsers: dict[str, Parser] = {}
        self._id = ZERO_ID
        self._values: dict[str, Value] = {}
        self._extra: dict[str, Extra] = {}
        self._unknown: list[str] = []
        self._repeats = 0
        self._parties: dict[str, list[Party]] = {}
        self._party: Attributes = {}
        self._party_fields: list[Attributes] = []

    def start_table(self, name: str, table: Table | None) -> None:
        """Rows of this table follow; None when the schema does not declare it."""
        self._table = name
        self._primary_id = table.primary_id if table else ""
        columns = table.columns if table else ()
        self._kinds = {column.name: column.type for column in columns}
        self._targets = {column.name: column.targets for column in columns}
        self._parsers = {column.name: PARSERS[column.type] for column in columns if column.type in PARSERS}

    def start_row(self, attributes: Attributes) -> None:
        """A row begins."""
        self._values, self._extra, self._unknown, self._parties, self._repeats = {}, {}, [], {}, 0
        text = attributes.get("id") or ZERO_ID
        self._id = text if is_guid(text) else self._guid(text, "the id of a row")
        if len(attributes) > 1 or "id" not in attributes:
            self._stream.check_attributes(attributes)
            if own := kept(attributes, ("id",)):
                self._extra[""] = own
        self._outside = self._stream.handlers
        self._stream.call(self._start, self._end)

    def _start(self, tag: str, attributes: Attributes) -> None:
        """An element begins in a row. Nearly all are fields with a name and a value, so those come first."""
        if tag != "field":
            self._start_other(tag, attributes)
            return
        name = attributes.get("name", "")
        parse = self._parsers.get(name)
        if parse is None or len(attributes) != 2 or "value" not in attributes:
            self._odd_field(name, attributes)
            return
        text = attributes["value"]
        if len(text) > self._longest:
            raise self._stream.limits.exceeded("value", self._place(name), "the value has more than {} characters")
        try:
            value = parse(text)
        except ValueError as error:
            self._malformed(name, str(error))
        if name in self._values:
            self._repeat(name, value)
        self._values[name] = value

    def _end(self, tag: str) -> None:
        if tag == "record":
            self._end_row()

    def _end_row(self) -> None:
        for name, parties in self._parties.items():
            self._values[name] = Parties(tuple(parties))
        if self._unknown:
            self._extra["<>"] = tuple(("", xml) for xml in self._unknown)
        named: Value = self._id if self._id != ZERO_ID else self._values.get(self._primary_id)
        self._stream.call(*self._outside)
        self._give(Record(self._table, named if isinstance(named, str) else None, self._values, self._extra))

    def _odd_field(self, name: str, attributes: Attributes) -> None:
        """A field of a column that is not declared or not one text, or one that has more than its value."""
        if not name:
            self._stream.refuse(f"a <field> of {self._table} has no name")
        self._stream.check_attributes(attributes)
        if len(self._values) >= _MOST:
            self._stream.refuse(f"row {self._id} of {self._table} has more than {_MOST:,} columns")
        kind = self._kinds.get(name)
        value = self._odd_value(name, kind, attributes)
        known = _FILE_FIELD if kind is ColumnType.FILE else _FIELD
        unknown = () if known.issuperset(attributes) else kept(attributes, known)
        if name in self._values:
            self._repeat(name, value)
            if unknown != self._extra.get(name, ()):
                self._malformed(name, "stands twice in the row, with other attributes")
        self._values[name] = value
        if unknown:
            self._extra[name] = unknown

    def _odd_value(self, name: str, kind: ColumnType | None, attributes: Attributes) -> Value:
        if kind is ColumnType.PARTIES:
            return Parties(())
        text = attributes.get("value", "")
        if kind in _LOOKUPS or (text and attributes.get("lookupentity")):
            return self._lookup(name, attributes)
        if kind is ColumnType.FILE:
            file_id = self._guid(text, f"column {name} of row {self._id}") if text else None
            return FileRef(file_id, attributes.get("filename")) if file_id else None
        try:
            return self._parsers.get(name, decode_html)(text)
        except ValueError as error:
            self._malformed(name, str(error))

    def _lookup(self, column: str, attributes: Attributes) -> Lookup | None:
        text = attributes.get("value", "")
        if not text:
            return None
        guid = text if is_guid(text) else canonical_guid(text)
        if guid is None:
            self._malformed(column, f"is no guid: {text[:60]!r}")
        table = attributes.get("lookupentity")
        if not table:
            targets = self._targets.get(column, ())
            if len(targets) != 1 or targets[0] == "*":
                self._malformed(column, "does not say which table it points to (no lookupentity)")
            table = targets[0]
        return Lookup(table, guid, attributes.get("lookupentityname"))

    def _repeat(self, name: str, value: Value) -> None:
        """A column stands twice: nothing is lost where both say the same; else one value would be."""
        self._repeats += 1
        if self._values[name] != value or name in self._parties or self._repeats > _MOST:
            self._malformed(name, "stands twice in the row")

    def _start_other(self, tag: str, attributes: Attributes) -> None:
        """An element begins in a row that is no field: a party, or what is not known and so kept."""
        if tag != "activitypointerrecords":
            self._stream.capture(tag, attributes, self._unknown.append)
            return
        if not self._values:
            self._stream.refuse(f"a party of {self._table} stands outside a <field>")
        self._stream.check_attributes(attributes)
        self._party, self._party_fields = attributes, []
        self._stream.call(self._start_in_party, self._end_in_party)

    def _start_in_party(self, tag: str, attributes: Attributes) -> None:
        if tag != "field":
            self._stream.capture(tag, attributes, self._unknown.append)
            return
        if not attributes.get("name"):
            self._stream.refuse(f"a <field> of a party in {self._table} has no name")
        self._stream.check_attributes(attributes)
        self._party_fields.append(attributes)
        if len(self._party_fields) > _MOST:
            self._stream.refuse(f"a party has more than {_MOST:,} columns")

    def _end_in_party(self, tag: str) -> None:
        if tag != "activitypointerrecords":
            return
        column = next(reversed(self._values))
        parties = self._parties.setdefault(column, [])
        parties.append(self._party_value(column))
        if len(parties) > MOST_PARTIES:
            self._malformed(column, f"has more than {MOST_PARTIES:,} parties")
        self._stream.call(self._start, self._end)

    def _party_value(self, column: str) -> Party:
        """The party that ends here; its role is the column's where the file does not say."""
        who: Lookup | None = None
        role = PARTY_ROLES.get(column)
        columns: list[tuple[str, Value]] = []
        for attributes in self._party_fields:
            name = attributes["name"]
            if attributes.get("lookupentity") and attributes.get("value"):
                lookup = self._lookup(name, attributes)
                who = lookup if name == "partyid" else who
                columns.append((name, lookup))
            else:
                text = attributes.get("value", "")
                columns.append((name, decode_html(text)))
                if name == "participationtypemask" and text:
                    role = self._role(text)
        beyond = [("", kept(self._party, ("id",)))]
        beyond += [(attributes["name"], kept(attributes, _FIELD)) for attributes in self._party_fields]
        party_id = self._guid(self._party["id"], f"a party of {column}") if self._party.get("id") else None
        extra = tuple((name, unknown) for name, unknown in beyond if unknown)
        return Party(who, role, tuple(columns), None if party_id == ZERO_ID else party_id, extra)

    def _role(self, text: str) -> int | None:
        try:
            role = parse_value(ColumnType.NUMBER, text)
        except ValueError as error:
            self._malformed("participationtypemask", str(error))
        return role if isinstance(role, int) else None

    def _guid(self, text: str, what: str) -> str:
        guid = canonical_guid(text)
        if guid is None:
            self._stream.refuse(
                f"table {self._table}: {what} is no guid: {text[:60]!r}", "Mend the id, or export the package again."
            )
        return guid

    def _place(self, column: str) -> str:
        return f"{self._stream.place}: table {self._table}, row {self._id}, column {column[:60]}"

    def _malformed(self, column: str, reason: str) -> NoReturn:
        self._stream.refuse(
            f"table {self._table}, row {self._id}, column {column[:60]}: the value {reason}",
            "Mend the value in the package, or export it again.",
        )
