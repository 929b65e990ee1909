"""A report as Markdown, for a job's summary or a pull request. Row text is data: nothing in it is markup."""

import re
from collections.abc import Iterator

from confmig.model.printable import printable
from confmig.reporting.report import Cell, Report, Section

_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+!|~&@$-])")
_BACKTICKS = re.compile("`+")
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
        if section.blocks:
            yield ""
            yield from _block_lines(section)


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


def _block_lines(section: Section) -> Iterator[str]:
    if not section.rows:
        yield f"### {_escape(section.title)}"
    for block in section.blocks:
        lines = [printable(line) for line in block.diff.split("\n")]
        # Longer than all that stands within, or a line of the text could end the block.
        longest = max((len(run) for line in lines for run in _BACKTICKS.findall(line)), default=0)
        fence = "`" * max(3, longest + 1)
        yield ""
        yield f"**{_escape(block.title)}**"
        yield ""
        yield f"{fence}diff"
        yield from lines
        yield fence
        if block.more:
            yield ""
            yield f"… and {block.more} more lines"


def _escape(cell: Cell) -> str:
    escaped = _MARKUP.sub(r"\\\1", "" if cell is None else printable(str(cell)))
    return _MENTION.sub(r"\1<!-- -->", _BARE_LINK.sub(r"<!-- -->\1\2", escaped))
