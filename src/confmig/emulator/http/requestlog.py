"""A log of requests for those who rehearse: what was asked and how it went, never bodies, queries or tokens."""

from pathlib import Path

import msgspec

from confmig.emulator.errors import EmulatorStartError


class RequestLog:
    """A file with one line of JSON for each request, in the order in which they ended.

    Args:
        path: The file; lines are added to what is there.

    Raises:
        EmulatorStartError: It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise EmulatorStartError(f"the log {path} cannot be written: {error}") from error

    def add(self, entry: dict[str, str | int | float | None]) -> None:
        """Add a line."""
        self._file.write(msgspec.json.encode(entry) + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
