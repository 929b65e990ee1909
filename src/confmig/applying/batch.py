"""One batch: read its rows again, write those that are still as planned, and say what became of each."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum

from confmig.applying.outcomes import Outcome, Status
from confmig.model.records import Record
from confmig.model.values import Value, same_value
from confmig.planning.matching import Key, comparable_key
from confmig.planning.plan import Action, Change
from confmig.webapi.environment import Environment, RowWrite
from confmig.webapi.replies import DUPLICATE_RECORD
from confmig.webapi.writes import WriteResult, WriteStatus

TRIES = 3


class OnDrift(StrEnum):
    """What to do when a row is no longer as it was planned."""

    STOP = "stop"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The outcomes of a batch's changes, how many were written, and the fault that denied access, if one did."""

    outcomes: tuple[Outcome, ...]
    written: int = 0
    access: str = ""


def apply_batch(
    environment: Environment, batch: Sequence[Change], on_drift: OnDrift, unclear: Set[int] = frozenset()
) -> BatchResult:
    """Apply changes of one table and one kind.

    Rows that are at their new values already count as applied, so a batch can be applied again after an interruption.

    Args:
        environment: The target.
        batch: The changes.
        on_drift: What to do with a row that is no longer as planned.
        unclear: The changes (by ``seq``) that an earlier import may have made, since no answer came.

    Raises:
        ConfmigError: The environment could not be read.
    """
    settled, left = _sort_out(environment, batch, unclear)
    if on_drift is OnDrift.STOP and any(outcome.status is Status.STALE for outcome in settled):
        return BatchResult(tuple(settled))
    result = _write_until_told(environment, left)
    return replace(result, outcomes=(*settled, *result.outcomes))


def _write_until_told(environment: Environment, changes: Sequence[Change]) -> BatchResult:
    """Write changes; where no answer tells what became of one, the row itself does."""
    outcomes: list[Outcome] = []
    results: list[WriteResult] = []
    lost: set[int] = set()
    found = 0
    left = changes
    for _ in range(TRIES):
        if not left:
            break
        told = dict(zip((change.seq for change in left), _write(environment, left), strict=True))
        results += told.values()
        lost |= {seq for seq, result in told.items() if result.status is WriteStatus.LOST}
        unclear = [change for change in left if _is_unclear(change, told[change.seq])]
        outcomes += [
            outcome_of(change, told[change.seq]) for change in left if not _is_unclear(change, told[change.seq])
        ]
        read_back, left = _sort_out(environment, unclear, lost) if unclear else ([], [])
        outcomes += read_back
        found += sum(outcome.status is Status.APPLIED and outcome.seq in lost for outcome in read_back)
        # A create that met a duplicate, and whose row is not there, met another row: the refusal stands.
        outcomes += [outcome_of(change, told[change.seq]) for change in left if told[change.seq].fault]
        left = [change for change in left if told[change.seq].fault is None]
    outcomes += [Outcome(change.seq, Status.UNKNOWN, "the answer was lost, three times") for change in left]
    written = found + sum(result.status is WriteStatus.DONE for result in results)
    return BatchResult(tuple(outcomes), written, access_fault(results))


def access_fault(results: Iterable[WriteResult]) -> str:
    """The fault that denied access to the table, if one did."""
    return next((str(result.fault) for result in results if result.fault and result.fault.denies_table), "")


def _write(environment: Environment, changes: Sequence[Change]) -> list[WriteResult]:
    if changes[0].action is Action.ASSOCIATE:
        return environment.associate(changes[0].table, changes[0].relationship, [_pair(change) for change in changes])
    rows = [RowWrite(change.id, change.after, change.before) for change in changes]
    if changes[0].action is Action.CREATE:
        return environment.create_rows(changes[0].table, rows)
    return environment.update_rows(changes[0].table, rows)


def outcome_of(change: Change, result: WriteResult) -> Outcome:
    """The outcome of a change that was written."""
    if result.status is WriteStatus.DONE:
        return Outcome(change.seq, Status.APPLIED)
    if result.fault is None:
        return Outcome(change.seq, Status.UNKNOWN, "the answer was lost")
    return Outcome(change.seq, Status.FAILED, result.fault.message, result.fault.code, result.fault.request_id)


def _is_unclear(change: Change, result: WriteResult) -> bool:
    """Whether only the row itself can tell what became of a write: the answer was lost, or the row is there already."""
    if result.fault is None:
        return result.status is WriteStatus.LOST
    return change.action is Action.CREATE and result.fault.code.lower() == DUPLICATE_RECORD


def _sort_out(
    environment: Environment, changes: Sequence[Change], unclear: Set[int]
) -> tuple[list[Outcome], list[Change]]:
    """Read the rows again: which are done already, which are stale, and which are still to be written."""
    if changes[0].action is Action.ASSOCIATE:
        return _sort_out_pairs(environment, changes)
    names = {name for change in changes for name in change.after}
    info = environment.describe([changes[0].table])[changes[0].table]
    columns = sorted(name for name in names if info.columns[name].readable)
    rows = environment.read_rows_by_id(changes[0].table, columns, [change.id for change in changes])
    current = {record.id: record for record in rows}
    taken = _taken_keys(environment, [change for change in changes if change.key and change.id not in current])
    outcomes: list[Outcome] = []
    left: list[Change] = []
    for change in changes:
        outcome = _settle(change, current.get(change.id), columns)
        if outcome and outcome.status is Status.STALE and change.seq in unclear and change.id in current:
            outcome = _unknown(change, current[change.id], columns)
        if outcome is None and change.key and _key_of(change) in taken:
            message = f"a row with its key {'+'.join(change.key)} has come into being since the plan was made"
            outcome = Outcome(change.seq, Status.STALE, message)
        if outcome is None:
            left.append(change)
        else:
            outcomes.append(outcome)
    return outcomes, left


def _sort_out_pairs(environment: Environment, changes: Sequence[Change]) -> tuple[list[Outcome], list[Change]]:
    sources = dict.fromkeys(change.id for change in changes)
    there = set(environment.read_associations(changes[0].table, changes[0].relationship, sources))
    done = [Outcome(change.seq, Status.APPLIED) for change in changes if _pair(change) in there]
    return done, [change for change in changes if _pair(change) not in there]


def _pair(change: Change) -> tuple[str, str]:
    return change.id, change.other_id


def _taken_keys(environment: Environment, changes: Sequence[Change]) -> set[Key]:
    """Which keys of rows to be created the target holds by now."""
    if not changes:
        return set()
    columns = changes[0].key
    keys = [tuple(change.after[name] for name in columns) for change in changes]
    rows = environment.read_rows_by_key(changes[0].table, columns, columns, keys)
    return {comparable_key(tuple(row.values.get(name) for name in columns)) for row in rows}


def _key_of(change: Change) -> Key:
    return comparable_key(tuple(change.after[name] for name in change.key))


def _settle(change: Change, row: Record | None, readable: Sequence[str]) -> Outcome | None:
    """The outcome of a change that needs no write, or must not have one; None when it is to be written."""
    if row is None:
        if change.action is Action.CREATE:
            return None
        return Outcome(change.seq, Status.STALE, "the row is gone since the plan was made")
    if not _unlike(row, change.after, readable):
        return Outcome(change.seq, Status.APPLIED)
    if change.action is Action.CREATE:
        return Outcome(change.seq, Status.STALE, "a row with this id has come into being since the plan was made")
    # A row that this plan creates has no values before; nothing can be compared then.
    moved = [name for name in _unlike(row, change.after, readable) if name in _unlike(row, change.before, readable)]
    if moved:
        return Outcome(change.seq, Status.STALE, f"changed since the plan was made: {', '.join(moved)}")
    return None


def _unknown(change: Change, row: Record, readable: Sequence[str]) -> Outcome:
    """The outcome of a change whose answer was lost, and whose row shows neither that it was made nor that it was not.

    The service may have changed the values that we wrote, or somebody else may have; nothing more is written. The
    values themselves are not told: messages are shown as they are, and a value may be a secret.
    """
    names = ", ".join(_unlike(row, change.after, readable))
    words = (
        "the row is there, with other values than planned"
        if change.action is Action.CREATE
        else "neither the value before nor the one planned is there"
    )
    return Outcome(change.seq, Status.UNKNOWN, f"the answer was lost, and {words}: {names}")


def _unlike(row: Record, values: Mapping[str, Value], readable: Sequence[str]) -> list[str]:
    """The columns in which a row does not hold these values, as far as they can be read."""
    return [name for name, value in values.items() if name in readable and not same_value(row.values.get(name), value)]
