"""What a request is worked on with: the store, who calls, and what earlier requests of its change set made."""

import re
from dataclasses import dataclass, field
from functools import cached_property

from confmig.emulator.behaviours.engine import Behaviours
from confmig.emulator.catalog.model import ManyToOne, Table
from confmig.emulator.errors import (
    ServiceError,
    invalid_argument,
    key_row_missing,
    key_undefined,
    payload_error,
    row_missing,
    segment_missing,
)
from confmig.emulator.reading.datewindows import Moment, fiscal_calendar, moment_at
from confmig.emulator.reading.filters import comparable
from confmig.emulator.reading.odata import parse_literal
from confmig.emulator.security.rights import Rights
from confmig.emulator.storage.store import Store, Value, target_column
from confmig.emulator.wire.urls import Segment, split_path

# What nearly every reference looks like; the rest goes the long way.
_PLAIN = re.compile(r"/?([A-Za-z_][A-Za-z0-9_]*)\(([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\)")


_WITHOUT_NAMED_ID = frozenset({"systemuser", "team"})
"""Principals share a type, so that their primary key cannot be written with its name.

https://learn.microsoft.com/power-apps/developer/data-platform/use-alternate-key-reference-record
"""


@dataclass
class Context:
    """The surroundings of one request.

    Attributes:
        store: The store.
        base: Absolute URL of the service's root, ending with a slash.
        caller_id: The user in whose name rows are written.
        delegate_id: The user who really calls, when that is another one.
        now: The time of the request, as the wire writes it.
        behaviours: The business logic of the environment.
        bypassed: The steps of it that the request bypasses.
        rights: What the caller may do; None when that is anything.
        references: Content ids of a change set with the paths of the rows they made.
        detect_duplicates: Whether rules of duplicate detection are looked at.
    """

    store: Store
    base: str
    caller_id: str
    now: str
    behaviours: Behaviours
    bypassed: frozenset[str] = frozenset()
    rights: Rights | None = None
    delegate_id: str | None = None
    references: dict[str, str] = field(default_factory=dict)
    detect_duplicates: bool = False

    @cached_property
    def moment(self) -> Moment:
        """What relative dates in the conditions of the request are relative to."""
        return moment_at(self.now, fiscal_calendar(self.store))

    def require(self, verb: str, table: Table, row_id: str | None = None) -> None:
        """Refuse when the caller lacks a privilege, or when it does not reach a row.

        Args:
            verb: Create, Read, Write, Delete, Append, AppendTo, Assign or Share.
            table: The table.
            row_id: The row, when there is one.

        Raises:
            ServiceError: The privilege is missing or does not reach the row.
        """
        if self.rights is None:
            return
        if row_id is None:
            self.rights.require(verb, table)
        else:
            self.rights.require_row(verb, table, row_id)

    def require_privilege(self, privilege: str) -> None:
        """Refuse when the caller lacks a privilege that is not about a table.

        Raises:
            ServiceError: It is missing.
        """
        if self.rights is not None:
            self.rights.require_privilege(privilege)

    def require_link(self, table: Table, target: Table, target_id: str) -> None:
        """Refuse when the caller may not append a row of one table to a row of another one.

        Raises:
            ServiceError: Append or AppendTo is missing.
        """
        if self.rights is not None:
            self.rights.require_link(table, target, target_id)

    def row_url(self, table: Table, row_id: str) -> str:
        """The absolute URL of a row."""
        return f"{self.base}{table.entity_set}({row_id})"

    def key_values(self, table: Table, segment: Segment) -> dict[str, Value]:
        """The stored values of a key in a URL: the primary key by name, or an alternate key.

        Raises:
            ServiceError: The columns are no key.
        """
        names = {
            name.removeprefix("_").removesuffix("_value") if name.startswith("_") else name for name in segment.parts
        }
        keys = [set(key.columns) for key in table.keys if key.status == "Active"]
        if table.name not in _WITHOUT_NAMED_ID:
            keys.append({table.primary_id})
        if not names or names not in keys:
            raise key_undefined(table.name)
        values: dict[str, Value] = {}
        for name, text in segment.parts.items():
            column = table.columns[name.removeprefix("_").removesuffix("_value") if name.startswith("_") else name]
            values[column.name] = comparable(column, parse_literal(text))
        return values

    def without_key(self, table: Table, body: dict[str, object], keys: dict[str, Value]) -> dict[str, object]:
        """A body less the id and the values of the key by which its row was found, which an update does not change."""
        gone = {table.primary_id, *keys}
        for name in keys:
            gone |= {f"{nav}@odata.bind" for nav in self.store.catalog.navs_of(table.name, name).values()}
        return {name: value for name, value in body.items() if name not in gone}

    def find_row(self, table: Table, segment: Segment) -> str | None:
        """The id of the row that a segment names by id or by key; None when no row has the key.

        Raises:
            ServiceError: The key is not defined, or several rows have it.
        """
        if segment.guid is not None:
            return segment.guid
        values = self.key_values(table, segment)
        found = self.store.find(table, values)
        if len(found) > 1:
            columns = ", ".join(values)
            raise ServiceError(
                400,
                "0x8006089D",
                f"More than one record exists for entity {table.name} with entity key involving attributes {columns}",
            )
        return found[0] if found else None

    def row_of(self, table: Table, segment: Segment) -> str:
        """The id of the row that a segment names.

        Raises:
            ServiceError: No row has the key; a row named by its id is not looked for here.
        """
        found = self.find_row(table, segment)
        if found is None:
            raise key_row_missing(table.name)
        return found

    def lookup_target(self, table: Table, row_id: str, one: ManyToOne) -> tuple[Table, str] | None:
        """The row that a lookup points to by one of its navigation properties; None when it points elsewhere."""
        column = table.columns[one.column]
        names = [one.column, target_column(one.column)] if column.many_targets else [one.column]
        row = self.store.read(table, row_id, names) or {}
        value = row.get(one.column)
        kind = str(row.get(target_column(one.column)) or one.target)
        target = self.store.catalog.tables.get("systemuser" if kind == "owner" else kind)
        if value is None or target is None:
            return None
        if column.type != "Owner" and one.target != kind:
            return None
        return target, str(value)

    def resolve(self, entity_set: str, text: object) -> tuple[Table, str]:
        """The row that a reference in a body names: ``/contacts(id)``, an absolute URL, a key, or ``$1``.

        Args:
            entity_set: The set whose body it stands in, for messages.
            text: The reference.

        Raises:
            ServiceError: It cannot be understood or the row is not there.
        """
        if not isinstance(text, str) or not text:
            raise payload_error(entity_set, f"The value '{text}' is not a reference to an entity.")
        match = _PLAIN.fullmatch(text)
        if match is not None and (known := self.store.catalog.sets.get(match.group(1))) is not None:
            row_id = match.group(2).lower()
            if not self.store.exists(known, row_id):
                raise row_missing(known.name, row_id)
            return known, row_id
        path = self.path_of(text)
        segments = split_path(path)
        if len(segments) != 1 or segments[0].key is None:
            raise payload_error(entity_set, f"The URI '{text}' is not a reference to an entity.")
        table = self.store.catalog.sets.get(segments[0].name)
        if table is None:
            raise segment_missing(segments[0].name)
        row_id = self.row_of(table, segments[0])
        if not self.store.exists(table, row_id):
            raise row_missing(table.name, row_id)
        return table, row_id

    def entity_of(self, value: object) -> tuple[Table, str]:
        """The row that a parameter of a function or an action names: by ``@odata.id``, or by its type and its id.

        Raises:
            ServiceError: It names none, or the row is not there.
        """
        if not isinstance(value, dict):
            raise invalid_argument("A parameter that names a row is missing.")
        reference = value.get("@odata.id") or value.get("@id")
        if reference is not None:
            return self.resolve("", reference)
        name = str(value.get("@odata.type", "")).removeprefix("#").removeprefix("Microsoft.Dynamics.CRM.")
        table = self.store.catalog.tables.get(name)
        if table is None:
            raise invalid_argument("A parameter that names a row has no '@odata.type'.")
        row_id = str(value.get(table.primary_id)).lower()
        if not self.store.exists(table, row_id):
            raise row_missing(table.name, row_id)
        return table, row_id

    def path_of(self, text: str) -> str:
        """The path below the service's root that a reference names."""
        path = text.lstrip("/")
        if text.startswith(("http://", "https://", "/api/")):
            _, found, rest = text.partition("/api/data/")
            path = rest.partition("/")[2] if found else text
        # Clients make absolute URLs and rooted ones of content ids, too.
        if path.startswith("$"):
            known = self.references.get(path[1:])
            if known is None:
                raise unknown_reference(path)
            return known
        return path


def unknown_reference(text: str) -> ServiceError:
    """A content id that no earlier request of the change set has."""
    return ServiceError(400, "0x80048d19", f"Content-ID Reference: '{text}' does not exist in the batch context.")
