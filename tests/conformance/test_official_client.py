"""Microsoft's Python client (PowerPlatform-Dataverse-Client), unchanged, over TLS.

https://github.com/microsoft/PowerPlatform-DataverseClient-Python
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError, MetadataError

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions
from tests.conftest import REPOSITORY

SHOP = str(REPOSITORY / "tests/emulator/shop.yml")
TOKEN = "a-token"  # of the emulator
NOBODY = "00000000-0000-4000-8000-00000000dead"


class Credential:
    """Gives the emulator's token, as a sign-in would."""

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert all(scope.endswith("/.default") for scope in scopes)
        return AccessToken(TOKEN, 9_999_999_999)


def reach_directly(patch: pytest.MonkeyPatch) -> None:
    """Forget the proxies and the authorities of this machine, which clients take from the environment."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "CURL_CA_BUNDLE"):
        patch.delenv(name, raising=False)
        patch.delenv(name.lower(), raising=False)


@contextmanager
def connected(emulator: Emulator, patch: pytest.MonkeyPatch) -> Iterator[DataverseClient]:
    """The client, with trust in the emulator's certificate."""
    reach_directly(patch)
    patch.setenv("REQUESTS_CA_BUNDLE", str(emulator.authority))
    with DataverseClient(emulator.url, Credential()) as opened:
        yield opened


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[DataverseClient]:
    with (
        Emulator(EmulatorOptions(environment=SHOP, token=TOKEN, self_signed=True)) as emulator,
        connected(emulator, monkeypatch) as opened,
    ):
        yield opened


def make(client: DataverseClient, *names: str) -> list[str]:
    return list(client.records.create("account", [{"name": name} for name in names]))


def names_of(client: DataverseClient, condition: str) -> list[str]:
    return sorted(row["name"] for row in client.records.list("account", filter=condition, select=["name"]))


def test_create_retrieve_update_delete(client: DataverseClient) -> None:
    row_id = client.records.create("account", {"name": "Contoso", "creditonhold": True})
    row = client.records.retrieve("account", row_id, select=["name", "creditonhold"])
    assert row is not None
    assert (row.id, row["name"], row["creditonhold"]) == (row_id, "Contoso", True)
    client.records.update("account", row_id, {"name": "Fabrikam"})
    changed = client.records.retrieve("account", row_id, select=["name"])
    assert changed is not None
    assert changed["name"] == "Fabrikam"
    client.records.delete("account", row_id)
    assert client.records.retrieve("account", row_id) is None


def test_a_choice_by_its_label(client: DataverseClient) -> None:
    """The client asks the metadata for the option sets of the table, by a cast."""
    row_id = client.records.create("account", {"name": "Waits", "statuscode": 3})
    row = client.records.retrieve("account", row_id, select=["statuscode"])
    assert row is not None
    assert row["statuscode"] == 3


def test_a_row_that_is_not_there(client: DataverseClient) -> None:
    with pytest.raises(HttpError) as caught:
        client.records.update("account", NOBODY, {"name": "x"})
    assert caught.value.status_code == 404
    assert caught.value.details["service_error_code"] == "0x80040217"


def test_an_unknown_table(client: DataverseClient) -> None:
    assert client.tables.get("nothing") is None
    with pytest.raises(MetadataError, match="nothing"):
        client.records.create("nothing", {"name": "x"})


def test_bulk_create_update_and_delete(client: DataverseClient) -> None:
    ids = make(client, "A", "B", "C")
    assert len(set(ids)) == 3
    client.records.update("account", ids[:2], {"accountnumber": None, "creditonhold": True})
    client.records.update("account", ids, [{"name": f"{name}2"} for name in "ABC"])
    assert names_of(client, "endswith(name,'2')") == ["A2", "B2", "C2"]
    assert names_of(client, "creditonhold eq true and endswith(name,'2')") == ["A2", "B2"]
    assert client.records.delete("account", ids[:2])
    assert names_of(client, "endswith(name,'2')") == ["C2"]
    client.records.delete("account", ids[2:], use_bulk_delete=False)
    assert names_of(client, "endswith(name,'2')") == []


def test_one_refused_row_undoes_a_bulk_create(client: DataverseClient) -> None:
    with pytest.raises(HttpError) as caught:
        make(client, "Good one", "x" * 50)
    assert caught.value.details["service_error_code"] == "0x80044331"
    assert names_of(client, "name eq 'Good one'") == []


def test_upsert_by_an_alternate_key(client: DataverseClient) -> None:
    def upsert(*pairs: tuple[str, str]) -> None:
        client.records.upsert(
            "account",
            [{"alternate_key": {"accountnumber": number}, "record": {"name": name}} for number, name in pairs],
        )

    upsert(("k1", "One"))
    upsert(("k1", "Uno"))
    assert names_of(client, "accountnumber eq 'k1'") == ["Uno"]
    upsert(("k1", "Eins"), ("k2", "Zwei"))
    assert names_of(client, "accountnumber eq 'k1' or accountnumber eq 'k2'") == ["Eins", "Zwei"]


def test_pages_to_the_end(client: DataverseClient) -> None:
    make(client, *(f"Page {number}" for number in range(7)))
    pages = list(
        client.records.list_pages("account", filter="startswith(name,'Page')", orderby=["name desc"], page_size=3)
    )
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [row["name"] for page in pages for row in page] == [f"Page {number}" for number in range(6, -1, -1)]


def test_options_of_a_list(client: DataverseClient) -> None:
    make(client, "L1", "L2", "L3")
    rows = client.records.list(
        "account", filter="startswith(name,'L')", orderby=["name desc"], top=2, select=["name"], count=True,
        expand=["primarycontactid"], include_annotations="*",
    )  # fmt: skip
    assert [row["name"] for row in rows] == ["L3", "L2"]


def test_fetchxml_to_the_end(client: DataverseClient) -> None:
    make(client, *(f"Fetch {number}" for number in range(5)))
    xml = (
        '<fetch count="2"><entity name="account"><attribute name="name" /><order attribute="name" />'
        '<filter><condition attribute="name" operator="begins-with" value="Fetch" /></filter></entity></fetch>'
    )
    pages = list(client.query.fetchxml(xml).execute_pages())
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [row["name"] for page in pages for row in page] == [f"Fetch {number}" for number in range(5)]


def test_a_lookup_is_bound_and_read(client: DataverseClient) -> None:
    (account,) = make(client, "Parent")
    contact = client.records.create(
        "contact", {"fullname": "Ana", "parentcustomerid_account@odata.bind": f"/accounts({account})"}
    )
    row = client.records.retrieve("contact", contact, select=["fullname", "_parentcustomerid_value"])
    assert row is not None
    assert row["_parentcustomerid_value"] == account


def test_metadata_of_tables(client: DataverseClient) -> None:
    info = client.tables.get("account")
    assert info is not None
    assert (info.logical_name, info.entity_set_name) == ("account", "accounts")
    assert (info.primary_id_attribute, info.primary_name_attribute) == ("accountid", "name")
    listed = {table["LogicalName"] for table in client.tables.list(select=["LogicalName"])}
    assert {"account", "contact"} <= listed
    assert [table["LogicalName"] for table in client.tables.list(filter="LogicalName eq 'account'")] == ["account"]


def test_metadata_of_columns(client: DataverseClient) -> None:
    columns = {column["LogicalName"]: column for column in client.tables.list_columns("account")}
    assert columns["name"]["AttributeType"] == "String"
    # Columns that only show the name of a lookup's target are texts, too.
    condition = "AttributeType eq 'String' and AttributeOf eq null"
    texts = client.tables.list_columns("account", filter=condition, select=["LogicalName"])
    assert {column["LogicalName"] for column in texts} == {"name", "accountnumber"}
    typed = {column["LogicalName"]: column for column in client.tables.list_columns("account", typed=True)}
    assert typed["name"]["MaxLength"] == 20
    one = client.tables.get_column("account", "name", typed=True)
    assert one is not None
    assert one["MaxLength"] == 20


def test_metadata_of_keys_and_relationships(client: DataverseClient) -> None:
    (key,) = client.tables.get_alternate_keys("account")
    assert (key.schema_name, key.key_attributes, key.status) == ("shop_number", ["accountnumber"], "Active")
    relations = client.tables.list_table_relationships("account")
    assert {relation["RelationshipType"] for relation in relations} >= {"OneToManyRelationship"}
    assert len(client.tables.list_relationships()) >= len(relations)


def test_a_batch_with_a_change_set(client: DataverseClient) -> None:
    (old,) = make(client, "Old")
    batch = client.batch.new()
    with batch.changeset() as changes:
        new = changes.records.create("account", {"name": "Made"})
        changes.records.update("account", new, {"name": "Made and changed"})
        changes.records.delete("account", old)
    batch.records.list("account", filter="startswith(name,'Made')", select=["name"])
    result = batch.execute()
    assert not result.has_errors
    assert [row["name"] for row in result.responses[-1].data["value"]] == ["Made and changed"]  # type: ignore[index]
    assert client.records.retrieve("account", old) is None


def test_a_change_set_that_fails_leaves_nothing(client: DataverseClient) -> None:
    batch = client.batch.new()
    with batch.changeset() as changes:
        changes.records.create("account", {"name": "Undone"})
        changes.records.delete("account", NOBODY)
    result = batch.execute(continue_on_error=True)
    assert result.has_errors
    assert result.failed[0].error_code == "0x80040217"
    assert names_of(client, "name eq 'Undone'") == []


@pytest.mark.parametrize(("on", "left"), [(True, ["First", "Last"]), (False, ["First"])])
def test_a_batch_and_its_errors(client: DataverseClient, on: bool, left: list[str]) -> None:
    batch = client.batch.new()
    batch.records.create("account", {"name": "First"})
    batch.records.delete("account", NOBODY)
    batch.records.create("account", {"name": "Last"})
    result = batch.execute(continue_on_error=on)
    assert [item.status_code for item in result.responses] == [204, 404, 204][: 3 if on else 2]
    assert names_of(client, "name eq 'First' or name eq 'Last'") == left


def test_a_token_that_is_refused(client: DataverseClient, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = SimpleNamespace(get_token=lambda *_, **__: AccessToken("another", 9_999_999_999))
    with DataverseClient(client._base_url, refused) as other, pytest.raises(HttpError) as caught:
        other.tables.get("account")
    assert caught.value.status_code == 401
