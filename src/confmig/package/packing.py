"""A package in any form as the zip that the Configuration Migration Tool takes, losing nothing."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from confmig.model.records import PackageEvent, Record
from confmig.package.folder import is_folder_form
from confmig.package.manifest import TableCount, count_tables
from confmig.package.package import Package, require_same_content
from confmig.package.sorting import sorted_by_id
from confmig.package.writer import write_package


def write_zip(package: Package, path: Path) -> dict[str, TableCount]:
    """Write a package as a zip, its rows in the order of their ids; it appears once it holds the same as the package.

    Returns:
        What the zip holds of each table.

    Raises:
        PackageError: The package cannot be read, or the zip would hold something else.
    """
    unchecked = path.with_name(path.name + ".unchecked")
    try:
        write_package(
            unchecked,
            package.schema_bytes,
            package.schema,
            _rows_by_id(package.rows()),
            package.timestamp,
            files=package.open_file,
            file_ids=package.file_ids,
        )
        with Package(unchecked, package.limits) as written:
            counts = count_tables(written)  # reads all of it, which the digest needs too
            require_same_content(package, written)
        unchecked.replace(path)
    finally:
        unchecked.unlink(missing_ok=True)
    return counts


def _rows_by_id(events: Iterable[PackageEvent]) -> Iterator[PackageEvent]:
    """The events of a package with the rows of each table in the order of their ids."""
    for are_rows, group in groupby(events, lambda event: isinstance(event, Record)):
        if are_rows:
            yield from sorted_by_id(event for event in group if isinstance(event, Record))
        else:
            yield from group


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
