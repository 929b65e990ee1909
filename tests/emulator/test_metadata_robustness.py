"""Bodies of metadata with something wrong in any place: refused, never a fault of the emulator."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from .client import Client
from .metadatabodies import Json, attribute, choice, label, many_to_many, one_to_many, option, table

WRONG: list[Any] = [None, True, -1, 2.5, "é'\"; --", [None], {"Value": 7}]
THING = "EntityDefinitions(LogicalName='shop_tag')"
NAMES = {"EntityLogicalName": "contact", "AttributeLogicalName": "shop_size"}
DATE = attribute("DateTime", "new_T", Format="DateOnly", DateTimeBehavior={"Value": "DateOnly"})
GLOBAL = {"Name": "new_Set", "DisplayName": label("Set"), "Options": [option(1, "One")]}
CUSTOMER = {
    "OneToManyRelationships": [
        {"SchemaName": f"new_{name}", "ReferencedEntity": name, "ReferencingEntity": "shop_tag"}
        for name in ("account", "contact")
    ],
    "Lookup": attribute("Lookup", "new_CustomerId"),
}
CASCADE = {"Delete": "Cascade", "Assign": "NoCascade"}
RELATED = one_to_many("new_r", "account", "shop_tag", "new_L", CascadeConfiguration=CASCADE)
KEY = {"SchemaName": "new_Key", "KeyAttributes": ["shop_name"], "DisplayName": label("Key")}
COLUMNS = [
    attribute("String", "new_S", MaxLength=10, FormatName={"Value": "Text"}),
    attribute("Integer", "new_I", MinValue=1, MaxValue=2, Format="None"),
    attribute("Decimal", "new_D", Precision=2, MinValue=0.5),
    DATE,
    attribute("Boolean", "new_B", OptionSet={"TrueOption": option(1, "Yes")}),
    choice("MultiSelectPicklist", "new_M", option(1, "One")),
    attribute("Picklist", "new_P", **{"GlobalOptionSet@odata.bind": "/x(1)"}),
    attribute("File", "new_F", MaxSizeInKB=1),
]
BODIES: list[tuple[str, str, Json]] = [
    ("POST", "EntityDefinitions", table("new_Thing", choice("Picklist", "new_C", option(1, "One")))),
    ("POST", "CreateEntities", {"Entities": [table("new_Thing")], "SolutionUniqueName": "ShopCore"}),
    ("PUT", THING, {"DisplayName": label("Tag"), "HasNotes": True, "ChangeTrackingEnabled": True}),
    *(("POST", f"{THING}/Attributes", column) for column in COLUMNS),
    ("PUT", f"{THING}/Attributes(LogicalName='shop_name')", attribute("String", "shop_Name", MaxLength=10)),
    ("POST", f"{THING}/Keys", KEY),
    (
        "POST",
        "RelationshipDefinitions",
        one_to_many("new_r", "account", "shop_tag", "new_L", CascadeConfiguration=CASCADE),
    ),
    ("POST", "RelationshipDefinitions", many_to_many("new_m", "account", "shop_tag")),
    ("POST", "CreateCustomerRelationships", CUSTOMER),
    ("POST", "GlobalOptionSetDefinitions", GLOBAL),
    ("POST", "InsertOptionValue", {**NAMES, "Value": 9, "Label": label("Nine")}),
    ("POST", "UpdateOptionValue", {**NAMES, "Value": 1, "Label": label("One"), "MergeLabels": True}),
    ("POST", "OrderOption", {**NAMES, "Values": [1, 2]}),
    ("POST", "DeleteOptionValue", {**NAMES, "Value": 1}),
    ("POST", "PublishXml", {"ParameterXml": "<x/>"}),
    ("POST", "CanBeReferenced", {"EntityName": "account"}),
]
PATHS = [
    "EntityDefinitions(",
    "EntityDefinitions()",
    "EntityDefinitions(x)",
    "EntityDefinitions(LogicalName=7)",
    "EntityDefinitions(LogicalName='a''b')",
    f"{THING}/Attributes()",
    f"{THING}/Attributes(x)",
    "RelationshipDefinitions()",
    "GlobalOptionSetDefinitions()",
    "GlobalOptionSetDefinitions(Name=x)",
    "RetrieveMetadataChanges",
    "RetrieveMetadataChanges()",
    "RetrieveMetadataChanges(Query=@p1)",
    "RetrieveMetadataChanges(Query=7)",
    "RetrieveEntity(LogicalName=7)",
    "RetrieveAllEntities(EntityFilters=7)",
    "$metadata/x",
    "EntityDefinitions?$filter=a/b/c eq 1",
    "EntityDefinitions?$expand=(",
    "EntityDefinitions?$select=,",
    f"{THING}?$expand=Attributes($filter=)",
    f"{THING}/Attributes/x/y/z",
]


def variants(body: Any) -> Iterator[Any]:
    """The body with one of its values replaced by each wrong one, at any depth, or left out."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield {other: kept for other, kept in body.items() if other != name}
            for wrong in WRONG:
                yield {**body, name: copy.deepcopy(wrong)}
            for inner in variants(value):
                yield {**body, name: inner}
    elif isinstance(body, list):
        for position, value in enumerate(body):
            for inner in variants(value):
                yield [*body[:position], inner, *body[position + 1 :]]


@pytest.mark.parametrize(("method", "path", "body"), BODIES)
def test_no_body_is_too_strange(fresh: Client, method: str, path: str, body: Json) -> None:
    statuses = set()
    for wrong in variants(body):
        reply = fresh.send(method, path, wrong)
        assert reply.status_code < 500, (wrong, reply.text)
        statuses.add(reply.status_code // 100)
    assert 4 in statuses
    for raw in (b"", b"[]", b"7", b"{", b'"x"', b"\xff"):
        assert fresh.send(method, path, raw).status_code < 500
    assert fresh.get("accounts?$top=1")["value"]
    assert fresh.get(THING)["LogicalName"] == "shop_tag"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
def test_no_path_is_too_strange(shop: Client, method: str, path: str) -> None:
    reply = shop.send(method, path, None if method == "GET" else {})
    assert reply.status_code < 500, reply.text


def test_a_prefix_that_sqlite_reserves(fresh: Client) -> None:
    assert fresh.send("POST", "EntityDefinitions", table("sqlite_Thing")).status_code == 204
    fresh.create("sqlite_things", {"sqlite_name": "A"})
    assert [row["sqlite_name"] for row in fresh.rows("sqlite_things")] == ["A"]
