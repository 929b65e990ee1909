"""Rows in the order of their ids, however many: in memory up to a limit, beyond it through a file that is removed.

The service sorts guids as SQL Server does, not as text, and it is the text's order that makes two exports comparable.
"""

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

import msgspec

from confmig.model.codec import decode_values, encode_values
from confmig.model.records import Record

IN_MEMORY = 20_000
_PORTION = 1_000

_Extra = dict[str, tuple[tuple[str, str], ...]]


def sorted_by_id(rows: Iterable[Record], in_memory: int = IN_MEMORY) -> Iterator[Record]:
    """The rows in order of their ids.

    Args:
        rows: Rows of one table, with ids.
        in_memory: How many rows are sorted without a file.
    """
    iterator = iter(rows)
    first = list(islice(iterator, in_memory + 1))
    if len(first) <= in_memory:
        yield from sorted(first, key=lambda record: record.id or "")
    else:
        yield from _sorted_through_file(chain(first, iterator))


def _sorted_through_file(rows: Iterator[Record]) -> Iterator[Record]:
    with tempfile.TemporaryDirectory(prefix="confmig-") as folder:
        connection = sqlite3.connect(Path(folder) / "rows", isolation_level=None)
        try:
            connection.executescript(
                "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
                "CREATE TABLE rows (id TEXT, tbl TEXT, body TEXT, names TEXT, extra BLOB)"
            )
            while portion := list(islice(rows, _PORTION)):
                connection.execute("BEGIN")
                connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?)", map(_to_row, portion))
                connection.execute("COMMIT")
            for row_id, table, body, names, extra in connection.execute("SELECT * FROM rows ORDER BY id, rowid"):
                values = decode_values(body)
                ordered = {name: values[name] for name in names.split("\n") if name}
                yield Record(table, row_id, ordered, msgspec.json.decode(extra, type=_Extra))
        finally:
            connection.close()


def _to_row(record: Record) -> tuple[str | None, str, str, str, bytes]:
    # The order of the columns is kept beside them: it is the schema's, and the package is written in it.
    extra = msgspec.json.encode(record.extra)
    return record.id, record.table, encode_values(record.values), "\n".join(record.values), extra
