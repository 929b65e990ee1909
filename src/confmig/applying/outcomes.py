"""What became of a change."""

from dataclasses import dataclass
from enum import StrEnum

from confmig.errors import ConfmigError


class Status(StrEnum):
    """What became of a change.

    ``SENT``: the request is on its way, or its answer was never recorded. ``APPLIED``: done. ``FAILED``: the service
    refused it. ``STALE``: the row is no longer as it was planned, so nothing was written. ``SKIPPED``: it needs a row
    that failed. ``UNKNOWN``: the answer was lost and reading back did not tell.
    """

    SENT = "sent"
    APPLIED = "applied"
    FAILED = "failed"
    STALE = "stale"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of the change with this ``seq``; the rest says why, in the service's own words where it refused."""

    seq: int
    status: Status
    message: str = ""
    code: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What an import did: how many changes ended how, how many of them were written just now, what stopped it.

    The counts are those of the run file, so they include what an interrupted import did before. ``stopped`` says why
    the run ended before its end; ``error`` is set when that was an error.
    """

    counts: dict[Status, int]
    written: int
    stopped: str = ""
    error: ConfmigError | None = None

    @property
    def failed(self) -> int:
        """How many changes are not applied."""
        return sum(count for status, count in self.counts.items() if status is not Status.APPLIED)

    @property
    def applied(self) -> int:
        """How many changes are applied."""
        return self.counts.get(Status.APPLIED, 0)
