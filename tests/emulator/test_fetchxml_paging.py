"""Pages of FetchXML: cookies that say where a page ends."""

import uuid
from urllib.parse import quote

import pytest

from .client import Client, error
from .fetching import COOKIE, MORE, PAGING, decoded, fetch, pages

ANN = "c0000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize(
    "inner",
    [
        "",
        '<order attribute="fullname" />',
        '<order attribute="fullname" descending="true" />',
        '<order attribute="new_hours" />',
        '<order attribute="new_hours" descending="true" /><order attribute="new_rate" />',
        '<order attribute="new_rate" descending="true" />',
        '<order attribute="new_since" /><order attribute="new_code" descending="true" />',
        '<order attribute="new_rank" /><order attribute="nickname" />',
        '<order attribute="new_rank" descending="true" />',
        '<order attribute="parentcustomerid" /><order attribute="new_vip" />',
        '<order attribute="parentcustomerid" descending="true" />',
        '<order attribute="contactid" descending="true" />',
        '<order attribute="new_ratio" />',
        '<link-entity name="account" from="accountid" to="parentcustomerid" link-type="outer" alias="a" />',
        '<link-entity name="new_contact_tag_link" from="contactid" to="contactid"><attribute name="new_tagid" />'
        "</link-entity>",
    ],
)
def test_all_rows_once_in_order(queries: Client, inner: str, size: int) -> None:
    columns = '<attribute name="fullname" />' + inner
    whole = fetch(queries, f'<fetch><entity name="contact">{columns}</entity></fetch>')["value"]
    found = list(pages(queries, columns, size))
    assert [row for page in found for row in page["value"]] == whole
    assert [len(page["value"]) for page in found[:-1]] == [size] * (len(found) - 1)
    assert all(COOKIE in page for page in found[:-1])


def test_distinct_rows_in_pages(queries: Client) -> None:
    inner = '<attribute name="new_hours" /><order attribute="new_hours" />'
    found = list(pages(queries, inner, 1, 'distinct="true"'))
    assert [page["value"] for page in found] == [[{}], [{"new_hours": 8}], [{"new_hours": 12}]]


def test_an_order_by_a_link_has_no_cookie(queries: Client) -> None:
    """https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/page-results"""
    link = (
        '<link-entity name="account" from="accountid" to="parentcustomerid" link-type="outer" alias="a">'
        '<order attribute="name" descending="true" /></link-entity>'
    )
    found = list(pages(queries, '<attribute name="fullname" />' + link, 2))
    assert [MORE in page for page in found] == [True, True, False]
    assert not any(COOKIE in page for page in found)
    assert [row["fullname"] for page in found for row in page["value"]][:3] == ["Ann", "bob", "Cara"]


def test_the_cookie_names_the_columns_of_the_order(queries: Client) -> None:
    inner = '<attribute name="fullname" /><order attribute="fullname" descending="true" />'
    first = next(pages(queries, inner, 2))
    assert decoded(first) == (
        '<cookie page="1"><fullname last="Dora 50%" first="élan" /><contactid '
        'last="{C0000000-0000-4000-8000-000000000004}" first="{C0000000-0000-4000-8000-000000000005}" /></cookie>'
    )
    assert first[COOKIE].startswith('<cookie pagenumber="2" pagingcookie="%253ccookie%2520page%253d%25221%2522%253e')
    assert first[COOKIE].endswith('" istracking="False" />')


def test_a_row_that_comes_between_does_not_shift_the_next_page(fresh: Client) -> None:
    inner = '<attribute name="fullname" /><order attribute="fullname" />'
    following = pages(fresh, inner, 2)
    assert [row["fullname"] for row in next(following)["value"]] == ["100% Bob_by", "Ana O'Hara"]
    fresh.create("contacts", {"fullname": "Aaron"})
    fresh.send("DELETE", "contacts(c0000000-0000-4000-8000-000000000001)")
    assert [row["fullname"] for row in next(following)["value"]] == ["Émile Zola "]


def test_a_page_without_its_cookie_and_one_with_a_foreign_cookie(queries: Client) -> None:
    xml = '<fetch count="2" page="{}" {}><entity name="contact"><attribute name="fullname" /></entity></fetch>'
    assert [row["fullname"] for row in fetch(queries, xml.format(2, ""))["value"]] == ["Cara", "Dora 50%"]
    foreign = 'paging-cookie="&lt;cookie page=&quot;1&quot;&gt;&lt;name last=&quot;x&quot; /&gt;&lt;/cookie&gt;"'
    assert [row["fullname"] for row in fetch(queries, xml.format(2, foreign))["value"]] == ["Cara", "Dora 50%"]
    assert [row["fullname"] for row in fetch(queries, xml.format(2, 'paging-cookie="rubbish"'))["value"]] == [
        "Cara",
        "Dora 50%",
    ]


def test_the_limit_of_pages_without_a_cookie(queries: Client) -> None:
    xml = '<fetch count="5000" page="11"><entity name="contact" /></fetch>'
    assert error(queries.send("GET", f"contacts?fetchXml={quote(xml)}")) == (400, "0x8004430A")
    cookie = 'paging-cookie="&lt;cookie page=&quot;10&quot; /&gt;"'
    assert fetch(queries, xml.replace('page="11"', f'page="11" {cookie}'))["value"] == []


def test_the_size_of_a_page_by_preference(queries: Client) -> None:
    wanted = PAGING["Prefer"] + ",odata.maxpagesize=2"
    answer = fetch(queries, '<fetch><entity name="contact" /></fetch>', Prefer=wanted)
    assert (len(answer["value"]), answer[MORE]) == (2, True)


def test_a_text_that_xml_cannot_hold(fresh: Client) -> None:
    for name in ("\x0bfirst", "\x0bsecond"):
        fresh.create("contacts", {"contactid": str(uuid.uuid4()), "fullname": name})
    inner = '<attribute name="fullname" /><order attribute="fullname" />'
    found = [row["fullname"] for page in pages(fresh, inner, 1) for row in page["value"]]
    assert found[:2] == ["\x0bfirst", "\x0bsecond"]
    assert len(found) == 5


def test_counted_rows(queries: Client) -> None:
    xml = '<fetch count="1" {}><entity name="contact"><attribute name="fullname" /></entity></fetch>'
    answer = fetch(queries, xml.format('returntotalrecordcount="true"'))
    assert (answer["@odata.count"], answer["@Microsoft.Dynamics.CRM.totalrecordcount"]) == (5, 5)
    assert answer["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is False
    assert queries.get(f"contacts?fetchXml={quote(xml.format(''))}&$count=true")["@odata.count"] == 5
    every = fetch(queries, xml.format(""), Prefer='odata.include-annotations="*"')
    assert every["@Microsoft.Dynamics.CRM.totalrecordcount"] == -1
