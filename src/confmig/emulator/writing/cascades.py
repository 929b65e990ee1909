"""What happens to the rows below a row that is deleted or gets another owner.

https://learn.microsoft.com/power-apps/developer/data-platform/configure-entity-relationship-cascading-behavior

Reparent, Share and Unshare pass on access to single rows, which the emulator does not keep.
"""

from collections.abc import Iterable

from confmig.emulator.catalog.model import ManyToOne, Table
from confmig.emulator.errors import delete_restricted
from confmig.emulator.storage.store import Store, Value, quoted, table_sql, target_column

Row = tuple[Table, str]


def release(store: Store, table: Table, row_id: str) -> list[Row]:
    """Cut what points to a row that is deleted.

    Args:
        store: The store.
        table: The table of the row.
        row_id: Its id.

    Returns:
        The rows that are to be deleted as well.

    Raises:
        ServiceError: A relationship does not allow the row to be deleted while another one points to it.
    """
    below: list[Row] = []
    if table.ownership == "user":
        # With whom it was shared.
        store.query('DELETE FROM "t.principalobjectaccess" WHERE "objectid" = ?', (row_id,))
    for one in store.catalog.to_table.get(table.name, []):
        child = store.catalog.tables[one.table]
        column = child.columns[one.column]
        if one.cascade.delete == "Cascade":
            below += [(child, found) for found in rows_below(store, table, row_id, one)]
        elif one.cascade.delete == "Restrict" or column.required:
            # A lookup that may not be null cannot be cut: that it restricts is inferred.
            if next(iter(rows_below(store, table, row_id, one)), None) is not None:
                raise delete_restricted()
        else:
            _cut(store, table, row_id, one)
    for many in store.catalog.many_to_many:
        for side, end in ((many.table1, many.column1), (many.table2, many.column2)):
            if side == table.name:
                sql = f"DELETE FROM {table_sql(many.intersect)} WHERE {quoted(end)} = ?"  # noqa: S608 (quoted)
                store.query(sql, (row_id,))
    return below


def rows_below(store: Store, table: Table, row_id: str, one: ManyToOne) -> list[str]:
    """The ids of the rows that point to a row by one relationship."""
    child = store.catalog.tables[one.table]
    store.index_lookup(one.table, one.column)
    condition, parameters = _condition(store, table, row_id, one)
    sql = f"SELECT {quoted(child.primary_id)} FROM {table_sql(child.name)} WHERE {condition}"  # noqa: S608 (quoted)
    return [row[0] for row in store.query(sql, parameters).fetchall()]


def _condition(store: Store, table: Table, row_id: str, one: ManyToOne) -> tuple[str, list[Value]]:
    column = store.catalog.tables[one.table].columns[one.column]
    if not column.many_targets or (one.table, one.column) == ("activityparty", "activityid"):
        # Parties name their activity by the table that all activities share.
        return f"{quoted(one.column)} = ?", [row_id]
    return f"{quoted(one.column)} = ? AND {quoted(target_column(one.column))} = ?", [row_id, table.name]


def _cut(store: Store, table: Table, row_id: str, one: ManyToOne) -> None:
    """Make the lookups null; rows that lose one are changed rows, with a version of their own."""
    child = store.catalog.tables[one.table]
    for child_id in rows_below(store, table, row_id, one):
        values: dict[str, Value] = {one.column: None}
        if child.columns[one.column].many_targets:
            values[target_column(one.column)] = None
        if "versionnumber" in child.columns:
            values["versionnumber"] = store.next_version()
        if one.table == "activityparty" and "ispartydeleted" in child.columns:
            values["ispartydeleted"] = 1
        store.update(child, child_id, values)


def to_assign(store: Store, table: Table, row_id: str, before: Value) -> Iterable[Row]:
    """The rows that get the new owner of the row above them.

    Args:
        store: The store.
        table: The table of the row that was assigned.
        row_id: Its id.
        before: The owner that it had: with UserOwned, only rows with the same one follow.
    """
    for one in store.catalog.to_table.get(table.name, []):
        kind = one.cascade.assign
        child = store.catalog.tables[one.table]
        if kind not in ("Cascade", "Active", "UserOwned") or child.ownership != "user":
            continue
        names = [name for name in ("ownerid", "statecode") if name in child.columns]
        for child_id in rows_below(store, table, row_id, one):
            row = store.read(child, child_id, names) or {}
            if (kind == "Active" and row.get("statecode") not in (0, None)) or (
                kind == "UserOwned" and row.get("ownerid") != before
            ):
                continue
            yield child, child_id
