"""Lookups, relationships and parties."""

import uuid
from typing import Any

import pytest

from .client import ALL, NAME, TARGET, Client, error

CONTOSO = "a0000000-0000-4000-8000-000000000001"
ANA, EMILE, BOB = (f"c0000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
RED, BLUE = (f"90000000-0000-4000-8000-00000000000{number}" for number in (1, 2))


@pytest.mark.parametrize(
    "form",
    [
        f"/accounts({CONTOSO})",
        f"accounts({CONTOSO.upper()})",
        "{root}accounts(" + CONTOSO + ")",
        f"/api/data/v9.2/accounts({CONTOSO})",
        "/accounts(accountnumber='C1')",
    ],
)
def test_forms_of_a_reference(shop: Client, form: str) -> None:
    reference = form.replace("{root}", shop.root)
    made = shop.create("contacts", {"parentcustomerid_account@odata.bind": reference})
    row = shop.get(f"contacts({made})", **ALL)
    assert (row["_parentcustomerid_value"], row["_parentcustomerid_value" + TARGET]) == (CONTOSO, "account")


def test_lookups_are_cleared_by_null(shop: Client) -> None:
    body = {"parentcustomerid_account@odata.bind": f"/accounts({CONTOSO})"}
    path = f"contacts({shop.create('contacts', body)})"
    for clearing in ({"parentcustomerid_account@odata.bind": None}, {"parentcustomerid_contact": None}):
        shop.send("PATCH", path, body)
        assert shop.send("PATCH", path, clearing).status_code == 204
        assert shop.get(path)["_parentcustomerid_value"] is None


def test_setting_one_target_replaces_the_other(shop: Client) -> None:
    path = f"contacts({shop.create('contacts', {'parentcustomerid_account@odata.bind': f'/accounts({CONTOSO})'})})"
    shop.send("PATCH", path, {"parentcustomerid_contact@odata.bind": f"/contacts({ANA})"})
    row = shop.get(path, **ALL)
    assert (row["_parentcustomerid_value" + TARGET], row["_parentcustomerid_value" + NAME]) == ("contact", "Ana O'Hara")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"parentcustomerid@odata.bind": f"/accounts({CONTOSO})"}, 400, "0x80048d19"),
        ({"ParentCustomerId_account@odata.bind": f"/accounts({CONTOSO})"}, 400, "0x80048d19"),
        ({"parentcustomerid_account@odata.bind": f"/contacts({ANA})"}, 400, "0x80048d19"),
        ({"parentcustomerid_account@odata.bind": f"/accounts({ANA})"}, 404, "0x80040217"),
        ({"parentcustomerid_account@odata.bind": f"/Accounts({CONTOSO})"}, 404, "0x80060888"),
        ({"parentcustomerid_account@odata.bind": "/accounts(accountnumber='none')"}, 404, "0x80060891"),
        ({"parentcustomerid_account@odata.bind": "nonsense"}, 400, "0x80048d19"),
        ({"parentcustomerid_account@odata.bind": 5}, 400, "0x80048d19"),
        ({"ownerid@odata.bind": f"/contacts({ANA})"}, 400, "0x80040229"),
        ({"_parentcustomerid_value": CONTOSO}, 400, "0x80060888"),
        ({"parentcustomerid": CONTOSO}, 400, "0x80060888"),
        ({"parentcustomerid_account@odata.bind": "$1"}, 400, "0x80048d19"),
    ],
)
def test_what_is_no_reference_is_refused(shop: Client, body: dict[str, Any], status: int, code: str) -> None:
    assert error(shop.send("POST", "contacts", body)) == (status, code)


def test_the_owner_changes_what_follows_it(shop: Client) -> None:
    user = shop.create("systemusers", {"fullname": "U", "businessunitid@odata.bind": None})
    path = f"contacts({shop.create('contacts', {'fullname': 'O'})})"
    assert shop.send("PATCH", path, {"ownerid@odata.bind": f"/systemusers({user})"}).status_code == 204
    row = shop.get(path)
    assert (row["_ownerid_value"], row["_owninguser_value"]) == (user, user)
    assert row["_owningbusinessunit_value"] == shop.get("WhoAmI")["BusinessUnitId"]
    assert error(shop.send("PATCH", path, {"ownerid@odata.bind": None}))[0] == 400


def test_read_only_lookups_are_ignored(shop: Client) -> None:
    body = {"fullname": "Ro", "createdby@odata.bind": f"/systemusers({uuid.uuid4()})"}
    row = shop.get(f"contacts({shop.create('contacts', body)})")
    assert row["_createdby_value"] == shop.get("WhoAmI")["UserId"]


def test_circles_of_parents_are_refused(shop: Client) -> None:
    ids = [shop.create("accounts", {"name": f"L{number}"}) for number in range(3)]
    for child, parent in zip(ids[1:], ids, strict=False):
        body = {"parentaccountid@odata.bind": f"accounts({parent})"}
        assert shop.send("PATCH", f"accounts({child})", body).status_code == 204
    closing = {"parentaccountid@odata.bind": f"accounts({ids[2]})"}
    assert error(shop.send("PATCH", f"accounts({ids[0]})", closing)) == (400, "0x80040387")


def test_a_lookup_by_ref(shop: Client) -> None:
    path = f"contacts({shop.create('contacts', {'fullname': 'Ref'})})"
    reference = f"{path}/parentcustomerid_account/$ref"
    assert shop.send("PUT", reference, {"@odata.id": f"{shop.root}accounts({CONTOSO})"}).status_code == 204
    assert shop.get(path)["_parentcustomerid_value"] == CONTOSO
    assert shop.send("DELETE", reference).status_code == 204
    assert shop.get(path)["_parentcustomerid_value"] is None
    assert error(shop.send("POST", reference, {"@odata.id": f"accounts({CONTOSO})"}))[0] == 405


def test_pairs_are_made_and_removed(shop: Client) -> None:
    path = f"contacts({shop.create('contacts', {'fullname': 'Pairs'})})"
    reference = f"{path}/shop_tags/$ref"
    assert shop.send("POST", reference, {"@odata.id": f"{shop.root}shop_tags({RED})"}).status_code == 204
    assert error(shop.send("POST", reference, {"@odata.id": f"shop_tags({RED})"})) == (412, "0x80040237")
    contact = path[9:-1]
    from_the_other_side = {"@odata.id": f"{shop.root}{path}"}
    assert shop.send("POST", f"shop_tags({BLUE})/shop_contacts/$ref", from_the_other_side).status_code == 204
    pairs = shop.rows(f"shop_contact_tag_linkset?$filter=contactid eq {contact}")
    assert {row["shop_tagid"] for row in pairs} == {RED, BLUE}
    assert set(pairs[0]) == {"@odata.etag", "shop_contact_tag_linkid", "contactid", "shop_tagid", "versionnumber"}
    assert shop.send("DELETE", f"{path}/shop_tags({RED})/$ref").status_code == 204
    assert shop.send("DELETE", f"{path}/shop_tags/$ref?$id={shop.root}shop_tags({BLUE})").status_code == 204
    assert shop.rows(f"shop_contact_tag_linkset?$filter=contactid eq {contact}") == []
    assert error(shop.send("POST", reference, {"@odata.id": f"shop_tags({uuid.uuid4()})"})) == (404, "0x80040217")
    assert error(shop.send("POST", reference, {"@odata.id": f"accounts({CONTOSO})"}))[0] == 400


def test_intersect_tables_are_read_only(shop: Client) -> None:
    row = shop.get("shop_contact_tag_linkset")["value"][0]
    path = f"shop_contact_tag_linkset({row['shop_contact_tag_linkid']})"
    assert error(shop.send("PATCH", path, {"contactid": ANA})) == (400, "0x8004830F")
    assert error(shop.send("DELETE", path)) == (400, "0x8004830F")


def test_a_reflexive_relationship_has_two_directions(shop: Client) -> None:
    one, two = (shop.create("contacts", {"fullname": name}) for name in ("One", "Two"))
    body = {"@odata.id": f"contacts({two})"}
    assert shop.send("POST", f"contacts({one})/shop_related_Referencing/$ref", body).status_code == 204
    pair = next(row for row in shop.rows("shop_relatedset") if row["contactidone"] == one)
    assert pair["contactidtwo"] == two
    assert [row["contactid"] for row in shop.get(f"contacts({two})/shop_related_Referenced")["value"]] == [one]
    back = {"@odata.id": f"contacts({one})"}
    assert error(shop.send("POST", f"contacts({two})/shop_related_Referenced/$ref", back)) == (412, "0x80040237")
    assert shop.send("POST", f"contacts({two})/shop_related_Referencing/$ref", back).status_code == 204


def test_a_collection_by_ref_sets_the_lookup_of_the_member(shop: Client) -> None:
    contact = shop.create("contacts", {"fullname": "Member"})
    reference = f"accounts({CONTOSO})/account_contact_parentcustomerid"
    assert shop.send("POST", f"{reference}/$ref", {"@odata.id": f"contacts({contact})"}).status_code == 204
    assert shop.get(f"contacts({contact})")["_parentcustomerid_value"] == CONTOSO
    assert shop.send("DELETE", f"{reference}({contact})/$ref").status_code == 204
    assert shop.get(f"contacts({contact})")["_parentcustomerid_value"] is None


def test_binds_of_collections_on_create(shop: Client) -> None:
    body = {"fullname": "Bound", "shop_tags@odata.bind": [f"shop_tags({RED})", f"/shop_tags({BLUE})"]}
    path = f"contacts({shop.create('contacts', body)})"
    assert len(shop.get(f"{path}/shop_tags")["value"]) == 2


def test_deep_insert(shop: Client) -> None:
    body = {
        "fullname": "Deep",
        "parentcustomerid_account": {"name": "Made too"},
        "contact_contact_parentcustomerid": [{"fullname": "Child"}],
    }
    path = f"contacts({shop.create('contacts', body)})"
    row = shop.get(f"{path}?$expand=parentcustomerid_account($select=name),contact_contact_parentcustomerid")
    assert row["parentcustomerid_account"]["name"] == "Made too"
    assert [child["fullname"] for child in row["contact_contact_parentcustomerid"]] == ["Child"]
    assert error(shop.send("POST", "contacts", {"parentcustomerid_account": {"nope": 1}}))[0] == 400


def parties(client: Client, path: str) -> set[tuple[str, int]]:
    row = client.get(f"{path}?$expand=email_activity_parties($select=_partyid_value,participationtypemask)")
    return {(party["_partyid_value"], party["participationtypemask"]) for party in row["email_activity_parties"]}


def test_parties_are_made_with_their_activity_and_replaced_as_a_whole(shop: Client) -> None:
    me = shop.get("WhoAmI")["UserId"]
    body = {
        "subject": "Hello",
        "regardingobjectid_contact_email@odata.bind": f"/contacts({ANA})",
        "email_activity_parties": [
            {"partyid_systemuser@odata.bind": f"/systemusers({me})", "participationtypemask": 1},
            {"partyid_contact@odata.bind": f"/contacts({ANA})", "participationtypemask": 2},
        ],
    }
    made = shop.create("emails", body)
    path = f"emails({made})"
    assert parties(shop, path) == {(me, 1), (ANA, 2)}
    row = shop.get(f"activityparties?$filter=_activityid_value eq {made}", **ALL)["value"][0]
    assert row["_activityid_value" + TARGET] == "activitypointer"
    new = {"value": [{"partyid_account@odata.bind": f"/accounts({CONTOSO})", "participationtypemask": 2}]}
    assert shop.send("PUT", f"{path}/email_activity_parties", new).status_code == 204
    assert parties(shop, path) == {(CONTOSO, 2)}
    assert shop.send("DELETE", path).status_code == 204
    assert shop.rows(f"activityparties?$filter=_activityid_value eq {made}") == []


def test_a_refused_party_undoes_the_activity(shop: Client) -> None:
    nobody = {"partyid_contact@odata.bind": f"/contacts({uuid.uuid4()})", "participationtypemask": 1}
    without_part = {"addressused": "ana@shop.example"}
    for party, expected in ((nobody, (404, "0x80040217")), (without_part, (400, "0x80040200"))):
        bad = {"subject": "No", "email_activity_parties": [party]}
        assert error(shop.send("POST", "emails", bad)) == expected
    assert shop.get("emails?$filter=subject eq 'No'")["value"] == []


def test_rows_are_created_through_navigation_properties(shop: Client) -> None:
    account = shop.create("accounts", {"name": "Above"})

    def post(path: str, body: dict[str, Any]) -> str:
        reply = shop.send("POST", path, body)
        assert reply.status_code == 204, reply.text
        return reply.headers["OData-EntityId"].removeprefix(shop.root)

    contact = post(f"accounts({account})/account_contact_parentcustomerid", {"fullname": "Below"})
    assert shop.get(contact)["_parentcustomerid_value"] == account
    first = post(f"accounts({account})/primarycontactid", {"fullname": "First"})
    assert shop.get(f"accounts({account})")["_primarycontactid_value"] == first[-37:-1]
    tag = post(f"{contact}/shop_tags", {"shop_name": "Made by a contact"})
    assert [row["shop_tagid"] for row in shop.rows(f"{contact}/shop_tags")] == [tag[-37:-1]]
    refused = shop.send("POST", f"accounts({account})/primarycontactid", {"fullname": "x" * 161})
    assert error(refused) == (400, "0x80044331")
    assert shop.send("POST", f"accounts({account})/ownerid", {"fullname": "x"}).status_code == 400


def test_references_that_name_no_row(shop: Client) -> None:
    path = f"contacts({ANA})"
    for method, nav, body, expected in (
        ("PUT", "parentcustomerid_account", {}, (400, "0x80048d19")),
        ("PUT", "parentcustomerid_account", {"@odata.id": f"shop_tags({RED})"}, (400, "0x80048d19")),
        ("PUT", "parentcustomerid_account", {"@odata.id": f"accounts({uuid.uuid4()})"}, (404, "0x80040217")),
        ("PUT", "shop_tags", {"@odata.id": f"shop_tags({RED})"}, (405, "0x80060888")),
        ("POST", "parentcustomerid_account", {"@odata.id": f"accounts({CONTOSO})"}, (405, "0x80060888")),
        ("POST", "shop_tags", {}, (400, "0x80048d19")),
        ("POST", "nothing", {"@odata.id": f"shop_tags({RED})"}, (404, "0x80060888")),
        ("POST", "fullname", {"@odata.id": f"shop_tags({RED})"}, (404, "0x80060888")),
        ("DELETE", "shop_tags", None, (400, "0x80048d19")),
        ("DELETE", "shop_tags", None, (400, "0x80048d19")),
    ):
        reply = shop.send(method, f"{path}/{nav}/$ref", body)
        assert error(reply) == expected, (method, nav, body, reply.text)
    assert error(shop.send("DELETE", f"contacts({uuid.uuid4()})/shop_tags({RED})/$ref")) == (404, "0x80040217")


def test_a_member_is_removed_by_its_alternate_key(shop: Client) -> None:
    parent = shop.create("accounts", {"name": "Above"})
    nav = f"accounts({parent})/account_account_parentaccountid"
    child = shop.create("accounts", {"name": "Below", "accountnumber": "REF1"})
    assert shop.send("POST", f"{nav}/$ref", {"@odata.id": "accounts(accountnumber='REF1')"}).status_code == 204
    assert shop.get(f"accounts({child})")["_parentaccountid_value"] == parent
    assert shop.send("DELETE", f"{nav}(accountnumber='REF1')/$ref").status_code == 204
    assert shop.get(f"accounts({child})")["_parentaccountid_value"] is None


def test_a_lookup_that_may_not_be_null_is_not_cut(rules: Client) -> None:
    value = rules.create("rule_values", {})
    path = f"rule_leafs({rules.create('rule_leafs', {'rule_must@odata.bind': f'rule_values({value})'})})"
    member = f"rule_values({value})/rule_value_rule_leaf_rule_must({path[-37:-1]})"
    for reference in (f"{path}/rule_must/$ref", f"{member}/$ref"):
        assert error(rules.send("DELETE", reference)) == (400, "0x8004203E")
    for body in ({"rule_must": None}, {"rule_must@odata.bind": None}):
        assert error(rules.send("PATCH", path, body)) == (400, "0x8004203E")
