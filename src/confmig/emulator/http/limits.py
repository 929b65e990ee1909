"""The service protection limits: what one caller may ask of one web server within a window of five minutes.

https://learn.microsoft.com/power-apps/developer/data-platform/api-limits
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Self

from confmig.emulator.errors import EmulatorStartError, ServiceError
from confmig.emulator.http.settings import count, duration, settings_of

_OPTION = "--limits"
_WINDOW = 300.0
_REQUESTS = 6000
_EXECUTION = 1200.0
_CONCURRENT = 52
# "If the application continues to send such demanding requests, the duration will be extended": by how much is not
# documented. [inferred] Each refused request adds this share of the window, up to one window.
_PUSH = 0.001
_SHORTEST = 1.0


@dataclass(frozen=True)
class Limits:
    """The budgets of one caller at one web server.

    Attributes:
        window: Seconds over which requests and execution time are added up.
        requests: Requests within the window.
        execution: Seconds of execution within the window.
        concurrent: Requests at the same time.
    """

    window: float = _WINDOW
    requests: int = _REQUESTS
    execution: float = _EXECUTION
    concurrent: int = _CONCURRENT

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``on``, ``window=30s`` (budgets in proportion) or ``requests=600,execution=120s,concurrent=10``.

        Raises:
            EmulatorStartError: It cannot be read.
        """
        given = {} if text == "on" else settings_of(_OPTION, text, ("window", "requests", "execution", "concurrent"))
        window = duration(_OPTION, given["window"]) if "window" in given else _WINDOW
        if window == 0:
            raise EmulatorStartError(f"{_OPTION}: a window of no time limits nothing")
        part = window / _WINDOW
        return cls(
            window=window,
            requests=count(_OPTION, given["requests"]) if "requests" in given else max(1, round(_REQUESTS * part)),
            execution=duration(_OPTION, given["execution"]) if "execution" in given else _EXECUTION * part,
            concurrent=count(_OPTION, given["concurrent"]) if "concurrent" in given else _CONCURRENT,
        )


def limit_error(kind: str, limits: Limits, retry_after: float) -> ServiceError:
    """The answer when a limit is exceeded.

    Args:
        kind: ``requests``, ``execution`` or ``concurrent``.
        limits: The budgets, which the texts name.
        retry_after: Seconds that the client shall wait; the header has whole ones.
    """
    window = f"{limits.window:g}"
    code, message = {
        "requests": (
            "0x80072322",
            f"Number of requests exceeded the limit of {limits.requests} over time window of {window} seconds.",
        ),
        "execution": (
            "0x80072321",
            f"Combined execution time of incoming requests exceeded limit of {limits.execution * 1000:,.0f} "
            f"milliseconds over time window of {window} seconds. Decrease number of concurrent requests or reduce the "
            "duration of requests and try again later.",
        ),
        "concurrent": ("0x80072326", f"Number of concurrent requests exceeded the limit of {limits.concurrent}."),
    }[kind]
    return ServiceError(429, code, message, {"Retry-After": str(math.ceil(max(_SHORTEST, retry_after)))})


@dataclass
class Account:
    """What one caller has asked of one web server."""

    limits: Limits
    running: int = 0
    executed: float = 0.0
    # When requests began, and when they ended with how long they took.
    _begun: deque[float] = field(default_factory=deque)
    _ended: deque[tuple[float, float]] = field(default_factory=deque)
    _refused: int = 0
    _blocked_until: float = -math.inf
    _blocked_by: str = ""

    def begin(self, now: float) -> None:
        """Count a request that begins.

        Raises:
            ServiceError: A limit is exceeded; the request is not worked on and not counted.
        """
        self._forget(now)
        step = _PUSH * self.limits.window
        if self.running >= self.limits.concurrent:
            self._refused += 1
            raise limit_error("concurrent", self.limits, _SHORTEST + self._refused * step)
        if now >= self._blocked_until:
            self._block()
        if now < self._blocked_until:
            self._blocked_until = min(self._blocked_until + step, now + self.limits.window)
            raise limit_error(self._blocked_by, self.limits, self._blocked_until - now)
        self._refused = 0
        self.running += 1
        self._begun.append(now)

    def end(self, now: float, seconds: float) -> None:
        """Count the execution time of a request that began."""
        self.running -= 1
        self.executed += seconds
        self._ended.append((now, seconds))

    def remaining(self, now: float) -> tuple[int, float]:
        """The requests and the seconds of execution that are left."""
        self._forget(now)
        return max(0, self.limits.requests - len(self._begun)), max(0.0, self.limits.execution - self.executed)

    def in_use(self, now: float) -> bool:
        """Whether anything is still counted."""
        self._forget(now)
        return bool(self.running or self._begun or self._ended or now < self._blocked_until)

    def _forget(self, now: float) -> None:
        """Leave out what is older than the window."""
        edge = now - self.limits.window
        while self._begun and self._begun[0] <= edge:
            self._begun.popleft()
        while self._ended and self._ended[0][0] <= edge:
            self.executed -= self._ended.popleft()[1]
        if not self._ended:
            self.executed = 0.0

    def _block(self) -> None:
        """Refuse requests until the window has room again, if it has none."""
        window, spent = self.limits.window, self.executed
        if len(self._begun) >= self.limits.requests:
            self._blocked_by = "requests"
            self._blocked_until = self._begun[len(self._begun) - self.limits.requests] + window
        elif spent > self.limits.execution:
            self._blocked_by = "execution"
            for ended, seconds in self._ended:
                spent -= seconds
                self._blocked_until = ended + window
                if spent <= self.limits.execution:
                    break
