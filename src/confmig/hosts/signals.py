"""SIGINT and SIGTERM: at once where nothing can be left half done, at the next safe place where something could."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from confmig.errors import StoppedError


class Signals:
    """Turns signals into errors, or, while ``gently`` is open, into a wish that the work looks at."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._gentle = False
        self._number = 0

    def install(self) -> None:
        """Take the signals over."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._number = number
        if self._gentle and not self.stopping.is_set():
            self.stopping.set()
            return
        raise self.error("Stopped by a signal.")

    def error(self, message: str, hint: str = "") -> StoppedError:
        """The error that ends the process with the signal's exit code."""
        return StoppedError(message, hint, terminated=self._number == signal.SIGTERM)

    @contextmanager
    def gently(self) -> Iterator[threading.Event]:
        """While open, a first signal only sets the event that is given; a second one stops at once."""
        self._gentle = True
        try:
            yield self.stopping
        finally:
            self._gentle = False


SIGNALS = Signals()
"""The process has one set of signals, so there is one of these."""
