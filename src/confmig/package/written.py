"""A package opened for lint: its schema whatever is wrong with it, and its rows as texts."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from confmig.checking.findings import Finding
from confmig.model.schema import Schema
from confmig.model.written import WrittenEvent
from confmig.package.container import Container
from confmig.package.folder import SCHEMA_FILE, is_folder_form
from confmig.package.inferring import infer_schema
from confmig.package.limits import LIMITS, Limits
from confmig.package.package import read_schema_file
from confmig.package.schemafile import parse_schema, write_schema
from confmig.package.writtenxml import read_written


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
    if path.is_dir() or path.suffix.lower() == ".zip":
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
        self.path = path
        self._form = _WrittenFolder(path, limits) if is_folder_form(path) else _WrittenXml(path, limits)

    def __enter__(self) -> "WrittenPackage":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the package's files."""
        self._form.close()

    @property
    def schema(self) -> WrittenSchema:
        """The schema, whatever is wrong with it."""
        return self._form.schema

    @property
    def file_ids(self) -> Collection[str]:
        """The ids of the files whose payloads are there."""
        return self._form.file_ids

    def events(self) -> Iterator[WrittenEvent]:
        """All that the package holds, in the order of its files.

        Raises:
            PackageError: It is broken XML or YAML, or damaged.
        """
        return self._form.events()


class _WrittenXml:
    """A package that has data.xml."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._container = Container(path, limits)
        try:
            self.schema = self._read_schema()
        except BaseException:
            self.close()
            raise

    def _read_schema(self) -> WrittenSchema:
        member = self._container.members.schema
        if member is None:
            inferred = infer_schema(self._container)
            return WrittenSchema(inferred, write_schema(inferred), [])
        problems: list[Finding] = []
        data = self._container.read(member)
        schema = parse_schema(data, self._container.label(member), problems, self._container.limits)
        return WrittenSchema(schema, data, problems, member)

    def close(self) -> None:
        self._container.close()

    @property
    def file_ids(self) -> Collection[str]:
        names = (name.removeprefix("files/") for name in self._container.members.files if name.endswith(".bin"))
        return {name.removesuffix(".bin").lower() for name in names}

    def events(self) -> Iterator[WrittenEvent]:
        return read_written(self._container)


class _WrittenFolder:
    """A package in the folder form."""

    def __init__(self, path: Path, limits: Limits) -> None:
        from confmig.package.folder.source import FolderSource  # PyYAML is for this form only

        problems: list[Finding] = []
        self._source = FolderSource(path, limits, problems)
        self.schema = WrittenSchema(self._source.schema, self._source.schema_bytes, problems, SCHEMA_FILE)

    @property
    def file_ids(self) -> Collection[str]:
        return self._source.file_ids

    def events(self) -> Iterator[WrittenEvent]:
        from confmig.package.folder.written import read_written_folder

        return read_written_folder(self._source)

    def close(self) -> None:
        self._source.close()
