"""CreateMultiple, UpdateMultiple, UpsertMultiple."""

import uuid
from typing import Any

import requests

from .client import Client, error

CONTOSO = "a0000000-0000-4000-8000-000000000001"


def targets(entity: str, *bodies: dict[str, Any]) -> dict[str, Any]:
    return {"Targets": [{"@odata.type": f"Microsoft.Dynamics.CRM.{entity}", **body} for body in bodies]}


def run(client: Client, entity_set: str, action: str, body: dict[str, Any]) -> requests.Response:
    return client.send("POST", f"{entity_set}/Microsoft.Dynamics.CRM.{action}", body)


def test_create_multiple_gives_the_ids_in_order(shop: Client) -> None:
    chosen = str(uuid.uuid4())
    body = targets(
        "contact",
        {"fullname": "One", "parentcustomerid_account@odata.bind": f"/accounts({CONTOSO})"},
        {"fullname": "Two", "contactid": chosen},
    )
    reply = run(shop, "contacts", "CreateMultiple", body)
    assert reply.status_code == 200
    assert reply.json()["@odata.context"].endswith("#Microsoft.Dynamics.CRM.CreateMultipleResponse")
    first, second = reply.json()["Ids"]
    assert second == chosen
    assert shop.get(f"contacts({first})")["_parentcustomerid_value"] == CONTOSO


def test_one_refused_row_undoes_all(shop: Client) -> None:
    before = shop.send("GET", "accounts/$count").text
    body = targets("account", {"name": "Good"}, {"name": "x" * 50}, {"name": "Good"})
    assert error(run(shop, "accounts", "CreateMultiple", body)) == (400, "0x80044331")
    assert shop.send("GET", "accounts/$count").text == before


def test_update_multiple(shop: Client) -> None:
    ids = [shop.create("contacts", {"fullname": f"U{number}"}) for number in range(2)]
    body = targets("contact", *({"contactid": one, "fullname": f"new {one}"} for one in ids))
    reply = run(shop, "contacts", "UpdateMultiple", body)
    assert (reply.status_code, reply.content) == (204, b"")
    assert [shop.get(f"contacts({one})")["fullname"] for one in ids] == [f"new {one}" for one in ids]
    missing = targets("contact", {"contactid": ids[0], "fullname": "undone"}, {"contactid": str(uuid.uuid4())})
    assert error(run(shop, "contacts", "UpdateMultiple", missing)) == (404, "0x80040217")
    assert shop.get(f"contacts({ids[0]})")["fullname"] == f"new {ids[0]}"


def test_upsert_multiple_by_id_and_by_key(shop: Client) -> None:
    known, new = shop.create("accounts", {"name": "Known", "accountnumber": "M1"}), str(uuid.uuid4())
    body = targets(
        "account",
        {"@odata.id": "accounts(accountnumber='M1')", "name": "By key"},
        {"@odata.id": "accounts(accountnumber='M2')", "name": "New by key"},
        {"accountid": new, "name": "New by id"},
    )
    assert run(shop, "accounts", "UpsertMultiple", body).status_code == 204
    assert shop.get(f"accounts({known})")["name"] == "By key"
    assert shop.get("accounts(accountnumber='M2')")["name"] == "New by key"
    assert shop.get(f"accounts({new})")["name"] == "New by id"
    twice = targets("account", {"accountid": new, "name": "a"}, {"accountid": new, "name": "b"})
    assert error(run(shop, "accounts", "UpsertMultiple", twice))[0] == 400


def test_every_target_needs_its_type(shop: Client) -> None:
    bodies: list[dict[str, Any]] = [
        {"Targets": [{"fullname": "x"}]},
        targets("account", {"name": "x"}),
        {"Targets": []},
        {"Targets": [5]},
        {},
    ]
    for body in bodies:
        assert error(run(shop, "contacts", "CreateMultiple", body))[0] == 400


def test_tables_without_the_messages(shop: Client) -> None:
    assert error(run(shop, "shop_tags", "CreateMultiple", targets("shop_tag", {"shop_name": "x"})))[0] == 404
    assert error(run(shop, "systemusers", "UpdateMultiple", targets("systemuser", {})))[0] == 404


def test_a_hundred_rows_in_a_request(shop: Client) -> None:
    body = targets("contact", *({"fullname": f"Many {number}", "shop_count": number} for number in range(100)))
    assert len(set(run(shop, "contacts", "CreateMultiple", body).json()["Ids"])) == 100
    assert shop.send("GET", "contacts/$count?$filter=startswith(fullname,'Many ')").content.decode("utf-8-sig") == "100"


def test_upserts_by_a_key_written_in_several_ways_are_the_same(shop: Client) -> None:
    known = shop.create("accounts", {"name": "Twice", "accountnumber": "T1"})
    for other in (f"{shop.root}accounts(accountnumber='t1')", "/accounts(accountnumber='T1')"):
        twice = targets(
            "account",
            {"@odata.id": "accounts(accountnumber='T1')", "name": "a"},
            {"@odata.id": other, "name": "b"},
        )
        assert error(run(shop, "accounts", "UpsertMultiple", twice)) == (400, "0x80040237")
    assert run(shop, "accounts", "UpdateMultiple", twice).status_code == 204
    assert shop.get(f"accounts({known})")["name"] == "b"


def test_what_the_messages_refuse(shop: Client) -> None:
    nested = targets("contact", {"fullname": "N", "parentcustomerid_account": {"name": "nested"}})
    by_key = targets("account", {"@odata.id": "accounts(accountnumber='none')", "name": "x"})
    for entity_set, action, body, expected in (
        ("contacts", "CreateMultiple", nested, (400, "0x80048d19")),
        ("contacts", "UpsertMultiple", nested, (400, "0x80048d19")),
        ("accounts", "UpdateMultiple", by_key, (404, "0x80060891")),
        ("accounts", "UpdateMultiple", targets("account", {"name": "x"}), (400, "0x80048d19")),
        ("accounts", "UpdateMultiple", targets("account", {"accountid": 5}), (400, "0x80048d19")),
        ("accounts", "UpsertMultiple", targets("account", {"@odata.id": "contacts(1)"}), (400, "0x80048d19")),
        ("accounts", "DeleteMultiple", targets("account", {"accountid": CONTOSO}), (501, "0x80040219")),
    ):
        assert error(run(shop, entity_set, action, body)) == expected, (action, body)


def test_activities_bring_their_parties(shop: Client) -> None:
    me = shop.get("WhoAmI")["UserId"]
    party = {"partyid_systemuser@odata.bind": f"systemusers({me})", "participationtypemask": 1}
    reply = run(shop, "emails", "CreateMultiple", targets("email", {"subject": "B", "email_activity_parties": [party]}))
    assert len(shop.get(f"emails({reply.json()['Ids'][0]})/email_activity_parties")["value"]) == 1
