"""A report as JSON, for scripts."""

import re

import msgspec

from confmig.reporting.report import Report

_COMMAND = re.compile(r"##(?=\[|vso\[)", re.IGNORECASE)


def render_json(report: Report) -> str:
    """The report as one JSON object: ``command``, ``exit_code``, ``verdict``, ``facts``, ``sections`` and ``findings``.

    What steers a terminal, turns the direction of writing or would be a command to Azure Pipelines stands escaped, as
    JSON allows for any character; the values are the same.
    """
    text = msgspec.json.format(msgspec.json.encode(report), indent=2).decode()
    escaped = "".join(_escape(character) for character in text)
    return _COMMAND.sub(r"#\\u0023", escaped) + "\n"


def _escape(character: str) -> str:
    if character.isprintable() or character == "\n":
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
