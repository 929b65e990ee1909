"""The environment over real HTTP: the emulator, and a wire that counts requests and loses answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions
from confmig.errors import AccessError, PackageError, ServiceError
from confmig.model.records import Record
from confmig.model.values import Choices, FileRef, Lookup, Parties, Party, Value, same_value
from confmig.webapi.auth import AuthMode
from confmig.webapi.batching import Part
from confmig.webapi.environment import Environment, RowWrite, connect
from confmig.webapi.sender import Request, Response
from confmig.webapi.writes import Writer, WriteResult, WriteStatus

from .conftest import Certificates
from .serving import Answer, Directory, Replies, Server, response
from .wire import LOST, Instead, Passed, Wire, refusal

MARKET = Path(__file__).with_name("market.yml")
ORGANIZATION = "5a3c8f0e-2222-4c2b-8a8e-000000000001"
CONTOSO = "a0000000-0000-4000-8000-000000000001"
ANA, SONS, BOB, YAMATO, EMILE = (f"c0000000-0000-4000-8000-00000000000{number}" for number in range(1, 6))
RED, BLUE = (f"90000000-0000-4000-8000-00000000000{number}" for number in (1, 2))
SALES = Lookup("team", "70000000-0000-4000-8000-000000000001")
BOWMAN = Lookup("systemuser", "80000000-0000-4000-8000-000000000001")


def new_id(number: int, first: str = "d") -> str:
    return f"{first}{number:07x}-0000-4000-8000-000000000001"


def write(row_id: str, before: Mapping[str, Value] | None = None, **values: Value) -> RowWrite:
    return RowWrite(row_id, values, before or {})


def statuses(results: Sequence[WriteResult]) -> list[WriteStatus]:
    return [result.status for result in results]


def done(results: Sequence[WriteResult]) -> bool:
    return all(result.status is WriteStatus.DONE for result in results)


@dataclass
class Place:
    """An emulator of one's own, the wire to it and a connected environment."""

    url: str
    wire: Wire
    environment: Environment

    def one(self, table: str, row_id: str, *columns: str) -> Mapping[str, Value]:
        (record,) = self.environment.read_rows_by_id(table, columns, [row_id])
        return record.values

    def ids(self, table: str, wanted: Sequence[str]) -> set[str | None]:
        return {record.id for record in self.environment.read_rows_by_id(table, [], wanted)}


@pytest.fixture
def place() -> Iterator[Place]:
    """The small environment for one test alone; what ``connect`` asked is forgotten."""
    wire = Wire()
    with Emulator(EmulatorOptions(environment=str(MARKET)), wrap=wire) as emulator:
        environment = connect(emulator.url, AuthMode.NONE, "target")
        wire.clear()
        yield Place(emulator.url, wire, environment)


class TestConnecting:
    def test_tells_which_environment_it_is(self, place: Place) -> None:
        identity = place.environment.identity
        assert identity.url == place.url
        assert identity.organization_id == ORGANIZATION
        assert identity.version == "9.2.1.2"
        assert len(identity.user_id) == 36

    def test_takes_the_servers_hint_of_how_many_requests_at_once(self, place: Place) -> None:
        hint = requests.get(f"{place.url}/api/data/v9.2/WhoAmI", timeout=10).headers["x-ms-dop-hint"]
        assert place.environment.parallel == int(hint)

    def test_with_a_token_from_the_directory_is_let_in(
        self, trusted: Certificates, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        options = EmulatorOptions(environment=str(MARKET), token="first")
        with Directory(trusted.server) as directory, Emulator(options) as emulator:
            self.sign_in(directory, monkeypatch)
            assert connect(emulator.url, AuthMode.SECRET, "source").identity.organization_id == ORGANIZATION
            assert directory.forms[0]["scope"] == f"{emulator.url}/.default"

    def test_with_a_token_that_the_environment_rejects_is_an_access_error(
        self, trusted: Certificates, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        options = EmulatorOptions(environment=str(MARKET), token="another")
        with Directory(trusted.server) as directory, Emulator(options) as emulator:
            self.sign_in(directory, monkeypatch)
            with pytest.raises(AccessError, match="401") as caught:
                connect(emulator.url, AuthMode.SECRET, "source")
            assert len(directory.forms) == 2
        assert emulator.url in caught.value.message
        assert "first" not in caught.value.message
        assert "second" not in caught.value.message

    def test_without_a_token_where_one_is_needed_is_an_access_error(self) -> None:
        options = EmulatorOptions(environment=str(MARKET), token="first")
        with Emulator(options) as emulator, pytest.raises(AccessError, match="401"):
            connect(emulator.url, AuthMode.NONE, "target")

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}),
            Answer(200, b"{}"),
            Answer(302, b"", {"Location": "https://login.microsoftonline.com/"}),
            Answer(404, b"<html>Not found</html>"),
            Answer(500, b""),
        ],
        ids=["page", "other JSON", "redirect", "not found", "server error"],
    )
    def test_to_something_else_is_a_service_error(self, answer: Answer) -> None:
        with Server(lambda _: answer) as server, pytest.raises(ServiceError) as caught:
            connect(server.url, AuthMode.NONE, "target")
        assert server.url in caught.value.message

    @staticmethod
    def sign_in(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AZURE_TENANT_ID", directory.tenant)
        monkeypatch.setenv("AZURE_CLIENT_ID", "client")
        monkeypatch.setenv("AZURE_CLIENT_SECRET", "secret")
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", directory.url)


class TestDescribing:
    names = ("account", "contact", "market_tag", "email", "market_contact_tag_link", "team", "nothing")

    def test_many_tables_takes_one_request(self, place: Place) -> None:
        found = place.environment.describe(self.names)
        assert set(found) == set(self.names) - {"nothing"}
        assert len(place.wire.passed) == 1

    def test_is_remembered_and_so_is_that_a_table_is_missing(self, place: Place) -> None:
        place.environment.describe(self.names)
        again = place.environment.describe(reversed(self.names))
        assert set(again) == set(self.names) - {"nothing"}
        assert len(place.wire.passed) == 1

    def test_no_tables_takes_no_request(self, place: Place) -> None:
        assert place.environment.describe([]) == {}
        assert place.wire.passed == []

    def test_gives_the_tables_as_they_are(self, place: Place) -> None:
        found = place.environment.describe(["account", "contact", "email"])
        assert found["account"].primary_name == "name"
        assert found["account"].status_states == {1: 0, 3: 0, 2: 1}
        assert found["contact"].columns["parentcustomerid"].targets == ("account", "contact")
        assert found["contact"].columns["birthdate"].date_only
        assert set(found["contact"].relationships) == {"market_contact_tag_link", "market_related"}

    def test_a_missing_table_that_is_read_is_an_error_that_names_it(self, place: Place) -> None:
        with pytest.raises(ServiceError, match="nothing"):
            list(place.environment.read_rows("nothing", []))


EVERYTHING = (
    "fullname", "parentcustomerid", "birthdate", "market_seen", "market_last", "market_tastes", "market_size",
    "market_count", "market_limit", "market_rate", "market_ratio", "market_well", "market_note", "market_code",
    "market_paper", "ownerid",
)  # fmt: skip


class TestReading:
    def test_gives_all_rows_with_the_names_of_looked_up_rows(self, place: Place) -> None:
        rows = {row.id: row.values for row in place.environment.read_rows("contact", ("fullname", "parentcustomerid"))}
        assert set(rows) == {ANA, SONS, BOB, YAMATO, EMILE}
        assert rows[ANA]["parentcustomerid"] == Lookup("account", CONTOSO, "Contoso")
        assert rows[SONS]["parentcustomerid"] == Lookup("contact", ANA, "Ana O'Hara")
        assert rows[BOB] == {"fullname": "100% Bob_by", "parentcustomerid": None}
        assert rows[YAMATO]["fullname"] == "大和 😀"

    def test_follows_the_links_to_further_pages(self, place: Place) -> None:
        place.wire.page = 2
        rows = [row.id for row in place.environment.read_rows("contact", ["fullname"])]
        assert sorted(filter(None, rows)) == [ANA, SONS, BOB, YAMATO, EMILE]
        assert len(place.wire.targets("contacts?")) == 3

    def test_follows_the_links_when_the_url_is_written_in_capitals(self, place: Place) -> None:
        place.wire.page = 2
        environment = connect(place.url.replace("127.0.0.1", "LOCALHOST"), AuthMode.NONE, "target")
        assert len(list(environment.read_rows("contact", ["fullname"]))) == 5

    def test_by_id_gives_the_rows_that_exist(self, place: Place) -> None:
        rows = place.environment.read_rows_by_id("contact", ["fullname"], [BOB, new_id(1), ANA])
        assert {row.id: row.values["fullname"] for row in rows} == {BOB: "100% Bob_by", ANA: "Ana O'Hara"}

    def test_by_many_ids_takes_several_queries(self, place: Place) -> None:
        ids = [*(new_id(number) for number in range(700)), EMILE]
        rows = list(place.environment.read_rows_by_id("contact", ["fullname"], iter(ids)))
        assert [row.id for row in rows] == [EMILE]
        assert len(place.wire.targets("contacts?")) == 3

    def test_by_no_ids_takes_no_query(self, place: Place) -> None:
        assert list(place.environment.read_rows_by_id("contact", ["fullname"], [])) == []
        assert place.wire.targets("contacts?") == []

    @pytest.mark.parametrize(
        ("name", "row_id"),
        [
            ("Ana O'Hara", ANA),
            ("ANA o'hara", ANA),
            ("Söhne & Töchter +1 #2", SONS),
            ("100% Bob_by", BOB),
            ("大和 😀", YAMATO),
            ("émile zola", EMILE),
            ("100%", None),
            ("x' or fullname ne 'y", None),
        ],
    )
    def test_by_key_finds_texts_with_any_character_and_in_any_case(
        self, place: Place, name: str, row_id: str | None
    ) -> None:
        rows = place.environment.read_rows_by_key("contact", ["fullname"], ["fullname"], [(name,)])
        assert [row.id for row in rows] == ([row_id] if row_id else [])

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            (("parentcustomerid",), (Lookup("account", CONTOSO),)),
            (("birthdate",), (datetime(1990, 2, 3),)),
            (("market_last",), (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),)),
            (("market_size",), (2,)),
            (("market_rate",), (Decimal("1.5000000000"),)),
            (("contactid",), (ANA,)),
            (("market_size", "fullname"), (2, "Ana O'Hara")),
        ],
    )
    def test_by_key_finds_rows_by_any_type(self, place: Place, key: Sequence[str], value: Sequence[Value]) -> None:
        rows = list(place.environment.read_rows_by_key("contact", key, key, [value]))
        assert [row.id for row in rows] == [ANA]
        assert all(same_value(rows[0].values[name], one) for name, one in zip(key, value, strict=True))

    def test_by_many_keys_finds_them_all(self, place: Place) -> None:
        keys = [*((f"nobody {number}",) for number in range(250)), ("100% Bob_by",), ("Émile Zola",)]
        rows = place.environment.read_rows_by_key("contact", ["fullname"], ["fullname"], keys)
        assert {row.id for row in rows} == {BOB, EMILE}

    def test_by_long_keys_finds_them_all_though_no_url_could_hold_them(self, place: Place) -> None:
        names = [f"{number} {'大' * 290}" for number in range(120)]
        rows = [write(new_id(number), name=name) for number, name in enumerate(names)]
        assert done(place.environment.create_rows("account", rows))
        found = place.environment.read_rows_by_key("account", ["name"], ["name"], [(name,) for name in names])
        assert {row.id for row in found} == {row.id for row in rows}

    def test_a_page_that_lies_elsewhere_is_an_error(self) -> None:
        evil = {"value": [], "@odata.nextLink": "https://evil.example/api/data/v9.2/accounts?x"}
        with pytest.raises(ServiceError, match=r"evil\.example"):
            list(scripted({"accounts?": response(200, evil)}).read_rows("account", ["name"]))

    def test_of_solutions_the_next_page_lies_nowhere_else_either(self) -> None:
        evil = {"value": [], "@odata.nextLink": "http://127.0.0.1:9/api/data/v9.2/solutions?x"}
        with pytest.raises(ServiceError, match="lie elsewhere"):
            scripted({"solutions": response(200, evil)}).solutions()

    @pytest.mark.parametrize("link", [7, ["x"], {"a": 1}, True])
    def test_a_link_that_is_none_is_an_error(self, link: object) -> None:
        with pytest.raises(ServiceError, match="lie elsewhere"):
            scripted({"solutions": response(200, {"value": [], "@odata.nextLink": link})}).solutions()

    @pytest.mark.parametrize("what", ["solutions", "accounts"])
    def test_a_page_that_comes_again_and_again_is_an_error(self, what: str) -> None:
        link = f"https://contoso.crm4.dynamics.com/api/data/v9.2/{what}?x"
        place = scripted({f"{what}?": response(200, {"value": [], "@odata.nextLink": link})})
        with pytest.raises(ServiceError, match="same page"):
            place.solutions() if what == "solutions" else list(place.read_rows("account", ["name"]))

    def test_a_filters_page_that_comes_again_and_again_is_an_error(self) -> None:
        cookie = '<cookie pagenumber="2" pagingcookie="%253ccookie%2520page%253d%25221%2522%253e" istracking="False" />'
        page = {
            "value": [],
            "@Microsoft.Dynamics.CRM.morerecords": True,
            "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie": cookie,
        }
        xml = '<fetch><entity name="account" /></fetch>'
        with pytest.raises(ServiceError, match="same page"):
            list(scripted({"accounts?": response(200, page)}).read_rows("account", ["name"], xml))

    @pytest.mark.parametrize("row", [{}, {"uniquename": None}, "x"])
    def test_a_solution_without_a_name_is_an_error(self, row: object) -> None:
        with pytest.raises(ServiceError):
            scripted({"solutions": response(200, {"value": [row]})}).solutions()

    @pytest.mark.parametrize("value", [{}, {"value": None}, {"value": {}}])
    def test_a_page_without_rows_is_an_error_and_not_an_empty_page(self, value: object) -> None:
        with pytest.raises(ServiceError):
            list(scripted({"accounts?": response(200, value)}).read_rows("account", ["name"]))

    def test_a_refused_page_is_an_error_that_names_table_and_reason(self) -> None:
        refused = response(400, {"error": {"code": "0x80048544", "message": "Data Engine Query Throttling"}})
        with pytest.raises(ServiceError, match=r"account.*Throttling"):
            list(scripted({"accounts?": refused}).read_rows("account", ["name"]))


ACCOUNT = {
    "LogicalName": "account",
    "EntitySetName": "accounts",
    "PrimaryIdAttribute": "accountid",
    "PrimaryNameAttribute": "name",
    "Attributes": [{"LogicalName": "name", "AttributeTypeName": {"Value": "StringType"}, "IsValidForCreate": True}],
}


def scripted(answers: Mapping[str, Response]) -> Environment:
    """An environment that knows the table account and answers as told, by the start of the path."""
    root = "https://contoso.crm4.dynamics.com"
    known = {
        "WhoAmI": response(200, {"OrganizationId": ORGANIZATION, "UserId": BOWMAN.id}),
        "RetrieveVersion": response(200, {"Version": "9.2.0.0"}),
        "RetrieveMetadataChanges": response(200, {"EntityMetadata": [ACCOUNT]}),
        "sdkmessagefilters": response(
            200, {"value": [{"primaryobjecttypecode": "account", "sdkmessageid": {"name": "CreateMultiple"}}]}
        ),
        **answers,
    }

    def answer(request: Request) -> Response:
        path = request.url.removeprefix(f"{root}/api/data/v9.2/")
        return next(reply for start, reply in known.items() if path.startswith(start))

    return Environment(root, "target", Replies(by=answer))


class TestAFilter:
    @pytest.mark.parametrize(
        "xml",
        [
            '<filter><condition attribute="market_size" operator="eq" value="1"/></filter>',
            '<fetch><entity name="contact"><filter><condition attribute="market_size" operator="eq" value="1"/>'
            "</filter></entity></fetch>",
        ],
    )
    def test_lets_its_rows_through(self, place: Place, xml: str) -> None:
        rows = list(place.environment.read_rows("contact", ["fullname"], xml))
        assert {row.id for row in rows} == {YAMATO, EMILE}
        assert all(set(row.values) == {"fullname"} for row in rows)

    def test_is_read_page_by_page(self, place: Place) -> None:
        place.wire.page = 2
        rows = [row.id for row in place.environment.read_rows("contact", ["fullname"], "<filter/>")]
        assert sorted(filter(None, rows)) == [ANA, SONS, BOB, YAMATO, EMILE]
        assert len(place.wire.targets("fetchXml=")) == 3

    def test_is_read_page_by_page_in_an_order_of_its_own(self, place: Place) -> None:
        place.wire.page = 2
        xml = '<fetch><entity name="contact"><order attribute="fullname" descending="true"/></entity></fetch>'
        rows = [row.id for row in place.environment.read_rows("contact", ["fullname"], xml)]
        assert sorted(filter(None, rows)) == [ANA, SONS, BOB, YAMATO, EMILE]

    def test_that_links_to_several_rows_gives_each_row_once(self, place: Place) -> None:
        children = [write(row_id, parentcustomerid=Lookup("account", CONTOSO)) for row_id in (ANA, SONS, BOB)]
        assert done(place.environment.update_rows("contact", children))
        link = '<link-entity name="contact" from="parentcustomerid" to="accountid"/>'
        xml = f'<fetch><entity name="account">{link}</entity></fetch>'
        assert [row.id for row in place.environment.read_rows("account", ["name"], xml)] == [CONTOSO]

    def test_with_top_gives_that_many_rows(self, place: Place) -> None:
        xml = '<fetch top="2"><entity name="contact"><order attribute="fullname"/></entity></fetch>'
        rows = list(place.environment.read_rows("contact", ["fullname"], xml))
        assert [row.id for row in rows] == [BOB, ANA]
        assert len(place.wire.targets("fetchXml=")) == 1

    def test_gives_the_same_rows_and_values_as_no_filter(self, place: Place) -> None:
        paper = f"{place.url}/api/data/v9.2/contacts({BOB})/market_paper"
        headers = {"Content-Type": "application/octet-stream", "x-ms-file-name": "letter.txt"}
        assert requests.patch(paper, data=b"Dear", headers=headers, timeout=10).status_code == 204
        plain = {row.id: row.values for row in place.environment.read_rows("contact", EVERYTHING)}
        filtered = {row.id: row.values for row in place.environment.read_rows("contact", EVERYTHING, "<filter/>")}
        assert filtered == plain
        assert isinstance(found := plain[BOB]["market_paper"], FileRef)
        assert found.name == "letter.txt"

    def test_that_is_too_long_for_a_url_is_sent_in_a_batch(self, place: Place) -> None:
        values = "".join(f"<value>{new_id(number)}</value>" for number in range(499))
        xml = (
            f'<filter><condition attribute="contactid" operator="in">{values}<value>{BOB}</value></condition></filter>'
        )
        assert [row.id for row in place.environment.read_rows("contact", ["fullname"], xml)] == [BOB]
        assert place.wire.targets("contacts") == []
        assert len(place.wire.targets("$batch")) == 1

    @pytest.mark.parametrize("xml", ['<fetch><entity name="account"/></fetch>', "<fetch", ""])
    def test_that_is_wrong_is_a_fault_of_the_schema_and_nothing_is_read(self, place: Place, xml: str) -> None:
        with pytest.raises(PackageError, match="contact"):
            list(place.environment.read_rows("contact", ["fullname"], xml))
        assert place.wire.targets("contacts") == []

    def test_that_the_service_refuses_is_an_error_in_its_words(self, place: Place) -> None:
        xml = '<filter><condition attribute="nothing" operator="eq" value="1"/></filter>'
        with pytest.raises(ServiceError, match=r"contact.*nothing.*0x80041103"):
            list(place.environment.read_rows("contact", ["fullname"], xml))


class TestCreating:
    values: Mapping[str, Value] = {
        "fullname": 'Zoë "Z" O\'Hara & <b>\n大',
        "parentcustomerid": Lookup("contact", ANA),
        "market_AccountId": Lookup("account", CONTOSO),
        "birthdate": datetime(1753, 1, 1),
        "market_seen": datetime(2026, 3, 1, 12, 30),
        "market_last": datetime(2026, 3, 1, 12, 30, 59, tzinfo=UTC),
        "market_tastes": Choices((3, 2)),
        "market_size": 1,
        "market_count": -2147483648,
        "market_limit": Decimal("922337203685477.5807"),
        "market_rate": Decimal("99999999999.0123456789"),
        "market_ratio": 0.12345,
        "market_well": False,
        "market_note": "line 1\r\nline 2\ttab",
        "market_code": new_id(77),
        "ownerid": SALES,
    }

    def test_stores_every_type_as_it_was_given(self, place: Place) -> None:
        assert done(place.environment.create_rows("contact", [RowWrite(new_id(1), self.values, {})]))
        found = place.one("contact", new_id(1), *self.values)
        assert {
            name: (value, found[name]) for name, value in self.values.items() if not same_value(value, found[name])
        } == {}
        assert str(found["market_limit"]) == "922337203685477.5807"
        assert str(found["market_rate"]) == "99999999999.0123456789"

    def test_many_rows_takes_one_bulk_request(self, place: Place) -> None:
        rows = [write(new_id(number), name=f"row {number}") for number in range(500)]
        assert statuses(place.environment.create_rows("account", rows)) == [WriteStatus.DONE] * 500
        assert len(place.wire.targets("CRM.CreateMultiple")) == 1
        assert place.ids("account", [row.id for row in rows]) == {row.id for row in rows}

    def test_asks_once_which_tables_know_bulk_messages(self, place: Place) -> None:
        for number in range(3):
            place.environment.create_rows("account", [write(new_id(number), name="a")])
        assert len(place.wire.targets("sdkmessagefilters")) == 1

    def test_in_a_table_without_bulk_messages_goes_by_batches_of_a_thousand(self, place: Place) -> None:
        rows = [write(new_id(number), market_name=f"tag {number}") for number in range(1_001)]
        assert done(place.environment.create_rows("market_tag", rows))
        assert place.wire.targets("CRM.CreateMultiple") == []
        assert len(place.wire.targets("$batch")) == 2
        assert place.ids("market_tag", [row.id for row in rows]) == {row.id for row in rows}

    @pytest.mark.parametrize("bad", [0, 99, 199])
    def test_a_bad_row_among_many_costs_none_of_its_neighbours(self, place: Place, bad: int) -> None:
        rows = [write(new_id(number), name=f"row {number}" if number != bad else "x" * 301) for number in range(200)]
        results = place.environment.create_rows("account", rows)
        assert [number for number, result in enumerate(results) if result.status is not WriteStatus.DONE] == [bad]
        fault = results[bad].fault
        assert fault is not None
        assert fault.code == "0x80044331"
        assert "maximum allowed length of '300'" in fault.message
        assert fault.request_id
        assert place.ids("account", [row.id for row in rows]) == {row.id for row in rows} - {rows[bad].id}
        assert len(place.wire.targets("CRM.CreateMultiple")) <= 20

    def test_several_bad_rows_each_tell_their_own_reason(self, place: Place) -> None:
        rows = [write(new_id(number), name=f"row {number}") for number in range(20)]
        rows[3] = write(new_id(3), name="x" * 301)
        rows[4] = write(new_id(4), name="row 4", parentaccountid=Lookup("account", new_id(999)))
        rows[17] = write(CONTOSO, name="again")
        results = place.environment.create_rows("account", rows)
        codes = {number: result.fault.code for number, result in enumerate(results) if result.fault}
        assert codes == {3: "0x80044331", 4: "0x80040217", 17: "0x80040237"}

    def test_a_bad_row_in_a_batch_costs_none_of_its_neighbours(self, place: Place) -> None:
        rows = [write(new_id(number), market_name="x" * (21 if number == 5 else 20)) for number in range(10)]
        results = place.environment.create_rows("market_tag", rows)
        refused = [number for number, result in enumerate(results) if result.status is WriteStatus.REFUSED]
        assert refused == [5]
        assert results[5].fault is not None
        assert "maximum allowed length of '20'" in results[5].fault.message

    @pytest.mark.parametrize(
        ("table", "row"),
        [("account", write(CONTOSO, name="again")), ("market_tag", write(RED, market_name="again"))],
    )
    def test_an_id_that_is_taken_is_refused_and_changes_nothing(self, place: Place, table: str, row: RowWrite) -> None:
        (name,) = row.values
        before = place.one(table, row.id, name)
        (result,) = place.environment.create_rows(table, [row])
        assert result.status is WriteStatus.REFUSED
        assert result.fault is not None
        assert result.fault.code == "0x80040237"
        assert place.one(table, row.id, name) == before

    def test_a_missing_privilege_is_told_for_each_row_and_not_tried_row_by_row(self) -> None:
        wire = Wire()
        options = EmulatorOptions(environment=str(MARKET), deny=("prvCreateAccount",))
        with Emulator(options, wrap=wire) as emulator:
            environment = connect(emulator.url, AuthMode.NONE, "target")
            results = environment.create_rows("account", [write(new_id(number), name="a") for number in range(50)])
            assert statuses(results) == [WriteStatus.REFUSED] * 50
            for result in results:
                assert result.fault is not None
                assert result.fault.is_access
                assert result.fault.code == "0x80040220"
                assert "prvCreateAccount" in result.fault.message
            assert len(wire.targets("CRM.CreateMultiple")) == 1

    def test_no_rows_give_no_results(self, place: Place) -> None:
        for table in ("account", "market_tag"):
            assert place.environment.create_rows(table, []) == []
            assert place.environment.update_rows(table, []) == []


class TestUpdating:
    def test_writes_the_columns_given_and_leaves_the_others(self, place: Place) -> None:
        row = write(ANA, fullname="Ana", market_size=None, market_rate=Decimal("2.25"))
        assert done(place.environment.update_rows("contact", [row]))
        found = place.one("contact", ANA, "fullname", "market_size", "market_rate", "birthdate")
        assert found == {
            "fullname": "Ana",
            "market_size": None,
            "market_rate": Decimal("2.25"),
            "birthdate": datetime(1990, 2, 3),
        }
        assert len(place.wire.targets("CRM.UpdateMultiple")) == 1

    def test_points_a_lookup_to_another_table_and_clears_it(self, place: Place) -> None:
        environment = place.environment
        assert done(environment.update_rows("contact", [write(SONS, parentcustomerid=Lookup("account", CONTOSO))]))
        before = place.one("contact", SONS, "parentcustomerid")
        assert before == {"parentcustomerid": Lookup("account", CONTOSO)}
        assert done(environment.update_rows("contact", [write(SONS, before, parentcustomerid=None)]))
        assert place.one("contact", SONS, "parentcustomerid") == {"parentcustomerid": None}

    def test_changes_the_owner_between_users_and_teams(self, place: Place) -> None:
        for owner in (SALES, BOWMAN):
            assert done(place.environment.update_rows("contact", [write(ANA, ownerid=owner)]))
            assert same_value(place.one("contact", ANA, "ownerid")["ownerid"], owner)

    def test_writes_state_and_status_together(self, place: Place) -> None:
        assert done(place.environment.update_rows("account", [write(CONTOSO, statecode=1, statuscode=2)]))
        assert place.one("account", CONTOSO, "statecode", "statuscode") == {"statecode": 1, "statuscode": 2}

    @pytest.mark.parametrize(("table", "column"), [("account", "name"), ("market_tag", "market_name")])
    def test_never_creates_a_row_that_is_gone(self, place: Place, table: str, column: str) -> None:
        (result,) = place.environment.update_rows(table, [RowWrite(new_id(1), {column: "a"}, {})])
        assert result.status is WriteStatus.REFUSED
        assert result.fault is not None
        assert result.fault.code == "0x80040217"
        assert place.ids(table, [new_id(1)]) == set()

    def test_in_a_table_without_bulk_messages_goes_by_a_batch(self, place: Place) -> None:
        rows = [write(RED, market_name="Rot"), write(new_id(1), market_name="x"), write(BLUE, market_name="Blau")]
        results = place.environment.update_rows("market_tag", rows)
        assert statuses(results) == [WriteStatus.DONE, WriteStatus.REFUSED, WriteStatus.DONE]
        assert len(place.wire.targets("$batch")) == 1
        assert place.one("market_tag", BLUE, "market_name") == {"market_name": "Blau"}

    def test_a_row_that_the_caller_may_not_write_costs_only_itself(self, place: Place) -> None:
        rows = [write(new_id(number), name=f"row {number}") for number in range(16)]
        assert done(place.environment.create_rows("account", rows))
        words = f"Principal with id {BOWMAN.id} does not have WriteAccess right(s) for record with id {rows[5].id}"
        refused = refusal(403, "0x80048306", words)
        place.wire.fault = lambda passed: refused if rows[5].id.encode() in passed.body else None
        results = place.environment.update_rows("account", [write(row.id, name="new") for row in rows])
        assert [number for number, result in enumerate(results) if result.status is not WriteStatus.DONE] == [5]
        assert results[5].fault is not None
        assert results[5].fault.is_access


class TestAssociations:
    def pairs(self, place: Place, relationship: str, sources: Sequence[str] | None = None) -> set[tuple[str, str]]:
        found = list(place.environment.read_associations("contact", relationship, sources))
        assert len(found) == len(set(found))
        return set(found)

    def test_are_written_and_read(self, place: Place) -> None:
        wanted = {(ANA, RED), (ANA, BLUE), (BOB, BLUE)}
        assert done(place.environment.associate("contact", "market_contact_tag_link", sorted(wanted)))
        assert self.pairs(place, "market_contact_tag_link") == wanted
        assert len(place.wire.targets("$batch")) == 1

    def test_are_written_and_read_from_the_second_table_in_the_same_direction(self, place: Place) -> None:
        assert done(place.environment.associate("market_tag", "market_contact_tag_link", [(ANA, RED)]))
        found = list(place.environment.read_associations("market_tag", "market_contact_tag_link"))
        assert found == [(ANA, RED)]

    def test_of_some_rows_only_are_read(self, place: Place) -> None:
        place.environment.associate("contact", "market_contact_tag_link", [(ANA, RED), (BOB, BLUE), (SONS, RED)])
        assert self.pairs(place, "market_contact_tag_link", [ANA, SONS]) == {(ANA, RED), (SONS, RED)}
        assert self.pairs(place, "market_contact_tag_link", []) == set()

    def test_are_read_page_by_page(self, place: Place) -> None:
        wanted = {(ANA, RED), (ANA, BLUE), (BOB, BLUE), (BOB, RED), (SONS, RED)}
        place.environment.associate("contact", "market_contact_tag_link", sorted(wanted))
        place.wire.page = 2
        assert self.pairs(place, "market_contact_tag_link") == wanted

    def test_that_exist_already_are_as_good_as_done(self, place: Place) -> None:
        for _ in range(2):
            assert done(place.environment.associate("contact", "market_contact_tag_link", [(ANA, RED), (ANA, BLUE)]))
        assert self.pairs(place, "market_contact_tag_link") == {(ANA, RED), (ANA, BLUE)}

    def test_of_a_table_with_itself_keep_their_direction(self, place: Place) -> None:
        assert done(place.environment.associate("contact", "market_related", [(ANA, BOB), (SONS, ANA)]))
        assert self.pairs(place, "market_related") == {(ANA, BOB), (SONS, ANA)}

    def test_with_a_row_that_is_missing_are_refused_alone(self, place: Place) -> None:
        pairs = [(ANA, RED), (new_id(1), RED), (BOB, new_id(2)), (BOB, BLUE)]
        results = place.environment.associate("contact", "market_contact_tag_link", pairs)
        expected = [WriteStatus.DONE, WriteStatus.REFUSED, WriteStatus.REFUSED, WriteStatus.DONE]
        assert statuses(results) == expected
        assert self.pairs(place, "market_contact_tag_link") == {(ANA, RED), (BOB, BLUE)}


class TestParties:
    sender = Party(BOWMAN, 1)
    receivers = (Party(Lookup("contact", ANA), 2), Party(Lookup("account", CONTOSO), 2))
    mail = new_id(1, "e")

    @pytest.fixture
    def mailed(self, place: Place) -> Place:
        values: dict[str, Value] = {
            "subject": "Hello",
            "regardingobjectid": Lookup("account", CONTOSO),
            "from": Parties((self.sender,)),
            "to": Parties(self.receivers),
            "cc": Parties((Party(None, 3, (("addressused", "x@example.com"),)),)),
        }
        assert done(place.environment.create_rows("email", [RowWrite(self.mail, values, {})]))
        return place

    def who(self, place: Place, column: str) -> list[Lookup | None]:
        value = place.one("email", self.mail, column)[column]
        assert isinstance(value, Parties)
        return [party.party for party in value.parties]

    def test_are_created_with_their_activity(self, mailed: Place) -> None:
        assert self.who(mailed, "from") == [BOWMAN]
        assert set(self.who(mailed, "to")) == {Lookup("contact", ANA), Lookup("account", CONTOSO)}
        assert self.who(mailed, "cc") == [None]

    @pytest.mark.parametrize(
        "xml", [None, '<filter><condition attribute="subject" operator="eq" value="hello"/></filter>']
    )
    def test_are_read_with_names_whether_or_not_there_is_a_filter(self, mailed: Place, xml: str | None) -> None:
        (row,) = mailed.environment.read_rows("email", ["subject", "from"], xml)
        assert isinstance(row, Record)
        value = row.values["from"]
        assert isinstance(value, Parties)
        assert [party.party for party in value.parties] == [Lookup("systemuser", BOWMAN.id, "Ana Bowman")]

    def test_of_one_column_are_replaced_and_the_others_stay(self, mailed: Place) -> None:
        row = write(self.mail, subject="Hello again", to=Parties((Party(Lookup("contact", BOB), 2),)))
        assert done(mailed.environment.update_rows("email", [row]))
        assert self.who(mailed, "to") == [Lookup("contact", BOB)]
        assert self.who(mailed, "from") == [BOWMAN]
        assert self.who(mailed, "cc") == [None]
        assert mailed.one("email", self.mail, "subject") == {"subject": "Hello again"}

    def test_that_do_not_change_are_left_alone(self, mailed: Place) -> None:
        assert done(mailed.environment.update_rows("email", [write(self.mail, subject="New")]))
        assert self.who(mailed, "from") == [BOWMAN]
        assert len(self.who(mailed, "to")) == 2

    @pytest.mark.parametrize("nobody", [None, Parties(())])
    def test_are_cleared(self, mailed: Place, nobody: Value) -> None:
        assert done(mailed.environment.update_rows("email", [write(self.mail, to=nobody)]))
        assert self.who(mailed, "to") == []
        assert self.who(mailed, "from") == [BOWMAN]


class Times:
    """A fault for the first so many requests whose target holds a text."""

    def __init__(self, part: str, instead: Instead, times: int) -> None:
        self._part = part
        self._instead = instead
        self._left = times

    def __call__(self, passed: Passed) -> Instead | None:
        if self._part not in passed.target or self._left == 0:
            return None
        self._left -= 1
        return self._instead


ALWAYS = 10_000


class TestWhenAnswersAreLost:
    def test_of_a_bulk_create_each_row_is_reported_as_lost_and_nothing_is_sent_again(self, place: Place) -> None:
        place.wire.fault = Times("CRM.CreateMultiple", LOST, ALWAYS)
        rows = [write(new_id(number), name="a") for number in range(5)]
        assert statuses(place.environment.create_rows("account", rows)) == [WriteStatus.LOST] * 5
        assert len(place.wire.targets("CRM.CreateMultiple")) == 1
        assert place.ids("account", [row.id for row in rows]) == {row.id for row in rows}

    def test_of_a_batch_of_creates_too(self, place: Place) -> None:
        place.wire.fault = Times("$batch", LOST, 1)
        rows = [write(new_id(number), market_name="a") for number in range(5)]
        assert statuses(place.environment.create_rows("market_tag", rows)) == [WriteStatus.LOST] * 5
        assert len(place.wire.targets("$batch")) == 1

    def test_while_a_bad_row_is_looked_for_its_neighbours_are_lost_and_not_refused(self, place: Place) -> None:
        place.wire.fault = Times("$batch", LOST, ALWAYS)
        rows = [write(new_id(number), name="x" * (301 if number == 3 else 1)) for number in range(10)]
        results = place.environment.create_rows("account", rows)
        made = place.ids("account", [row.id for row in rows])
        told = {row.id for row, result in zip(rows, results, strict=True) if result.status is WriteStatus.REFUSED}
        assert not told & made
        assert len(results) == len(rows)

    @pytest.mark.parametrize("instead", [LOST, Instead(502), Instead(504, b"<html>")])
    def test_of_a_batch_of_updates_it_is_not_sent_again(self, place: Place, instead: Instead) -> None:
        place.wire.fault = Times("$batch", instead, 1)
        assert statuses(place.environment.update_rows("market_tag", [write(RED, market_name="Rot")])) == [
            WriteStatus.LOST
        ]
        assert len(place.wire.targets("$batch")) == 1

    @pytest.mark.parametrize("number", [0, 2, 4])
    def test_of_a_bulk_create_another_number_of_ids_is_no_answer(self, place: Place, number: int) -> None:
        ids = ",".join(f'"{new_id(index)}"' for index in range(number))
        place.wire.fault = Times("CRM.CreateMultiple", Instead(200, f'{{"Ids":[{ids}]}}'.encode()), 1)
        rows = [write(new_id(index), name="a") for index in range(3)]
        assert statuses(place.environment.create_rows("account", rows)) == [WriteStatus.LOST] * 3

    @pytest.mark.parametrize(
        "page",
        [Instead(200, b"<html>Sign in</html>"), Instead(200, b'{"value":[]}'), Instead(202), Instead(204, b"")],
    )
    def test_a_page_in_the_services_place_is_no_answer(self, place: Place, page: Instead) -> None:
        place.wire.fault = Times("CRM.", page, ALWAYS)
        rows = [write(new_id(index), name="a") for index in range(3)]
        assert statuses(place.environment.create_rows("account", rows)) == [WriteStatus.LOST] * 3
        updated = place.environment.update_rows("contact", [write(ANA, fullname="Ana")])
        expected = WriteStatus.DONE if page.status == 204 else WriteStatus.LOST
        assert statuses(updated) == [expected]

    def test_a_part_of_a_batch_that_brings_something_else_is_no_answer(self) -> None:
        answers = {"204 No Content": "", "200 OK": "<html></html>", "202 Accepted": ""}
        parts = "".join(
            f"--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 {status}\r\nREQ_ID: 1\r\n\r\n{body}\r\n"
            for status, body in answers.items()
        )
        whole = Response(200, {"content-type": "multipart/mixed; boundary=b"}, f"{parts}--b--\r\n".encode())
        results = Writer(Replies(whole), "https://x/").batch([Part("PATCH", "a(1)", b"{}")] * 3)
        assert statuses(results) == [WriteStatus.DONE, WriteStatus.LOST, WriteStatus.LOST]

    def test_of_associations_they_are_sent_again_and_are_done(self, place: Place) -> None:
        place.wire.fault = Times("$batch", LOST, 1)
        assert done(place.environment.associate("contact", "market_contact_tag_link", [(ANA, RED), (BOB, RED)]))
        assert len(place.wire.targets("$batch")) == 2

    def test_of_a_query_it_is_sent_again(self, place: Place) -> None:
        place.wire.fault = Times("contacts?", LOST, 1)
        assert len(list(place.environment.read_rows("contact", ["fullname"]))) == 5

    @pytest.mark.parametrize("status", [500, 502, 504])
    @pytest.mark.parametrize("count", [1, 5])
    def test_because_a_gateway_answered_nobody_knows_what_was_done(self, place: Place, status: int, count: int) -> None:
        place.wire.fault = Times("CRM.CreateMultiple", Instead(status, b"<html>"), ALWAYS)
        rows = [write(new_id(number), name="a") for number in range(count)]
        assert statuses(place.environment.create_rows("account", rows)) == [WriteStatus.LOST] * count
        assert len(place.wire.targets("CRM.CreateMultiple")) == 1


class TestWhenTheServiceIsBusy:
    busy = Instead(429, b'{"error":{"code":"0x80072322","message":"Number of requests exceeded"}}', "0.05")

    @pytest.mark.parametrize("instead", [busy, Instead(503, b"", "0.05")])
    def test_writes_and_reads_wait_and_go_on(self, place: Place, instead: Instead) -> None:
        place.wire.fault = Times("", instead, 2)
        rows = [write(new_id(number), name="a") for number in range(3)]
        assert done(place.environment.create_rows("account", rows))
        place.wire.fault = Times("", instead, 2)
        assert place.ids("account", [row.id for row in rows]) == {row.id for row in rows}
        place.wire.fault = Times("", instead, 2)
        assert done(place.environment.associate("contact", "market_contact_tag_link", [(ANA, RED)]))

    @pytest.mark.parametrize("status", [429, 503])
    def test_for_too_long_a_bulk_write_is_an_error_and_is_not_split(self, place: Place, status: int) -> None:
        instead = Instead(status, self.busy.body, "0")
        place.wire.fault = lambda passed: instead if passed.method == "POST" else None
        rows = [write(new_id(number), name="a") for number in range(200)]
        with pytest.raises(ServiceError, match=str(status)):
            place.environment.create_rows("account", rows)
        sizes = {len(body) for body in place.wire.bodies("CRM.CreateMultiple")}
        assert len(sizes) == 1
        assert place.wire.targets("$batch") == []

    def test_for_too_long_a_batch_is_an_error(self, place: Place) -> None:
        place.wire.fault = Times("$batch", Instead(429, self.busy.body, "0"), ALWAYS)
        with pytest.raises(ServiceError, match="Number of requests exceeded"):
            place.environment.update_rows("market_tag", [write(RED, market_name="Rot")])
