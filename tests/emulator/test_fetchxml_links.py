"""Linked tables and conditions of FetchXML."""

from typing import Any
from urllib.parse import quote

import pytest

from .client import ALL, NAME, TARGET, Client, error
from .fetching import condition, fetch, names

ANN, BOB, CARA, DORA, ELAN = (f"c0000000-0000-4000-8000-00000000000{number}" for number in range(1, 6))
TOP, MIDDLE, BOTTOM, OTHER = (f"a0000000-0000-4000-8000-00000000000{number}" for number in range(1, 5))
SALES = "70000000-0000-4000-8000-000000000001"
ATTRIBUTE = "@OData.Community.Display.V1.AttributeName"


@pytest.mark.parametrize(
    ("attribute", "operator", "value", "values", "expected"),
    [
        ("fullname", "like", "[a-c]%", (), ["Ann", "bob", "Cara"]),
        ("fullname", "like", "[^a-c]%", (), ["Dora", "élan"]),
        ("fullname", "not-like", "_o%", (), ["Ann", "Cara", "élan"]),
        ("fullname", "like", "%[%]", (), ["Dora"]),
        ("fullname", "like", "É%", (), ["élan"]),
        ("fullname", "like", "%", (), ["Ann", "bob", "Cara", "Dora", "élan"]),
        ("nickname", "like", r"%\d", (), ["élan"]),
        ("new_hours", "like", "[0-9]", (), ["Ann", "Cara"]),
        ("new_hours", "like", "é%", (), []),
        ("nickname", "like", "%[[]c]%", (), ["élan"]),
        ("nickname", "not-begin-with", "a", (), ["bob", "Cara", "Dora"]),
        ("fullname", "eq", "BOB  ", (), ["bob"]),
        ("fullname", "gt", "bz", (), ["Cara", "Dora", "élan"]),
        ("fullname", "in", None, ("ANN", "Bob "), ["Ann", "bob"]),
        ("fullname", "not-in", None, ("ANN",), ["bob", "Cara", "Dora", "élan"]),
        ("fullname", "between", None, ("b", "d"), ["bob", "Cara"]),
        ("new_hours", "not-between", None, ("9", "20"), ["Ann", "Cara"]),
        ("new_rate", "eq", "10.2500", (), ["Cara"]),
        ("new_rate", "in", None, ("0.10", "10.25"), ["Ann", "Cara"]),
        ("new_rate", "gt", "2", (), ["Cara"]),
        ("new_vip", "eq", "true", (), ["Ann", "Cara"]),
        ("new_vip", "ne", "1", (), ["bob", "Dora", "élan"]),
        ("new_code", "gt", "00000000-0000-0000-0000-0000000000fe", (), ["Ann"]),
        ("new_since", "on", "2023-08-27", (), ["bob"]),
        ("new_since", "ge", "2023-08-27 23:30", (), ["bob", "Cara"]),
        ("birthdate", "eq", "1990-02-03", (), ["Ann"]),
        ("new_likes", "contain-values", None, ("1",), ["Ann", "Dora"]),
        ("new_likes", "not-contain-values", None, ("1",), ["bob", "Cara", "élan"]),
        ("new_rankname", "eq", "gold", (), ["bob"]),
        ("parentcustomeridname", "like", "T%", (), ["Ann", "bob"]),
        ("parentcustomerid", "eq", f"{{{ANN.upper()}}}", (), ["Dora"]),
        ("new_hours", "eq", None, ("8",), ["Ann", "Cara"]),
        ("ownerid", "eq-userid", None, (), ["Ann", "bob", "Cara", "Dora", "élan"]),
        ("ownerid", "ne-userid", None, (), []),
        ("ownerid", "eq-useroruserteams", None, (), ["Ann", "bob", "Cara", "Dora", "élan"]),
        ("ownerid", "eq-useroruserhierarchyandteams", None, (), ["Ann", "bob", "Cara", "Dora", "élan"]),
        ("ownerid", "eq-userteams", None, (), []),
    ],
)
def test_conditions(
    queries: Client, attribute: str, operator: str, value: str | None, values: tuple[str, ...], expected: list[str]
) -> None:
    assert names(queries, condition(attribute, operator, value, *values)) == expected


@pytest.mark.parametrize(
    ("operator", "value", "values", "expected"),
    [
        ("today", None, (), []),
        ("olderthan-x-months", "1", (), ["Ann", "bob", "Cara"]),
        ("next-x-hours", "5", (), []),
        ("in-fiscal-year", "2023", (), ["Ann", "bob"]),
        ("in-fiscal-period-and-year", None, ("3", "2023"), ["bob"]),
        ("on-or-before", "2023-08-27", (), ["Ann", "bob"]),
        ("not-on", "2023-08-27", (), ["Ann", "Cara", "Dora", "élan"]),
    ],
)
def test_dates(queries: Client, operator: str, value: str | None, values: tuple[str, ...], expected: list[str]) -> None:
    assert names(queries, condition("new_since", operator, value, *values)) == expected


@pytest.mark.parametrize(
    ("operator", "row", "expected"),
    [
        ("under", TOP, ["Middle", "Bottom"]),
        ("eq-or-under", MIDDLE, ["Middle", "Bottom"]),
        ("not-under", TOP, ["Top", "Cara"]),
        ("above", BOTTOM, ["Top", "Middle"]),
        ("eq-or-above", MIDDLE, ["Top", "Middle"]),
        ("above", TOP, []),
    ],
)
def test_hierarchies(queries: Client, operator: str, row: str, expected: list[str]) -> None:
    assert names(queries, condition("accountid", operator, row), "account") == expected


def test_a_hierarchy_seen_from_a_lookup(queries: Client) -> None:
    assert names(queries, condition("parentaccountid", "eq-or-under", TOP), "account") == ["Middle", "Bottom"]
    assert names(queries, condition("parentcustomerid", "under", TOP)) == ["Cara"]
    xml = f'<fetch><entity name="contact">{condition("contactid", "under", ANN)}</entity></fetch>'
    assert error(queries.send("GET", f"contacts?fetchXml={quote(xml)}"))[0] == 400


def test_the_number_of_rows_below(queries: Client) -> None:
    xml = (
        '<fetch><entity name="account"><attribute name="name" />'
        '<attribute name="accountid" alias="below" rowaggregate="CountChildren" /></entity></fetch>'
    )
    rows = fetch(queries, xml, "accounts")["value"]
    assert {row["name"]: row["below"] for row in rows} == {"Top": 1, "Middle": 1, "Bottom": 0, "Cara": 0}


def test_columns_compared_with_columns(queries: Client) -> None:
    def compared(attribute: str, operator: str, other: str, more: str = "") -> list[str]:
        one = f'<condition attribute="{attribute}" operator="{operator}" valueof="{other}" />'
        return names(queries, f"<filter>{one}</filter>{more}")

    assert compared("fullname", "eq", "nickname") == ["Ann"]
    assert compared("new_hours", "lt", "new_least") == ["Ann"]
    assert compared("new_hours", "ge", "new_least") == ["bob"]
    account = '<link-entity name="account" from="primarycontactid" to="contactid" link-type="outer" alias="acct" />'
    assert compared("fullname", "eq", "acct.name", account) == []
    everyone = account.replace('from="primarycontactid" to="contactid"', 'from="name" to="fullname"')
    assert compared("fullname", "eq", "acct.name", everyone) == ["Cara"]


def test_columns_of_different_types_are_not_compared(queries: Client) -> None:
    one = '<condition attribute="fullname" operator="eq" valueof="new_hours" />'
    xml = f'<fetch><entity name="contact"><filter>{one}</filter></entity></fetch>'
    assert error(queries.send("GET", f"contacts?fetchXml={quote(xml)}"))[0] == 400


def account_link(kind: str, inner: str = "", more: str = "") -> str:
    return (
        f'<link-entity name="account" from="primarycontactid" to="contactid" link-type="{kind}" {more}>'
        f"{inner}</link-entity>"
    )


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("any", "Top", ["Ann"]),
        ("any", "Bottom", []),
        ("not all", "Top", ["Ann"]),
        ("not any", "Top", ["bob", "Cara", "Dora", "élan"]),
        ("not any", "Bottom", ["Ann", "bob", "Cara", "Dora", "élan"]),
        ("all", "Top", []),
        ("all", "Bottom", ["Ann"]),
        ("exists", "Top", ["Ann"]),
        ("in", "Bottom", []),
    ],
)
def test_links_that_ask(queries: Client, kind: str, name: str, expected: list[str]) -> None:
    link = account_link(kind, condition("name", "eq", name))
    assert names(queries, f"<filter>{link}</filter>") == expected
    assert names(queries, link) == expected


def test_a_link_is_one_condition_of_an_or(queries: Client) -> None:
    gold = '<condition attribute="new_rank" operator="eq" value="2" />'
    link = account_link("any", condition("name", "eq", "Top"))
    assert names(queries, f'<filter type="or">{gold}{link}</filter>') == ["Ann", "bob"]
    nested = account_link("any", account_link_below("Middle"))
    assert names(queries, f"<filter>{nested}</filter>") == ["Ann"]


def account_link_below(name: str) -> str:
    return (
        '<link-entity name="account" from="parentaccountid" to="accountid" link-type="inner">'
        f"{condition('name', 'eq', name)}</link-entity>"
    )


def test_the_first_of_several_rows(queries: Client) -> None:
    inner = '<attribute name="name" /><attribute name="accountid" /><order attribute="name" />'
    link = account_link("matchfirstrowusingcrossapply", inner)
    xml = f'<fetch><entity name="contact"><attribute name="fullname" />{link}</entity></fetch>'
    rows = fetch(queries, xml)["value"]
    assert [(row["fullname"], row["name"], row["accountid"]) for row in rows] == [("Ann", "Top", TOP)]
    several = fetch(queries, xml.replace("matchfirstrowusingcrossapply", "inner"))["value"]
    assert [row["account1.name"] for row in several] == ["Cara", "Top"]


def test_names_of_links(queries: Client) -> None:
    link = (
        '<link-entity name="account" from="accountid" to="parentcustomerid"{}>'
        '<attribute name="name" /><attribute name="ownerid" /><attribute name="revenue" alias="worth" /></link-entity>'
    )
    xml = '<fetch><entity name="contact"><attribute name="fullname" alias="who" />{}{}</entity></fetch>'
    only = condition("contactid", "eq", ANN)
    row = fetch(queries, xml.format(only, link.format("")), **ALL)["value"][0]
    assert (row["account1.name"], row["account1.name" + ATTRIBUTE]) == ("Top", "name")
    assert (float(row["worth"]), row["worth" + ATTRIBUTE], row["who" + ATTRIBUTE]) == (100.1, "revenue", "fullname")
    assert (row["account1.ownerid" + TARGET], row["account1.ownerid" + NAME]) == ("systemuser", "# confmig-emulator")
    assert "a.name" in fetch(queries, xml.format("", link.format(' alias="a"')))["value"][0]
    after = '<filter><condition entityname="account" attribute="name" operator="eq" value="Middle" /></filter>'
    assert [row["who"] for row in fetch(queries, xml.format(after, link.format("")))["value"]] == ["Cara"]


def test_conditions_within_a_join_and_after_it(queries: Client) -> None:
    within = condition("name", "eq", "Top")
    ends = 'from="accountid" to="parentcustomerid" link-type="outer" alias="a"'
    link = f'<link-entity name="account" {ends}>{{}}</link-entity>'
    assert len(names(queries, link.format(within))) == 5
    after = '<filter><condition entityname="a" attribute="name" operator="null" /></filter>'
    assert names(queries, link.format(within) + after) == ["Cara", "Dora", "élan"]
    assert names(queries, link.format("") + after) == ["Dora", "élan"]


def test_a_link_without_columns_follows_the_relationship(queries: Client) -> None:
    assert names(queries, '<link-entity name="account" to="parentcustomerid" />') == ["Ann", "bob", "Cara"]
    assert names(queries, '<link-entity name="account" from="primarycontactid" />') == ["Ann", "Ann"]
    xml = '<fetch><entity name="contact"><link-entity name="account" /></entity></fetch>'
    assert error(queries.send("GET", f"contacts?fetchXml={quote(xml)}"))[0] == 400


def test_the_business_unit_of_the_caller(queries: Client) -> None:
    xml = '<fetch><entity name="systemuser"><attribute name="fullname" />{}</entity></fetch>'
    own = fetch(queries, xml.format(condition("businessunitid", "eq-businessid")), "systemusers")["value"]
    assert [row["fullname"] for row in own] == ["# confmig-emulator"]
    assert not fetch(queries, xml.format(condition("businessunitid", "ne-businessid")), "systemusers")["value"]


def test_a_chain_through_an_intersect_table(queries: Client) -> None:
    chain = (
        '<link-entity name="new_contact_tag_link" from="contactid" to="contactid" intersect="true">'
        '<link-entity name="new_tag" from="new_tagid" to="new_tagid" alias="tag"><attribute name="new_name" />'
        '<order attribute="new_name" /></link-entity></link-entity>'
    )
    own = '<attribute name="fullname" /><order attribute="fullname" descending="1" />'
    xml = f'<fetch><entity name="contact">{own}{chain}</entity></fetch>'
    rows = fetch(queries, xml)["value"]
    assert [(row["fullname"], row["tag.new_name"]) for row in rows] == [("bob", "Red"), ("Ann", "Blue"), ("Ann", "Red")]


def test_distinct_leaves_out_the_id(queries: Client) -> None:
    link = '<link-entity name="new_contact_tag_link" from="contactid" to="contactid" />'
    assert names(queries, link) == ["Ann", "Ann", "bob"]
    xml = f'<fetch distinct="true"><entity name="contact"><attribute name="fullname" />{link}</entity></fetch>'
    assert fetch(queries, xml)["value"] == [{"fullname": "Ann"}, {"fullname": "bob"}]
    rows: list[dict[str, Any]] = fetch(queries, xml.replace("fullname", "contactid"))["value"]
    assert rows == [{"contactid": ANN}, {"contactid": BOB}]


def test_choices_and_lookups_are_ordered_by_their_names(queries: Client) -> None:
    by_rank = '<order attribute="new_rank" />' + condition("new_rank", "not-null")
    assert names(queries, by_rank) == ["bob", "Cara", "Ann", "Dora"]
    assert names(queries, by_rank, options='useraworderby="true"') == ["Ann", "Dora", "bob", "Cara"]
    by_parent = '<order attribute="parentcustomerid" descending="true" />'
    assert names(queries, by_parent) == ["Ann", "bob", "Cara", "Dora", "élan"]
    by_number = '<order attribute="new_rate" descending="true" />'
    assert names(queries, by_number)[:3] == ["Cara", "bob", "Ann"]


def test_what_may_stand_in_a_query_and_changes_nothing(queries: Client) -> None:
    options = (
        'no-lock="true" latematerialize="true" mapping="logical" version="1.0" output-format="xml-platform" '
        'options="Recompile" datasource="live"'
    )
    inner = '<filter type="and" hint="union" isquickfindfields="true">{}</filter>'.format(
        '<condition attribute="fullname" operator="eq" value="bob" uiname="x" uitype="contact" />'
    )
    assert names(queries, inner, options=options) == ["bob"]


def test_the_context_lists_the_columns(queries: Client) -> None:
    xml = '<fetch><entity name="contact"><attribute name="fullname" /><attribute name="ownerid" /></entity></fetch>'
    assert fetch(queries, xml)["@odata.context"].endswith("$metadata#contacts(fullname,_ownerid_value,contactid)")
    every = fetch(queries, '<fetch><entity name="contact" /></fetch>')
    assert every["@odata.context"].endswith("$metadata#contacts")
    assert every["value"][0]["contactid"] == ANN
    bare = fetch(queries, '<fetch><entity name="contact"><no-attrs /></entity></fetch>')["value"][0]
    assert set(bare) == {"@odata.etag", "contactid"}


@pytest.mark.parametrize(
    "inner",
    [
        '<filter><condition entityname="nobody" attribute="fullname" operator="null" /></filter>',
        '<link-entity name="account" from="name" to="new_likes" />',
        '<link-entity name="account" to="parentcustomerid" alias="a" />' * 2,
        '<link-entity name="account" link-type="sideways" />',
        '<link-entity name="new_tag" />',
        condition("fullname", "contain-values", None, "1"),
        condition("fullname", "between", None, "1"),
        condition("fullname", "under", TOP),
        condition("contactid", "eq", "not-an-id"),
        condition("new_hours", "eq", "many"),
        condition("new_ratio", "le", "NaN"),
        condition("new_rate", "between", None, "1", "Infinity"),
        condition("fullname", "eq"),
        condition("fullname", "today"),
        condition("new_since", "last-x-days", "few"),
        '<filter type="xor" />',
        '<attribute name="fullname" rowaggregate="CountChildren" />',
        '<order attribute="nothing" />',
    ],
)
def test_what_makes_no_sense_is_refused(queries: Client, inner: str) -> None:
    xml = f'<fetch><entity name="contact">{inner}</entity></fetch>'
    assert error(queries.send("GET", f"contacts?fetchXml={quote(xml)}"))[0] == 400
