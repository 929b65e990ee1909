"""``confmig diff``: How do two packages differ?"""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from confmig.commands.options import Format, FormatOption, Reports
from confmig.commands.results import finish
from confmig.errors import ExitCode
from confmig.package.comparing import Difference, compare_packages
from confmig.package.package import Package
from confmig.reporting.report import SHOWN_ROWS, Report, Section
from confmig.reporting.values import show_change
from confmig.reporting.write import require_report_paths


def diff(
    first: Annotated[Path, typer.Argument(help="Data package: a zip, or a folder.")],
    second: Annotated[Path, typer.Argument(help="The package to compare it with.")],
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Compare two packages, table by table, row by row, column by column."""
    require_report_paths(report or ())
    with Package(first) as left, Package(second) as right:
        differences = list(compare_packages(left, right))
    return finish(_report(differences, first, second), format_, report)


def _report(differences: list[Difference], first: Path, second: Path) -> Report:
    count = len(differences)
    rows = [
        (item.kind.value, item.table, item.row, item.column, _what(item)) for item in islice(differences, SHOWN_ROWS)
    ]
    verdict = f"{count} difference{'s' if count > 1 else ''}." if count else "The two packages hold the same."
    return Report(
        "diff",
        ExitCode.DIFFERENCES if count else ExitCode.DONE,
        verdict,
        {"differences": count, "first": str(first), "second": str(second)},
        [Section("Differences", ("kind", "table", "row", "column", "what"), rows, max(0, count - len(rows)))],
        reason="differences" if count else "",
    )


def _what(item: Difference) -> str:
    if item.message or not item.column:
        return item.message
    return show_change(item.column, item.before, item.after)
