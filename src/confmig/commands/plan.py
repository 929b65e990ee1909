"""``confmig plan``: What would importing this package change in the target?"""

from pathlib import Path
from typing import Annotated

import typer

from confmig import __version__
from confmig.commands.options import (
    Auth,
    DataFile,
    Format,
    FormatOption,
    Ignore,
    Lookups,
    MaxChanges,
    PlanPath,
    Reports,
    Target,
    TargetAuth,
    auth_mode,
    ignored_columns,
    require_distinct,
)
from confmig.commands.results import finish
from confmig.errors import ExitCode
from confmig.package.package import Package
from confmig.planning.build import PlanResult, build_plan
from confmig.planning.plan import LookupPolicy, PlanOptions
from confmig.planning.planfile import PlanFile, discard_old_plan
from confmig.reporting.build import findings_report, plan_report
from confmig.reporting.write import require_report_paths
from confmig.webapi.environment import Environment, connect


def plan(
    target: Target,
    data: DataFile = Path("data.zip"),
    plan_: PlanPath = Path("confmig.plan"),
    lookups: Lookups = LookupPolicy.FAIL,
    ignore: Ignore = None,
    max_changes: MaxChanges = None,
    fail_on_changes: Annotated[
        bool,
        typer.Option("--fail-on-changes", envvar="CONFMIG_FAIL_ON_CHANGES", help="End with 4 when there are changes."),
    ] = False,
    auth: Auth = None,
    target_auth: TargetAuth = None,
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Show what importing this package would change in the target; never writes to it."""
    require_distinct(data, plan_, *(report or ()))
    require_report_paths(report or ())
    options = PlanOptions(lookups, ignored_columns(ignore), max_changes)
    with Package(data) as package:
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
        return finish(plan_report(planned, exit_code), format_, report)


def make_plan(package: Package, target: Environment, options: PlanOptions, path: Path) -> PlanResult:
    """Plan the import of a package; the plan file is at ``path`` unless there are findings."""
    return build_plan(package, target, options, path, package=package.path.name, tool_version=__version__)
