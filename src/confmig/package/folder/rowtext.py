"""A row as the text of its file, and the files beside it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from confmig.errors import PackageError
from confmig.model.records import Record
from confmig.model.schema import Table
from confmig.model.values import Choices, ColumnType, FileRef, Lookup, Parties, Party, Value, is_guid
from confmig.package.folder.binaries import body_of, image_of
from confmig.package.folder.jsontext import indent_json
from confmig.package.folder.naming import hash_of, safe_name, safe_suffix
from confmig.package.folder.sidetexts import suffix_of
from confmig.package.folder.unknowns import unknown_lines
from confmig.package.folder.yamltext import entry, flow_mapping, scalar, text_value
from confmig.package.formatting import format_moment, format_value

UNDECLARED = "$undeclared"
NO_ID = "none"
_LONGEST_NAME = 200


@dataclass(slots=True)
class RowFile:
    """What is written for one row: the text of its file, files with their bytes, and payloads by the id of the file."""

    text: str = ""
    sides: dict[str, bytes] = field(default_factory=dict)
    payloads: dict[str, str] = field(default_factory=dict)


def key_of(column: str) -> str:
    """The key of a column: its name, with a ``$`` before it where the name could be taken for a key of the format."""
    return f"${column}" if column == "id" or column.startswith("$") else column


def name_of(record: Record, table: Table | None) -> str:
    """What a row is called, as far as the package tells it: the primary name, or that of the file that it holds."""
    return record.name(table.primary_name if table else None)[:_LONGEST_NAME]


def identity_of(record: Record, table: Table | None) -> str:
    """The id of a row, or for want of one a hash of its content."""
    if record.id is not None:
        return record.id
    row = render_row(record, table, "", lambda _: False)
    return hash_of(row.text + "".join(hash_of(content.decode("latin-1")) for content in row.sides.values()))


def render_row(record: Record, table: Table | None, stem: str, take_file: Callable[[str], bool]) -> RowFile:
    """Write a row as text.

    Args:
        record: The row.
        table: What the schema says of its table; columns stand in its order.
        stem: The name of the row's file, without suffix.
        take_file: Whether the payload of the file with this id is to be written beside this row.
    """
    return _RowText(record, table, stem, take_file).render()


class _RowText:
    """Renders one row."""

    def __init__(self, record: Record, table: Table | None, stem: str, take_file: Callable[[str], bool]) -> None:
        self._record = record
        self._kinds = {column.name: column.type for column in table.columns} if table else None
        self._stem = stem
        self._take_file = take_file
        self._row = RowFile()

    def render(self) -> RowFile:
        values = self._record.values
        declared = list(values) if self._kinds is None else [name for name in self._kinds if name in values]
        undeclared = [] if self._kinds is None else [name for name in values if name not in self._kinds]
        lines = [entry("id", self._record.id or NO_ID)]
        lines += [self._column(name, key_of(name)) for name in declared]
        if beyond := [self._column(name, name, "  ") for name in undeclared]:
            lines += [f"{UNDECLARED}:\n", *beyond]
        extra = self._record.extra
        columns = {name: pairs for name, pairs in extra.items() if name not in {"", "<>"}}
        xml = [text for _, text in extra.get("<>", ())]
        lines += unknown_lines(extra.get("", ()), columns, xml)
        self._row.text = "".join(lines)
        return self._row

    def _column(self, name: str, key: str, indent: str = "") -> str:
        value = self._record.values[name]
        kind = self._kinds.get(name) if self._kinds else None
        if isinstance(value, Parties) and value.parties:
            return f"{indent}{scalar(key, flow=True)}:\n" + "".join(_party_lines(value.parties, indent + "  "))
        if value is None and name not in self._record.extra:
            return ""  # a column without a value says nothing, as one that is absent
        return entry(key, self._value(name, kind, value, indent), indent)

    def _value(self, name: str, kind: ColumnType | None, value: Value, indent: str) -> str:
        match value:
            case None:
                return "!none"
            case str():
                return self._text(name, kind, value, indent)
            case Lookup():
                return _lookup(value)
            case FileRef():
                return self._file(name, value)
            case _:
                return plain_value(kind or ColumnType.STRING, value)

    def _text(self, name: str, kind: ColumnType | None, text: str, indent: str) -> str:
        if kind is ColumnType.GUID and is_guid(text):
            return text
        if kind is ColumnType.IMAGE:
            held = image_of(text)
        else:
            file_name = self._record.values.get("filename")
            held = body_of(name, text, file_name if isinstance(file_name, str) else None)
        if held is not None:
            return f"!base64 {self._beside(name, held[1], held[0])}"
        suffix = suffix_of(name, text)
        if suffix is None:
            return text_value(text, indent)
        indented = indent_json(text) if suffix == ".json" else None
        if indented is not None:
            tag, lines = indented
            return f"{tag} {self._beside(name, suffix, lines.encode())}"
        return f"!file {self._beside(name, suffix, text.encode())}"

    def _beside(self, column: str, suffix: str, content: bytes) -> str:
        """Put a file beside the row; it is referred to without the row's name, which may change."""
        name = f"{safe_name(column)}{suffix}"
        self._row.sides[f"{self._stem}.{name}"] = content
        return name

    def _file(self, column: str, value: FileRef) -> str:
        pairs = [("id", value.id)]
        if value.name is not None:
            pairs.append(("name", scalar(value.name, flow=True)))
        if self._take_file(value.id):
            name = f"{safe_name(column)}{safe_suffix(value.name)}"
            self._row.payloads[f"{self._stem}.{name}"] = value.id
            pairs.append(("content", f"!file {name}"))
        return flow_mapping(pairs)


def plain_value(kind: ColumnType, value: Value) -> str:
    """A value that is neither text nor a reference, as YAML on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return _moment(value)
        case Choices(options):
            return "[" + ", ".join(map(str, options)) + "]"
        case Parties():
            return "[]"
        case int() | float() | Decimal():
            return format_value(kind, value)
        case _:
            return scalar(str(value))


def _moment(value: datetime) -> str:
    """``2024-01-01T00:00:00Z``, with the fraction of a second only where there is one; no Z without a time zone."""
    text = format_moment(value)
    return text[:27].rstrip("0").rstrip(".") + text[27:]


def _lookup(value: Lookup) -> str:
    pairs = [("table", scalar(value.table, flow=True)), ("id", value.id)]
    if value.name is not None:
        pairs.append(("name", scalar(value.name, flow=True)))
    return flow_mapping(pairs)


def _party_lines(parties: Iterable[Party], indent: str) -> Iterator[str]:
    inner = indent + "  "
    for party in parties:
        lines = "".join(_party_entries(party, inner)) or f"{inner}{{}}\n"
        yield f"{indent}- {lines.removeprefix(inner)}"


def _party_entries(party: Party, indent: str) -> Iterator[str]:
    if party.id is not None:
        yield entry("id", party.id, indent)
    columns: set[str] = set()
    for name, value in party.columns:
        if name in columns:
            raise PackageError(
                f"A party of an activity has the column {name} twice.", "Mend the package: one of the two is too much."
            )
        columns.add(name)
        if isinstance(value, Lookup):
            yield entry(key_of(name), _lookup(value), indent)
        else:
            yield entry(key_of(name), text_value("" if value is None else str(value), indent), indent)
    extra: Mapping[str, tuple[tuple[str, str], ...]] = dict(party.extra)
    yield from unknown_lines(extra.get("", ()), {name: pairs for name, pairs in extra.items() if name}, (), indent)
