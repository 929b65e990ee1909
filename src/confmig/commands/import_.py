"""``confmig import``: Apply this plan, or plan and apply this package."""

import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from confmig.applying.batch import OnDrift
from confmig.applying.runfile import RunFile, free_path, path_of_run, taken_paths
from confmig.checking.versions import VersionPolicy
from confmig.commands.carrying_out import carry_out
from confmig.commands.gate import objections, parse_age, require_expected, require_package_of
from confmig.commands.options import (
    AsOf,
    Auth,
    Drift,
    ExpectData,
    Format,
    FormatOption,
    Ignore,
    MaxChanges,
    PackageLimits,
    Reports,
    RunPath,
    SameOrganization,
    Solutions,
    Target,
    TargetAuth,
    auth_mode,
    ignored_columns,
    moment_of,
    require_distinct,
    require_outside,
)
from confmig.commands.plan import make_plan, require_data_digest
from confmig.commands.results import finish
from confmig.errors import ExitCode, PlanError, UsageError
from confmig.hosts.approvals import Approval
from confmig.hosts.approvals import require_approval as require_approval_of
from confmig.hosts.host import detect_host, say
from confmig.package.limits import LIMITS, Limits
from confmig.package.package import Package
from confmig.planning.plan import LookupPolicy, PlanOptions
from confmig.planning.planfile import PlanFile, PlanHeader
from confmig.reporting.findings import findings_report
from confmig.reporting.report import Annotation, Level, Report
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
        typer.Option(
            envvar="CONFMIG_EXPECT_DIGEST",
            help="Digest of the approved plan; any other is refused. With --data the plan is made again and compared.",
        ),
    ] = None,
    expect_data_digest: ExpectData = None,
    plan_age: Annotated[
        str | None,
        typer.Option(envvar="CONFMIG_PLAN_AGE", metavar="AGE", help="Refuse a plan that is older: 30m, 12h, 7d."),
    ] = None,
    require_approval: Annotated[
        bool,
        typer.Option(
            "--require-approval",
            envvar="CONFMIG_REQUIRE_APPROVAL",
            help="Ask GitHub or Azure DevOps who approved this run, and refuse when nobody did.",
        ),
    ] = False,
    approval_environment: Annotated[
        str | None,
        typer.Option(
            envvar="CONFMIG_APPROVAL_ENVIRONMENT",
            metavar="NAME",
            help="With --require-approval: the environment of the job, whose reviewers approve.",
        ),
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
    versions: Annotated[
        VersionPolicy | None, typer.Option(envvar="CONFMIG_VERSIONS", help="With --data: see confmig plan.")
    ] = None,
    compare_solution: Solutions = None,
    same_organization: SameOrganization = False,
    as_of: AsOf = None,
    auth: Auth = None,
    target_auth: TargetAuth = None,
    package_limits: PackageLimits = LIMITS,
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Apply a plan exactly, or plan and apply a package; every outcome goes into the run file."""
    require_distinct(data, plan, run if run != plan else None, *(report or ()))
    require_outside(data, run or (plan.with_suffix(".run") if plan else run_name()), *(report or ()))
    require_report_paths(report or ())
    _require_no_empty_condition()
    mode = auth_mode(target_auth, auth, target)
    if plan is None:
        _require_data_alone(data, expect_digest or plan_age, reviewed=require_approval, unreviewed=unreviewed)
        assert data is not None  # noqa: S101  # just checked
        options = PlanOptions(
            lookups or LookupPolicy.FAIL,
            ignored_columns(ignore),
            max_changes,
            versions or VersionPolicy.IDENTICAL,
            tuple(compare_solution or ()),
            same_organization,
            moment_of(as_of),
        )
        with Package(data, package_limits) as package:
            require_data_digest(package, expect_data_digest)
            environment = connect(target, mode, "target")
        return finish(import_data(environment, data, options, run, on_drift, package_limits), format_, report)
    if lookups or ignore or max_changes is not None or versions or compare_solution or same_organization:
        raise UsageError(
            "--lookups, --ignore, --max-changes, --versions, --compare-solution and --same-organization are decided"
            " when a plan is made, not when it is applied.",
            "Give them to confmig plan.",
        )
    with PlanFile(plan) as planned:
        _require_same_moment(f"{plan} is a plan", planned.header, moment_of(as_of))
        require_expected(planned, expect_digest, expect_data_digest, parse_age(plan_age))
        approval = _approval(approval_environment, expect_digest) if require_approval else None
        environment = connect(target, mode, "target")
        again = expect_digest is not None and on_drift is OnDrift.STOP
        result = import_plan(environment, planned, data, run, on_drift, again=again, limits=package_limits)
    if expect_digest is None and detect_host().is_pipeline:
        result = replace(result, annotations=[*result.annotations, _ANY_PLAN])
    return finish(_with_approval(result, approval), format_, report)


_ANY_PLAN = Annotation(
    Level.WARNING,
    "any-plan",
    "No digest says which plan was reviewed, so the plan file that was found was taken."
    " Give --expect-digest, handed over by the job that made the plan.",
)


def _require_no_empty_condition() -> None:
    """Check that no condition was meant and came out empty, as the output of a job does whose name is mistyped.

    An empty variable counts as none, and an import without its condition would go through.
    """
    for name in ("EXPECT_DIGEST", "EXPECT_DATA_DIGEST", "PLAN_AGE", "REQUIRE_APPROVAL"):
        if os.environ.get(f"CONFMIG_{name}", "unset").strip() == "":
            raise UsageError(f"The variable CONFMIG_{name} is set, but empty.", "Give it a value, or do not set it.")


def _require_data_alone(data: Path | None, of_a_plan: str | None, *, reviewed: bool, unreviewed: bool) -> None:
    """Check that a package may be imported without a plan file."""
    if data is None:
        raise UsageError("There is nothing to import.", "Give --plan FILE, or --data FILE.")
    if of_a_plan is not None or reviewed:
        raise UsageError(
            "--expect-digest, --plan-age and --require-approval are about a plan.", "Give the plan's file with --plan."
        )
    if detect_host().is_pipeline and not unreviewed:
        raise UsageError(
            "In a pipeline a package is applied by a plan that somebody has seen.",
            "Run confmig plan first and give its file with --plan, or say --unreviewed.",
            reason="unreviewed",
        )


def _approval(environment: str | None, digest: str | None) -> Approval:
    if not environment:
        raise UsageError(
            "--require-approval needs to know which environment's reviewers approve.",
            "Give --approval-environment with the name in the job's environment.",
        )
    approval = require_approval_of(detect_host(), environment)
    if digest is None:  # as it is when the output that should hold it is mistyped in a workflow
        raise UsageError(
            "--require-approval needs the digest of the plan that was approved.",
            "Give --expect-digest, handed over by the job that made the plan.",
        )
    return approval


def _with_approval(result: Report, approval: Approval | None) -> Report:
    if approval is None:
        return result
    said = {"approval_comment": approval.comment, "approval_remark": approval.remark}
    facts = {
        **result.facts,
        "approved_by": ", ".join(approval.approvers),
        "environment": approval.environment,
        **{name: text for name, text in said.items() if text},
    }
    annotations = list(result.annotations)
    if approval.self_approved:
        words = f"The run was approved by the one who started it, {', '.join(approval.approvers)}."
        advice = f"Prevent self-review in the settings of environment {approval.environment}."
        annotations.append(Annotation(Level.WARNING, "self-approved", f"{words} {advice}"))
    return replace(result, facts=facts, annotations=annotations)


def import_data(
    target: Environment,
    data: Path,
    options: PlanOptions,
    run: Path | None,
    on_drift: OnDrift,
    limits: Limits = LIMITS,
) -> Report:
    """Plan a package, apply the plan and look again; or go on with the run of this import that did not end."""
    with Package(data, limits) as package, tempfile.TemporaryDirectory(prefix="confmig-") as folder:
        for path in taken_paths(run) if run else ():
            with RunFile.open(path) as earlier:
                resumable = earlier.can_resume(target.identity.organization_id, package.digest)
                begun = earlier.header
            if resumable:
                _require_same_policies(path, begun.policies, options)
                _require_same_moment(f"{path} is the run of an import", begun, options.as_of)
                say(f"{path} is the run of an import that did not end; it goes on.")
                with PlanFile(path) as unfinished:
                    return carry_out(target, unfinished, path, package, on_drift)
        made = Path(folder) / "confmig.plan"
        planned = make_plan(package, target, options, made)
        if planned.findings:
            return findings_report("import", planned.findings)
        with PlanFile(made) as fresh:
            return carry_out(target, fresh, free_path(run or run_name()), package, on_drift)


def _require_same_policies(run: Path, begun_with: Mapping[str, str], options: PlanOptions) -> None:
    """Check that a run goes on as it began: its plan is made, and other options would have no effect.

    Raises:
        UsageError: The options are others.
    """
    given = options.as_texts()
    if others := [f"--{name}" for name, text in given.items() if begun_with.get(name) != text]:
        raise UsageError(
            f"{run} is the run of an import that began with another {', '.join(others)}.",
            "Give the same options, or --run with a new name to begin anew.",
        )


def _require_same_moment(what: str, header: PlanHeader, as_of: datetime | None) -> None:
    """Check that relative dates are not asked for as of another moment than that for which they stand in a plan.

    Raises:
        UsageError: They are.
    """
    if as_of is not None and header.as_of not in {"", as_of.isoformat()}:
        raise UsageError(
            f"{what} that moved relative dates as of {header.as_of}, not as of {as_of.isoformat()}.",
            "Leave --as-of out: what was planned holds. Or make a new plan with it.",
        )


def run_name() -> Path:
    """The run file of an import without a plan file: no two imports have the same."""
    return Path(f"confmig-run-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.run")


def import_plan(
    target: Environment,
    planned: PlanFile,
    data: Path | None,
    run: Path | None,
    on_drift: OnDrift,
    *,
    again: bool,
    limits: Limits = LIMITS,
) -> Report:
    """Apply a plan exactly, if the target has nothing against it, and look again when its package is at hand.

    Args:
        target: The target.
        planned: The plan, which stays open: what was checked is what is applied.
        data: The package that it was made from.
        run: The run file; default: beside the plan.
        on_drift: What to do with a row that is no longer as planned.
        again: Whether the plan is first made again: what it holds must be what was approved, or the rest of it.
        limits: What the package may ask of the reader.
    """
    with ExitStack() as stack:
        package = stack.enter_context(Package(data, limits)) if data is not None else None
        if package is not None:
            require_package_of(planned, package)
        elif planned.brings_files():
            raise PlanError(
                f"{planned.path}: this plan brings files, which it names by their hashes; the package holds them.",
                "Give the package that the plan was made from with --data.",
            )
        options = PlanOptions.from_texts(planned.header.policies, planned.header.as_of)
        if refused := objections(planned, target, package, options, again=again):
            return refused
        path = path_of_run(planned, run or planned.path.with_suffix(".run"))
        return carry_out(target, planned, path, package, on_drift)
