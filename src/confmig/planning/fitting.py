"""Whether a value can be in a column of the target at all: what cannot is found before anything is written."""

from decimal import Decimal

from confmig.model.environment import ColumnInfo
from confmig.model.values import ColumnType, Lookup, Value, canonical_guid

_WHOLE = {ColumnType.NUMBER, ColumnType.CHOICE, ColumnType.STATE, ColumnType.STATUS}
_ANY = "*"


def why_not(column: ColumnInfo, value: Value) -> str:
    """Why a value does not fit a column; empty when nothing speaks against it."""
    match value:
        case Lookup(table=table) if column.type is ColumnType.LOOKUP:
            if column.targets and table not in column.targets and _ANY not in column.targets:
                return f"it points to {table}, where the target's column points to {' or '.join(column.targets)}"
        case Decimal() | float() if column.type in _WHOLE and value != int(value):
            return f"{value} has a fraction, where the target's column takes whole numbers"
        case str() if column.type is ColumnType.GUID and canonical_guid(value) is None:
            return "it is no guid, which the target's column takes"
        case _:
            pass
    return ""
