"""A package in the folder form, read as a stream: one row at a time, tables in the order of the schema."""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import IO

from confmig.checking.findings import Finding
from confmig.errors import PackageError
from confmig.model.records import PackageEvent, PackageStart, Unknown
from confmig.model.values import ColumnType, canonical_guid
from confmig.model.written import WrittenEvent
from confmig.package.folder import ATTRIBUTES_FILE, FILES, FORMAT, PACKAGE_FILE, SCHEMA_FILE, UNFINISHED
from confmig.package.folder.disk import Disk
from confmig.package.folder.tablefolder import TableFolder
from confmig.package.folder.unknowns import UNKNOWN, Unknowns, require_nothing_left, require_text
from confmig.package.folder.written import read_written_folder
from confmig.package.folder.yamlread import Scalar
from confmig.package.limits import Limits
from confmig.package.schemafile import LARGEST_SCHEMA, parse_schema


class FolderSource:
    """The folder form on disk.

    Args:
        path: The folder that holds package.yml.
        limits: What the package may ask of its reader.
        problems: Where what is wrong with the schema is noted; without it, it is refused.

    Raises:
        PackageError: It is another format, or the schema cannot be read.
    """

    def __init__(self, path: Path, limits: Limits, problems: list[Finding] | None = None) -> None:
        self._path = path
        self._disk = Disk(path, limits)
        files, folders = self._disk.list(path)
        if stray := set(files) - {PACKAGE_FILE, SCHEMA_FILE, ATTRIBUTES_FILE}:
            raise PackageError(
                f"{path / min(stray)}: this file is no part of a package.", "Move it out of the package's folder."
            )
        if len(folders) > limits.tables:
            raise limits.exceeded("tables", str(path), "it has more than {} tables")
        self.schema_member = SCHEMA_FILE
        self.timestamp: str | None = None
        self.left_out: tuple[str, ...] = ()  # what is no part of a package is refused here
        self._unknown = self._read_package_file()
        self.schema_bytes = self._disk.read(path / SCHEMA_FILE, LARGEST_SCHEMA)
        self.schema = parse_schema(self.schema_bytes, str(path / SCHEMA_FILE), problems, limits)
        self._tables = self._find_tables(folders)
        self._files = self._find_files(FILES in folders)

    def _read_package_file(self) -> Unknowns:
        root, place = self._disk.yaml(self._path / PACKAGE_FILE)
        entries = dict(root.entries)
        form = entries.pop("format", None)
        if not isinstance(form, Scalar) or form.text != FORMAT:
            shown = form.text[:20] if isinstance(form, Scalar) else "none"
            if shown == UNFINISHED:
                raise place.error(
                    form.line if form else 1,
                    "the folder is being changed, or confmig was stopped while it did",
                    "Run the command again that wrote it (unpack or export), or restore the folder with git.",
                )
            raise place.error(
                1, f"the format is {shown}; this confmig reads {FORMAT}", "Use the confmig that wrote it."
            )
        if (timestamp := entries.pop("timestamp", None)) is not None:
            self.timestamp = require_text(timestamp, place, "the timestamp")
        unknown = Unknowns(entries.pop(UNKNOWN, None), place, {"timestamp"})
        require_nothing_left(entries, place)
        return unknown

    def _find_tables(self, folders: list[str]) -> list[TableFolder]:
        """The tables that have a folder: those of the schema in its order, then others."""
        order = {table.name: index for index, table in enumerate(self.schema.merged_tables())}
        found = [TableFolder(self._disk, self._path / name, self.schema) for name in folders if name != FILES]
        return sorted(found, key=lambda folder: (order.get(folder.table, len(order)), folder.table))

    def _find_files(self, present: bool) -> dict[str, Path]:
        """The payloads that no row refers to."""
        folder = self._path / FILES
        files, folders = self._disk.list(folder) if present else ([], [])
        found: dict[str, Path] = {}
        for name in (*files, *folders):
            file_id = canonical_guid(name.removesuffix(".bin"))
            if file_id is None or name != f"{file_id}.bin":
                raise PackageError(f"{folder / name}: this is no <id>.bin.", "Move it out of the package's folder.")
            found[file_id] = folder / name
        return found

    def rows(self) -> Iterator[PackageEvent]:
        """All tables, rows and associations.

        Raises:
            PackageError: A file is broken, missing, or one too much.
        """
        self._disk.restart()
        if self._unknown.attributes:
            yield PackageStart(self._unknown.attributes)
        for folder in self._tables:
            yield from folder.read()
        for piece in self._unknown.xml:
            yield Unknown("", piece)

    def written(self) -> Iterator[WrittenEvent]:
        """The same as texts, with their lines; a value that is not of its column's type is an error here, too."""
        return read_written_folder(self.timestamp, self._tables, self.schema)

    @cached_property
    def _payloads(self) -> dict[str, Path]:
        """Where the payloads of file columns are, for which the rows of tables with such columns are read."""
        found = dict(self._files)
        for folder in self._tables:
            table = self.schema.table(folder.table)
            if table and any(column.type is ColumnType.FILE for column in table.columns):
                for file_id, path in folder.payloads().items():
                    if file_id in found:
                        raise PackageError(f"{path} and {found[file_id]} are one file.", "Remove one of the two.")
                    found[file_id] = path
        return found

    @property
    def file_ids(self) -> Collection[str]:
        """The ids of the files whose payloads are there."""
        return self._payloads.keys()

    def open_file(self, file_id: str) -> AbstractContextManager[IO[bytes]]:
        """Open the payload of a file column."""
        path = self._payloads.get(file_id)
        if path is None:
            raise PackageError(
                f"{self._path}: the package holds no content of the file {file_id}.",
                "Put the file beside its row and refer to it with content: !file, or export the package again.",
            )
        self._disk.size(path)
        return path.open("rb")

    def close(self) -> None:
        """Nothing stays open."""
