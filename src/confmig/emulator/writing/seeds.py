"""The actions and the function for the sequences of autonumber columns.

https://learn.microsoft.com/power-apps/developer/data-platform/create-auto-number-attributes
"""

from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.errors import invalid_argument
from confmig.emulator.wire.operations import Call, Operations
from confmig.emulator.wire.wire import Reply
from confmig.emulator.writing.autonumber import next_number

_LARGEST = 2**63


def add_operations(operations: Operations) -> None:
    """Make them callable."""
    operations.actions({"SetAutoNumberSeed": set_seed, "GetNextAutoNumberValue": next_value})
    operations.functions({"GetAutoNumberSeed": read_seed})


def set_seed(call: Call) -> Reply:
    """Say which number the next row of a table gets.

    Raises:
        ServiceError: There is no such column, or it is not numbered.
    """
    table, column = _column(call)
    value = call.parameters.get("Value")
    if type(value) is not int or not 0 <= value < _LARGEST:
        raise invalid_argument("Value is not a number from which a sequence can begin.")
    call.writer.context.store.start_sequence(table.name, column.name, value)
    return Reply(204)


def read_seed(call: Call) -> Reply:
    """The number that the next row of a table gets.

    Raises:
        ServiceError: There is no such column, or it is not numbered.
    """
    table, column = _column(call)
    return call.answer({"AutoNumberSeedValue": call.writer.context.store.sequence(table.name, column.name)})


def next_value(call: Call) -> Reply:
    """Take the next value of a column, which then no row gets.

    Raises:
        ServiceError: There is no such column, or it is not numbered.
    """
    context = call.writer.context
    return call.answer({"NextAutoNumberValue": next_number(context.store, *_column(call), context.now)})


def _column(call: Call) -> tuple[Table, Column]:
    """The column that a call names; schema names are accepted, too."""
    table = call.writer.context.store.catalog.tables.get(str(call.parameters.get("EntityName", "")).lower())
    column = table.columns.get(str(call.parameters.get("AttributeName", "")).lower()) if table else None
    if table is None or column is None or not column.auto_number:
        raise invalid_argument("EntityName and AttributeName do not name an autonumber column.")
    return table, column
