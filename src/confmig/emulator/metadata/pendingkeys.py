"""Alternate keys whose index is still being made.

https://learn.microsoft.com/power-apps/developer/data-platform/define-alternate-keys-entity#index-creation
"""

from collections.abc import Callable

from confmig.emulator.metadata.components import Components
from confmig.emulator.metadata.customizing import Customizer
from confmig.emulator.metadata.metadatawrites import KeyStatus
from confmig.emulator.storage.store import Store


class PendingKeys:
    """Lets new keys be Pending for a while; the rest of it begins again when the store is opened again.

    Args:
        store: The store.
        delay: For how many seconds a key is Pending.
        clock: The time in seconds.
    """

    def __init__(self, store: Store, delay: float, clock: Callable[[], float]) -> None:
        self._store = store
        self._delay = delay
        self._clock = clock
        self._waiting: list[tuple[float, str, str]] = [
            (clock() + delay, table.name, key.name)
            for table in store.catalog.tables.values()
            for key in table.keys
            # A definition may say that a key is and stays Pending; it gives no ids.
            if key.status == "Pending" and key.metadata_id is not None
        ]

    def status(self) -> KeyStatus:
        """What becomes of new keys."""
        return KeyStatus("Pending", self._wait) if self._delay > 0 else KeyStatus()

    def _wait(self, table: str, key: str) -> None:
        self._waiting.append((self._clock() + self._delay, table, key))

    def due(self) -> bool:
        """Whether the time of a key has come."""
        return bool(self._waiting) and self._waiting[0][0] <= self._clock()

    def activate(self) -> None:
        """Let the keys be used whose time has come."""
        customizer = Customizer(self._store, Components(self._store, "", ""))
        with self._store.transaction():
            while self._waiting and self._waiting[0][0] <= self._clock():
                _, table, key = self._waiting.pop(0)
                customizer.activate_key(table, key)
