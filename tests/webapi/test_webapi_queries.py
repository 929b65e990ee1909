"""Queries: filters of every form, paging cookies, and literals that survive the URL."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from confmig.errors import PackageError, ServiceError, UsageError
from confmig.model.values import Lookup, Value
from confmig.webapi.queries import (
    CONDITIONS_A_QUERY,
    IDS_A_QUERY,
    FetchQuery,
    next_cookie,
    read_headers,
    rows_by_id_path,
    rows_by_key_path,
    rows_path,
)

from .samples import CONTACT, EMAIL, column

ROOT = "https://contoso.crm4.dynamics.com/api/data/v9.2/"
ID = "c0000000-0000-4000-8000-000000000001"
CONDITION = '<filter><condition attribute="statecode" operator="eq" value="0"/></filter>'


def options(path: str) -> dict[str, str]:
    """The query options of a path after it went through requests, as the service decodes them."""
    url = requests.Request("GET", ROOT + path).prepare().url or ""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query, strict_parsing=True).items()}


def by_key(names: Sequence[str], *keys: Sequence[Value]) -> str:
    return options(rows_by_key_path(CONTACT, [column("fullname")], [column(name) for name in names], keys))["$filter"]


class TestRows:
    def test_are_asked_for_with_their_id_and_lookups_by_their_wire_name(self) -> None:
        path = rows_path(CONTACT, [column("fullname"), column("contactid"), column("parentcustomerid")])
        assert path.startswith("contacts?")
        assert options(path) == {"$select": "contactid,fullname,_parentcustomerid_value"}

    def test_with_a_file_are_asked_for_with_its_name(self) -> None:
        assert options(rows_path(CONTACT, [column("new_paper")]))["$select"] == "contactid,new_paper,new_paper_name"

    def test_of_activities_bring_their_parties_once(self) -> None:
        columns = EMAIL.info.columns
        found = options(rows_path(EMAIL, [columns["to"], columns["subject"], columns["from"]]))
        assert found == {"$select": "activityid,subject", "$expand": "email_activity_parties"}

    def test_by_id_are_asked_for_in_one_condition_within_the_urls_limit(self) -> None:
        ids = [f"{number:08x}-0000-4000-8000-000000000001" for number in range(IDS_A_QUERY)]
        path = rows_by_id_path(CONTACT, list(CONTACT.info.columns.values()), ids)
        listed = ",".join(f"'{one}'" for one in ids)
        expected = f"Microsoft.Dynamics.CRM.In(PropertyName='contactid',PropertyValues=[{listed}])"
        assert options(path)["$filter"] == expected
        assert len(requests.Request("GET", ROOT + path).prepare().url or "") < 32_000

    def test_are_never_taken_from_a_cache_and_tell_the_table_of_lookups(self) -> None:
        plain, named = read_headers(names=False), read_headers(names=True)
        assert plain["If-None-Match"] == "null"
        assert "odata.maxpagesize=5000" in plain["Prefer"]
        assert "Microsoft.Dynamics.CRM.lookuplogicalname" in plain["Prefer"]
        assert "FormattedValue" not in plain["Prefer"]
        assert "OData.Community.Display.V1.FormattedValue" in named["Prefer"]


class TestAKey:
    @pytest.mark.parametrize(
        ("value", "literal"),
        [
            ("O'Hara", "'O''Hara'"),
            ("Söhne & Töchter", "'Söhne & Töchter'"),
            ("100% Bob", "'100% Bob'"),
            ("100%25", "'100%25'"),
            ("a+b", "'a+b'"),
            ("a#b?c=d;e/f\\g", "'a#b?c=d;e/f\\g'"),
            ("大和", "'大和'"),
            ("😀", "'😀'"),
            (" blank ", "' blank '"),
            ("a) or (1 eq 1", "'a) or (1 eq 1'"),
            ("", "''"),
        ],
    )
    def test_of_text_survives_the_url(self, value: str, literal: str) -> None:
        assert by_key(["fullname"], [value]) == f"(fullname eq {literal})"

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
    @settings(deadline=None)
    def test_of_any_text_is_one_literal(self, text: str) -> None:
        found = by_key(["fullname"], [text]).removeprefix("(fullname eq '").removesuffix("')")
        assert found.replace("''", "'") == text
        assert "'" not in found.replace("''", "")

    @pytest.mark.parametrize(
        ("name", "value", "condition"),
        [
            ("new_code", ID, f"new_code eq {ID}"),
            ("parentcustomerid", Lookup("account", ID, "Contoso"), f"_parentcustomerid_value eq {ID}"),
            ("ownerid", Lookup("team", ID), f"_ownerid_value eq {ID}"),
            ("new_count", -5, "new_count eq -5"),
            ("gendercode", 2, "gendercode eq 2"),
            ("donotemail", True, "donotemail eq true"),
            ("donotemail", False, "donotemail eq false"),
            ("creditlimit", Decimal("922337203685477.5807"), "creditlimit eq 922337203685477.5807"),
            ("new_rate", Decimal("1E-10"), "new_rate eq 0.0000000001"),
            ("new_ratio", 0.5, "new_ratio eq 0.5"),
            ("lastonholdtime", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "lastonholdtime eq 2026-01-02T03:04:05Z"),
            ("new_local", datetime(2026, 1, 2, 3, 4, 5), "new_local eq 2026-01-02T03:04:05Z"),
            ("birthdate", datetime(1990, 2, 3), "birthdate eq 1990-02-03"),
            ("fullname", None, "fullname eq null"),
            ("new_count", None, "new_count eq null"),
        ],
    )
    def test_is_compared_by_the_columns_type(self, name: str, value: Value, condition: str) -> None:
        assert by_key([name], [value]) == f"({condition})"

    def test_of_several_columns_needs_all_of_them(self) -> None:
        found = by_key(["fullname", "new_count"], ["a", 1], ["b", 2])
        assert found == "(fullname eq 'a' and new_count eq 1) or (fullname eq 'b' and new_count eq 2)"

    def test_may_come_as_often_as_the_service_takes_conditions(self) -> None:
        assert CONDITIONS_A_QUERY <= 500


class TestAFilter:
    columns = (column("fullname"), column("parentcustomerid"), column("contactid"))

    def query(self, xml: str) -> FetchQuery:
        return FetchQuery(CONTACT, self.columns, xml)

    def fetch(self, xml: str, page: int = 1, cookie: str | None = None) -> etree._Element:
        path = self.query(xml).path(page, cookie)
        assert path.startswith("contacts?fetchXml=")
        return etree.fromstring(options(path)["fetchXml"])

    @pytest.mark.parametrize(
        "xml",
        [
            CONDITION,
            f'<entity name="contact">{CONDITION}</entity>',
            f'<fetch><entity name="contact">{CONDITION}</entity></fetch>',
            f'<fetch version="1.0"><entity name="contact"><attribute name="x"/>{CONDITION}</entity></fetch>',
            f'<fetch count="7" page="3"><entity name="contact"><all-attributes/>{CONDITION}</entity></fetch>',
            f'\n <fetch>\n  <entity name="contact">\n   <!-- why -->\n   {CONDITION}\n  </entity>\n </fetch>\n',
        ],
        ids=["filter", "entity", "fetch", "attributes", "all attributes", "blanks"],
    )
    def test_of_any_form_reads_the_schemas_columns(self, xml: str) -> None:
        root = self.fetch(xml)
        entity = root.find("entity")
        assert root.tag == "fetch"
        assert entity is not None
        assert entity.get("name") == "contact"
        names = [element.get("name") for element in entity.findall("attribute")]
        assert names == ["contactid", "fullname", "parentcustomerid"]
        assert entity.find("all-attributes") is None
        condition = entity.find("filter/condition")
        assert condition is not None
        assert condition.get("attribute") == "statecode"

    def test_is_read_page_by_page_in_a_fixed_order(self) -> None:
        root = self.fetch(CONDITION, 2, '<cookie page="1"><contactid last="{A&B}" first="{C}" /></cookie>')
        assert (root.get("page"), root.get("count")) == ("2", "5000")
        assert root.get("paging-cookie") == '<cookie page="1"><contactid last="{A&B}" first="{C}" /></cookie>'
        order = root.find("entity/order")
        assert order is not None
        assert order.get("attribute") == "contactid"

    def test_keeps_its_own_order(self) -> None:
        root = self.fetch('<fetch><entity name="contact"><order attribute="fullname"/></entity></fetch>')
        assert [order.get("attribute") for order in root.findall("entity/order")] == ["fullname"]

    def test_keeps_the_tables_that_it_links_to(self) -> None:
        link = '<link-entity name="account" from="accountid" to="parentcustomerid"><filter/></link-entity>'
        root = self.fetch(f'<fetch distinct="true"><entity name="contact">{link}</entity></fetch>')
        assert root.get("distinct") == "true"
        assert root.find("entity/link-entity/filter") is not None

    def test_with_top_is_one_page(self) -> None:
        xml = '<fetch top="5"><entity name="contact"/></fetch>'
        root = self.fetch(xml)
        assert self.query(xml).limited
        assert root.get("top") == "5"
        assert "page" not in root.attrib
        assert "count" not in root.attrib
        assert not self.query(CONDITION).limited

    @pytest.mark.parametrize(
        "xml",
        [
            '<fetch><entity name="account"/></fetch>',
            '<entity name="account"/>',
            "<entity/>",
            "<fetch/>",
            '<savedquery><fetch><entity name="contact"/></fetch></savedquery>',
            '<condition attribute="statecode" operator="eq" value="0"/>',
        ],
    )
    def test_that_is_no_fetchxml_about_the_table_is_a_fault_of_the_schema(self, xml: str) -> None:
        with pytest.raises(PackageError, match="contact"):
            self.query(xml)

    @pytest.mark.parametrize("xml", ["", "  ", "<fetch>", "statecode eq 0", "<fetch><entity name=contact/></fetch>"])
    def test_that_is_no_xml_is_a_fault_of_the_schema_that_names_the_table(self, xml: str) -> None:
        with pytest.raises(PackageError, match="contact") as caught:
            self.query(xml)
        assert caught.value.hint

    def test_does_not_bring_in_files_of_this_machine(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        secret = tmp_path_factory.mktemp("x") / "secret"
        secret.write_text("hidden")
        xml = f'<!DOCTYPE f [<!ENTITY e SYSTEM "{secret.as_uri()}">]><fetch><entity name="contact">&e;</entity></fetch>'
        try:
            path = self.query(xml).path(1, None)
        except UsageError:
            return
        assert "hidden" not in path

    def test_of_activities_leaves_parties_out_since_fetchxml_gives_none(self) -> None:
        columns = [EMAIL.info.columns[name] for name in ("subject", "to")]
        xml = options(FetchQuery(EMAIL, columns, "<filter/>").path(1, None))["fetchXml"]
        names = [element.get("name") for element in etree.fromstring(xml).findall("entity/attribute")]
        assert names == ["activityid", "subject"]


class TestAPagingCookie:
    # From "Page results using FetchXML".
    documented = (
        '<cookie pagenumber="2" pagingcookie="%253ccookie%2520page%253d%25221%2522%253e%253cfullname%2520last%253d'
        "%2522Susan%2520Burk%2520%2528sample%2529%2522%2520first%253d%2522Yvonne%2520McKay%2520%2528sample%2529%2522"
        "%2520%252f%253e%253ccontactid%2520last%253d%2522%257b70BF1C02-F446-EC11-8C62-00224804511A%257d%2522%2520first"
        '%253d%2522%257b49B0BE2E-D01C-ED11-B83E-000D3A572421%257d%2522%2520%252f%253e%253c%252fcookie%253e" '
        'istracking="False" />'
    )

    def test_is_decoded_twice(self) -> None:
        assert next_cookie(self.documented) == (
            '<cookie page="1"><fullname last="Susan Burk (sample)" first="Yvonne McKay (sample)" />'
            '<contactid last="{70BF1C02-F446-EC11-8C62-00224804511A}" first="{49B0BE2E-D01C-ED11-B83E-000D3A572421}" />'
            "</cookie>"
        )

    def test_goes_into_the_next_request_as_an_attribute(self) -> None:
        cookie = next_cookie(self.documented)
        path = FetchQuery(CONTACT, [], CONDITION).path(2, cookie)
        assert etree.fromstring(options(path)["fetchXml"]).get("paging-cookie") == cookie

    def test_may_hold_percent_signs_of_the_data(self) -> None:
        inner = '<cookie page="1"><fullname last="100%25 &amp;quot;x" /></cookie>'
        twice = "".join(f"%25{byte:02x}" for byte in inner.encode())
        assert next_cookie(f'<cookie pagenumber="2" pagingcookie="{twice}" />') == inner
        assert unquote(unquote(twice)) == inner

    def test_that_is_absent_is_none(self) -> None:
        assert next_cookie('<cookie pagenumber="2" istracking="False" />') is None

    def test_that_cannot_be_read_is_an_error_of_the_service(self) -> None:
        with pytest.raises(ServiceError):
            next_cookie('<cookie pagenumber="2"')
