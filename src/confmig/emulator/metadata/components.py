"""The rows that go with tables: which solution they are components of, and which messages they know.

https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/solutioncomponent
"""

from confmig.emulator.baserows import OPTION_PREFIX, SYSTEM_SOLUTION_IDS, add_component, add_table_messages
from confmig.emulator.catalog.model import Table
from confmig.emulator.errors import ServiceError
from confmig.emulator.storage.store import Store, quoted, table_sql

ENTITY, ATTRIBUTE, OPTION_SET, RELATIONSHIP, KEY = 1, 2, 9, 10, 14
"""Component types."""


class Components:
    """Keeps those rows while the metadata change.

    Args:
        store: The store.
        now: The time of new rows.
        solution: Unique name of the solution that new components belong to, beside the default one; may be empty.

    Raises:
        ServiceError: There is no such solution.
    """

    def __init__(self, store: Store, now: str, solution: str) -> None:
        self._store = store
        self._now = now
        self._solution_id = self._find(solution) if solution else None

    def _find(self, name: str) -> str:
        found = self._store.find(self._store.catalog.tables["solution"], {"uniquename": name})
        if not found:
            raise ServiceError(404, "0x80040217", f"Entity 'solution' With uniquename = {name} Does Not Exist")
        return found[0]

    def option_prefix(self) -> int:
        """With what the values of new options begin: what the publisher of the named solution says.

        https://learn.microsoft.com/power-apps/maker/data-platform/create-solution#solution-publisher
        """
        tables = self._store.catalog.tables
        found = self._store.read(tables["solution"], self._solution_id or "", ["publisherid"]) or {}
        publisher_id = str(found.get("publisherid"))
        publisher = self._store.read(tables["publisher"], publisher_id, ["customizationoptionvalueprefix"]) or {}
        prefix = publisher.get("customizationoptionvalueprefix")
        return prefix if isinstance(prefix, int) else OPTION_PREFIX

    def add(self, kind: int, object_id: str) -> None:
        """Make something a component of the named solution, and a table one of the default solution too."""
        solutions = {self._solution_id, SYSTEM_SOLUTION_IDS["Default"] if kind == ENTITY else None} - {None}
        for solution_id in solutions:
            add_component(self._store, str(solution_id), object_id, self._now, kind=kind)

    def add_table(self, table: Table, table_id: str) -> None:
        """Make a table a component and let it know the messages that tables know."""
        self.add(ENTITY, table_id)
        add_table_messages(self._store, table, self._now)

    def remove(self, object_id: str) -> None:
        """Take something out of all solutions."""
        sql = table_sql("solutioncomponent")
        self._store.query(f"DELETE FROM {sql} WHERE {quoted('objectid')} = ?", (object_id,))  # noqa: S608 (quoted)

    def remove_table(self, table: Table, table_id: str) -> None:
        """Take a table out of all solutions, with what it knew of messages."""
        self.remove(table_id)
        sql = table_sql("sdkmessagefilter")
        statement = f"DELETE FROM {sql} WHERE {quoted('primaryobjecttypecode')} = ?"  # noqa: S608 (quoted)
        self._store.query(statement, (table.name,))
