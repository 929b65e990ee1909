"""The making of a plan: read the package twice, the target once, and write down what is to change.

The first reading learns which rows there are and what they point to. From that follow the matches, the order, and what
each lookup is in the target. The second reading compares row by row, in portions: memory holds ids, not rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from confmig.checking.findings import Finding
from confmig.checking.parity import missing_in
from confmig.model.records import Association, Record, TableStart
from confmig.model.values import same_value
from confmig.planning.allowing import refusals
from confmig.planning.associations import AssociationPlan
from confmig.planning.matching import Matches
from confmig.planning.plan import WRITING, Action, Change, MatchedBy, Origin, Phase, PlanOptions
from confmig.planning.planfile import PlanHeader, PlanWriter
from confmig.planning.ports import Current, Wanted
from confmig.planning.preparing import Preparation, prepare
from confmig.planning.remarks import note_what_is_left_out
from confmig.planning.skipping import leave_out_skipped_rows
from confmig.planning.survey import SourceIds

_PORTION = 2_000


@dataclass(frozen=True, slots=True)
class PlanResult:
    """A plan that was written to a file, or the findings that stood against making one."""

    header: PlanHeader | None
    findings: tuple[Finding, ...] = ()


NOWHERE = Origin()


def build_plan(
    wanted: Wanted,
    current: Current,
    options: PlanOptions,
    path: Path,
    *,
    package: str,
    tool_version: str,
    origin: Origin = NOWHERE,
    remarks: Iterable[str] = (),
) -> PlanResult:
    """Plan what importing a package would change in a target, and write the plan to a file.

    Args:
        wanted: The package.
        current: The target.
        options: The user's policies.
        path: Where the plan file goes.
        package: The package's name, for people.
        tool_version: The version of confmig, for the header.
        origin: Where the package comes from.
        remarks: What else is worth knowing about it; becomes notes.

    Raises:
        PlanError: Lookups or keys form a circle that cannot be opened.
        PackageError: The package is broken.
    """
    schema = wanted.schema
    tables = dict(current.describe(schema.names()))
    findings = tuple(missing_in(schema, tables, current.identity.url))
    if findings:
        return PlanResult(None, findings)
    prepared = prepare(wanted, current, options, tables)
    leave_out_skipped_rows(prepared, wanted, current, options)
    note_what_is_left_out(prepared, wanted.schema, options)
    for remark in remarks:
        prepared.notes.add("source", "", "", remark)
    with PlanWriter(path) as writer:
        rows = _RowWriter(wanted, current, options, prepared, writer)
        rows.write()
        as_of, exported = prepared.dates.moments()
        header = PlanHeader(
            target_organization=current.identity.organization_id,
            target_url=current.identity.url,
            target_version=current.identity.version,
            package_digest=wanted.digest,
            schema_digest=wanted.schema_digest,
            tool_version=tool_version,
            policies={**options.as_texts(), **prepared.dates.as_texts()},
            package=package,
            refusals=refusals(
                prepared,
                options,
                rows.conflicts,
                rows.writes,
                into_source=origin.organization == current.identity.organization_id,
            ),
            tables=sorted(prepared.tables),
            source_organization=origin.organization,
            source_url=origin.url,
            source_solutions=dict(origin.solutions),
            as_of=as_of,
            exported=exported,
        )
        return PlanResult(writer.finish(header, prepared.notes.all()))


class _RowWriter:
    """The second reading: compares row by row and writes what happens with each."""

    def __init__(
        self, wanted: Wanted, current: Current, options: PlanOptions, prepared: Preparation, writer: PlanWriter
    ) -> None:
        self._wanted = wanted
        self._current = current
        self._options = options
        self._prepared = prepared
        self._writer = writer
        self.conflicts = 0
        self.writes = 0

    def write(self) -> None:
        """Read the package again and write each row's changes."""
        repeated: dict[tuple[str, str], list[Record]] = {}
        associations = AssociationPlan(self._prepared.tables, self._prepared.ids, self._current, self._options.lookups)
        portion: list[tuple[str, Record]] = []
        table = ""
        names = SourceIds()
        for event in self._wanted.rows():
            match event:
                case TableStart():
                    self._write_portion(table, portion)
                    table = event.table
                case Record() if event.table in self._prepared.survey.rows:
                    source_id = names.of(event)
                    if (table, source_id) in self._prepared.survey.repeated:
                        repeated.setdefault((table, source_id), []).append(event)
                        continue
                    portion.append((source_id, event))
                    if len(portion) >= _PORTION:
                        self._write_portion(table, portion)
                case Association() if self._wanted.schema.table(event.table) is not None:
                    associations.take(event)
                case _:
                    pass
        self._write_portion(table, portion)
        for (repeated_table, source_id), copies in repeated.items():
            self._write_repeated(repeated_table, source_id, copies)
        for change in associations.changes():
            self._add([change])

    def _add(self, changes: Iterable[Change]) -> None:
        """Write what happens with one row or one pair; it counts once however many phases it takes."""
        actions: set[Action] = set()
        for change in changes:
            actions.add(change.action)
            self._writer.add(change)
        self.conflicts += Action.CONFLICT in actions
        self.writes += not actions.isdisjoint(WRITING)

    def _write_portion(self, table: str, portion: list[tuple[str, Record]]) -> None:
        if not portion:
            return
        plan = self._prepared.plans[table]
        matches = self._prepared.matches.get(table, Matches())
        wanted_ids = [self._prepared.ids.row(table, source_id) for source_id, _ in portion]
        rows = self._current.read_rows_by_id(table, plan.columns_read(), wanted_ids)
        current = {record.id: record for record in rows}
        for source_id, record in portion:
            target_id = self._prepared.ids.row(table, source_id)
            if reason := matches.conflicts.get(source_id):
                self._add([_conflict(table, target_id, source_id, reason)])
                continue
            known = current.get(target_id)
            by = matches.matched_by.get(source_id, MatchedBy.ID) if known else None
            if plan.declared.force_create and known is not None:
                reason = "its table always creates (forcecreate), and an earlier import of the row made it already"
                self._add([_skip(table, target_id, source_id, reason)])
                continue
            self._add(plan.plan_row(record, source_id, known, by))
        portion.clear()

    def _write_repeated(self, table: str, source_id: str, copies: list[Record]) -> None:
        """Join the copies of a row that the package holds more than once; copies that contradict are a conflict."""
        plan = self._prepared.plans[table]
        merged = dict(copies[0].values)
        for copy in copies[1:]:
            for name, value in copy.values.items():
                known = merged.get(name)
                if same_value(known, None):
                    merged[name] = value
                elif plan.moves(name) and not same_value(value, None) and not same_value(known, value):
                    reason = f"the package holds the row {len(copies)} times, with different values of {name}"
                    self._add([_conflict(table, self._prepared.ids.row(table, source_id), source_id, reason)])
                    return
        remark = "stands in the package more than once, with equal values"
        self._prepared.notes.add("repeated", table, "", remark, source_id)
        self._write_portion(table, [(source_id, replace(copies[0], values=merged))])


def _conflict(table: str, target_id: str, source_id: str, reason: str) -> Change:
    return Change(Phase.ROWS, table, target_id, Action.CONFLICT, source_id=source_id, reason=reason)


def _skip(table: str, target_id: str, source_id: str, reason: str) -> Change:
    return Change(Phase.ROWS, table, target_id, Action.SKIP, source_id=source_id, reason=reason)
