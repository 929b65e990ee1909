"""CreateMultiple, UpdateMultiple and UpsertMultiple: all rows of a request, or none.

https://learn.microsoft.com/power-apps/developer/data-platform/bulk-operations
"""

from dataclasses import dataclass

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.catalog.model import Table
from confmig.emulator.errors import (
    ServiceError,
    bad_request,
    invalid_argument,
    key_row_missing,
    literal_error,
    payload_error,
    row_missing,
    segment_missing,
)
from confmig.emulator.storage.store import Value
from confmig.emulator.wire.urls import Segment, split_path
from confmig.emulator.wire.wire import Reply, Request, json_reply
from confmig.emulator.writing.payload import PARTIES, Body, decode_object
from confmig.emulator.writing.writing import Writer

ACTIONS = ("CreateMultiple", "UpdateMultiple", "UpsertMultiple", "DeleteMultiple")
PREFIX = "Microsoft.Dynamics.CRM."
_NESTED = frozenset({dict, list})


def run_bulk(writer: Writer, table: Table, action: str, request: Request) -> Reply:
    """Run one of the bulk actions on a table.

    Args:
        writer: Writes the rows.
        table: The table.
        action: Its name without namespace.
        request: The request with the ``Targets``.

    Raises:
        ServiceError: The table lacks the action, or one row is refused; then none is written.
    """
    if not table.bulk:
        raise segment_missing(f"{PREFIX}{action}")
    if action == "DeleteMultiple":
        # Only elastic tables have it: https://learn.microsoft.com/power-apps/developer/data-platform/deletemultiple
        raise ServiceError(501, "0x80040219", "DeleteMultiple has not yet been implemented.")
    targets = _targets(writer.context.store.catalog, table, decode_object(request.body))
    with writer.context.store.transaction():
        if action == "CreateMultiple":
            ids = [writer.create(table, target) for target in targets]
            context = f"{request.base}$metadata#{PREFIX}CreateMultipleResponse"
            return json_reply({"@odata.context": context, "Ids": ids})
        upsert = action == "UpsertMultiple"
        understood = [_understood(writer, table, target) for target in targets]
        if upsert:
            _refuse_duplicates(understood)
        for target in understood:
            _write(writer, table, target, upsert=upsert)
    return Reply(204)


def _targets(catalog: Catalog, table: Table, body: Body) -> list[Body]:
    targets = body.get("Targets")
    if not isinstance(targets, list) or not targets:
        raise invalid_argument("The parameter Targets is required and must not be empty.")
    expected = f"{PREFIX}{table.name}"
    for target in targets:
        if not isinstance(target, dict):
            raise bad_request("A member of Targets is not an object.")
        given = str(target.get("@odata.type", "")).removeprefix("#")
        if not given:
            raise bad_request(
                "An entry without a type name was found, but no expected type was specified. To allow entries without "
                "type information, the expected type must also be specified when the model is specified."
            )
        if given != expected:
            raise bad_request(f"A member of Targets is of type '{given}', not '{expected}'.")
        if not _NESTED.isdisjoint(map(type, target.values())):
            _refuse_nested(catalog, table, target)
    return targets


def _refuse_nested(catalog: Catalog, table: Table, target: Body) -> None:
    """Refuse rows inside a target, which these messages do not make, but for parties. That is inferred."""
    for name, value in target.items():
        collection = catalog.collection(table.name, name)
        nested = catalog.lookup(table.name, name) or (collection is not None and collection.table != PARTIES)
        if nested and isinstance(value, dict | list):
            raise payload_error(table.entity_set, f"The navigation property '{name}' cannot be a part of Targets.")


@dataclass(frozen=True)
class _Target:
    """A member of Targets, understood: its body and the row that it names."""

    body: Body
    row_id: str | None
    keys: dict[str, Value]

    def identity(self, place: int) -> object:
        """What two targets for the same row have in common; one that names no row has none with others."""
        if self.keys:
            return tuple(sorted((name, str(value).casefold()) for name, value in self.keys.items()))
        return self.row_id or place


def _understood(writer: Writer, table: Table, body: Body) -> _Target:
    """A target with the row that its ``@odata.id``, or else its primary id, names.

    Raises:
        ServiceError: What it says is no reference to a row of the table.
    """
    reference = body.get("@odata.id")
    if reference is None:
        given = body.get(table.primary_id)
        if given is not None and not (isinstance(given, str) and naming.is_guid(given)):
            raise literal_error(table.entity_set, given, "Guid")
        return _Target(body, given.lower() if isinstance(given, str) else None, {})
    segments = split_path(writer.context.path_of(str(reference)))
    if len(segments) != 1 or segments[0].name != table.entity_set or segments[0].key is None:
        raise payload_error(table.entity_set, f"The URI '{reference}' is not a reference to a row of '{table.name}'.")
    segment: Segment = segments[0]
    keys = {} if segment.guid else writer.context.key_values(table, segment)
    return _Target(body, writer.context.find_row(table, segment), keys)


def _refuse_duplicates(targets: list[_Target]) -> None:
    """Refuse an UpsertMultiple that names a row twice; an UpdateMultiple may."""
    identities = [target.identity(place) for place, target in enumerate(targets)]
    if len(set(identities)) != len(identities):
        raise ServiceError(400, "0x80040237", "Duplicate keys were found in the Targets of one UpsertMultiple request.")


def _write(writer: Writer, table: Table, target: _Target, *, upsert: bool) -> None:
    """Update one target, or make it when it is not there and that is allowed."""
    body = {name: value for name, value in target.body.items() if not name.startswith("@odata")}
    row_id = target.row_id
    if row_id is not None and writer.context.store.exists(table, row_id):
        writer.update(table, row_id, writer.context.without_key(table, body, target.keys))
    elif upsert:
        writer.create(table, body, row_id, target.keys)
    elif row_id is not None:
        raise row_missing(table.name, row_id)
    elif target.keys:
        raise key_row_missing(table.name)
    else:
        raise payload_error(table.entity_set, f"A member of Targets has neither '{table.primary_id}' nor '@odata.id'.")
