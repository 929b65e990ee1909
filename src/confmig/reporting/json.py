"""A report as JSON, for scripts."""

import msgspec

from confmig.reporting.report import Report


def render_json(report: Report) -> str:
    """The report as one JSON object: ``command``, ``exit_code``, ``verdict``, ``facts`` and ``sections``."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"
