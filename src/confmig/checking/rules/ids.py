"""The ids and keys of a package's rows, held small: a package may have millions of them."""

import hashlib
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from confmig.checking.findings import Place
from confmig.model.values import ZERO_ID, ColumnType, canonical_guid

_GUIDS = {ColumnType.GUID, ColumnType.LOOKUP, ColumnType.OWNER}
_NUMBERS = {
    *(ColumnType.NUMBER, ColumnType.BIGINT, ColumnType.DECIMAL, ColumnType.MONEY),
    *(ColumnType.CHOICE, ColumnType.STATE, ColumnType.STATUS),
}


def id_number(text: str) -> int | None:
    """A guid as a number, which takes half the memory of its text; None for the zero guid and for what is no guid."""
    guid = canonical_guid(text)
    return None if guid is None or guid == ZERO_ID else int(guid.replace("-", ""), 16)


def id_text(number: int) -> str:
    """The guid that a number stands for."""
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def comparable(text: str, kind: ColumnType) -> str:
    """The text of a value as all texts of an equal value have it: a number's digits, a guid without braces."""
    if kind in _NUMBERS:
        try:
            return f"{Decimal(text).normalize():f}"
        except ArithmeticError:
            return text
    return canonical_guid(text) or text if kind in _GUIDS else text


def fingerprint(parts: Sequence[str]) -> int:
    """A number for the texts of a key: the same for keys that the service takes for equal.

    It ignores case, and blanks at the end.
    """
    text = "\x00".join(part.rstrip(" ").casefold() for part in parts)
    mark = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(mark.digest()) >> 4  # 60 bits, the most that Python keeps in 32 bytes


class RowIds:
    """Which rows a package holds, as far as it was read."""

    def __init__(self) -> None:
        self._tables: dict[str, set[int]] = {}

    def add(self, table: str, number: int) -> None:
        """The package has this row."""
        self._tables.setdefault(table, set()).add(number)

    def has_rows_of(self, table: str) -> bool:
        """Whether any row of a table has been there."""
        return table in self._tables

    def has(self, table: str, number: int) -> bool:
        """Whether a row has been there."""
        return number in self._tables.get(table, ())


class Awaited(NamedTuple):
    """What waits for a row: a table's column or relationship, and the table that the row is one of."""

    table: str
    column: str
    target: str


class AwaitedRows:
    """Rows that something points to and that have not come; of each the first place that does, and how many do."""

    def __init__(self, ids: RowIds) -> None:
        self._ids = ids
        self._rows: dict[Awaited, dict[int, tuple[str, Place, int]]] = {}

    def expect(self, what: Awaited, number: int, row_id: str, place: Place) -> None:
        """Something of the row ``row_id`` points to the row ``number``."""
        if not self._ids.has(what.target, number):
            rows = self._rows.setdefault(what, {})
            first = rows.get(number)
            rows[number] = (first[0], first[1], first[2] + 1) if first else (row_id, place, 1)

    def settle(self) -> None:
        """Forget the rows that have come."""
        for what, rows in self._rows.items():
            for number in [number for number in rows if self._ids.has(what.target, number)]:
                del rows[number]

    def missing(self) -> Iterator[tuple[Awaited, int, str, Place, int]]:
        """The rows that have not come: what waits, the row, the first row that waits, its place, how many wait."""
        self.settle()
        for what, rows in self._rows.items():
            for number, (row_id, place, count) in rows.items():
                yield what, number, row_id, place, count
