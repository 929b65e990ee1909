"""A written folder brought to its place: as a whole where there was none, else changing only the files that differ.

Nothing is removed but what a package in the folder form has: rows, what they refer to, associations.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from confmig.errors import PackageError, UsageError
from confmig.package.folder import (
    ASSOCIATIONS,
    ATTRIBUTES_FILE,
    FILES,
    PACKAGE_FILE,
    SCHEMA_FILE,
    TABLE_FILE,
    UNFINISHED,
    is_folder_form,
)
from confmig.package.folder.beside import REFERENCES
from confmig.package.folder.disk import is_foreign
from confmig.package.folder.writing import FolderCounts, write_folder
from confmig.package.folder.yamlread import Mapping, Node, Place, Scalar, Sequence, read_yaml
from confmig.package.package import Package, require_same_content

UNFINISHED_FILE = f"""\
# confmig is changing this folder, or was stopped while it did: run the command again, or restore the folder with git.
format: {UNFINISHED}
""".encode()


@dataclass(frozen=True, slots=True)
class Changes:
    """How many files are new, have other bytes, are gone, and were left as they were."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0


def require_folder_name(path: Path) -> None:
    """Check before anything is read that a package may be written as this folder.

    Raises:
        UsageError: There is a file, or a folder that is not empty and no package in the folder form; or names of files
            are not UTF-8 in this environment, and would be other ones elsewhere.
    """
    if sys.getfilesystemencoding() != "utf-8":
        raise UsageError(
            f"{path}: names of files are in {sys.getfilesystemencoding()} here, and rows have names of all scripts.",
            "Set PYTHONUTF8=1, or a locale with UTF-8 such as LC_ALL=C.UTF-8.",
        )
    if path.is_dir():
        if not is_folder_form(path) and not _is_empty(path):
            raise UsageError(
                f"{path}: this folder holds other things, which would be mixed with the package.",
                "Give a new folder, an empty one, or one that confmig unpack or export has written.",
            )
    elif path.exists() or path.is_symlink():
        raise UsageError(f"{path}: this is a file, where a folder is to be written.", "Give the name of a folder.")


def replace_folder(package: Package, path: Path, *, keep_time: bool = False) -> tuple[FolderCounts, Changes]:
    """Write a package in the folder form; files that do not change are left untouched.

    Args:
        package: The package.
        path: The folder; it is new, empty, or a package in the folder form.
        keep_time: Whether the time of export stays as it was where nothing else has changed.

    Raises:
        UsageError: Something else is there.
        PackageError: The package cannot be read, or what was written is not the same, or the folder holds files that
            belong to no package.
    """
    require_folder_name(path)
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    with _folder_beside(path) as written:
        counts = write_folder(package, written)
        with Package(written) as read_back:
            require_same_content(package, read_back)
        if path.exists():
            return counts, _update(path, written, keep_time=keep_time)
        written.rename(path)
        return counts, Changes(added=sum(1 for _ in _files_in(path)))


def _is_empty(path: Path) -> bool:
    return all(is_foreign(entry.name, top=True) for entry in path.iterdir())


@contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    """A folder on the same disk, so that what is in it can be moved; it is gone afterwards.

    It lies within a folder that exists, since that may be a disk of its own, as volumes of a container are.
    """
    place = path if path.is_dir() else path.parent
    folder = Path(tempfile.mkdtemp(prefix=".confmig-", dir=place))
    try:
        umask = os.umask(0)
        os.umask(umask)
        folder.chmod(0o777 & ~umask)  # mkdtemp lets nobody else in
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _files_in(folder: Path) -> Iterator[str]:
    """The files of a package, by their paths within its folder; what is foreign to packages is passed over."""
    for place, folders, names in os.walk(folder):
        top = place == str(folder)
        folders[:] = [name for name in folders if not is_foreign(name, top=top)]
        for name in names:
            if not is_foreign(name, top=top):
                yield (Path(place) / name).relative_to(folder).as_posix()


def _update(path: Path, written: Path, *, keep_time: bool) -> Changes:
    """Make an existing folder equal to a new one."""
    before, after = set(_files_in(path)), set(_files_in(written))
    added = sorted(after - before)
    changed = sorted(name for name in after & before if not _same(path / name, written / name))
    removed = sorted(before - after)
    if ATTRIBUTES_FILE in changed:
        changed.remove(ATTRIBUTES_FILE)  # it is git's, and people add to it
    if keep_time and changed == [PACKAGE_FILE] and not (added or removed) and _same_but_time(path, written):
        changed = []
    _require_ours(path, removed, changed)
    if added or changed or removed:
        if PACKAGE_FILE not in {*added, *changed}:
            shutil.copyfile(path / PACKAGE_FILE, written / PACKAGE_FILE)
        _change(path, written, removed, [*added, *changed])
    return Changes(len(added), len(changed), len(removed), len(after) - len(added) - len(changed))


def _change(path: Path, written: Path, removed: list[str], moved: list[str]) -> None:
    """Remove and move files. Until all is done package.yml says that it is not, since half of each would look whole.

    A row goes after the files that it refers to: so whoever begins again still sees whose they are.
    """
    (path / PACKAGE_FILE).unlink(missing_ok=True)
    (path / PACKAGE_FILE).write_bytes(UNFINISHED_FILE)
    for name in sorted(removed, key=lambda name: (_is_row(name), name)):
        (path / name).unlink()
    for name in moved:
        if name != PACKAGE_FILE:
            _make_folder(path, (path / name).parent)
            (written / name).replace(path / name)
    _remove_empty_folders(path, removed)
    (written / PACKAGE_FILE).replace(path / PACKAGE_FILE)


def _same(first: Path, second: Path) -> bool:
    if first.is_symlink() or not first.is_file() or first.stat().st_size != second.stat().st_size:
        return False
    with first.open("rb") as left, second.open("rb") as right:
        while chunk := left.read(1024 * 1024):
            if chunk != right.read(1024 * 1024):
                return False
    return True


def _same_but_time(path: Path, written: Path) -> bool:
    def rest(folder: Path) -> list[bytes]:
        lines = (folder / PACKAGE_FILE).read_bytes().splitlines()
        return [line for line in lines if not line.startswith(b"timestamp:")]

    return rest(path) == rest(written)


def _require_ours(path: Path, removed: list[str], changed: list[str]) -> None:
    """Check that all that would be removed is part of a package.

    Raises:
        PackageError: Something is not, or it cannot be told.
    """
    referred = {name for row in (*removed, *changed) if _is_row(row) for name in _references(path, row)}
    foreign = [name for name in removed if not _is_ours(path, name, referred)]
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise PackageError(
            f"{path / foreign[0]}{more}: this is no part of the package in that folder, and would be removed.",
            "Move it out of the folder, or delete it, and run the command again. Nothing was changed.",
        )


def _is_row(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return len(parts) == 2 and name.endswith(".yml") and parts[1] != TABLE_FILE


def _is_ours(path: Path, name: str, referred: set[str]) -> bool:
    parts = PurePosixPath(name).parts
    if name in referred or name in {SCHEMA_FILE, PACKAGE_FILE}:
        return True
    if len(parts) == 2 and parts[0] == FILES:
        return name.endswith(".bin")
    if _is_row(name):
        return _mapping(path, name, "id") is not None
    if len(parts) == 2 and parts[1] == TABLE_FILE:
        return _mapping(path, name) is not None
    if len(parts) == 3 and parts[1] == ASSOCIATIONS:
        return _mapping(path, name, "relationship") is not None
    return False


def _mapping(path: Path, name: str, key: str | None = None) -> Mapping | None:
    file = path / name
    try:
        root = read_yaml(file.read_bytes(), Place(str(file))) if not file.is_symlink() else None
    except PackageError:
        return None
    return root if root is not None and (key is None or key in root.entries) else None


def _references(path: Path, row: str) -> Iterator[str]:
    """The files that a row refers to, as far as it can be read."""
    stem = row.removesuffix(".yml")
    for reference in _tagged(_mapping(path, row)):
        yield f"{stem}.{reference}"


def _tagged(node: Node | None) -> Iterator[str]:
    match node:
        case Scalar(text=text, tag=tag) if tag in REFERENCES:
            yield text
        case Sequence(items=items):
            for item in items:
                yield from _tagged(item)
        case Mapping(entries=entries):
            for item in entries.values():
                yield from _tagged(item)


def _make_folder(root: Path, folder: Path) -> None:
    """Make a folder; a link in its place would lead out of the package."""
    for place in reversed([folder, *folder.parents]):
        if place.is_relative_to(root) and place.is_symlink():
            raise PackageError(f"{place}: a package folder holds no symbolic links.", "Remove the link.")
    folder.mkdir(parents=True, exist_ok=True)


def _remove_empty_folders(path: Path, gone: list[str]) -> None:
    """Remove the folders that lost their last file; git does not know empty ones either."""
    for folder in sorted({parent for name in gone for parent in PurePosixPath(name).parents[:-1]}, reverse=True):
        if all(is_foreign(entry.name, top=False) for entry in (path / folder).iterdir()):
            shutil.rmtree(path / folder)
