"""The making of a plan: read the package twice, the target once, and write down what is to change.

The first reading learns which rows there are and what they point to. From that follow the matches, the order, and what
each lookup is in the target. The second reading compares row by row, in portions: memory holds ids, not rows.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from confmig.model.environment import TableInfo
from confmig.model.records import Association, Record, TableStart
from confmig.model.schema import Table
from confmig.model.values import same_value
from confmig.planning.associations import AssociationPlan
from confmig.planning.checks import missing_in
from confmig.planning.columns import is_moved
from confmig.planning.matching import Matches, is_whole, key_order, match_by_key
from confmig.planning.notes import Notes
from confmig.planning.ordering import Edge, RowOrder, order_rows, order_tables
from confmig.planning.outside import resolve_outside
from confmig.planning.plan import Action, Change, Finding, LookupPolicy, MatchedBy, Phase, PlanOptions
from confmig.planning.planfile import PlanHeader, PlanWriter
from confmig.planning.ports import Current, Wanted
from confmig.planning.resolving import IdMap
from confmig.planning.rows import TablePlan
from confmig.planning.survey import SourceIds, key_columns, survey_package

_PORTION = 2_000
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class PlanResult:
    """A plan that was written to a file, or the findings that stood against making one."""

    header: PlanHeader | None
    findings: tuple[Finding, ...] = ()


def build_plan(
    wanted: Wanted, current: Current, options: PlanOptions, path: Path, *, package: str, tool_version: str
) -> PlanResult:
    """Plan what importing a package would change in a target, and write the plan to a file.

    Args:
        wanted: The package.
        current: The target.
        options: The user's policies.
        path: Where the plan file goes.
        package: The package's name, for people.
        tool_version: The version of confmig, for the header.

    Raises:
        PlanError: Lookups or keys form a circle that cannot be opened.
        PackageError: The package is broken.
    """
    schema = wanted.schema
    names = {table.name for table in schema.tables} | {item.name for t in schema.tables for item in t.many_to_many}
    tables = dict(current.describe(sorted(names)))
    findings = tuple(missing_in(schema, tables, current.identity.url))
    if findings:
        return PlanResult(None, findings)
    planner = _Planner(wanted, current, options, tables)
    with PlanWriter(path) as writer:
        planner.write(writer)
        header = PlanHeader(
            target_organization=current.identity.organization_id,
            target_url=current.identity.url,
            package_digest=wanted.digest,
            schema_digest=wanted.schema_digest,
            tool_version=tool_version,
            policies=options.as_texts(),
            package=package,
            refusals=planner.refusals(writer.writes),
            tables=planner.table_names(),
        )
        return PlanResult(writer.finish(header, planner.notes.all()))


class _Planner:
    """One making of a plan."""

    def __init__(self, wanted: Wanted, current: Current, options: PlanOptions, tables: dict[str, TableInfo]) -> None:
        self._wanted = wanted
        self._current = current
        self._options = options
        self._tables = tables
        self.notes = Notes()
        self._conflicts = 0
        self._matches: dict[str, Matches] = {}
        self._survey = survey_package(wanted, tables)
        self._note_undeclared()
        self._tables.update(current.describe(sorted(self._survey.pointed)))
        self._ids = IdMap(self._survey.rows)
        self._ids.outside = resolve_outside(self._survey, current, self._tables)
        self._match_by_keys()
        self._name_rows_without_id()
        self._order = order_tables(self._survey.rows, self._edges())
        self._row_orders = {table: order_rows(parents) for table, parents in self._survey.parents.items()}
        self._plans: dict[str, TablePlan] = {}

    # Matching

    def _match_by_keys(self) -> None:
        def needs(table: str) -> Iterator[str]:
            columns = key_columns(self._wanted.schema, table)
            for column in columns:
                yield from (
                    target for target in self._survey.lookups.get((table, column), ()) if target in self._survey.keys
                )

        for table in key_order(self._survey.keys, needs):
            columns = key_columns(self._wanted.schema, table)
            info = self._tables[table]
            unknown = [name for name in columns if not info.columns[name].readable]
            if unknown:
                self.notes.add("key", table, unknown[0], "cannot be read in the target, so the id matches instead")
                continue
            keys = {
                source_id: tuple(self._ids.value(value) for value in key)
                for source_id, key in self._survey.keys[table].items()
            }
            whole = list(dict.fromkeys(key for key in keys.values() if is_whole(key)))
            named = [source_id for source_id in keys if not source_id.startswith("#")]
            existing = {record.id for record in self._current.read_rows_by_id(table, [], named) if record.id}
            candidates = self._current.read_rows_by_key(table, columns, columns, whole)
            matches = match_by_key(keys, candidates, columns, existing)
            self._matches[table] = matches
            for source_id, target_id in matches.targets.items():
                if target_id != source_id:
                    self._ids.targets[table, source_id] = target_id

    def _name_rows_without_id(self) -> None:
        """Give rows without an id one that is the same in every run, so that a repeated import finds them again."""
        scope = uuid.uuid5(uuid.NAMESPACE_URL, f"{self._current.identity.organization_id}/{self._wanted.digest}")
        for table, rows in self._survey.rows.items():
            for source_id in rows:
                if source_id.startswith("#") and (table, source_id) not in self._ids.targets:
                    self._ids.targets[table, source_id] = str(uuid.uuid5(scope, f"{table}/{source_id}"))

    # Order

    def _edges(self) -> Iterator[Edge]:
        for (table, column), targets in self._survey.lookups.items():
            info = self._tables[table].columns[column]
            for target in targets:
                if target in self._survey.rows:
                    yield Edge(table, column, target, cuttable=info.updatable and not info.required)

    def table_names(self) -> list[str]:
        """All tables and intersect tables that the plan touches or points to."""
        return sorted(self._tables)

    # Refusals

    def refusals(self, writes: int) -> list[str]:
        """Why the plan may not be applied; none when it may."""
        reasons: list[str] = []
        if self._options.lookups is LookupPolicy.FAIL:
            reasons += self._unresolved()
        if self._conflicts:
            reasons.append(
                f"{self._conflicts} conflicts: rows whose match would have to be guessed; each has its reason"
            )
        limit = self._options.max_changes
        if limit is not None and writes > limit:
            reasons.append(f"{writes} changes are more than the {limit} allowed by --max-changes")
        return reasons

    def _unresolved(self) -> list[str]:
        reasons: list[str] = []
        for (table, row_id), target in sorted(self._ids.outside.items()):
            if target is not None:
                continue
            name, origin = self._survey.pointed[table][row_id]
            column = self._tables[origin.table].columns.get(origin.column)
            if column is not None and column.type == "owner":
                continue
            label = f"{table} {row_id}" + (f" ({name})" if name else "")
            where = f"table {origin.table}, row {origin.row}, {origin.column}"
            reasons.append(f"{where} points to {label}, which is neither in the package nor in the target")
        hidden = len(reasons) - _SHOWN
        return reasons[:_SHOWN] + ([f"… and {hidden} more such lookups"] if hidden > 0 else [])

    # Writing

    def write(self, writer: PlanWriter) -> None:
        """Read the package again and write each row's changes."""
        repeated: dict[tuple[str, str], list[Record]] = {}
        associations = AssociationPlan(self._tables, self._ids, self._current)
        portion: list[tuple[str, Record]] = []
        table = ""
        names = SourceIds()
        for event in self._wanted.rows():
            match event:
                case TableStart():
                    self._write_portion(writer, table, portion)
                    table = event.table
                case Record() if event.table in self._survey.rows:
                    source_id = names.of(event)
                    if (table, source_id) in self._survey.repeated:
                        repeated.setdefault((table, source_id), []).append(event)
                        continue
                    portion.append((source_id, event))
                    if len(portion) >= _PORTION:
                        self._write_portion(writer, table, portion)
                case Association():
                    associations.take(event)
                case _:
                    pass
        self._write_portion(writer, table, portion)
        for (repeated_table, source_id), copies in repeated.items():
            self._write_repeated(writer, repeated_table, source_id, copies)
        for change in associations.changes():
            self._add(writer, change)

    def _add(self, writer: PlanWriter, change: Change) -> None:
        self._conflicts += change.action is Action.CONFLICT
        writer.add(change)

    def _write_portion(self, writer: PlanWriter, table: str, portion: list[tuple[str, Record]]) -> None:
        if not portion:
            return
        plan = self._table_plan(table)
        matches = self._matches.get(table, Matches())
        wanted_ids = [self._ids.row(table, source_id) for source_id, _ in portion]
        rows = self._current.read_rows_by_id(table, plan.columns_read(), wanted_ids)
        current = {record.id: record for record in rows}
        for source_id, record in portion:
            target_id = self._ids.row(table, source_id)
            if reason := matches.conflicts.get(source_id):
                self._add(writer, _conflict(table, target_id, source_id, reason))
                continue
            known = current.get(target_id)
            by = matches.matched_by.get(source_id, MatchedBy.ID) if known else None
            if plan.declared.force_create and known is not None:
                reason = "its table always creates (forcecreate), and an earlier import of the row made it already"
                self._add(writer, _skip(table, target_id, source_id, reason))
                continue
            for change in plan.plan_row(record, source_id, known, by):
                self._add(writer, change)
        portion.clear()

    def _write_repeated(self, writer: PlanWriter, table: str, source_id: str, copies: list[Record]) -> None:
        """Join the copies of a row that the package holds more than once; copies that contradict are a conflict."""
        merged = dict(copies[0].values)
        for copy in copies[1:]:
            for name, value in copy.values.items():
                if name in merged and not same_value(merged[name], value):
                    reason = f"the package holds the row {len(copies)} times, with different values of {name}"
                    self._add(writer, _conflict(table, self._ids.row(table, source_id), source_id, reason))
                    return
                merged[name] = value
        self.notes.add("repeated", table, "", "stands in the package more than once, with equal values", source_id)
        self._write_portion(writer, table, [(source_id, replace(copies[0], values=merged))])

    def _table_plan(self, name: str) -> TablePlan:
        if name not in self._plans:
            declared = self._wanted.schema.table(name)
            assert declared is not None  # noqa: S101  # the survey counts the rows of declared tables only
            self._plans[name] = TablePlan(
                declared=declared,
                info=self._tables[name],
                ids=self._ids,
                options=self._options,
                notes=self.notes,
                rank=self._order.ranks.get(name, 0),
                cut=frozenset((column, target) for table, column, target in self._order.cut if table == name),
                row_order=self._row_orders.get(name, RowOrder()),
            )
            self._note_unmoved(declared)
        return self._plans[name]

    # Notes

    def _note_undeclared(self) -> None:
        for table, count in self._survey.undeclared_tables.items():
            self.notes.add("undeclared", table, "", "is not in the schema, so its rows are left out", count=count)
        for (table, column), count in self._survey.undeclared_columns.items():
            self.notes.add("undeclared", table, column, "is not in the schema, so it is left out", count=count)
        for declared in self._wanted.schema.merged_tables():
            if declared.disable_plugins:
                message = "asks to disable plug-ins (disableplugins): not done, server logic runs as for a user"
                self.notes.add("disableplugins", declared.name, "", message)

    def _note_unmoved(self, declared: Table) -> None:
        info = self._tables[declared.name]
        for column in declared.columns:
            known = info.columns.get(column.name)
            if known is not None and known.type == "filedata":
                self.notes.add("file", declared.name, column.name, "files are not moved by this version")
            elif known is not None and is_moved(info, known) and not known.readable:
                self.notes.add("unreadable", declared.name, column.name, "cannot be read, so it is never compared")


def _conflict(table: str, target_id: str, source_id: str, reason: str) -> Change:
    return Change(Phase.ROWS, table, target_id, Action.CONFLICT, source_id=source_id, reason=reason)


def _skip(table: str, target_id: str, source_id: str, reason: str) -> Change:
    return Change(Phase.ROWS, table, target_id, Action.SKIP, source_id=source_id, reason=reason)
