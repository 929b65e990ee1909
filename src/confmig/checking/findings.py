"""What a check finds."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether a finding stops the work."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """Which rule, about which table and column (or relationship), what is wrong and what to do.

    An error stops the work, a warning is only told.
    """

    rule: str
    table: str
    column: str
    message: str
    hint: str
    severity: Severity = Severity.ERROR


def errors_of(findings: Iterable[Finding]) -> list[Finding]:
    """Those that stop the work."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]
