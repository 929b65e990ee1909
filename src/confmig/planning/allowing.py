"""Whether a plan may be applied, and if not, why."""

from collections.abc import Iterator

from confmig.planning.plan import LookupPolicy, PlanOptions
from confmig.planning.preparing import Preparation

_SHOWN = 20


def refusals(
    prepared: Preparation, options: PlanOptions, conflicts: int, writes: int, *, into_source: bool
) -> list[str]:
    """Why a plan may not be applied; none when it may.

    Args:
        prepared: What the lookups resolved to.
        options: The user's policies.
        conflicts: How many rows and pairs are in conflict.
        writes: How many rows and pairs would be written.
        into_source: Whether the target is the organization that the package came from.
    """
    reasons = list(_unresolved(prepared)) if options.lookups is LookupPolicy.FAIL else []
    if len(reasons) > _SHOWN:
        reasons[_SHOWN:] = [f"… and {len(reasons) - _SHOWN} more such lookups"]
    if conflicts:
        reasons.append(
            f"{conflicts} conflicts: rows whose match would have to be guessed, or that do not fit; each has its reason"
        )
    if options.max_changes is not None and writes > options.max_changes:
        reasons.append(f"{writes} changes of rows or pairs are more than the {options.max_changes} of --max-changes")
    if into_source and not options.same_organization:
        reasons.append(
            "the target is the organization that the package was exported from (--same-organization allows it)"
        )
    return reasons


def _unresolved(prepared: Preparation) -> Iterator[str]:
    for (table, row_id), target in sorted(prepared.ids.outside.items()):
        pointed = prepared.survey.pointed[table][row_id]
        if target is not None or pointed.origin is None:
            continue  # where only owners point to it, the caller owns the rows
        origin = pointed.origin
        label = f"{table} {row_id}" + (f" ({pointed.name})" if pointed.name else "")
        where = f"table {origin.table}, row {origin.row}, {origin.column}"
        yield f"{where} points to {label}, which is neither in the package nor in the target"
