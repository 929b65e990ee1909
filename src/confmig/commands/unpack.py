"""``confmig unpack``: Turn a package into a folder made for git, losing nothing."""

from pathlib import Path
from typing import Annotated

import typer

from confmig.commands.options import Format, FormatOption, PackageArgument, PackageLimits, Reports, require_outside
from confmig.commands.packages import require_apart, take_manifest_along, with_name_of_its_own
from confmig.commands.results import finish
from confmig.errors import ExitCode
from confmig.package.folder.replacing import Changes, replace_folder, require_folder_name
from confmig.package.folder.writing import FolderCounts
from confmig.package.limits import LIMITS
from confmig.package.package import Package
from confmig.reporting.report import Fact, Report, Section
from confmig.reporting.values import number_of
from confmig.reporting.write import require_report_paths


def unpack(
    data: PackageArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            envvar="CONFMIG_OUTPUT",
            help="Folder to write, new or written by this command before; default: named as the package.",
        ),
    ] = None,
    package_limits: PackageLimits = LIMITS,
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Turn a package into a folder made for git: one file a row, long texts and files beside it."""
    require_outside(data, *(report or ()))
    named = with_name_of_its_own(data)
    folder = output or named.with_name(named.stem)
    require_outside(folder, *(report or ()))
    require_report_paths(report or ())
    require_apart(data, folder)
    require_folder_name(folder)
    remarks: list[str] = []
    with Package(data, package_limits) as package:
        counts, changes = replace_folder(package, folder)
        left_out = list(package.left_out)
        if package.schema.inferred:
            remarks.append("The package has no schema; one was inferred from its rows.")
        digest = package.digest
    manifest = take_manifest_along(data, folder)
    return finish(_report(folder, digest, counts, changes, manifest, left_out, remarks), format_, report)


def _report(
    folder: Path,
    digest: str,
    counts: FolderCounts,
    changes: Changes,
    manifest: Path | None,
    left_out: list[str],
    remarks: list[str],
) -> Report:
    facts: dict[str, Fact] = {
        "rows": counts.rows,
        "associations": counts.associations,
        "tables": len(counts.tables),
        "side_files": counts.side_files,
        "files_added": changes.added,
        "files_changed": changes.changed,
        "files_removed": changes.removed,
        "files_unchanged": changes.unchanged,
        "data_file": str(folder),
        "data_digest": digest,
        **({"manifest_file": str(manifest)} if manifest else {}),
    }
    verdict = (
        f"Unpacked {number_of(counts.rows, 'row')} and {number_of(counts.associations, 'association')} of"
        f" {number_of(len(counts.tables), 'table')} into {folder}: {changes.added} files added, {changes.changed}"
        f" changed, {changes.removed} removed, {changes.unchanged} unchanged."
    )
    sections = [
        Section("Left out", ("what",), [(name,) for name in left_out]),
        Section("Notes", ("what",), [(remark,) for remark in remarks]),
    ]
    return Report("unpack", ExitCode.DONE, verdict, facts, sections)
