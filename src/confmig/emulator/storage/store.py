"""Rows in SQLite: one table for each table of the environment, one connection for one process.

Beside a column for each attribute, a table has ``.k``, the id in the order of SQL Server, and, for a lookup with
several targets, ``<name>.t`` with the target's table. Names come from metadata only and are always quoted.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.catalog.model import NUMBERS, TEXTS, CatalogData, Column, Key, Table
from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.storage import sqlitefunctions
from confmig.emulator.storage.work import Work

Value = str | int | bytes | None
SORT = ".k"
_FORMAT = "3"
_APPLICATION_ID = int.from_bytes(b"cmig")
_HEADER = b"SQLite format 3\0"
_APPLICATION_ID_PLACE = slice(68, 72)
_MOST_SHAPES = 1000
_VERSION_GAP = 1_000_000
_FIRST_NUMBER = 1000


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text_sql(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def table_sql(name: str) -> str:
    """The SQL name of a table's rows."""
    return quoted(f"t.{name}")


def main_sql(name: str) -> str:
    """The SQL name of all of a table's rows, also where the plain name gives those that a caller may see."""
    return f"main.{table_sql(name)}"


def target_column(name: str) -> str:
    """The SQL column that holds the table of a lookup's target."""
    return f"{name}.t"


def file_column(name: str) -> str:
    """The column that holds the name of a file; it is a column of its own that clients only read."""
    return f"{name}_name"


def index_sql(table: str, name: str) -> str:
    """The SQL name of an index, whose first letters keep it apart from those that SQLite reserves."""
    return quoted(f"i.{table}.{name}")


def key_index_sql(table: str, key: str) -> str:
    """The SQL name of the index of an alternate key."""
    return index_sql(table, f"{key}.key")


def stored_names(table: Table) -> list[str]:
    """The SQL columns of a table, in order, without the sort key."""
    names: list[str] = []
    for column in table.columns.values():
        names += column_names(column)
    return names


def column_names(column: Column) -> list[str]:
    """The SQL columns of one column."""
    if not column.stored:
        return []
    if column.many_targets:
        return [column.name, target_column(column.name)]
    return [column.name]


class Store:
    """The environment's rows and the catalog that describes them.

    All access is from the one thread that serves requests, so that there is one writer by construction.

    Attributes:
        behind: Whether the catalog is an older one, for the time of one request.
        work: The rows written and returned so far, for those who reckon how long that takes.
    """

    def __init__(self, path: Path | None) -> None:
        try:
            _check_own(path)
            self.connection = sqlite3.connect(
                str(path) if path else ":memory:",
                isolation_level=None,
                timeout=1,
                check_same_thread=False,
                cached_statements=512,
            )
            # One process has a store: a second one would write rows behind the back of the first.
            self.connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            # Before the journal is the write-ahead log, so that the mark is in the file itself.
            self.connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = NORMAL")
            self.connection.execute("PRAGMA cache_size = -262144")
            self.connection.execute("CREATE TABLE IF NOT EXISTS environment (name TEXT PRIMARY KEY, value)")
            self.connection.execute(
                "CREATE TABLE IF NOT EXISTS names "
                "(entity, id, column, name, PRIMARY KEY (entity, id, column)) WITHOUT ROWID"
            )
            self.connection.execute("CREATE TABLE IF NOT EXISTS deletions (version INTEGER PRIMARY KEY, entity, id)")
            self.connection.execute("CREATE TABLE IF NOT EXISTS files (id TEXT PRIMARY KEY, content BLOB)")
            self.connection.execute(
                "CREATE TABLE IF NOT EXISTS sequences "
                "(entity, column, next INTEGER, PRIMARY KEY (entity, column)) WITHOUT ROWID"
            )
            self.connection.execute("CREATE TABLE IF NOT EXISTS metadata (version INTEGER, kind INTEGER, id, deleted)")
        except (OSError, sqlite3.Error) as error:
            raise EmulatorStartError(f"the store {path or 'in memory'} cannot be opened: {error}") from error
        sqlitefunctions.register(self.connection)
        self.catalog = Catalog((), ())
        self.rollbacks = 0
        self.logic = "{}"
        self.organization_id = ""
        self.caller_id = ""
        self.business_unit_id = ""
        self.behind = False
        self.work = Work()
        self._version = 0
        self._depth = 0
        self._inserts: dict[tuple[str, ...], str] = {}

    def open_existing(self) -> bool:
        """Take up the catalog of a store that was filled before; False when it is new.

        Raises:
            EmulatorStartError: The file is a store of another version.
        """
        try:
            rows = dict(self.connection.execute("SELECT name, value FROM environment").fetchall())
        except sqlite3.Error as error:
            raise EmulatorStartError(f"the store cannot be read: {error}") from error
        if not rows:
            return False
        if rows.get("format") != _FORMAT:
            raise EmulatorStartError("the store was written by another version of the emulator; delete it")
        data = msgspec.json.decode(rows["catalog"], type=CatalogData)
        self.catalog = Catalog(data.tables, data.many_to_many, data.declared, data.option_sets, data.languages)
        self.organization_id = rows["organization_id"]
        self.caller_id = rows["caller_id"]
        self.logic = rows.get("logic", self.logic)
        self.business_unit_id = rows["business_unit_id"]
        # The versions of a process that was killed are not known: the next ones begin well above them.
        self._version = int(rows.get("version", 0)) + _VERSION_GAP
        self._keep_version()
        return True

    def create(self, catalog: Catalog) -> None:
        """Make the SQL tables of a catalog."""
        self.catalog = catalog
        for table in catalog.tables.values():
            self.create_table(table)

    def change_catalog(self, catalog: Catalog) -> None:
        """Let another catalog describe the rows, whose SQL tables fit it already; the old one is back on a rollback."""
        self.catalog = catalog
        self._inserts.clear()
        self._keep_catalog()

    def _keep_catalog(self) -> None:
        data = msgspec.json.encode(self.catalog.data()).decode()
        self.connection.execute("INSERT OR REPLACE INTO environment VALUES ('catalog', ?)", (data,))

    def save_environment(self) -> None:
        """Keep the catalog and the ids of the environment."""
        rows = {
            "format": _FORMAT,
            "organization_id": self.organization_id,
            "caller_id": self.caller_id,
            "business_unit_id": self.business_unit_id,
            "version": str(self._version),
            "logic": self.logic,
        }
        self.connection.executemany("INSERT OR REPLACE INTO environment VALUES (?, ?)", rows.items())
        self._keep_catalog()

    def create_table(self, table: Table) -> None:
        """Make the SQL table of a table, with the indexes of its keys."""
        names = ", ".join(quoted(name) for name in stored_names(table))
        sql = table_sql(table.name)
        self.connection.execute(f"CREATE TABLE {sql} ({quoted(SORT)} TEXT NOT NULL, {names})")
        indexes = [("k", [SORT], True), ("id", [table.primary_id], True)]
        relationship = self.catalog.intersects.get(table.name)
        if relationship is not None:
            indexes.append(("pair", [relationship.column1, relationship.column2], True))
            indexes.append(("other", [relationship.column2], False))
        if table.name == "activityparty":
            indexes.append(("activity", ["activityid"], False))
        for suffix, columns, unique in indexes:
            listed = ", ".join(quoted(column) for column in columns)
            kind = "UNIQUE INDEX" if unique else "INDEX"
            self.connection.execute(f"CREATE {kind} {index_sql(table.name, suffix)} ON {sql} ({listed})")
        for key in table.keys:
            self.create_key_index(table, key)

    def create_key_index(self, table: Table, key: Key) -> None:
        """Make the index of an alternate key."""
        listed = ", ".join(quoted(name) + _collation(table, name) for name in key.columns)
        index = key_index_sql(table.name, key.name)
        self.connection.execute(f"CREATE INDEX {index} ON {table_sql(table.name)} ({listed})")

    def index_lookup(self, table: str, column: str) -> None:
        """Make the index by which the rows with a value in a lookup are found, unless it is there.

        Only a lookup by which rows are looked for has one, so that writing stays fast.
        """
        index = index_sql(table, f"{column}.back")
        self.connection.execute(f"CREATE INDEX IF NOT EXISTS main.{index} ON {table_sql(table)} ({quoted(column)})")

    def close(self) -> None:
        """Keep the last version number and close the file."""
        if self.organization_id:
            self._keep_version()
        self.connection.close()

    def _keep_version(self) -> None:
        self.connection.execute("INSERT OR REPLACE INTO environment VALUES ('version', ?)", (str(self._version),))

    @property
    def version(self) -> int:
        """The version of the newest write."""
        return self._version

    def next_version(self) -> int:
        """The next row version; every write takes one."""
        self._version += 1
        return self._version

    def next_in_sequence(self, entity: str, column: str) -> int:
        """The next number of an autonumber column."""
        row = self.connection.execute(
            "INSERT INTO sequences VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET next = next + 1 RETURNING next - 1",
            (entity, column, _FIRST_NUMBER + 1),
        ).fetchone()
        return int(row[0])

    def sequence(self, entity: str, column: str) -> int:
        """The number that an autonumber column gives next."""
        row = self.connection.execute(
            "SELECT next FROM sequences WHERE entity = ? AND column = ?", (entity, column)
        ).fetchone()
        return _FIRST_NUMBER if row is None else int(row[0])

    def start_sequence(self, entity: str, column: str, value: int) -> None:
        """Let an autonumber column go on with a number."""
        self.connection.execute("INSERT OR REPLACE INTO sequences VALUES (?, ?, ?)", (entity, column, value))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a transaction inside another one becomes part of it."""
        if self._depth:
            yield
            return
        self.connection.execute("BEGIN")
        self._depth = 1
        catalog = self.catalog
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            self.rollbacks += 1
            if self.catalog is not catalog:
                self.catalog = catalog
                self._inserts.clear()
            raise
        else:
            self.connection.execute("COMMIT")
        finally:
            self._depth = 0

    def insert(self, table: Table, values: dict[str, Value]) -> None:
        """Write a new row.

        Args:
            table: Its table.
            values: SQL columns and values; what is left out is null.

        Raises:
            sqlite3.IntegrityError: A row with the id, or the pair, is there already.
        """
        names = (table.name, *values)
        sql = self._inserts.get(names)
        if sql is None:
            if len(self._inserts) >= _MOST_SHAPES:
                self._inserts.clear()
            sql = self._inserts[names] = _insert_sql(table, list(values))
        self.work.written += 1
        self.connection.execute(sql, [naming.sort_key(str(values[table.primary_id])), *values.values()])

    def insert_many(self, table: Table, rows: Iterable[dict[str, Value]]) -> None:
        """Write many new rows; see ``insert``."""
        names, key = stored_names(table), table.primary_id
        self.connection.executemany(
            _insert_sql(table, names),
            ([naming.sort_key(str(row[key])), *[row.get(name) for name in names]] for row in rows),
        )

    def update(self, table: Table, row_id: str, values: dict[str, Value]) -> None:
        """Set columns of a row that is there."""
        names = sorted(values)
        sets = ", ".join(f"{quoted(name)} = ?" for name in names)
        self.work.written += 1
        self.connection.execute(
            f"UPDATE {table_sql(table.name)} SET {sets} WHERE {quoted(table.primary_id)} = ?",  # noqa: S608 (quoted)
            [*[values[name] for name in names], row_id],
        )

    def delete(self, table: Table, row_id: str) -> bool:
        """Remove a row; False when it was not there."""
        self.work.written += 1
        cursor = self.connection.execute(
            f"DELETE FROM {table_sql(table.name)} WHERE {quoted(table.primary_id)} = ?",  # noqa: S608 (quoted)
            (row_id,),
        )
        if table.change_tracking and cursor.rowcount > 0:
            self.connection.execute("INSERT INTO deletions VALUES (?, ?, ?)", (self.next_version(), table.name, row_id))
        self.connection.execute("DELETE FROM names WHERE entity = ? AND id = ?", (table.name, row_id))
        return cursor.rowcount > 0

    def exists(self, table: Table, row_id: str) -> bool:
        """Whether a row is there."""
        sql = f"SELECT 1 FROM {main_sql(table.name)} WHERE {quoted(table.primary_id)} = ?"  # noqa: S608 (quoted)
        return self.connection.execute(sql, (row_id,)).fetchone() is not None

    def read(self, table: Table, row_id: str, names: Sequence[str]) -> dict[str, Value] | None:
        """Columns of one row; None when it is not there."""
        listed = ", ".join(quoted(name) for name in names)
        sql = f"SELECT {listed} FROM {main_sql(table.name)} WHERE {quoted(table.primary_id)} = ?"  # noqa: S608 (quoted)
        row = self.connection.execute(sql, (row_id,)).fetchone()
        return None if row is None else dict(zip(names, row, strict=True))

    def find(self, table: Table, values: dict[str, Value], limit: int = 2) -> list[str]:
        """The ids of the rows with these values; as in every comparison, the case of texts does not count."""
        tests = " AND ".join(f"{quoted(name)} IS ?{_collation(table, name)}" for name in values)
        sql = f"SELECT {quoted(table.primary_id)} FROM {main_sql(table.name)} WHERE {tests} LIMIT {int(limit)}"  # noqa: S608 (quoted)
        return [row[0] for row in self.connection.execute(sql, list(values.values()))]

    def query(self, sql: str, parameters: Sequence[Value] = ()) -> sqlite3.Cursor:
        """Run a statement made of quoted names and parameters."""
        return self.connection.execute(sql, parameters)

    def set_name(self, entity: str, row_id: str, column: str, name: str | None) -> None:
        """Keep the name of a lookup value, or of a row that is not there (column ``""``)."""
        self.connection.execute("INSERT OR REPLACE INTO names VALUES (?, ?, ?, ?)", (entity, row_id, column, name))


def _check_own(path: Path | None) -> None:
    """Refuse a file with something else in it before SQLite, which writes on opening, touches it.

    The mark at this place is what SQLite provides for telling one program's files from those of others:
    https://www.sqlite.org/fileformat.html#application_id
    """
    if path is None or not path.exists():
        return
    with path.open("rb") as file:
        start = file.read(_APPLICATION_ID_PLACE.stop)
    own = start.startswith(_HEADER) and int.from_bytes(start[_APPLICATION_ID_PLACE]) == _APPLICATION_ID
    if start and not own:
        raise EmulatorStartError(
            f"the store {path} cannot be opened: it is no store that this version of the emulator made"
        )


def _insert_sql(table: Table, names: list[str]) -> str:
    listed = ", ".join(quoted(name) for name in (SORT, *names))
    marks = ", ".join("?" * (len(names) + 1))
    return f"INSERT INTO {table_sql(table.name)} ({listed}) VALUES ({marks})"  # noqa: S608 (quoted)


def _collation(table: Table, name: str) -> str:
    kind = table.columns[name].type
    return " COLLATE NOCASE" if kind in TEXTS else " COLLATE NUMBER" if kind in NUMBERS else ""
