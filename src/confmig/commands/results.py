"""How every command ends: its result on stdout, its reports in files, its exit code to the caller."""

from collections.abc import Sequence
from pathlib import Path

from confmig.commands.options import Format
from confmig.errors import ExitCode
from confmig.hosts.host import show
from confmig.hosts.publish import publish
from confmig.hosts.secrets import SECRETS
from confmig.reporting.json import render_json
from confmig.reporting.report import Report, with_texts
from confmig.reporting.text import render_text
from confmig.reporting.write import write_reports


def finish(report: Report, form: Format, paths: Sequence[Path] | None) -> ExitCode:
    """Print the result, write the reports that were asked for, tell the pipeline, and give the exit code."""
    report = with_texts(report, SECRETS.hide)
    show(render_json(report) if form is Format.JSON else render_text(report))
    write_reports(report, paths or ())
    publish(report, paths or (), clean_stdout=form is Format.JSON)
    return report.exit_code
