"""What a check finds."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether a finding stops the work."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file, of a package its member, and a line; 0 when only the file is known."""

    file: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """Which rule, about which table and column (or relationship), what is wrong and what to do.

    An error stops the work, a warning is only told. ``consequence`` is what the Configuration Migration Tool (CMT)
    makes of it. One finding stands for all that are alike: ``count`` of them, of which ``message`` tells the first and
    ``places`` the first few.
    """

    rule: str
    table: str
    column: str
    message: str
    hint: str
    severity: Severity = Severity.ERROR
    consequence: str = ""
    places: tuple[Place, ...] = ()
    count: int = 1


def errors_of(findings: Iterable[Finding]) -> list[Finding]:
    """Those that stop the work."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding once: two checks that ask the same find the same."""
    return list(dict.fromkeys(findings))
