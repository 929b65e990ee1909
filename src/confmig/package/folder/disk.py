"""The files of a folder form on disk, as hostile as those of a zip: no links, no devices, no two names for one file."""

import os
import stat
from pathlib import Path

from confmig.errors import PackageError
from confmig.package.folder import ATTRIBUTES_FILE
from confmig.package.folder.naming import folded
from confmig.package.folder.yamlread import Mapping, Place, read_yaml
from confmig.package.limits import Limits

_UTF8 = 4
"""Bytes that a character can have."""

_OF_SYSTEMS = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""What operating systems leave in folders by themselves."""


def is_foreign(name: str, *, top: bool) -> bool:
    """Whether a file or folder is nothing of a package, and is passed over wherever one is read or written.

    Args:
        name: What it is called.
        top: Whether it lies at the top: what is hidden there belongs to git, or to whoever works with it.
    """
    return name in _OF_SYSTEMS or (top and name.startswith(".") and name != ATTRIBUTES_FILE)


class Disk:
    """Lists folders and reads files below one folder, and refuses what is no plain file or beyond the limits.

    Args:
        root: The folder.
        limits: What the package may ask of its reader.
    """

    def __init__(self, root: Path, limits: Limits) -> None:
        self.root = root
        self.limits = limits
        self._left = limits.size

    def restart(self) -> None:
        """Count the sizes of files from nothing again: one reading of the package begins."""
        self._left = self.limits.size

    def list(self, folder: Path) -> tuple[list[str], list[str]]:
        """The names of the files and of the folders in a folder, each sorted.

        Raises:
            PackageError: One is neither, or two would be one on another system.
        """
        files: list[str] = []
        folders: list[str] = []
        known: dict[str, str] = {}
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            raise PackageError(f"{folder} cannot be read: {error.strerror}.", "Check the rights.") from error
        for entry in entries:
            if is_foreign(entry.name, top=folder == self.root):
                continue
            _require_text(folder, entry.name)
            twin = known.setdefault(folded(entry.name), entry.name)
            if twin != entry.name:
                raise PackageError(
                    f"{folder}: {twin} and {entry.name} are one name on other systems.", "Rename one of the two."
                )
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            else:
                _require_regular(folder / entry.name, entry.stat(follow_symlinks=False).st_mode)
                files.append(entry.name)
        return files, folders

    def read(self, path: Path, largest: int | None = None) -> bytes:
        """The bytes of a file.

        Args:
            path: The file.
            largest: How many bytes it may have; default: those that the characters of a value can have.

        Raises:
            PackageError: It cannot be read, or is larger.
        """
        size = self.size(path)
        if largest is None and size > self.limits.value * _UTF8:
            raise self.limits.exceeded("value", str(path), "the file has more than {} characters")
        if largest is not None and size > largest:
            raise PackageError(f"{path}: the file has more than {largest:,} bytes.", "Generate it again.")
        self._take(path, size)
        try:
            return path.read_bytes()
        except OSError as error:
            raise PackageError(f"{path} cannot be read: {error.strerror}.", "Check the rights.") from error

    def yaml(self, path: Path) -> tuple[Mapping, Place]:
        """The mapping that a YAML file holds, and how the file is called in messages.

        Raises:
            PackageError: As for ``read``, or it is no YAML.
        """
        place = Place(str(path))
        return read_yaml(self.read(path), place), place

    def size(self, path: Path) -> int:
        """How large a file is.

        Raises:
            PackageError: There is none, or it is no plain file.
        """
        try:
            status = path.lstat()
        except OSError as error:
            raise PackageError(f"{path} cannot be read: {error.strerror}.", "Check the path and the rights.") from error
        _require_regular(path, status.st_mode)
        return status.st_size

    def _take(self, path: Path, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise self.limits.exceeded("size", str(path), "up to here the files have more than {} bytes")


def _require_regular(path: Path, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    what = "a symbolic link" if stat.S_ISLNK(mode) else "a folder" if stat.S_ISDIR(mode) else "no plain file"
    raise PackageError(f"{path}: this is {what}; a package folder holds files.", "Put the file itself in its place.")


def _require_text(folder: Path, name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(name).decode("utf-8", "backslashreplace")
        raise PackageError(f"{folder}: the name {shown} is no UTF-8.", "Rename the file.") from None
