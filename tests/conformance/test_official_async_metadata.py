"""The asynchronous half of Microsoft's Python client making and deleting tables, columns, keys and relationships."""

import pytest
from PowerPlatform.Dataverse.aio.async_client import AsyncDataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError
from PowerPlatform.Dataverse.models import (
    LookupAttributeMetadata,
    ManyToManyRelationshipMetadata,
    OneToManyRelationshipMetadata,
    UpsertItem,
)

from tests.conformance.test_official_async_client import play
from tests.conformance.test_official_metadata import COLUMNS, Priority, code, label


def test_a_table_with_every_type_that_the_client_knows() -> None:
    async def scenario(client: AsyncDataverseClient) -> None:
        made = await client.tables.create("new_Demo", COLUMNS, display_name="Demo")
        assert (made["table_logical_name"], made["columns_created"]) == ("new_demo", list(COLUMNS))
        values = {"new_Name": "First", "new_Quantity": 5, "new_Amount": 1250.5, "new_Priority": "Haute"}
        row_id = await client.records.create("new_Demo", values)
        row = await client.records.retrieve("new_Demo", row_id)
        assert row is not None
        assert (row["new_quantity"], row["new_amount"], row["new_priority"]) == (5, 1250.5, 2)
        await client.tables.delete("new_Demo")
        assert await client.tables.get("new_Demo") is None

    play(scenario)


def test_columns_come_and_go() -> None:
    async def scenario(client: AsyncDataverseClient) -> None:
        await client.tables.create("new_Changing", {})
        assert await client.tables.add_columns("new_Changing", {"new_B": "int", "new_C": Priority}) == [
            "new_B",
            "new_C",
        ]
        await client.tables.update_column("new_Changing", "new_b", {"max_value": 5})
        column = await client.tables.get_column("new_Changing", "new_b", typed=True)
        assert column is not None
        assert column["MaxValue"] == 5
        with pytest.raises(HttpError) as caught:
            await client.tables.add_columns("new_Changing", {"new_b": "string"})
        assert code(caught.value) == "0x80047013"
        assert await client.tables.remove_columns("new_Changing", ["new_B", "new_C"]) == ["new_B", "new_C"]
        listed = {one["LogicalName"] for one in await client.tables.list_columns("new_Changing")}
        assert not {"new_b", "new_c"} & listed

    play(scenario)


def test_an_alternate_key() -> None:
    async def scenario(client: AsyncDataverseClient) -> None:
        await client.tables.create("new_Keyed", {"new_ExternalId": "string"})
        made = await client.tables.create_alternate_key("new_Keyed", "new_ExternalKey", ["new_externalid"])
        (key,) = await client.tables.get_alternate_keys("new_Keyed")
        assert (key.metadata_id, key.status) == (made.metadata_id, "Active")
        for name in ("One", "Uno"):
            item = UpsertItem(alternate_key={"new_externalid": "E1"}, record={"new_name": name})
            await client.records.upsert("new_Keyed", [item])
        assert [row["new_name"] for row in await client.records.list("new_Keyed")] == ["Uno"]
        await client.tables.delete_alternate_key("new_Keyed", made.metadata_id)
        assert await client.tables.get_alternate_keys("new_Keyed") == []

    play(scenario)


def test_relationships_of_every_kind() -> None:
    async def scenario(client: AsyncDataverseClient) -> None:
        for name in ("new_Parent", "new_Child"):
            await client.tables.create(name, {})
        one = await client.tables.create_one_to_many_relationship(
            lookup=LookupAttributeMetadata(schema_name="new_ParentId", display_name=label("Parent")),
            relationship=OneToManyRelationshipMetadata(
                schema_name="new_Parent_Child",
                referenced_entity="new_parent",
                referencing_entity="new_child",
                referenced_attribute="new_parentid",
            ),
        )
        lookup = await client.tables.create_lookup_field("new_child", "new_AccountId", "account")
        both = await client.tables.create_many_to_many_relationship(
            relationship=ManyToManyRelationshipMetadata(
                schema_name="new_parent_children", entity1_logical_name="new_parent", entity2_logical_name="new_child"
            )
        )
        found = await client.tables.get_relationship("new_Parent_Child")
        assert found is not None
        assert found.relationship_id == one.relationship_id
        parent = await client.records.create("new_Parent", {"new_name": "P"})
        bind = {"new_ParentId@odata.bind": f"/new_parents({parent})"}
        child = await client.records.create("new_Child", {"new_name": "C", **bind})
        row = await client.records.retrieve("new_Child", child, expand=["new_ParentId"])
        assert row is not None
        assert row["new_ParentId"]["new_name"] == "P"
        for made in (one, lookup, both):
            assert made.relationship_id
            await client.tables.delete_relationship(made.relationship_id)
        for name in ("new_Parent", "new_Child"):
            await client.tables.delete(name)

    play(scenario)
