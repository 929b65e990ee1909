"""Tables that clients make, change and delete.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-update-entity-definitions-using-web-api
"""

import json
from pathlib import Path

import pytest

from confmig.emulator.clock import VirtualClock
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client, error
from .conftest import SHOP
from .metadatabodies import CRM, Json, attribute, label, one_to_many, table


def make(client: Client, body: Json, **headers: str) -> str:
    """Make a table and give its MetadataId."""
    reply = client.send("POST", "EntityDefinitions", body, **headers)
    assert reply.status_code == 204, reply.text
    location = reply.headers["OData-EntityId"]
    assert location.startswith(f"{client.root}EntityDefinitions(")
    return location[-37:-1]


def described(client: Client, name: str, query: str = "") -> Json:
    found: Json = client.get(f"EntityDefinitions(LogicalName='{name}'){query}")
    return found


def columns(client: Client, name: str) -> dict[str, Json]:
    listed = client.get(f"EntityDefinitions(LogicalName='{name}')/Attributes")["value"]
    return {one["LogicalName"]: one for one in listed}


def test_a_new_table_and_its_rows(fresh: Client) -> None:
    made = make(fresh, table("new_BankAccount"))
    one = described(fresh, "new_bankaccount")
    assert one["MetadataId"] == made
    assert one["SchemaName"] == "new_BankAccount"
    assert (one["EntitySetName"], one["LogicalCollectionName"]) == ("new_bankaccounts", "new_bankaccounts")
    assert one["CollectionSchemaName"] == "new_BankAccounts"
    assert (one["PrimaryIdAttribute"], one["PrimaryNameAttribute"]) == ("new_bankaccountid", "new_name")
    assert one["IsCustomEntity"] is True
    assert one["ObjectTypeCode"] >= 10_000
    assert one["DisplayCollectionName"]["UserLocalizedLabel"]["Label"] == "BankAccounts"
    row = fresh.create("new_bankaccounts", {"new_name": "Savings"})
    read = fresh.get(f"new_bankaccounts({row})")
    assert (read["new_name"], read["statecode"], read["statuscode"]) == ("Savings", 0, 1)
    assert read["_ownerid_value"]
    fresh.send("PATCH", f"new_bankaccounts({row})", {"statecode": 1})
    assert fresh.get(f"new_bankaccounts({row})")["statuscode"] == 2
    assert {"name": "new_bankaccounts", "kind": "EntitySet", "url": "new_bankaccounts"} in fresh.get("")["value"]


def test_columns_of_owned_tables_and_of_those_of_the_organization(fresh: Client) -> None:
    make(fresh, table("new_Mine"))
    make(fresh, table("new_Ours", OwnershipType="OrganizationOwned"))
    system = {"createdon", "createdby", "modifiedon", "modifiedby", "versionnumber", "statecode", "statuscode"}
    mine, ours = columns(fresh, "new_mine"), columns(fresh, "new_ours")
    assert system <= mine.keys()
    assert system <= ours.keys()
    assert {"ownerid", "owninguser", "owningteam", "owningbusinessunit"} <= mine.keys()
    assert "ownerid" not in ours
    assert described(fresh, "new_ours")["OwnershipType"] == "OrganizationOwned"


def test_the_plural_of_a_set(fresh: Client) -> None:
    for name, plural in (("new_Category", "new_categories"), ("new_Box", "new_boxes"), ("new_Day", "new_days")):
        make(fresh, table(name))
        assert described(fresh, name.lower())["EntitySetName"] == plural
    make(fresh, table("new_Person", EntitySetName="new_people"))
    assert fresh.get("new_people")["value"] == []
    reply = fresh.send("POST", "EntityDefinitions", table("new_Folk", EntitySetName="new_people"))
    assert error(reply) == (400, "0x8006089B")


def test_several_tables_at_once_or_none(fresh: Client) -> None:
    def entities(*bodies: Json) -> Json:
        changed = [{**body, "@odata.type": f"{CRM}ComplexEntityMetadata"} for body in bodies]
        return {"Entities": changed}

    reply = fresh.send("POST", "CreateEntities", entities(table("new_One"), table("new_Two")))
    assert reply.status_code == 200
    assert len(reply.json()["EntityIds"]) == 2
    assert fresh.get("new_ones")["value"] == fresh.get("new_twos")["value"] == []
    reply = fresh.send("POST", "CreateEntities", entities(table("new_Three"), table("new_One")))
    assert error(reply) == (400, "0x80044363")
    assert fresh.send("GET", "EntityDefinitions(LogicalName='new_three')").status_code == 404
    assert fresh.send("GET", "new_threes").status_code == 404
    make(fresh, table("new_Three"))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (table("Account"), "0x80044366"),
        (table("new_"), "0x80044366"),
        (table('new_x"; drop'), "0x80044366"),
        ({}, "0x80044366"),
        ({**table("new_X"), "Attributes": []}, "0x8004023a"),
        ({**table("new_X"), "OwnershipType": "Nobody"}, "0x8004023a"),
        (table("new_X", attribute("String", "new_Other", IsPrimaryName=True)), "0x8004701E"),
        (table("new_X", attribute("String", "new_name")), "0x80047013"),
        (table("new_X", attribute("Lookup", "new_Y"), Attributes=7), "0x80048d19"),
        ({**table("new_X"), "DisplayName": "text"}, "0x80048d19"),
    ],
)
def test_wrong_tables(shop: Client, body: Json, code: str) -> None:
    reply = shop.send("POST", "EntityDefinitions", body)
    assert error(reply) == (400, code)
    assert shop.send("GET", "EntityDefinitions(LogicalName='new_x')").status_code == 404


def test_a_table_whose_name_is_taken(fresh: Client) -> None:
    make(fresh, table("new_Thing"))
    reply = fresh.send("POST", "EntityDefinitions", table("new_THING"))
    assert error(reply) == (400, "0x80044363")
    assert "already exists" in reply.json()["error"]["message"]


def test_changing_a_table(fresh: Client) -> None:
    made = make(fresh, table("new_Thing"))
    body = described(fresh, "new_thing")
    assert body["ChangeTrackingEnabled"] is False
    body |= {"DisplayName": label("Article", _1036="Chose"), "ChangeTrackingEnabled": True}
    assert fresh.send("PUT", f"EntityDefinitions({made})", body).status_code == 204
    changed = described(fresh, "new_thing")
    texts = {one["LanguageCode"]: one["Label"] for one in changed["DisplayName"]["LocalizedLabels"]}
    assert texts == {1033: "Article", 1036: "Chose"}
    assert changed["ChangeTrackingEnabled"] is True
    # Labels in other languages stay only when the client says so.
    body["DisplayName"] = label("Item")
    path = "EntityDefinitions(LogicalName='new_thing')"
    assert fresh.send("PUT", path, body, **{"MSCRM.MergeLabels": "true"}).status_code == 204
    assert len(described(fresh, "new_thing")["DisplayName"]["LocalizedLabels"]) == 2
    assert fresh.send("PUT", path, body).status_code == 204
    assert len(described(fresh, "new_thing")["DisplayName"]["LocalizedLabels"]) == 1


def test_deleting_a_table_deletes_all_that_cannot_be_without_it(fresh: Client) -> None:
    made = make(fresh, table("new_Parent"))
    make(fresh, table("new_Child"))
    for body in (
        one_to_many("new_parent_child", "new_parent", "new_child", "new_ParentId"),
        one_to_many("new_parent_account", "new_parent", "account", "new_OwnerId"),
    ):
        assert fresh.send("POST", "RelationshipDefinitions", body).status_code == 204
    parent = fresh.create("new_parents", {"new_name": "P"})
    child = fresh.create("new_childs", {"new_name": "C", "new_ParentId@odata.bind": f"/new_parents({parent})"})
    assert fresh.send("DELETE", f"EntityDefinitions({made})", If_Match="*").status_code == 204
    assert error(fresh.send("GET", "new_parents")) == (404, "0x80060888")
    assert fresh.send("GET", "EntityDefinitions(LogicalName='new_parent')").status_code == 404
    assert "_new_parentid_value" not in fresh.get(f"new_childs({child})")
    assert "new_ownerid" not in columns(fresh, "account")
    named = "RelationshipDefinitions?$filter=SchemaName eq 'new_parent_child'"
    assert fresh.get(named)["value"] == []
    assert make(fresh, table("new_Parent")) != made
    assert fresh.get("new_parents")["value"] == []


def test_tables_of_the_platform_stay(shop: Client) -> None:
    for name in ("account", "systemuser"):
        assert error(shop.send("DELETE", f"EntityDefinitions(LogicalName='{name}')")) == (400, "0x8004f032")
    assert error(shop.send("DELETE", "EntityDefinitions(LogicalName='nothing')"))[0] == 404


def test_the_rows_about_a_table(fresh: Client) -> None:
    solution = fresh.get("solutions?$select=solutionid&$filter=uniquename eq 'ShopCore'")["value"][0]["solutionid"]
    made = make(fresh, table("new_Thing"), **{"MSCRM.SolutionUniqueName": "ShopCore"})
    parts = f"solutioncomponents?$select=componenttype&$filter=_solutionid_value eq {solution} and objectid eq {made}"
    assert [row["componenttype"] for row in fresh.get(parts)["value"]] == [1]
    asked = "sdkmessagefilters?$filter=sdkmessageid/name eq 'CreateMultiple' and primaryobjecttypecode eq 'new_thing'"
    assert len(fresh.get(asked)["value"]) == 1
    assert fresh.send("DELETE", f"EntityDefinitions({made})").status_code == 204
    assert fresh.get(parts)["value"] == fresh.get(asked)["value"] == []
    reply = fresh.send("POST", "CreateEntities?SolutionUniqueName=Nothing", {"Entities": [table("new_Thing")]})
    assert error(reply) == (404, "0x80040217")


def test_notes_and_activities_about_rows_of_a_new_table(fresh: Client) -> None:
    make(fresh, table("new_Thing", HasActivities=True))
    thing = fresh.create("new_things", {"new_name": "T"})
    bind = {"regardingobjectid_new_thing_email@odata.bind": f"/new_things({thing})"}
    mail = fresh.create("emails", {"subject": "About it", **bind})
    assert fresh.get(f"emails({mail})?$select=_regardingobjectid_value")["_regardingobjectid_value"] == thing
    path = "EntityDefinitions(LogicalName='new_thing')"
    assert error(fresh.send("PUT", path, {"HasActivities": False})) == (400, "0x8004023a")


def test_notes_go_with_the_table_that_they_are_about(tmp_path: Path) -> None:
    notes = """
name: notes
tables:
  annotation:
    primary_name: subject
    ownership: user
    columns:
      annotationid: {type: Uniqueidentifier}
      subject: {type: String}
      objectid: {type: Lookup, targets: [systemuser]}
"""
    file = tmp_path / "notes.yml"
    file.write_text(notes)
    with Emulator(EmulatorOptions(environment=str(file))) as emulator:
        client = Client(emulator.url)
        for name in ("new_Thing", "new_Other"):
            make(client, table(name, HasNotes=True))
        for name in ("thing", "other"):
            row = client.create(f"new_{name}s", {"new_name": name})
            bind = {f"objectid_new_{name}@odata.bind": f"/new_{name}s({row})"}
            client.create("annotations", {"subject": name, **bind})
        assert client.send("DELETE", "EntityDefinitions(LogicalName='new_thing')").status_code == 204
        assert [row["subject"] for row in client.get("annotations")["value"]] == ["other"]
        client.close()


def test_an_activity_of_ones_own(fresh: Client) -> None:
    primary = attribute("String", "new_Subject", IsPrimaryName=True)
    body = {**table("new_Visit", IsActivity=True), "Attributes": [primary]}
    make(fresh, body)
    one = described(fresh, "new_visit")
    assert (one["IsActivity"], one["PrimaryIdAttribute"]) == (True, "activityid")
    visit = fresh.create("new_visits", {"subject": "Hello"})
    assert fresh.get(f"new_visits({visit})")["statecode"] == 0
    assert fresh.send("DELETE", "EntityDefinitions(LogicalName='new_visit')").status_code == 204


def test_a_change_set_with_metadata_is_undone_as_a_whole(fresh: Client) -> None:
    def part(number: int, body: Json, path: str) -> str:
        return (
            "--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
            f"Content-ID: {number}\r\n\r\nPOST {fresh.root}{path} HTTP/1.1\r\n"
            f"Content-Type: application/json\r\n\r\n{json.dumps(body)}\r\n"
        )

    def batch(*parts: str) -> int:
        text = "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n" + "".join(parts) + "--c--\r\n\r\n--b--\r\n"
        reply = fresh.send("POST", "$batch", text.encode(), Content_Type="multipart/mixed; boundary=b")
        return reply.status_code

    make_table = part(1, table("new_Thing"), "EntityDefinitions")
    make_row = part(2, {"new_name": "T"}, "new_things")
    assert batch(make_table, make_row, part(3, {"nonsense": 1}, "accounts")) == 400
    assert fresh.send("GET", "EntityDefinitions(LogicalName='new_thing')").status_code == 404
    assert fresh.send("GET", "new_things").status_code == 404
    assert batch(make_table, make_row) == 200
    assert [row["new_name"] for row in fresh.get("new_things")["value"]] == ["T"]


def test_a_store_opened_again_has_the_new_tables(tmp_path: Path) -> None:
    options = EmulatorOptions(environment=str(SHOP), store=tmp_path / "rows.db")
    with Emulator(options) as emulator:
        client = Client(emulator.url)
        make(client, table("new_Thing", attribute("Money", "new_Price")))
        row = client.create("new_things", {"new_name": "T"})
        client.close()
    with Emulator(options) as emulator:
        client = Client(emulator.url)
        assert client.get(f"new_things({row})")["new_name"] == "T"
        assert described(client, "new_thing")["SchemaName"] == "new_Thing"
        client.close()


def test_changed_metadata_may_stay_unseen_for_a_while() -> None:
    clock = VirtualClock()
    with Emulator(EmulatorOptions(environment=str(SHOP), metadata_delay="30s", clock=clock)) as emulator:
        client = Client(emulator.url)
        make(client, table("new_Thing"))
        asked = "EntityDefinitions?$select=LogicalName&$filter=LogicalName eq 'new_thing'"
        assert client.get(asked)["value"] == []
        assert len(client.get(asked, Consistency="Strong")["value"]) == 1
        clock.advance(29)
        assert client.get(asked)["value"] == []
        clock.advance(2)
        assert len(client.get(asked)["value"]) == 1
        client.close()


def test_a_caller_without_the_privilege_to_customize() -> None:
    with Emulator(EmulatorOptions(environment=str(SHOP), deny=("prvCreateEntity",))) as emulator:
        client = Client(emulator.url)
        for path, body in (("EntityDefinitions", table("new_T")), ("CreateEntities", {"Entities": [table("new_T")]})):
            assert error(client.send("POST", path, body)) == (403, "0x80040220")
        client.close()


def test_what_is_made_or_changed_comes_back_when_it_is_asked_for(fresh: Client) -> None:
    prefer = {"Prefer": "return=representation"}
    reply = fresh.send("POST", "EntityDefinitions", table("new_Thing"), **prefer)
    assert reply.status_code == 201, reply.text
    assert reply.headers["Preference-Applied"] == "return=representation"
    made = reply.json()
    assert made["LogicalName"] == "new_thing"
    assert reply.headers["OData-EntityId"] == f"{fresh.root}EntityDefinitions({made['MetadataId']})"
    assert made["@odata.context"] == f"{fresh.root}$metadata#EntityDefinitions/$entity"
    path = "EntityDefinitions(LogicalName='new_thing')"
    column = fresh.send("POST", f"{path}/Attributes", attribute("Integer", "new_Count"), **prefer)
    assert (column.status_code, column.json()["SchemaName"]) == (201, "new_Count")
    changed = fresh.send("PUT", path, {**made, "HasNotes": True}, **prefer)
    assert (changed.status_code, changed.json()["HasNotes"]) == (200, True)
    assert fresh.send("PUT", path, {**made, "HasNotes": True}).status_code == 204
