"""GET of rows: what is selected, found, ordered, counted, and how it comes in pages."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import ALL, NAME, NAVIGATION, TARGET, Client, error
from .conftest import SHOP

ANA, EMILE, BOB = (f"c0000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
CONTOSO = "a0000000-0000-4000-8000-000000000001"


def names(client: Client, condition: str, **headers: str) -> set[str]:
    """The first words of the names of the contacts that a filter finds."""
    rows = client.rows(
        f"contacts?$select=fullname&$filter={condition.replace('%', '%25').replace('+', '%2B')}", **headers
    )
    return {row["fullname"].split()[0] for row in rows}


def test_a_row_has_its_etag_its_id_and_its_nulls(shop: Client) -> None:
    row = shop.get(f"contacts({BOB})?$select=fullname,birthdate,_parentcustomerid_value")
    assert row["@odata.context"].endswith("$metadata#contacts(fullname,birthdate,_parentcustomerid_value)/$entity")
    assert row["@odata.etag"].startswith('W/"')
    assert row["contactid"] == BOB
    assert row["birthdate"] is None
    assert row["_parentcustomerid_value"] is None


def test_values_come_with_the_types_of_the_wire(shop: Client) -> None:
    row = json.loads(shop.send("GET", f"accounts({CONTOSO})").content, parse_float=str)
    assert row["revenue"] == "20000.0000" or row["revenue"] == "20000.0"
    assert row["creditonhold"] is True
    assert (row["statecode"], row["statuscode"]) == (0, 1)
    assert isinstance(row["versionnumber"], int)
    assert row["createdon"].endswith("Z")
    assert "entityimage" not in row
    ana = shop.get(f"contacts({ANA})")
    assert (ana["birthdate"], ana["shop_last"], ana["shop_tastes"]) == ("1990-02-03", "2026-01-02T03:04:05Z", "1,3")


def test_annotations_are_given_as_asked(shop: Client) -> None:
    path = f"contacts({ANA})?$select=_parentcustomerid_value,shop_size,fullname"
    plain = shop.get(path)
    assert not [name for name in plain if "@OData" in name or "@Microsoft" in name]
    full = shop.get(path, **ALL)
    assert full["_parentcustomerid_value" + NAME] == "Contoso"
    assert full["_parentcustomerid_value" + TARGET] == "account"
    assert full["_parentcustomerid_value" + NAVIGATION] == "parentcustomerid_account"
    assert full["shop_size" + NAME] == "Large"
    some = shop.send("GET", path, Prefer='odata.include-annotations="Microsoft.Dynamics.CRM.lookuplogicalname"')
    assert some.headers["Preference-Applied"] == 'odata.include-annotations="Microsoft.Dynamics.CRM.lookuplogicalname"'
    assert [name for name in some.json() if "value@" in name] == ["_parentcustomerid_value" + TARGET]
    wild = shop.get(path, Prefer='odata.include-annotations="Microsoft.Dynamics.CRM.*"')
    assert [name for name in wild if "@" in name and not name.startswith("@")] == [
        "_parentcustomerid_value" + NAVIGATION,
        "_parentcustomerid_value" + TARGET,
    ]


def test_owners_and_other_targets_have_their_names(shop: Client) -> None:
    row = shop.get(f"accounts({CONTOSO})?$select=_ownerid_value,_createdby_value", **ALL)
    assert (row["_ownerid_value" + NAME], row["_ownerid_value" + TARGET]) == ("Sales", "team")
    assert row["_createdby_value" + NAME] == "# confmig-emulator"


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("fullname eq 'ana o''hara'", {"Ana"}),
        ("fullname eq 'émile zola'", {"Émile"}),
        ("fullname ne 'ana o''hara'", {"Émile", "100%"}),
        ("contains(fullname,'O''H')", {"Ana"}),
        ("startswith(fullname,'100%')", {"100%"}),
        ("endswith(fullname,'b_by')", {"100%"}),
        ("contains(fullname,'ÉMI')", {"Émile"}),
        ("not contains(fullname,'a')", {"100%"}),
        ("birthdate lt 1900-01-01", {"Émile"}),
        ("birthdate ge 1990-02-03", {"Ana"}),
        ("birthdate eq null", {"100%"}),
        ("shop_last gt 2026-01-02T03:04:04Z", {"Ana"}),
        ("shop_last eq 2026-01-02T04:04:05+01:00", {"Ana"}),
        ("shop_size eq 2", {"Ana"}),
        ("shop_rate gt 1.49999999999", {"Ana"}),
        ("shop_rate eq 1.50", {"Ana"}),
        (f"contactid eq {BOB}", {"100%"}),
        (f"contactid eq '{BOB}'", {"100%"}),
        (f"contactid gt {ANA}", {"Émile", "100%"}),
        (f"_parentcustomerid_value eq {CONTOSO}", {"Ana"}),
        ("_parentcustomerid_value ne null", {"Ana", "Émile"}),
        ("parentcustomerid_account/name eq 'Contoso'", {"Ana"}),
        (f"parentcustomerid_contact/contactid eq {ANA}", {"Émile"}),
        ("(shop_size eq 2 or birthdate lt 1900-01-01) and fullname ne null", {"Ana", "Émile"}),
        (f"Microsoft.Dynamics.CRM.In(PropertyName='contactid',PropertyValues=['{ANA}','{BOB}'])", {"Ana", "100%"}),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='fullname',PropertyValues=['ANA O''HARA','Émile Zola'])",
            {"Ana", "Émile"},
        ),
        (f"Microsoft.Dynamics.CRM.NotIn(PropertyName='contactid',PropertyValues=['{ANA}'])", {"Émile", "100%"}),
        ("Microsoft.Dynamics.CRM.ContainValues(PropertyName='shop_tastes',PropertyValues=['3','2'])", {"Ana"}),
        ("shop_size in (1,2)", {"Ana"}),
        ("shop_tags/any(t:t/shop_name eq 'red')", {"Ana"}),
        ("shop_tags/any()", {"Ana"}),
    ],
)
def test_filters(shop: Client, condition: str, found: set[str]) -> None:
    assert names(shop, condition) == found


def test_a_filter_with_an_alias(shop: Client) -> None:
    rows = shop.rows("contacts?$select=fullname&$filter=fullname eq @n&@n='ana o''hara'")
    assert [row["contactid"] for row in rows] == [ANA]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("contacts?$filter=FullName eq 'x'", 400),
        ("contacts?$filter=fullname eq 5", 400),
        ("contacts?$filter=shop_size eq 'x'", 400),
        ("contacts?$filter=fullname", 400),
        ("contacts?$filter=fullname eq 'x' and", 400),
        ("contacts?$filter=fullname gt null", 400),
        ("contacts?$select=FullName", 400),
        ("contacts?$select=parentcustomerid", 400),
        ("contacts?$orderby=nothing", 400),
        ("contacts?$expand=nothing", 400),
        ("contacts?$skip=5", 400),
        ("contacts?$skiptoken=nonsense", 400),
        ("contacts?$top=x", 400),
        ("Contacts", 404),
        ("contacts(00000000-0000-0000-0000-00000000000f)", 404),
        ("contacts(fullname='x')", 400),
    ],
)
def test_what_cannot_be_understood_is_refused(shop: Client, path: str, status: int) -> None:
    assert error(shop.send("GET", path))[0] == status


def test_the_documented_texts_of_errors(shop: Client) -> None:
    reply = shop.send("GET", "contacts?$select=Nope")
    assert reply.json()["error"]["message"] == (
        "Could not find a property named 'Nope' on type 'Microsoft.Dynamics.CRM.contact'."
    )
    reply = shop.send("GET", "Contact")
    assert reply.json()["error"]["message"] == "Resource not found for the segment 'Contact'."
    reply = shop.send("GET", f"contacts({CONTOSO})")
    assert error(reply) == (404, "0x80040217")
    assert reply.json()["error"]["message"] == f"Entity 'contact' With Id = {CONTOSO} Does Not Exist"


def test_more_than_500_conditions_are_refused(shop: Client) -> None:
    few = " or ".join(f"shop_size eq {number}" for number in range(500))
    assert shop.send("GET", f"contacts?$filter={few}").status_code == 200
    assert error(shop.send("GET", f"contacts?$filter={few} or shop_size eq 501")) == (400, "0x8004430C")


def test_order_top_and_count(shop: Client) -> None:
    ordered = shop.get("contacts?$select=fullname&$orderby=fullname desc&$top=2")
    assert [row["fullname"].split()[0] for row in ordered["value"]] == ["Émile", "Ana"]
    assert "@odata.nextLink" not in ordered
    assert shop.get("contacts?$top=1&$count=true")["@odata.count"] == 3
    assert shop.send("GET", "contacts/$count").content.decode("utf-8-sig") == "3"
    assert shop.send("GET", "contacts/$count?$filter=shop_size eq 2").content.decode("utf-8-sig") == "1"
    total = shop.get('RetrieveTotalRecordCount(EntityNames=@p1)?@p1=["contact","shop_tag"]')
    assert total["EntityRecordCountCollection"] == {
        "Count": 2,
        "IsReadOnly": False,
        "Keys": ["contact", "shop_tag"],
        "Values": [3, 2],
    }


def test_counts_by_apply(shop: Client) -> None:
    assert shop.get("contacts?$apply=aggregate($count as n)")["value"] == [{"n": 3}]
    grouped = shop.get("contacts?$apply=groupby((shop_size),aggregate($count as n))&$filter=fullname ne null")["value"]
    assert grouped == [{"n": 2}, {"shop_size": 2, "n": 1}]
    assert error(shop.send("GET", "contacts?$apply=topcount(1,x)"))[0] == 400


def test_expanded_rows(shop: Client) -> None:
    ana, emile, _ = shop.get("contacts?$select=fullname&$expand=parentcustomerid_account($select=name)")["value"]
    assert ana["parentcustomerid_account"] == {"name": "Contoso", "accountid": CONTOSO}
    assert emile["parentcustomerid_account"] is None
    ana, emile, _ = shop.get("contacts?$select=fullname&$expand=shop_tags($select=shop_name)")["value"]
    assert [tag["shop_name"] for tag in ana["shop_tags"]] == ["Red"]
    assert ana["shop_tags@odata.nextLink"] == f"{shop.root}contacts({ANA})/shop_tags?$select=shop_name"
    assert shop.get(ana["shop_tags@odata.nextLink"])["value"][0]["shop_name"] == "Red"
    assert emile["shop_tags"] == []


def test_expanded_rows_carry_annotations(shop: Client) -> None:
    row = shop.get(f"contacts({ANA})?$select=fullname&$expand=parentcustomerid_account($select=_ownerid_value)", **ALL)
    assert row["parentcustomerid_account"]["_ownerid_value" + NAME] == "Sales"
    assert "@odata.etag" not in row["parentcustomerid_account"]


def test_amounts_bring_their_currency_along(shop: Client) -> None:
    row = shop.get(f"accounts({CONTOSO})?$select=revenue")
    assert set(row) == {"@odata.context", "@odata.etag", "accountid", "revenue", "_transactioncurrencyid_value"}


def test_navigation_to_other_rows(shop: Client) -> None:
    assert shop.get(f"contacts({ANA})/parentcustomerid_account?$select=name")["name"] == "Contoso"
    assert shop.send("GET", f"contacts({BOB})/parentcustomerid_account").status_code == 204
    children = shop.get(f"accounts({CONTOSO})/account_contact_parentcustomerid?$select=fullname")["value"]
    assert [row["contactid"] for row in children] == [ANA]
    assert shop.send("GET", f"contacts({ANA})/shop_tags/$count").content.decode("utf-8-sig") == "1"
    assert shop.get(f"contacts({ANA})/parentcustomerid_account/$ref")["@odata.id"] == f"{shop.root}accounts({CONTOSO})"
    assert shop.get(f"contacts({ANA})/fullname")["value"] == "Ana O'Hara"
    assert shop.send("GET", f"contacts({ANA})/fullname/$value").text == "Ana O'Hara"


def sql_server_order(text: str) -> bytes:
    """The bytes of a guid in the order in which SQL Server compares them."""
    raw = uuid.UUID(text).bytes_le
    return bytes(raw[position] for position in (10, 11, 12, 13, 14, 15, 8, 9, 6, 7, 4, 5, 0, 1, 2, 3))


@pytest.fixture(scope="module")
def many() -> Iterator[Client]:
    """An environment with 250 more contacts."""
    with Emulator(EmulatorOptions(environment=str(SHOP))) as emulator:
        client = Client(emulator.url)
        targets = [
            {"@odata.type": "Microsoft.Dynamics.CRM.contact", "fullname": f"Number {number % 7}", "shop_count": number}
            for number in range(250)
        ]
        reply = client.send("POST", "contacts/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": targets})
        assert reply.status_code == 200
        yield client
        client.close()


def test_rows_come_in_the_order_of_sql_server(many: Client) -> None:
    ids = [row["contactid"] for row in many.rows("contacts?$select=contactid")]
    assert len(ids) == 253
    assert ids == sorted(ids, key=sql_server_order)


@pytest.mark.parametrize("order", ["", "&$orderby=fullname", "&$orderby=shop_count desc"])
def test_pages_give_every_row_once(many: Client, order: str) -> None:
    link: str | None = f"contacts?$select=shop_count{order}"
    pages: list[list[dict[str, Any]]] = []
    while link:
        page = many.get(link, Prefer="odata.maxpagesize=100")
        pages.append(page["value"])
        link = page.get("@odata.nextLink")
        assert link is None or link.startswith(many.root + "contacts?")
    assert [len(page) for page in pages] == [100, 100, 53]
    assert len({row["contactid"] for page in pages for row in page}) == 253


def test_rows_written_between_pages_do_not_move_the_others(many: Client) -> None:
    first = many.get("contacts?$select=contactid", Prefer="odata.maxpagesize=100")
    made = many.create("contacts", {"contactid": "00000001-0000-4000-8000-000000000000", "fullname": "Early"})
    rest = many.rows(first["@odata.nextLink"], Prefer="odata.maxpagesize=100")
    assert len({row["contactid"] for row in [*first["value"], *rest]} - {made}) == 253
    many.send("DELETE", f"contacts({made})")


def test_top_is_ignored_with_a_page_size_and_a_page_has_at_most_5000(many: Client) -> None:
    assert len(many.get("contacts?$top=5", Prefer="odata.maxpagesize=10")["value"]) == 10
    assert len(many.get("contacts?$select=contactid", Prefer="odata.maxpagesize=9999")["value"]) == 253


def test_an_unknown_part_of_an_address_is_not_found(shop: Client) -> None:
    for nope in ("nope", "nope/$ref", "nope/$count", "Microsoft.Dynamics.CRM.Nope()"):
        reply = shop.send("GET", f"contacts({BOB})/{nope}")
        assert error(reply) == (404, "0x80060888")
        name = nope.partition("/")[0].removesuffix("()")
        assert reply.json()["error"]["message"] == f"Resource not found for the segment '{name}'."


def test_a_property_of_its_own_keeps_the_digits_of_its_scale(reading: Client) -> None:
    path = f"accounts({CONTOSO})/revenue"
    assert (
        reading.get(path)["value"] == reading.get(f"accounts({CONTOSO})?$select=revenue")["revenue"] == "1234567.5000"
    )
    assert reading.send("GET", f"{path}/$value").text == "1234567.5000"
    assert reading.send("GET", f"accounts({CONTOSO})/name/$value").text == "Contoso"
