"""Values of a body checked against their columns and turned into stored values."""

import base64
import binascii
from collections.abc import Callable
from decimal import Decimal

from confmig.emulator import naming
from confmig.emulator.catalog import Catalog
from confmig.emulator.dates import wire_date
from confmig.emulator.errors import (
    ServiceError,
    bad_date,
    literal_error,
    number_outside,
    outside_choices,
    payload_error,
    required_missing,
    too_long,
)
from confmig.emulator.model import NUMBERS, TEXTS, Column, Table
from confmig.emulator.store import Value

Converter = Callable[[object], Value]
_WHOLE_RANGES = {"Integer": (-(2**31), 2**31 - 1), "BigInt": (-(2**63), 2**63 - 1)}
_NUMBER_LIMITS = {
    "Decimal": (Decimal(100_000_000_000), "0x80044330", "A decimal"),
    "Double": (Decimal(100_000_000_000), "0x80044330", "A double"),
    "Money": (Decimal("922337203685477.5807"), "0x80040317", "A money value"),
}


class Converters:
    """How the properties of each table become stored values; made once for each table."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._creating: dict[str, dict[str, Converter | None]] = {}
        self._updating: dict[str, dict[str, Converter | None]] = {}
        self._required: dict[str, tuple[str, ...]] = {}

    def required(self, table: Table) -> tuple[str, ...]:
        """The columns of a table that may not be null."""
        known = self._required.get(table.name)
        if known is None:
            known = self._required[table.name] = tuple(
                name for name, column in table.columns.items() if column.required
            )
        return known

    def of(self, table: Table, *, creating: bool) -> dict[str, Converter | None]:
        """The converter of each property; None for one whose value is ignored because it is read-only."""
        known = self._creating if creating else self._updating
        found = known.get(table.name)
        if found is None:
            found = known[table.name] = {
                column.name: _converter(table, column)
                if (column.can_create if creating else column.can_update)
                else None
                for column in table.columns.values()
                if column.stored and not column.is_lookup
            }
        return found


def _converter(table: Table, column: Column) -> Converter:
    """The function that checks and converts a value of a column."""
    convert = converter(table, column)

    def checked(value: object) -> Value:
        if value is None:
            if column.required:
                raise required_missing(column.name)
            return None
        return convert(value)

    return checked


def converter(table: Table, column: Column) -> Converter:
    """The function that checks and converts a value of a column that is not null."""
    kind = column.type
    if kind in TEXTS:
        return _text_converter(table, column)
    if kind in ("Integer", "BigInt"):
        return _whole_converter(table, column)
    if kind in ("Picklist", "State", "Status"):
        return _choice_converter(table, column)
    if kind in NUMBERS:
        return _number_converter(table, column)
    makers: dict[str, Callable[[Table, Column], Converter]] = {
        "Boolean": lambda table, _: _boolean_converter(table),
        "DateTime": _date_converter,
        "Uniqueidentifier": lambda table, _: _guid_converter(table),
        "MultiSelectPicklist": _choices_converter,
        "Image": lambda table, _: _image_converter(table),
        "File": _file_converter,
    }
    return makers[kind](table, column)


def _text_converter(table: Table, column: Column) -> Converter:
    limit = column.max_length or 1_048_576

    def convert(value: object) -> Value:
        if type(value) is not str:
            raise literal_error(table.entity_set, value, "String")
        if len(value) > limit:
            raise too_long(column.name, table.name, limit)
        if "\0" in value:
            raise payload_error(table.entity_set, f"'\\u0000' in '{column.name}' is an invalid character.")
        # The service keeps no empty text: it is null.
        return value or None

    return convert


def _whole_converter(table: Table, column: Column) -> Converter:
    low, high = _WHOLE_RANGES[column.type]
    edm = "Int32" if column.type == "Integer" else "Int64"

    def convert(value: object) -> Value:
        if type(value) is not int:
            raise literal_error(table.entity_set, value, edm)
        if not low <= value <= high:
            raise number_outside("0x8004432F", "An integer")
        return value

    return convert


def _choice_converter(table: Table, column: Column) -> Converter:
    accepted = None if column.any_option else column.accepted()
    low, high = _WHOLE_RANGES["Integer"]

    def convert(value: object) -> Value:
        if type(value) is not int or not low <= value <= high:
            raise literal_error(table.entity_set, value, "Int32")
        if accepted is not None and value not in accepted:
            raise outside_choices(value, column.name, table.name, ",".join(str(one) for one in sorted(accepted)))
        return value

    return convert


def _number_converter(table: Table, column: Column) -> Converter:
    limit, code, words = _NUMBER_LIMITS[column.type]
    edm = "Double" if column.type == "Double" else "Decimal"

    def convert(value: object) -> Value:
        if type(value) is not int and type(value) is not Decimal:
            raise literal_error(table.entity_set, value, edm)
        if not -limit <= value <= limit:
            raise number_outside(code, words)
        return str(value)

    return convert


def _boolean_converter(table: Table) -> Converter:
    def convert(value: object) -> Value:
        if type(value) is not bool:
            raise literal_error(table.entity_set, value, "Boolean")
        return int(value)

    return convert


def _date_converter(table: Table, column: Column) -> Converter:
    edm = "Date" if column.behavior == "DateOnly" else "DateTimeOffset"

    def convert(value: object) -> Value:
        if not isinstance(value, str):
            raise literal_error(table.entity_set, value, edm)
        if edm == "Date" and len(value) != 10:
            raise literal_error(table.entity_set, value, edm)
        if not value:
            raise bad_date()
        return wire_date(column, value)

    return convert


def _guid_converter(table: Table) -> Converter:
    def convert(value: object) -> Value:
        if not isinstance(value, str) or not naming.is_guid(value):
            raise literal_error(table.entity_set, value, "Guid")
        return value.lower()

    return convert


def _choices_converter(table: Table, column: Column) -> Converter:
    accepted = None if column.any_option else column.accepted()

    def convert(value: object) -> Value:
        if not isinstance(value, str):
            raise literal_error(table.entity_set, value, "String")
        try:
            chosen = [int(part) for part in value.split(",") if part.strip()]
        except ValueError as error:
            raise literal_error(table.entity_set, value, "Int32") from error
        for one in chosen:
            if accepted is not None and one not in accepted:
                raise outside_choices(one, column.name, table.name, ",".join(str(each) for each in sorted(accepted)))
        return ",".join(str(one) for one in dict.fromkeys(chosen)) or None

    return convert


def _image_converter(table: Table) -> Converter:
    def convert(value: object) -> Value:
        if not isinstance(value, str):
            raise literal_error(table.entity_set, value, "Binary")
        try:
            base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise literal_error(table.entity_set, value[:40], "Binary") from error
        return value or None

    return convert


def _file_converter(table: Table, column: Column) -> Converter:
    def convert(_: object) -> Value:
        raise ServiceError(
            400, "0x80048d19", f"The file column '{column.name}' of '{table.name}' is written through its own URL."
        )

    return convert
