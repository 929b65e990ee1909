"""``confmig check``: May this schema's rows move from source to target now?"""

from confmig.checking.dependencies import never_moved
from confmig.checking.findings import Finding
from confmig.checking.live import LivePolicy, live_findings
from confmig.checking.parity import differing_between, missing_in
from confmig.checking.versions import VersionPolicy, compared_solutions
from confmig.commands.options import (
    Auth,
    Format,
    FormatOption,
    Live,
    Reports,
    SchemaFile,
    Solutions,
    Source,
    SourceAuth,
    Target,
    TargetAuth,
    Versions,
)
from confmig.commands.results import finish
from confmig.commands.sides import compare_environments, connect_two, places_of, sides_of
from confmig.errors import ExitCode
from confmig.exporting.filters import filter_findings
from confmig.exporting.live import LiveGuard
from confmig.model.schema import Schema
from confmig.package.package import read_schema
from confmig.planning.plan import PlanOptions
from confmig.profiles.profile import load_profiles
from confmig.reporting.findings import result_of_checks
from confmig.reporting.report import Fact
from confmig.reporting.write import require_report_paths
from confmig.webapi.environment import Environment


def check(
    source: Source,
    target: Target,
    schema: SchemaFile,
    versions: Versions = VersionPolicy.IDENTICAL,
    compare_solution: Solutions = None,
    live: Live = LivePolicy.FAIL,
    auth: Auth = None,
    source_auth: SourceAuth = None,
    target_auth: TargetAuth = None,
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Check whether this schema's rows may move from source to target now; never writes."""
    require_report_paths(report or ())
    wanted, data = read_schema(schema)
    here, there = connect_two(source, target, auth, source_auth, target_auth)
    options = PlanOptions(versions=versions, solutions=tuple(compare_solution or ()))
    findings = check_environments(wanted, here, there, options, live)
    tables = sum(1 for _ in wanted.merged_tables())
    passed = f"The rows of {tables} tables may move from {here.url} to {there.url}."
    compared = compared_solutions(sides_of(here, there), load_profiles().of(wanted.names()), options.solutions)
    if not compared:
        passed += " No solution's version was compared: --compare-solution names some."
    facts: dict[str, Fact] = {"source": here.url, "target": there.url, "live": live.value, "versions": versions.value}
    facts["compared_solutions"] = compared
    return finish(result_of_checks("check", findings, passed, facts, places_of(schema, data)), format_, report)


def check_environments(
    schema: Schema, source: Environment, target: Environment, options: PlanOptions, live: LivePolicy
) -> list[Finding]:
    """Compare the two environments' solutions, and each environment with the schema; look for live rows."""
    here, there = source.describe(schema.names()), target.describe(schema.names())
    lacking = [*filter_findings(schema), *missing_in(schema, here, source.url)]
    findings = [
        *never_moved(schema, load_profiles()),
        *compare_environments(schema, source, target, options),
        *lacking,
        *missing_in(schema, there, target.url),
        *differing_between(schema, here, there, source.url, target.url),
    ]
    if lacking:
        return findings  # a source cannot be asked for its rows by what it lacks, or by a filter that is none
    guard = LiveGuard(live, load_profiles())
    guard.look(schema, source)
    return [*findings, *live_findings(guard.found, live)]
