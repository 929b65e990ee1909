"""Many-to-many pairs: which of those that the package holds are missing in the target. None is ever removed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from confmig.model.environment import RelationshipInfo, TableInfo
from confmig.model.records import Association
from confmig.model.values import Lookup
from confmig.planning.plan import Action, Change, LookupPolicy, Phase
from confmig.planning.ports import Current
from confmig.planning.resolving import IdMap


class AssociationPlan:
    """Collects the package's pairs and compares them with the target's."""

    def __init__(self, tables: Mapping[str, TableInfo], ids: IdMap, current: Current, policy: LookupPolicy) -> None:
        # A pair with a row that is nowhere cannot be made; under every policy but one that is accepted.
        self._missing = Action.CONFLICT if policy is LookupPolicy.FAIL else Action.SKIP
        self._tables = tables
        self._ids = ids
        self._current = current
        self._pairs: dict[tuple[str, str], dict[tuple[str, str], str]] = defaultdict(dict)
        self._unresolved: list[Change] = []

    def take(self, association: Association) -> None:
        """Take one row's associations."""
        info = self._tables.get(association.table)
        relationship = info.relationships.get(association.relationship) if info else None
        if relationship is None:
            reason = f"the target has no relationship {association.relationship} on table {association.table}"
            self._unresolved.append(_open_pair(Action.CONFLICT, association, association.source, "", reason))
            return
        source = self._ids.lookup(Lookup(association.table, association.source))
        for target_id in association.targets:
            target = self._ids.lookup(Lookup(association.target_table, target_id))
            if source is None or target is None:
                table, row_id = association.table, association.source
                if source is not None:
                    table, row_id = association.target_table, target_id
                reason = f"{table} {row_id} is neither in the package nor in the target"
                self._unresolved.append(_open_pair(self._missing, association, association.source, target_id, reason))
                continue
            pair = _oriented(relationship, association, source.id, target.id)
            self._pairs[relationship.table1, relationship.name][pair] = association.source

    def changes(self) -> Iterator[Change]:
        """A change for each pair: to be made, or there already."""
        yield from self._unresolved
        for (table, relationship), pairs in self._pairs.items():
            sources = list(dict.fromkeys(first for first, _ in pairs))
            there = set(self._current.read_associations(table, relationship, sources))
            for (first, second), source_id in pairs.items():
                action = Action.UNCHANGED if (first, second) in there else Action.ASSOCIATE
                yield Change(
                    Phase.ASSOCIATIONS,
                    table,
                    first,
                    action,
                    relationship=relationship,
                    other_id=second,
                    source_id=source_id,
                )


def _oriented(relationship: RelationshipInfo, association: Association, source: str, target: str) -> tuple[str, str]:
    """The pair with the row of the relationship's first table first.

    A package may declare a relationship on either side. Of a table with itself, the source is the first [inferred].
    """
    if association.table == relationship.table1:
        return source, target
    return target, source


def _open_pair(action: Action, association: Association, source: str, target: str, reason: str) -> Change:
    return Change(
        Phase.ASSOCIATIONS,
        association.table,
        source,
        action,
        source_id=association.source,
        relationship=association.relationship,
        other_id=target,
        reason=reason,
    )
