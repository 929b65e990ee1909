"""BulkDelete."""

import uuid
from typing import Any

import pytest
import requests

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client, error
from .conftest import SHOP


def query(*conditions: dict[str, Any], entity: str = "contact", **criteria: Any) -> dict[str, Any]:
    kind = "Microsoft.Dynamics.CRM"
    return {
        "@odata.type": f"{kind}.QueryExpression",
        "EntityName": entity,
        "Criteria": {
            "@odata.type": f"{kind}.FilterExpression",
            "FilterOperator": "And",
            "Conditions": [{"@odata.type": f"{kind}.ConditionExpression", **condition} for condition in conditions],
            **criteria,
        },
    }


def run(client: Client, *queries: object, **more: object) -> requests.Response:
    body = {"JobName": "Clean up", "QuerySet": list(queries), "SendEmailNotification": False, "ToRecipients": []}
    return client.send("POST", "BulkDelete", {**body, **more})


def condition(name: str, operator: str, *values: object) -> dict[str, Any]:
    listed = [{"Value": value, "Type": "System.String"} for value in values]
    return {"AttributeName": name, "Operator": operator, "Values": listed}


def make(client: Client, *names: str) -> list[str]:
    ids = [str(uuid.uuid4()) for _ in names]
    for row_id, name in zip(ids, names, strict=True):
        assert client.send("POST", "contacts", {"contactid": row_id, "fullname": name}).status_code == 204
    return ids


def left(client: Client) -> set[str]:
    return {row["contactid"] for row in client.get("contacts?$select=contactid")["value"]}


def test_rows_by_their_ids(fresh: Client) -> None:
    one, two, three = make(fresh, "One", "Two", "Three")
    reply = run(fresh, query(condition("contactid", "In", one, three.upper())))
    assert reply.status_code == 200
    assert reply.json()["@odata.context"].endswith("#Microsoft.Dynamics.CRM.BulkDeleteResponse")
    assert str(uuid.UUID(reply.json()["JobId"])) == reply.json()["JobId"]
    assert {one, two, three} & left(fresh) == {two}


@pytest.mark.parametrize(
    ("criteria", "gone"),
    [
        ({"Conditions": [condition("fullname", "Equal", "bd ONE")]}, {"bd one"}),
        ({"Conditions": [condition("fullname", "BeginsWith", "bd t")]}, {"bd two", "bd three"}),
        (
            {
                "FilterOperator": "Or",
                "Conditions": [condition("fullname", "Equal", "bd one")],
                "Filters": [{"Conditions": [condition("fullname", "Like", "bd%ee")]}],
            },
            {"bd one", "bd three"},
        ),
        ({"Conditions": [condition("fullname", "Equal", "bd one"), condition("fullname", "Equal", "bd two")]}, set()),
    ],
)
def test_rows_by_criteria(fresh: Client, criteria: dict[str, Any], gone: set[str]) -> None:
    names = ("bd one", "bd two", "bd three")
    ids = dict(zip(make(fresh, *names), names, strict=True))
    others = left(fresh) - ids.keys()
    assert run(fresh, query(**criteria)).status_code == 200
    assert {ids[row_id] for row_id in ids.keys() - left(fresh)} == gone
    assert others <= left(fresh)


def linked(operator: str, **more: object) -> dict[str, Any]:
    """A query for the contacts whose account has a name."""
    criteria = {"Conditions": [condition("name", "Equal", "Doomed")]}
    link = {
        "LinkFromAttributeName": "parentcustomerid",
        "LinkToEntityName": "account",
        "LinkToAttributeName": "accountid",
        "JoinOperator": operator,
        "LinkCriteria": criteria,
        **more,
    }
    return {**query(), "LinkEntities": [link]}


def test_rows_by_a_linked_table(fresh: Client) -> None:
    doomed, other = (fresh.create("accounts", {"name": name}) for name in ("Doomed", "Other"))
    for row_id, account in zip(make(fresh, "One", "Two", "Three"), (doomed, other, None), strict=True):
        if account is not None:
            bind = {"parentcustomerid_account@odata.bind": f"accounts({account})"}
            assert fresh.send("PATCH", f"contacts({row_id})", bind).status_code == 204

    def names() -> set[str]:
        return {row["fullname"] for row in fresh.get("contacts?$select=fullname")["value"]} & {"One", "Two", "Three"}

    assert run(fresh, linked("Sideways")).status_code == 400
    assert run(fresh, linked("Exists", LinkEntities="x")).status_code == 400
    assert names() == {"One", "Two", "Three"}
    assert run(fresh, linked("Exists")).status_code == 200
    assert names() == {"Two", "Three"}
    outer = linked("LeftOuter", EntityAlias="a", LinkCriteria=None)
    outer["Criteria"]["Conditions"] = [
        {"EntityName": "a", "AttributeName": "name", "Operator": "Null"},
        condition("fullname", "Equal", "Three"),
    ]
    assert run(fresh, outer).status_code == 200
    assert names() == {"Two"}


def test_rows_by_their_age(fresh: Client) -> None:
    (one,) = make(fresh, "One")
    assert run(fresh, query(condition("createdon", "OlderThanXMonths", 1))).status_code == 200
    assert one in left(fresh)
    assert run(fresh, query(condition("createdon", "LastXDays", 1), condition("fullname", "Like", "On_"))).ok
    assert one not in left(fresh)


def test_a_row_that_two_queries_find_goes_once(fresh: Client) -> None:
    (one,) = make(fresh, "One")
    by_id = query(condition("contactid", "In", one))
    assert run(fresh, by_id, query(condition("fullname", "Equal", "One"))).status_code == 200
    assert one not in left(fresh)


@pytest.mark.parametrize(
    ("queries", "more", "code"),
    [
        ([], {}, "0x80040203"),
        ([query()], {"JobName": None}, "0x80040203"),
        (["x"], {}, "0x80048d19"),
        ([query(entity="nothing")], {}, "0x80041102"),
        ([query(condition("nothing", "Equal", "x"))], {}, "0x80041103"),
        ([query(condition("fullname", "Sounds", "x"))], {}, ""),
        ([query(condition("fullname", "Equal", {"a": 1}))], {}, ""),
        ([query(condition("fullname", "Equal", "\0"))], {}, ""),
        ([query(condition("full\0name", "Equal", "x"))], {}, ""),
        ([query(Conditions={"a": 1})], {}, ""),
    ],
)
def test_what_cannot_be_understood_removes_nothing(
    fresh: Client, queries: list[object], more: dict[str, object], code: str
) -> None:
    before = left(fresh)
    status, said = error(run(fresh, *queries, **more))
    assert status == 400
    assert said.lower().startswith(code.lower())
    assert left(fresh) == before


def test_who_may_not_delete_deletes_nothing() -> None:
    with Emulator(EmulatorOptions(environment=str(SHOP), deny=("prvDeleteContact",))) as emulator:
        client = Client(emulator.url)
        (one,) = make(client, "One")
        assert error(run(client, query(condition("contactid", "In", one)))) == (403, "0x80040220")
        assert one in left(client)
        client.close()
