"""A report as JSON, for scripts."""

import json

from confmig.reporting.report import Report


def render_json(report: Report) -> str:
    """The report as one JSON object: ``command``, ``exit_code``, ``verdict``, ``facts`` and ``sections``."""
    document = {
        "command": report.command,
        "exit_code": int(report.exit_code),
        "verdict": report.verdict,
        "facts": {name: list(fact) if isinstance(fact, list | tuple) else fact for name, fact in report.facts.items()},
        "sections": [
            {
                "title": section.title,
                "columns": list(section.columns),
                "rows": [list(row) for row in section.rows],
                "more": section.more,
            }
            for section in report.sections
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
