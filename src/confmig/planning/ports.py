"""What planning needs from the outside: the package's rows, as often as it asks, and the target's rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from confmig.model.environment import EnvironmentId, TableInfo
from confmig.model.records import PackageEvent, Record
from confmig.model.schema import Schema
from confmig.model.values import Value


class Wanted(Protocol):
    """The state to bring about: a data package."""

    @property
    def schema(self) -> Schema:
        """The package's schema."""

    @property
    def digest(self) -> str:
        """SHA-256 of the package's content."""

    @property
    def schema_digest(self) -> str:
        """SHA-256 of what the schema says."""

    @property
    def exported(self) -> datetime | None:
        """The moment in UTC when the package was exported, which relative dates are relative to; None when untold."""

    def rows(self) -> Iterator[PackageEvent]:
        """All rows and associations, table by table."""

    def file_digest(self, file_id: str) -> tuple[int, str]:
        """The size of a file and the SHA-256 of its bytes.

        Raises:
            PackageError: The package does not hold it.
        """


class StoredFile(Protocol):
    """A file of the target that was begun to be read."""

    @property
    def size(self) -> int:
        """Its size in bytes."""

    def read(self, size: int, /) -> bytes | None:
        """The next bytes, at most so many; none at its end."""

    def close(self) -> None:
        """Read no more."""


class Current(Protocol):
    """The state as it is: the target environment. Rows that do not exist are left out of an answer."""

    @property
    def identity(self) -> EnvironmentId:
        """Which environment it is."""

    def describe(self, names: Iterable[str]) -> Mapping[str, TableInfo]:
        """The tables of these names that exist."""

    def read_rows_by_id(self, table: str, columns: Sequence[str], ids: Iterable[str]) -> Iterator[Record]:
        """The rows with these ids."""

    def read_rows_by_key(
        self, table: str, columns: Sequence[str], key: Sequence[str], keys: Iterable[Sequence[Value]]
    ) -> Iterator[Record]:
        """The rows whose key columns hold one of these keys."""

    def read_associations(
        self, table: str, relationship: str, sources: Iterable[str] | None = None
    ) -> Iterator[tuple[str, str]]:
        """Pairs of a many-to-many relationship: a row of its first table and one of its second."""

    def open_file(self, table: str, row_id: str, column: str) -> StoredFile:
        """Begin to read the file in a row's file column."""
