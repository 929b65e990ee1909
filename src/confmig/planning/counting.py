"""How many rows of each table a list of changes creates, updates, and so on."""

import sqlite3
from dataclasses import replace

from confmig.planning.plan import TableCounts


def count_changes(connection: sqlite3.Connection, source: str = "changes") -> list[TableCounts]:
    """Count the rows and associations of each table by what happens with them, in a table or view of changes."""
    counts: dict[str, TableCounts] = {}
    rows = connection.execute(
        f"""
        WITH per_row AS (
            SELECT tbl, max(action = 'create') AS made, max(action = 'update') AS changed,
                   max(action = 'skip') AS skipped, max(action = 'conflict') AS open
            FROM {source} WHERE relationship = '' GROUP BY tbl, id, source_id
        )
        SELECT tbl, sum(made), sum(changed AND NOT made), sum(NOT (made OR changed OR skipped OR open)),
               sum(skipped), sum(open)
        FROM per_row GROUP BY tbl
        """  # noqa: S608  # names of ours
    )
    for table, *numbers in rows:
        counts[table] = TableCounts(table, *numbers)
    pairs = connection.execute(
        f"""
        SELECT tbl, sum(action = 'associate'), sum(action = 'unchanged'), sum(action = 'conflict')
        FROM {source} WHERE relationship <> '' GROUP BY tbl
        """  # noqa: S608  # names of ours
    )
    for table, new, known, conflicts in pairs:
        of_rows = counts.get(table, TableCounts(table))
        counts[table] = replace(of_rows, associate=new, associated=known, conflict=of_rows.conflict + conflicts)
    return [counts[table] for table in sorted(counts)]
