"""``confmig export``: Read the schema's rows from the source into a data package."""

import zipfile
from pathlib import Path

from confmig.commands.options import (
    Auth,
    DataFile,
    Format,
    FormatOption,
    Reports,
    SchemaFile,
    Source,
    SourceAuth,
    auth_mode,
    require_distinct,
)
from confmig.commands.results import finish
from confmig.errors import ExitCode, UsageError
from confmig.exporting.export import ExportCounts, read_events, source_findings
from confmig.hosts.progress import Progress
from confmig.model.schema import Schema
from confmig.package.package import Package, read_schema
from confmig.package.writer import write_package
from confmig.reporting.build import export_report, findings_report
from confmig.reporting.report import Report
from confmig.reporting.write import require_report_paths
from confmig.webapi.environment import Environment, connect


def export(
    source: Source,
    schema: SchemaFile,
    data: DataFile = Path("data.zip"),
    auth: Auth = None,
    source_auth: SourceAuth = None,
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Read the schema's rows from the source into a data package."""
    require_distinct(schema, data, *(report or ()))
    require_report_paths(report or ())
    wanted = read_schema(schema)
    require_zip_name(data)
    environment = connect(source, auth_mode(source_auth, auth, source), "source")
    return finish(export_package(environment, *wanted, data), format_, report)


def require_zip_name(data: Path) -> None:
    """Check where the package goes before anything is read.

    Raises:
        UsageError: It is a folder, or a file that is no zip.
    """
    if data.is_dir():
        raise UsageError(f"--data {data}: this is a folder.", "Give the name of the zip to write.")
    if data.exists() and not zipfile.is_zipfile(data):
        raise UsageError(f"--data {data}: this file is no package, and would be replaced by one.", "Give another name.")


def export_package(source: Environment, schema: Schema, schema_bytes: bytes, data: Path) -> Report:
    """Export, and report what was exported or why not."""
    if findings := source_findings(schema, source):
        return findings_report("export", findings)
    counts = ExportCounts()
    with Progress("exported") as progress:
        write_package(data, schema_bytes, schema, read_events(schema, source, counts, progress))
    with Package(data) as package:  # read back: what cannot be read is no export
        return export_report(str(data), package.digest, source.url, counts)
