"""Opportunities that are won or lost.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/use-web-api-actions#unbound-actions
"""

from confmig.emulator.errors import invalid_argument
from confmig.emulator.wire.operations import Call, Handler, Operations
from confmig.emulator.wire.wire import Reply

_WON, _LOST = 1, 2
_COMPLETED = 1


def add_closing(operations: Operations) -> None:
    """Make the actions of this module callable."""
    operations.actions({"WinOpportunity": _closing(_WON), "LoseOpportunity": _closing(_LOST)})


def _closing(state: int) -> Handler:
    """An action that closes an opportunity in a state and keeps the event as an activity."""

    def close(call: Call) -> Reply:
        writer, tables = call.writer, call.writer.context.store.catalog.tables
        event, status = call.parameters.get("OpportunityClose"), call.parameters.get("Status")
        events = tables.get("opportunityclose")
        if events is None or not isinstance(event, dict) or not isinstance(status, int):
            raise invalid_argument("The parameters 'OpportunityClose' and 'Status' are required.")
        opportunity, row_id = writer.context.entity_of({"@odata.id": event.get("opportunityid@odata.bind")})
        if opportunity.name != "opportunity":
            raise invalid_argument("The parameter 'OpportunityClose' names no opportunity.")
        body = {name: value for name, value in event.items() if name != "@odata.type"}
        with writer.context.store.transaction():
            writer.update(opportunity, row_id, {"statecode": state, "statuscode": status})
            writer.create(events, {**body, "statecode": _COMPLETED})
        return Reply(204)

    return close
