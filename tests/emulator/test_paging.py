"""Pages of rows: links in the service's own form, and rows given once whatever is written between the pages."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client, error
from .conftest import READING

_NAMES = ["beta", "Alpha", "", "ALPHA", None, "gamma & <'\"%>", "Beta", "émile", None, "alpha"]


@pytest.fixture(scope="module")
def pages() -> Iterator[Client]:
    """The accounts of the environment and sixty more, with values that repeat and nulls among them."""
    with Emulator(EmulatorOptions(environment=str(READING))) as emulator:
        client = Client(emulator.url)
        contacts = [row["contactid"] for row in client.rows("contacts?$select=contactid")]
        for number in range(60):
            body: dict[str, Any] = {
                "name": f"Number {number}",
                "tickersymbol": _NAMES[number % 10],
                "numberofemployees": number % 4 or None,
                "rate": None if number % 7 == 0 else number % 5 + 0.25,
                "creditonhold": number % 3 == 0,
                "industrycode": number % 3 + 1,
            }
            if number % 4:
                body["primarycontactid@odata.bind"] = f"contacts({contacts[number % 3]})"
            client.create("accounts", body)
        yield client
        client.close()


def test_a_link_has_the_form_of_the_service(pages: Client) -> None:
    first = pages.get("accounts?$select=name&$top=7", Prefer="odata.maxpagesize=2")
    ids = [row["accountid"].upper() for row in first["value"]]
    assert first["@odata.nextLink"] == (
        f"{pages.root}accounts?$select=name&$top=7&$skiptoken=%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22"
        "%253ccookie%2520page%253d%25221%2522%253e%253caccountid%2520last%253d%2522%257b"
        f"{ids[1]}%257d%2522%2520first%253d%2522%257b{ids[0]}%257d%2522%2520%252f%253e%253c%252fcookie%253e%22"
        "%20istracking=%22False%22%20/%3E"
    )
    second = pages.get(first["@odata.nextLink"], Prefer="odata.maxpagesize=2")
    assert 'pagenumber="3"' in unquote(second["@odata.nextLink"])


@pytest.mark.parametrize(
    "order",
    [
        "",
        "tickersymbol",
        "tickersymbol desc",
        "numberofemployees desc,tickersymbol",
        "rate",
        "rate desc,name",
        "creditonhold,industrycode desc",
        "_primarycontactid_value",
        "_primarycontactid_value desc,numberofemployees",
        "primarycontactid/jobtitle,name desc",
        "accountid desc",
        "createdon desc",
    ],
)
def test_pages_go_on_behind_their_last_row_whatever_comes_and_goes(pages: Client, order: str) -> None:
    path = f"accounts?$select=name{f'&$orderby={order}' if order else ''}"
    whole = [row["accountid"] for row in pages.rows(path)]
    assert len(whole) == len(set(whole)) >= 64
    seen: list[str] = []
    made: list[str] = []
    link: str | None = path
    while link:
        page = pages.get(link, Prefer="odata.maxpagesize=9")
        seen += [row["accountid"] for row in page["value"]]
        link = page.get("@odata.nextLink")
        # A row before and a row behind: neither may move those that follow.
        made.append(pages.create("accounts", {"name": "Between", "tickersymbol": "aaa", "rate": 0.25}))
        if len(made) > 1:
            assert pages.send("DELETE", f"accounts({made.pop(0)})").status_code == 204
    for row_id in made:
        pages.send("DELETE", f"accounts({row_id})")
    assert [row_id for row_id in seen if row_id in set(whole)] == whole


def test_nulls_come_first_and_choices_by_their_number(pages: Client) -> None:
    rows = pages.rows("accounts?$select=industrycode,numberofemployees&$orderby=numberofemployees,industrycode desc")
    keys = [(row["numberofemployees"] or -1, -(row["industrycode"] or 0)) for row in rows]
    assert keys == sorted(keys)
    down = pages.rows("accounts?$select=numberofemployees&$orderby=numberofemployees desc")
    assert [row["numberofemployees"] for row in down][-1] is None


def test_lookups_are_ordered_by_the_names_of_their_rows(pages: Client) -> None:
    name = "_primarycontactid_value@OData.Community.Display.V1.FormattedValue"
    rows = pages.rows(
        "accounts?$select=_primarycontactid_value&$orderby=_primarycontactid_value",
        Prefer='odata.include-annotations="*"',
    )
    names = [row.get(name, "") for row in rows]
    assert names == sorted(names, key=str.lower)
    assert {"", "Ana Bowman", "Bo Bo", "Cy O'Hara"} == set(names)


def test_an_order_by_an_alias(pages: Client) -> None:
    rows = pages.rows("accounts?$select=name&$orderby=@p1 desc&@p1=name")
    names = [row["name"].lower() for row in rows]
    assert names == sorted(names, reverse=True)


def test_a_page_of_a_collection_of_a_row(pages: Client) -> None:
    contoso = "accounts(a0000000-0000-4000-8000-000000000001)"
    first = pages.get(f"{contoso}/account_labels?$select=title&$orderby=title", Prefer="odata.maxpagesize=1")
    assert [row["title"] for row in first["value"]] == ["Blue"]
    second = pages.get(first["@odata.nextLink"], Prefer="odata.maxpagesize=1")
    assert [row["title"] for row in second["value"]] == ["Red"]
    assert "@odata.nextLink" not in second


def test_the_addresses_of_the_rows_of_a_collection(pages: Client) -> None:
    contoso = "accounts(a0000000-0000-4000-8000-000000000001)"
    page = pages.get(f"{contoso}/account_labels/$ref")
    assert page["@odata.context"] == f"{pages.root}$metadata#Collection($ref)"
    ids = [f"{pages.root}labels(d0000000-0000-4000-8000-00000000000{number})" for number in (1, 2)]
    assert page["value"] == [{"@odata.id": address} for address in ids]
    first = pages.get(f"{contoso}/account_task_regardingobjectid/$ref", Prefer="odata.maxpagesize=1")
    rest = pages.get(first["@odata.nextLink"], Prefer="odata.maxpagesize=1")
    assert len({row["@odata.id"] for row in [*first["value"], *rest["value"]]}) == 2


def test_the_version_of_the_metadata_is_an_annotation(pages: Client) -> None:
    annotation = "Microsoft.Dynamics.CRM.globalmetadataversion"
    page = pages.get("labels?$top=1", Prefer=f'odata.include-annotations="{annotation}"')
    assert page[f"@{annotation}"].isdigit()
    assert f"@{annotation}" not in pages.get("labels?$top=1")


def test_the_count_is_of_all_pages(pages: Client) -> None:
    path = "accounts?$select=name&$count=true&$filter=startswith(name,'Number')"
    page = pages.get(path, Prefer='odata.maxpagesize=50,odata.include-annotations="Microsoft.Dynamics.CRM.*"')
    assert page["@odata.count"] == 60
    assert page["@Microsoft.Dynamics.CRM.totalrecordcount"] == 60
    assert page["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is False
    plain = pages.get("accounts?$top=1", Prefer='odata.include-annotations="Microsoft.Dynamics.CRM.*"')
    assert plain["@Microsoft.Dynamics.CRM.totalrecordcount"] == -1
    assert list(page)[-1] == "@odata.nextLink"


def test_more_than_5000_rows_are_counted_as_5000() -> None:
    with Emulator(EmulatorOptions(environment=str(READING))) as emulator:
        client = Client(emulator.url)
        target = {"@odata.type": "Microsoft.Dynamics.CRM.label", "title": "x"}
        for _ in range(5):
            body = {"Targets": [target] * 1000}
            assert client.send("POST", "labels/Microsoft.Dynamics.CRM.CreateMultiple", body).status_code == 200
        path = "labels?$select=title&$count=true&$top=1"
        counted = client.get(path, Prefer='odata.include-annotations="Microsoft.Dynamics.CRM.*"')
        assert counted["@odata.count"] == 5000
        assert counted["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is True
        assert client.send("GET", "labels/$count").content.decode("utf-8-sig") == "5000"
        page = client.get("labels?$select=title")
        assert len(page["value"]) == 5000
        assert len(client.get(page["@odata.nextLink"])["value"]) == 2
        client.close()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("$skip=1", "Skip Clause is not supported in CRM"),
        ("$search=x", "The query parameter $search is not supported."),
        ("$format=json", "The query parameter $format is not supported."),
        ("$compute=1 as x", "The query parameter $compute is not supported."),
        ("$count=maybe", "Invalid value 'maybe' for $count query option found."),
        ("$top=-1", "Invalid value '-1' for $top query option found."),
    ],
)
def test_options_that_the_service_does_not_have_are_refused(pages: Client, option: str, message: str) -> None:
    reply = pages.send("GET", f"accounts?{option}")
    assert error(reply) == (400, "0x80060888")
    assert reply.json()["error"]["message"] == message


@pytest.mark.parametrize("token", ["", "nonsense", "<cookie", "<x/>", "%3Ccookie%20pagenumber=%222%22%20/%3E"])
def test_a_token_that_is_none_is_refused(pages: Client, token: str) -> None:
    assert error(pages.send("GET", f"accounts?$skiptoken={token}"))[0] == 400


def test_a_name_that_xml_cannot_hold_still_has_its_page(pages: Client) -> None:
    made = [pages.create("labels", {"title": f"\x01{number}"}) for number in range(3)]
    link: str | None = "labels?$select=title&$orderby=title"
    seen: list[str] = []
    while link:
        page = pages.get(link, Prefer="odata.maxpagesize=1")
        seen += [row["labelid"] for row in page["value"]]
        link = page.get("@odata.nextLink")
        assert link is None or not re.search("[\x00-\x1f ]", link)
    assert len(seen) == len(set(seen)) == 5
    assert set(made) < set(seen)
