"""The SQL tables changed together with the catalog that describes them.

All of it happens in the transaction of the caller: SQLite changes tables in transactions as it changes rows.
"""

from collections.abc import Iterable

import msgspec

from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.catalog.model import Column, Key, Table
from confmig.emulator.metadata.metadatalog import log_changes
from confmig.emulator.storage.store import Store, column_names, key_index_sql, quoted, table_sql, target_column


class Schema:
    """Changes what tables a store has."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def catalog(self) -> Catalog:
        """The present catalog."""
        return self._store.catalog

    def change(self, catalog: Catalog) -> None:
        """Let another catalog take the place of the present one, and note what is different."""
        log_changes(self._store, self._store.catalog, catalog)
        self._store.change_catalog(catalog)

    def query(self, sql: str) -> None:
        """Run a statement that is made of quoted names."""
        self._store.query(sql)

    def put_table(self, table: Table) -> None:
        """Let the catalog have a table, new or in another form whose SQL columns are there already."""
        self.change(self.catalog.replace(tables=(self.catalog.tables | {table.name: table}).values()))

    def create_table(self, table: Table) -> None:
        """Make a table with its columns and keys."""
        self.put_table(table)
        self._store.create_table(table)

    def drop_tables(self, names: Iterable[str]) -> None:
        """Remove tables with all their rows and the names kept for those."""
        gone = frozenset(names)
        for name in gone:
            self._store.query(f"DROP TABLE {table_sql(name)}")
            for kept in ("names", "sequences"):
                self._store.query(f"DELETE FROM {quoted(kept)} WHERE entity = ?", (name,))  # noqa: S608 (constants)
        tables = [table for table in self.catalog.tables.values() if table.name not in gone]
        self.change(self.catalog.replace(tables=tables))

    def add_columns(self, table: Table, columns: Iterable[Column]) -> Table:
        """Give a table columns, which are null in the rows that are there."""
        new = tuple(columns)
        for column in new:
            for name in column_names(column):
                self._store.query(f"ALTER TABLE {table_sql(table.name)} ADD COLUMN {quoted(name)}")
        made = msgspec.structs.replace(table, columns=table.columns | {column.name: column for column in new})
        self.put_table(made)
        return made

    def drop_columns(self, table: Table, columns: Iterable[Column]) -> Table:
        """Take columns from a table, with their values."""
        gone = {column.name: column for column in columns}
        for column in gone.values():
            for name in column_names(column):
                self._drop(table.name, name)
            for kept in ("names", "sequences"):
                statement = f"DELETE FROM {quoted(kept)} WHERE entity = ? AND column = ?"  # noqa: S608 (constants)
                self._store.query(statement, (table.name, column.name))
        left = {name: column for name, column in table.columns.items() if name not in gone}
        made = msgspec.structs.replace(table, columns=left)
        self.put_table(made)
        return made

    def _drop(self, table: str, name: str) -> None:
        """Remove an SQL column after the indexes that it is part of, since SQLite refuses to do it otherwise."""
        rows = self._store.query("SELECT name FROM pragma_index_list(?)", (f"t.{table}",)).fetchall()
        for (index,) in rows:
            parts = self._store.query("SELECT name FROM pragma_index_info(?)", (index,)).fetchall()
            if (name,) in parts:
                self._store.query(f"DROP INDEX {quoted(index)}")
        self._store.query(f"ALTER TABLE {table_sql(table)} DROP COLUMN {quoted(name)}")

    def set_targets(self, table: Table, column: Column, targets: tuple[str, ...]) -> Table:
        """Let a lookup point to other tables; values that point to a table that is none of them become null.

        A lookup with several targets keeps the table of each value beside it, one with a single target does not.
        """
        sql, name, kind = table_sql(table.name), quoted(column.name), quoted(target_column(column.name))
        new = msgspec.structs.replace(column, targets=targets)
        if column.many_targets:
            marks = ", ".join("?" * len(targets))
            self._store.query(
                f"UPDATE {sql} SET {name} = NULL, {kind} = NULL WHERE {kind} NOT IN ({marks})",  # noqa: S608 (quoted)
                targets,
            )
        if new.many_targets and not column.many_targets:
            self._store.query(f"ALTER TABLE {sql} ADD COLUMN {kind}")
            statement = f"UPDATE {sql} SET {kind} = ? WHERE {name} IS NOT NULL"  # noqa: S608 (quoted)
            self._store.query(statement, (column.targets[0],))
        elif column.many_targets and not new.many_targets:
            self._drop(table.name, target_column(column.name))
        made = msgspec.structs.replace(table, columns=table.columns | {column.name: new})
        self.put_table(made)
        return made

    def add_key(self, table: Table, key: Key) -> Table:
        """Give a table an alternate key."""
        self._store.create_key_index(table, key)
        made = msgspec.structs.replace(table, keys=(*table.keys, key))
        self.put_table(made)
        return made

    def drop_key(self, table: Table, key: Key) -> Table:
        """Take an alternate key from a table."""
        self._store.query(f"DROP INDEX IF EXISTS {key_index_sql(table.name, key.name)}")
        made = msgspec.structs.replace(table, keys=tuple(one for one in table.keys if one.name != key.name))
        self.put_table(made)
        return made
