"""Progress: a moving line on a terminal, a plain line now and then elsewhere."""

import sys
import time
from contextlib import suppress
from types import TracebackType

_SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Counts what is done and shows it on stderr. Use as a context manager; call it with how many more are done."""

    def __init__(self, what: str, total: int | None = None) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._moving = sys.stderr.isatty()
        self._shown = time.monotonic()
        self._width = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._moving and self._width:
            self._write("\r" + " " * self._width + "\r")

    def _write(self, text: str) -> None:
        with suppress(BrokenPipeError):
            sys.stderr.write(text)
            sys.stderr.flush()

    def __call__(self, more: int, table: str) -> None:
        """Tell that ``more`` are done, of this table."""
        self._done += more
        now = time.monotonic()
        if now - self._shown < (0.1 if self._moving else _SECONDS_BETWEEN_LINES):
            return
        self._shown = now
        share = f" of {self._total}" if self._total else ""
        line = f"{self._what}: {self._done}{share} ({table})"
        if self._moving:
            self._write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            self._write(line + "\n")
