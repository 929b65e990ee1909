"""A package opened for lint: its schema whatever is wrong with it, and its rows as texts."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from confmig.checking.findings import Finding
from confmig.model.schema import Schema
from confmig.model.written import WrittenEvent
from confmig.package.limits import LIMITS, Limits
from confmig.package.package import is_package_name, open_source, read_schema_file
from confmig.package.schemafile import parse_schema


@dataclass(frozen=True, slots=True)
class WrittenSchema:
    """A schema file whatever is wrong with it: what could be read, the file, and what does not fit the form.

    ``member`` is the file's name in a package; empty for a file of its own, or when it was inferred from the rows.
    """

    schema: Schema
    data: bytes
    problems: list[Finding]
    member: str = ""


def read_written_schema(path: Path, limits: Limits = LIMITS) -> WrittenSchema:
    """The schema that a path holds: a schema file, or a package whose schema is meant.

    Raises:
        PackageError: There is none, or it is no XML, or something else than a schema.
    """
    if is_package_name(path):
        with WrittenPackage(path, limits) as package:
            return package.schema
    problems: list[Finding] = []
    data = read_schema_file(path)
    return WrittenSchema(parse_schema(data, str(path), problems, limits), data, problems)


class WrittenPackage:
    """A package as it is written. Use as a context manager.

    Raises:
        PackageError: It is no package, or its schema is no XML.
    """

    def __init__(self, path: Path, limits: Limits = LIMITS) -> None:
        problems: list[Finding] = []
        self._source = open_source(path, limits, problems)
        member = self._source.schema_member
        self.schema = WrittenSchema(self._source.schema, self._source.schema_bytes, problems, member)

    def __enter__(self) -> "WrittenPackage":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the package's files."""
        self._source.close()

    @property
    def file_ids(self) -> Collection[str]:
        """The ids of the files whose payloads are there."""
        return self._source.file_ids

    def events(self) -> Iterator[WrittenEvent]:
        """All that the package holds, in the order of its files.

        Raises:
            PackageError: It is broken XML or YAML, or damaged.
        """
        return self._source.written()
