"""A report to the platform that runs us: outputs for later steps, annotations, the summary. Nothing elsewhere."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from confmig.errors import ExitCode
from confmig.hosts import azure_pipelines, github
from confmig.hosts.host import Host, command, detect_host, say
from confmig.model.printable import printable
from confmig.model.secrets import SECRETS
from confmig.reporting.markdown import render_markdown
from confmig.reporting.report import Annotation, Fact, Level, Report, with_texts

OUTPUTS = (
    "data-file",
    "data-digest",
    "manifest-file",
    "schema-file",
    "plan-file",
    "plan-digest",
    "has-changes",
    "run-file",
    "approved-by",
)
"""The facts that are outputs, by their names with hyphens; beside them ``failure-reason`` and ``report-file``."""

_SHOWN_ANNOTATIONS = 10
"""Both platforms show ten of a kind for each step; so the tenth tells how many there are."""


def publish(report: Report, report_files: Sequence[Path], *, clean_stdout: bool = False) -> bool:
    """Tell the platform of a result; what it does not take is told to whoever watches.

    Args:
        report: The result.
        report_files: The files that it was written to.
        clean_stdout: Whether stdout holds JSON that no other line may stand in.

    Returns:
        Whether the platform has all of it. Later steps go by what it has.
    """
    host = detect_host()
    if host is Host.LOCAL:
        return True
    report = with_texts(report, SECRETS.hide)
    outputs = {name: SECRETS.hide(value) for name, value in _outputs(report, report_files)}
    summary = render_markdown(report)
    annotations = [replace(item, message=printable(item.message)) for item in _annotations(report)]
    if host is Host.GITHUB:
        for item in annotations:  # the runner reads both streams, so stdout stays the result's
            command(sys.stderr, github.annotation_line(item))
        return all(
            [
                _taken("outputs", lambda: github.write_outputs(outputs, os.environ)),
                _taken("summary", lambda: github.write_summary(summary, os.environ)),
            ]
        )
    stream: TextIO = sys.stderr if clean_stdout else sys.stdout
    lines = [azure_pipelines.annotation_line(item) for item in annotations]
    lines += [azure_pipelines.output_line(name, value) for name, value in outputs.items()]
    for line in lines:
        command(stream, line)
    folder = os.environ.get("AGENT_TEMPDIRECTORY", "")
    return _taken("summary", lambda: command(stream, azure_pipelines.summary_line(summary, folder)))


def _taken(what: str, hand_over: Callable[[], None]) -> bool:
    try:
        hand_over()
    except OSError as error:
        say(f"The pipeline cannot be given the {what}: {error.filename or 'its file'}: {error.strerror or error}.")
        return False
    return True


def _outputs(report: Report, report_files: Sequence[Path]) -> Iterator[tuple[str, str]]:
    for name in OUTPUTS:
        fact = report.facts.get(name.replace("-", "_"))
        if fact is not None:
            yield name, _text(fact)
    yield "failure-reason", report.reason
    if report_files:
        yield "report-file", str(report_files[0])


def _text(fact: Fact) -> str:
    if isinstance(fact, bool):
        return str(fact).lower()
    return str(fact) if isinstance(fact, str | int) else ", ".join(fact or ())


def _annotations(report: Report) -> list[Annotation]:
    """What the report annotates; a failure that it does not annotate gets one from its verdict."""
    items = list(report.annotations)
    failed = report.exit_code is not ExitCode.DONE
    if failed and not any(item.level is Level.ERROR for item in items):
        hint = str(report.facts.get("hint") or "")
        items.insert(
            0, Annotation(Level.ERROR, f"confmig {report.command}".strip(), f"{report.verdict} {hint}".strip())
        )
    return [shown for level in Level for shown in _first_ones([item for item in items if item.level is level])]


def _first_ones(items: list[Annotation]) -> list[Annotation]:
    if len(items) <= _SHOWN_ANNOTATIONS:
        return items
    kept = items[: _SHOWN_ANNOTATIONS - 1]
    more = f"… and {len(items) - len(kept)} more: the summary and the report list them."
    return [*kept, Annotation(items[0].level, items[0].title, more)]
