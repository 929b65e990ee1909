"""Live rows of a source: found before anything is exported, and once more when each row is read."""

from collections.abc import Iterator, Mapping

from confmig.checking.live import LivePolicy, LiveRows
from confmig.model.environment import TableInfo
from confmig.model.records import Record
from confmig.model.schema import Schema, Table
from confmig.model.values import Lookup, ids_in
from confmig.profiles.profile import Profiles
from confmig.webapi.environment import Environment


class LiveGuard:
    """Judges rows by their states; ``found`` holds the live ones by table.

    The state is judged here and not by a condition of the query: a value that nobody knows counts as live, and the
    schema's filter stays as it is.
    """

    def __init__(self, policy: LivePolicy, profiles: Profiles) -> None:
        self.policy = policy
        self.found: dict[str, LiveRows] = {}
        self._profiles = profiles

    def columns(self, info: TableInfo) -> list[str]:
        """The columns of a table that tell whether a row is live, as far as the environment has them."""
        return [name for name in self._profiles.state_columns(info.name) if name in info.columns]

    def look(self, schema: Schema, source: Environment) -> None:
        """Find the live rows among those that a schema asks for: of tables with live states, names and states only."""
        infos = source.describe(schema.names())
        for table in schema.tables:  # a table that is declared twice has a filter in each place
            info = infos.get(table.name)
            if info is None or not self.columns(info):
                continue
            named = [info.primary_name] if info.primary_name else []
            for record in source.read_rows(table.name, [*named, *self.columns(info)], table.filter):
                self.judge(record, info)

    def judge(self, record: Record, info: TableInfo) -> None:
        """Remember a row if it is live."""
        if state := self._profiles.live_state(record.table, record.values):
            name = str(record.values.get(info.primary_name or "") or "")
            self.found.setdefault(record.table, LiveRows()).add(name, record.id or "", state)

    def is_left_out(self, table: str, row_id: str | None) -> bool:
        """Whether a row is left out because it is live."""
        rows = self.found.get(table)
        return self.policy is LivePolicy.FILTER and rows is not None and row_id in rows.ids

    def dangling(self, record: Record) -> Iterator[tuple[str, str]]:
        """The lookups, and the ids within texts, of a row that point to a row that is left out: column and table.

        Journeys, e-mails and fragments name each other in their JSON and HTML.
        """
        if self.policy is not LivePolicy.FILTER or not self.found:
            return
        for name, value in record.values.items():
            if isinstance(value, Lookup) and self.is_left_out(value.table, value.id):
                yield name, value.table
            elif isinstance(value, str):
                ids = ids_in(value) - {record.id}
                yield from ((name, table) for table, rows in self.found.items() for _ in ids & rows.ids)

    def count(self) -> int:
        """How many live rows were found so far."""
        return sum(rows.count for rows in self.found.values())

    def stops(self) -> bool:
        """Whether nothing may be exported."""
        return self.policy is LivePolicy.FAIL and bool(self.found)

    def holds(self, known: int) -> bool:
        """Whether what was read since ``count`` was ``known`` may be kept: nothing went live that changes it."""
        return not self.stops() and (self.policy is not LivePolicy.FILTER or self.count() == known)


def without_states(schema: Schema, profiles: Profiles) -> Schema:
    """The schema without the columns that hold states, of the tables that have live ones.

    A status reason without its state would not fit any more, so both go, and whatever else tells that a row is live.
    """
    return schema.with_tables(tuple(_without(table, profiles.state_columns(table.name)) for table in schema.tables))


def _without(table: Table, states: Mapping[str, object]) -> Table:
    dropped = {"statecode", "statuscode", *states} if states else set()
    return table.with_columns(tuple(column for column in table.columns if column.name not in dropped))
