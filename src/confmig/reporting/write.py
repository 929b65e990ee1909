"""Reports to files, in the form that a file's suffix names."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from confmig.errors import UsageError
from confmig.reporting.html import render_html
from confmig.reporting.json import render_json
from confmig.reporting.markdown import render_markdown
from confmig.reporting.report import Report
from confmig.reporting.text import render_text

_FORMS: dict[str, Callable[[Report], str]] = {
    ".html": render_html,
    ".json": render_json,
    ".md": render_markdown,
    ".txt": render_text,
}


def require_report_paths(paths: Sequence[Path]) -> None:
    """Check the suffixes and that the files can be written, and make the folders, before the work begins.

    Raises:
        UsageError: A suffix names no form, or a file cannot be written.
    """
    for path in paths:
        if path.suffix.lower() not in _FORMS:
            raise UsageError(f"--report {path}: unknown form {path.suffix!r}.", f"Use one of {', '.join(_FORMS)}.")
        if path.is_dir():
            raise UsageError(f"--report {path}: this is a folder.", "Give the name of a file.")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(path if path.exists() else path.parent, os.W_OK, effective_ids=True):
            raise UsageError(f"--report {path}: this file may not be written.", "Check the path and the rights.")


def write_reports(report: Report, paths: Sequence[Path]) -> None:
    """Write the report to each path.

    Raises:
        OSError: One cannot be written.
    """
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.write_text(_FORMS[path.suffix.lower()](report), encoding="utf-8")
        except OSError as error:
            error.filename = str(path)  # a full disk names no file
            raise
