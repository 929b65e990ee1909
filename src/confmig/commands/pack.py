"""``confmig pack``: Turn a folder made for git into a package, losing nothing."""

from pathlib import Path
from typing import Annotated

import typer

from confmig.commands.options import Format, FormatOption, PackageArgument, PackageLimits, Reports, require_outside
from confmig.commands.packages import require_apart, require_zip_name, take_manifest_along, with_name_of_its_own
from confmig.commands.results import finish
from confmig.errors import ExitCode
from confmig.package.limits import LIMITS
from confmig.package.manifest import TableCount
from confmig.package.package import Package
from confmig.package.packing import write_zip
from confmig.reporting.report import Report, Section
from confmig.reporting.values import number_of
from confmig.reporting.write import require_report_paths


def pack(
    data: PackageArgument,
    output: Annotated[
        Path | None,
        typer.Option(envvar="CONFMIG_OUTPUT", help="Zip to write; default: named as the folder."),
    ] = None,
    package_limits: PackageLimits = LIMITS,
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Turn a folder made for git into the zip that the Configuration Migration Tool takes."""
    require_outside(data, *(report or ()))
    require_report_paths(report or ())
    named = with_name_of_its_own(data)
    path = output or named.with_name(f"{named.name.removesuffix('.zip')}.zip")
    require_apart(data, path)
    require_zip_name(path, "--output")
    with Package(data, package_limits) as package:
        counts = write_zip(package, path)
        left_out, digest = package.left_out, package.digest
    manifest = take_manifest_along(data, path)
    return finish(_report(path, digest, counts, manifest, left_out), format_, report)


def _report(
    path: Path, digest: str, counts: dict[str, TableCount], manifest: Path | None, left_out: tuple[str, ...]
) -> Report:
    tables = [
        (name, count.rows, count.associations)
        for name, count in sorted(counts.items())
        if count.rows or count.associations
    ]
    rows, pairs = sum(rows for _, rows, _ in tables), sum(pairs for _, _, pairs in tables)
    return Report(
        "pack",
        ExitCode.DONE,
        f"Packed {number_of(rows, 'row')} and {number_of(pairs, 'association')} of {number_of(len(tables), 'table')}"
        f" into {path}.",
        {
            "rows": rows,
            "associations": pairs,
            "data_file": str(path),
            "data_digest": digest,
            **({"manifest_file": str(manifest)} if manifest else {}),
        },
        [
            Section("Tables", ("table", "rows", "associations"), tables),
            Section("Left out", ("what",), [(name,) for name in left_out]),
        ],
    )
