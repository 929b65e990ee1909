"""If-Match, If-None-Match, ids and alternate keys: every method, on rows that are there and rows that are not."""

import uuid
from typing import Any

import pytest

from .client import Client, error

THERE, STALE = "there", 'W/"1"'
BODY = {"rule_name": "changed"}
GIVE = {"Prefer": "return=representation"}


def new_row(rules: Client) -> tuple[str, str]:
    """A row, by its id and by its key."""
    text = uuid.uuid4().hex
    made = rules.create("rule_keyeds", {"rule_name": "before", "rule_text": text})
    return f"rule_keyeds({made})", f"rule_keyeds(rule_text='{text}')"


def no_row() -> tuple[str, str]:
    return f"rule_keyeds({uuid.uuid4()})", f"rule_keyeds(rule_text='{uuid.uuid4().hex}')"


def test_a_row_that_is_there(rules: Client) -> None:
    for place in (0, 1):
        for headers, method, expected in (
            ({}, "PATCH", 204),
            ({"If-Match": "*"}, "PATCH", 204),
            ({"If-Match": THERE}, "PATCH", 204),
            ({"If-Match": STALE}, "PATCH", (412, "0x80060882")),
            ({"If-Match": "nonsense"}, "PATCH", (412, "0x80060882")),
            ({"If-None-Match": "*"}, "PATCH", (412, "0x80040237")),
            ({"If-None-Match": "null"}, "PATCH", 204),
            ({"If-Match": STALE}, "DELETE", (412, "0x80060882")),
            ({"If-Match": THERE}, "DELETE", 204),
            ({"If-Match": "*"}, "DELETE", 204),
            ({}, "DELETE", 204),
            ({"If-None-Match": THERE}, "GET", 304),
            ({"If-None-Match": STALE}, "GET", 200),
            ({"If-None-Match": "null"}, "GET", 200),
            ({"If-Match": STALE}, "GET", (412, "0x80060882")),
        ):
            path = new_row(rules)[place]
            etag = rules.get(path)["@odata.etag"]
            sent = {name: etag if value == THERE else value for name, value in headers.items()}
            reply = rules.send(method, path, BODY if method == "PATCH" else None, **sent)
            answer = reply.status_code if isinstance(expected, int) else error(reply)
            assert answer == expected, (place, headers, method)
            after = rules.send("GET", path)
            assert after.status_code == (404 if (method, expected) == ("DELETE", 204) else 200)
            if after.status_code == 200:
                changed = (method, expected) == ("PATCH", 204)
                assert after.json()["rule_name"] == ("changed" if changed else "before")


def test_a_row_that_is_not_there(rules: Client) -> None:
    missing = ((404, "0x80040217"), (404, "0x80060891"))
    for place in (0, 1):
        for headers, method, made in (
            ({}, "PATCH", True),
            ({"If-None-Match": "*"}, "PATCH", True),
            ({"If-None-Match": "null"}, "PATCH", True),
            ({"If-Match": "*"}, "PATCH", False),
            ({"If-Match": STALE}, "PATCH", False),
            ({}, "DELETE", False),
            ({"If-Match": "*"}, "DELETE", False),
            ({}, "GET", False),
        ):
            path = no_row()[place]
            reply = rules.send(method, path, BODY if method == "PATCH" else None, **headers)
            if made:
                assert reply.status_code == 204
                assert reply.headers["OData-EntityId"] == reply.headers["Location"] == rules.root + path
                assert rules.get(path)["rule_name"] == "changed"
            else:
                assert error(reply) == missing[place], (place, headers, method)
                assert rules.send("GET", path).status_code == 404


def test_the_text_for_a_row_that_is_not_there(rules: Client) -> None:
    by_id, by_key = no_row()
    row_id = by_id[-37:-1]
    assert rules.send("GET", by_id).json()["error"]["message"] == (
        f"Entity 'rule_keyed' With Id = {row_id} Does Not Exist"
    )
    assert rules.send("GET", by_key).json()["error"]["message"] == (
        "A record with the specified key values does not exist in rule_keyed entity"
    )


def test_the_row_is_given_when_asked_for(rules: Client) -> None:
    for place in (0, 1):
        path = no_row()[place]
        query = "?$select=rule_name&$expand=rule_value($select=rule_name)"
        value = rules.create("rule_values", {"rule_name": "V"})
        body = {"rule_name": "R", "rule_value@odata.bind": f"rule_values({value})"}
        for status in (201, 200):
            reply = rules.send("PATCH", path + query, body, **GIVE)
            assert reply.status_code == status
            assert reply.headers["Preference-Applied"] == "return=representation"
            assert "OData-EntityId" not in reply.headers
            row = reply.json()
            assert (row["rule_name"], row["rule_value"]["rule_name"]) == ("R", "V")
            assert "rule_text" not in row
    reply = rules.send("PATCH", path, {}, **GIVE, If_Match="*")
    assert (reply.status_code, reply.json()["rule_name"]) == (200, "R")


def test_a_table_whose_rows_have_no_versions_to_name(rules: Client) -> None:
    path = f"rule_nodes({rules.create('rule_nodes', {})})"
    for method in ("PATCH", "DELETE"):
        reply = rules.send(method, path, BODY if method == "PATCH" else None, If_Match=STALE)
        assert error(reply) == (400, "0x8006088D")
    assert rules.send("PATCH", path, BODY, If_Match="*").status_code == 204


def test_single_properties_have_conditions_too(rules: Client) -> None:
    path, by_key = new_row(rules)
    assert error(rules.send("PUT", f"{path}/rule_name", {"value": "x"}, If_Match=STALE)) == (412, "0x80060882")
    assert error(rules.send("DELETE", f"{path}/rule_name", If_Match=STALE)) == (412, "0x80060882")
    etag = rules.get(path)["@odata.etag"]
    assert rules.send("PUT", f"{by_key}/rule_name", {"value": "x"}, If_Match=etag).status_code == 204
    assert rules.get(f"{path}/rule_name")["value"] == "x"
    assert rules.send("DELETE", f"{path}/rule_name", If_Match="*").status_code == 204
    assert rules.send("GET", f"{path}/rule_name").status_code == 204
    assert error(rules.send("PUT", f"{path}/nothing", {"value": 1})) == (404, "0x80060888")
    assert error(rules.send("PUT", f"{path}/rule_level", {"value": "text"})) == (400, "0x80048d19")
    assert error(rules.send("PUT", f"{path}/rule_level", {"other": 1})) == (400, "0x80048d19")
    assert error(rules.send("PUT", f"{no_row()[0]}/rule_level", {"value": 1})) == (404, "0x80040217")


def test_on_create_the_body_wins_over_the_key_of_the_url(rules: Client) -> None:
    in_url, in_body = uuid.uuid4().hex, uuid.uuid4().hex
    path = f"rule_keyeds(rule_text='{in_url}')"
    assert rules.send("PATCH", path, {"rule_text": in_body}).status_code == 204
    assert rules.send("GET", path).status_code == 404
    path = f"rule_keyeds(rule_text='{in_body}')"
    assert rules.send("PATCH", path, {"rule_text": in_url, "rule_name": "kept"}).status_code == 204
    row = rules.get(path)
    assert (row["rule_text"], row["rule_name"]) == (in_body, "kept")


def test_keys_with_lookups_and_numbers(rules: Client) -> None:
    value, other = (rules.create("rule_values", {}) for _ in range(2))
    path = f"rule_keyeds(_rule_value_value={value},rule_level=3)"
    for name in ("made", "changed"):
        body = {"rule_name": name, "rule_value@odata.bind": f"rule_values({value})"}
        assert rules.send("PATCH", path, body).status_code == 204
    row = rules.get(path)
    assert (row["_rule_value_value"], row["rule_level"], row["rule_name"]) == (value, 3, "changed")
    assert rules.send("PATCH", path, {"rule_value@odata.bind": f"rule_values({other})"}).status_code == 204
    assert rules.get(path)["_rule_value_value"] == value
    path = f"rule_keyeds(_rule_value_value={other},rule_level=4)"
    assert rules.send("PATCH", path, {"rule_name": "only the key"}).status_code == 204
    assert rules.get(path)["_rule_value_value"] == other
    path = "rule_keyeds(rule_rate=1.5)"
    for status in (201, 200):
        assert rules.send("PATCH", path, {}, **GIVE).status_code == status


@pytest.mark.parametrize("text", ["O''Hara & Söhne", "100%25", "a%2Fb", "two%20words", "x=1,y=2", "☕"])
def test_keys_with_special_characters(rules: Client, text: str) -> None:
    path = f"rule_keyeds(rule_text='{text}')"
    reply = rules.send("PATCH", path, {"rule_name": "special"})
    assert reply.status_code == 204
    assert rules.get(reply.headers["OData-EntityId"])["rule_name"] == "special"
    assert rules.get(path)["rule_name"] == "special"


def test_what_is_no_key(rules: Client) -> None:
    for path in ("rule_keyeds(rule_name='x')", "rule_keyeds(rule_level=1)", "rule_keyeds(5)", "rule_keyeds()"):
        assert error(rules.send("GET", path)) == (400, "0x80060888"), path
    me = rules.get("WhoAmI")["UserId"]
    assert error(rules.send("GET", f"systemusers(systemuserid={me})")) == (400, "0x80060888")
    path = new_row(rules)[0]
    assert rules.get(f"rule_keyeds(rule_keyedid={path[-37:-1]})")["rule_name"] == "before"


def test_a_key_that_is_not_active_is_no_key(rules: Client) -> None:
    pending: dict[str, Any] = {"rule_pending": 7, "rule_name": "P"}
    for _ in range(2):
        assert rules.create("rule_pendings", pending)
    assert error(rules.send("GET", "rule_pendings(rule_pending=7)")) == (400, "0x80060888")


def test_lookups_are_not_written_by_their_ids(rules: Client) -> None:
    value = rules.create("rule_values", {})
    path = new_row(rules)[0]
    for body in ({"_rule_value_value": value}, {"rule_value": value}, {"rule_value": 5}):
        reply = rules.send("PATCH", path, body)
        assert error(reply) == (400, "0x80060888")
        assert "CRM do not support direct update of Entity Reference properties" in reply.text
