"""What a command has to say, free of any form."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from confmig.errors import ExitCode

Cell = str | int | None
Fact = str | int | bool | None | Sequence[str]


@dataclass(frozen=True, slots=True)
class Section:
    """A table under a title. ``more`` tells how many rows were left out to keep it readable."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    more: int = 0


class Level(StrEnum):
    """How much an annotation weighs; GitHub's words."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Annotation:
    """What a pipeline shows beside its run, or beside a line of a file that the repository holds."""

    level: Level
    title: str
    message: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a command.

    ``verdict`` is the sentence that a hurried reader needs. ``facts`` are the figures that a script needs; their names
    do not change between versions. ``reason`` is the word for why it did not end well, empty when it did.
    """

    command: str
    exit_code: ExitCode
    verdict: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    sections: Sequence[Section] = ()
    reason: str = ""
    annotations: Sequence[Annotation] = ()


def with_texts(report: Report, change: Callable[[str], str]) -> Report:
    """The report with each of its texts changed, before any form escapes them."""

    def cell(value: Cell) -> Cell:
        return change(value) if isinstance(value, str) else value

    def fact(value: Fact) -> Fact:
        if isinstance(value, str):
            return change(value)
        return value if value is None or isinstance(value, int) else [change(text) for text in value]

    return replace(
        report,
        verdict=change(report.verdict),
        facts={name: fact(value) for name, value in report.facts.items()},
        sections=[
            replace(item, rows=[[cell(value) for value in row] for row in item.rows]) for item in report.sections
        ],
        annotations=[
            replace(item, message=change(item.message), file=change(item.file)) for item in report.annotations
        ],
    )


SHOWN_ROWS = 200
"""Rows that a section shows at most; the plan and run files hold all."""
