"""States and statuses: pairs, transitions, tables whose rows begin open, managed rows."""

from typing import Any

import pytest

from .client import Client, error


def test_transitions_are_enforced_where_the_table_says_so(rules: Client) -> None:
    path = f"rule_cases({rules.create('rule_cases', {'rule_name': 'T'})})"
    assert error(rules.send("PATCH", path, {"statecode": 1, "statuscode": 3})) == (400, "0x80040233")
    for body in ({"statuscode": 2}, {"statecode": 1, "statuscode": 3}, {"rule_name": "U"}, {"statecode": 1}):
        assert rules.send("PATCH", path, body).status_code == 204
    assert error(rules.send("PATCH", path, {"statecode": 0})) == (400, "0x80040233")
    assert rules.send("PATCH", path, {"statecode": 0, "statuscode": 2}).status_code == 204


@pytest.mark.parametrize(
    "body", [{"statecode": 1}, {"statecode": 1, "statuscode": 5}, {"statecode": 2}, {"statuscode": 5}]
)
def test_a_task_begins_open(rules: Client, body: dict[str, Any]) -> None:
    reply = rules.send("POST", "tasks", {"subject": "T", **body})
    assert error(reply) == (400, "0x80048408")
    assert "is not a valid status code for state code TaskState.Open on task with Id" in reply.text
    path = f"tasks({rules.create('tasks', {'subject': 'T', 'statecode': 0})})"
    assert rules.send("PATCH", path, {"statecode": 1, "statuscode": 5}).status_code == 204


def test_managed_rows_are_not_changed(rules: Client) -> None:
    managed, customizable, own = (f"rule_parts(b0000000-0000-4000-8000-00000000000{one})" for one in (1, 2, 3))
    assert error(rules.send("PATCH", managed, {"rule_name": "x"})) == (400, "0x8004022E")
    assert rules.send("PATCH", customizable, {"rule_name": "x"}).status_code == 204
    for path in (managed, customizable):
        assert error(rules.send("DELETE", path)) == (400, "0x8004F032")
    assert rules.send("DELETE", own).status_code == 204


def test_duplicates_are_found_when_a_client_asks(rules: Client) -> None:
    ask = {"MSCRM.SuppressDuplicateDetection": "false"}
    first = rules.create("rule_cases", {"rule_name": "Orton", "rule_mail": "m@example.com", "rule_code": 7})
    same = {"rule_name": "ORTON", "rule_mail": "M@example.com"}
    assert rules.send("POST", "rule_cases", same).status_code == 204
    assert error(rules.send("POST", "rule_cases", same, **ask)) == (412, "0x80040333")
    assert error(rules.send("POST", "rule_cases", {"rule_code": 7}, **ask)) == (412, "0x80040333")
    for other in ({"rule_name": "Orton", "rule_mail": "n@example.com"}, {"rule_name": "Orton"}, {}):
        assert rules.send("POST", "rule_cases", other, **ask).status_code == 204
    second = rules.create("rule_cases", {"rule_code": 8})
    assert error(rules.send("PATCH", f"rule_cases({second})", {"rule_code": 7}, **ask)) == (412, "0x80040333")
    assert rules.send("PATCH", f"rule_cases({first})", {"rule_code": 7}, **ask).status_code == 204
    target = {"@odata.type": "Microsoft.Dynamics.CRM.rule_case", "rule_code": 7}
    reply = rules.send("POST", "rule_cases/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": [target]}, **ask)
    assert error(reply) == (412, "0x80040333")
