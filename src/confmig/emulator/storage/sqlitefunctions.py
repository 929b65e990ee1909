"""What SQLite is taught: how numbers and texts are compared, fiscal periods, exact sums."""

import sqlite3
from decimal import Decimal, InvalidOperation

from confmig.emulator.storage import exactnumbers, formatting
from confmig.emulator.storage.fiscal import fiscal_period, fiscal_year


def register(connection: sqlite3.Connection) -> None:
    """Give a connection the collations NUMBER and FOLDED and the functions that queries use."""
    connection.create_collation("NUMBER", _compare_numbers)
    connection.create_collation("FOLDED", _compare_folded)
    connection.create_function("folded", 1, _folded, deterministic=True)
    connection.create_function("fiscal_period", 4, fiscal_period, deterministic=True)
    connection.create_function("fiscal_year", 4, fiscal_year, deterministic=True)
    exactnumbers.register(connection)
    formatting.register(connection)


def _compare_numbers(left: str, right: str) -> int:
    """The collation of numbers that are kept as their digits."""
    try:
        one, two = Decimal(left), Decimal(right)
    except InvalidOperation:
        return (left > right) - (left < right)
    return (one > two) - (one < two)


def _compare_folded(left: str, right: str) -> int:
    one, two = left.casefold(), right.casefold()
    return (one > two) - (one < two)


def _folded(text: str | None) -> str | None:
    return text.casefold() if text is not None else None
