"""Queues: what waits in them."""

from confmig.emulator.errors import invalid_argument
from confmig.emulator.wire.operations import Call, Operations
from confmig.emulator.wire.wire import Reply


def add_queues(operations: Operations) -> None:
    """Make the actions of this module callable."""
    operations.actions({"AddToQueue": add_to_queue}, ("queue",))


def add_to_queue(call: Call) -> Reply:
    """Put a row into a queue; one that waits in another queue moves.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/use-web-api-actions#actions-bound-to-an-entity

    Raises:
        ServiceError: The row is not there, or rows of its table do not go into queues.
    """
    writer = call.writer
    store, context = writer.context.store, writer.context
    target, target_id = context.entity_of(call.parameters.get("Target"))
    items = store.catalog.tables.get("queueitem")
    nav = store.catalog.navs_of("queueitem", "objectid").get(target.name)
    if items is None or nav is None or call.table is None:
        raise invalid_argument(f"Rows of the table '{target.name}' cannot be added to a queue.")
    properties = call.parameters.get("QueueItemProperties") or {}
    if not isinstance(properties, dict):
        raise invalid_argument("The parameter 'QueueItemProperties' is no row.")
    body = {name: value for name, value in properties.items() if name != "@odata.type"}
    body["queueid@odata.bind"] = f"/{call.table.entity_set}({call.row_id})"
    with store.transaction():
        waiting = store.find(items, {"objectid": target_id})
        if waiting:
            item_id = waiting[0]
            writer.update(items, item_id, body)
        else:
            body[f"{nav}@odata.bind"] = f"/{target.entity_set}({target_id})"
            item_id = writer.create(items, body)
    return call.answer({"QueueItemId": item_id})
