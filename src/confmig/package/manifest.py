"""The manifest beside a package: where its rows come from, and which versions ran there.

It is a file of its own, ``data.manifest.json`` beside ``data.zip``: whether the Configuration Migration Tool takes a
zip with a member that it does not know is not documented.
"""

import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from confmig.errors import PackageError

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Where a package comes from. ``solutions``: what is installed there, by unique name, with the versions."""

    package_digest: str
    source_organization: str
    source_url: str
    source_version: str = ""
    solutions: dict[str, str] = field(default_factory=dict)
    tool_version: str = ""
    format: int = FORMAT


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
