"""How long requests take, as a model: a time for each request and row, and so many workers that requests queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from confmig.emulator.http.settings import count, duration, settings_of
from confmig.emulator.storage.work import Work

_OPTION = "--latency"


@dataclass(frozen=True)
class Latency:
    """The times of the model.

    Attributes:
        request: Seconds for any request, a batch included.
        row: Seconds for each row written.
        read: Seconds for each row returned.
        workers: Requests that one web server works on at the same time; None sets no bound.
    """

    request: float = 0.0
    row: float = 0.0
    read: float = 0.0
    workers: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``request=60ms,row=8ms,read=0.02ms,workers=16``; what is left out is nothing, or without bound.

        Raises:
            EmulatorStartError: It cannot be read.
        """
        given = settings_of(_OPTION, text, ("request", "row", "read", "workers"))
        times = {name: duration(_OPTION, value) for name, value in given.items() if name != "workers"}
        return cls(**times, workers=count(_OPTION, given["workers"]) if "workers" in given else None)

    def seconds(self, work: Work) -> float:
        """How long a request takes that does this work."""
        return self.request + self.row * work.written + self.read * work.read


class Workers:
    """The workers of one web server; requests beyond them wait in the order in which they came."""

    def __init__(self, number: int | None) -> None:
        self._free = asyncio.Semaphore(number) if number is not None else None

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Have a worker, or wait for one."""
        if self._free is None:
            yield
            return
        async with self._free:
            yield
