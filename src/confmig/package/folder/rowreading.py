"""A row's file read: what the schema says of a column decides how its text is understood."""

import difflib
from collections.abc import Mapping

from confmig.model.records import Record
from confmig.model.schema import Table
from confmig.model.values import (
    PARTY_ROLES,
    Choices,
    ColumnType,
    FileRef,
    Lookup,
    Parties,
    Party,
    Value,
    canonical_guid,
)
from confmig.package.folder.beside import REFERENCES, Beside
from confmig.package.folder.rowtext import NO_ID, UNDECLARED, key_of
from confmig.package.folder.unknowns import UNKNOWN, Unknowns, require_mapping, require_text
from confmig.package.folder.yamlread import Mapping as MappingNode
from confmig.package.folder.yamlread import Node, Place, Scalar, Sequence
from confmig.package.limits import Limits
from confmig.package.rowreader import MOST_PARTIES
from confmig.package.text import parse_value

_FIELD = {"name", "value", "lookupentity", "lookupentityname"}
_TEXTUAL = {None, ColumnType.STRING, ColumnType.UNKNOWN, ColumnType.IMAGE}
_LOOKUP = "a lookup is {table: …, id: …, name: …}"


class RowReader:
    """Reads the rows of one table.

    Args:
        name: The table.
        table: What the schema says of it.
        beside: The files beside its rows.
        limits: How large a value may be, among others.
    """

    def __init__(self, name: str, table: Table | None, beside: Beside, limits: Limits) -> None:
        self._name = name
        self._kinds: Mapping[str, ColumnType] | None = None
        self._columns: dict[str, str] = {}
        if table is not None:
            self._kinds = {column.name: column.type for column in table.columns}
            self._columns = {key_of(column): column for column in self._kinds}
        self._beside = beside
        self._limits = limits

    def read(self, root: MappingNode, place: Place) -> Record:
        """The row that a file holds.

        Raises:
            PackageError: A key that is no column, or a value that is not of its column's type.
        """
        entries = dict(root.entries)
        row_id = self._id(entries.pop("id", None), root, place)
        unknown = Unknowns(entries.pop(UNKNOWN, None), place, {"id"}, _FIELD)
        undeclared = entries.pop(UNDECLARED, None)
        values = {
            column: self._value(column, node, place)
            for column, node in ((self._column(key, node, place), node) for key, node in entries.items())
        }
        if undeclared is not None:
            values.update(self._undeclared(require_mapping(undeclared, place, UNDECLARED), place))
        extra = self._extra(unknown, values, root, place)
        return Record(self._name, row_id, values, extra)

    def _id(self, node: Node | None, root: MappingNode, place: Place) -> str | None:
        if node is None:
            raise place.error(root.line, "the row has no id", f"Write id: and a guid, or id: {NO_ID} for want of one.")
        text = require_text(node, place, "the id")
        guid = canonical_guid(text)
        if guid is None and text != NO_ID:
            raise place.error(node.line, f"the id is no guid: {text[:60]!r}", f"Write a guid, or {NO_ID}.")
        return guid

    def _column(self, key: str, node: Node, place: Place) -> str:
        """The column that a key stands for."""
        if self._kinds is None:
            if not key:
                raise place.error(node.line, "a column has no name")
            return key[1:] if key.startswith("$") else key
        if key in self._columns:
            return self._columns[key]
        near = difflib.get_close_matches(key, self._columns, 1)
        meant = f"; is {near[0]} meant" if near else ""
        raise place.error(
            node.line,
            f"the schema has no column {key} in table {self._name}{meant}",
            f"Mend the name, add the column to data_schema.xml, or write it below {UNDECLARED} to keep it.",
        )

    def _undeclared(self, node: MappingNode, place: Place) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for column, item in node.entries.items():
            if not column:
                raise place.error(item.line, "a column has no name")
            if self._kinds is None or column in self._kinds:
                raise place.error(item.line, f"{column} needs not stand below {UNDECLARED}", "Move it to the others.")
            values[column] = self._value(column, item, place)
        return values

    def _extra(
        self, unknown: Unknowns, values: Mapping[str, Value], root: MappingNode, place: Place
    ) -> dict[str, tuple[tuple[str, str], ...]]:
        extra: dict[str, tuple[tuple[str, str], ...]] = {}
        for column, attributes in unknown.columns.items():
            if column not in values:
                raise place.error(root.line, f"{UNKNOWN} tells of the column {column!r}, which the row does not have")
            if isinstance(values[column], FileRef) and "filename" in dict(attributes):
                raise place.error(root.line, f"the file name of {column} stands in its value, not below {UNKNOWN}")
            if attributes:
                extra[column] = attributes
        if unknown.attributes:
            extra[""] = unknown.attributes
        if unknown.xml:
            extra["<>"] = tuple(("", piece) for piece in unknown.xml)
        return extra

    def _value(self, column: str, node: Node, place: Place) -> Value:
        kind = self._kinds.get(column) if self._kinds else None
        match node:
            case Scalar(tag="!none"):
                return None
            case Scalar():
                return self._scalar(column, kind, node, place)
            case MappingNode():
                return (
                    self._file(node, place)
                    if kind is ColumnType.FILE and "table" not in node.entries
                    else (self._lookup(column, node, place))
                )
            case Sequence() if kind is ColumnType.CHOICES:
                return self._choices(column, node, place)
            case Sequence(items=items) if kind is ColumnType.PARTIES or _are_parties(items):
                if len(items) > MOST_PARTIES:
                    raise place.error(node.line, f"column {column} has more than {MOST_PARTIES:,} parties")
                role = PARTY_ROLES.get(column)
                return Parties(tuple(self._party(column, role, item, place) for item in items))
            case _:
                raise place.error(node.line, f"column {column} has a list, and is no column of several values")

    def _scalar(self, column: str, kind: ColumnType | None, node: Scalar, place: Place) -> Value:
        text = self._beside.value(node, place) if node.tag in REFERENCES else require_text(node, place, column)
        if len(text) > self._limits.value:
            where = f"{place.name}, line {node.line}, column {column}"
            raise self._limits.exceeded("value", where, "the value has more than {} characters")
        if kind in _TEXTUAL:
            return text
        if node.tag in REFERENCES:
            raise place.error(node.line, f"column {column} is {kind}, and has no file beside the row")
        if not text:
            return None
        match kind:
            case ColumnType.LOOKUP | ColumnType.OWNER:
                raise place.error(node.line, f"column {column}: {_LOOKUP}, not {text[:60]!r}")
            case ColumnType.PARTIES:
                raise place.error(node.line, f"column {column} holds a list of parties, not {text[:60]!r}")
            case ColumnType.FILE:
                raise place.error(node.line, f"column {column}: a file is {{id: …, name: …, content: !file …}}")
        return _parsed(column, kind or ColumnType.STRING, text, node.line, place)

    def _lookup(self, column: str, node: MappingNode, place: Place) -> Lookup:
        texts = {key: require_text(item, place, f"{key} of {column}") for key, item in node.entries.items()}
        if unknown := texts.keys() - {"table", "id", "name"}:
            raise place.error(node.line, f"column {column}: {_LOOKUP}, without {sorted(unknown)[0]!r}")
        if not texts.get("table"):
            raise place.error(node.line, f"column {column}: {_LOOKUP}; the table is missing")
        return Lookup(texts["table"], _guid(f"column {column}", texts.get("id"), node.line, place), texts.get("name"))

    def _file(self, node: MappingNode, place: Place) -> FileRef:
        texts = {key: item for key, item in node.entries.items() if isinstance(item, Scalar)}
        if node.entries.keys() != texts.keys() or texts.keys() - {"id", "name", "content"}:
            raise place.error(node.line, "a file is {id: …, name: …, content: !file …}")
        file_id = _guid("a file", texts["id"].text if "id" in texts else None, node.line, place)
        if "content" in texts:
            self._beside.payload(file_id, texts["content"], place)
        return FileRef(file_id, require_text(texts["name"], place, "name") if "name" in texts else None)

    def _choices(self, column: str, node: Sequence, place: Place) -> Choices:
        return Choices(tuple(self._choice(column, item, place) for item in node.items))

    def _choice(self, column: str, node: Node, place: Place) -> int:
        text = require_text(node, place, f"an option of {column}")
        option = _parsed(column, ColumnType.CHOICE, text, node.line, place)
        if not isinstance(option, int) or option == -1:  # data.xml has -1 at both ends of a list
            raise place.error(node.line, f"{text!r} is no option of {column}", _HINT)
        return option

    def _party(self, column: str, role: int | None, node: Node, place: Place) -> Party:
        entries = dict(require_mapping(node, place, f"a party of {column}").entries)
        own_id = entries.pop("id", None)
        party_id = None
        if own_id is not None:
            party_id = _guid("the id of a party", require_text(own_id, place, "the id"), own_id.line, place)
        unknown = Unknowns(entries.pop(UNKNOWN, None), place, {"id"}, _FIELD)
        who: Lookup | None = None
        columns: list[tuple[str, Value]] = []
        for key, item in entries.items():
            name = key[1:] if key.startswith("$") else key
            if isinstance(item, MappingNode):
                lookup = self._lookup(name, item, place)
                who = lookup if name == "partyid" else who
                columns.append((name, lookup))
            else:
                text = require_text(item, place, name)
                columns.append((name, text))
                if name == "participationtypemask" and text:
                    mask = _parsed(name, ColumnType.NUMBER, text, item.line, place)
                    role = mask if isinstance(mask, int) else role
        kept = [("", unknown.attributes), *((name, unknown.columns.get(name, ())) for name, _ in columns)]
        if unknown.xml or unknown.columns.keys() - dict(columns).keys():
            raise place.error(node.line, f"{UNKNOWN} of a party tells of what it does not have")
        extra = tuple((name, attributes) for name, attributes in kept if attributes)
        return Party(who, role, tuple(columns), party_id, extra)


def _are_parties(items: list[Node]) -> bool:
    return bool(items) and all(isinstance(item, MappingNode) for item in items)


def _guid(what: str, text: str | None, line: int, place: Place) -> str:
    guid = canonical_guid(text or "")
    if guid is None:
        raise place.error(line, f"{what}: the id is no guid: {(text or '')[:60]!r}")
    return guid


def _parsed(column: str, kind: ColumnType, text: str, line: int, place: Place) -> Value:
    try:
        return parse_value(kind, text)
    except ValueError as error:
        raise place.error(line, f"column {column} is {_expected(kind)}: {error}", _HINT) from None


_HINT = "Write a value of the column's type, or take the line out."


def _expected(kind: ColumnType) -> str:
    return _WORDS.get(kind, kind.value)


_WORDS = {
    ColumnType.BOOL: "true or false",
    ColumnType.NUMBER: "a whole number",
    ColumnType.BIGINT: "a whole number",
    ColumnType.CHOICES: "a list of choices, [1, 2]",
    ColumnType.CHOICE: "the number of a choice",
    ColumnType.STATE: "the number of a state",
    ColumnType.STATUS: "the number of a status",
    ColumnType.DATETIME: "a date and time, such as 2024-01-31T09:00:00Z",
    ColumnType.DECIMAL: "a number",
    ColumnType.MONEY: "a number",
    ColumnType.FLOAT: "a number",
    ColumnType.GUID: "a guid",
}
