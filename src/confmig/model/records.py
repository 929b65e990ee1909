"""Rows and associations, as a package or an environment holds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from confmig.model.values import Value


@dataclass(frozen=True, slots=True)
class Record:
    """One row.

    ``id`` is None when a package does not tell it (the zero guid stands there instead). ``values`` maps column to
    value; a column that is absent says nothing. ``extra`` keeps what a reader did not understand, by place.
    """

    table: str
    id: str | None
    values: Mapping[str, Value]
    extra: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    version: str | None = None

    def name(self, primary_name: str | None) -> str:
        """What people call the row: its primary name, or that of the file that it holds; empty for want of both."""
        for column in (primary_name or "name", "filename"):
            value = self.values.get(column)
            if isinstance(value, str) and value:
                return value
        return ""


@dataclass(frozen=True, slots=True)
class Association:
    """The rows that one row is associated with through a many-to-many relationship.

    ``relationship`` is the intersect table's name, ``target_id_column`` the other table's id column as a package says.
    """

    relationship: str
    table: str
    source: str
    target_table: str
    targets: tuple[str, ...]
    target_id_column: str | None = None
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def id_column(self) -> str:
        """The other table's id column: as the package says, else as the service names it."""
        return self.target_id_column or f"{self.target_table}id"


@dataclass(frozen=True, slots=True)
class TableStart:
    """Where the rows of a table begin in a package; one table may begin twice."""

    table: str
    display_name: str | None = None
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PackageStart:
    """Attributes of a package's root that a reader did not know; given first, and only when there are some."""

    extra: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A piece of a package that we do not know, as XML; kept from reading to writing.

    ``table`` is empty for a piece that stands beside the tables.
    """

    table: str
    xml: str


PackageEvent = PackageStart | TableStart | Record | Association | Unknown
"""What a package holds, one after the other: a table begins, its rows, its associations, then the next table."""
