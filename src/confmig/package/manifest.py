"""The manifest beside a package: where its rows come from, which versions ran there, and how much there is.

It is a file of its own, ``data.manifest.json`` beside ``data.zip`` or beside a folder ``data``, and no member of the
zip. Hosts that unpack a package look for data_schema.xml and data.xml only, but some open it through
System.IO.Packaging, which knows a part by the content type of its suffix; none says what it makes of another member.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from confmig.errors import PackageError
from confmig.model.records import Association, Record
from confmig.package.package import Package

FORMAT = 1


@dataclass(slots=True)
class TableCount:
    """How many rows of a table a package holds, and how many pairs of associations that begin there."""

    rows: int = 0
    associations: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Where a package comes from. ``solutions``: what is installed there, by unique name, with the versions.

    ``schema_digest``, ``tables``, ``files`` and ``file_bytes`` (payloads of file columns) say what the package holds;
    the manifests of earlier versions do not.
    """

    package_digest: str
    source_organization: str
    source_url: str
    source_version: str = ""
    solutions: dict[str, str] = field(default_factory=dict)
    tool_version: str = ""
    schema_digest: str = ""
    tables: dict[str, TableCount] = field(default_factory=dict)
    files: int = 0
    file_bytes: int = 0
    format: int = FORMAT


def count_tables(package: Package) -> dict[str, TableCount]:
    """What a package holds of each table: of those of its schema, and of any others.

    Raises:
        PackageError: The package is broken.
    """
    counts = {table.name: TableCount() for table in package.schema.merged_tables()}
    for event in package.rows():
        if isinstance(event, Record):
            counts.setdefault(event.table, TableCount()).rows += 1
        elif isinstance(event, Association):
            counts.setdefault(event.table, TableCount()).associations += len(event.targets)
    return counts


def manifest_differences(manifest: Manifest, package: Package) -> Iterator[str]:
    """What a package holds otherwise than its manifest says, as words; nothing where it is the manifest's own.

    Raises:
        PackageError: The package is broken.
    """
    if manifest.package_digest == package.digest:
        return
    if manifest.schema_digest not in {"", package.schema_digest}:
        yield "the schema is another"
    counts = count_tables(package) if manifest.tables else {}
    for table in sorted(counts.keys() | manifest.tables.keys()):
        found, said = counts.get(table, TableCount()), manifest.tables.get(table, TableCount())
        if found.rows != said.rows:
            yield f"{table} has {found.rows} rows where it says {said.rows}"
        if found.associations != said.associations:
            yield f"{table} has {found.associations} associations where it says {said.associations}"
    if manifest.tables and manifest.files != len(package.file_ids):
        yield f"there are {len(package.file_ids)} files where it says {manifest.files}"
    yield f"the digest of the content is {package.digest} where it says {manifest.package_digest}"


def manifest_path(data: Path) -> Path:
    """Where the manifest of a package lies."""
    if data.name in {"", ".."}:
        data = data.resolve()  # a folder such as "." has a name all the same
    return data.parent / f"{data.stem if data.suffix.lower() == '.zip' else data.name}.manifest.json"


def write_manifest(data: Path, manifest: Manifest) -> Path:
    """Write the manifest of a package; its bytes depend on nothing but its content."""
    path = manifest_path(data)
    text = msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=2)
    path.write_bytes(text + b"\n")
    return path


def read_manifest(data: Path) -> Manifest | None:
    """The manifest of a package, or None where it has none.

    Raises:
        PackageError: There is one, but it cannot be read.
    """
    path = manifest_path(data)
    if not path.exists():
        return None
    hint = "Export the package again, or delete the manifest: then the source's versions are not known."
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        manifest = replace(manifest, source_organization=str(uuid.UUID(manifest.source_organization)))
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise PackageError(f"{path}: the manifest cannot be read: {error}.", hint) from error
    if manifest.format != FORMAT:
        raise PackageError(f"{path}: a manifest of format {manifest.format}; this confmig reads {FORMAT}.", hint)
    return manifest
