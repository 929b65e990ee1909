"""Versions of rows that are live: a change makes the next one, which takes the place of those before when it goes live.

That journeys have versions is seen from their columns; what the service does with these is an assumption.
"""

import uuid

from confmig.emulator.behaviours.assumptions import Versions
from confmig.emulator.catalog.model import Table
from confmig.emulator.storage.store import Store, Value, quoted, stored_names, table_sql


def make_version(store: Store, table: Table, row_id: str, versions: Versions, changes: dict[str, Value]) -> None:
    """Make the next version of a row.

    Args:
        store: The store.
        table: The table.
        row_id: The row.
        versions: The columns of the table for versions; those that it does not have are left out.
        changes: What is different in it.
    """
    row = store.read(table, row_id, stored_names(table)) or {}
    first = str(row.get(versions.first) or row_id)
    number = row.get(versions.number)
    made = row | changes
    made[table.primary_id] = str(uuid.uuid4())
    made[versions.first] = first
    made[versions.number] = (number if isinstance(number, int) else 1) + 1
    made[versions.superseded] = 0
    made["versionnumber"] = store.next_version()
    store.insert(table, {name: value for name, value in made.items() if name in row})


def supersede(store: Store, table: Table, row_id: str, versions: Versions, stopped: dict[str, int]) -> None:
    """Let a version take the place of the other ones of the same row.

    Args:
        store: The store.
        table: The table.
        row_id: The version that goes live.
        versions: The columns of the table for versions.
        stopped: The state that the others get.
    """
    if not {versions.first, versions.superseded} <= table.columns.keys():
        return
    row = store.read(table, row_id, [versions.first]) or {}
    first = str(row.get(versions.first) or row_id)
    key, base = quoted(table.primary_id), quoted(versions.first)
    statement = f"SELECT {key} FROM {table_sql(table.name)} WHERE ({key} = ? OR {base} = ?) AND {key} != ?"  # noqa: S608 (quoted)
    for (other,) in store.query(statement, (first, first, row_id)).fetchall():
        values: dict[str, Value] = {versions.superseded: 1, **stopped, "versionnumber": store.next_version()}
        store.update(table, other, {name: value for name, value in values.items() if name in table.columns})
