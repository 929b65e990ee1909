"""Definitions that build on others: other versions, and less in them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client
from .conftest import SHOP
from .test_solutions import tables_of

Write = Callable[[str, str], Path]
CONTACT = "c0000000-0000-4000-8000-000000000001"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a definition beside the one of the shop."""
    (tmp_path / "shop.yml").write_text(SHOP.read_text("utf-8"), "utf-8")

    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return written


@contextmanager
def serving(path: Path) -> Iterator[Client]:
    with Emulator(EmulatorOptions(environment=str(path))) as emulator:
        client = Client(emulator.url)
        yield client
        client.close()


def versions(client: Client) -> dict[str, str]:
    rows = client.rows("solutions?$select=uniquename,version&$filter=isvisible eq true")
    return {row["uniquename"]: row["version"] for row in rows}


def columns(client: Client, table: str) -> set[str]:
    rows = client.get(f"EntityDefinitions(LogicalName='{table}')/Attributes?$select=LogicalName")["value"]
    return {row["LogicalName"] for row in rows}


def test_a_solution_of_another_version_keeps_the_rest(write: Write) -> None:
    text = "include: [shop.yml]\nsolutions: [{uniquename: ShopCore, version: 1.2.3.5}]\n"
    with serving(write("newer.yml", text)) as client:
        assert versions(client) == {"Default": "1.0", "ShopCore": "1.2.3.5"}
        row = client.rows("solutions?$filter=uniquename eq 'ShopCore'")[0]
        assert (row["friendlyname"], row["ismanaged"]) == ("Shop", True)
        assert tables_of(client, "ShopCore") == {"account", "shop_tag"}
        assert client.get("organizations")["value"][0]["name"] == "Shop"


def test_the_last_file_of_a_chain_has_the_last_word(write: Write) -> None:
    write(
        "second.yml", "include: [shop.yml]\nsolutions: [{uniquename: ShopCore, version: 2.0.0.0, tables: [contact]}]\n"
    )
    more = (
        "solutions: [{uniquename: ShopCore, version: 3.0.0.0}, {uniquename: More, friendlyname: M, version: 0.1.0.0}]"
    )
    path = write("third.yml", f"include: [second.yml, shop.yml]\norganization: {{name: Third}}\n{more}\n")
    with serving(path) as client:
        assert versions(client) == {"Default": "1.0", "ShopCore": "3.0.0.0", "More": "0.1.0.0"}
        assert tables_of(client, "ShopCore") == {"contact"}
        assert client.get("organizations")["value"][0]["name"] == "Third"


def test_a_definition_that_comes_along_misses_a_table(write: Write) -> None:
    text = "include: [journeys-production]\nremove: {tables: [msdynmkt_fragment]}\n"
    with serving(write("older.yml", text)) as client:
        assert client.send("GET", "EntityDefinitions(LogicalName='msdynmkt_fragment')").status_code == 404
        assert client.send("GET", "msdynmkt_fragments").status_code == 404
        assert client.send("GET", "msdynmkt_email_fragmentset").status_code == 404
        assert tables_of(client, "DynamicsMKT_Fragments") == set()
        assert "msdynmkt_fragment" not in tables_of(client, "ContosoMarketingConfig")
        assert client.rows("msdynmkt_emails")
        relationships = client.get("RelationshipDefinitions")["value"]
        assert "msdynmkt_fragment" not in {one.get("ReferencedEntity") for one in relationships}


def test_the_tables_of_a_definition_alone(write: Write) -> None:
    with serving(write("bare.yml", "include: [journeys-tables]\n")) as client:
        assert client.rows("msdynmkt_journeys") == []
        assert versions(client)["DynamicsMKT_Consent"]


def test_with_a_table_go_the_lookups_to_it(write: Write) -> None:
    text = "include: [shop.yml]\nremove: {tables: [account]}\n"
    with serving(write("less.yml", text)) as client:
        assert "parentcustomerid" in columns(client, "contact")
        assert client.get(f"contacts({CONTACT})")["_parentcustomerid_value"] is None
        other = client.get("contacts(c0000000-0000-4000-8000-000000000002)")
        assert other["_parentcustomerid_value"] == CONTACT
        children = client.get("EntityDefinitions(LogicalName='contact')/ManyToOneRelationships")["value"]
        targets = {one["ReferencedEntity"] for one in children if one["ReferencingAttribute"] == "parentcustomerid"}
        assert targets == {"contact"}
        assert tables_of(client, "ShopCore") == {"shop_tag"}


def test_a_column_goes_with_its_values_and_keys(write: Write) -> None:
    text = "include: [shop.yml]\nremove: {columns: {account: [accountnumber, creditonhold], contact: [shop_size]}}\n"
    with serving(write("less.yml", text)) as client:
        assert columns(client, "account").isdisjoint({"accountnumber", "creditonhold"})
        assert "shop_size" not in columns(client, "contact")
        assert client.get("EntityDefinitions(LogicalName='account')/Keys")["value"] == []
        assert client.rows("accounts")[0]["name"] == "Contoso"
        assert client.send("GET", "accounts?$select=accountnumber").status_code == 400


def test_a_status_without_its_state_and_the_other_way_round(write: Write) -> None:
    for column, other in (("statecode", "statuscode"), ("statuscode", "statecode")):
        text = f"include: [shop.yml]\nremove: {{columns: {{account: [{column}]}}}}\n"
        with serving(write("less.yml", text)) as client:
            assert columns(client, "account") & {"statecode", "statuscode"} == {other}
            assert client.rows("accounts")


def test_a_relationship_and_a_solution_go(write: Write) -> None:
    text = "include: [shop.yml]\nremove: {relationships: [shop_contact_tag], solutions: [ShopCore]}\n"
    with serving(write("less.yml", text)) as client:
        assert set(versions(client)) == {"Default"}
        many = client.get("EntityDefinitions(LogicalName='contact')/ManyToManyRelationships")["value"]
        assert {one["SchemaName"] for one in many} == {"shop_related"}
        assert client.rows("shop_tags")


def test_what_is_removed_can_come_back_in_another_form(write: Write) -> None:
    table = "{primary_name: x_name, columns: {shop_tagid: {type: Uniqueidentifier}, x_name: {type: String}}}"
    text = f"include: [shop.yml]\nremove: {{tables: [shop_tag]}}\ntables: {{shop_tag: {table}}}\n"
    with serving(write("other.yml", text)) as client:
        assert {"shop_tagid", "x_name"} <= columns(client, "shop_tag")
        assert client.rows("shop_tags") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("remove: {tables: [shop_nope]}", "no table shop_nope"),
        ("remove: {tables: [systemuser]}", "no table systemuser"),
        ("remove: {columns: {contact: [shop_nope]}}", "no column contact.shop_nope"),
        ("remove: {columns: {account: [createdon]}}", "no column account.createdon"),
        ("remove: {columns: {shop_nope: [x]}}", "no column shop_nope.x"),
        ("remove: {columns: {contact: [contactid]}}", "primary id column contactid"),
        ("remove: {columns: {contact: [fullname]}}", "primary name column fullname"),
        ("remove: {relationships: [shop_nope]}", "no relationship shop_nope"),
        ("remove: {solutions: [Nope]}", "no solution Nope"),
        ("remove: {rows: [Nope]}", "remove.rows: unknown key"),
        ("solutions: [{uniquename: New, friendlyname: New}]", "solution New: Object missing required field `version`"),
        ("solutions: [{uniquename: ShopCore, tables: [shop_nope]}]", "solution ShopCore lists the unknown table"),
    ],
)
def test_wrong_overrides_name_the_place(write: Write, text: str, words: str) -> None:
    path = write("wrong.yml", f"include: [shop.yml]\n{text}\n")
    with pytest.raises(EmulatorStartError, match=r"wrong\.yml") as caught:
        Emulator(EmulatorOptions(environment=str(path))).start()
    assert words in str(caught.value)


def test_an_unknown_name_among_the_includes_lists_the_known_ones(write: Write) -> None:
    path = write("wrong.yml", "include: [journeys-nowhere]\n")
    with pytest.raises(EmulatorStartError, match="journeys-production, journeys-sandbox"):
        Emulator(EmulatorOptions(environment=str(path))).start()


def test_files_that_include_each_other(write: Write) -> None:
    write("one.yml", "include: [two.yml, shop.yml]\n")
    with serving(write("two.yml", "include: [one.yml]\n")) as client:
        assert client.rows("accounts")
