"""``$apply``: rows counted and added up.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/aggregate-data
"""

from typing import Any

import pytest

from .client import NAME, Client, error

_SHOWN = {"Prefer": 'odata.include-annotations="OData.Community.Display.V1.FormattedValue"'}


def applied(client: Client, text: str, more: str = "", **headers: str) -> list[dict[str, Any]]:
    page = client.get(f"accounts?$apply={text}{more}", **headers)
    assert page["@odata.context"] == f"{client.root}$metadata#accounts"
    rows: list[dict[str, Any]] = page["value"]
    return rows


def test_unique_values(reading: Client) -> None:
    assert applied(reading, "groupby((statuscode))", **_SHOWN) == [{f"statuscode{NAME}": "Active", "statuscode": 1}]
    rows = applied(reading, "groupby((statecode,numberofemployees))")
    assert rows == [
        {"statecode": 0},
        {"statecode": 0, "numberofemployees": 12},
        {"statecode": 0, "numberofemployees": 5000},
    ]


def test_counts(reading: Client) -> None:
    rows = applied(reading, "groupby((numberofemployees),aggregate($count as count))", **_SHOWN)
    assert rows[1] == {
        f"numberofemployees{NAME}": "12",
        "numberofemployees": 12,
        f"count{NAME}": "2",
        "count": 2,
    }
    assert applied(reading, "aggregate($count as n)", "&$filter=revenue ne null") == [{"n": 2}]
    assert applied(reading, "aggregate(numberofemployees with countdistinct as n,$count as all)") == [
        {"n": 2, "all": 4}
    ]


def test_sums_averages_and_extremes(reading: Client) -> None:
    (row,) = applied(reading, "aggregate(numberofemployees with sum as s,numberofemployees with average as a)")
    assert (row["s"], row["a"]) == (5024, 1674)
    (row,) = applied(reading, "aggregate(revenue with sum as total,revenue with average as mean)", **_SHOWN)
    assert (float(row["total"]), row[f"total{NAME}"]) == (1234547.5, "$1,234,547.50")
    assert float(row["mean"]) == 617273.75
    (row,) = applied(reading, "aggregate(lastused with max as last,opened with min as first)", **_SHOWN)
    assert row == {
        f"last{NAME}": "4/7/2023 9:59 PM",
        "last": "2023-04-07T21:59:01Z",
        f"first{NAME}": "4/7/2021",
        "first": "2021-04-07",
    }


def test_groups_over_lookups(reading: Client) -> None:
    rows = applied(reading, "groupby((primarycontactid/fullname),aggregate(numberofemployees with sum as total))")
    assert {row.get("contact_fullname"): row["total"] for row in rows} == {None: 12, "Ana Bowman": 5000, "Bo Bo": 12}
    rows = applied(reading, "groupby((_primarycontactid_value),aggregate($count as n))", **_SHOWN)
    assert {row.get(f"_primarycontactid_value{NAME}"): row["n"] for row in rows} == {
        None: 2,
        "Ana Bowman": 1,
        "Bo Bo": 1,
    }


def test_filtered_ordered_and_cut(reading: Client) -> None:
    rows = applied(reading, "filter(numberofemployees lt 100)/groupby((industrycode))", "&$orderby=industrycode desc")
    assert [row["industrycode"] for row in rows] == [3, 1]
    text = "filter(contains(name,'a'))/filter(industrycode ne 1)/groupby((industrycode),aggregate($count as n))"
    assert applied(reading, text, "&$orderby=industrycode desc&$top=1") == [{"industrycode": 3, "n": 1}]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "groupby((statecode),aggregate($count as n))&$orderby=n",
            "The query node SingleValueOpenPropertyAccess is not supported",
        ),
        ("groupby((createdon))", None),
        ("groupby((nothing))", None),
        ("aggregate(name with sum as x)", None),
        ("aggregate(revenue with median as x)", None),
        ("topcount(1,revenue)", None),
        ("groupby((statecode))/aggregate($count as n)", None),
        ("aggregate($count as n)&$expand=createdby", None),
        ("groupby(statecode)", None),
        ("filter(revenue gt 1)", None),
        ("", None),
    ],
)
def test_what_is_not_supported_is_refused(reading: Client, query: str, message: str | None) -> None:
    reply = reading.send("GET", f"accounts?$apply={query}")
    assert error(reply) == (400, "0x80060888")
    assert message is None or reply.json()["error"]["message"] == message


def test_two_values_of_the_same_name_are_refused(reading: Client) -> None:
    for text in (
        "aggregate($count as n,revenue with sum as n)",
        "groupby((statuscode),aggregate($count as statuscode))",
    ):
        assert error(reading.send("GET", f"accounts?$apply={text}")) == (400, "0x80060888")
