"""The emulator's one source of time: limits, latency, faults and the dates of rows all ask the same clock."""

import asyncio
import heapq
import threading
import time
from datetime import UTC, datetime, timedelta

WIRE_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
# A virtual clock that goes on by itself does so when nothing has happened for this long in real time.
_IDLE_SECONDS = 0.002


class Clock:
    """Real time."""

    def now(self) -> float:
        """Seconds that only ever grow; for durations and windows."""
        return time.monotonic()

    def wall(self) -> datetime:
        """The date and time, in UTC."""
        return datetime.now(UTC)

    def stamp(self) -> str:
        """The date and time as the wire writes it, to the second."""
        return self.wall().strftime(WIRE_FORMAT)

    async def sleep(self, seconds: float) -> None:
        """Wait; other requests go on meanwhile."""
        await asyncio.sleep(seconds)


class VirtualClock(Clock):
    """Time that passes only when it is told to, so that tests of hours take milliseconds.

    It may be moved from any thread. Whoever sleeps wakes in the order of time, and sees the time it asked for.

    Args:
        start: The date and time at the beginning.
        automatic: Go on to the next one that sleeps as soon as nothing else happens.
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC), *, automatic: bool = False) -> None:
        self._start = start
        self._automatic = automatic
        self._now = 0.0
        self._count = 0
        self._sleepers: list[tuple[float, int, asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._lock = threading.Lock()
        self._idle: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """Seconds since the beginning."""
        return self._now

    def wall(self) -> datetime:
        """The date and time, in UTC."""
        return self._start + timedelta(seconds=self._now)

    def sleeping(self) -> int:
        """How many wait for time to pass."""
        with self._lock:
            return len(self._sleepers)

    def advance(self, seconds: float) -> None:
        """Let time pass and wake whoever has slept enough."""
        self._move(self._now + seconds)

    async def sleep(self, seconds: float) -> None:
        """Wait until this much virtual time has passed."""
        if seconds <= 0:
            return
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            self._count += 1
            heapq.heappush(self._sleepers, (self._now + seconds, self._count, loop, woken))
        if self._automatic:
            self._go_on_when_idle(loop)
        await woken.wait()

    def _go_on_when_idle(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = loop.call_later(_IDLE_SECONDS, self._next, loop)

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            wake = self._sleepers[0][0] if self._sleepers else None
        if wake is not None:
            self._move(wake)
            self._go_on_when_idle(loop)

    def _move(self, moment: float) -> None:
        with self._lock:
            self._now = max(self._now, moment)
            while self._sleepers and self._sleepers[0][0] <= self._now:
                _, _, loop, woken = heapq.heappop(self._sleepers)
                loop.call_soon_threadsafe(woken.set)
