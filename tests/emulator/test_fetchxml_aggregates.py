"""FetchXML that counts, adds up and groups."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import ALL, NAME, TARGET, Client, error
from .conftest import QUERIES
from .fetching import COOKIE, MORE, condition, fetch, pages

TOP, MIDDLE = (f"a0000000-0000-4000-8000-00000000000{number}" for number in (1, 2))


def aggregate(client: Client, inner: str, table: str = "contact", options: str = "", **headers: str) -> list[Any]:
    xml = f'<fetch aggregate="true" {options}><entity name="{table}">{inner}</entity></fetch>'
    return list(fetch(client, xml, f"{table}s", **headers)["value"])


def column(name: str, function: str, alias: str, more: str = "") -> str:
    return f'<attribute name="{name}" aggregate="{function}" alias="{alias}" {more} />'


def group(name: str, alias: str, part: str = "") -> str:
    parted = f'dategrouping="{part}"' if part else ""
    return f'<attribute name="{name}" groupby="true" alias="{alias}" {parted} />'


def test_functions_over_whole_numbers(queries: Client) -> None:
    functions = ("count", "countcolumn", "sum", "avg", "min", "max")
    inner = "".join(column("new_hours", function, function) for function in functions)
    inner += column("new_hours", "countcolumn", "different", 'distinct="true"')
    (row,) = aggregate(queries, inner)
    assert row == {"count": 5, "countcolumn": 3, "sum": 28, "avg": 9, "min": 8, "max": 12, "different": 2}


def test_decimals_are_added_exactly(queries: Client) -> None:
    inner = column("new_rate", "sum", "sum") + column("new_rate", "max", "max") + column("new_rate", "avg", "avg")
    (row,) = aggregate(queries, inner)
    assert (row["sum"], row["max"], row["avg"]) == ("10.5500000000", "10.2500000000", "3.5166666666")
    (row,) = aggregate(queries, column("revenue", "sum", "sum") + column("revenue", "avg", "avg"), "account")
    assert row == {"sum": "100.3000", "avg": "50.1500"}


def test_distinct_changes_nothing(queries: Client) -> None:
    inner = column("new_hours", "sum", "sum")
    assert aggregate(queries, inner, options='distinct="true"') == [{"sum": 28}]
    grouped = aggregate(queries, inner + group("new_vip", "vip") + '<order alias="vip" />', options='distinct="true"')
    assert grouped == [{"sum": 0}, {"sum": 12, "vip": False}, {"sum": 16, "vip": True}]


def test_of_nothing(queries: Client) -> None:
    inner = condition("fullname", "eq", "nobody")
    inner += "".join(column("new_hours", function, function) for function in ("count", "sum", "avg", "min"))
    assert aggregate(queries, inner) == [{"count": 0}]


def test_earliest_and_latest(queries: Client) -> None:
    inner = column("new_since", "min", "first") + column("new_since", "max", "last")
    assert aggregate(queries, inner) == [{"first": "2023-03-25T10:00:00Z", "last": "2024-01-01T00:00:00Z"}]


def test_groups_in_an_order(queries: Client) -> None:
    inner = group("new_rank", "rank") + column("contactid", "count", "number") + column("new_hours", "sum", "hours")
    ordered = inner + '<order alias="number" descending="true" /><order alias="rank" />'
    assert aggregate(queries, ordered) == [
        {"rank": 1, "number": 2, "hours": 8},
        {"number": 1, "hours": 0},
        {"rank": 2, "number": 1, "hours": 12},
        {"rank": 3, "number": 1, "hours": 8},
    ]
    row = aggregate(queries, inner + '<order alias="rank" descending="true" />', **ALL)[0]
    assert (row["rank"], row["rank" + NAME], row["hours" + NAME]) == (1, "Zinc", "8")


def test_groups_by_a_lookup(queries: Client) -> None:
    inner = group("parentcustomerid", "parent") + column("contactid", "count", "number")
    rows = aggregate(queries, inner + '<order alias="number" descending="true" />', **ALL)
    assert (rows[0]["parent"], rows[0]["number"]) == (TOP, 2)
    assert (rows[0]["parent" + NAME], rows[0]["parent" + TARGET]) == ("Top", "account")


def test_texts_that_differ_only_in_case_are_one_group(fresh: Client) -> None:
    for name in ("Same", "SAME", "same"):
        fresh.create("accounts", {"name": name})
    rows = aggregate(fresh, group("name", "name") + column("accountid", "count", "number"), "account")
    assert sorted((row["name"].lower(), row["number"]) for row in rows) == [("contoso", 1), ("same", 3)]


def test_groups_over_a_link(queries: Client) -> None:
    link = (
        '<link-entity name="account" from="accountid" to="parentcustomerid" alias="a">'
        f"{group('name', 'account')}</link-entity>"
    )
    rows = aggregate(queries, column("new_hours", "sum", "hours") + link + '<order alias="hours" />')
    assert rows == [{"hours": 8, "account": "Middle"}, {"hours": 20, "account": "Top"}]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("day", [None, 1, 25, 27]),
        ("week", [None, 1, 12, 35]),
        ("month", [None, 1, 3, 8]),
        ("quarter", [None, 1, 3]),
        ("year", [None, 2023, 2024]),
    ],
)
def test_parts_of_dates(queries: Client, part: str, expected: list[int | None]) -> None:
    inner = group("new_since", "part", part) + column("contactid", "count", "number") + '<order alias="part" />'
    rows = aggregate(queries, inner)
    assert [row.get("part") for row in rows] == expected
    assert sum(row["number"] for row in rows) == 5


def test_fiscal_parts_of_dates(queries: Client) -> None:
    inner = condition("new_since", "not-null") + group("new_since", "period", "fiscal-period")
    rows = aggregate(queries, inner + group("new_since", "year", "fiscal-year"), **ALL)
    shown = sorted((row["period" + NAME], row["year" + NAME]) for row in rows)
    assert shown == [("Quarter 1 FY2023", "FY2023"), ("Quarter 1 FY2024", "FY2024"), ("Quarter 3 FY2023", "FY2023")]


def test_groups_in_pages_have_no_cookie(queries: Client) -> None:
    inner = group("new_rank", "rank") + column("contactid", "count", "number") + '<order alias="rank" />'
    found = list(pages(queries, inner, 3, 'aggregate="true"'))
    assert [[row.get("rank") for row in page["value"]] for page in found] == [[None, 2, 3], [1]]
    assert found[0][MORE] is True
    assert COOKIE not in found[0]


@pytest.mark.parametrize(
    ("inner", "options", "code"),
    [
        ("", "", "0x80060888"),
        ('<attribute name="fullname" alias="x" />', "", "0x80060888"),
        ('<attribute name="fullname" aggregate="count" />', "", "0x80060888"),
        (column("fullname", "sum", "x"), "", "0x80060888"),
        (column("fullname", "median", "x"), "", "0x80060888"),
        (group("fullname", "x", "day"), "", "0x80060888"),
        (group("new_since", "x", "century"), "", "0x80060888"),
        (column("fullname", "count", "x") + '<order attribute="fullname" />', "", "0x80060888"),
        (column("nothing", "count", "x"), "", "0x80041103"),
        (column("fullname", "count", "x"), 'aggregatelimit="4"', "0x8004E023"),
    ],
)
def test_what_is_refused(queries: Client, inner: str, options: str, code: str) -> None:
    xml = f'<fetch aggregate="true" {options}><entity name="contact">{inner}</entity></fetch>'
    assert error(queries.send("GET", f"contacts?fetchXml={quote(xml)}")) == (400, code)


@pytest.fixture
def crowded() -> Iterator[Client]:
    """More rows than an aggregate may see."""
    with Emulator(EmulatorOptions(environment=str(QUERIES))) as emulator:
        client = Client(emulator.url)
        target = {"@odata.type": "Microsoft.Dynamics.CRM.new_tag", "new_name": "x"}
        for _ in range(10):
            body = {"Targets": [target] * 5000}
            assert client.send("POST", "new_tags/Microsoft.Dynamics.CRM.CreateMultiple", body).status_code == 200
        yield client
        client.close()


def test_more_than_50000_rows(crowded: Client) -> None:
    inner = column("new_tagid", "count", "number")
    xml = f'<fetch aggregate="true"><entity name="new_tag">{inner}</entity></fetch>'
    assert error(crowded.send("GET", f"new_tags?fetchXml={quote(xml)}")) == (400, "0x8004E023")
    few = xml.replace(inner, inner + condition("new_name", "eq", "X"))
    assert fetch(crowded, few, "new_tags")["value"] == [{"number": 50_000}]
