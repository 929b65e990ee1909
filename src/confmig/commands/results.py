"""How every command ends: its report on stdout and in files, its exit code to the caller."""

from collections.abc import Sequence
from pathlib import Path

from confmig.commands.options import Format
from confmig.errors import ExitCode
from confmig.reporting.json import render_json
from confmig.reporting.report import Report
from confmig.reporting.text import render_text
from confmig.reporting.write import write_reports


def finish(report: Report, form: Format, paths: Sequence[Path] | None) -> ExitCode:
    """Write the reports that were asked for, print the result, and give the exit code."""
    write_reports(report, paths or ())
    print(render_json(report) if form is Format.JSON else render_text(report), end="")
    return report.exit_code
