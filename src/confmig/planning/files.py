"""Files in file columns: the same when name and content are, since each environment gives them ids of its own.

The target's file is read only where name and size do not tell already that it is another one.
"""

import hashlib
from contextlib import closing

from confmig.errors import PackageError
from confmig.model.values import FileContent, FileRef, Value
from confmig.planning.ports import Current, StoredFile, Wanted

_CHUNK = 1024 * 1024


class FileComparison:
    """Compares the files of the package with those of the target."""

    def __init__(self, wanted: Wanted, current: Current) -> None:
        self._wanted = wanted
        self._current = current

    def wanted(self, where: str, file: FileRef, known: Value) -> FileContent:
        """A file as the package holds it; one that has no name there keeps the name that it has in the target.

        Args:
            where: Which file it is, for messages.
            file: What the package's row says.
            known: What the target's row says.

        Raises:
            PackageError: The package does not hold the file.
        """
        try:
            size, sha256 = self._wanted.file_digest(file.id)
        except PackageError as error:
            raise PackageError(f"{where}: {error.message}", error.hint) from error
        known_name = known.name if isinstance(known, FileRef) else None
        return FileContent(file.id, file.name or known_name or f"{file.id}.bin", size, sha256)

    def current(self, table: str, row_id: str, column: str, known: Value, wanted: FileContent) -> FileContent | None:
        """The file of a row of the target; with its hash where only that can tell it from the wanted one."""
        if not isinstance(known, FileRef):
            return None
        with closing(self._current.open_file(table, row_id, column)) as stored:
            name, size = known.name or "", stored.size
            alike = (name, size) == (wanted.name, wanted.size)
            return FileContent(known.id, name, size, hash_of(stored) if alike else None)


def hash_of(stored: StoredFile) -> str:
    """The SHA-256 of a file of the target."""
    content = hashlib.sha256()
    while chunk := stored.read(_CHUNK):
        content.update(chunk)
    return content.hexdigest()
