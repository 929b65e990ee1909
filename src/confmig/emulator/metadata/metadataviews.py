"""Which metadata a request sees: the present ones, or, for a while after a change, those from before it.

Web servers of the service keep metadata in caches. Without ``Consistency: Strong`` a request may see what was true half
a minute ago:
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/compose-http-requests-handle-errors#consistency
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from confmig.emulator.metadata.metadata import Metadata
from confmig.emulator.metadata.metadatalog import current_version
from confmig.emulator.storage.store import Store


class MetadataViews:
    """Remembers the metadata of the last while.

    Args:
        store: The store.
        delay: For how many seconds a change may stay unseen.
        clock: The time in seconds.

    Attributes:
        before: The metadata from before the last change, however long ago that was.
    """

    def __init__(self, store: Store, delay: float, clock: Callable[[], float]) -> None:
        self._store = store
        self._delay = delay
        self._clock = clock
        self._views: deque[tuple[float, Metadata]] = deque([(clock(), self._present())])
        self.before = self._views[-1][1]

    def _present(self) -> Metadata:
        return Metadata(self._store.catalog, current_version(self._store))

    def note(self) -> None:
        """Take up the metadata that hold now."""
        if self._views[-1][1].catalog is not self._store.catalog:
            self.before = self._views[-1][1]
            self._views.append((self._clock(), self._present()))
        last = self._clock() - self._delay
        while len(self._views) > 1 and self._views[1][0] <= last:
            self._views.popleft()

    def seen(self, *, strong: bool) -> Metadata:
        """What a request sees."""
        return self._views[-1 if strong else 0][1]

    @contextmanager
    def behind(self, store: Store) -> Iterator[None]:
        """Let the metadata from before the last change describe the rows of a store, for the time of one request."""
        now, store.catalog, store.behind = store.catalog, self.before.catalog, True
        try:
            yield
        finally:
            store.catalog, store.behind = now, False
