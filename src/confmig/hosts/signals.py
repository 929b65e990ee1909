"""SIGINT and SIGTERM: at once where nothing can be left half done, at the next safe place where something could."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from confmig.errors import StoppedError


class Signals:
    """Turns signals into errors, or, while ``gently`` is open, into a wish that the work looks at.

    The wish is a plain flag: a lock, as an event has one, may be held by the very code that a second signal interrupts.
    """

    def __init__(self) -> None:
        self._stopping = False
        self._gentle = False
        self._number = 0

    def install(self) -> None:
        """Take the signals over."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._number = number
        if self._gentle and not self._stopping:
            self._stopping = True
            return
        raise self.error("Stopped by a signal.")

    def error(self, message: str, hint: str = "") -> StoppedError:
        """The error that ends the process with the signal's exit code."""
        return StoppedError(message, hint, terminated=self._number == signal.SIGTERM)

    @contextmanager
    def gently(self) -> Iterator[Callable[[], bool]]:
        """While open, a first signal only makes true what the given function says; a second one stops at once."""
        self._gentle = True
        try:
            yield lambda: self._stopping
        finally:
            self._gentle = False


SIGNALS = Signals()
"""The process has one set of signals, so there is one of these."""
