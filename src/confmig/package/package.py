"""A data package as the rest of the program sees it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from confmig.errors import PackageError
from confmig.model.records import PackageEvent
from confmig.model.schema import Schema
from confmig.package.container import Container
from confmig.package.inferring import infer_schema
from confmig.package.reader import read_rows, read_timestamp
from confmig.package.schemafile import parse_schema, write_schema


class Package:
    """A data package on disk: its schema, and its rows as often as they are asked for.

    Use as a context manager. ``digest`` is known after the rows were read once to the end.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._container = Container(path)
        self._digest: str | None = None
        try:
            self.schema, self.schema_bytes = self._read_schema()
        except BaseException:
            self.close()
            raise

    def _read_schema(self) -> tuple[Schema, bytes]:
        member = self._container.members.schema
        if member is None:
            schema = infer_schema(self._container)
            return schema, write_schema(schema)
        data = self._container.read(member)
        return parse_schema(data, self._container.label(member)), data

    def __enter__(self) -> "Package":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the package's file."""
        self._container.close()

    def read_member(self, name: str) -> bytes:
        """The bytes of one of the package's files.

        Raises:
            PackageError: There is no such file, or it is damaged.
        """
        return self._container.read(name)

    @property
    def timestamp(self) -> str | None:
        """When the package was exported, as its text."""
        return read_timestamp(self._container)

    @property
    def schema_digest(self) -> str:
        """SHA-256 of what the schema says; line ends and the file's layout do not matter."""
        return hashlib.sha256(write_schema(self.schema)).hexdigest()

    def rows(self) -> Iterator[PackageEvent]:
        """All tables, rows and associations, in the order of the package.

        Raises:
            PackageError: The package is broken; rows that were given before stay as they are.
        """
        if self._digest is not None:
            yield from read_rows(self._container, self.schema)
            return
        digest = hashlib.sha256(self.schema_digest.encode())
        yield from read_rows(self._container, self.schema, digest)
        self._digest = digest.hexdigest()

    @property
    def digest(self) -> str:
        """SHA-256 of the content, schema and rows as they are written: not the zip's bytes, not the time of export."""
        if self._digest is None:
            for _ in self.rows():
                pass
        assert self._digest is not None  # noqa: S101  # rows() sets it at its end
        return self._digest


def read_schema(path: Path) -> tuple[Schema, bytes]:
    """The schema that a path holds, and its bytes: a schema file, or a package whose schema is meant.

    Raises:
        PackageError: There is none, or it cannot be read.
    """
    if path.is_dir() or path.suffix.lower() == ".zip":
        with Package(path) as package:
            return package.schema, package.schema_bytes
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PackageError(
            f"{path}: the schema file cannot be read: {error.strerror}.", "Check the path given with --schema."
        ) from error
    return parse_schema(data, str(path)), data
