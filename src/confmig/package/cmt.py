"""A package as the Configuration Migration Tool has it: a zip, or the folder that it was unpacked to."""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from confmig.checking.findings import Finding
from confmig.errors import PackageError
from confmig.model.records import PackageEvent
from confmig.model.schema import Schema
from confmig.model.written import WrittenEvent
from confmig.package.container import Container
from confmig.package.inferring import infer_schema
from confmig.package.limits import Limits
from confmig.package.reader import read_rows, read_timestamp
from confmig.package.schemafile import LARGEST_SCHEMA, parse_schema, write_schema
from confmig.package.writtenxml import read_written


class CmtSource:
    """The files data.xml, data_schema.xml and files/<id>.bin, or what other tools made of them.

    Args:
        path: The zip or folder.
        limits: What the package may ask of its reader.
        problems: Where what is wrong with the schema is noted; without it, it is refused.

    Raises:
        PackageError: It is no package, or the schema cannot be read.
    """

    def __init__(self, path: Path, limits: Limits, problems: list[Finding] | None = None) -> None:
        self._container = Container(path, limits)
        self._files = self._container.members.files
        try:
            self.schema, self.schema_bytes = self._read_schema(problems)
        except BaseException:
            self.close()
            raise

    def _read_schema(self, problems: list[Finding] | None) -> tuple[Schema, bytes]:
        member = self.schema_member
        if not member:
            schema = infer_schema(self._container)
            return schema, write_schema(schema)
        data = self._container.read(member, LARGEST_SCHEMA)
        return parse_schema(data, self._container.label(member), problems, self._container.limits), data

    @property
    def schema_member(self) -> str:
        """The name of the schema file; empty where there is none, and the schema is inferred from the rows."""
        return self._container.members.schema or ""

    @property
    def timestamp(self) -> str | None:
        """When the package was exported, as its text."""
        return read_timestamp(self._container)

    @property
    def left_out(self) -> tuple[str, ...]:
        """The members that are no part of a package."""
        return self._container.others

    @property
    def file_ids(self) -> Collection[str]:
        """The ids of the files whose payloads are there."""
        return self._files.keys()

    def rows(self) -> Iterator[PackageEvent]:
        """All tables, rows and associations, in the order of the files."""
        return read_rows(self._container, self.schema)

    def written(self) -> Iterator[WrittenEvent]:
        """The same as texts, with their lines."""
        return read_written(self._container)

    def open_file(self, file_id: str) -> AbstractContextManager[IO[bytes]]:
        """Open the payload of a file column."""
        name = self._files.get(file_id)
        if name is None:
            raise PackageError(
                f"{self._container.path}: the package holds no files/{file_id}.bin.",
                "Export the package again, with its files.",
            )
        return self._container.open(name)

    def close(self) -> None:
        """Close the zip."""
        self._container.close()
