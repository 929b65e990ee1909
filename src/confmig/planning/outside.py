"""Rows that the package points to but does not hold: by their id in the target, else by a natural key."""

from collections import defaultdict
from collections.abc import Mapping

from confmig.model.environment import TableInfo
from confmig.planning.matching import comparable_key
from confmig.planning.ports import Current
from confmig.planning.survey import Survey

_NATURAL_KEYS = {
    # Rows that every environment has under ids of its own, and whose name is their identity.
    "businessunit": "name",
    "team": "name",
    "transactioncurrency": "currencyname",
}


def resolve_outside(
    survey: Survey, current: Current, tables: Mapping[str, TableInfo]
) -> dict[tuple[str, str], str | None]:
    """Find the rows outside the package that its lookups and associations need.

    Returns:
        (table, id in the package) to the id in the target; None for a row that is nowhere.
    """
    found: dict[tuple[str, str], str | None] = {}
    for table, pointed in survey.pointed.items():
        outside = [row_id for row_id in pointed if row_id not in survey.rows.get(table, ())]
        if not outside:
            continue
        if table not in tables:
            found.update(((table, row_id), None) for row_id in outside)
            continue
        there = {record.id for record in current.read_rows_by_id(table, [], outside)}
        found.update(((table, row_id), row_id if row_id in there else None) for row_id in outside)
        missing = {row_id: name for row_id in outside if row_id not in there and (name := pointed[row_id].name)}
        if missing and table in _NATURAL_KEYS:
            found.update(_by_name(current, table, missing))
    return found


def _by_name(current: Current, table: str, names: Mapping[str, str]) -> dict[tuple[str, str], str | None]:
    """Find rows by their name; a name that several rows have finds none."""
    column = _NATURAL_KEYS[table]
    hits: dict[object, list[str]] = defaultdict(list)
    keys = [(name,) for name in dict.fromkeys(names.values())]
    for record in current.read_rows_by_key(table, [column], [column], keys):
        if record.id is not None:
            hits[comparable_key((record.values.get(column),))].append(record.id)
    found: dict[tuple[str, str], str | None] = {}
    for row_id, name in names.items():
        candidates = hits.get(comparable_key((name,)), [])
        found[table, row_id] = candidates[0] if len(candidates) == 1 else None
    return found
