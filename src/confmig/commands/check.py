"""``confmig check``: May this schema's rows move from source to target now?"""

from collections.abc import Sequence
from pathlib import Path

from confmig.checking.findings import Finding, distinct
from confmig.checking.live import LivePolicy, live_findings
from confmig.checking.parity import differing_between, missing_in
from confmig.checking.schemas import never_moved
from confmig.checking.versions import VersionPolicy, compared_solutions
from confmig.commands.linting import lint_package
from confmig.commands.options import (
    Auth,
    Format,
    FormatOption,
    Live,
    OptionalData,
    OptionalSchema,
    OptionalSource,
    OptionalTarget,
    Outside,
    PackageLimits,
    Reports,
    Solutions,
    SourceAuth,
    TargetAuth,
    Versions,
    require_outside,
)
from confmig.commands.results import finish
from confmig.commands.sides import compare_environments, connect_two, places_of, sides_of
from confmig.errors import ExitCode, UsageError
from confmig.exporting.filters import filter_findings
from confmig.exporting.live import LiveGuard
from confmig.model.schema import Schema
from confmig.package.limits import LIMITS
from confmig.package.package import read_schema
from confmig.planning.plan import PlanOptions
from confmig.profiles.profile import load_profiles
from confmig.reporting.findings import result_of_checks
from confmig.reporting.write import require_report_paths
from confmig.webapi.environment import Environment


def check(
    source: OptionalSource = None,
    target: OptionalTarget = None,
    schema: OptionalSchema = None,
    data: OptionalData = None,
    outside: Outside = None,
    versions: Versions = VersionPolicy.IDENTICAL,
    compare_solution: Solutions = None,
    live: Live = LivePolicy.FAIL,
    auth: Auth = None,
    source_auth: SourceAuth = None,
    target_auth: TargetAuth = None,
    package_limits: PackageLimits = LIMITS,
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Check whether this schema's rows may move from source to target now; never writes.

    With --data the package itself is looked at, by the rules of docs/lint.md; alone it needs no environment.
    """
    require_outside(data, *(report or ()))
    require_report_paths(report or ())
    _require_sense(source, target, schema, data, outside, compare_solution)
    if data is not None:
        found = lint_package(data, outside or (), package_limits)
        wanted, findings, facts, places = found.schema, found.findings, found.facts, found.places
        passed = f"{data} holds nothing that the Configuration Migration Tool would refuse or lose."
    else:
        assert schema is not None  # noqa: S101  # one of the two is required
        wanted, content = read_schema(schema, package_limits)
        findings, facts, places, passed = [], {}, places_of(schema, content), ""
    if source is not None and target is not None:
        here, there = connect_two(source, target, auth, source_auth, target_auth)
        options = PlanOptions(versions=versions, solutions=tuple(compare_solution or ()))
        findings = distinct([*findings, *check_environments(wanted, here, there, options, live)])
        compared = compared_solutions(sides_of(here, there), load_profiles().of(wanted.names()), options.solutions)
        passed = f"{passed} {_passed(wanted, here, there, compared)}".strip()
        facts |= {"source": here.url, "target": there.url, "live": live.value, "versions": versions.value}
        facts["compared_solutions"] = compared
    return finish(result_of_checks("check", findings, passed, facts, places), format_, report)


def _require_sense(
    source: str | None,
    target: str | None,
    schema: Path | None,
    data: Path | None,
    outside: list[str] | None,
    compare_solution: list[str] | None,
) -> None:
    """Check that the options make one question.

    Raises:
        UsageError: They do not.
    """
    if schema is None and data is None:
        raise UsageError("Nothing to check was given.", "Give --data PACKAGE, or --schema FILE, --source and --target.")
    if schema is not None and data is not None:
        raise UsageError("Both --schema and --data were given.", "Give --data alone: its own schema is checked.")
    if (source is None) is not (target is None):
        lacking = "--source" if source is None else "--target"
        raise UsageError(f"A check of two environments needs both: there is no {lacking}.", f"Give {lacking} too.")
    if source is None and schema is not None:
        raise UsageError(
            "A check of a schema needs two environments.",
            "Give --source and --target, or ask confmig schema validate about the schema alone.",
        )
    if source is None and compare_solution:
        raise UsageError("--compare-solution needs two environments.", "Give --source and --target.")
    if data is None and outside:
        raise UsageError("--outside is about the rows of a package.", "Give --data, or ask confmig schema validate.")


def _passed(schema: Schema, source: Environment, target: Environment, compared: Sequence[str]) -> str:
    tables = sum(1 for _ in schema.merged_tables())
    passed = f"The rows of {tables} tables may move from {source.url} to {target.url}."
    return passed if compared else f"{passed} No solution's version was compared: --compare-solution names some."


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
