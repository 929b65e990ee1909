"""``confmig promote``: check, export, plan, import and verify in one process, for a local run."""

from dataclasses import replace
from pathlib import Path

from confmig.applying.batch import OnDrift
from confmig.checking.findings import errors_of
from confmig.checking.live import LivePolicy
from confmig.checking.versions import VersionPolicy
from confmig.commands.check import check_environments
from confmig.commands.export import export_package
from confmig.commands.import_ import import_data, run_name
from confmig.commands.options import (
    AsOf,
    Auth,
    DataFile,
    Drift,
    Format,
    FormatOption,
    Ignore,
    Live,
    Lookups,
    MaxChanges,
    PackageLimits,
    Reports,
    RunPath,
    SchemaFile,
    Solutions,
    Source,
    SourceAuth,
    Target,
    TargetAuth,
    Versions,
    ignored_columns,
    moment_of,
    require_distinct,
    require_outside,
)
from confmig.commands.packages import require_data_name
from confmig.commands.results import finish
from confmig.commands.sides import connect_two
from confmig.errors import ExitCode, UsageError
from confmig.hosts.host import detect_host, say
from confmig.package.limits import LIMITS
from confmig.package.manifest import manifest_path
from confmig.package.package import read_schema
from confmig.planning.plan import LookupPolicy, PlanOptions
from confmig.reporting.findings import findings_report
from confmig.reporting.report import Report
from confmig.reporting.write import require_report_paths


def promote(
    source: Source,
    target: Target,
    schema: SchemaFile,
    data: DataFile = Path("data.zip"),
    run: RunPath = None,
    on_drift: Drift = OnDrift.STOP,
    lookups: Lookups = LookupPolicy.FAIL,
    ignore: Ignore = None,
    max_changes: MaxChanges = None,
    versions: Versions = VersionPolicy.IDENTICAL,
    compare_solution: Solutions = None,
    live: Live = LivePolicy.FAIL,
    as_of: AsOf = None,
    auth: Auth = None,
    source_auth: SourceAuth = None,
    target_auth: TargetAuth = None,
    package_limits: PackageLimits = LIMITS,
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Check, export from the source, plan, import into the target and verify, in one process."""
    require_distinct(schema, data, manifest_path(data), run, *(report or ()))
    require_outside(data, run or run_name(), *(report or ()))
    require_report_paths(report or ())
    if detect_host().is_pipeline:
        raise UsageError(
            "promote is for a local run: in a pipeline nobody would see the plan before it is applied.",
            "Run confmig export, plan and import --plan as steps of their own.",
        )
    options = PlanOptions(
        lookups,
        ignored_columns(ignore),
        max_changes,
        versions,
        tuple(compare_solution or ()),
        as_of=moment_of(as_of),
    )
    wanted = read_schema(schema, package_limits)
    require_data_name(data)
    source_environment, target_environment = connect_two(source, target, auth, source_auth, target_auth)
    findings = check_environments(wanted[0], source_environment, target_environment, options, live)
    if errors_of(findings):
        return finish(findings_report("promote", findings), format_, report)
    for warning in findings:
        say(warning.message)
    exported = export_package(source_environment, *wanted, data, live, limits=package_limits)
    say(exported.verdict)
    if exported.exit_code is not ExitCode.DONE:
        return finish(exported, format_, report)
    imported = import_data(target_environment, data, options, run, on_drift, package_limits)
    return finish(_joined(exported, imported), format_, report)


def _joined(exported: Report, imported: Report) -> Report:
    facts = {**{f"exported_{name}": fact for name, fact in exported.facts.items()}, **imported.facts}
    return replace(imported, command="promote", facts=facts)
