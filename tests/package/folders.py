"""Packages in the folder form, and what is in them."""

from pathlib import Path

from confmig.package.folder.writing import write_folder
from confmig.package.package import Package
from confmig.package.packing import write_zip


def unpack(package: Path, folder: Path) -> Path:
    """Write a package as a new folder."""
    folder.mkdir(parents=True)
    with Package(package) as opened:
        write_folder(opened, folder)
    return folder


def pack(package: Path, path: Path) -> Path:
    """Write a package as a zip."""
    with Package(package) as opened:
        write_zip(opened, path)
    return path


def files_of(folder: Path) -> dict[str, bytes]:
    """All files of a folder with their bytes."""
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def changed_lines(before: dict[str, bytes], after: dict[str, bytes]) -> dict[str, list[bytes]]:
    """The lines that differ between two folders, by file; of new and removed files none."""
    found: dict[str, list[bytes]] = {}
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            found[name] = []
        elif old != new:
            pairs = zip(old.splitlines(), new.splitlines(), strict=False)
            found[name] = [second for first, second in pairs if first != second]
            assert len(old.splitlines()) == len(new.splitlines())
    return found
