"""A report as Markdown, for a job's summary or a pull request. Row text is data: nothing in it is markup."""

import re
from collections.abc import Iterator

from confmig.model.printable import printable
from confmig.reporting.report import Cell, Report, Section

_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+!|~&@$-])")
_MENTION = re.compile(r"\\([@#])")
"""A name or number after one of these is looked for in what Markdown has become, so a backslash does not help."""
_BARE_LINK = re.compile(r"(?:(?<=http)|(?<=https)|(?<=ftp)|(?<=mailto)|(?<=xmpp))(:)|(?<=www)(\.)", re.IGNORECASE)
"""GitHub makes links of addresses that stand in a text: https://github.github.com/gfm/#autolinks-extension-."""


def render_markdown(report: Report) -> str:
    """The report as Markdown."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"## confmig {report.command}"
    yield ""
    yield f"**{_escape(report.verdict)}**"
    yield ""
    for name, fact in report.facts.items():
        if isinstance(fact, str | int):
            yield f"- {_escape(name.replace('_', ' '))}: {_escape(fact)}"
    for section in report.sections:
        if section.rows:
            yield ""
            yield from _section_lines(section.without_empty_columns())


def _section_lines(section: Section) -> Iterator[str]:
    yield f"### {_escape(section.title)}"
    yield ""
    yield "| " + " | ".join(_escape(column) for column in section.columns) + " |"
    yield "|" + " --- |" * len(section.columns)
    for row in section.rows:
        yield "| " + " | ".join(_escape(cell) for cell in row) + " |"
    if section.more:
        yield ""
        yield f"… and {section.more} more"


def _escape(cell: Cell) -> str:
    escaped = _MARKUP.sub(r"\\\1", "" if cell is None else printable(str(cell)))
    return _MENTION.sub(r"\1<!-- -->", _BARE_LINK.sub(r"<!-- -->\1\2", escaped))
