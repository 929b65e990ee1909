"""Numbers of a body: their ranges, and the digits that are kept of them.

The service keeps a Decimal with ten digits after the point and a Money with four, and gives them back so
(``20000.0000``); what is beyond the precision of the column is rounded before. That halves go to the even neighbour, as
the .NET type does by default, is inferred.
"""

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal

from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.errors import literal_error, number_outside
from confmig.emulator.storage.store import Value

_WHOLE_RANGES = {"Integer": (-(2**31), 2**31 - 1), "BigInt": (-(2**63), 2**63 - 1)}
_LIMITS = {
    "Decimal": (Decimal(100_000_000_000), "0x80044330", "A decimal"),
    "Double": (Decimal(100_000_000_000), "0x80044330", "A double"),
    "Money": (Decimal("922337203685477.5807"), "0x80040317", "A money value"),
}
_SCALES = {"Decimal": 10, "Money": 4}


def whole_converter(table: Table, column: Column) -> Callable[[object], Value]:
    """The function that checks an Integer or a BigInt."""
    least, greatest = _WHOLE_RANGES[column.type]
    low = max(least, _whole_limit(column.min_value, least))
    high = min(greatest, _whole_limit(column.max_value, greatest))
    edm = "Int32" if column.type == "Integer" else "Int64"

    def convert(value: object) -> Value:
        if type(value) is not int:
            raise literal_error(table.entity_set, value, edm)
        if not low <= value <= high:
            raise number_outside("0x8004432F", "An integer")
        return value

    return convert


def _whole_limit(text: str | None, default: int) -> int:
    return default if text is None else int(Decimal(text))


def number_converter(table: Table, column: Column) -> Callable[[object], Value]:
    """The function that checks a Decimal, Money or Double and rounds it to the precision of its column.

    A Money whose precision is that of its currency, or of the organization, is rounded when those are known.
    """
    limit, code, words = _LIMITS[column.type]
    low = max(-limit, Decimal(column.min_value)) if column.min_value is not None else -limit
    high = min(limit, Decimal(column.max_value)) if column.max_value is not None else limit
    edm = "Double" if column.type == "Double" else "Decimal"
    places = column.precision if column.type != "Money" or column.precision_source in (None, 0) else None
    scale = scale_of(column)

    def convert(value: object) -> Value:
        if type(value) is not int and type(value) is not Decimal:
            raise literal_error(table.entity_set, value, edm)
        if not low <= value <= high:
            raise number_outside(code, words)
        return kept(Decimal(value), places, scale)

    return convert


def scale_of(column: Column) -> int | None:
    """How many digits after the point are kept, whatever the precision; None for a Double."""
    scale = _SCALES.get(column.type)
    return None if scale is None else max(scale, column.precision or 0)


def kept(number: Decimal, places: int | None, scale: int | None) -> str:
    """A number in the form in which it is kept: rounded to ``places`` digits, written with ``scale`` of them.

    Args:
        number: The number.
        places: The precision; None for one that is not known, which rounds nothing that can be kept.
        scale: How many digits are written; None for as many as there are.
    """
    if places is not None:
        number = number.quantize(_unit(places), ROUND_HALF_EVEN)
    if scale is not None and places != scale:
        number = number.quantize(_unit(scale), ROUND_HALF_EVEN)
    if not number:
        number = abs(number)
    if scale is None:
        number = number.normalize()
    return format(number, "f")


def _unit(places: int) -> Decimal:
    return _UNITS[places] if places < len(_UNITS) else Decimal(1).scaleb(-places)


_UNITS = tuple(Decimal(1).scaleb(-places) for places in range(13))
