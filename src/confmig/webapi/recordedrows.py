"""The rows of recorded tables, as an environment definition holds them."""

import base64
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import unquote

from confmig.webapi.environment import Environment
from confmig.webapi.recording import Recording
from confmig.webapi.replies import Json, text_of
from confmig.webapi.values import FORMATTED, LOOKUP_TABLE

MADE_BY_ITSELF = frozenset(
    {
        "organization", "privilege", "publisher", "role", "roleprivileges", "sdkmessage", "sdkmessagefilter",
        "solution", "solutioncomponent",
    }
)  # fmt: skip
"""Tables whose rows an emulator makes of what a definition says elsewhere."""

_LOOKUPS = frozenset({"Lookup", "Customer", "Owner"})


def record_rows(environment: Environment, recording: Recording) -> None:
    """Add the rows of the recorded tables, and ids and names of the rows to which they point, to a definition.

    Args:
        environment: The environment.
        recording: What was recorded of its metadata.

    Raises:
        ServiceError: The environment does not answer properly.
        AccessError: A privilege is missing.
    """
    rows = _Rows(environment, recording)
    for name in recording.tables:
        if name not in MADE_BY_ITSELF:
            rows.read(name)
    recording.definition["rows"] = {name: listed for name, listed in rows.complete().items() if listed}
    recording.definition["associations"] = {name: pairs for name, pairs in rows.associations() if pairs}


class _Rows:
    """The rows that were read, and those that they name."""

    def __init__(self, environment: Environment, recording: Recording) -> None:
        self._environment = environment
        self._recording = recording
        self._described: Json = recording.definition["tables"]
        self._rows: dict[str, dict[str, Json]] = {}
        self._named: dict[tuple[str, str], str] = {}

    def read(self, name: str) -> None:
        """Read all rows of a table."""
        table = self._described[name]
        columns: Json = table["columns"]
        files = {column for column, described in columns.items() if described["type"] == "File"}
        left_out = {"versionnumber", *(f"{file}_name" for file in files)}
        if parties := [column for column, described in columns.items() if described["type"] == "PartyList"]:
            self._recording.left_out.append(f"{name}: the parties in {', '.join(parties)} of its rows")
        wanted = {
            column: described
            for column, described in columns.items()
            if column not in left_out and described["type"] != "PartyList"
        }
        properties = ",".join(
            f"_{column}_value" if described["type"] in _LOOKUPS else column for column, described in wanted.items()
        )
        what = f"Reading the rows of {name} from {self._environment.url}"
        found = self._rows[name] = {}
        for row in self._environment.listed(f"{table['entity_set']}?$select={properties}", what, names=True):
            row_id = text_of(row, table["primary_id"], what)
            values: Json = {table["primary_id"]: row_id}
            for column, described in wanted.items():
                value = self._value(table, row_id, column, described, row)
                if value is not None:
                    values[column] = value
            found[row_id] = values

    def _value(self, table: Json, row_id: str, column: str, described: Json, row: Json) -> object:
        if described["type"] in _LOOKUPS:
            return self._reference(column, described, row)
        value = row.get(column)
        if value is not None and described["type"] == "File":
            return self._file(f"{table['entity_set']}({row_id})/{column}")
        if value is not None and described["type"] == "Image":
            return {"base64": value}
        # A number with more digits than a float holds is written as a text.
        if isinstance(value, Decimal):
            return float(value) if Decimal(repr(float(value))) == value else str(value)
        return value

    def _reference(self, column: str, described: Json, row: Json) -> object:
        row_id = row.get(f"_{column}_value")
        targets = described["targets"]
        target = row.get(f"_{column}_value@{LOOKUP_TABLE}") or targets[0]
        if not isinstance(row_id, str) or target not in targets or target in MADE_BY_ITSELF:
            return None
        name = row.get(f"_{column}_value@{FORMATTED}")
        self._named.setdefault((target, row_id), str(name or ""))
        return row_id if len(targets) == 1 else {"table": target, "id": row_id}

    def _file(self, path: str) -> Json:
        response = self._environment.fetch(f"{path}/$value", f"Reading a file of {self._environment.url}")
        name = unquote(response.headers.get("x-ms-file-name", ""))
        return {"file": name, "base64": base64.b64encode(response.body).decode()}

    def complete(self) -> dict[str, list[Json]]:
        """The rows by table, those that others only name among them."""
        for (target, row_id), name in sorted(self._named.items()):
            table = self._described[target]
            known = self._rows.setdefault(target, {})
            if row_id not in known:
                values = known[row_id] = {table["primary_id"]: row_id}
                if name and table.get("primary_name"):
                    values[table["primary_name"]] = name
        return {name: list(rows.values()) for name, rows in self._rows.items()}

    def associations(self) -> Iterator[tuple[str, list[list[str]]]]:
        """The pairs of each recorded N:N relationship whose rows are both known."""
        for many in self._recording.definition.get("many_to_many", ()):
            first, second = (self._rows.get(many[side], {}) for side in ("table1", "table2"))
            pairs = self._environment.read_associations(many["table1"], many["intersect"])
            yield many["schema_name"], [[one, two] for one, two in pairs if one in first and two in second]
