"""A package in one of its forms, as far as reading it goes."""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from typing import IO, Protocol

from confmig.model.records import PackageEvent
from confmig.model.schema import Schema
from confmig.model.written import WrittenEvent


class Source(Protocol):
    """What each form of a package gives: its schema, its rows, the payloads of its file columns."""

    @property
    def schema(self) -> Schema:
        """What the schema says."""

    @property
    def schema_bytes(self) -> bytes:
        """The schema file."""

    @property
    def schema_member(self) -> str:
        """The name of the schema file; empty where there is none, and the schema is inferred from the rows."""

    @property
    def timestamp(self) -> str | None:
        """When the package was exported, as its text."""

    @property
    def left_out(self) -> tuple[str, ...]:
        """The names of files that are no part of a package."""

    @property
    def file_ids(self) -> Collection[str]:
        """The ids of the files whose payloads are there."""

    def rows(self) -> Iterator[PackageEvent]:
        """All tables, rows and associations.

        Raises:
            PackageError: The package is broken.
        """

    def written(self) -> Iterator[WrittenEvent]:
        """The same as texts with their lines, for lint.

        Raises:
            PackageError: The package is broken.
        """

    def open_file(self, file_id: str) -> AbstractContextManager[IO[bytes]]:
        """Open the payload of a file column.

        Raises:
            PackageError: It is not there, or it is damaged.
        """

    def close(self) -> None:
        """Close what is open."""
