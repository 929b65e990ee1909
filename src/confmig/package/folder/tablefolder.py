"""The folder of one table: its rows, the files beside them, its associations."""

from collections.abc import Iterator
from pathlib import Path

from confmig.errors import PackageError
from confmig.model.records import Association, PackageEvent, Record, TableStart, Unknown
from confmig.model.schema import Schema
from confmig.model.values import canonical_guid
from confmig.package.folder import ASSOCIATIONS, TABLE_FILE
from confmig.package.folder.beside import Beside
from confmig.package.folder.disk import Disk
from confmig.package.folder.naming import reading_order, safe_name
from confmig.package.folder.rowreading import RowReader
from confmig.package.folder.unknowns import UNKNOWN, Unknowns, require_nothing_left, require_text
from confmig.package.folder.yamlread import Mapping, Node, Place, Scalar, Sequence


class TableFolder:
    """The folder of one table.

    Args:
        disk: Where it is read.
        path: The folder.
        schema: The package's schema.

    Raises:
        PackageError: It is not called as a table's folder is.
    """

    def __init__(self, disk: Disk, path: Path, schema: Schema) -> None:
        self._disk = disk
        self._path = path
        self.table = path.name
        self._display: str | None = None
        self._extra: tuple[tuple[str, str], ...] = ()
        self._xml: tuple[str, ...] = ()
        own = self._path / TABLE_FILE
        if own.exists() or own.is_symlink():
            self._read_table_file(own)
        if safe_name(self.table) != path.name:
            raise PackageError(
                f"{self._path}: this is no name of a table's folder.",
                "Call the folder by the table's logical name, or move it out of the package's folder.",
            )
        self._declared = schema.table(self.table)

    def _read_table_file(self, path: Path) -> None:
        root, place = self._disk.yaml(path)
        entries = dict(root.entries)
        if (name := entries.pop("name", None)) is not None:
            self.table = require_text(name, place, "the name")
        if (display := entries.pop("display_name", None)) is not None:
            self._display = require_text(display, place, "the display name")
        unknown = Unknowns(entries.pop(UNKNOWN, None), place, {"name", "displayname"})
        self._extra, self._xml = unknown.attributes, unknown.xml
        require_nothing_left(entries, place)

    def read(self) -> Iterator[PackageEvent]:
        """The table's rows and associations."""
        display_name = self._display
        if display_name is None and self._declared is not None:
            display_name = self._declared.display_name
        yield TableStart(self.table, display_name, self._extra)
        for _, _, record in self.rows():
            yield record
        for _, _, association in self.associations():
            yield association
        for piece in self._xml:
            yield Unknown(self.table, piece)

    def payloads(self) -> dict[str, Path]:
        """The payloads beside the rows."""
        beside = self._beside(self._files())
        for _ in self.rows(beside):
            pass
        return beside.payloads

    def _beside(self, files: list[str]) -> Beside:
        return Beside(self._disk, self._path, (name for name in files if not name.endswith(".yml")))

    def _files(self) -> list[str]:
        files, folders = self._disk.list(self._path)
        if stray := set(folders) - {ASSOCIATIONS}:
            raise PackageError(
                f"{self._path / min(stray)}: this folder is no part of a table.", "Move it out of the package's folder."
            )
        return files

    def rows(self, beside: Beside | None = None) -> Iterator[tuple[str, Mapping, Record]]:
        """The rows, each with the file that it stands in (its path within the package) and that file's content.

        Raises:
            PackageError: A file is broken, missing, or one too much.
        """
        files = self._files()
        beside = beside or self._beside(files)
        reader = RowReader(self.table, self._declared, beside, self._disk.limits)
        names = (name for name in files if name.endswith(".yml") and name != TABLE_FILE)
        for name in sorted(names, key=reading_order):
            beside.of_row(name)
            root, place = self._disk.yaml(self._path / name)
            yield f"{self._path.name}/{name}", root, reader.read(root, place)
        beside.require_all_taken()

    def associations(self) -> Iterator[tuple[str, int, Association]]:
        """The associations, each with its file and line.

        Raises:
            PackageError: A file is broken, or one too much.
        """
        folder = self._path / ASSOCIATIONS
        if not (folder.exists() or folder.is_symlink()):
            return
        files, folders = self._disk.list(folder)
        for name in (*files, *folders):
            if name in folders or not name.endswith(".yml"):
                raise PackageError(
                    f"{folder / name}: this is no file of associations.", "Move it out of the package's folder."
                )
            for line, association in read_associations(self.table, *self._disk.yaml(folder / name)):
                yield f"{self._path.name}/{ASSOCIATIONS}/{name}", line, association


def read_associations(table: str, root: Mapping, place: Place) -> Iterator[tuple[int, Association]]:
    """The associations that a file holds, one for each row that they begin at, each with its line.

    Raises:
        PackageError: The file lacks something, or a pair is none of two ids.
    """
    entries = dict(root.entries)
    texts = {
        key: require_text(entries.pop(key), place, key)
        for key in ("relationship", "target", "target_id")
        if key in entries
    }
    if not texts.get("relationship"):
        raise place.error(root.line, "the file does not say of which relationship it is")
    known = {"sourceid", "targetentityname", "targetentitynameidfield", "m2mrelationshipname"}
    unknown = Unknowns(entries.pop(UNKNOWN, None), place, known)
    pairs = entries.pop("pairs", Sequence([], root.line))
    require_nothing_left(entries, place)
    if isinstance(pairs, Scalar) and not (pairs.text or pairs.tag):
        pairs = Sequence([], pairs.line)  # the last pair was taken out
    if not isinstance(pairs, Sequence):
        raise place.error(pairs.line, "pairs is to be a list of [id, id]")
    groups: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    for pair in pairs.items:
        source, target = _ids_of(pair, place)
        groups.setdefault(source, []).append(target)
        lines.setdefault(source, pair.line)
    if "target" not in texts:
        raise place.error(root.line, "the file does not say to which table the relationship leads", "Write target: …")
    relationship, leads_to, target_id = texts["relationship"], texts["target"], texts.get("target_id")
    for source, targets in groups.items():
        extra = unknown.attributes
        yield lines[source], Association(relationship, table, source, leads_to, tuple(targets), target_id, extra)


def _ids_of(pair: Node, place: Place) -> tuple[str, str]:
    items = pair.items if isinstance(pair, Sequence) else []
    ids = [canonical_guid(item.text) for item in items if isinstance(item, Scalar)]
    if len(items) != 2 or len(ids) != 2 or ids[0] is None or ids[1] is None:
        raise place.error(pair.line, "a pair is to be [id, id]: the row of this table, then the other")
    return ids[0], ids[1]
