"""Every way in which the work cannot be done.

An exception means that the work could not be done. "No" is a result, and a failed row is an outcome: neither is raised.

    ConfmigError                 abstract
    ├── UsageError         2     arguments or settings
    ├── PlanError          5     the plan is refused, stale, or cannot be made
    ├── PackageError       6     a data package or schema file cannot be read
    ├── AccessError        7     a privilege is missing
    │   └── SignInError          sign-in failed
    ├── ServiceError       8     the environment did not answer properly in time
    │   └── LostAnswerError      a request was sent and no answer came: it may have been carried out
    └── StoppedError     130     stopped by a signal (143 for SIGTERM)
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's end means; the same table stands in the README."""

    DONE = 0
    BUG = 1
    USAGE = 2
    FINDINGS = 3
    DIFFERENCES = 4
    REFUSED = 5
    PACKAGE = 6
    ACCESS = 7
    SERVICE = 8
    INCOMPLETE = 9
    INTERRUPTED = 130
    TERMINATED = 143


class ConfmigError(Exception):
    """The root of all errors; a subclass sets its exit code.

    Args:
        message: What happened, to which thing, and why.
        hint: What to do next; default: what usually helps with an error of this kind.
        reason: The same in a word that scripts and workflows branch on (``failure-reason``); default: the kind's.
    """

    exit_code = ExitCode.BUG
    usual_hint = ""
    usual_reason = "bug"

    def __init__(self, message: str, hint: str = "", *, reason: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.usual_hint
        self.reason = reason or self.usual_reason


class UsageError(ConfmigError):
    """Arguments or settings do not fit together."""

    exit_code = ExitCode.USAGE
    usual_hint = "See confmig COMMAND --help."
    usual_reason = "usage"


class PlanError(ConfmigError):
    """A plan is refused, stale, or cannot be made."""

    exit_code = ExitCode.REFUSED
    usual_hint = "Make the plan again with confmig plan."
    usual_reason = "plan-refused"


class PackageError(ConfmigError):
    """A data package or schema file cannot be read."""

    exit_code = ExitCode.PACKAGE
    usual_hint = "Export the package again."
    usual_reason = "package-unreadable"


class AccessError(ConfmigError):
    """Sign-in failed or a privilege is missing."""

    exit_code = ExitCode.ACCESS
    usual_hint = "Check the application user and its security roles."
    usual_reason = "access-denied"


class SignInError(AccessError):
    """No token was to be had: the directory or the pipeline refused, or could not be reached."""

    usual_reason = "sign-in-failed"


class ServiceError(ConfmigError):
    """The environment did not answer properly in time, or refused a request that must not fail."""

    exit_code = ExitCode.SERVICE
    usual_hint = "Run the command again; what is done already is not done twice."
    usual_reason = "service-unavailable"


class LostAnswerError(ServiceError):
    """A request was sent and no answer came, so it may or may not have been carried out."""


class StoppedError(ConfmigError):
    """A signal stopped the work.

    Args:
        message: What was stopped and what is kept.
        hint: How to go on.
        terminated: Whether the signal was SIGTERM rather than SIGINT.
    """

    usual_reason = "stopped"

    def __init__(self, message: str, hint: str = "", *, terminated: bool = False) -> None:
        super().__init__(message, hint)
        self.exit_code = ExitCode.TERMINATED if terminated else ExitCode.INTERRUPTED
