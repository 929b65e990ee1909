"""One row of the package and its row in the target: what is to change, in which phase."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from confmig.model.environment import ColumnInfo, TableInfo
from confmig.model.records import Record
from confmig.model.schema import Table
from confmig.model.values import ColumnType, FileRef, Lookup, Parties, Value, same_value
from confmig.planning.columns import STATE_COLUMNS, moved_columns
from confmig.planning.files import FileComparison
from confmig.planning.fitting import why_not
from confmig.planning.notes import Notes
from confmig.planning.ordering import RowOrder
from confmig.planning.plan import Action, Change, LookupPolicy, MatchedBy, Phase, PlanOptions
from confmig.planning.relative import LATEST, Shift
from confmig.planning.resolving import IdMap
from confmig.planning.survey import lookups_in


@dataclass(slots=True)
class TablePlan:
    """All that planning one table's rows needs to know.

    ``cut``: (column, target table) whose values wait for the phase of lookups. ``shifts``: the columns whose dates are
    moved.
    """

    declared: Table
    info: TableInfo
    ids: IdMap
    options: PlanOptions
    notes: Notes
    files: FileComparison
    rank: int = 0
    cut: frozenset[tuple[str, str]] = frozenset()
    row_order: RowOrder = field(default_factory=RowOrder)
    key: tuple[str, ...] = ()
    shifts: Mapping[str, Shift] = field(default_factory=dict)
    declared_names: frozenset[str] = field(init=False)
    moved: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Work out once which columns are moved."""
        self.declared_names = frozenset(column.name for column in self.declared.columns)
        self.moved = moved_columns(self.declared, self.info, self.options.ignore)

    def moves(self, name: str) -> bool:
        """Whether a column's value is brought to the target."""
        return name in self.moved

    def columns_read(self) -> list[str]:
        """The columns of the target's rows that are compared."""
        names = [
            column.name
            for column in self.declared.columns
            if self.moves(column.name) and self.info.columns[column.name].readable
        ]
        states = [name for name in STATE_COLUMNS if name in self.info.columns]
        return names + (states if self.declared_names & set(STATE_COLUMNS) else [])

    def plan_row(
        self, record: Record, source_id: str, current: Record | None, matched_by: MatchedBy | None
    ) -> Iterator[Change]:
        """The changes that bring about one row; at least one, which may say that nothing is to be done."""
        target_id = self.ids.row(self.info.name, source_id)
        row = _Row(self, record, source_id, target_id, current, matched_by)
        yield from row.changes()


class _Row:
    """The planning of one row."""

    def __init__(
        self,
        table: TablePlan,
        record: Record,
        source_id: str,
        target_id: str,
        current: Record | None,
        matched_by: MatchedBy | None,
    ) -> None:
        self._table = table
        self._info = table.info
        self._record = record
        self._source_id = source_id
        self._target_id = target_id
        self._current = current
        self._matched_by = matched_by
        self._now: dict[str, Value] = {}
        self._later: dict[str, Value] = {}
        self._skipped = ""
        self._misfit = ""

    def changes(self) -> Iterator[Change]:
        if self._current is not None and self._table.declared.skip_update:
            yield self._change(Phase.ROWS, Action.SKIP, reason="it exists, and its table is create-only (skipupdate)")
            return
        for name, value in self._record.values.items():
            self._take(name, value)
        if self._misfit:
            yield self._change(Phase.ROWS, Action.CONFLICT, reason=self._misfit)
            return
        if self._skipped:
            yield self._change(Phase.ROWS, Action.SKIP, reason=self._skipped)
            return
        status = self._status()
        changed = False
        if self._current is None:
            changed = True
            yield self._change(Phase.ROWS, Action.CREATE, after=self._now)
        elif self._now:
            changed = True
            yield self._change(Phase.ROWS, Action.UPDATE, before=self._before(self._now), after=self._now)
        if self._later:
            changed = True
            yield self._change(Phase.DEFERRED, Action.UPDATE, before=self._before(self._later), after=self._later)
        for file in self._files():
            changed = True
            yield file
        if status:
            changed = True
            yield self._change(Phase.STATES, Action.UPDATE, before=self._before(status), after=status)
        if not changed:
            yield self._change(Phase.ROWS, Action.UNCHANGED)

    def _change(
        self,
        phase: Phase,
        action: Action,
        *,
        before: Mapping[str, Value] | None = None,
        after: Mapping[str, Value] | None = None,
        reason: str = "",
    ) -> Change:
        label = self._record.values.get(self._info.primary_name or "")
        return Change(
            phase=phase,
            table=self._info.name,
            id=self._target_id,
            action=action,
            source_id=self._source_id,
            name=label if isinstance(label, str) else "",
            rank=self._table.rank,
            level=self._table.row_order.levels.get(self._source_id, 0) if phase is Phase.ROWS else 0,
            before=before or {},
            after=after or {},
            matched_by=self._matched_by,
            reason=reason,
            version=self._current.version if self._current else None,
            key=self._table.key if action is Action.CREATE and set(self._table.key) <= self._now.keys() else (),
        )

    def _before(self, after: Mapping[str, Value]) -> dict[str, Value]:
        return {name: self._current.values.get(name) for name in after} if self._current else {}

    def _take(self, name: str, value: Value) -> None:
        """Sort one column of the package's row: written now, written later, or not at all."""
        if not self._table.moves(name) or same_value(value, None):
            return  # a column that holds nothing says nothing, as one that is absent
        column = self._info.columns[name]
        if column.type is ColumnType.FILE:
            return  # files come after all rows, and are looked at when nothing else stands against the row
        if self._current is not None and (column.type is ColumnType.OWNER or not column.readable):
            return  # a row that exists keeps its owner, and what cannot be compared
        resolved = self._move(name, value) if name in self._table.shifts else self._resolve(column, value)
        if resolved is None:
            return
        if why := why_not(column, resolved):
            self._misfit = f"{name} does not fit: {why}"
            return
        if isinstance(value, Parties) and any(party.party and party.address for party in value.parties):
            message = "addresses (addressused) beside parties that are rows are left out: the service takes the rows'"
            self._table.notes.add("addressused", self._info.name, name, message, self._source_id)
        if self._current is None:
            self._take_new(column, value, resolved)
        else:
            self._take_known(column, value, resolved)

    def _move(self, name: str, value: Value) -> Value:
        """A date relative to the day of the import, as it is then; None when it cannot be."""
        shift = self._table.shifts[name]
        moved = shift.move(value)
        if moved is None:
            self._misfit = (
                f"{name} does not fit: {value} moved forward by {shift.days} days is after {LATEST}, the last moment"
                ' that a column can hold; dateMode="absolute" on the field leaves it as it is'
            )
        return moved

    def _files(self) -> Iterator[Change]:
        """The files that differ, each a change of its own: each is a request, and has an outcome, of its own."""
        for name, value in self._record.values.items():
            if not isinstance(value, FileRef) or not self._table.moves(name):
                continue
            known = self._current.values.get(name) if self._current is not None else None
            if self._current is not None and not self._info.columns[name].readable:
                continue  # what cannot be compared stays
            where = f"table {self._info.name}, row {self._source_id}, {name}"
            after = self._table.files.wanted(where, value, known)
            before = self._table.files.current(self._info.name, self._target_id, name, known, after)
            if not same_value(before, after):
                told = {name: before} if self._current is not None else {}
                yield self._change(Phase.FILES, Action.UPDATE, before=told, after={name: after})

    def _take_new(self, column: ColumnInfo, value: Value, resolved: Value) -> None:
        image_later = column.type is ColumnType.IMAGE and column.name != self._info.primary_image
        if not column.creatable or image_later or self._waits(column, value):
            # Only the primary image can be set while creating (0x80090487).
            self._later[column.name] = resolved
        else:
            self._now[column.name] = resolved

    def _take_known(self, column: ColumnInfo, value: Value, resolved: Value) -> None:
        assert self._current is not None  # noqa: S101  # the caller has looked
        if self._holds(column.name, resolved, self._current.values.get(column.name)):
            return
        if not column.updatable:
            self._table.notes.add(
                "create-only",
                self._info.name,
                column.name,
                "differs, but can only be written when a row is created",
                self._source_id,
            )
        elif self._waits(column, value):
            self._later[column.name] = resolved
        else:
            self._now[column.name] = resolved

    def _holds(self, name: str, wanted: Value, current: Value) -> bool:
        """Whether the row holds a value already."""
        shift = self._table.shifts.get(name)
        return same_value(wanted, current) if shift is None else shift.holds(wanted, current)

    def _waits(self, column: ColumnInfo, value: Value) -> bool:
        """Whether a lookup waits until all rows are there: its column is cut, or its row is part of a circle."""
        if not column.can_wait:
            return False  # it must come with the row, and the order of rows has seen to that
        for lookup in lookups_in(value):
            if (column.name, lookup.table) in self._table.cut and self._table.ids.holds(lookup):
                return True
            if lookup.table == self._info.name and lookup.id == self._source_id:
                return self._current is None  # a row that points to itself must exist first
            if lookup.table == self._info.name and self._source_id in self._table.row_order.circular:
                return self._table.ids.holds(lookup)
        return False

    def _resolve(self, column: ColumnInfo, value: Value) -> Value:
        """The value in the target, or None where the policy leaves the column out."""
        missing = self._table.ids.missing(value)
        if missing is None:
            return self._table.ids.value(value)
        table, notes = self._info.name, self._table.notes
        where = f"{missing.table} {missing.id}" + (f" ({missing.name})" if missing.name else "")
        if column.type is ColumnType.OWNER:
            notes.add("owner", table, column.name, "the owner is not in the target, so the caller owns the row", where)
            return None
        match self._table.options.lookups:
            case LookupPolicy.SKIP_ROW:
                self._skipped = f"its lookup {column.name} resolves nowhere: {where}"
            case LookupPolicy.KEEP:
                notes.add("lookup", table, column.name, "resolves nowhere and is left as it is", where)
            case LookupPolicy.NULL:
                known = self._current.values.get(column.name) if self._current is not None else None
                # A key that is emptied would match nothing from then on.
                keeps = known is not None and (not column.can_wait or column.name in self._table.key)
                word = "cannot be emptied, so it is left as it is" if keeps else "is emptied"
                notes.add("lookup", table, column.name, f"resolves nowhere and {word}", where)
                if isinstance(known, Lookup) and not keeps:
                    self._now[column.name] = None
            case LookupPolicy.FAIL:
                pass  # the whole plan is refused with a list of them, so the row need not say it
        return None

    def _status(self) -> dict[str, Value]:
        """State and status where they differ: written together, and after everything else."""
        declared = self._table.declared_names
        state, status = (self._record.values.get(name) if name in declared else None for name in STATE_COLUMNS)
        info = self._info
        ignored = any((info.name, name) in self._table.options.ignore for name in STATE_COLUMNS)
        if (state is None and status is None) or "statecode" not in info.columns or ignored:
            return {}
        if state is None and isinstance(status, int):
            state = info.status_states.get(status)
        if self._current is not None:
            state_now, status_now = (self._current.values.get(name) for name in STATE_COLUMNS)
        else:
            # A new row is active, with the status that its state takes by itself [inferred].
            state_now, status_now = 0, info.default_status.get(0, 1)
        if state == state_now and status in {None, status_now}:
            return {}
        if status is None and isinstance(state, int):
            status = info.default_status.get(state)
        wanted = {"statecode": state, "statuscode": status}
        return {name: value for name, value in wanted.items() if value is not None and name in info.columns}
