"""The files beside the rows of one table: long texts, images and files, each referred to by one row."""

from collections.abc import Iterable
from pathlib import Path

from confmig.errors import PackageError
from confmig.package.folder.binaries import base64_of
from confmig.package.folder.disk import Disk
from confmig.package.folder.jsontext import JSON_TAGS, flatten_json, is_json
from confmig.package.folder.yamlread import Place, Scalar

REFERENCES = {"!file", "!base64", *JSON_TAGS}
"""The tags of values that stand in a file beside the row."""


class Beside:
    """Gives what the files hold, and knows at the end which of them nothing refers to.

    Args:
        disk: Where they are read.
        folder: The folder of the table.
        names: The names of the files in it that are no rows.
    """

    def __init__(self, disk: Disk, folder: Path, names: Iterable[str]) -> None:
        self._disk = disk
        self._folder = folder
        self._names = set(names)
        self._taken: set[str] = set()
        self._stem = ""
        self.payloads: dict[str, Path] = {}

    def of_row(self, file_name: str) -> None:
        """Which row is read: files beside it have its file's name before the one that they are referred to by."""
        self._stem = file_name.removesuffix(".yml")

    def value(self, reference: Scalar, place: Place) -> str:
        """The text that a reference stands for: one of the tags and a name.

        Raises:
            PackageError: The file is missing, referred to twice, elsewhere, or not what its tag says.
        """
        path = self._take(reference, place)
        content = self._disk.read(path)
        if reference.tag == "!base64":
            return self._checked(base64_of(content), path)
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise PackageError(
                f"{path}, line {line}: this is no UTF-8: {error.reason}.", "Save the file as UTF-8."
            ) from error
        Place(str(path)).refuse_conflict(text)
        if reference.tag in JSON_TAGS:
            if not is_json(text):
                raise PackageError(f"{path}: this is no JSON object or list.", "Mend the file, as any JSON editor can.")
            text = flatten_json(reference.tag, text)
        return self._checked(text, path)

    def _checked(self, text: str, path: Path) -> str:
        if len(text) > self._disk.limits.value:
            raise self._disk.limits.exceeded("value", str(path), "the value has more than {} characters")
        return text

    def payload(self, file_id: str, reference: Scalar, place: Place) -> None:
        """Note where the payload of a file column is.

        Raises:
            PackageError: As for values, or another row has a payload of that file.
        """
        if reference.tag != "!file":
            raise place.error(reference.line, "the content of a file is told by !file and a name")
        path = self._take(reference, place)
        self._disk.size(path)
        if file_id in self.payloads:
            raise place.error(reference.line, f"the file {file_id} has another content already")
        self.payloads[file_id] = path

    def _take(self, reference: Scalar, place: Place) -> Path:
        name = f"{self._stem}.{reference.text}"
        if name in self._taken:
            raise place.error(reference.line, f"the file {name} is referred to twice", "Give each value its own file.")
        if name not in self._names:
            reason = f"there is no file {name} beside the row"
            raise place.error(reference.line, reason, "Put the file there, or write the value into the row.")
        self._taken.add(name)
        return self._folder / name

    def require_all_taken(self) -> None:
        """Check that each file belongs to a row.

        Raises:
            PackageError: One does not.
        """
        if left := sorted(self._names - self._taken):
            raise PackageError(
                f"{self._folder / left[0]}: no row refers to this file."
                + (f" Nor to {len(left) - 1} others." if len(left) > 1 else ""),
                "Move it out of the package's folder, or refer to it with !file.",
            )
