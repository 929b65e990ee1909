"""``confmig import``: Apply this plan, or plan and apply this package."""

import os
import tempfile
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from confmig.applying.apply import apply_plan
from confmig.applying.batch import OnDrift
from confmig.applying.outcomes import ApplyResult
from confmig.applying.runfile import RunFile
from confmig.commands.options import (
    Auth,
    Drift,
    Format,
    FormatOption,
    Ignore,
    Lookups,
    MaxChanges,
    Reports,
    RunPath,
    Target,
    TargetAuth,
    auth_mode,
    ignored_columns,
)
from confmig.commands.plan import make_plan
from confmig.commands.results import finish
from confmig.commands.verify import find_differences
from confmig.errors import ExitCode, PlanError, UsageError
from confmig.hosts.host import detect_host, say
from confmig.hosts.progress import Progress
from confmig.hosts.signals import SIGNALS
from confmig.package.package import Package
from confmig.planning.plan import Change, LookupPolicy, PlanOptions
from confmig.planning.planfile import PlanFile
from confmig.reporting.build import apply_report, findings_report, plan_report
from confmig.reporting.report import Report
from confmig.reporting.write import require_report_paths
from confmig.webapi.environment import Environment, connect


def import_(
    target: Target,
    data: Annotated[
        Path | None, typer.Option(envvar="CONFMIG_DATA", help="Data package to plan and apply: a zip, or a folder.")
    ] = None,
    plan: Annotated[Path | None, typer.Option(envvar="CONFMIG_PLAN", help="Plan file to apply, exactly.")] = None,
    expect_digest: Annotated[
        str | None,
        typer.Option(envvar="CONFMIG_EXPECT_DIGEST", help="Digest of the approved plan; any other is refused."),
    ] = None,
    run: RunPath = None,
    unreviewed: Annotated[
        bool,
        typer.Option(
            "--unreviewed",
            envvar="CONFMIG_UNREVIEWED",
            help="In a pipeline: apply a package without a plan that somebody has seen.",
        ),
    ] = False,
    on_drift: Drift = OnDrift.STOP,
    lookups: Lookups = LookupPolicy.FAIL,
    ignore: Ignore = None,
    max_changes: MaxChanges = None,
    auth: Auth = None,
    target_auth: TargetAuth = None,
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Apply a plan exactly, or plan and apply a package; every outcome goes into the run file."""
    require_report_paths(report or ())
    if plan is None and data is None:
        raise UsageError("There is nothing to import.", "Give --plan FILE, or --data FILE.")
    if plan is None and detect_host().is_pipeline and not unreviewed:
        raise UsageError(
            "In a pipeline a package is applied by a plan that somebody has seen.",
            "Run confmig plan first and give its file with --plan, or say --unreviewed.",
        )
    options = PlanOptions(lookups, ignored_columns(ignore), max_changes)
    environment = connect(target, auth_mode(target_auth, auth, target), "target")
    result = import_package(environment, data, plan, expect_digest, run, on_drift, options)
    return finish(result, format_, report)


def import_package(
    target: Environment,
    data: Path | None,
    plan: Path | None,
    expect_digest: str | None,
    run: Path | None,
    on_drift: OnDrift,
    options: PlanOptions,
) -> Report:
    """Plan if there is no plan yet, apply, look again, and report."""
    if plan is not None:
        return _apply(target, plan, run or plan.with_suffix(".run"), data, expect_digest, on_drift, options)
    assert data is not None  # noqa: S101  # the caller has looked
    if run is not None and _is_interrupted_run(run, data, target):
        say(f"{run} is the run of an import that did not end; it goes on.")
        return _apply(target, run, run, data, expect_digest, on_drift, options)
    with tempfile.TemporaryDirectory(prefix="confmig-") as folder:
        made = Path(folder) / "confmig.plan"
        with Package(data) as package:
            planned = make_plan(package, target, options, made)
        if planned.findings:
            return findings_report("import", planned.findings)
        return _apply(target, made, _free_path(run or _run_name()), data, expect_digest, on_drift, options)


def _is_interrupted_run(run: Path, data: Path, target: Environment) -> bool:
    """Whether a run file is that of an earlier, unfinished import of the same package into the same target."""
    if not run.exists():
        return False
    with RunFile.open(run) as earlier, Package(data) as package:
        return (
            not earlier.is_finished()
            and earlier.header.target_organization == target.identity.organization_id
            and earlier.header.package_digest == package.digest
        )


def _run_name() -> Path:
    return Path(f"confmig-run-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.run")


def _free_path(path: Path) -> Path:
    """The path, or a numbered one beside it: a run file is evidence and never replaced."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return path if not path.exists() else next(other for other in numbered if not other.exists())


def _apply(
    target: Environment,
    plan: Path,
    run_path: Path,
    data: Path | None,
    expect_digest: str | None,
    on_drift: OnDrift,
    options: PlanOptions,
) -> Report:
    with PlanFile(plan) as planned:
        _require_applicable(planned, target, expect_digest)
        if planned.header.refusals:
            return plan_report(planned, ExitCode.REFUSED)
        total = planned.writes()
    say(f"The outcomes go into {run_path}.")
    with RunFile.start(plan, run_path) as run:
        with SIGNALS.gently() as stopping, Progress("applied", total) as progress:
            result = apply_plan(target, run, on_drift, progress, stopping)
        if stopping.is_set():
            raise SIGNALS.error(
                f"Stopped: {result.applied} of {total} changes are applied.",
                f"The outcomes are in {run_path}; the same command with --run {run_path} goes on.",
            )
        left = _differences_left(target, data, options, result)
        return apply_report(run, result, _exit_code(result, left), left)


def _require_applicable(planned: PlanFile, target: Environment, expect_digest: str | None) -> None:
    """Refuse a plan that is not the approved one, or not one for this target."""
    header = planned.header
    planned.require_untouched()
    if expect_digest is not None and expect_digest.strip().lower() != header.digest:
        raise PlanError(
            f"{planned.path}: its digest is {header.digest}, not the approved {expect_digest}.",
            "Have this plan approved, or give the approved file.",
        )
    if header.target_organization != target.identity.organization_id:
        raise PlanError(
            f"{planned.path} is a plan for organization {header.target_organization} ({header.target_url}),"
            f" but {target.url} is {target.identity.organization_id}.",
            "Make a plan for this target.",
        )


def _differences_left(
    target: Environment, data: Path | None, options: PlanOptions, result: ApplyResult
) -> list[Change]:
    """Plan once more: when everything was applied, nothing may be left. What was not written needs no second look."""
    if data is None or result.failed or result.stopped or not result.written:
        return []
    with Package(data) as package:
        return find_differences(package, target, options).differences


def _exit_code(result: ApplyResult, left: list[Change]) -> ExitCode:
    if result.stopped:
        return ExitCode.REFUSED
    return ExitCode.INCOMPLETE if result.failed or left else ExitCode.DONE
