"""Which kind of place this is, and how words and results reach whoever watches."""

import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import TextIO

from confmig.model.printable import printable


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
    _write(sys.stderr, printable(text) + "\n")


def show(result: str) -> None:
    """The result, on stdout."""
    _write(sys.stdout, result)


def _write(stream: TextIO | None, text: str) -> None:
    """Write at once. Nobody reading any more, as behind ``| head``, is no reason to leave work half done."""
    try:
        if stream is not None:
            stream.write(text)
            stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno() if stream is not None else 1)
