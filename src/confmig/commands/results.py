"""How every command ends: its result on stdout, its reports in files, its exit code to the caller."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from confmig.commands.options import Format
from confmig.errors import ExitCode
from confmig.hosts.host import say, show
from confmig.hosts.publish import publish
from confmig.model.secrets import SECRETS
from confmig.reporting.json import render_json
from confmig.reporting.report import Annotation, Level, Report, with_texts
from confmig.reporting.text import render_text
from confmig.reporting.write import write_reports


def finish(report: Report, form: Format, paths: Sequence[Path] | None) -> ExitCode:
    """Write the reports that were asked for, print the result, tell the pipeline, and give the exit code.

    The work is done by now: a file that cannot be written hides no outcome, but keeps the command from ending well.
    """
    report = with_texts(report, SECRETS.hide)
    try:
        write_reports(report, paths or ())
    except OSError as error:
        report, paths = _without_reports(report, f"{error.filename or 'A report'}: {error.strerror or error}."), ()
    show(render_json(report) if form is Format.JSON else render_text(report))
    if publish(report, paths or (), clean_stdout=form is Format.JSON) or report.exit_code is not ExitCode.DONE:
        return report.exit_code
    return ExitCode.USAGE


def _without_reports(report: Report, why: str) -> Report:
    message = f"The report cannot be written: {why} Check the path, the space and the rights."
    say(message)
    done = report.exit_code is ExitCode.DONE
    return replace(
        report,
        exit_code=ExitCode.USAGE if done else report.exit_code,
        reason=report.reason or "report-not-written",
        annotations=[*report.annotations, Annotation(Level.ERROR, f"confmig {report.command}", message)],
    )
