"""Which kind of place this is, and how words and results reach whoever watches."""

import os
import re
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import TextIO

from confmig.model.printable import printable
from confmig.model.secrets import SECRETS


class Host(StrEnum):
    """Where we run."""

    LOCAL = "local"
    GITHUB = "github"
    AZURE_PIPELINES = "azure-pipelines"

    @property
    def is_pipeline(self) -> bool:
        """Whether nobody sits in front of it."""
        return self is not Host.LOCAL


def detect_host(variables: Mapping[str, str] = os.environ) -> Host:
    """The host, by the variables that each sets for its jobs."""
    if variables.get("GITHUB_ACTIONS") == "true":
        return Host.GITHUB
    if variables.get("TF_BUILD", "").lower() == "true":
        return Host.AZURE_PIPELINES
    return Host.LOCAL


def say(text: str) -> None:
    """A word to whoever watches: to stderr, since stdout is for the result."""
    # Hidden first: what is made printable is no longer as it was known.
    _write(sys.stderr, harmless(printable(SECRETS.hide(text))) + "\n")


def show(result: str) -> None:
    """The result, on stdout."""
    _write(sys.stdout, harmless(result))


def command(stream: TextIO | None, line: str) -> None:
    """One logging command of ours to the platform; the one thing that must reach it as it is."""
    _write(stream, line + "\n")


_COMMAND_AT_START = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_COMMAND_ANYWHERE = re.compile(r"##(?=\[|vso\[)", re.IGNORECASE)


def harmless(text: str) -> str:
    """The text without secrets, and without anything that a pipeline would read as a command.

    GitHub takes ``::`` at a line's start and ``##[`` anywhere for a command, Azure Pipelines ``##vso[`` and ``##[``
    (actions/runner, ActionCommand.cs; azure-pipelines-agent, Command.cs). Row text may hold any of them.
    """
    hidden = SECRETS.hide(text)
    if not detect_host().is_pipeline:
        return hidden
    return _COMMAND_ANYWHERE.sub("# #", _COMMAND_AT_START.sub(r"\1: ", hidden))


def _write(stream: TextIO | None, text: str) -> None:
    """Write at once. Nobody reading any more, as behind ``| head``, is no reason to leave work half done."""
    try:
        if stream is not None:
            stream.write(text)
            stream.flush()
    except UnicodeEncodeError:
        assert stream is not None  # noqa: S101  # only a stream encodes
        stream.write(text.encode(stream.encoding, "backslashreplace").decode(stream.encoding))
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno() if stream is not None else 1)
