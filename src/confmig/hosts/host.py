"""Which kind of place this is, and how a report reaches it."""

import os
import sys
from collections.abc import Mapping
from enum import StrEnum

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
    print(printable(text), file=sys.stderr, flush=True)
