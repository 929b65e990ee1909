"""``confmig import``: Apply this plan, or plan and apply this package."""

import os
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from confmig.applying.apply import apply_plan
from confmig.applying.batch import OnDrift
from confmig.applying.outcomes import ApplyResult
from confmig.applying.runfile import RunFile, free_path
from confmig.applying.verification import Verification, verify_target
from confmig.commands.options import (
    Auth,
    Drift,
    Format,
    FormatOption,
    Ignore,
    MaxChanges,
    Reports,
    RunPath,
    Target,
    TargetAuth,
    auth_mode,
    ignored_columns,
    require_distinct,
)
from confmig.commands.plan import make_plan
from confmig.commands.results import finish
from confmig.errors import ExitCode, PlanError, UsageError
from confmig.hosts.host import detect_host, say
from confmig.hosts.progress import Progress
from confmig.hosts.signals import SIGNALS
from confmig.package.package import Package
from confmig.planning.plan import LookupPolicy, PlanOptions
from confmig.planning.planfile import PlanFile
from confmig.reporting.build import apply_report, findings_report, plan_report
from confmig.reporting.report import SHOWN_ROWS, Report
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
    lookups: Annotated[
        LookupPolicy | None, typer.Option(envvar="CONFMIG_LOOKUPS", help="With --data: see confmig plan.")
    ] = None,
    ignore: Ignore = None,
    max_changes: MaxChanges = None,
    auth: Auth = None,
    target_auth: TargetAuth = None,
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Apply a plan exactly, or plan and apply a package; every outcome goes into the run file."""
    require_distinct(data, plan, run if run != plan else None, *(report or ()))
    require_report_paths(report or ())
    mode = auth_mode(target_auth, auth, target)
    if plan is not None:
        if lookups is not None or ignore or max_changes is not None:
            raise UsageError(
                "--lookups, --ignore and --max-changes are decided when a plan is made, not when it is applied.",
                "Give them to confmig plan.",
            )
        with PlanFile(plan):
            result = import_plan(connect(target, mode, "target"), plan, expect_digest, data, run, on_drift)
        return finish(result, format_, report)
    if data is None:
        raise UsageError("There is nothing to import.", "Give --plan FILE, or --data FILE.")
    if expect_digest is not None:
        raise UsageError("--expect-digest is the digest of a plan.", "Give the plan's file with --plan.")
    if detect_host().is_pipeline and not unreviewed:
        raise UsageError(
            "In a pipeline a package is applied by a plan that somebody has seen.",
            "Run confmig plan first and give its file with --plan, or say --unreviewed.",
        )
    options = PlanOptions(lookups or LookupPolicy.FAIL, ignored_columns(ignore), max_changes)
    with Package(data):
        environment = connect(target, mode, "target")
    return finish(import_data(environment, data, options, run, on_drift), format_, report)


def import_data(target: Environment, data: Path, options: PlanOptions, run: Path | None, on_drift: OnDrift) -> Report:
    """Plan a package, apply the plan and look again; or go on with the run of this import that did not end."""
    with Package(data) as package, tempfile.TemporaryDirectory(prefix="confmig-") as folder:
        if run is not None and run.exists():
            with RunFile.open(run) as earlier:
                resumable = earlier.can_resume(target.identity.organization_id, package.digest)
            if resumable:
                say(f"{run} is the run of an import that did not end; it goes on.")
                return _apply(target, run, run, package, on_drift)
        made = Path(folder) / "confmig.plan"
        planned = make_plan(package, target, options, made)
        if planned.findings:
            return findings_report("import", planned.findings)
        return _apply(target, made, free_path(run or _run_name()), package, on_drift)


def _run_name() -> Path:
    return Path(f"confmig-run-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.run")


def import_plan(
    target: Environment,
    plan: Path,
    expect_digest: str | None,
    data: Path | None,
    run: Path | None,
    on_drift: OnDrift,
) -> Report:
    """Apply a plan exactly, and look again when its package is at hand."""
    with PlanFile(plan) as planned:
        _require_approved(planned, expect_digest)
        package_digest = planned.header.package_digest
    run_path = run or plan.with_suffix(".run")
    if data is None:
        return _apply(target, plan, run_path, None, on_drift)
    with Package(data) as package:
        if package.digest != package_digest:
            raise PlanError(
                f"{plan} is a plan for another package than {data}.", "Give the package that the plan was made from."
            )
        return _apply(target, plan, run_path, package, on_drift)


def _require_approved(planned: PlanFile, expect_digest: str | None) -> None:
    """Refuse a plan that was changed, or that is not the approved one."""
    planned.require_untouched()
    digest = planned.header.digest
    if expect_digest is not None and expect_digest.strip().lower() != digest:
        raise PlanError(
            f"{planned.path}: its digest is {digest}, not the approved {expect_digest}.",
            "Have this plan approved, or give the approved file.",
        )


def _apply(target: Environment, plan: Path, run_path: Path, package: Package | None, on_drift: OnDrift) -> Report:
    with PlanFile(plan) as planned:
        planned.require_untouched()
        _require_target(planned, target)
        if planned.header.refusals:
            return plan_report(planned, ExitCode.REFUSED, "import")
        writes = planned.writes()
        options = PlanOptions.from_texts(planned.header.policies)
    say(f"The outcomes go into {run_path}.")
    with RunFile.start(plan, run_path) as run:
        with SIGNALS.gently() as stopping, Progress("applied", writes) as progress:
            result = apply_plan(target, run, on_drift, progress, stopping)
        if stopping.is_set():
            result = replace(result, error=SIGNALS.error("Stopped by a signal.", "The same command goes on."))
        left = None
        if package is not None and not (result.stopped or result.error):
            # A plan that writes nothing has just been compared; anything else is looked at once more.
            left = verify_target(package, target, options, SHOWN_ROWS) if writes else Verification()
        return apply_report(run, result, _exit_code(result, left), left)


def _require_target(planned: PlanFile, target: Environment) -> None:
    """Refuse a plan for another organization."""
    header = planned.header
    if header.target_organization != target.identity.organization_id:
        raise PlanError(
            f"{planned.path} is a plan for organization {header.target_organization} ({header.target_url}),"
            f" but {target.url} is {target.identity.organization_id}.",
            "Make a plan for this target.",
        )


def _exit_code(result: ApplyResult, left: Verification | None) -> ExitCode:
    if result.error is not None:
        return result.error.exit_code
    if result.stopped:
        return ExitCode.REFUSED
    return ExitCode.INCOMPLETE if result.failed or (left is not None and not left.holds) else ExitCode.DONE
