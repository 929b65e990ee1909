"""Where commands write packages: a zip, or a folder made for git; and the manifest that goes along."""

import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from confmig.errors import UsageError
from confmig.model.records import Association, PackageEvent, Record
from confmig.package.folder import is_folder_form
from confmig.package.limits import LIMITS, Limits
from confmig.package.manifest import manifest_path
from confmig.package.package import Package, require_same_content
from confmig.package.sorting import sorted_by_id
from confmig.package.writer import source_date, write_package


def is_folder_name(data: Path) -> bool:
    """Whether a package of this name is to be a folder: it is one, or it is new and its name is not that of a zip."""
    return data.is_dir() or (data.suffix.lower() != ".zip" and not data.exists())


def require_data_name(data: Path) -> None:
    """Check where a package goes before anything is read.

    Raises:
        UsageError: It is a folder that holds other things, or a file that is no zip; or SOURCE_DATE_EPOCH is no time.
    """
    if is_folder_name(data):
        from confmig.package.folder.replacing import require_folder_name

        require_folder_name(data)
        source_date()
    else:
        require_zip_name(data, "--data")


def require_zip_name(path: Path, option: str) -> None:
    """Check where a zip goes.

    Raises:
        UsageError: It is a folder, or a file that is no zip; or SOURCE_DATE_EPOCH is no time.
    """
    source_date()
    if path.is_dir():
        raise UsageError(f"{option} {path}: this is a folder.", "Give the name of the zip to write.")
    if path.exists() and not zipfile.is_zipfile(path):
        raise UsageError(
            f"{option} {path}: this file is no package, and would be replaced by one.", "Give another name."
        )


@contextmanager
def data_target(data: Path, limits: Limits = LIMITS) -> Iterator[Path]:
    """The zip to write a package to; where a folder is wanted, it is made of the zip afterwards.

    An existing folder is changed only where the rows are other ones than before, so that a version control shows these.
    """
    if not is_folder_name(data):
        yield data
        return
    from confmig.package.folder.replacing import replace_folder

    with tempfile.TemporaryDirectory(prefix="confmig-") as folder:
        path = Path(folder) / "data.zip"
        yield path
        if path.exists():  # rows that went live meanwhile let no package appear
            with Package(path, limits) as package:
                replace_folder(package, data, keep_time=True)


@dataclass(slots=True)
class PackedCounts:
    """What is in a package: rows and pairs of associations by table, and the digest."""

    rows: Counter[str] = field(default_factory=Counter)
    associations: Counter[str] = field(default_factory=Counter)
    digest: str = ""


def write_zip(package: Package, path: Path) -> PackedCounts:
    """Write a package as a zip, its rows in the order of their ids; it appears once it holds the same as the package.

    Raises:
        PackageError: The package cannot be read, or the zip would hold something else.
    """
    unchecked = path.with_name(path.name + ".unchecked")
    try:
        write_package(
            unchecked,
            package.schema_bytes,
            package.schema,
            rows_by_id(package.rows()),
            package.timestamp,
            files=package.open_file,
            file_ids=package.file_ids,
        )
        counts = PackedCounts(digest=package.digest)
        with Package(unchecked, package.limits) as written:
            _count(written.rows(), counts)
            require_same_content(package, written)
        unchecked.replace(path)
    finally:
        unchecked.unlink(missing_ok=True)
    return counts


def _count(events: Iterable[PackageEvent], counts: PackedCounts) -> None:
    for event in events:
        if isinstance(event, Record):
            counts.rows[event.table] += 1
        elif isinstance(event, Association):
            counts.associations[event.table] += len(event.targets)


def rows_by_id(events: Iterable[PackageEvent]) -> Iterator[PackageEvent]:
    """The events of a package with the rows of each table in the order of their ids."""
    for are_rows, group in groupby(events, lambda event: isinstance(event, Record)):
        if are_rows:
            yield from sorted_by_id(event for event in group if isinstance(event, Record))
        else:
            yield from group


def take_manifest_along(data: Path, output: Path) -> Path | None:
    """Copy the manifest beside a package to its new place; None where it has none."""
    old, new = manifest_path(data), manifest_path(output)
    if not old.is_file():
        return None
    if old.resolve() != new.resolve():
        shutil.copyfile(old, new)
    return new


@contextmanager
def as_zip(data: Path | None) -> Iterator[Path | None]:
    """A package for readers that know only zips and the folders that they are unpacked to."""
    if data is None or not is_folder_form(data):
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="confmig-") as folder, Package(data) as package:
        path = Path(folder) / f"{data.resolve().name}.zip"
        write_zip(package, path)
        yield path
