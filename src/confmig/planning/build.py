"""The making of a plan: read the package twice, the target once, and write down what is to change.

The first reading learns which rows there are and what they point to. From that follow the matches, the order, and what
each lookup is in the target. The second reading compares row by row, in portions: memory holds ids, not rows.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from confmig.checking.findings import Finding
from confmig.checking.parity import missing_in
from confmig.errors import PlanError
from confmig.model.environment import TableInfo
from confmig.model.records import Association, Record, TableStart
from confmig.model.schema import DateMode, Table
from confmig.model.values import ColumnType, same_value
from confmig.planning.associations import AssociationPlan
from confmig.planning.columns import is_moved, left_out
from confmig.planning.matching import Matches, is_whole, key_order, match_by_key
from confmig.planning.notes import Notes
from confmig.planning.ordering import Edge, RowOrder, order_rows, order_tables
from confmig.planning.outside import resolve_outside
from confmig.planning.plan import WRITING, Action, Change, LookupPolicy, MatchedBy, Phase, PlanOptions
from confmig.planning.planfile import PlanHeader, PlanWriter
from confmig.planning.ports import Current, Wanted
from confmig.planning.resolving import IdMap
from confmig.planning.rows import TablePlan
from confmig.planning.survey import SourceIds, is_place, key_columns, survey_package

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
    tables = dict(current.describe(schema.names()))
    findings = tuple(missing_in(schema, tables, current.identity.url))
    if findings:
        return PlanResult(None, findings)
    planner = _Planner(wanted, current, options, tables)
    with PlanWriter(path) as writer:
        planner.write(writer)
        header = PlanHeader(
            target_organization=current.identity.organization_id,
            target_url=current.identity.url,
            target_version=current.identity.version,
            package_digest=wanted.digest,
            schema_digest=wanted.schema_digest,
            tool_version=tool_version,
            policies=options.as_texts(),
            package=package,
            refusals=planner.refusals(),
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
        self._writes = 0
        self._plans: dict[str, TablePlan] = {}
        self._matches: dict[str, Matches] = {}
        self._survey = survey_package(wanted, tables, options.ignore)
        self._note_undeclared()
        self._tables.update(current.describe(sorted(self._survey.pointed)))
        self._ids = IdMap(self._survey.rows)
        self._ids.outside = resolve_outside(self._survey, current, self._tables)
        self._match_by_keys()
        self._name_rows_without_id()
        self._order = order_tables(self._survey.rows, self._edges())
        self._row_orders = {table: self._order_rows(table) for table in self._survey.parents}
        self._leave_out_skipped_rows()

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
            named = [source_id for source_id in keys if not is_place(source_id)]
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
                if is_place(source_id) and (table, source_id) not in self._ids.targets:
                    self._ids.targets[table, source_id] = str(uuid.uuid5(scope, f"{table}/{source_id}"))

    # Order

    def _edges(self) -> Iterator[Edge]:
        for (table, column), targets in self._survey.lookups.items():
            for target in targets:
                yield Edge(table, column, target, cuttable=self._can_wait(table, column))

    def _can_wait(self, table: str, column: str) -> bool:
        info = self._tables[table].columns[column]
        return info.updatable and not info.required

    def _order_rows(self, table: str) -> RowOrder:
        """The order of the rows of a table that points to itself."""
        free: dict[str, list[str]] = defaultdict(list)
        fixed: dict[str, list[str]] = defaultdict(list)
        rows = self._survey.rows[table]
        for column, parents in self._survey.parents[table].items():
            wanted = free if self._can_wait(table, column) else fixed
            for row, above in parents.items():
                wanted[row] += [parent for parent in above if parent in rows]
        try:
            return order_rows(free, fixed)
        except PlanError as error:
            columns = ", ".join(f"{table}.{name}" for name in self._survey.parents[table])
            raise PlanError(
                f"The rows of {table} cannot be ordered by {columns}: {error.message}.", error.hint
            ) from None

    def _leave_out_skipped_rows(self) -> None:
        """Under the policy skip-row, find the new rows that will be skipped, and then those that point to them."""
        if self._options.lookups is not LookupPolicy.SKIP_ROW:
            return
        while found := self._rows_pointing_nowhere():
            self._ids.gone |= found

    def _rows_pointing_nowhere(self) -> set[tuple[str, str]]:
        candidates: dict[str, set[str]] = defaultdict(set)
        names = SourceIds()
        for event in self._wanted.rows():
            if isinstance(event, Record) and event.table in self._survey.rows:
                source_id = names.of(event)
                if (event.table, source_id) not in self._ids.gone and self._points_nowhere(event):
                    candidates[event.table].add(source_id)
        gone: set[tuple[str, str]] = set()
        for table, sources in candidates.items():
            ids = {self._ids.row(table, source_id): source_id for source_id in sources}
            there = {record.id for record in self._current.read_rows_by_id(table, [], ids)}
            gone |= {(table, source_id) for target_id, source_id in ids.items() if target_id not in there}
        return gone

    def _points_nowhere(self, record: Record) -> bool:
        plan = self._table_plan(record.table)
        return any(
            plan.moves(name) and plan.info.columns[name].type is not ColumnType.OWNER and self._ids.missing(value)
            for name, value in record.values.items()
        )

    def table_names(self) -> list[str]:
        """All tables and intersect tables that the plan touches or points to."""
        return sorted(self._tables)

    # Refusals

    def refusals(self) -> list[str]:
        """Why the plan may not be applied; none when it may."""
        reasons: list[str] = []
        if self._options.lookups is LookupPolicy.FAIL:
            reasons += self._unresolved()
        if self._conflicts:
            reasons.append(
                f"{self._conflicts} conflicts: rows whose match would have to be guessed; each has its reason"
            )
        limit = self._options.max_changes
        if limit is not None and self._writes > limit:
            reasons.append(f"{self._writes} changes of rows or pairs are more than the {limit} of --max-changes")
        return reasons

    def _unresolved(self) -> list[str]:
        reasons: list[str] = []
        for (table, row_id), target in sorted(self._ids.outside.items()):
            if target is not None:
                continue
            pointed = self._survey.pointed[table][row_id]
            origin = pointed.origin
            if origin is None:
                continue  # only owners point to it, and those are left to the caller
            label = f"{table} {row_id}" + (f" ({pointed.name})" if pointed.name else "")
            where = f"table {origin.table}, row {origin.row}, {origin.column}"
            reasons.append(f"{where} points to {label}, which is neither in the package nor in the target")
        hidden = len(reasons) - _SHOWN
        return reasons[:_SHOWN] + ([f"… and {hidden} more such lookups"] if hidden > 0 else [])

    # Writing

    def write(self, writer: PlanWriter) -> None:
        """Read the package again and write each row's changes."""
        repeated: dict[tuple[str, str], list[Record]] = {}
        associations = AssociationPlan(self._tables, self._ids, self._current, self._options.lookups)
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
                case Association() if self._wanted.schema.table(event.table) is not None:
                    associations.take(event)
                case _:
                    pass
        self._write_portion(writer, table, portion)
        for (repeated_table, source_id), copies in repeated.items():
            self._write_repeated(writer, repeated_table, source_id, copies)
        for change in associations.changes():
            self._add(writer, [change])

    def _add(self, writer: PlanWriter, changes: Iterable[Change]) -> None:
        """Write what happens with one row or one pair; it counts once however many phases it takes."""
        actions: set[Action] = set()
        for change in changes:
            actions.add(change.action)
            writer.add(change)
        self._conflicts += Action.CONFLICT in actions
        self._writes += not actions.isdisjoint(WRITING)

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
                self._add(writer, [_conflict(table, target_id, source_id, reason)])
                continue
            known = current.get(target_id)
            by = matches.matched_by.get(source_id, MatchedBy.ID) if known else None
            if plan.declared.force_create and known is not None:
                reason = "its table always creates (forcecreate), and an earlier import of the row made it already"
                self._add(writer, [_skip(table, target_id, source_id, reason)])
                continue
            self._add(writer, plan.plan_row(record, source_id, known, by))
        portion.clear()

    def _write_repeated(self, writer: PlanWriter, table: str, source_id: str, copies: list[Record]) -> None:
        """Join the copies of a row that the package holds more than once; copies that contradict are a conflict."""
        plan = self._table_plan(table)
        merged = dict(copies[0].values)
        for copy in copies[1:]:
            for name, value in copy.values.items():
                known = merged.get(name)
                if same_value(known, None):
                    merged[name] = value
                elif plan.moves(name) and not same_value(value, None) and not same_value(known, value):
                    reason = f"the package holds the row {len(copies)} times, with different values of {name}"
                    self._add(writer, [_conflict(table, self._ids.row(table, source_id), source_id, reason)])
                    return
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
                key=key_columns(self._wanted.schema, name),
            )
            self._note_unmoved(declared)
        return self._plans[name]

    # Notes

    def _note_undeclared(self) -> None:
        for table, count in self._survey.undeclared_tables.items():
            self.notes.add("undeclared", table, "", "is not in the schema, so it is left out", count=count)
        for (table, column), count in self._survey.undeclared_columns.items():
            self.notes.add("undeclared", table, column, "is not in the schema, so it is left out", count=count)
        self._note_date_modes()
        for name, column in sorted(self._options.ignore):
            ignored = self._wanted.schema.table(name)
            if ignored is None or column not in {known.name for known in ignored.columns}:
                self.notes.add("ignore", name, column, "is named by --ignore, but the schema has no such column")
        if self._wanted.schema.inferred:
            self.notes.add("inferred", "", "", "the package has no schema, so one was inferred from its rows")
        for declared in self._wanted.schema.merged_tables():
            if declared.disable_plugins:
                message = "asks to disable plug-ins (disableplugins): not done, server logic runs as for a user"
                self.notes.add("disableplugins", declared.name, "", message)

    def _note_date_modes(self) -> None:
        """Say that dates are not moved forward, which a schema may ask for."""
        schema = self._wanted.schema
        message = "asks for dates relative to the day of the import (dateMode): not done, they are written as they are"
        if schema.date_mode not in {None, DateMode.ABSOLUTE}:
            self.notes.add("dateMode", "", "", f"the schema {message}")
        for table in schema.merged_tables():
            for column in table.columns:
                if column.date_mode not in {None, DateMode.ABSOLUTE}:
                    self.notes.add("dateMode", table.name, column.name, message)

    def _note_unmoved(self, declared: Table) -> None:
        info = self._tables[declared.name]
        for column in declared.columns:
            known = info.columns[column.name]
            if reason := left_out(info, known):
                self.notes.add("left-out", declared.name, column.name, f"is left out: {reason}")
            elif is_moved(info, known) and not known.readable:
                self.notes.add("unreadable", declared.name, column.name, "cannot be read, so it is never compared")


def _conflict(table: str, target_id: str, source_id: str, reason: str) -> Change:
    return Change(Phase.ROWS, table, target_id, Action.CONFLICT, source_id=source_id, reason=reason)


def _skip(table: str, target_id: str, source_id: str, reason: str) -> Change:
    return Change(Phase.ROWS, table, target_id, Action.SKIP, source_id=source_id, reason=reason)
