"""Creates, updates, upserts and deletes of single rows."""

import base64
import uuid
from typing import Any

import pytest

from .client import ALL, NAME, TARGET, Client, error

CONTOSO = "a0000000-0000-4000-8000-000000000001"
ANA = "c0000000-0000-4000-8000-000000000001"
USER = "80000000-0000-4000-8000-000000000001"
TEAM = "70000000-0000-4000-8000-000000000001"
STAR = {"If_Match": "*"}


def new_id() -> str:
    return str(uuid.uuid4())


def test_create_answers_with_the_url_of_the_row(shop: Client) -> None:
    chosen = new_id()
    reply = shop.send("POST", "accounts", {"accountid": chosen, "name": "New"})
    assert (reply.status_code, reply.content) == (204, b"")
    assert reply.headers["OData-EntityId"] == f"{shop.root}accounts({chosen})"
    assert error(shop.send("POST", "accounts", {"accountid": chosen, "name": "New"})) == (412, "0x80040237")
    made = shop.create("accounts", {"name": "Other"})
    assert shop.get(f"accounts({made})?$select=name")["name"] == "Other"


def test_create_sets_what_the_service_sets(shop: Client) -> None:
    me = shop.get("WhoAmI")
    row = shop.get(f"accounts({shop.create('accounts', {'name': 'Mine'})})")
    assert (row["_ownerid_value"], row["_owninguser_value"], row["_owningteam_value"]) == (
        me["UserId"],
        me["UserId"],
        None,
    )
    assert row["_owningbusinessunit_value"] == me["BusinessUnitId"]
    assert (row["_createdby_value"], row["_modifiedby_value"]) == (me["UserId"], me["UserId"])
    assert (row["statecode"], row["statuscode"]) == (0, 1)
    assert row["createdon"] == row["modifiedon"]
    body = {"name": "Yours", "ownerid@odata.bind": f"/teams({TEAM})"}
    row = shop.get(f"accounts({shop.create('accounts', body)})", **ALL)
    assert (row["_owninguser_value"], row["_owningteam_value"]) == (None, TEAM)
    assert row["_ownerid_value" + TARGET] == "team"
    assert "_owningteam_value" + NAME not in row


def test_read_only_columns_are_ignored(shop: Client) -> None:
    body = {"name": "x", "createdon": "2001-01-01T00:00:00Z", "versionnumber": 1, "revenue_base": 5}
    row = shop.get(f"accounts({shop.create('accounts', body)})")
    assert row["createdon"] > "2020"
    assert row["versionnumber"] > 1
    assert row["revenue_base"] is None


def test_overriddencreatedon_becomes_createdon_on_create_only(shop: Client) -> None:
    made = shop.create("contacts", {"fullname": "Old", "overriddencreatedon": "2001-02-03T00:00:00Z"})
    row = shop.get(f"contacts({made})")
    assert row["createdon"] == "2001-02-03T00:00:00Z"
    assert row["overriddencreatedon"] > "2020"
    shop.send("PATCH", f"contacts({made})", {"overriddencreatedon": "1999-01-01T00:00:00Z"})
    assert shop.get(f"contacts({made})")["createdon"] == "2001-02-03T00:00:00Z"


def test_representation_is_given_when_asked(shop: Client) -> None:
    made = shop.send(
        "POST", "contacts?$select=fullname", {"fullname": "R", "shop_count": 1}, Prefer="return=representation"
    )
    assert made.status_code == 201
    assert "OData-EntityId" not in made.headers
    assert made.headers["Preference-Applied"] == "return=representation"
    assert made.json()["fullname"] == "R"
    assert "shop_count" not in made.json()
    path = f"contacts({made.json()['contactid']})"
    changed = shop.send("PATCH", path, {"fullname": "S"}, Prefer="return=representation")
    assert (changed.status_code, changed.json()["fullname"]) == (200, "S")


def test_numbers_keep_their_digits(shop: Client) -> None:
    for column, entity_set, digits in (
        ("revenue", "accounts", "922337203685477.5807"),
        ("revenue", "accounts", "-0.0100"),
        ("shop_rate", "contacts", "1.2345678901"),
        ("shop_rate", "contacts", "99999999999.0000000001"),
        ("shop_ratio", "contacts", "1.125"),
        ("shop_count", "contacts", "-2147483648"),
    ):
        required = '"name":"x",' if entity_set == "accounts" else ""
        reply = shop.send("POST", entity_set, f'{{{required}"{column}":{digits}}}'.encode())
        assert reply.status_code == 204, reply.text
        text = shop.send("GET", f"{reply.headers['OData-EntityId']}?$select={column}").text
        assert f'"{column}":{digits},' in text


def test_texts_survive_as_they_are(shop: Client) -> None:
    text = ' "quoted" \\ \r\n\t<b>&amp; émile ☕ 𝄞\u2028 '
    made = shop.create("contacts", {"shop_note": text})
    assert shop.get(f"contacts({made})?$select=shop_note")["shop_note"] == text
    shop.send("PATCH", f"contacts({made})", {"shop_note": ""})
    assert shop.get(f"contacts({made})?$select=shop_note")["shop_note"] is None


def test_dates(shop: Client) -> None:
    body = {
        "birthdate": "2020-02-29",
        "shop_last": "2020-01-01T01:00:00.123+02:00",
        "shop_seen": "2020-01-01T10:00:00Z",
    }
    row = shop.get(f"contacts({shop.create('contacts', body)})")
    assert (row["birthdate"], row["shop_last"], row["shop_seen"]) == (
        "2020-02-29",
        "2019-12-31T23:00:00Z",
        "2020-01-01T10:00:00Z",
    )


@pytest.mark.parametrize(
    ("entity_set", "body", "status", "code"),
    [
        ("contacts", {"Fullname": "x"}, 400, "0x80048d19"),
        ("contacts", {"fullname": 5}, 400, "0x80048d19"),
        ("contacts", {"shop_count": "5"}, 400, "0x80048d19"),
        ("contacts", {"shop_count": 1.5}, 400, "0x80048d19"),
        ("contacts", {"shop_count": True}, 400, "0x80048d19"),
        ("contacts", {"shop_count": 2147483648}, 400, "0x8004432F"),
        ("contacts", {"shop_rate": 100000000001}, 400, "0x80044330"),
        ("contacts", {"shop_code": "no guid"}, 400, "0x80048d19"),
        ("contacts", {"shop_size": 3}, 400, "0x8004431A"),
        ("contacts", {"shop_tastes": "1,9"}, 400, "0x8004431A"),
        ("contacts", {"shop_tastes": [1]}, 400, "0x80048d19"),
        ("contacts", {"birthdate": "2020-01-01T00:00:00Z"}, 400, "0x80048d19"),
        ("contacts", {"birthdate": "2020-02-30"}, 400, "0x80040239"),
        ("contacts", {"shop_last": "1752-12-31T00:00:00Z"}, 400, "0x80040239"),
        ("contacts", {"shop_last": "yesterday"}, 400, "0x80040239"),
        ("contacts", {"shop_paper": "x"}, 400, "0x80048d19"),
        ("accounts", {"name": "a" * 21}, 400, "0x80044331"),
        ("accounts", {}, 400, "0x80040200"),
        ("accounts", {"name": None}, 400, "0x8004203E"),
        ("accounts", {"name": "x", "creditonhold": "true"}, 400, "0x80048d19"),
        ("accounts", {"name": "x", "revenue": 922337203685478}, 400, "0x80040317"),
        ("accounts", {"name": "x", "statecode": 1, "statuscode": 1}, 400, "0x80048408"),
        ("accounts", {"name": "x", "statuscode": 2}, 400, "0x80048408"),
        ("accounts", {"name": "x", "statecode": 7}, 400, "0x8004431A"),
        ("accounts", {"name": "x", "accountnumber": "C1"}, 412, "0x80060892"),
        ("accounts", {"name": "x", "entityimage": "not base64!"}, 400, "0x80048d19"),
        ("shop_relatedset", {}, 400, "0x8004830F"),
        ("accounts", b"[]", 400, "0x80048d19"),
        ("accounts", b'{"name":', 400, "0x80048d19"),
    ],
)
def test_what_does_not_fit_is_refused(shop: Client, entity_set: str, body: Any, status: int, code: str) -> None:
    count = shop.send("GET", f"{entity_set}/$count").text
    assert error(shop.send("POST", entity_set, body)) == (status, code)
    assert shop.send("GET", f"{entity_set}/$count").text == count


def test_the_documented_texts_of_errors(shop: Client) -> None:
    def message(body: dict[str, Any]) -> str:
        return str(shop.send("POST", "accounts", body).json()["error"]["message"])

    assert message({"name": "a" * 21}) == (
        "A validation error occurred.  The length of the 'name' attribute of the 'account' entity exceeded the maximum "
        "allowed length of '20'."
    )
    assert message({"Name": "x"}).startswith(
        "Invalid property 'Name' was found in entity 'Microsoft.Dynamics.CRM.account'."
    )
    assert "1 is not a valid status code for state code AccountState.Inactive on account with Id" in message(
        {"name": "x", "statecode": 1, "statuscode": 1}
    )
    assert "Entity Key shop_number violated." in message({"name": "x", "accountnumber": "C1"})


def test_state_and_status(shop: Client) -> None:
    path = f"accounts({shop.create('accounts', {'name': 'S', 'statecode': 1, 'statuscode': 2})})"

    def states() -> tuple[int, int]:
        row = shop.get(path)
        return row["statecode"], row["statuscode"]

    assert states() == (1, 2)
    assert shop.send("PATCH", path, {"statecode": 0}).status_code == 204
    assert states() == (0, 1)
    assert shop.send("PATCH", path, {"statuscode": 3}).status_code == 204
    assert states() == (0, 3)
    assert error(shop.send("PATCH", path, {"statuscode": 2})) == (400, "0x80048408")
    assert shop.send("PATCH", path, {"statecode": 1, "statuscode": 2}).status_code == 204
    assert states() == (1, 2)


def test_update_moves_the_version(shop: Client) -> None:
    path = f"contacts({shop.create('contacts', {'fullname': 'V'})})"
    before = shop.get(path)
    reply = shop.send("PATCH", path, {"fullname": "W"}, **STAR)
    assert reply.status_code == 204
    assert reply.headers["OData-EntityId"] == shop.root + path
    after = shop.get(path)
    assert after["versionnumber"] > before["versionnumber"]
    assert after["@odata.etag"] == f'W/"{after["versionnumber"]}"'
    assert (after["fullname"], after["createdon"]) == ("W", before["createdon"])


def test_the_matrix_of_if_match(shop: Client) -> None:
    path = f"contacts({new_id()})"
    assert error(shop.send("PATCH", path, {"fullname": "a"}, If_Match="*")) == (404, "0x80040217")
    assert shop.send("PATCH", path, {"fullname": "a"}, If_None_Match="*").status_code == 204
    assert error(shop.send("PATCH", path, {"fullname": "b"}, If_None_Match="*")) == (412, "0x80040237")
    assert shop.send("PATCH", path, {"fullname": "c"}).status_code == 204
    etag = shop.get(path)["@odata.etag"]
    assert shop.send("PATCH", path, {"fullname": "d"}, If_Match=etag).status_code == 204
    assert error(shop.send("PATCH", path, {"fullname": "e"}, If_Match=etag)) == (412, "0x80060882")
    assert error(shop.send("DELETE", path, If_Match=etag)) == (412, "0x80060882")
    assert shop.get(path)["fullname"] == "d"
    assert shop.send("PATCH", f"contacts({new_id()})", {"fullname": "f"}).status_code == 204


def test_upsert_by_alternate_key(shop: Client) -> None:
    path = "accounts(accountnumber='K/1')"
    first = shop.send("PATCH", path, {"name": "By key"})
    assert (first.status_code, first.headers["OData-EntityId"]) == (204, shop.root + path)
    assert shop.get(path)["accountnumber"] == "K/1"
    assert shop.send("PATCH", path, {"name": "Again"}, If_Match="*").status_code == 204
    assert shop.get(f"{path}?$select=name")["name"] == "Again"
    missing = shop.send("PATCH", "accounts(accountnumber='K/2')", {"name": "x"}, If_Match="*")
    assert error(missing) == (404, "0x80060891")
    assert error(shop.send("GET", "accounts(name='x')")) == (400, "0x80060888")
    assert shop.send("DELETE", path).status_code == 204


def test_single_properties(shop: Client) -> None:
    path = f"contacts({shop.create('contacts', {'fullname': 'P', 'shop_count': 3})})"
    assert shop.send("PUT", f"{path}/fullname", {"value": "Q"}).status_code == 204
    assert shop.send("DELETE", f"{path}/shop_count").status_code == 204
    row = shop.get(path)
    assert (row["fullname"], row["shop_count"]) == ("Q", None)
    assert shop.send("GET", f"{path}/shop_count").status_code == 204


def test_images_come_only_when_they_are_named(shop: Client) -> None:
    image = base64.b64encode(b"\x89PNG" * 10).decode()
    path = f"accounts({shop.create('accounts', {'name': 'I', 'entityimage': image})})"
    assert "entityimage" not in shop.get(path)
    assert shop.get(f"{path}?$select=entityimage")["entityimage"] == image
    assert shop.send("GET", f"{path}/entityimage/$value").content == b"\x89PNG" * 10


def test_delete_clears_what_points_to_the_row(shop: Client) -> None:
    parent = shop.create("accounts", {"name": "Parent"})
    child = shop.create("contacts", {"parentcustomerid_account@odata.bind": f"accounts({parent})"})
    tag = shop.create("shop_tags", {"shop_name": "T"})
    assert shop.send("POST", f"contacts({child})/shop_tags/$ref", {"@odata.id": f"shop_tags({tag})"}).status_code == 204
    assert shop.send("DELETE", f"accounts({parent})").status_code == 204
    assert error(shop.send("DELETE", f"accounts({parent})")) == (404, "0x80040217")
    assert shop.get(f"contacts({child})", **ALL)["_parentcustomerid_value"] is None
    assert shop.send("DELETE", f"shop_tags({tag})").status_code == 204
    assert shop.get(f"contacts({child})/shop_tags")["value"] == []


def test_another_user_can_be_acted_for(shop: Client) -> None:
    reply = shop.send("POST", "contacts", {"fullname": "For Ana"}, MSCRMCallerID=USER)
    row = shop.get(reply.headers["OData-EntityId"])
    assert (row["_createdby_value"], row["_ownerid_value"]) == (USER, USER)
    assert error(shop.send("GET", "contacts", MSCRMCallerID=new_id()))[0] == 404


def test_methods_that_do_not_exist(shop: Client) -> None:
    assert error(shop.send("DELETE", "contacts"))[0] == 405
    assert error(shop.send("PUT", f"contacts({ANA})", {}))[0] == 405
    assert error(shop.send("POST", f"contacts({ANA})", {}))[0] == 405
