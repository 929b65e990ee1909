"""The actions that change metadata.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-update-optionsets
"""

from collections.abc import Callable

from confmig.emulator.errors import bad_request
from confmig.emulator.metadata.choices import Json
from confmig.emulator.metadata.labels import objects
from confmig.emulator.metadata.metadata import entity_id, relationship_id
from confmig.emulator.metadata.metadatawrites import MetadataWriter
from confmig.emulator.wire.operations import Call, Handler, Operations
from confmig.emulator.wire.wire import Reply

Change = Callable[[MetadataWriter], Json | None]


def add_actions(operations: Operations) -> None:
    """Make them callable."""
    operations.actions(
        {
            "CreateEntities": _action("Entity", _create_entities),
            "CreateCustomerRelationships": _action("Relationship", lambda own: _create_lookup(own, "Customer")),
            "CreatePolymorphicLookupAttribute": _action("Relationship", lambda own: _create_lookup(own, "Lookup")),
            "InsertOptionValue": _action("OptionSet", lambda own: _inserted(own.option_sets.insert(own.body))),
            "InsertStatusValue": _action("OptionSet", lambda own: _inserted(own.option_sets.insert_status(own.body))),
            "UpdateOptionValue": _action("OptionSet", lambda own: own.option_sets.update_option(own.body)),
            "UpdateStateValue": _action("OptionSet", lambda own: own.option_sets.update_state(own.body)),
            "DeleteOptionValue": _action("OptionSet", lambda own: own.option_sets.delete_option(own.body)),
            "OrderOption": _action("OptionSet", lambda own: own.option_sets.order(own.body)),
        }
    )
    operations.actions({"PublishXml": _publish, "PublishAllXml": _publish_all})


def _action(kind: str, change: Change) -> Handler:
    """An action whose change is one transaction, made by a caller who may create components of a kind."""

    def act(call: Call) -> Reply:
        writer = MetadataWriter(call.writer.context, call.request)
        writer.require(kind)
        with call.writer.context.store.transaction():
            result = change(writer)
        return Reply(204) if result is None else call.answer(result)

    return act


def _inserted(value: int) -> Json:
    return {"NewOptionValue": value}


def _create_entities(writer: MetadataWriter) -> Json:
    """Several tables, all or none; what the answer holds is not documented [inferred]."""
    bodies = objects(writer.body, "Entities")
    if not bodies:
        raise bad_request("The parameter 'Entities' is missing or empty.")
    return {"EntityIds": [entity_id(writer.customizer.create_table(body)) for body in bodies]}


def _create_lookup(writer: MetadataWriter, kind: str) -> Json:
    made, lookup_id = writer.relater.create_lookup(writer.body, kind)
    return {"RelationshipIds": [relationship_id(one) for one in made], "AttributeId": lookup_id}


def _publish(call: Call) -> Reply:
    """Publishing changes nothing that the Web API shows: customizations of forms and views wait for it."""
    if not isinstance(call.parameters.get("ParameterXml"), str):
        raise bad_request("The parameter 'ParameterXml' is missing.")
    return _publish_all(call)


def _publish_all(call: Call) -> Reply:
    call.writer.context.require_privilege("prvPublishCustomization")
    return Reply(204)
