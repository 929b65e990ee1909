"""A package written in the folder form, into an empty folder; ``replacing.py`` brings it to its place."""

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from confmig.model.records import Association, PackageStart, Record, TableStart, Unknown
from confmig.model.schema import Schema
from confmig.model.values import FileRef
from confmig.package.folder import ASSOCIATIONS, ATTRIBUTES_FILE, FILES, FORMAT, PACKAGE_FILE, SCHEMA_FILE, TABLE_FILE
from confmig.package.folder.naming import RowNames, hash_of, safe_name
from confmig.package.folder.rowtext import identity_of, name_of, render_row
from confmig.package.folder.unknowns import unknown_lines
from confmig.package.folder.yamltext import entry, scalar
from confmig.package.package import Package

HEADER = """\
# A data package of the Configuration Migration Tool as a folder for git: one file a row.
# "confmig pack" makes the zip of it; plan, import, verify and diff take the folder as it is.
"""
ATTRIBUTES = b"# Values hold line ends that git must not change.\n* -text\n"
_CHUNK = 1024 * 1024
_MOST_PAIRS = 20_000
"""In one file of associations, on average: a larger one is nothing to review."""

_Kind = tuple[str, str, str, str, tuple[tuple[str, str], ...]]
"""Table, relationship, target table, its id column and unknown attributes of associations."""


@dataclass(slots=True)
class FolderCounts:
    """What was written."""

    tables: set[str] = field(default_factory=set)
    rows: int = 0
    associations: int = 0
    side_files: int = 0


@dataclass(slots=True)
class _Told:
    """What a package says of a table beside its rows."""

    display_name: str | None = None
    extra: tuple[tuple[str, str], ...] = ()
    xml: list[str] = field(default_factory=list)


def write_folder(package: Package, path: Path) -> FolderCounts:
    """Write a package as a folder; it is read twice, first for the names of its files.

    Args:
        package: The package.
        path: An empty folder.

    Raises:
        PackageError: The package cannot be read.
    """
    return _FolderWriter(package, path).write()


class _FolderWriter:
    """Writes one package."""

    def __init__(self, package: Package, path: Path) -> None:
        self._package = package
        self._path = path
        self._names, self._shared = _names_of(package)
        self._counts = FolderCounts()
        self._root: tuple[tuple[str, str], ...] = ()
        self._told: dict[str, _Told] = defaultdict(_Told)
        self._pairs: dict[_Kind, list[tuple[str, str]]] = defaultdict(list)
        self._files_left = set(package.file_ids)
        self._folders: dict[str, Path] = {}

    def write(self) -> FolderCounts:
        (self._path / SCHEMA_FILE).write_bytes(self._package.schema_bytes)
        (self._path / ATTRIBUTES_FILE).write_bytes(ATTRIBUTES)
        for event in self._package.rows():
            match event:
                case Record():
                    self._write_row(event)
                case Association(targets=targets) if targets:
                    self._pairs[_kind_of(event)] += [(event.source, target) for target in targets]
                case TableStart(table, display_name, extra):
                    told = self._told[table]
                    told.display_name = told.display_name or display_name
                    told.extra = told.extra or extra
                case Unknown(table, xml):
                    self._told[table].xml.append(xml)
                case PackageStart(extra):
                    self._root = extra
        self._write_associations()
        self._write_tables()
        self._write_files()
        self._write_package_file()
        return self._counts

    def _folder(self, table: str) -> Path:
        if table not in self._folders:
            self._folders[table] = self._path / safe_name(table)
            self._folders[table].mkdir()
            self._counts.tables.add(table)
        return self._folders[table]

    def _write_row(self, record: Record) -> None:
        table = self._package.schema.table(record.table)
        stem = self._names[record.table].stem(name_of(record, table), identity_of(record, table))
        row = render_row(record, table, stem, self._take_file)
        folder = self._folder(record.table)
        for name, content in row.sides.items():
            (folder / name).write_bytes(content)
        for name, file_id in row.payloads.items():
            self._write_payload(file_id, folder / name)
        (folder / f"{stem}.yml").write_bytes(row.text.encode())
        self._counts.rows += 1
        self._counts.side_files += len(row.sides) + len(row.payloads)

    def _take_file(self, file_id: str) -> bool:
        """Whether a payload stands beside the row that refers to it; one of several rows belongs to none of them."""
        taken = file_id in self._files_left and file_id not in self._shared
        if taken:
            self._files_left.remove(file_id)
        return taken

    def _write_payload(self, file_id: str, path: Path) -> None:
        with self._package.open_file(file_id) as content, path.open("wb") as stream:
            shutil.copyfileobj(content, stream, _CHUNK)

    def _write_associations(self) -> None:
        for kind, pairs in self._pairs.items():
            table, relationship, target, target_id, extra = kind
            name = safe_name(relationship)
            if not _is_declared(kind, self._package.schema):
                name += "-" + hash_of("\0".join((target, target_id, *chain(*extra))))[:8]
            folder = self._folder(table) / ASSOCIATIONS
            folder.mkdir(exist_ok=True)
            lines = [entry("relationship", scalar(relationship)), entry("target", scalar(target))]
            lines += [entry("target_id", scalar(target_id)), *unknown_lines(extra, {}, ()), "pairs:\n"]
            for part, listed in _parts_of(pairs):
                listing = (f"  - [{source}, {other}]\n" for source, other in listed)
                (folder / f"{name}{part}.yml").write_bytes("".join((*lines, *listing)).encode())
            self._counts.associations += len(pairs)

    def _write_tables(self) -> None:
        for table, told in self._told.items():
            if not table or not (table in self._folders or told.xml):
                continue  # a table without rows says nothing, and the tool leaves it out of its files
            lines = "".join(self._table_lines(table, told))
            if lines:
                (self._folder(table) / TABLE_FILE).write_bytes(lines.encode())

    def _table_lines(self, table: str, told: _Told) -> Iterator[str]:
        declared = self._package.schema.table(table)
        if safe_name(table) != table:
            yield entry("name", scalar(table))
        if told.display_name is not None and told.display_name != (declared.display_name if declared else None):
            yield entry("display_name", scalar(told.display_name))
        yield from unknown_lines(told.extra, {}, told.xml)

    def _write_files(self) -> None:
        for file_id in sorted(self._files_left):
            (self._path / FILES).mkdir(exist_ok=True)
            self._write_payload(file_id, self._path / FILES / f"{file_id}.bin")
            self._counts.side_files += 1

    def _write_package_file(self) -> None:
        lines = [HEADER, entry("format", FORMAT)]
        if self._package.timestamp is not None:
            lines.append(entry("timestamp", scalar(self._package.timestamp)))
        lines += unknown_lines(self._root, {}, self._told[""].xml)
        (self._path / PACKAGE_FILE).write_bytes("".join(lines).encode())


def _names_of(package: Package) -> tuple[dict[str, RowNames], set[str]]:
    """The names of all row files, by table; and the ids of the files that more than one value refers to."""
    names: dict[str, RowNames] = defaultdict(RowNames)
    files: Counter[str] = Counter()
    for event in package.rows():
        if isinstance(event, Record):
            table = package.schema.table(event.table)
            names[event.table].announce(name_of(event, table), identity_of(event, table))
            files.update(value.id for value in event.values.values() if isinstance(value, FileRef))
    return names, {file_id for file_id, count in files.items() if count > 1}


def _parts_of(pairs: list[tuple[str, str]]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The pairs in order, in as many files as keep each of them small, with what is added to the names of the files.

    The first id alone decides on the file, so that a new pair moves no other.
    """
    digits = 0
    while len(pairs) > _MOST_PAIRS * 16**digits:
        digits += 1
    parts: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for pair in sorted(pairs):
        parts[f"-{hash_of(pair[0])[:digits]}" if digits else ""].append(pair)
    yield from parts.items()


def _kind_of(event: Association) -> _Kind:
    return event.table, event.relationship, event.target_table, event.id_column, event.extra


def _is_declared(kind: _Kind, schema: Schema) -> bool:
    """Whether associations are as the schema declares the relationship, so that their file needs no name beyond it."""
    table, relationship, target, target_id, extra = kind
    declared = schema.table(table)
    return not extra and any(
        item.name == relationship and (item.target, item.target_primary_id) == (target, target_id)
        for item in (declared.many_to_many if declared else ())
    )
