"""A report as text, for a terminal or a log. No markup: row text is shown as it is."""

from collections.abc import Iterator, Sequence

from confmig.model.printable import printable
from confmig.reporting.report import Cell, Report, Section


def render_text(report: Report) -> str:
    """The report as lines of text."""
    return "".join(printable(line) + "\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    for section in report.sections:
        if section.rows:
            yield from _section_lines(section.without_empty_columns())
            yield ""
        yield from _block_lines(section)
    yield report.verdict
    for name, fact in report.facts.items():
        if isinstance(fact, str | int) and fact not in {0, ""}:
            yield f"  {name.replace('_', ' ')}: {fact}"


_SHOWN = 40
"""Rows of a section in a log; a report file shows more."""


def _section_lines(section: Section) -> Iterator[str]:
    yield section.title
    beside = len(section.columns) - section.sentences
    columns, below = section.columns[:beside], section.columns[beside:]
    cells = [[_text(cell) for cell in row] for row in section.rows[:_SHOWN]]
    widths = [max(len(column), *(len(row[i]) for row in cells)) for i, column in enumerate(columns)]
    numeric = [all(isinstance(row[i], int) for row in section.rows) for i in range(beside)]
    yield "  " + _line(columns, widths, numeric)
    for row in cells:
        yield "  " + _line(row[:beside], widths, numeric)
        yield from (f"    {name}: {text}" for name, text in zip(below, row[beside:], strict=True) if text)
    if more := section.more + len(section.rows) - len(cells):
        yield f"  … and {more} more: --report and --format json list more of them"


_SHOWN_BLOCKS = 10


def _block_lines(section: Section) -> Iterator[str]:
    for block in section.blocks[:_SHOWN_BLOCKS]:
        yield f"{section.title}: {block.title}"
        yield from (f"  {line}" for line in block.diff.split("\n"))
        if block.more:
            yield f"  … and {block.more} more lines"
        yield ""
    if len(section.blocks) > _SHOWN_BLOCKS:
        yield f"… and {len(section.blocks) - _SHOWN_BLOCKS} more texts: --report and --format json have them"
        yield ""


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    parts = (
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    )
    return "  ".join(parts).rstrip()


def _text(cell: Cell) -> str:
    return "" if cell is None else printable(str(cell))
