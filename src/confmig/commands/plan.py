"""``confmig plan``: What would importing this package change in the target?"""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from confmig import __version__
from confmig.checking.findings import errors_of
from confmig.checking.schemas import never_moved
from confmig.checking.versions import VersionPolicy
from confmig.commands.options import (
    AsOf,
    Auth,
    DataFile,
    ExpectData,
    Format,
    FormatOption,
    Ignore,
    Lookups,
    MaxChanges,
    PackageLimits,
    PlanPath,
    Reports,
    SameOrganization,
    Solutions,
    Target,
    TargetAuth,
    Versions,
    auth_mode,
    ignored_columns,
    moment_of,
    require_distinct,
    require_outside,
)
from confmig.commands.results import finish
from confmig.commands.sides import compare_origin, origin_of
from confmig.errors import ExitCode, PlanError, ServiceError
from confmig.hosts.comments import post_comment
from confmig.hosts.host import say
from confmig.model.secrets import SECRETS
from confmig.package.limits import LIMITS
from confmig.package.package import Package
from confmig.planning.build import PlanResult, build_plan
from confmig.planning.plan import LookupPolicy, PlanOptions
from confmig.planning.planfile import PlanFile, discard_old_plan
from confmig.profiles.profile import load_profiles
from confmig.reporting.build import plan_report
from confmig.reporting.findings import findings_report
from confmig.reporting.markdown import render_markdown
from confmig.reporting.report import Report, with_texts
from confmig.reporting.write import require_report_paths
from confmig.webapi.environment import Environment, connect


def plan(
    target: Target,
    data: DataFile = Path("data.zip"),
    plan_: PlanPath = Path("confmig.plan"),
    lookups: Lookups = LookupPolicy.FAIL,
    ignore: Ignore = None,
    max_changes: MaxChanges = None,
    versions: Versions = VersionPolicy.IDENTICAL,
    compare_solution: Solutions = None,
    same_organization: SameOrganization = False,
    as_of: AsOf = None,
    expect_data_digest: ExpectData = None,
    comment: Annotated[
        bool,
        typer.Option(
            "--comment", envvar="CONFMIG_COMMENT", help="In a pull request on GitHub: write the plan as a comment."
        ),
    ] = False,
    fail_on_changes: Annotated[
        bool,
        typer.Option("--fail-on-changes", envvar="CONFMIG_FAIL_ON_CHANGES", help="End with 4 when there are changes."),
    ] = False,
    auth: Auth = None,
    target_auth: TargetAuth = None,
    package_limits: PackageLimits = LIMITS,
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Show what importing this package would change in the target; never writes to it."""
    require_distinct(data, plan_, *(report or ()))
    require_outside(data, plan_, *(report or ()))
    require_report_paths(report or ())
    options = PlanOptions(
        lookups,
        ignored_columns(ignore),
        max_changes,
        versions,
        tuple(compare_solution or ()),
        same_organization,
        moment_of(as_of),
    )
    with Package(data, package_limits) as package:
        require_data_digest(package, expect_data_digest)
        discard_old_plan(plan_)
        environment = connect(target, auth_mode(target_auth, auth, target), "target")
        result = make_plan(package, environment, options, plan_)
    if result.findings:
        return finish(findings_report("plan", result.findings), format_, report)
    with PlanFile(plan_) as planned:
        exit_code = ExitCode.DONE
        if planned.header.refusals:
            exit_code = ExitCode.REFUSED
        elif fail_on_changes and planned.writes():
            exit_code = ExitCode.DIFFERENCES
        result_of_plan = plan_report(planned, exit_code)
    if comment:
        comment_on_pull_request(result_of_plan, target)
    return finish(result_of_plan, format_, report)


def make_plan(package: Package, target: Environment, options: PlanOptions, path: Path) -> PlanResult:
    """Plan the import of a package, as of now unless the options say otherwise.

    The plan file is at ``path`` unless there are findings.
    """
    origin, doubt = origin_of(package)
    findings = [
        *never_moved(package.schema, load_profiles()),
        *compare_origin(package.schema.names(), origin, target, options, doubt),
    ]
    if errors := errors_of(findings):
        return PlanResult(None, tuple(errors))
    return build_plan(
        package,
        target,
        as_of_now(options),
        path,
        package=package.path.name,
        tool_version=__version__,
        origin=origin,
        remarks=[finding.message for finding in findings],
    )


def as_of_now(options: PlanOptions) -> PlanOptions:
    """The options with this moment, unless they have one."""
    return options if options.as_of else replace(options, as_of=datetime.now(UTC).replace(microsecond=0))


def require_data_digest(package: Package, expected: str | None) -> None:
    """Check that a package is the one that was exported.

    Raises:
        PlanError: It is another.
    """
    if expected is not None and expected.strip().lower() != package.digest:
        raise PlanError(
            f"{package.path}: its digest is {package.digest}, not the expected {expected}.",
            "Give the package that was exported, unchanged.",
            reason="package-changed",
        )


def comment_on_pull_request(report: Report, target: str) -> None:
    """Write a report as the one comment that this target has on the pull request."""
    try:
        post_comment(render_markdown(with_texts(report, SECRETS.hide)), f"plan {target}")
    except ServiceError as error:
        say(f"The pull request has no comment: {error.message} {error.hint}")
