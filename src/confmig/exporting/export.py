"""The rows that a schema asks for, read from an environment as the events of a package."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from confmig.checking.findings import Finding
from confmig.checking.parity import missing_in
from confmig.checking.schemas import never_moved
from confmig.exporting.files import ExportedFiles
from confmig.exporting.filters import filter_findings
from confmig.exporting.live import LiveGuard
from confmig.model.environment import TableInfo
from confmig.model.records import Association, PackageEvent, Record, TableStart
from confmig.model.schema import Relationship, Schema, Table
from confmig.model.values import ColumnType, Value
from confmig.package.sorting import sorted_by_id
from confmig.profiles.profile import Profiles
from confmig.webapi.environment import Environment

Progress = Callable[[int, str], None]


@dataclass(slots=True)
class ExportCounts:
    """What was read: rows and pairs of associations by table, columns that could not be, and what lost its other end.

    ``files``: how many files there are, ``file_bytes``: how large they are together. ``dangling``: how many lookups of
    a (table, column) and pairs of a (table, relationship) lead to a live row that was left out, by that row's table.
    """

    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    associations: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    files: int = 0
    file_bytes: int = 0
    left_out: list[str] = field(default_factory=list)
    dangling: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def lost_ends(self) -> list[str]:
        """What lost its other end, as words."""
        return [
            f"{table}.{name}: {count} lead to live rows of {target}, which were left out"
            for (table, name, target), count in sorted(self.dangling.items())
        ]


def source_findings(schema: Schema, source: Environment, profiles: Profiles) -> tuple[Finding, ...]:
    """What a schema asks for and nobody may export, and what the source does not have."""
    return (
        *never_moved(schema, profiles),
        *filter_findings(schema),
        *missing_in(schema, source.describe(schema.names()), source.url),
    )


def read_events(
    schema: Schema,
    source: Environment,
    guard: LiveGuard,
    files: ExportedFiles,
    counts: ExportCounts,
    progress: Progress,
) -> Iterator[PackageEvent]:
    """Read table by table in the schema's order; a table without rows begins and has none."""
    infos = source.describe([table.name for table in schema.tables])
    linked = {table.name for table in schema.tables if table.many_to_many}
    exported: dict[str, set[str]] = {}  # of rows that may have associations, which have no place here without them
    for table in schema.tables:
        yield TableStart(table.name, table.display_name)
        ids = exported.setdefault(table.name, set())
        for record in _read_rows(table, infos[table.name], source, guard, counts):
            if table.name in linked:
                ids.add(record.id or "")
            files.take(record)
            counts.rows[table.name] += 1
            progress(1, table.name)
            yield record
        for relationship in table.many_to_many:
            yield from _read_associations(table, relationship, infos[table.name], source, guard, ids, counts)


def _read_rows(
    table: Table, info: TableInfo, source: Environment, guard: LiveGuard, counts: ExportCounts
) -> Iterator[Record]:
    readable: list[str] = []
    for column in table.columns:
        known = info.columns[column.name]
        if not known.readable:
            counts.left_out.append(f"{table.name}.{column.name}: it cannot be read")
        elif column.type is not ColumnType.BIGINT or known.creatable or known.updatable:
            readable.append(column.name)
        elif column.name != "versionnumber":
            counts.left_out.append(f"{table.name}.{column.name}: a big integer that the service counts by itself")
    states = [name for name in guard.columns(info) if name not in readable]
    rows = source.read_rows(table.name, [*readable, *states], table.filter)
    for record in sorted_by_id(rows):
        guard.judge(record, info)
        if guard.is_left_out(table.name, record.id):
            continue
        counts.dangling.update((table.name, column, target) for column, target in guard.dangling(record))
        values: dict[str, Value] = {
            name: value for name, value in record.values.items() if value is not None and name not in states
        }
        if info.primary_id in readable:
            values = _with_primary_id(values, info.primary_id, record.id, readable)
        yield replace(record, values=values, version=None)


def _with_primary_id(
    values: Mapping[str, Value], primary_id: str, row_id: str | None, order: list[str]
) -> dict[str, Value]:
    """The values with the row's id among them, in the schema's order."""
    whole = {**values, primary_id: row_id}
    return {name: whole[name] for name in order if name in whole}


def _read_associations(
    table: Table,
    relationship: Relationship,
    info: TableInfo,
    source: Environment,
    guard: LiveGuard,
    exported: set[str],
    counts: ExportCounts,
) -> Iterator[Association]:
    known = info.relationships[relationship.name]
    declared_on_first = known.table1 == table.name
    target_table = known.table2 if declared_on_first else known.table1
    groups: dict[str, list[str]] = defaultdict(list)
    for first, second in source.read_associations(table.name, relationship.name):
        source_id, target_id = (first, second) if declared_on_first else (second, first)
        if source_id in exported and guard.is_left_out(target_table, target_id):
            counts.dangling[table.name, relationship.name, target_table] += 1
        elif source_id in exported:
            groups[source_id].append(target_id)
    for source_id in sorted(groups):
        counts.associations[table.name] += len(groups[source_id])
        yield Association(
            relationship=relationship.name,
            table=table.name,
            source=source_id,
            target_table=relationship.target or target_table,
            targets=tuple(sorted(groups[source_id])),
            target_id_column=relationship.target_primary_id,
        )
