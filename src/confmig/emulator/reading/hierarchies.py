"""Rows above and below a row in the hierarchy of its table, and the users below a user.

https://learn.microsoft.com/power-apps/developer/data-platform/query-hierarchical-data
"""

from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.errors import bad_query
from confmig.emulator.reading.filters import Sql
from confmig.emulator.storage.store import quoted, table_sql

_DEEPEST = 100
_DEEPEST_REPORTS = 3
"""``MaxDepthForHierarchicalSecurityModel`` of an environment where nobody changed it."""
OPERATORS = {
    "above": (True, False),
    "eq-or-above": (True, True),
    "under": (False, False),
    "eq-or-under": (False, True),
    "not-under": (False, False),
}
"""Each operator: whether it looks upwards, and whether the row itself counts."""


def hierarchy_sql(sql: Sql, table: Table, field: str, column: Column, operator: str, row_id: str) -> str:
    """The condition that a row stands above or below another one.

    Args:
        sql: Where parameters go.
        table: The table of the column.
        field: The SQL name of the column.
        column: The primary key, or a lookup to a table with a hierarchy.
        operator: One of ``OPERATORS``.
        row_id: The other row.

    Raises:
        ServiceError: No hierarchical relationship is defined.
    """
    of = table.name if column.name == table.primary_id else column.targets[0] if column.targets else ""
    tree = sql.catalog.tables.get(of)
    parent = parent_column(sql.catalog, of)
    if tree is None or parent is None:
        raise bad_query(f"The operator '{operator}' needs a hierarchical relationship, and '{of}' has none.")
    upwards, itself = OPERATORS[operator]
    members = line_sql(sql, tree, parent, sql.add(row_id), upwards=upwards)
    if operator == "not-under":
        return f"({field} IS NULL OR {field} NOT IN ({members}))"
    found = f"{field} IN ({members})"
    return f"({found} OR {field} = {sql.add(row_id)})" if itself else found


def parent_column(catalog: Catalog, table: str) -> Column | None:
    """The lookup that makes the hierarchy of a table; None when it has none."""
    for one in catalog.to_table.get(table, []):
        if one.hierarchical and one.table == table:
            return catalog.tables[table].columns[one.column]
    return None


def line_sql(sql: Sql, tree: Table, parent: Column, start: str, *, upwards: bool, deepest: int = _DEEPEST) -> str:
    """A query for the ids of all rows above, or below, the one whose id is ``start``."""
    line = sql.alias()
    rows, key, up = table_sql(tree.name), quoted(tree.primary_id), quoted(parent.name)
    wanted, by = (up, key) if upwards else (key, up)
    return (
        f"WITH RECURSIVE {line}(id, depth) AS (SELECT {wanted}, 1 FROM {rows} WHERE {by} = {start} "  # noqa: S608 (quoted)
        f"UNION SELECT r.{wanted}, {line}.depth + 1 FROM {rows} r JOIN {line} ON r.{by} = {line}.id "
        f"WHERE {line}.depth < {deepest}) SELECT id FROM {line} WHERE id IS NOT NULL"
    )


def reports_sql(sql: Sql, user_id: str) -> str | None:
    """A query for the users who report to a user; None where users have no managers."""
    users = sql.catalog.tables.get("systemuser")
    manager = users.columns.get("parentsystemuserid") if users is not None else None
    if users is None or manager is None:
        return None
    return line_sql(sql, users, manager, sql.add(user_id), upwards=False, deepest=_DEEPEST_REPORTS)
