"""What an environment offers: its identity, and its tables as far as planning needs to know them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from confmig.model.values import ColumnType


@dataclass(frozen=True, slots=True)
class EnvironmentId:
    """Which environment it is. ``organization_id`` identifies it; the URL may change."""

    url: str
    organization_id: str
    user_id: str
    version: str


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A column of a table in an environment.

    ``required`` means that the service refuses a row without it. ``date_only`` and ``zoned`` tell a date's behaviour:
    a day without a time, or a moment in UTC; neither is a time without a zone. ``part_of`` names the column whose name
    or type this one only repeats.
    """

    name: str
    type: ColumnType
    targets: tuple[str, ...] = ()
    creatable: bool = True
    updatable: bool = True
    readable: bool = True
    required: bool = False
    date_only: bool = False
    zoned: bool = True
    display_name: str | None = None
    custom: bool = False
    part_of: str | None = None

    @property
    def can_wait(self) -> bool:
        """Whether a row may be written without the column, and the column later."""
        return self.updatable and not self.required


@dataclass(frozen=True, slots=True)
class RelationshipInfo:
    """A many-to-many relationship in an environment, by its intersect table and the two sides' id columns in it."""

    name: str
    table1: str
    id1: str
    table2: str
    id2: str

    def others(self, table: str) -> tuple[str, ...]:
        """The table on the other side; both where the relationship does not begin at this table."""
        sides = (self.table1, self.table2)
        return (sides[1 - sides.index(table)],) if table in sides else sides


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table in an environment.

    ``status_states`` maps each status to its state, ``default_status`` each state to the status that it takes by
    itself.
    """

    name: str
    primary_id: str
    primary_name: str | None
    columns: Mapping[str, ColumnInfo]
    relationships: Mapping[str, RelationshipInfo] = field(default_factory=dict)
    primary_image: str | None = None
    status_states: Mapping[int, int] = field(default_factory=dict)
    default_status: Mapping[int, int] = field(default_factory=dict)
    display_name: str | None = None
    object_type_code: int | None = None
