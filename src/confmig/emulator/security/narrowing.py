"""Reads of callers who may not see everything.

Queries name their tables plainly. For a caller whose privileges reach only some rows, a temporary view of the same
name stands before such a table: SQLite looks there first (https://www.sqlite.org/lang_naming.html). So every read, by a
filter, an expansion, a link of FetchXML or SQL, sees what the caller may see, and administrators cost nothing.
"""

from confmig.emulator.catalog.model import Table
from confmig.emulator.errors import ServiceError
from confmig.emulator.security.rights import EVERYTHING, Rights
from confmig.emulator.storage.store import SORT, Store, main_sql, quoted, stored_names, table_sql

_REFUSE = "refuse_read"


class Narrowing:
    """Puts the views of one caller before the tables of a store, and takes them away."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rights: Rights | None = None
        self._views: list[str] = []
        self._refusal: ServiceError | None = None
        store.connection.create_function(_REFUSE, 1, self._refuse)

    def show(self, rights: Rights | None) -> None:
        """Let reads see what a caller may see; None shows everything."""
        if rights is self._rights:
            return
        for name in self._views:
            self._store.query(f"DROP VIEW temp.{table_sql(name)}")
        self._views.clear()
        self._rights = rights
        if rights is None:
            return
        for table in self._store.catalog.tables.values():
            view = _view(rights, table)
            if view is not None:
                self._store.query(f"CREATE TEMP VIEW {table_sql(table.name)} AS {view}")
                self._views.append(table.name)

    def refusal(self) -> ServiceError | None:
        """Why the last query failed, when it read a table that the caller may not read at all."""
        refusal, self._refusal = self._refusal, None
        return refusal

    def _refuse(self, name: str) -> int:
        if self._rights is not None:
            try:
                self._rights.require("Read", self._store.catalog.tables[name])
            except ServiceError as error:
                self._refusal = error
                raise
        return 1


def _view(rights: Rights, table: Table) -> str | None:
    """What a caller sees of a table; None when that is everything."""
    source = f"FROM {main_sql(table.name)} r"
    if not rights.may("Read", table):
        return f"SELECT r.* {source} WHERE {_REFUSE}('{table.name}')"
    reach, hidden = rights.reach("Read", table, "r"), frozenset(rights.hidden_columns(table))
    if reach == EVERYTHING and not hidden:
        return None
    if not hidden:
        return f"SELECT r.* {source} WHERE {reach}"
    columns = (f"NULL AS {quoted(name)}" if name in hidden else f"r.{quoted(name)}" for name in stored_names(table))
    return f"SELECT r.{quoted(SORT)}, {', '.join(columns)} {source} WHERE {reach}"
