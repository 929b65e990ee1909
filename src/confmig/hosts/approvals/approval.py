"""An approval, whichever platform it comes from."""

from collections.abc import Iterable
from dataclasses import dataclass

from confmig.errors import PlanError
from confmig.model.printable import printable


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved what.

    Attributes:
        environment: The platform's own spelling of the environment's name.
        approvers: Everybody who approved, once each.
        comment: What they said, empty if nothing.
        self_approved: Whether nobody approved but the one who started the run.
        remark: What a reader has to know to judge it, empty if nothing.
    """

    environment: str
    approvers: tuple[str, ...]
    comment: str = ""
    self_approved: bool = False
    remark: str = ""


def joined(texts: Iterable[str | None]) -> str:
    """What people said, each remark once."""
    return "; ".join(dict.fromkeys(printable(text).strip() for text in texts if text and text.strip()))


def no_reviewers(message: str, hint: str) -> PlanError:
    """The error that the environment asks nobody."""
    return PlanError(message, hint, reason="no-reviewers")


def not_approved(message: str, hint: str) -> PlanError:
    """The error that nobody said yes in this run."""
    return PlanError(message, hint, reason="not-approved")
