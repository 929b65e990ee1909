"""The two ports of planning in memory, and the short words in which the tests speak of packages and environments."""

import hashlib
import io
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path

from confmig.checking.findings import Finding
from confmig.errors import PackageError
from confmig.model.environment import ColumnInfo, EnvironmentId, RelationshipInfo, TableInfo
from confmig.model.records import Association, PackageEvent, Record, TableStart
from confmig.model.schema import Column, DateMode, Relationship, Schema, Table
from confmig.model.values import ColumnType, Lookup, Parties, Value, same_value
from confmig.planning.build import PlanResult, build_plan
from confmig.planning.plan import WRITING, Action, Change, Note, Phase, PlanOptions, TableCounts
from confmig.planning.planfile import PlanFile, PlanHeader

ORGANIZATION = "aaaaaaaa-0000-4000-8000-000000000001"
URL = "https://target.example"
DIGEST = "d" * 64
CALLER = "cccccccc-0000-4000-8000-000000000001"

# Every status belongs to a state; each state takes its first status by itself.
STATUS_STATES = {1: 0, 5: 0, 2: 1, 6: 1}
DEFAULT_STATUS = {0: 1, 1: 2}


def guid(number: int) -> str:
    """The row id that the tests call by this number."""
    return f"00000000-0000-4000-8000-{number:012d}"


def link(table: str, number: int, name: str | None = None) -> Lookup:
    """A reference to a row."""
    return Lookup(table, guid(number), name)


def text(name: str) -> ColumnInfo:
    """A text column."""
    return ColumnInfo(name, ColumnType.STRING)


def number(name: str) -> ColumnInfo:
    """A column of whole numbers."""
    return ColumnInfo(name, ColumnType.NUMBER)


def lookup(name: str, *targets: str, required: bool = False, updatable: bool = True) -> ColumnInfo:
    """A lookup column."""
    return ColumnInfo(name, ColumnType.LOOKUP, targets, required=required, updatable=updatable)


OWNER = ColumnInfo("ownerid", ColumnType.OWNER, ("systemuser", "team"))


def make_table(
    name: str, *columns: ColumnInfo, states: bool = False, relationships: Iterable[RelationshipInfo] = ()
) -> TableInfo:
    """A table of an environment, with an id and a name; ``states`` gives it a state and a status."""
    own = [ColumnInfo(f"{name}id", ColumnType.GUID, required=True, updatable=False), text("name")]
    if states:
        own += [ColumnInfo("statecode", ColumnType.STATE), ColumnInfo("statuscode", ColumnType.STATUS)]
    return TableInfo(
        name,
        f"{name}id",
        "name",
        {column.name: column for column in (*own, *columns)},
        {item.name: item for item in relationships},
        status_states=STATUS_STATES if states else {},
        default_status=DEFAULT_STATUS if states else {},
    )


def declare(
    info: TableInfo,
    *,
    key: Sequence[str] = (),
    without: Sequence[str] = (),
    skip_update: bool = False,
    force_create: bool = False,
    associated: Mapping[str, str] | None = None,
) -> Table:
    """The table as a schema declares it: all its columns but ``without``; ``associated`` maps relationship to table."""
    return Table(
        info.name,
        info.primary_id,
        tuple(
            Column(item.name, item.type, targets=item.targets, compare=item.name in key)
            for item in info.columns.values()
            if item.name not in without
        ),
        primary_name=info.primary_name,
        skip_update=skip_update,
        force_create=force_create,
        relationships=tuple(
            Relationship(name, many_to_many=True, target=target) for name, target in (associated or {}).items()
        ),
    )


def row(table: str, number: int | None, **values: Value) -> Record:
    """A row of a package; its id is left out when it has no number."""
    return Record(table, None if number is None else guid(number), values)


def pairs(relationship: str, table: str, source: int, target_table: str, *targets: int) -> Association:
    """Associations of one row in a package."""
    return Association(relationship, table, guid(source), target_table, tuple(guid(target) for target in targets))


class FakePackage:
    """A data package in memory: a table begins wherever the rows of another one ended."""

    def __init__(
        self,
        tables: Iterable[Table],
        *content: Record | Association,
        digest: str = DIGEST,
        date_mode: DateMode | None = None,
        exported: datetime | None = None,
    ) -> None:
        self.schema = Schema(tuple(tables), date_mode=date_mode)
        self.exported = exported
        self.digest = digest
        self.schema_digest = "5" * 64
        self.content = content
        self.files: dict[str, bytes] = {}

    def file_digest(self, file_id: str) -> tuple[int, str]:
        if file_id not in self.files:
            raise PackageError(f"there is no files/{file_id}.bin")
        return len(self.files[file_id]), hashlib.sha256(self.files[file_id]).hexdigest()

    def rows(self) -> Iterator[PackageEvent]:
        for table, events in groupby(self.content, key=lambda event: event.table):
            yield TableStart(table)
            yield from events


class OpenedFile(io.BytesIO):
    """A file of the fake target; ``taken`` counts the bytes that were read of it."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.size = len(content)
        self.taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        part = super().read(size)
        self.taken += len(part)
        return part


class RefusedError(Exception):
    """The fake target refused a change, as the service would."""


class FakeTarget:
    """An environment in memory, which can also apply a plan.

    It is as strict as the service: ids are guids, only columns that can be read are asked for, a reference needs its
    row, a required column its value, and a state its own status.
    """

    def __init__(self, *tables: TableInfo, url: str = URL, organization: str = ORGANIZATION) -> None:
        self.identity = EnvironmentId(url, organization, CALLER, "9.2.0.0")
        self.tables = {table.name: table for table in tables}
        self.rows: dict[str, dict[str, dict[str, Value]]] = {table.name: {} for table in tables}
        self.pairs: dict[str, set[tuple[str, str]]] = {}
        self.versions: dict[tuple[str, str], int] = {}
        self.files: dict[tuple[str, str, str], OpenedFile] = {}

    # Preparing

    def put(self, table: str, number: int, **values: Value) -> None:
        """Let a row be there."""
        self.put_row(table, guid(number), values)

    def put_row(self, table: str, row_id: str, values: Mapping[str, Value]) -> None:
        """Let a row be there; one with states is active unless the values say otherwise."""
        known: dict[str, Value] = {}
        if "statecode" in self.tables[table].columns:
            known = {"statecode": 0, "statuscode": DEFAULT_STATUS[0]}
        self.rows[table][row_id] = known | dict(values)

    def row(self, table: str, number: int) -> dict[str, Value]:
        """The values of a row."""
        return self.rows[table][guid(number)]

    # The port

    def describe(self, names: Iterable[str]) -> Mapping[str, TableInfo]:
        return {name: self.tables[name] for name in names if name in self.tables}

    def read_rows_by_id(self, table: str, columns: Sequence[str], ids: Iterable[str]) -> Iterator[Record]:
        self._require_readable(table, columns)
        for row_id in dict.fromkeys(ids):
            assert str(uuid.UUID(row_id)) == row_id
            if row_id in self.rows[table]:
                yield self._record(table, row_id, columns)

    def read_rows_by_key(
        self, table: str, columns: Sequence[str], key: Sequence[str], keys: Iterable[Sequence[Value]]
    ) -> Iterator[Record]:
        self._require_readable(table, [*columns, *key])
        wanted = [[_folded(part) for part in values] for values in keys]
        for row_id, values in self.rows[table].items():
            if [_folded(values.get(name)) for name in key] in wanted:
                yield self._record(table, row_id, columns)

    def read_associations(
        self, table: str, relationship: str, sources: Iterable[str] | None = None
    ) -> Iterator[tuple[str, str]]:
        assert relationship in self.tables[table].relationships
        asked = None if sources is None else set(sources)
        for first, second in sorted(self.pairs.get(relationship, ())):
            if asked is None or first in asked:
                yield first, second

    def open_file(self, table: str, row_id: str, column: str) -> "OpenedFile":
        return self.files[table, row_id, column]

    def _require_readable(self, table: str, columns: Iterable[str]) -> None:
        assert all(self.tables[table].columns[name].readable for name in columns)

    def _record(self, table: str, row_id: str, columns: Sequence[str]) -> Record:
        values = self.rows[table][row_id]
        version = str(self.versions.get((table, row_id), 1))
        return Record(table, row_id, {name: values.get(name) for name in columns}, version=version)

    # Applying

    def apply(self, changes: Iterable[Change]) -> None:
        """Apply the writing changes of a plan in their order.

        Changes of one phase, rank and level run side by side, so none of them may need another one of them.

        Raises:
            RefusedError: A change cannot be made.
        """
        writing = (change for change in changes if change.action in WRITING)
        for _, step in groupby(writing, key=lambda change: (change.phase, change.rank, change.level)):
            side_by_side = list(step)
            for change in side_by_side:
                self._check(change)
            for change in side_by_side:
                self._write(change)

    def _check(self, change: Change) -> None:
        if change.action is Action.ASSOCIATE:
            self._check_pair(change)
            return
        info = self.tables[change.table]
        known = self.rows[change.table].get(change.id)
        if (known is None) != (change.action is Action.CREATE):
            raise RefusedError(f"{change.action} of {change.table} {change.id}, which is there: {known is not None}")
        for name, value in change.after.items():
            column = info.columns[name]
            if not (column.creatable if known is None else column.updatable):
                raise RefusedError(f"{change.table}.{name} cannot be written by {change.action}")
            for target in _references(value):
                if target.id not in self.rows.get(target.table, {}) and target.id != CALLER:
                    raise RefusedError(f"{change.table}.{name} needs {target.table} {target.id}, which is not there")
        for name, value in change.before.items():
            if known is None or not same_value(known.get(name), value):
                raise RefusedError(f"{change.table}.{name} is not {value} before")
        after = (known or {}) | dict(change.after)
        for column in info.columns.values():
            must = column.required and column.name != info.primary_id
            if must and after.get(column.name) is None and (known is None or column.name in change.after):
                raise RefusedError(f"{change.table}.{column.name} is required")
        if "statecode" in change.after and info.status_states[_whole(after["statuscode"])] != after["statecode"]:
            raise RefusedError(f"{change.table}: the status {after['statuscode']} is of another state")

    def _check_pair(self, change: Change) -> None:
        relationship = self.tables[change.table].relationships[change.relationship]
        ends = (relationship.table1, change.id), (relationship.table2, change.other_id)
        if not all(row_id in self.rows[table] for table, row_id in ends):
            raise RefusedError(f"{change.relationship} needs both {change.id} and {change.other_id}")
        if (change.id, change.other_id) in self.pairs.get(change.relationship, ()):
            raise RefusedError(f"{change.relationship}: {change.id} and {change.other_id} are associated already")

    def _write(self, change: Change) -> None:
        if change.action is Action.ASSOCIATE:
            self.pairs.setdefault(change.relationship, set()).add((change.id, change.other_id))
            return
        if change.action is Action.CREATE:
            owned = "ownerid" in self.tables[change.table].columns
            self.put_row(change.table, change.id, {"ownerid": Lookup("systemuser", CALLER)} if owned else {})
        stored = {
            name: replace(value, name=None) if isinstance(value, Lookup) else value
            for name, value in change.after.items()
        }
        self.rows[change.table][change.id].update(stored)


def _folded(value: Value) -> object:
    """A value as the service compares it."""
    if isinstance(value, Lookup):
        return value.table, value.id
    return value.lower().rstrip(" ") if isinstance(value, str) else value


def _references(value: Value) -> Iterator[Lookup]:
    if isinstance(value, Lookup):
        yield value
    elif isinstance(value, Parties):
        yield from (party.party for party in value.parties if party.party is not None)


def _whole(value: Value) -> int:
    assert isinstance(value, int)
    return value


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan file, read to its end."""

    header: PlanHeader
    changes: list[Change]
    notes: list[Note]
    counts: dict[str, TableCounts]

    @property
    def writing(self) -> list[Change]:
        """The changes that write."""
        return [change for change in self.changes if change.action in WRITING]

    @property
    def refusals(self) -> list[str]:
        """Why the plan may not be applied."""
        return self.header.refusals

    def of(self, table: str, number: int) -> list[Change]:
        """The changes of a row of the package."""
        return [change for change in self.changes if (change.table, change.source_id) == (table, guid(number))]

    def only(self, table: str, number: int) -> Change:
        """The one change of a row of the package."""
        (change,) = self.of(table, number)
        return change

    def actions(self) -> dict[tuple[str, str], set[Action]]:
        """What happens with each row of the package, by table and source id."""
        found: dict[tuple[str, str], set[Action]] = {}
        for change in self.changes:
            if change.phase is not Phase.ASSOCIATIONS:
                found.setdefault((change.table, change.source_id), set()).add(change.action)
        return found

    def note(self, kind: str) -> Note:
        """The one note of a kind."""
        (note,) = (note for note in self.notes if note.kind == kind)
        return note


def try_plan(package: FakePackage, target: FakeTarget, options: PlanOptions, path: Path) -> PlanResult:
    """Make a plan at a path, or find what stands against it."""
    return build_plan(package, target, options, path, package="data.zip", tool_version="1")


def make_plan(package: FakePackage, target: FakeTarget, options: PlanOptions | None = None) -> Planned:
    """Plan a package that fits its target."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.plan"
        assert try_plan(package, target, options or PlanOptions(), path).findings == ()
        with PlanFile(path) as plan:
            plan.require_untouched()
            counts = {count.table: count for count in plan.counts()}
            return Planned(plan.header, list(plan.changes()), plan.notes(), counts)


def find(package: FakePackage, target: FakeTarget) -> tuple[Finding, ...]:
    """What the target lacks."""
    with tempfile.TemporaryDirectory() as folder:
        return try_plan(package, target, PlanOptions(), Path(folder) / "a.plan").findings
