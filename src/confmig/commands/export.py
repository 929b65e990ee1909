"""``confmig export``: Read the schema's rows from the source into a data package."""

from functools import partial
from pathlib import Path

from confmig import __version__
from confmig.checking.findings import errors_of
from confmig.checking.live import LivePolicy, live_findings
from confmig.commands.options import (
    Auth,
    DataFile,
    Format,
    FormatOption,
    Live,
    PackageLimits,
    Reports,
    SchemaFile,
    Source,
    SourceAuth,
    auth_mode,
    require_distinct,
    require_outside,
)
from confmig.commands.packages import data_target, require_data_name
from confmig.commands.results import finish
from confmig.commands.sides import places_of
from confmig.errors import ExitCode, ServiceError
from confmig.exporting.export import ExportCounts, read_events, source_findings
from confmig.exporting.files import ExportedFiles
from confmig.exporting.live import LiveGuard, without_states
from confmig.hosts.progress import Progress
from confmig.model.schema import Schema
from confmig.package.limits import LIMITS, Limits
from confmig.package.manifest import Manifest, count_tables, manifest_path, write_manifest
from confmig.package.package import Package, read_schema
from confmig.package.schemafile import write_schema
from confmig.package.writer import write_package
from confmig.profiles.profile import load_profiles
from confmig.reporting.build import export_report
from confmig.reporting.findings import NOWHERE, Places, findings_report
from confmig.reporting.report import Report
from confmig.reporting.write import require_report_paths
from confmig.webapi.environment import Environment, connect

_READINGS = 3


def export(
    source: Source,
    schema: SchemaFile,
    data: DataFile = Path("data.zip"),
    live: Live = LivePolicy.FAIL,
    auth: Auth = None,
    source_auth: SourceAuth = None,
    package_limits: PackageLimits = LIMITS,
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Read the schema's rows from the source into a data package, a zip or a folder, with a manifest beside it."""
    again = data.is_dir() and schema.resolve() == data.resolve()  # a folder's own schema is read before the rows
    require_distinct(None if again else schema, data, manifest_path(data), *(report or ()))
    require_outside(data, *(report or ()))
    require_report_paths(report or ())
    wanted = read_schema(schema, package_limits)
    require_data_name(data)
    environment = connect(source, auth_mode(source_auth, auth, source), "source")
    places = places_of(schema, wanted[1])
    return finish(export_package(environment, *wanted, data, live, places, package_limits), format_, report)


def export_package(
    source: Environment,
    schema: Schema,
    schema_bytes: bytes,
    data: Path,
    live: LivePolicy,
    places: Places = NOWHERE,
    limits: Limits = LIMITS,
) -> Report:
    """Export, and report what was exported or why not."""
    profiles = load_profiles()
    if findings := source_findings(schema, source, profiles):
        return findings_report("export", findings, places)
    guard = LiveGuard(live, profiles)
    if live is LivePolicy.EXCLUDE_STATUS:
        schema = without_states(schema, profiles)
        schema_bytes = write_schema(schema)
    guard.look(schema, source)
    if errors_of(findings := tuple(live_findings(guard.found, live))):
        return findings_report("export", findings, places)
    with data_target(data, limits) as path:
        counts = _write(path, schema, schema_bytes, source, guard)
    findings = tuple(live_findings(guard.found, live))
    if counts is None:
        return findings_report("export", findings, places)
    with Package(data, limits) as package:  # read back: what cannot be read is no export
        manifest = write_manifest(data, _manifest(source, package))
        digest = package.digest
    return export_report(str(data), str(manifest), digest, source.url, counts, findings)


def _write(
    data: Path, schema: Schema, schema_bytes: bytes, source: Environment, guard: LiveGuard
) -> ExportCounts | None:
    """Write the package, and count what is in it; None when rows went live meanwhile that stop the export.

    What is read before such a row may point to it; so where live rows are left out, all is read once more.

    Raises:
        ServiceError: Rows go live all the time.
    """
    for _ in range(_READINGS):
        known, counts, files = guard.count(), ExportCounts(), ExportedFiles(source)
        with Progress("exported") as progress:
            rows = read_events(schema, source, guard, files, counts, progress)
            write_package(data, schema_bytes, schema, rows, keep=partial(guard.holds, known), files=files.open)
        counts.files, counts.file_bytes = len(files), files.size
        if guard.stops():
            return None
        if guard.holds(known):
            return counts
    raise ServiceError(
        f"Rows of {source.url} went live in each of {_READINGS} readings, so nothing was exported.",
        "Export at a quieter time.",
    )


def _manifest(source: Environment, package: Package) -> Manifest:
    tables = count_tables(package)  # reads all of it, which the digest needs too
    return Manifest(
        package_digest=package.digest,
        source_organization=source.identity.organization_id,
        source_url=source.url,
        source_version=source.identity.version,
        solutions=dict(source.solutions()),
        tool_version=__version__,
        schema_digest=package.schema_digest,
        tables=tables,
        files=len(package.file_ids),
        file_bytes=sum(package.file_digest(file_id)[0] for file_id in package.file_ids),
    )
