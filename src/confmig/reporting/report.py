"""What a command has to say, free of any form."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from confmig.checking.findings import Finding
from confmig.errors import ExitCode

Cell = str | int | None
Fact = str | int | bool | None | Sequence[str]


@dataclass(frozen=True, slots=True)
class Block:
    """How one text changes: ``about`` tells which, ``diff`` is a unified diff, ``more`` lines of it were left out."""

    about: Sequence[str]
    diff: str
    more: int = 0

    @property
    def title(self) -> str:
        """What it is about, on one line."""
        return " · ".join(part for part in self.about if part)


@dataclass(frozen=True, slots=True)
class Section:
    """A table under a title, or texts that are too long for cells.

    ``more`` tells how many rows were left out to keep it readable. The last ``sentences`` columns hold whole sentences:
    where there is no room beside the others, they stand below.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    more: int = 0
    sentences: int = 0
    blocks: Sequence[Block] = ()

    def without_empty_columns(self) -> "Section":
        """The section as people are to see it: without the columns that say nothing in any row."""
        said = [index for index in range(len(self.columns)) if any(row[index] not in {None, ""} for row in self.rows)]
        first_sentence = len(self.columns) - self.sentences
        return replace(
            self,
            columns=[self.columns[index] for index in said],
            rows=[[row[index] for index in said] for row in self.rows],
            sentences=sum(1 for index in said if index >= first_sentence),
        )


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
    do not change between versions. ``reason`` is the word for why it did not end well, empty when it did. ``findings``
    are all of them, where a section of them is cut.
    """

    command: str
    exit_code: ExitCode
    verdict: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    sections: Sequence[Section] = ()
    reason: str = ""
    annotations: Sequence[Annotation] = ()
    findings: Sequence[Finding] = ()


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
            replace(
                item,
                rows=[[cell(value) for value in row] for row in item.rows],
                blocks=[
                    replace(block, about=[change(part) for part in block.about], diff=change(block.diff))
                    for block in item.blocks
                ],
            )
            for item in report.sections
        ],
        annotations=[
            replace(item, message=change(item.message), file=change(item.file)) for item in report.annotations
        ],
        findings=[replace(item, message=change(item.message), hint=change(item.hint)) for item in report.findings],
    )


SHOWN_ROWS = 200
"""Rows that a section shows at most; the plan and run files hold all."""
