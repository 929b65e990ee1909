"""``confmig schema validate``: Is this schema complete and right, alone and against environments?"""

from confmig.checking.dependencies import missing_tables
from confmig.checking.parity import missing_in
from confmig.commands.linting import schema_lint
from confmig.commands.options import (
    Auth,
    Format,
    FormatOption,
    OptionalSource,
    OptionalTarget,
    Outside,
    PackageLimits,
    Reports,
    SchemaFile,
    SourceAuth,
    TargetAuth,
    auth_mode,
)
from confmig.commands.results import finish
from confmig.commands.sides import places_of, places_within
from confmig.errors import ExitCode
from confmig.package.limits import LIMITS
from confmig.package.written import read_written_schema
from confmig.reporting.findings import result_of_checks
from confmig.reporting.report import Fact
from confmig.reporting.write import require_report_paths
from confmig.webapi.environment import connect


def validate(
    schema: SchemaFile,
    source: OptionalSource = None,
    target: OptionalTarget = None,
    outside: Outside = None,
    auth: Auth = None,
    source_auth: SourceAuth = None,
    target_auth: TargetAuth = None,
    package_limits: PackageLimits = LIMITS,
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Check whether a schema is complete and right; with --source and --target also whether they have all it names."""
    require_report_paths(report or ())
    written = read_written_schema(schema, package_limits)
    wanted = written.schema
    findings = schema_lint(written, outside or ())
    sides = {"source": (source, source_auth), "target": (target, target_auth)}
    compared: list[str] = []
    for side, (url, own_auth) in sides.items():
        if url is not None:
            environment = connect(url, auth_mode(own_auth, auth, url), side)
            findings += missing_in(wanted, environment.describe(wanted.names()), environment.url)
            compared.append(environment.url)
    columns = sum(len(table.columns) for table in wanted.merged_tables())
    tables = sum(1 for _ in wanted.merged_tables())
    passed = f"The schema is complete: {tables} tables, {columns} columns"
    if compared:
        passed += f", as {' and '.join(compared)} {'has' if len(compared) == 1 else 'have'} them"
    facts: dict[str, Fact] = {"tables": tables, "columns": columns, "compared_with": compared}
    if missing := missing_tables(wanted, outside or ()):
        facts["missing_tables"] = missing
        options = " ".join(f"--outside {name}" for name in missing)
        facts["hint"] = f"Add these tables, or, if the target has all their rows under the same ids: {options}"
    places = places_within(schema, written.member, written.data) if written.member else places_of(schema, written.data)
    return finish(result_of_checks("schema validate", findings, f"{passed}.", facts, places), format_, report)
