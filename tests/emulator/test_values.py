"""What becomes of values: ranges, precision, money, defaults, numbers that the service gives."""

import re
from typing import Any

import pytest

from .client import Client, error

EURO, DINAR, YEN = (f"e0000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))


def made(rules: Client, body: dict[str, Any]) -> str:
    return f"rule_values({rules.create('rule_values', body)})"


@pytest.mark.parametrize(
    ("column", "fitting", "outside", "code"),
    [
        ("rule_count", (-5, 10), (-6, 11), "0x8004432F"),
        ("rule_rate", (-1, 100), (-1.01, 100.5), "0x80044330"),
        ("rule_ratio", (0, 1000), (-0.5, 1000.5), "0x80044330"),
        ("rule_own", (0, 1000000), (-0.1, 1000001), "0x80040317"),
    ],
)
def test_ranges(rules: Client, column: str, fitting: tuple[float, ...], outside: tuple[float, ...], code: str) -> None:
    for value in fitting:
        path = made(rules, {column: value})
        assert float(rules.get(path)[column]) == value
    for value in outside:
        assert error(rules.send("POST", "rule_values", {column: value})) == (400, code)
        assert error(rules.send("PATCH", path, {column: value})) == (400, code)


@pytest.mark.parametrize(
    ("column", "given", "kept"),
    [
        ("rule_rate", "1.005", "1.0000000000"),
        ("rule_rate", "1.015", "1.0200000000"),
        ("rule_rate", "1e1", "10.0000000000"),
        ("rule_rate", "-0.001", "0.0000000000"),
        ("rule_ratio", "1.23456", "1.235"),
        ("rule_ratio", "2.500", "2.5"),
        ("rule_ratio", "1E+2", "100"),
        ("rule_own", "20000", "20000.0000"),
        ("rule_own", "1.25", "1.2000"),
    ],
)
def test_precision(rules: Client, column: str, given: str, kept: str) -> None:
    reply = rules.send("POST", "rule_values", f'{{"{column}":{given}}}'.encode())
    assert reply.status_code == 204, reply.text
    text = rules.send("GET", f"{reply.headers['OData-EntityId']}?$select={column}").text
    assert f'"{column}":{kept},' in text


def test_a_row_with_money_gets_the_currency_of_the_organization(rules: Client) -> None:
    row = rules.get(made(rules, {"rule_own": 5}))
    assert (row["_transactioncurrencyid_value"], row["exchangerate"]) == (EURO, "1.0000000000")
    assert row["rule_own_base"] == "5.0000"
    row = rules.get(made(rules, {"rule_count": 5}))
    assert (row["_transactioncurrencyid_value"], row["rule_own_base"]) == (None, None)


def test_amounts_follow_the_currency(rules: Client) -> None:
    body = {"rule_own": 100, "rule_currency": 1.2345, "rule_organization": 1.2345}
    path = made(rules, {**body, "transactioncurrencyid@odata.bind": f"transactioncurrencies({DINAR})"})
    row = rules.get(path)
    assert (row["rule_currency"], row["rule_organization"]) == ("1.2340", "1.2300")
    assert (row["exchangerate"], row["rule_own_base"], row["rule_currency_base"]) == (
        "0.5000000000",
        "200.0000",
        "2.4680",
    )
    change = {"transactioncurrencyid@odata.bind": f"transactioncurrencies({YEN})", "rule_currency": 1.5}
    assert rules.send("PATCH", path, change).status_code == 204
    row = rules.get(path)
    assert (row["rule_currency"], row["exchangerate"], row["rule_own_base"]) == ("2.0000", "160.0000000000", "0.6250")
    assert rules.send("PATCH", path, {"rule_own": None}).status_code == 204
    assert rules.get(path)["rule_own_base"] is None


def test_defaults_of_choices(rules: Client) -> None:
    row = rules.get(made(rules, {}))
    assert (row["rule_choice"], row["rule_flag"], row["rule_plain"]) == (2, True, None)
    row = rules.get(made(rules, {"rule_choice": 1, "rule_flag": False}))
    assert (row["rule_choice"], row["rule_flag"]) == (1, False)
    assert rules.get(made(rules, {"rule_choice": None}))["rule_choice"] is None


def test_the_api_does_not_ask_for_what_forms_ask_for(rules: Client) -> None:
    path = made(rules, {"rule_needed": "there"})
    assert rules.send("PATCH", path, {"rule_needed": None}).status_code == 204
    assert rules.get(path)["rule_needed"] is None


def test_rows_are_numbered(rules: Client) -> None:
    texts = [rules.get(made(rules, {}))["rule_number"] for _ in range(2)]
    first, second = (re.fullmatch(r"N-(\d{5})-[A-Z0-9]{4}-20\d{4}", text) for text in texts)
    assert first is not None
    assert second is not None
    assert int(second.group(1)) == int(first.group(1)) + 1
    assert rules.get(made(rules, {"rule_number": "mine"}))["rule_number"] == "mine"
    seed = {"EntityName": "rule_value", "AttributeName": "rule_Number", "Value": 70000}
    assert rules.send("POST", "SetAutoNumberSeed", seed).status_code == 204
    assert (
        rules.get("GetAutoNumberSeed(EntityName='rule_value',AttributeName='rule_number')")["AutoNumberSeedValue"]
        == 70000
    )
    taken = rules.send("POST", "GetNextAutoNumberValue", {name: seed[name] for name in ("EntityName", "AttributeName")})
    assert taken.json()["NextAutoNumberValue"].startswith("N-70000-")
    assert rules.get(made(rules, {}))["rule_number"].startswith("N-70001-")
    for wrong in ({"EntityName": "nothing"}, {**seed, "AttributeName": "rule_name"}, {**seed, "Value": "x"}):
        assert error(rules.send("POST", "SetAutoNumberSeed", wrong)) == (400, "0x80040203")


def test_a_wrong_format_shows_when_a_row_is_made(rules: Client) -> None:
    assert error(rules.send("POST", "rule_brokens", {})) == (400, "0x80040203")
    assert rules.create("rule_brokens", {"rule_name": "given"})
