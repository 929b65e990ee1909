"""Business logic at work: it sees each write of a row, and refuses it, changes it, or lets it be."""

from collections.abc import Iterable, Mapping

from confmig.emulator.behaviours.assumptions import Assumptions, LiveTable, Plugin, known
from confmig.emulator.behaviours.versions import make_version, supersede
from confmig.emulator.catalog.model import Table
from confmig.emulator.errors import ServiceError
from confmig.emulator.storage.store import Store, Value

ALL_CUSTOM = "*"
"""Among the steps that a request bypasses: all of them."""
_PLUGIN_ERROR = "0x80040265"
_BOOKKEEPING = frozenset({"modifiedon", "modifiedby", "modifiedonbehalfby", "versionnumber"})


class Behaviours:
    """The business logic of one environment.

    Args:
        store: The store.
        switches: The values of assumptions that differ from their defaults, by name, or by table and name.
        plugins: Plug-ins that refuse.
    """

    def __init__(self, store: Store, switches: Mapping[str, str], plugins: Iterable[Plugin]) -> None:
        self._store = store
        self._switches = switches
        self._table: Assumptions = known()
        self._plugins: dict[tuple[str, str], list[Plugin]] = {}
        for plugin in plugins:
            self._plugins.setdefault((plugin.table, plugin.message), []).append(plugin)
        self._concerned = frozenset(self._table.tables) | {plugin.table for plugin in plugins}

    def concern(self, table: Table) -> bool:
        """Whether there is any logic for a table."""
        return table.name in self._concerned

    def chosen(self, table: str, name: str) -> str:
        """What is assumed for a table."""
        own = self._switches.get(f"{table}.{name}") or self._switches.get(name)
        return own or self._table.assumptions[name].default

    def before_create(
        self, table: Table, values: dict[str, Value], given: frozenset[str], bypassed: frozenset[str]
    ) -> None:
        """See a new row.

        Args:
            table: Its table.
            values: All its values; what is changed here is written.
            given: The columns that the request sets; a state that is the table's default is nobody's wish.
            bypassed: The steps that the request bypasses.

        Raises:
            ServiceError: It is refused.
        """
        self._run_plugins(table, "Create", given, bypassed)
        states = self._table.tables.get(table.name)
        if states is None:
            return
        row_id = str(values[table.primary_id])
        live = self._live(table, states, {name: value for name, value in values.items() if name in given})
        self._check_definition(table, states, values, row_id, live=live)
        if not live:
            return
        chosen = self.chosen(table.name, "live-create")
        if chosen == "refuse":
            raise self._refusal("live-create", table, row_id)
        if chosen == "draft":
            values.update(states.draft)
        elif chosen == "stopped":
            values.update(states.stopped or states.draft)

    def before_update(self, table: Table, row_id: str, values: dict[str, Value], bypassed: frozenset[str]) -> bool:
        """See a change of a row; ``values`` are those that change.

        Returns:
            Whether it is to be written.

        Raises:
            ServiceError: It is refused.
        """
        self._run_plugins(table, "Update", values, bypassed)
        states = self._table.tables.get(table.name)
        if states is None:
            return True
        names = {*states.live, *states.draft, *((states.definition.column,) if states.definition else ())}
        before = self._store.read(table, row_id, [name for name in sorted(names) if name in table.columns]) or {}
        after = before | values
        was, becomes = self._live(table, states, before), self._live(table, states, after)
        if was and becomes:
            return self._update_live(table, states, row_id, values)
        if was and not becomes and self.chosen(table.name, "unpublish") == "refuse":
            raise self._refusal("unpublish", table, row_id)
        if becomes and not was:
            self._check_definition(table, states, after, row_id, live=True)
            self._publish(table, states, row_id, before, values)
        return True

    def before_delete(self, table: Table, row_id: str, bypassed: frozenset[str]) -> None:
        """See a row that is to be deleted.

        Raises:
            ServiceError: It is refused.
        """
        self._run_plugins(table, "Delete", {}, bypassed)
        states = self._table.tables.get(table.name)
        if states is None or self.chosen(table.name, "live-delete") == "allow":
            return
        row = self._store.read(table, row_id, [name for name in states.live if name in table.columns]) or {}
        if self._live(table, states, row):
            raise self._refusal("live-delete", table, row_id)

    def _live(self, table: Table, states: LiveTable, row: Mapping[str, Value]) -> bool:
        if states.ready_to_send and self.chosen(table.name, "ready-to-send") == "draft":
            return False
        return any(row.get(name) in values for name, values in states.live.items())

    def _update_live(self, table: Table, states: LiveTable, row_id: str, values: dict[str, Value]) -> bool:
        changed = values.keys() - states.live.keys() - states.draft.keys() - _BOOKKEEPING
        if not changed:
            # From one live state to another, as from Live to Stopping.
            return True
        chosen = self.chosen(table.name, "live-update")
        if chosen == "version" and states.versions is not None:
            make_version(self._store, table, row_id, states.versions, {**values, **states.draft})
            return False
        if chosen in ("refuse", "version"):
            raise self._refusal("live-update", table, row_id)
        if chosen == "draft":
            values.update({name: value for name, value in states.draft.items() if name in table.columns})
        return chosen != "ignore"

    def _publish(
        self, table: Table, states: LiveTable, row_id: str, before: Mapping[str, Value], values: dict[str, Value]
    ) -> None:
        stopped = bool(states.stopped) and all(before.get(name) == value for name, value in states.stopped.items())
        if stopped:
            if self.chosen(table.name, "restart") == "refuse":
                raise self._refusal("restart", table, row_id)
            return
        chosen = self.chosen(table.name, "publish")
        if chosen == "refuse":
            raise self._refusal("publish", table, row_id)
        if chosen == "publishing":
            values.update(states.publishing)
        elif chosen == "supersede" and states.versions is not None:
            supersede(self._store, table, row_id, states.versions, states.stopped or states.draft)

    def _check_definition(
        self, table: Table, states: LiveTable, row: Mapping[str, Value], row_id: str, *, live: bool
    ) -> None:
        chosen = self.chosen(table.name, "segment-without-definition")
        other = self._store.catalog.tables.get(states.definition.table) if states.definition else None
        if states.definition is None or other is None or chosen == "allow" or (chosen == "refuse-live" and not live):
            return
        named = str(row.get(states.definition.column) or "").lower()
        if not self._store.exists(other, named):
            raise self._refusal("segment-without-definition", table, row_id)

    def _refusal(self, name: str, table: Table, row_id: str) -> ServiceError:
        text = self._table.assumptions[name].refusal.format(label=table.display_name or table.name, id=row_id)
        return ServiceError(400, _PLUGIN_ERROR, text)

    def _run_plugins(self, table: Table, message: str, written: Iterable[str], bypassed: frozenset[str]) -> None:
        """Let the plug-ins refuse that are registered for a message, save those that the request bypasses."""
        for plugin in self._plugins.get((table.name, message), ()):
            skipped = ALL_CUSTOM in bypassed or (plugin.id or "").lower() in bypassed
            concerned = not plugin.columns or not frozenset(plugin.columns).isdisjoint(written)
            if concerned and not skipped:
                raise ServiceError(plugin.status, plugin.code, plugin.text)
