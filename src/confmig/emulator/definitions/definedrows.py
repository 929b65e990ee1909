"""The rows and associations of an environment definition, written into its store."""

import base64
import binascii
import sqlite3
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

import msgspec

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.model import NUMBERS, Column, ManyToMany, Table
from confmig.emulator.definitions.definitioncheck import place_of
from confmig.emulator.definitions.definitions import Definition, Json
from confmig.emulator.errors import EmulatorStartError, ServiceError
from confmig.emulator.storage.store import Store, Value, file_column, target_column
from confmig.emulator.writing.converters import converter
from confmig.emulator.writing.derived import derive, derived_columns
from confmig.emulator.writing.ownership import complete_units
from confmig.emulator.writing.states import default_status


class FileValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a file or an image of a row.

    Attributes:
        file: The name of the file.
        base64: Its content.
        text: Its content, when that is text.
    """

    file: str = ""
    base64: str | None = None
    text: str | None = None

    def content(self) -> bytes:
        """The bytes.

        Raises:
            ValueError: There is no content, there are two, or it is not base64.
        """
        if (self.base64 is None) == (self.text is None):
            raise ValueError("either base64 or text says what is in it")
        if self.text is not None:
            return self.text.encode()
        try:
            return base64.b64decode("".join((self.base64 or "").split()), validate=True)
        except binascii.Error as error:
            raise ValueError(f"base64: {error}") from error


class Filler:
    """Writes the rows and associations of one definition."""

    def __init__(self, store: Store, definition: Definition, now: str) -> None:
        self._store = store
        self._definition = definition
        self._now = now
        self._references: list[tuple[Table, str, str, str, str]] = []

    def fill(self) -> None:
        """Write everything, then see whether every lookup finds its row.

        Raises:
            EmulatorStartError: A row is wrong or a lookup points nowhere; the message names file, line, table and row.
        """
        with self._store.transaction():
            for name, rows in self._definition.rows.items():
                table = self._store.catalog.tables.get(name)
                if table is None or table.is_intersect:
                    place = place_of(self._definition, "rows", name)
                    raise EmulatorStartError(f"{place}: rows are given for the unknown table {name!r}")
                for row in rows:
                    self._write(table, row)
            for table, row_id, column, target, target_id in self._references:
                if not self._store.exists(self._store.catalog.tables[target], target_id):
                    words = f"{column} points to the {target} {target_id}, which is not there"
                    raise self._error(table, row_id, words, column)
            for relationship, pairs in self._definition.associations.items():
                self._associate(relationship, pairs)
            complete_units(self._store)

    def _error(self, table: Table, row_id: str, words: str, column: str | None = None) -> EmulatorStartError:
        path: list[str | dict[str, str]] = ["rows", table.name, {table.primary_id: row_id}]
        place = place_of(self._definition, *path, *([column] if column else []))
        return EmulatorStartError(f"{place}: {table.name} {row_id}: {words}")

    def _write(self, table: Table, row: Json) -> None:
        row_id = str(row.get(table.primary_id, "")).lower()
        if not naming.is_guid(row_id):
            raise self._error(table, row_id, f"{table.primary_id} is not a guid")
        if self._store.exists(table, row_id):
            raise self._error(table, row_id, "the row is given twice")
        values: dict[str, Value] = {"versionnumber": self._store.next_version()}
        given: Json = {"createdon": self._now, "modifiedon": self._now}
        given |= {"createdby": self._store.caller_id, "modifiedby": self._store.caller_id}
        if table.ownership == "user":
            given["ownerid"] = {"table": "systemuser", "id": self._store.caller_id}
        given = {name: value for name, value in given.items() if name in table.columns} | row
        for name, value in given.items():
            column = table.columns.get(name)
            if column is None or not column.stored:
                raise self._error(table, row_id, f"there is no column {name}", name)
            if value is not None:
                try:
                    self._put(table, row_id, column, value, values)
                except ServiceError as error:
                    raise self._error(table, row_id, f"{name}: {error.message}", name) from error
                except (ValueError, InvalidOperation, msgspec.ValidationError) as error:
                    raise self._error(table, row_id, f"{name}: {error}", name) from error
        if {"statecode", "statuscode"} <= table.columns.keys():
            _complete_state(table, values)
        _follow_owner(table, values)
        derive(
            self._store, table, tuple(rule for rule in derived_columns(table) if rule.column not in row), values, None
        )
        self._store.insert(
            table, {name: value for name, value in values.items() if name.split(".")[0] in table.columns}
        )

    def _put(self, table: Table, row_id: str, column: Column, value: object, values: dict[str, Value]) -> None:
        """Put what a definition says of a column into the values of its row."""
        if column.is_lookup:
            target, target_id = _reference(column, value)
            values[column.name] = target_id
            if column.many_targets:
                values[target_column(column.name)] = target
            self._references.append((table, row_id, column.name, target, target_id))
        elif column.type == "File":
            file = msgspec.convert(value, FileValue)
            file_id = naming.stable_id("file", table.name, row_id, column.name)
            self._store.query("INSERT INTO files VALUES (?, ?)", (file_id, file.content()))
            values |= {column.name: file_id, file_column(column.name): file.file or None}
        else:
            values[column.name] = converter(table, column)(_wire_value(column, value))

    def _associate(self, name: str, pairs: tuple[tuple[str, str], ...]) -> None:
        by_name = {many.schema_name: many for many in self._store.catalog.many_to_many}
        relationship = by_name.get(name) or self._store.catalog.intersects.get(name)
        try:
            if relationship is None:
                raise LookupError(f"associations are given for the unknown relationship {name!r}")
            for one, two in pairs:
                self._pair(relationship, one.lower(), two.lower())
        except LookupError as error:
            place = place_of(self._definition, "associations", name)
            raise EmulatorStartError(f"{place}: {error.args[0]}") from error

    def _pair(self, relationship: ManyToMany, one: str, two: str) -> None:
        tables = self._store.catalog.tables
        for table, row_id in ((relationship.table1, one), (relationship.table2, two)):
            if not self._store.exists(tables[table], row_id):
                raise LookupError(f"{relationship.schema_name} names the {table} {row_id}, which is not there")
        values: dict[str, Value] = {
            tables[relationship.intersect].primary_id: naming.stable_id(relationship.intersect, one, two),
            relationship.column1: one,
            relationship.column2: two,
            "versionnumber": self._store.next_version(),
        }
        try:
            self._store.insert(tables[relationship.intersect], values)
        except sqlite3.IntegrityError as error:
            raise LookupError(f"{relationship.schema_name} has the pair {one}, {two} twice") from error


def _reference(column: Column, value: object) -> tuple[str, str]:
    """The table and the id that a lookup's value names.

    Raises:
        ValueError: It names no row, or one that the lookup cannot point to.
    """
    if isinstance(value, dict) and set(value) == {"table", "id"}:
        target, row_id = str(value["table"]), str(value["id"]).lower()
    elif isinstance(value, str) and not column.many_targets:
        target, row_id = column.targets[0], value.lower()
    else:
        raise ValueError("must be {table: …, id: …}")
    if not naming.is_guid(row_id) or target not in column.targets:
        raise ValueError(f"cannot point to {target} {row_id}")
    return target, row_id


def _wire_value(column: Column, value: object) -> object:
    """A value of YAML in the form in which a body would bring it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, str) and column.type in NUMBERS:
        # More digits than a float holds are given as a text.
        return Decimal(value)
    if isinstance(value, dict) and column.type == "Image":
        return base64.b64encode(msgspec.convert(value, FileValue).content()).decode()
    return value


def _follow_owner(table: Table, values: dict[str, Value]) -> None:
    """The owning user or team of a row that names only its owner."""
    kind = values.get(target_column("ownerid"))
    column = table.columns.get("owninguser" if kind == "systemuser" else "owningteam")
    if kind is not None and column is not None and column.is_lookup and values.get(column.name) is None:
        values[column.name] = values["ownerid"]
        if column.many_targets:
            values[target_column(column.name)] = kind


def _complete_state(table: Table, values: dict[str, Value]) -> None:
    """Give a row the state and the status that it leaves out."""
    status = values.get("statuscode")
    if values.get("statecode") is None:
        states = {option.value: option.state for option in table.columns["statuscode"].options}
        values["statecode"] = states.get(status) if isinstance(status, int) else 0
    if status is None:
        values["statuscode"] = default_status(table, int(str(values["statecode"] or 0)))
