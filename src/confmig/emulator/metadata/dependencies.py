"""What keeps a component of the metadata from being deleted.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/retrievedependenciesfordelete
"""

from collections.abc import Iterator

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.errors import bad_request
from confmig.emulator.metadata.choices import Json, set_id
from confmig.emulator.metadata.components import ATTRIBUTE, ENTITY, KEY, OPTION_SET
from confmig.emulator.metadata.metadata import entity_id, key_id
from confmig.emulator.metadata.metadatacolumns import attribute_id
from confmig.emulator.wire.operations import Call, Operations
from confmig.emulator.wire.wire import Reply, json_reply

_PUBLISHED = 2
"""The dependency type of what is published; the emulator knows no other state."""


def add_functions(operations: Operations) -> None:
    """Make the function callable."""
    operations.functions({"RetrieveDependenciesForDelete": retrieve_dependencies})


def retrieve_dependencies(call: Call) -> Reply:
    """The components that need another one, each as a dependency.

    Raises:
        ServiceError: The component is not named.
    """
    wanted, kind = call.parameters.get("ObjectId"), call.parameters.get("ComponentType")
    if not isinstance(wanted, str) or not naming.is_guid(wanted) or type(kind) is not int:
        raise bad_request("The parameters 'ObjectId' and 'ComponentType' are an id and a number.")
    found = [
        {
            "dependencyid": naming.stable_id("dependency", wanted.lower(), dependent),
            "dependencytype": _PUBLISHED,
            "dependentcomponentobjectid": dependent,
            "dependentcomponenttype": dependent_kind,
            "requiredcomponentobjectid": wanted.lower(),
            "requiredcomponenttype": kind,
        }
        for required, required_kind, dependent, dependent_kind in _dependencies(call.writer.context.store.catalog)
        if (required, required_kind) == (wanted.lower(), kind)
    ]
    body: Json = {"@odata.context": f"{call.request.base}$metadata#dependencies", "value": found}
    return json_reply(body)


def _dependencies(catalog: Catalog) -> Iterator[tuple[str, int, str, int]]:
    """All dependencies: the id and the type of what is required, then those of what requires it."""
    for table in catalog.tables.values():
        for key in table.keys:
            for name in key.columns:
                yield attribute_id(table, table.columns[name]), ATTRIBUTE, key_id(table, key), KEY
                # A lookup with one target goes with its table, unless a key needs it.
                target = catalog.tables.get(table.columns[name].targets[0]) if table.columns[name].targets else None
                if target is not None and len(table.columns[name].targets) == 1 and target.name != table.name:
                    yield entity_id(target), ENTITY, key_id(table, key), KEY
        for column in table.columns.values():
            used = catalog.option_sets.get(column.option_set or "")
            if used is not None:
                yield set_id(used), OPTION_SET, attribute_id(table, column), ATTRIBUTE
