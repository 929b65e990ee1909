"""What a command has to say, free of any form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a command.

    ``verdict`` is the sentence that a hurried reader needs. ``facts`` are the figures that a script needs; their names
    do not change between versions.
    """

    command: str
    exit_code: ExitCode
    verdict: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    sections: Sequence[Section] = ()


SHOWN_ROWS = 200
"""Rows that a section shows at most; the plan and run files hold all."""
