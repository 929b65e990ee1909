"""The policy skip-row: which new rows will be skipped, since a lookup of theirs resolves nowhere, or to such a row."""

from collections import defaultdict

from confmig.model.records import Record
from confmig.model.values import ColumnType
from confmig.planning.plan import LookupPolicy, PlanOptions
from confmig.planning.ports import Current, Wanted
from confmig.planning.preparing import Preparation
from confmig.planning.survey import SourceIds


def leave_out_skipped_rows(prepared: Preparation, wanted: Wanted, current: Current, options: PlanOptions) -> None:
    """Mark the new rows that will be skipped, then those that point to them, until there are no more.

    The package is read once for each link of such a chain; chains are short, and the policy is rare.
    """
    if options.lookups is LookupPolicy.SKIP_ROW:
        while found := _rows_pointing_nowhere(prepared, wanted, current):
            prepared.ids.gone |= found


def _rows_pointing_nowhere(prepared: Preparation, wanted: Wanted, current: Current) -> set[tuple[str, str]]:
    candidates: dict[str, dict[str, str]] = defaultdict(dict)
    names = SourceIds()
    for event in wanted.rows():
        if isinstance(event, Record) and event.table in prepared.plans:
            source_id = names.of(event)
            if (event.table, source_id) not in prepared.ids.gone and _points_nowhere(prepared, event):
                candidates[event.table][prepared.ids.row(event.table, source_id)] = source_id
    gone: set[tuple[str, str]] = set()
    for table, ids in candidates.items():
        there = {record.id for record in current.read_rows_by_id(table, [], ids)}
        gone |= {(table, source_id) for target_id, source_id in ids.items() if target_id not in there}
    return gone


def _points_nowhere(prepared: Preparation, record: Record) -> bool:
    plan = prepared.plans[record.table]
    return any(
        plan.moves(name)
        and plan.info.columns[name].type is not ColumnType.OWNER
        and prepared.ids.missing(value) is not None
        for name, value in record.values.items()
    )
