"""FetchXML queries."""

import xml.sax.saxutils
from typing import Any
from urllib.parse import quote, unquote
from xml.etree import ElementTree

import pytest

from .client import ALL, NAME, TARGET, Client, error

ANA, EMILE, BOB = (f"c0000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))


def fetch(client: Client, xml: str, entity_set: str = "contacts", **headers: str) -> dict[str, Any]:
    answer = client.get(f"{entity_set}?fetchXml={quote(xml)}", **headers)
    assert isinstance(answer, dict)
    return answer


def found(client: Client, conditions: str) -> set[str]:
    xml = f'<fetch><entity name="contact"><attribute name="fullname" />{conditions}</entity></fetch>'
    return {row["fullname"].split()[0] for row in fetch(client, xml)["value"]}


def condition(attribute: str, operator: str, value: str | None = None, values: tuple[str, ...] = ()) -> str:
    inner = "".join(f"<value>{xml.sax.saxutils.escape(one)}</value>" for one in values)
    given = f" value={xml.sax.saxutils.quoteattr(value)}" if value is not None else ""
    return f'<filter><condition attribute="{attribute}" operator="{operator}"{given}>{inner}</condition></filter>'


def test_null_properties_are_left_out(shop: Client) -> None:
    row = fetch(
        shop, f'<fetch><entity name="contact"><all-attributes />{condition("contactid", "eq", BOB)}</entity></fetch>'
    )
    assert "birthdate" not in row["value"][0]
    assert row["value"][0]["contactid"] == BOB
    some = fetch(shop, '<fetch><entity name="contact"><attribute name="birthdate" alias="born" /></entity></fetch>')
    assert [set(one) for one in some["value"]] == [
        {"@odata.etag", "contactid", "born"},
        {"@odata.etag", "contactid", "born"},
        {"@odata.etag", "contactid"},
    ]


@pytest.mark.parametrize(
    ("attribute", "operator", "value", "values", "names"),
    [
        ("fullname", "eq", "ana o'hara", (), {"Ana"}),
        ("fullname", "ne", "ana o'hara", (), {"Émile", "100%"}),
        ("fullname", "like", "%o'h%", (), {"Ana"}),
        ("fullname", "not-like", "%o'h%", (), {"Émile", "100%"}),
        ("fullname", "eq", "%zola%", (), {"Émile"}),
        ("fullname", "begins-with", "Émi", (), {"Émile"}),
        ("fullname", "not-begin-with", "Émi", (), {"Ana", "100%"}),
        ("fullname", "ends-with", "by", (), {"100%"}),
        ("fullname", "in", None, ("ANA O'HARA", "x"), {"Ana"}),
        ("contactid", "in", None, (ANA, f"{{{BOB.upper()}}}"), {"Ana", "100%"}),
        ("contactid", "not-in", None, (ANA,), {"Émile", "100%"}),
        ("birthdate", "null", None, (), {"100%"}),
        ("birthdate", "not-null", None, (), {"Ana", "Émile"}),
        ("birthdate", "on", "1990-02-03", (), {"Ana"}),
        ("birthdate", "on-or-after", "1900-01-01", (), {"Ana"}),
        ("birthdate", "on-or-before", "1900-01-01", (), {"Émile"}),
        ("shop_last", "on", "2026-01-02", (), {"Ana"}),
        ("shop_size", "gt", "1", (), {"Ana"}),
        ("shop_size", "between", None, ("2", "3"), {"Ana"}),
        ("shop_rate", "ge", "1.5", (), {"Ana"}),
        ("shop_rate", "lt", "1.5", (), set()),
        ("shop_tastes", "contain-values", None, ("3",), {"Ana"}),
        ("parentcustomerid", "eq", ANA, (), {"Émile"}),
        ("createdby", "eq-userid", None, (), {"Ana", "Émile", "100%"}),
    ],
)
def test_conditions(
    shop: Client, attribute: str, operator: str, value: str | None, values: tuple[str, ...], names: set[str]
) -> None:
    assert found(shop, condition(attribute, operator, value, values)) == names


def test_filters_inside_filters(shop: Client) -> None:
    inner = condition("fullname", "like", "%zola%") + condition("shop_size", "eq", "2")
    assert found(shop, f'<filter type="or">{inner}</filter>') == {"Ana", "Émile"}
    assert found(shop, f"<filter>{inner}</filter>") == set()


def test_linked_tables(shop: Client) -> None:
    link = (
        '<link-entity name="account" from="accountid" to="parentcustomerid" {}><attribute name="name" /></link-entity>'
    )
    xml = '<fetch><entity name="contact"><attribute name="fullname" />{}</entity></fetch>'
    rows = fetch(shop, xml.format(link.format('alias="a"')))["value"]
    assert [(row["contactid"], row["a.name"]) for row in rows] == [(ANA, "Contoso")]
    rows = fetch(shop, xml.format(link.format('alias="a" link-type="outer"')))["value"]
    assert [row.get("a.name") for row in rows] == ["Contoso", None, None]
    missing = '<filter><condition entityname="a" attribute="accountid" operator="null" /></filter>'
    rows = fetch(shop, xml.format(link.format('alias="a" link-type="outer"') + missing))["value"]
    assert {row["contactid"] for row in rows} == {EMILE, BOB}


def test_filters_of_links_and_links_through_intersect_tables(shop: Client) -> None:
    red = condition("shop_name", "eq", "red")
    link = (
        '<link-entity name="shop_contact_tag_link" from="contactid" to="contactid" intersect="true">'
        f'<link-entity name="shop_tag" from="shop_tagid" to="shop_tagid" alias="t">{red}<attribute name="shop_name" />'
        "</link-entity></link-entity>"
    )
    assert found(shop, link) == {"Ana"}
    assert found(shop, link.replace("red", "blue")) == set()
    exists = '<link-entity name="shop_contact_tag_link" from="contactid" to="contactid" link-type="{}" />'
    assert found(shop, exists.format("exists")) == {"Ana"}
    assert found(shop, exists.format("not any")) == {"Émile", "100%"}


def test_order_top_and_distinct(shop: Client) -> None:
    inner = '<attribute name="fullname" /><order attribute="fullname" {} />'
    xml = '<fetch {}><entity name="contact">' + inner + "</entity></fetch>"
    assert [row["contactid"] for row in fetch(shop, xml.format('top="2"', 'descending="true"'))["value"]] == [
        EMILE,
        ANA,
    ]
    names = [row["fullname"] for row in fetch(shop, xml.format('distinct="true"', ""))["value"]]
    assert names == ["100% Bob_by", "Ana O'Hara", "Émile Zola "]


def test_annotations(shop: Client) -> None:
    inner = f'<attribute name="parentcustomerid" />{condition("contactid", "eq", ANA)}'
    row = fetch(shop, f'<fetch><entity name="contact">{inner}</entity></fetch>', **ALL)["value"][0]
    assert (row["_parentcustomerid_value" + NAME], row["_parentcustomerid_value" + TARGET]) == ("Contoso", "account")


def test_pages_by_cookie(shop: Client) -> None:
    xml = '<fetch count="2" page="{}"{}><entity name="contact"><attribute name="fullname" /></entity></fetch>'
    wanted = (
        'odata.include-annotations="Microsoft.Dynamics.CRM.fetchxmlpagingcookie,Microsoft.Dynamics.CRM.morerecords"'
    )
    first = fetch(shop, xml.format(1, ""), Prefer=wanted)
    assert first["@Microsoft.Dynamics.CRM.morerecords"] is True
    cookie = ElementTree.fromstring(first["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"])
    assert cookie.get("pagenumber") == "2"
    inner = unquote(unquote(cookie.get("pagingcookie", "")))
    assert inner.startswith('<cookie page="1"><contactid last="{')
    second = fetch(shop, xml.format(2, f" paging-cookie={xml_attribute(inner)}"), Prefer=wanted)
    assert "@Microsoft.Dynamics.CRM.morerecords" not in second
    assert "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie" not in second
    ids = [row["contactid"] for row in [*first["value"], *second["value"]]]
    assert ids == [ANA, EMILE, BOB]
    assert [row["contactid"] for row in fetch(shop, xml.format(2, ""))["value"]] == [BOB]


def xml_attribute(text: str) -> str:
    return xml.sax.saxutils.quoteattr(text)


def test_saved_queries(queries: Client) -> None:
    saved = "50000000-0000-4000-8000-000000000001"
    assert [row["fullname"] for row in queries.get(f"contacts?savedQuery={saved}")["value"]] == ["Ann", "Cara"]
    assert error(queries.send("GET", f"contacts?userQuery={saved}")) == (404, "0x80040217")
    assert error(queries.send("GET", f"contacts?savedQuery={ANA}")) == (404, "0x80040217")
    assert error(queries.send("GET", f"accounts?savedQuery={saved}"))[0] == 400


def test_the_case_of_the_option_does_not_matter(shop: Client) -> None:
    xml = quote('<fetch top="1"><entity name="contact" /></fetch>')
    assert len(shop.get(f"contacts?fetchxml={xml}")["value"]) == 1


def test_total_record_count(shop: Client) -> None:
    xml = '<fetch count="1" returntotalrecordcount="true"><entity name="contact" /></fetch>'
    assert fetch(shop, xml)["@Microsoft.Dynamics.CRM.totalrecordcount"] == 3


@pytest.mark.parametrize(
    ("xml", "status", "code"),
    [
        ("<fetch", 400, "0x80040201"),
        ('<!DOCTYPE f [<!ENTITY x "y">]><fetch><entity name="contact" /></fetch>', 400, "0x80040201"),
        ('<fetch><entity name="nothing" /></fetch>', 400, "0x80041102"),
        ('<fetch><entity name="account" /></fetch>', 400, "0x80060888"),
        ('<fetch><entity name="contact"><attribute name="Nope" /></entity></fetch>', 400, "0x80041103"),
        ('<fetch top="1" page="2"><entity name="contact" /></fetch>', 400, "0x80040203"),
        ('<fetch page="50001" count="1"><entity name="contact" /></fetch>', 400, "0x8004430A"),
        ('<fetch top="1" returntotalrecordcount="1"><entity name="contact" /></fetch>', 400, "0x80040203"),
        ('<fetch top="5001"><entity name="contact" /></fetch>', 400, "0x80040203"),
        ('<fetch><entity name="contact"><filter><other /></filter></entity></fetch>', 400, "0x80060888"),
        ('<fetch><entity name="contact"><other /></entity></fetch>', 400, "0x8004111c"),
        ('<fetch count="0"><entity name="contact" /></fetch>', 400, "0x80060888"),
        ('<query><entity name="contact" /></query>', 400, "0x80040201"),
        ("<fetch />", 400, "0x80041102"),
        (
            '<fetch><entity name="contact">' + "<filter>" * 120 + "</filter>" * 120 + "</entity></fetch>",
            400,
            "0x80040201",
        ),
        (
            '<fetch><entity name="contact"><filter><condition attribute="fullname" operator="sounds" value="x" />'
            "</filter></entity></fetch>",
            400,
            "0x80060888",
        ),
    ],
)
def test_what_cannot_be_understood_is_refused(shop: Client, xml: str, status: int, code: str) -> None:
    assert error(shop.send("GET", f"contacts?fetchXml={quote(xml)}")) == (status, code)


def in_batch(client: Client, xml: str, **headers: str) -> tuple[int, str]:
    """Status and body of a query that is sent within ``$batch``, where it may be longer than in a URL."""
    given = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    body = (
        "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        f"GET {client.root}contacts?fetchXml={quote(xml)} HTTP/1.1\r\n{given}\r\n\r\n--b--\r\n"
    )
    reply = client.send("POST", "$batch", body.encode(), Content_Type="multipart/mixed; boundary=b")
    status = int(reply.text.split("HTTP/1.1 ")[1][:3])
    return status, reply.text


def many(number: int) -> str:
    conditions = '<condition attribute="shop_size" operator="eq" value="1"/>' * number
    return f'<fetch><entity name="contact"><filter type="or">{conditions}</filter></entity></fetch>'


def test_a_query_longer_than_a_url_goes_in_a_batch(shop: Client) -> None:
    xml = many(400)
    assert shop.send("GET", f"contacts?fetchXml={quote(xml)}").status_code == 414
    status, text = in_batch(shop, xml)
    assert (status, '"value":[]' in text) == (200, True)


def test_more_than_500_conditions_are_refused(shop: Client) -> None:
    status, text = in_batch(shop, many(501))
    assert (status, "0x8004430C" in text) == (400, True)


def test_more_than_15_links_are_refused(shop: Client) -> None:
    link = '<link-entity name="account" from="accountid" to="parentcustomerid" />'
    xml = '<fetch><entity name="contact">{}</entity></fetch>'
    assert fetch(shop, xml.format(link * 15))["value"]
    assert error(shop.send("GET", f"contacts?fetchXml={quote(xml.format(link * 16))}")) == (400, "0x8004430D")


@pytest.mark.parametrize(
    "xml",
    [
        '<!DOCTYPE f [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><fetch><entity name="&b;" /></fetch>',
        '<!DOCTYPE f SYSTEM "file:///etc/passwd"><fetch><entity name="contact" /></fetch>',
        '<?xml version="1.0" encoding="nonsense"?><fetch><entity name="contact" /></fetch>',
        '<fetch><entity name="contact">&unknown;</entity></fetch>',
        '<fetch><entity name="contact" name="contact" /></fetch>',
        "<fetch>" * 1000,
        "<fetch>" + "<entity>" * 1000 + "</entity>" * 1000 + "</fetch>",
        "\x00",
        "",
    ],
)
def test_hostile_xml_is_refused(shop: Client, xml: str) -> None:
    status, text = in_batch(shop, xml)
    assert (status, "0x80040201" in text) == (400, True)


def test_values_without_end_are_refused_and_no_fault(shop: Client) -> None:
    values = "<value>1</value>" * 1200
    xml = (
        '<fetch><entity name="contact"><filter><condition attribute="shop_tastes" operator="contain-values">'
        f"{values}</condition></filter></entity></fetch>"
    )
    status, text = in_batch(shop, xml)
    assert (status, "0x80044150" in text) == (400, True)
