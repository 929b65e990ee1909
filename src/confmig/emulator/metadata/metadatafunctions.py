"""Functions and actions that ask about metadata: which tables can be related, and whole descriptions of tables.

https://learn.microsoft.com/power-apps/developer/data-platform/entity-relationship-eligibility
https://learn.microsoft.com/power-apps/developer/data-platform/query-schema-definitions
"""

from collections.abc import Iterable

from confmig.emulator.catalog.model import Table
from confmig.emulator.catalog.naming import ZERO_GUID
from confmig.emulator.errors import bad_request, metadata_missing
from confmig.emulator.metadata.choices import Json
from confmig.emulator.metadata.metadata import Metadata, entity_id
from confmig.emulator.metadata.metadatachanges import NAVIGATIONS, complex_entity, stamp
from confmig.emulator.metadata.metadatalog import current_version
from confmig.emulator.storage.store import Store
from confmig.emulator.wire.operations import Call, Handler, Operations
from confmig.emulator.wire.wire import Reply

_RELATIONSHIPS = tuple(name for name in NAVIGATIONS if name.endswith("Relationships"))


def add_functions(operations: Operations) -> None:
    """Make them callable."""
    operations.actions(
        {
            "CanBeReferenced": _eligible("CanBeReferenced"),
            "CanBeReferencing": _eligible("CanBeReferencing"),
            "CanManyToMany": _eligible("CanManyToMany"),
        }
    )
    operations.functions(
        {
            "GetValidManyToMany": _all_eligible,
            "GetValidReferencedEntities": _all_eligible,
            "GetValidReferencingEntities": _all_eligible,
            "RetrieveEntity": _retrieve_entity,
            "RetrieveAllEntities": _retrieve_all_entities,
            "RetrieveTimestamp": lambda call: call.answer({"Timestamp": stamp(current_version(_store(call)))}),
        }
    )


def _store(call: Call) -> Store:
    return call.writer.context.store


def _can_be_related(table: Table) -> bool:
    return not table.is_intersect and table.name != "activityparty"


def _eligible(name: str) -> Handler:
    """An action that says whether a table can be on one side of a relationship."""

    def answer(call: Call) -> Reply:
        return call.answer({name: _can_be_related(_named(call, "EntityName"))})

    return answer


def _named(call: Call, parameter: str) -> Table:
    name = call.parameters.get(parameter)
    if not isinstance(name, str):
        raise bad_request(f"The parameter '{parameter}' is missing.")
    table = _store(call).catalog.tables.get(name)
    if table is None:
        raise metadata_missing("an entity", name)
    return table


def _all_eligible(call: Call) -> Reply:
    """The tables that can be on one side of a relationship, with the named one on the other side if there is one."""
    for parameter in call.parameters:
        _named(call, parameter)
    names = [table.name for table in _store(call).catalog.tables.values() if _can_be_related(table)]
    return call.answer({"EntityNames": sorted(names)})


def _retrieve_entity(call: Call) -> Reply:
    """One table, by its name or its MetadataId."""
    tables, wanted = _store(call).catalog.tables, str(call.parameters.get("MetadataId") or ZERO_GUID).lower()
    if wanted == ZERO_GUID:
        table = _named(call, "LogicalName")
    else:
        found = next((one for one in tables.values() if entity_id(one) == wanted), None)
        if found is None:
            raise metadata_missing("an entity", wanted)
        table = found
    return call.answer({"EntityMetadata": _described(call, [table])[0]})


def _retrieve_all_entities(call: Call) -> Reply:
    """All tables, with the version of the metadata."""
    described = _described(call, _store(call).catalog.tables.values())
    return call.answer({"EntityMetadata": described, "Timestamp": stamp(current_version(_store(call)))})


def _described(call: Call, tables: Iterable[Table]) -> list[Json]:
    """Tables with the parts that EntityFilters names: Entity, Attributes, Privileges, Relationships, or All."""
    metadata = Metadata(_store(call).catalog, current_version(_store(call)))
    filters = {part.strip() for part in str(call.parameters.get("EntityFilters") or "Entity").split(",")}
    every = "All" in filters
    wanted = {"Attributes", "Keys"} if every or "Attributes" in filters else set()
    wanted |= set(_RELATIONSHIPS) if every or "Relationships" in filters else set()
    wanted |= {"Privileges"} if every or "Privileges" in filters else set()
    answers = []
    for row in (metadata.entity(table.name) for table in tables):
        names = [*(row.keys() - {"Privileges"}), *wanted]
        answers.append(complex_entity(metadata, row, {"Properties": {"PropertyNames": names}}, None))
    return [answer for answer in answers if answer is not None]
