"""Microsoft's Python client making and deleting tables, columns, keys and relationships, unchanged and over TLS.

https://github.com/microsoft/PowerPlatform-DataverseClient-Python
"""

from collections.abc import Iterator
from datetime import datetime
from enum import IntEnum
from typing import Any

import pytest
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError, MetadataError
from PowerPlatform.Dataverse.models import (
    CascadeConfiguration,
    Label,
    LocalizedLabel,
    LookupAttributeMetadata,
    ManyToManyRelationshipMetadata,
    OneToManyRelationshipMetadata,
    UpsertItem,
)

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .test_official_client import SHOP, TOKEN, connected


class Priority(IntEnum):
    """A choice, with labels in two languages."""

    LOW = 1
    HIGH = 2
    __labels__ = {1033: {"LOW": "Low", "HIGH": "High"}, 1036: {"LOW": "Basse", "HIGH": "Haute"}}  # noqa: RUF012


COLUMNS: dict[str, Any] = {
    "new_Title": "string",
    "new_Notes": "memo",
    "new_Quantity": "int",
    "new_Amount": "decimal",
    "new_Ratio": "float",
    "new_When": "datetime",
    "new_Completed": "bool",
    "new_Paper": "file",
    "new_Priority": Priority,
}


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    with Emulator(EmulatorOptions(environment=SHOP, token=TOKEN, self_signed=True)) as emulator:
        yield emulator


@pytest.fixture
def client(served: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataverseClient]:
    with connected(served, monkeypatch) as opened:
        yield opened


def code(error: HttpError) -> str:
    return str(error.details["service_error_code"])


def test_a_table_with_every_type_that_the_client_knows(client: DataverseClient) -> None:
    made = client.tables.create("new_Demo", COLUMNS, display_name="Demo")
    assert (made["table_schema_name"], made["table_logical_name"]) == ("new_Demo", "new_demo")
    assert (made["entity_set_name"], made["primary_name_attribute"]) == ("new_demos", "new_name")
    assert made["columns_created"] == list(COLUMNS)
    with pytest.raises(MetadataError, match="already exists"):
        client.tables.create("new_demo", {})
    row_id = client.records.create(
        "new_Demo",
        {
            "new_Name": "First",
            "new_Title": "Title",
            "new_Notes": "one\ntwo",
            "new_Quantity": 5,
            "new_Amount": 1250.5,
            "new_Ratio": 0.12345,
            "new_When": datetime(2026, 1, 2, 3, 4, 5, 678).isoformat(),
            "new_Completed": True,
            "new_Priority": "haute",
        },
    )
    row = client.records.retrieve("new_Demo", row_id)
    assert row is not None
    assert (row["new_title"], row["new_notes"], row["new_quantity"]) == ("Title", "one\ntwo", 5)
    assert (row["new_amount"], row["new_ratio"], row["new_completed"]) == (1250.5, 0.12345, True)
    assert (row["new_when"], row["new_priority"]) == ("2026-01-02T03:04:05Z", 2)
    many = client.records.create("new_Demo", [{"new_Quantity": n, "new_Priority": Priority.LOW} for n in range(5)])
    assert len(many) == 5
    client.records.update("new_Demo", many, {"new_Completed": False})
    assert len(list(client.records.list("new_Demo", filter="new_quantity lt 3"))) == 3
    client.records.update("new_Demo", row_id, {"new_Priority": "Low"})
    client.tables.delete("new_Demo")
    assert client.tables.get("new_Demo") is None
    with pytest.raises(MetadataError, match="not found"):
        client.tables.delete("new_Demo")


def test_constraints_of_columns_hold(client: DataverseClient) -> None:
    columns = {
        "new_Grade": {
            "type": "int",
            "min_value": 1,
            "max_value": 5,
            "display_name": "Grade",
            "required": "Recommended",
        },
        "new_Mail": {"type": "string", "max_length": 30, "format": "Email"},
        "new_Price": {"type": "decimal", "precision": 4, "min_value": 0},
    }
    client.tables.create("new_Strict", columns)
    with pytest.raises(HttpError) as caught:
        client.records.create("new_Strict", {"new_mail": "x" * 31})
    assert code(caught.value) == "0x80044331"
    with pytest.raises(HttpError):
        client.records.create("new_Strict", {"new_grade": 9})
    typed = {one["LogicalName"]: one for one in client.tables.list_columns("new_Strict", typed=True)}
    assert (typed["new_grade"]["MinValue"], typed["new_grade"]["MaxValue"]) == (1, 5)
    assert typed["new_grade"]["RequiredLevel"]["Value"] == "Recommended"
    assert (typed["new_mail"]["MaxLength"], typed["new_mail"]["FormatName"]["Value"]) == (30, "Email")
    assert typed["new_price"]["Precision"] == 4
    client.tables.update_column("new_Strict", "new_mail", {"max_length": 60, "display_name": "Address"})
    client.tables.update_columns("new_Strict", {"new_grade": {"max_value": 9}, "new_price": {"required": "None"}})
    client.records.create("new_Strict", {"new_mail": "x" * 31, "new_grade": 9})
    one = client.tables.get_column("new_Strict", "new_mail", typed=True)
    assert one is not None
    assert one["DisplayName"]["UserLocalizedLabel"]["Label"] == "Address"
    assert client.tables.get_column("new_Strict", "new_nothing") is None
    with pytest.raises(MetadataError):
        client.tables.update_column("new_Strict", "new_nothing", {"max_length": 1})
    client.tables.delete("new_Strict")


def test_columns_come_and_go(client: DataverseClient) -> None:
    client.tables.create("new_Changing", {"new_A": "string"}, primary_column="new_Label")
    info = client.tables.get("new_Changing")
    assert info is not None
    assert info["primary_name_attribute"] == "new_label"
    assert client.tables.add_columns("new_Changing", {"new_B": "int", "new_C": Priority}) == ["new_B", "new_C"]
    client.records.create("new_Changing", {"new_label": "x", "new_b": 1, "new_c": "High"})
    with pytest.raises(HttpError) as caught:
        client.tables.add_columns("new_Changing", {"new_b": "string"})
    assert code(caught.value) == "0x80047013"
    names = [
        one["LogicalName"] for one in client.tables.list_columns("new_Changing", filter="AttributeType eq 'Picklist'")
    ]
    assert names == ["new_c"]
    assert client.tables.remove_columns("new_Changing", ["new_B", "new_C"]) == ["new_B", "new_C"]
    shown = [one["name"] for one in client.query.sql_columns("new_Changing")]
    assert shown[:2] == ["new_changingid", "new_label"]
    assert "new_a" in shown
    assert "new_b" not in shown
    with pytest.raises(MetadataError, match="not found"):
        client.tables.remove_columns("new_Changing", "new_b")
    client.tables.delete("new_Changing")


def test_an_alternate_key(client: DataverseClient) -> None:
    client.tables.create("new_Keyed", {"new_ExternalId": "string", "new_Price": "decimal"})
    made = client.tables.create_alternate_key("new_Keyed", "new_ExternalKey", ["new_externalid"])
    key = client.tables.get_alternate_keys("new_Keyed")[0]
    assert (key.metadata_id, key.schema_name) == (made.metadata_id, "new_ExternalKey")
    assert (key.key_attributes, key.status) == (["new_externalid"], "Active")

    def upsert(*pairs: tuple[str, float]) -> None:
        items: list[UpsertItem | dict[str, Any]] = [
            UpsertItem(alternate_key={"new_externalid": one}, record={"new_price": price}) for one, price in pairs
        ]
        client.records.upsert("new_Keyed", items)

    upsert(("E1", 1.5))
    upsert(("E1", 2.5), ("E2", 3.5))
    rows = {row["new_externalid"]: row["new_price"] for row in client.records.list("new_Keyed")}
    assert rows == {"E1": 2.5, "E2": 3.5}
    client.tables.delete_alternate_key("new_Keyed", made.metadata_id)
    assert client.tables.get_alternate_keys("new_Keyed") == []
    client.tables.delete("new_Keyed")


def label(text: str) -> Label:
    return Label(localized_labels=[LocalizedLabel(label=text, language_code=1033)])


def test_relationships_of_every_kind(client: DataverseClient) -> None:
    for name in ("new_Department", "new_Employee", "new_Project"):
        client.tables.create(name, {f"{name}Code": "string"})
    one = client.tables.create_one_to_many_relationship(
        lookup=LookupAttributeMetadata(schema_name="new_DepartmentId", display_name=label("Department")),
        relationship=OneToManyRelationshipMetadata(
            schema_name="new_Department_Employee",
            referenced_entity="new_department",
            referencing_entity="new_employee",
            referenced_attribute="new_departmentid",
            cascade_configuration=CascadeConfiguration(delete="Cascade"),
        ),
    )
    manager = client.tables.create_lookup_field(
        referencing_table="new_employee",
        lookup_field_name="new_ManagerId",
        referenced_table="contact",
        display_name="Manager",
        description="Who leads",
        required=True,
    )
    both = client.tables.create_many_to_many_relationship(
        relationship=ManyToManyRelationshipMetadata(
            schema_name="new_employee_project",
            entity1_logical_name="new_employee",
            entity2_logical_name="new_project",
        )
    )
    found = client.tables.get_relationship("new_Department_Employee")
    assert found is not None
    assert (found.relationship_id, found.relationship_type) == (one.relationship_id, "one_to_many")
    assert (found.referenced_entity, found.lookup_schema_name) == ("new_department", "new_DepartmentId")
    many = client.tables.get_relationship("new_employee_project")
    assert many is not None
    assert (many.relationship_id, many.entity2_logical_name) == (both.relationship_id, "new_project")
    assert client.tables.get_relationship("new_nothing") is None
    listed = {row["SchemaName"] for row in client.tables.list_table_relationships("new_Employee")}
    assert {"new_Department_Employee", manager.relationship_schema_name, "new_employee_project"} <= listed
    kind = "RelationshipType eq Microsoft.Dynamics.CRM.RelationshipType'ManyToManyRelationship'"
    assert "new_employee_project" in {row["SchemaName"] for row in client.tables.list_relationships(filter=kind)}
    expands = {one["nav_property"]: one for one in client.query.odata_expands("new_employee")}
    assert expands["new_DepartmentId"]["target_entity_set"] == "new_departments"
    department = client.records.create("new_Department", {"new_name": "Sales"})
    bind = {"new_DepartmentId@odata.bind": f"/new_departments({department})"}
    employee = client.records.create("new_Employee", {"new_name": "Ana", **bind})
    row = client.records.retrieve("new_Employee", employee, expand=["new_DepartmentId"])
    assert row is not None
    assert row["new_DepartmentId"]["new_name"] == "Sales"
    client.records.delete("new_Department", department)
    assert client.records.retrieve("new_Employee", employee) is None
    for made in (one, manager, both):
        assert made.relationship_id
        client.tables.delete_relationship(made.relationship_id)
    left = {row["LogicalName"] for row in client.tables.list_columns("new_Employee")}
    assert not {"new_departmentid", "new_managerid"} & left
    for name in ("new_Employee", "new_Department", "new_Project"):
        client.tables.delete(name)


def test_metadata_in_batches(client: DataverseClient) -> None:
    batch = client.batch.new()
    batch.tables.create("new_InBatch", {"new_A": "string", "new_C": Priority})
    batch.tables.get("account")
    assert not batch.execute().has_errors
    batch = client.batch.new()
    batch.tables.add_columns("new_InBatch", {"new_B": "int"})
    batch.tables.create_lookup_field("new_inbatch", "new_AccountId", "account")
    batch.tables.list(filter="SchemaName eq 'new_InBatch'", select=["SchemaName", "LogicalName"])
    result = batch.execute()
    assert not result.has_errors
    listed = result.responses[2].data
    assert listed is not None
    assert listed["value"][0]["LogicalName"] == "new_inbatch"
    batch = client.batch.new()
    batch.tables.add_columns("new_InBatch", {"new_B": "int"})
    batch.tables.remove_columns("new_InBatch", "new_A")
    result = batch.execute(continue_on_error=True)
    assert [one.status_code for one in result.responses] == [400, 204]
    batch = client.batch.new()
    batch.tables.delete("new_InBatch")
    assert not batch.execute().has_errors
    assert client.tables.get("new_InBatch") is None


def test_tables_in_a_solution(client: DataverseClient) -> None:
    client.tables.create("new_Solved", {}, solution="ShopCore")
    assert client.tables.get("new_Solved") is not None
    client.tables.delete("new_Solved")
    with pytest.raises(HttpError):
        client.tables.create("new_Solved", {}, solution="NoSuchSolution")
    assert client.tables.get("new_Solved") is None


def test_names_that_the_service_refuses(client: DataverseClient) -> None:
    with pytest.raises(HttpError) as caught:
        client.tables.create("NoPrefix", {})
    assert code(caught.value) == "0x80044366"
    account = client.tables.get("account")
    assert account is not None
    with pytest.raises(HttpError):
        client.tables.delete("account")


def test_listing_tables(client: DataverseClient) -> None:
    names = {row["LogicalName"] for row in client.tables.list()}
    assert {"account", "contact", "systemuser"} <= names
    custom = client.tables.list(filter="IsCustomEntity eq true", select=["LogicalName", "SchemaName", "EntitySetName"])
    assert {"shop_tag"} <= {row["LogicalName"] for row in custom}
