"""Sums and averages of numbers that are kept as their digits.

SQLite would add them as binary floating point, and whole numbers only up to 63 bits.
"""

import sqlite3
from decimal import Context, Decimal, InvalidOperation

_DIGITS = Context(prec=60)


class _Total:
    """Adds up what an aggregate function of SQL is given; nulls do not count."""

    def __init__(self) -> None:
        self.sum = Decimal(0)
        self.count = 0

    def step(self, value: str | int | float | None) -> None:
        """Take up one value."""
        if value is None:
            return
        try:
            self.sum = _DIGITS.add(self.sum, Decimal(str(value)))
        except InvalidOperation:
            return
        self.count += 1


class _Sum(_Total):
    """``exact_sum(x)``: the digits of the sum; of nothing it is 0, as documented for grouped sums."""

    def finalize(self) -> str:
        return f"{self.sum:f}"


class _Average(_Total):
    """``exact_avg(x, scale)``: the digits of the average, cut to a number of decimal places as SQL Server does."""

    def __init__(self) -> None:
        super().__init__()
        self._scale = 0

    def step(self, value: str | int | float | None, scale: int = 0) -> None:
        super().step(value)
        self._scale = scale

    def finalize(self) -> str | None:
        if not self.count:
            return None
        average = _DIGITS.divide(self.sum, Decimal(self.count))
        if self._scale < 0:
            return f"{average.normalize():f}"
        return f"{average.quantize(Decimal(1).scaleb(-self._scale), rounding='ROUND_DOWN', context=_DIGITS):f}"


def register(connection: sqlite3.Connection) -> None:
    """Give a connection the functions ``exact_sum`` and ``exact_avg``."""
    # The type stubs know whole numbers only; SQLite takes texts as well.
    connection.create_aggregate("exact_sum", 1, _Sum)  # type: ignore[arg-type]
    connection.create_aggregate("exact_avg", 2, _Average)  # type: ignore[arg-type]
