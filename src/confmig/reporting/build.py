"""From the results of the stages to reports."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from confmig.applying.outcomes import ApplyResult, Status
from confmig.applying.runfile import RunFile
from confmig.applying.verification import Verification
from confmig.checking.findings import Finding
from confmig.errors import ExitCode
from confmig.exporting.export import ExportCounts
from confmig.exporting.generating import GeneratedSchema
from confmig.planning.plan import WRITING, Action, Change, Note, TableCounts
from confmig.planning.planfile import PlanFile, PlanHeader
from confmig.planning.relative import shifts_in
from confmig.reporting.findings import annotations_of, findings_section
from confmig.reporting.report import SHOWN_ROWS, Annotation, Cell, Fact, Level, Report, Section
from confmig.reporting.values import number_of, shorten, show_change, show_value

_REFUSED_HINT = (
    "Each refused row has its reason among the conflicts. Mend the package or the target, or choose what happens with"
    " --lookups, --ignore, --max-changes or --same-organization."
)
_DIFFERENCES_HINT = (
    "See the differences in the report. What server logic or people change may be left out with --ignore table.column;"
    " for the rest plan and import again."
)
_COUNT_COLUMNS = ("table", "create", "update", "unchanged", "skip", "conflict", "associate", "associated")


def export_report(
    data: str, manifest: str, digest: str, source: str, counts: ExportCounts, findings: Sequence[Finding]
) -> Report:
    """What was exported; ``findings`` are warnings."""
    tables = sorted(set(counts.rows) | set(counts.associations))
    rows = [(table, counts.rows.get(table, 0), counts.associations.get(table, 0)) for table in tables]
    total, pairs = sum(counts.rows.values()), sum(counts.associations.values())
    files = f" with {number_of(counts.files, 'file')} ({counts.file_bytes:,} bytes)" if counts.files else ""
    return Report(
        "export",
        ExitCode.DONE,
        f"Exported {total} rows and {pairs} associations of {len(tables)} tables{files} into {data}.",
        {
            "rows": total,
            "associations": pairs,
            "files": counts.files,
            "file_bytes": counts.file_bytes,
            "data_file": data,
            "data_digest": digest,
            "manifest_file": manifest,
            "source": source,
        },
        [
            _section("Tables", ("table", "rows", "associations"), rows),
            _section("Left out", ("what",), [(text,) for text in counts.left_out]),
            _section("Leading nowhere now", ("what",), [(text,) for text in counts.lost_ends()]),
            findings_section(findings),
        ],
        annotations=annotations_of(findings),
    )


def schema_report(generated: GeneratedSchema, path: str, source: str, *, changed: bool) -> Report:
    """Which schema was made."""
    tables = generated.schema.tables
    rows = [(table.name, len(table.columns), len(table.relationships)) for table in tables]
    columns = sum(len(table.columns) for table in tables)
    written = "Wrote" if changed else "Nothing has changed in"
    return Report(
        "schema generate",
        ExitCode.DONE,
        f"{written} {path}: {number_of(len(tables), 'table')}, {number_of(columns, 'column')}, from {source}.",
        {"schema_file": path, "tables": len(tables), "columns": columns, "changed": changed, "source": source},
        [
            _section("Tables", ("table", "columns", "relationships"), rows),
            _section("Left out", ("table", "column", "why"), generated.left_out),
        ],
    )


def plan_report(plan: PlanFile, exit_code: ExitCode, command: str = "plan") -> Report:
    """What a plan would change."""
    counts = plan.counts()
    writes = plan.writes()
    header = plan.header
    if header.refusals:
        verdict = f"The plan is refused: {header.refusals[0]}" + _more(len(header.refusals) - 1, "reasons") + "."
    elif writes:
        facts = _count_facts(counts)
        verdict = (
            f"To be done: {facts['created']} to create, {facts['updated']} to update, {facts['associations_added']} to"
            f" associate; {facts['unchanged']} rows are as they should be."
        )
    else:
        verdict = "Nothing is to be changed: the target holds what the package says."
    return Report(
        command,
        exit_code,
        verdict,
        {
            **_count_facts(counts),
            "has_changes": bool(writes),
            "plan_file": str(plan.path),
            "plan_digest": header.digest,
            "package_digest": header.package_digest,
            "target": header.target_url,
            "target_organization": header.target_organization,
            "target_version": header.target_version,
            **_date_facts(header),
            "refusals": header.refusals,
            **({"hint": _REFUSED_HINT} if header.refusals else {}),
        },
        [
            _section("Why the plan is refused", ("reason",), [(reason,) for reason in header.refusals]),
            _counts_section(counts),
            _changes_section("Changes", plan.changes(actions=WRITING), writes),
            _reasons_section("Conflicts", plan, Action.CONFLICT),
            _reasons_section("Skipped", plan, Action.SKIP),
            _notes_section(plan.notes()),
        ],
        reason={ExitCode.REFUSED: "plan-refused", ExitCode.DIFFERENCES: "changes"}.get(exit_code, ""),
        annotations=[
            Annotation(Level.WARNING, "source", note.message) for note in plan.notes() if note.kind == "source"
        ],
    )


def apply_report(
    run: RunFile, result: ApplyResult, exit_code: ExitCode, left: Verification | None, target: str
) -> Report:
    """What an import into ``target`` did; ``left`` is what a second look found, None when there was none."""
    counts = run.applied_counts()
    open_changes = run.plan.writes() - result.applied
    failures = [
        (
            change.table,
            change.name or change.id,
            describe_change(change),
            outcome.status.value,
            _why(outcome.message, outcome.code),
        )
        for change, outcome in run.not_applied(SHOWN_ROWS)
    ]
    again = left or Verification()
    return Report(
        "import",
        exit_code,
        _apply_verdict(counts, result, open_changes, left),
        {
            "writes": result.written,
            "applied": result.applied,
            "not_applied": open_changes,
            "differences_left": None if left is None else left.count,
            **_count_facts(counts),
            **{status.value: result.counts.get(status, 0) for status in Status if status is not Status.APPLIED},
            "run_file": str(run.path),
            "plan_digest": run.header.digest,
            **({"hint": _DIFFERENCES_HINT} if left is not None and not left.holds else {}),
            "target": target,
            "target_organization": run.header.target_organization,
            "target_version": run.header.target_version,
            **_date_facts(run.header),
        },
        [
            _counts_section(counts),
            Section(
                "Not applied",
                ("table", "row", "change", "outcome", "why"),
                failures,
                max(0, result.failed - len(failures)),
            ),
            _changes_section("Differences that are left", again.differences, again.count),
            _section("What the second look could not compare", ("why",), [(reason,) for reason in again.undecided]),
            _reasons_section("Skipped", run.plan, Action.SKIP),
            _notes_section(run.plan.notes()),
        ],
        reason=_apply_reason(result, left),
    )


def _apply_reason(result: ApplyResult, left: Verification | None) -> str:
    if result.error is not None:
        return result.error.reason
    if result.stopped:
        return "target-changed"
    if result.failed:
        return "rows-failed"
    return "" if left is None or left.holds else "differences-left"


def _apply_verdict(
    counts: Sequence[TableCounts], result: ApplyResult, open_changes: int, left: Verification | None
) -> str:
    there = result.applied - result.written
    applied = f"{number_of(result.applied, 'change')} applied" + (f" ({there} already before)" if there > 0 else "")
    done = f"{applied}, {open_changes} not"
    if result.error is not None:
        return f"Stopped: {result.error.message} {done}. {result.error.hint}"
    if result.stopped:
        return f"Stopped: {result.stopped}. {done}. Make a new plan, or go on without such rows: --on-drift skip."
    if result.failed:
        return f"Incomplete: {done}. The same command with --run tries again what failed."
    if left is None:
        return f"Done: {_summary(counts)}. The target was not compared with the package again: give --data for that."
    if not left.holds:
        return f"{applied}, but {left.count or 'some'} differences are left."
    if not result.written:
        return "Nothing was to be changed: the target holds what the package says."
    return f"Done: {_summary(counts)}."


def verify_report(found: Verification, target: str) -> Report:
    """Where the target differs from the package, and what could not be compared."""
    if found.count:
        verdict = f"{number_of(found.count, 'difference')} between the package and {target}."
    elif found.undecided:
        more = _more(len(found.undecided) - 1, "reasons")
        verdict = f"The package cannot be compared with {target}: {found.undecided[0]}{more}."
    else:
        rows = sum(count.unchanged + count.skip for count in found.counts)
        pairs = sum(count.associated for count in found.counts)
        verdict = f"The target holds what the package says: {rows} rows and {pairs} associations."
    return Report(
        "verify",
        ExitCode.DONE if found.holds else ExitCode.DIFFERENCES,
        verdict,
        {
            "differences": found.count,
            **_count_facts(found.counts),
            "target": target,
            **_date_facts(found.header),
            **({} if found.holds else {"hint": _DIFFERENCES_HINT}),
        },
        [
            _section("Not comparable", ("why",), [(reason,) for reason in found.undecided]),
            _changes_section("Differences", found.differences, found.count),
            _counts_section(found.counts),
        ],
        reason="" if found.holds else "differences",
    )


def _date_facts(header: PlanHeader | None) -> Mapping[str, Fact]:
    """Of a plan that moves dates: from when, to when, and by how much."""
    if header is None or not header.as_of:
        return {}
    return {"as_of": header.as_of, "exported": header.exported, "date_shifts": shifts_in(header.policies)}


def _count_facts(counts: Iterable[TableCounts]) -> Mapping[str, Fact]:
    listed = list(counts)
    return {
        "created": sum(count.create for count in listed),
        "updated": sum(count.update for count in listed),
        "unchanged": sum(count.unchanged for count in listed),
        "skipped_rows": sum(count.skip for count in listed),
        "conflicts": sum(count.conflict for count in listed),
        "associations_added": sum(count.associate for count in listed),
        "associations_unchanged": sum(count.associated for count in listed),
    }


def _summary(counts: Iterable[TableCounts]) -> str:
    facts = _count_facts(counts)
    return (
        f"{facts['created']} created, {facts['updated']} updated, {facts['associations_added']} associated,"
        f" {facts['unchanged']} rows left alone"
    )


def _counts_section(counts: Sequence[TableCounts]) -> Section:
    rows = [(c.table, c.create, c.update, c.unchanged, c.skip, c.conflict, c.associate, c.associated) for c in counts]
    return Section("Tables", _COUNT_COLUMNS, rows)


def _changes_section(title: str, changes: Iterable[Change], total: int) -> Section:
    rows = [
        (change.table, change.name or change.id, change.action.value, describe_change(change))
        for change in islice(changes, SHOWN_ROWS)
    ]
    return Section(title, ("table", "row", "action", "what"), rows, max(0, total - len(rows)))


def describe_change(change: Change) -> str:
    """What a change does, in a few words."""
    match change.action:
        case Action.CREATE:
            return _created(change)
        case Action.ASSOCIATE:
            return f"{change.relationship} with {change.other_id}"
        case Action.CONFLICT:
            return change.reason
        case _:
            return "; ".join(
                f"{name}: {show_change(name, change.before.get(name), after)}" for name, after in change.after.items()
            )


_CREATED_COLUMNS = 8


def _created(change: Change) -> str:
    """The first values of a new row."""
    values = [f"{name}: {show_value(name, value)}" for name, value in islice(change.after.items(), _CREATED_COLUMNS)]
    more = len(change.after) - len(values)
    return "; ".join(values) + (f"; and {number_of(more, 'column')} more" if more else "")


def _reasons_section(title: str, plan: PlanFile, action: Action) -> Section:
    changes = islice(plan.changes((action,)), SHOWN_ROWS)
    rows = [(change.table, change.source_id, change.reason) for change in changes]
    return Section(title, ("table", "row", "why"), rows, max(0, plan.count((action,)) - len(rows)))


def _notes_section(notes: Iterable[Note]) -> Section:
    rows = [(note.table, note.column, note.message, note.count, shorten(note.example)) for note in notes]
    return _section("Notes", ("table", "column", "what", "times", "example"), rows)


def _section(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Section:
    return Section(title, columns, rows[:SHOWN_ROWS], max(0, len(rows) - SHOWN_ROWS))


def _why(message: str, code: str) -> str:
    return f"{message} [{code}]" if code else message


def _more(count: int, what: str) -> str:
    return f" (and {count} more {what})" if count > 0 else ""
