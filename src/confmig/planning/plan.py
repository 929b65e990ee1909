"""What a plan is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum

from confmig.checking.versions import VersionPolicy
from confmig.errors import PlanError
from confmig.model.values import Value


class Action(StrEnum):
    """What is to happen with a row or an association."""

    CREATE = "create"
    UPDATE = "update"
    ASSOCIATE = "associate"
    UNCHANGED = "unchanged"
    SKIP = "skip"
    CONFLICT = "conflict"


WRITING = (Action.CREATE, Action.UPDATE, Action.ASSOCIATE)
"""The actions that change the target."""


class Phase(IntEnum):
    """When a change is applied; the phases follow each other. What is deferred could not be written with its row."""

    ROWS = 1
    DEFERRED = 2
    FILES = 3
    ASSOCIATIONS = 4
    STATES = 5


class MatchedBy(StrEnum):
    """How a row of the package found its row in the target."""

    ID = "id"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Change:
    """One change, or the word that there is none.

    ``id`` is the row's id in the target, ``source_id`` the one in the package. ``before`` and ``after`` hold only the
    columns that are written. ``rank`` and ``level`` order the changes of a phase: tables by what their lookups need,
    then the rows of a table that points to itself. An association has the intersect table as ``relationship``, the row
    of its first table as ``id`` and the row of its second as ``other_id``. ``key``: the columns by which no row of the
    target was found for a row to be created; they are asked for again before it is.
    """

    phase: Phase
    table: str
    id: str
    action: Action
    source_id: str = ""
    name: str = ""
    rank: int = 0
    level: int = 0
    before: Mapping[str, Value] = field(default_factory=dict)
    after: Mapping[str, Value] = field(default_factory=dict)
    relationship: str = ""
    other_id: str = ""
    matched_by: MatchedBy | None = None
    reason: str = ""
    version: str | None = None
    key: tuple[str, ...] = ()
    seq: int = 0


class LookupPolicy(StrEnum):
    """What happens with a lookup whose row is neither in the package nor in the target."""

    FAIL = "fail"
    KEEP = "keep"
    NULL = "null"
    SKIP_ROW = "skip-row"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a package comes from, as its manifest says: the organization, its URL, and the solutions' versions."""

    organization: str = ""
    url: str = ""
    solutions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the user decides about a plan.

    ``ignore`` names (table, column) pairs that are neither compared nor written. ``max_changes`` refuses a plan that
    would write more rows and associations than that. ``versions`` tells how the versions of the products' solutions,
    and of the ``solutions`` that are named, may differ from the source's. ``same_organization`` lets a package go back
    to where it came from. ``as_of`` is the moment that relative dates are moved to; without it they stay as they are.
    ``earlier_dates`` lets one count as held that an earlier import moved, by less: see ``relative``.
    """

    lookups: LookupPolicy = LookupPolicy.FAIL
    ignore: frozenset[tuple[str, str]] = frozenset()
    max_changes: int | None = None
    versions: VersionPolicy = VersionPolicy.IDENTICAL
    solutions: tuple[str, ...] = ()
    same_organization: bool = False
    as_of: datetime | None = None
    earlier_dates: bool = False

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], as_of: str = "") -> "PlanOptions":
        """The options that a plan was made with, which make it again on any day; the reverse of ``as_texts``.

        Args:
            texts: The plan's policies.
            as_of: The plan's as-of time, which is none of its policies.

        Raises:
            PlanError: They are none that this program writes.
        """
        try:
            pairs = (text.split(".") for text in texts["ignore"].split(",") if text)
            return cls(
                LookupPolicy(texts["lookups"]),
                frozenset((table, column) for table, column in pairs),
                int(texts["max-changes"]) if texts["max-changes"] else None,
                VersionPolicy(texts["versions"]),
                tuple(name for name in texts["solutions"].split(",") if name),
                texts["same-organization"] == "true",
                datetime.fromisoformat(as_of).astimezone(UTC) if as_of else None,
            )
        except (KeyError, ValueError, AttributeError, OverflowError) as error:
            raise PlanError(f"The policies of the plan cannot be read: {error}.") from error

    def as_texts(self) -> dict[str, str]:
        """The policies as they stand in the plan file and go into its digest."""
        return {
            "lookups": self.lookups.value,
            "ignore": ",".join(sorted(f"{table}.{column}" for table, column in self.ignore)),
            "max-changes": "" if self.max_changes is None else str(self.max_changes),
            "versions": self.versions.value,
            "solutions": ",".join(sorted(self.solutions)),
            "same-organization": str(self.same_organization).lower(),
        }


@dataclass(slots=True)
class Note:
    """Something worth knowing that does not stop the plan; equal notes are counted, with the first as example."""

    kind: str
    table: str
    column: str
    message: str
    example: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class TableCounts:
    """How many rows of a table are to be created, updated, and so on."""

    table: str
    create: int = 0
    update: int = 0
    unchanged: int = 0
    skip: int = 0
    conflict: int = 0
    associate: int = 0
    associated: int = 0
