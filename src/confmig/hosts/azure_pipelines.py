"""Azure Pipelines: variables, the run's summary and issues, by logging commands.

https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands; the escaping stands in the agent's
docs/design/percentEncoding.md.
"""

import re
import tempfile
from pathlib import Path

from confmig.reporting.report import Annotation, Level

_LONGEST_MESSAGE = 4_000


def annotation_line(item: Annotation) -> str:
    """The command that logs an issue; there are errors and warnings only."""
    kind = "error" if item.level is Level.ERROR else "warning"
    places = {"sourcepath": item.file, "linenumber": str(item.line) if item.file and item.line else ""}
    properties = "".join(f"{name}={_escape(value)};" for name, value in places.items() if value)
    text = f"{item.title}: {item.message}" if item.title else item.message
    return f"##vso[task.logissue type={kind};{properties}]{_escape(text[:_LONGEST_MESSAGE])}"


def output_line(name: str, value: str) -> str:
    """The command that sets an output variable; ``plan-digest`` is ``planDigest`` here, where names have no hyphens."""
    camel = re.sub("-([a-z])", lambda match: match.group(1).upper(), name)
    return f"##vso[task.setvariable variable={camel};isOutput=true]{_escape(value)}"


def summary_line(markdown: str, folder: str) -> str:
    """The command that shows a text on the run's page; it is left in the agent's folder for temporary files."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", suffix=".md", prefix="confmig-", dir=folder or None, delete=False
    ) as file:
        file.write(markdown)
    Path(file.name).chmod(0o644)  # the agent reads it, as another user where we run in a container
    return f"##vso[task.uploadsummary]{file.name}"


def _escape(text: str) -> str:
    """The agent's own percent encoding: ``%`` itself first, as ``%AZP25``."""
    pairs = {"%": "%AZP25", ";": "%3B", "\r": "%0D", "\n": "%0A", "]": "%5D"}
    for character, code in pairs.items():
        text = text.replace(character, code)
    return text
