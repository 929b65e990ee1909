"""Whether a plan made anew is still the one that was approved, or what is left of it.

An import that was killed leaves a target in which a part of the approved changes is done. A new plan then holds only
the rest; where each of its changes is one of the approved, from the same values to the same values, the approval holds.
And each approved change must still be about the row that the package's row is in the target.
"""

from collections.abc import Iterator, Mapping, Sequence

from confmig.model.values import Value, same_value
from confmig.planning.plan import WRITING, Action, Change, Phase
from confmig.planning.planfile import PlanFile


def unapproved(approved: PlanFile, fresh: PlanFile) -> Iterator[tuple[Change, str]]:
    """Where a fresh plan and the approved one are about different things: the change, and the reason."""
    for change in fresh.changes((*WRITING, Action.CONFLICT)):
        known = approved.changes_of(change.table, change.id)
        if reason := _why_not(change, [other for other in known if other.action in WRITING]):
            yield change, reason
    for change in approved.changes(WRITING):
        if reason := _why_lost(change, approved, fresh.changes_of(change.table, change.id)):
            yield change, reason


def _why_not(change: Change, known: Sequence[Change]) -> str:
    """Why a change is not among those that were approved for its row; empty when it is."""
    match change.action:
        case Action.CONFLICT:
            return change.reason
        case Action.ASSOCIATE:
            pair = (change.relationship, change.other_id)
            if any((other.relationship, other.other_id) == pair for other in known):
                return ""
            return "the association is not among the approved changes"
        case Action.CREATE:
            if any(other.action is Action.CREATE and _equal(other.after, change.after) for other in known):
                return ""
            return "the row is not to be created so by the approved plan"
        case _:
            return _why_not_updated(change, [other for other in known if not other.relationship])


def _why_not_updated(change: Change, known: Sequence[Change]) -> str:
    """Why an update is not what was approved for the row, column by column.

    The approved plan may write a column with the row or in a later phase. Of a row that it creates, only what it writes
    in a later phase can still be open; before that the column is empty, or, for a state, what the service gave it.
    """
    for name, after in change.after.items():
        steps = [other for other in known if name in other.after]
        if not steps or not same_value(steps[-1].after[name], after):
            return f"{name} is to get a value that was not approved"
        step, before = steps[-1], change.before.get(name)
        if step.action is Action.CREATE:
            return f"{name} has changed since the row was created"
        if name in step.before and not same_value(step.before[name], before):
            return f"{name} has changed since the plan was approved"
        if name not in step.before and step.phase is not Phase.STATES and not same_value(before, None):
            return f"{name} has changed since the plan was approved"
    return "" if change.after else "nothing was approved for the row"


def _why_lost(change: Change, approved: PlanFile, now: Sequence[Change]) -> str:
    """Why an approved change is not to be made any more, done or not; empty when the fresh plan still knows its row."""
    end = (change.relationship, change.other_id)
    same = [other for other in now if (other.relationship, other.other_id) == end]
    if not any(other.source_id == change.source_id for other in same):
        return "the package's row is another row of the target by now"
    skipped = next((other for other in same if other.action is Action.SKIP), None)
    if skipped is None:
        return ""
    known = approved.changes_of(change.table, change.id)
    # A row that this plan creates is skipped once it is there, where its table is create-only.
    return "" if any(other.action is Action.CREATE for other in known) else f"it is to be skipped now: {skipped.reason}"


def _equal(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    return one.keys() == other.keys() and all(same_value(value, other[name]) for name, value in one.items())
