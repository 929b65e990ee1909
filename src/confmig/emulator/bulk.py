"""CreateMultiple, UpdateMultiple and UpsertMultiple: all rows of a request, or none.

https://learn.microsoft.com/power-apps/developer/data-platform/bulk-operations
"""

from confmig.emulator.errors import (
    ServiceError,
    bad_request,
    invalid_argument,
    payload_error,
    row_missing,
    segment_missing,
)
from confmig.emulator.model import Table
from confmig.emulator.payload import Body, decode_object
from confmig.emulator.urls import Segment, split_path
from confmig.emulator.wire import Reply, Request, json_reply
from confmig.emulator.writing import Writer

ACTIONS = ("CreateMultiple", "UpdateMultiple", "UpsertMultiple")
PREFIX = "Microsoft.Dynamics.CRM."


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
    targets = _targets(table, decode_object(request.body))
    with writer.context.store.transaction():
        if action == "CreateMultiple":
            ids = [writer.create(table, target) for target in targets]
            context = f"{request.base}$metadata#{PREFIX}CreateMultipleResponse"
            return json_reply({"@odata.context": context, "Ids": ids})
        if action == "UpsertMultiple":
            _refuse_duplicates(table, targets)
        for target in targets:
            _write(writer, table, target, upsert=action == "UpsertMultiple")
    return Reply(204)


def _targets(table: Table, body: Body) -> list[Body]:
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
    return targets


def _refuse_duplicates(table: Table, targets: list[Body]) -> None:
    keys = [str(target.get("@odata.id") or target.get(table.primary_id) or id(target)).lower() for target in targets]
    if len(set(keys)) != len(keys):
        raise ServiceError(400, "0x80040237", "Duplicate keys were found in the Targets of one UpsertMultiple request.")


def _segment(writer: Writer, table: Table, reference: str) -> Segment:
    """What an ``@odata.id`` names, which must be a row of the table."""
    segments = split_path(writer.context.path_of(reference))
    if len(segments) != 1 or segments[0].name != table.entity_set or segments[0].key is None:
        raise payload_error(table.entity_set, f"The URI '{reference}' is not a reference to a row of '{table.name}'.")
    return segments[0]


def _write(writer: Writer, table: Table, target: Body, *, upsert: bool) -> None:
    """Update one target, or make it when it is not there and that is allowed."""
    body = {name: value for name, value in target.items() if not name.startswith("@odata")}
    reference = target.get("@odata.id")
    row_id = target.get(table.primary_id)
    if isinstance(reference, str):
        segment = _segment(writer, table, reference)
        values = {} if segment.guid else writer.context.key_values(table, segment)
        found = writer.context.find_row(table, segment)
    else:
        if row_id is None and not upsert:
            raise payload_error(
                table.entity_set, f"A member of Targets has neither '{table.primary_id}' nor '@odata.id'."
            )
        values, found = {}, row_id.lower() if isinstance(row_id, str) else None
    there = found is not None and writer.context.store.exists(table, found)
    if found is not None and there:
        for name in (table.primary_id, *values):
            # The key by which a row was found is not changed.
            body.pop(name, None)
        writer.update(table, found, body)
    elif upsert:
        keys = {name: value for name, value in values.items() if not table.columns[name].is_lookup}
        writer.create(table, {**keys, **body}, found)
    else:
        raise row_missing(table.name, str(found or row_id))
