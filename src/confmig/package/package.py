"""A data package as the rest of the program sees it, whatever its form."""

import hashlib
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from confmig.checking.findings import Finding
from confmig.errors import PackageError
from confmig.model.records import PackageEvent
from confmig.model.schema import Schema
from confmig.package.cmt import CmtSource
from confmig.package.container import open_plain
from confmig.package.digest import ContentDigest
from confmig.package.folder import is_folder_form
from confmig.package.limits import LIMITS, Limits
from confmig.package.schemafile import LARGEST_SCHEMA, parse_schema, write_schema
from confmig.package.source import Source
from confmig.package.text import parse_moment

_CHUNK = 1024 * 1024


class Package:
    """A data package on disk: its schema, and its rows as often as they are asked for.

    Use as a context manager. ``digest`` is known after the rows were read once to the end.

    Args:
        path: A zip, a folder that holds data.xml, or the folder form, which holds package.yml.
        limits: What the package may ask of the reader.

    Raises:
        PackageError: It is no package, or its schema cannot be read.
    """

    def __init__(self, path: Path, limits: Limits = LIMITS) -> None:
        self.path = path
        self.limits = limits
        self._source = open_source(path, limits)
        self._digest: str | None = None
        self._files: dict[str, tuple[int, str]] = {}

    @property
    def schema(self) -> Schema:
        """What the schema says."""
        return self._source.schema

    @property
    def schema_bytes(self) -> bytes:
        """The schema file."""
        return self._source.schema_bytes

    def __enter__(self) -> "Package":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the package's files."""
        self._source.close()

    @property
    def timestamp(self) -> str | None:
        """When the package was exported, as its text."""
        return self._source.timestamp

    @property
    def exported(self) -> datetime | None:
        """The moment of the export in UTC; None when the package does not tell it.

        Packages of 2019 have a time without a zone, which is taken for UTC [inferred].

        Raises:
            PackageError: What it tells is no moment; CMT ends an import over that, too.
        """
        if not self.timestamp:
            return None
        try:
            moment = parse_moment(self.timestamp)
        except ValueError as error:
            raise PackageError(
                f"{self.path}: the timestamp of the package {error}, and it has dates that are relative to it.",
                "Give entities@timestamp in data.xml the time of the export, as 2024-07-26T15:51:30Z, or take dateMode"
                " out of the schema.",
            ) from error
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    @property
    def schema_digest(self) -> str:
        """SHA-256 of what the schema says; line ends and the file's layout do not matter."""
        return hashlib.sha256(write_schema(self.schema)).hexdigest()

    @property
    def left_out(self) -> tuple[str, ...]:
        """The names of files that lie in it and are no part of a package."""
        return self._source.left_out

    @property
    def file_ids(self) -> Collection[str]:
        """The ids of the files whose payloads are in the package."""
        return self._source.file_ids

    def open_file(self, file_id: str) -> AbstractContextManager[IO[bytes]]:
        """Open the payload of a file column, by the id that the row gives.

        Raises:
            PackageError: It is not there, or it is damaged.
        """
        return self._source.open_file(file_id)

    def rows(self) -> Iterator[PackageEvent]:
        """All tables, rows and associations, in the order of the package.

        Raises:
            PackageError: The package is broken; rows that were given before stay as they are.
        """
        if self._digest is not None:
            yield from self._source.rows()
            return
        digest = ContentDigest(self.schema_digest)
        for event in self._source.rows():
            digest.add(event)
            yield event
        for file_id in self.file_ids:
            digest.add_file(file_id, self.file_digest(file_id)[1])
        self._digest = digest.hexdigest()

    def file_digest(self, file_id: str) -> tuple[int, str]:
        """The size of a file column's payload, and the SHA-256 of its bytes; read once.

        Raises:
            PackageError: It is not there, or it is damaged.
        """
        if file_id not in self._files:
            content, size = hashlib.sha256(), 0
            with self.open_file(file_id) as stream:
                while chunk := stream.read(_CHUNK):
                    content.update(chunk)
                    size += len(chunk)
            self._files[file_id] = size, content.hexdigest()
        return self._files[file_id]

    @property
    def digest(self) -> str:
        """SHA-256 of the content, schema and rows and files: not of the zip's bytes, and not of the time of export."""
        if self._digest is None:
            for _ in self.rows():
                pass
        assert self._digest is not None  # noqa: S101  # rows() sets it at its end
        return self._digest


def open_source(path: Path, limits: Limits, problems: list[Finding] | None = None) -> Source:
    """Open a package in whichever form it has.

    Args:
        path: A zip, a folder that holds data.xml, or the folder form.
        limits: What the package may ask of the reader.
        problems: Where what is wrong with the schema is noted; without it, it is refused.

    Raises:
        PackageError: It is no package, or its schema cannot be read.
    """
    if is_folder_form(path):
        from confmig.package.folder.source import FolderSource  # PyYAML is for this form only

        return FolderSource(path, limits, problems)
    return CmtSource(path, limits, problems)


def require_same_content(package: Package, written: Package) -> None:
    """Check that a package was written in another form without loss.

    Raises:
        PackageError: It was not.
    """
    if package.digest != written.digest:
        raise PackageError(
            f"{package.path}: written in the other form this package would not be the same; nothing was written.",
            "Please report it, with the package if you may.",
        )


def is_package_name(path: Path) -> bool:
    """Whether a path names a package, where a schema file could be meant, too."""
    return path.is_dir() or path.suffix.lower() == ".zip"


def read_schema(path: Path, limits: Limits = LIMITS) -> tuple[Schema, bytes]:
    """The schema that a path holds, and its bytes: a schema file, or a package whose schema is meant.

    Raises:
        PackageError: There is none, or it cannot be read.
    """
    if is_package_name(path):
        with Package(path, limits) as package:
            return package.schema, package.schema_bytes
    data = read_schema_file(path)
    return parse_schema(data, str(path), limits=limits), data


def read_schema_file(path: Path) -> bytes:
    """The bytes of a schema file.

    Raises:
        PackageError: It cannot be read.
    """
    try:
        with open_plain(path, follow=True) as stream:
            return stream.read(LARGEST_SCHEMA + 1)
    except OSError as error:
        raise PackageError(
            f"{path}: the schema file cannot be read: {error.strerror or error}.", "Check the path."
        ) from error
