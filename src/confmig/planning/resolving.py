"""What a lookup of the package is in the target: a row of the package, a row that is there, or a row by natural key."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from confmig.model.values import Lookup, Parties, Value
from confmig.planning.survey import lookups_in


@dataclass(slots=True)
class IdMap:
    """From the package's ids to the target's.

    ``rows``: table to all source ids in the package. ``targets``: (table, source id) to target id where they differ.
    ``outside``: (table, id) of rows outside the package to their target id, None when they are nowhere. ``gone``: rows
    of the package that will not be in the target, since they are new and skipped.
    """

    rows: Mapping[str, set[str]]
    targets: dict[tuple[str, str], str] = field(default_factory=dict)
    outside: dict[tuple[str, str], str | None] = field(default_factory=dict)
    gone: set[tuple[str, str]] = field(default_factory=set)

    def row(self, table: str, source_id: str) -> str:
        """The target id of a row of the package."""
        return self.targets.get((table, source_id), source_id)

    def holds(self, lookup: Lookup) -> bool:
        """Whether the lookup points to a row of the package that is or will be in the target."""
        return lookup.id in self.rows.get(lookup.table, ()) and (lookup.table, lookup.id) not in self.gone

    def lookup(self, lookup: Lookup) -> Lookup | None:
        """The lookup in the target; None when its row is nowhere."""
        if self.holds(lookup):
            target = self.row(lookup.table, lookup.id)
        else:
            found = self.outside.get((lookup.table, lookup.id))
            if found is None:
                return None
            target = found
        return lookup if target == lookup.id else replace(lookup, id=target)

    def value(self, value: Value) -> Value:
        """A value with its lookups resolved; those that resolve nowhere stay as they are."""
        if isinstance(value, Lookup):
            return self.lookup(value) or value
        if isinstance(value, Parties):
            return Parties(
                tuple(
                    replace(party, party=self.lookup(party.party) or party.party) if party.party else party
                    for party in value.parties
                )
            )
        return value

    def missing(self, value: Value) -> Lookup | None:
        """The first lookup in a value that resolves nowhere."""
        return next((lookup for lookup in lookups_in(value) if self.lookup(lookup) is None), None)
