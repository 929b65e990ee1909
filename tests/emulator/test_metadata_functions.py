"""Functions and actions that ask about metadata.

https://learn.microsoft.com/power-apps/developer/data-platform/entity-relationship-eligibility
"""

import pytest

from .client import Client, error
from .metadatabodies import CRM, Json, attribute, one_to_many, option, table

FILTERS = f"{CRM}EntityFilters"


@pytest.mark.parametrize("action", ["CanBeReferenced", "CanBeReferencing", "CanManyToMany"])
def test_whether_a_table_can_be_related(shop: Client, action: str) -> None:
    answer = shop.send("POST", action, {"EntityName": "account"}).json()
    assert answer == {"@odata.context": f"{shop.root}$metadata#{CRM}{action}Response", action: True}
    assert shop.send("POST", action, {"EntityName": "shop_related"}).json()[action] is False
    assert error(shop.send("POST", action, {"EntityName": "nothing"})) == (404, "0x80060888")
    assert error(shop.send("POST", action, {})) == (400, "0x80048d19")


def test_which_tables_can_be_related(shop: Client) -> None:
    for call in ("GetValidManyToMany", "GetValidReferencingEntities(ReferencedEntityName='account')"):
        names = shop.get(call)["EntityNames"]
        assert {"account", "contact", "shop_tag"} <= set(names)
        assert "shop_related" not in names
    wrong = "GetValidReferencedEntities(ReferencingEntityName='nothing')"
    assert error(shop.send("GET", wrong)) == (404, "0x80060888")


def test_one_table_as_a_whole(shop: Client) -> None:
    call = "RetrieveEntity(EntityFilters=@p1,LogicalName=@p2,MetadataId=@p3,RetrieveAsIfPublished=@p4)"
    empty = "00000000-0000-0000-0000-000000000000"
    values = f"@p1={FILTERS}'Entity,Attributes'&@p2='account'&@p3={empty}&@p4=true"
    account = shop.get(f"{call}?{values}")["EntityMetadata"]
    names = {one["LogicalName"]: one["@odata.type"] for one in account["Attributes"]}
    assert names["name"] == f"#{CRM}ComplexStringAttributeMetadata"
    assert account["EntitySetName"] == "accounts"
    assert "ManyToOneRelationships" not in account
    again = shop.get(f"RetrieveEntity(EntityFilters={FILTERS}'All',MetadataId={account['MetadataId']})")
    assert again["EntityMetadata"]["LogicalName"] == "account"
    assert again["EntityMetadata"]["ManyToOneRelationships"]
    assert error(shop.send("GET", "RetrieveEntity(LogicalName='nothing')")) == (404, "0x80060888")


def test_all_tables_as_a_whole(shop: Client) -> None:
    answer = shop.get(f"RetrieveAllEntities(EntityFilters={FILTERS}'Entity',RetrieveAsIfPublished=true)")
    assert {"account", "contact"} <= {one["LogicalName"] for one in answer["EntityMetadata"]}
    assert all("Attributes" not in one for one in answer["EntityMetadata"])
    assert answer["Timestamp"] == shop.get("RetrieveTimestamp()")["Timestamp"]


def test_managed_properties(shop: Client) -> None:
    rows = shop.get("ManagedPropertyDefinitions?$select=LogicalName")["value"]
    assert {"iscustomizable", "isrenameable"} <= {row["LogicalName"] for row in rows}
    one = shop.get("ManagedPropertyDefinitions(LogicalName='iscustomizable')")
    assert one["ManagedPropertyType"] == "Operation"
    assert error(shop.send("POST", "ManagedPropertyDefinitions", {}))[0] == 404


def dependents(client: Client, object_id: str, kind: int) -> list[tuple[int, str]]:
    call = f"RetrieveDependenciesForDelete(ObjectId={object_id},ComponentType={kind})"
    return [(one["dependentcomponenttype"], one["dependentcomponentobjectid"]) for one in client.get(call)["value"]]


def made(client: Client, path: str, body: Json) -> str:
    reply = client.send("POST", path, body)
    assert reply.status_code == 204, reply.text
    return reply.headers["OData-EntityId"][-37:-1]


def test_what_keeps_a_component_from_being_deleted(fresh: Client) -> None:
    thing = "EntityDefinitions(LogicalName='new_thing')"
    made(fresh, "EntityDefinitions", table("new_Thing"))
    parent = made(fresh, "EntityDefinitions", table("new_Parent"))
    made(fresh, "RelationshipDefinitions", one_to_many("new_p", "new_parent", "new_thing", "new_ParentId"))
    column = made(fresh, f"{thing}/Attributes", attribute("String", "new_Code"))
    colors = made(fresh, "GlobalOptionSetDefinitions", {"Name": "new_colors", "Options": [option(1, "Red")]})
    bind = {"GlobalOptionSet@odata.bind": f"/GlobalOptionSetDefinitions({colors})"}
    color = made(fresh, f"{thing}/Attributes", attribute("Picklist", "new_Color", **bind))
    assert dependents(fresh, column, 2) == dependents(fresh, parent, 1) == []
    key = made(fresh, f"{thing}/Keys", {"SchemaName": "new_Key", "KeyAttributes": ["new_code", "new_parentid"]})
    assert dependents(fresh, column, 2) == dependents(fresh, parent, 1) == [(14, key)]
    assert dependents(fresh, colors, 9) == [(2, color)]
    assert error(fresh.send("GET", "RetrieveDependenciesForDelete(ObjectId=1,ComponentType=2)"))[0] == 400
