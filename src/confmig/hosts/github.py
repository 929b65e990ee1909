"""GitHub Actions: outputs, the step summary, annotations and masks, as the runner reads them.

Workflow commands: https://docs.github.com/actions/reference/workflow-commands-for-github-actions; the limits stand in
the runner's sources (FileCommandManager.cs, ExecutionContext.cs).
"""

import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from confmig.hosts.host import command
from confmig.model.secrets import forms_of, sign_in_secrets
from confmig.reporting.report import Annotation

_LONGEST_MESSAGE = 4_000
"""The runner cuts a message at 4,096 characters."""
_LARGEST_SUMMARY = 900_000
"""Beyond 1 MiB the runner shows nothing at all."""


def annotation_line(item: Annotation) -> str:
    """The command that puts an annotation on the run, and on a line of a file if it has one."""
    places = {"file": item.file, "line": str(item.line) if item.file and item.line else "", "title": item.title}
    properties = ",".join(f"{name}={_escape_property(value)}" for name, value in places.items() if value)
    return f"::{item.level.value} {properties}::{_escape(item.message[:_LONGEST_MESSAGE])}"


def mask_secrets(variables: Mapping[str, str]) -> None:
    """Have the runner hide the client secrets from here on, in every form in which they could turn up.

    Only for a container action, whose streams nobody but the runner reads: it does not show these commands themselves.
    """
    for secret in sign_in_secrets(variables):
        for form in forms_of(secret):
            command(sys.stderr, f"::add-mask::{_escape(form)}")


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


def write_outputs(values: Mapping[str, str], variables: Mapping[str, str]) -> None:
    """Set the step's outputs. A delimiter that nobody can guess keeps a value from setting others."""
    if path := variables.get("GITHUB_OUTPUT"):
        lines: list[str] = []
        for name, value in values.items():
            delimiter = f"end-{secrets.token_hex(16)}"
            lines += [f"{name}<<{delimiter}", value, delimiter]
        _append(Path(path), "\n".join(lines) + "\n")


def write_summary(markdown: str, variables: Mapping[str, str]) -> None:
    """Add to the job's summary; what is too much for the runner is cut at a line, and says so."""
    if path := variables.get("GITHUB_STEP_SUMMARY"):
        _append(Path(path), cut(markdown, _LARGEST_SUMMARY))


def cut(markdown: str, size: int) -> str:
    """At most so many bytes of a text, whole lines, with a word about what is missing."""
    raw = markdown.encode()
    if len(raw) <= size:
        return markdown
    whole = raw[:size].decode(errors="ignore").rpartition("\n")[0]
    return f"{whole}\n\n… cut here: the report has all.\n"


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(text)
