"""``confmig verify``: Does the target hold what the package says?"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from confmig.commands.options import (
    Auth,
    DataFile,
    Format,
    FormatOption,
    Ignore,
    Lookups,
    Reports,
    Target,
    TargetAuth,
    auth_mode,
    ignored_columns,
)
from confmig.commands.plan import make_plan
from confmig.commands.results import finish
from confmig.errors import ExitCode
from confmig.package.package import Package
from confmig.planning.plan import WRITING, Action, Change, Finding, LookupPolicy, PlanOptions, TableCounts
from confmig.planning.planfile import PlanFile
from confmig.reporting.build import findings_report, verify_report
from confmig.reporting.write import require_report_paths
from confmig.webapi.environment import Environment, connect


def verify(
    target: Target,
    data: DataFile = Path("data.zip"),
    lookups: Lookups = LookupPolicy.FAIL,
    ignore: Ignore = None,
    auth: Auth = None,
    target_auth: TargetAuth = None,
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Compare the target with the package, as a plan does; never writes."""
    require_report_paths(report or ())
    options = PlanOptions(lookups, ignored_columns(ignore))
    environment = connect(target, auth_mode(target_auth, auth, target), "target")
    with Package(data) as package:
        found = find_differences(package, environment, options)
    if found.findings:
        return finish(findings_report("verify", found.findings), format_, report)
    return finish(verify_report(found.differences, found.counts, found.undecided, environment.url), format_, report)


@dataclass(frozen=True, slots=True)
class Verification:
    """Where a target differs from a package; ``undecided`` says what could not be compared, and why."""

    differences: list[Change]
    counts: list[TableCounts]
    findings: tuple[Finding, ...] = ()
    undecided: tuple[str, ...] = ()


def find_differences(package: Package, target: Environment, options: PlanOptions) -> Verification:
    """Plan without keeping the plan: what it would write, or cannot decide, is what differs."""
    with tempfile.TemporaryDirectory(prefix="confmig-") as folder:
        path = Path(folder) / "verify.plan"
        result = make_plan(package, target, options, path)
        if result.findings:
            return Verification([], [], result.findings)
        with PlanFile(path) as plan:
            differences = list(plan.changes(actions=(*WRITING, Action.CONFLICT)))
            return Verification(differences, plan.counts(), undecided=tuple(plan.header.refusals))
