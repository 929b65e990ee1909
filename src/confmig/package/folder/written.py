"""A package in the folder form as its texts, for lint: what stands where in which file.

The texts are those of data.xml, so that one rule is for both forms. A value that is not of its column's type is an
error of reading here, with its line.
"""

from collections.abc import Iterable, Iterator

from confmig.model.records import Association, Record
from confmig.model.schema import Schema, Table
from confmig.model.values import ZERO_ID, Choices, ColumnType, FileRef, Lookup, Parties, Party, Value
from confmig.model.written import WrittenEvent, WrittenPairs, WrittenRow, WrittenStart, WrittenTable, WrittenValue
from confmig.package.folder import PACKAGE_FILE
from confmig.package.folder.rowtext import UNDECLARED, key_of
from confmig.package.folder.tablefolder import TableFolder
from confmig.package.folder.yamlread import Mapping
from confmig.package.formatting import format_value


def read_written_folder(timestamp: str | None, tables: Iterable[TableFolder], schema: Schema) -> Iterator[WrittenEvent]:
    """All tables, rows and associations of a folder as they are written, with their lines.

    Raises:
        PackageError: A file cannot be read.
    """
    yield WrittenStart(timestamp, PACKAGE_FILE, 1)
    for folder in tables:
        begun = False
        for file, root, record in folder.rows():
            if not begun:
                yield WrittenTable(folder.table, file, 1)
                begun = True
            yield _row(record, root, schema.table(folder.table), file)
        for file, line, association in folder.associations():
            if not begun:
                yield WrittenTable(folder.table, file, 1)
                begun = True
            yield _pairs(association, file, line)


def _row(record: Record, root: Mapping, table: Table | None, file: str) -> WrittenRow:
    kinds = {column.name: column.type for column in table.columns} if table else {}
    lines = {key: node.line for key, node in root.entries.items()}
    undeclared = root.entries.get(UNDECLARED)
    if isinstance(undeclared, Mapping):
        lines |= {key_of(name): node.line for name, node in undeclared.entries.items()}
    values = tuple(
        _value(name, kinds.get(name, ColumnType.STRING), value, lines.get(key_of(name), 1))
        for name, value in record.values.items()
    )
    own = dict(record.extra.get("", ()))
    return WrittenRow(record.table, record.id or ZERO_ID, values, file, lines.get("id", 1), own.get("newId", ""))


def _value(column: str, kind: ColumnType, value: Value, line: int) -> WrittenValue:
    match value:
        case Lookup(target, row_id, label):
            return WrittenValue(column, row_id, line, target, label)
        case Parties(parties):
            return WrittenValue(column, "", line, parties=tuple(_party(party, line) for party in parties))
        case FileRef(file_id):
            return WrittenValue(column, file_id, line)
        case Choices() if kind is not ColumnType.CHOICES:
            return WrittenValue(column, "", line)
        case _:
            return WrittenValue(column, "" if value is None else format_value(kind, value), line)


def _party(party: Party, line: int) -> tuple[WrittenValue, ...]:
    return tuple(_value(name, ColumnType.STRING, value, line) for name, value in party.columns)


def _pairs(event: Association, file: str, line: int) -> WrittenPairs:
    target_id = event.target_id_column or ""
    return WrittenPairs(
        event.table, event.relationship, event.source, event.target_table, target_id, event.targets, file, line
    )
