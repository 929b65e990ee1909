"""Values of a body checked against their columns and turned into stored values."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.model import NUMBERS, TEXTS, Column, Table
from confmig.emulator.errors import (
    ServiceError,
    bad_date,
    literal_error,
    null_refused,
    outside_choices,
    payload_error,
    too_long,
)
from confmig.emulator.storage.store import Value
from confmig.emulator.writing.dates import wire_date
from confmig.emulator.writing.derived import Rule, derived_columns
from confmig.emulator.writing.digits import number_converter, whole_converter
from confmig.emulator.writing.images import image_columns
from confmig.emulator.writing.money import money_columns

Converter = Callable[[object], Value]
_LARGEST_CHOICE = 2**31 - 1


@dataclass
class _Known:
    """What was made for one state of a table."""

    table: Table
    required: tuple[str, ...]
    defaults: tuple[tuple[str, int], ...]
    numbered: tuple[Column, ...]
    money: tuple[Column, ...]
    images: tuple[Column, ...]
    derived: tuple[Rule, ...]
    creating: dict[str, Converter | None]
    updating: dict[str, Converter | None]


class Converters:
    """How the properties of each table become stored values; made once for each state of a table."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def required(self, table: Table) -> tuple[str, ...]:
        """The columns of a table that may not be null."""
        return self._of(table).required

    def defaults(self, table: Table) -> tuple[tuple[str, int], ...]:
        """The values of choices that new rows get when they bring none."""
        return self._of(table).defaults

    def numbered(self, table: Table) -> tuple[Column, ...]:
        """The columns whose values the service numbers."""
        return self._of(table).numbered

    def money(self, table: Table) -> tuple[Column, ...]:
        """The amounts of a table whose rows have a currency."""
        return self._of(table).money

    def images(self, table: Table) -> tuple[Column, ...]:
        """The images of a table."""
        return self._of(table).images

    def derived(self, table: Table) -> tuple[Rule, ...]:
        """The columns of a table that the service makes of others."""
        return self._of(table).derived

    def of(self, table: Table, *, creating: bool) -> dict[str, Converter | None]:
        """The converter of each property; None for one whose value is ignored because it is read-only."""
        known = self._of(table)
        return known.creating if creating else known.updating

    def _of(self, table: Table) -> _Known:
        known = self._known.get(table.name)
        # A table that was changed is another object.
        if known is None or known.table is not table:
            known = self._known[table.name] = _Known(
                table,
                # What clients cannot write, such as organizationid, is the service's own business.
                tuple(name for name, column in table.columns.items() if column.required and column.can_create),
                _defaults(table),
                tuple(column for column in table.columns.values() if column.auto_number),
                money_columns(table),
                image_columns(table),
                derived_columns(table),
                _made(table, creating=True),
                _made(table, creating=False),
            )
        return known


def _defaults(table: Table) -> tuple[tuple[str, int], ...]:
    """The choices of new rows; -1 is how metadata says that there is none."""
    return tuple(
        (column.name, column.default)
        for column in table.columns.values()
        if column.default is not None and column.default >= 0 and column.type in ("Picklist", "Boolean")
    )


def _made(table: Table, *, creating: bool) -> dict[str, Converter | None]:
    return {
        column.name: _converter(table, column) if (column.can_create if creating else column.can_update) else None
        for column in table.columns.values()
        if column.stored and not column.is_lookup
    }


def _converter(table: Table, column: Column) -> Converter:
    """The function that checks and converts a value of a column."""
    convert = converter(table, column)

    def checked(value: object) -> Value:
        if value is None:
            if column.required:
                raise null_refused(column.name)
            return None
        return convert(value)

    return checked


def converter(table: Table, column: Column) -> Converter:
    """The function that checks and converts a value of a column that is not null."""
    kind = column.type
    if kind in TEXTS:
        return _text_converter(table, column)
    if kind in ("Integer", "BigInt"):
        return whole_converter(table, column)
    if kind in ("Picklist", "State", "Status"):
        return _choice_converter(table, column)
    if kind in NUMBERS:
        return number_converter(table, column)
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


def _choice_converter(table: Table, column: Column) -> Converter:
    accepted = None if column.any_option else column.accepted()

    def convert(value: object) -> Value:
        if type(value) is not int or abs(value) > _LARGEST_CHOICE:
            raise literal_error(table.entity_set, value, "Int32")
        if accepted is not None and value not in accepted:
            raise outside_choices(value, column.name, table.name, ",".join(str(one) for one in sorted(accepted)))
        return value

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
