"""Which row of the target is the same row: by the key that the schema declares, then by the id.

Never guessed: several candidates, a key and an id that hit different rows, and two rows of the package that hit one row
of the target are conflicts, each with its reason.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from confmig.errors import PlanError
from confmig.model.records import Record
from confmig.model.values import Value, plain_form
from confmig.planning.graphs import circles, heights
from confmig.planning.plan import MatchedBy

Key = tuple[Value, ...]


@dataclass(slots=True)
class Matches:
    """``targets``: source id to the id in the target, of rows that were found by their key.

    ``conflicts``: source id to the reason why nothing may be done with the row.
    """

    targets: dict[str, str] = field(default_factory=dict)
    matched_by: dict[str, MatchedBy] = field(default_factory=dict)
    conflicts: dict[str, str] = field(default_factory=dict)


def match_by_key(
    keys: Mapping[str, Key], candidates: Iterable[Record], columns: Sequence[str], existing: set[str]
) -> Matches:
    """Match rows by their keys.

    Args:
        keys: Source id to key, the lookups in it already those of the target.
        candidates: The target's rows that hold one of these keys.
        columns: The names of the key's columns.
        existing: Those source ids that are ids of rows in the target.
    """
    found: dict[Key, list[str]] = defaultdict(list)
    for record in candidates:
        if record.id is not None:
            found[comparable_key(tuple(record.values.get(name) for name in columns))].append(record.id)
    matches = Matches()
    takers: dict[str, list[str]] = defaultdict(list)
    twins: dict[Key, list[str]] = defaultdict(list)
    for source_id, key in keys.items():
        hits: list[str] = []
        if is_whole(key):
            hits = sorted(set(found.get(comparable_key(key), ())))
            twins[comparable_key(key)].append(source_id)
        _match_one(matches, source_id, hits, columns, existing)
        taken = matches.targets.get(source_id, source_id if source_id in existing else None)
        if taken is not None and source_id not in matches.conflicts:
            takers[taken].append(source_id)
    for target, sources in takers.items():
        _conflict_among(matches, sources, f"all match row {target} of the target")
    for sources in twins.values():
        _conflict_among(matches, sources, f"have the same key {'+'.join(columns)}")
    return matches


def _conflict_among(matches: Matches, sources: Sequence[str], reason: str) -> None:
    for source_id in sources if len(sources) > 1 else ():
        others = ", ".join(other for other in sources if other != source_id)
        matches.conflicts.setdefault(source_id, f"it and {others} of the package {reason}")


def _match_one(matches: Matches, source_id: str, hits: list[str], columns: Sequence[str], existing: set[str]) -> None:
    key = "+".join(columns)
    if len(hits) > 1:
        matches.conflicts[source_id] = f"{len(hits)} rows of the target have its key {key}: {', '.join(hits[:5])}"
    elif hits and source_id in existing and hits[0] != source_id:
        matches.conflicts[source_id] = (
            f"its key {key} hits row {hits[0]} of the target, but its id is that of another row there"
        )
    elif hits:
        matches.targets[source_id] = hits[0]
        matches.matched_by[source_id] = MatchedBy.KEY
    elif source_id in existing:
        matches.matched_by[source_id] = MatchedBy.ID


def is_whole(key: Key) -> bool:
    """Whether no part of a key is empty: a key with an empty part matches nothing."""
    return all(_comparable(part) not in {None, ""} for part in key)


def comparable_key(key: Key) -> Key:
    """A key in the form in which the service compares: texts regardless of case and of blanks at their end."""
    return tuple(_comparable(part) for part in key)


def _comparable(value: Value) -> Value:
    return value.rstrip(" ").casefold() if isinstance(value, str) else plain_form(value)


def key_order(tables: Iterable[str], needs: Callable[[str], Iterable[str]]) -> list[str]:
    """The order in which tables are matched: a key that is a lookup needs its target's matches first.

    Args:
        tables: The tables that are matched by key.
        needs: Table to those of these tables that its key's lookups point to.

    Raises:
        PlanError: Keys need each other in a circle; the message names the tables.
    """
    names = list(tables)
    needed = {table: {need for need in needs(table) if need in names} for table in names}
    closed = circles(names, needed) + [{table} for table in names if table in needed[table]]
    if closed:
        raise PlanError(
            f"The matching keys of these tables need each other: {', '.join(sorted(closed[0]))}.",
            "Take one of the lookups out of the compare columns in the schema.",
        )
    order = heights(names, needed)
    return sorted(names, key=lambda table: order[table])
