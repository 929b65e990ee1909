"""Requests that a client should not send, or seldom sends: each gets an answer in the service's own form."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest

from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions
from confmig.emulator.service import Service

from .client import Client, error
from .conftest import SHOP

ACCOUNT = "accounts(a0000000-0000-4000-8000-000000000001)"
ANA = "contacts(c0000000-0000-4000-8000-000000000001)"
ZOLA = "contacts(c0000000-0000-4000-8000-000000000002)"
RED = "90000000-0000-4000-8000-000000000001"
BLUE = "90000000-0000-4000-8000-000000000002"
TEAM = "70000000-0000-4000-8000-000000000001"
CONTACT = "Microsoft.Dynamics.CRM.contact"


@pytest.mark.parametrize(
    "path",
    [
        "accounts?$orderby=name,",
        "accounts?$orderby=,",
        "accounts?$orderby=name down",
        "accounts?$top=²",
        "accounts?$top=99999999999",
        "accounts?$skiptoken=eyJza2lwIjo5OTk5OTk5OTk5OTk5OTk5OTk5OX0=",
        "contacts?$filter=shop_count eq 99999999999999999999",
        "contacts?$filter=shop_count in (1,99999999999999999999)",
        "contacts?$filter=shop_rate eq 1e99999999999999999999",
        "contacts?$filter=" + "not " * 1500 + "shop_count eq 1",
        "contacts?fetchXml=<fetch count='²'><entity name='contact'/></fetch>",
        "contacts?fetchXml=<fetch page='99999999999' count='1' paging-cookie='x'><entity name='contact'/></fetch>",
        "contacts?fetchXml=<fetch><entity name='contact'>"
        + "<link-entity name='account' from='accountid' to='parentcustomerid'/>" * 16
        + "</entity></fetch>",
        "contacts?fetchXml=<fetch><entity name='contact'><filter>"
        "<condition attribute='shop_last' operator='on' value='x'/></filter></entity></fetch>",
        "contacts?fetchXml=<fetch><entity name='contact'><filter>"
        "<condition attribute='shop_count' operator='on' value='2020-01-01'/></filter></entity></fetch>",
        'RetrieveMetadataChanges(Query=@q)?@q={"Criteria":{"Conditions":["x"]}}',
        'RetrieveMetadataChanges(Query=@q)?@q={"Criteria":{"Conditions":5}}',
        'RetrieveMetadataChanges(Query=@q)?@q={"Criteria":{"Filters":[5]}}',
    ],
)
def test_queries_that_make_no_sense(shop: Client, path: str) -> None:
    name, _, query = path.partition("?")
    reply = shop.send("GET", f"{name}?{quote(query, safe='=&$')}")
    assert error(reply)[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        b'{"shop_rate":1e99999999999999999999}',
        b'{"fullname":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"shop_any":1099511627776}',
    ],
)
def test_bodies_that_make_no_sense(shop: Client, body: bytes) -> None:
    assert error(shop.send("POST", "contacts", body)) == (400, "0x80048d19")


@pytest.mark.parametrize("path", [f"{ACCOUNT}/name/x", f"{ACCOUNT}/name/$value/x", f"{ANA}/shop_tags/x"])
def test_path_below_a_property(shop: Client, path: str) -> None:
    assert error(shop.send("GET", path)) == (404, "0x80060888")


def test_a_fault_of_the_emulator_is_an_answer(fresh: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Service, "_dispatch", fail)
    assert error(fresh.send("GET", "WhoAmI")) == (500, "0x80040216")


def test_row_that_did_not_change(fresh: Client) -> None:
    etag = fresh.get(f"{ANA}?$select=fullname")["@odata.etag"]
    reply = fresh.send("GET", f"{ANA}?$select=fullname", If_None_Match=etag)
    assert (reply.status_code, reply.content) == (304, b"")
    assert fresh.send("PATCH", ANA, {"shop_count": 1}).status_code == 204
    assert fresh.get(f"{ANA}?$select=shop_count", If_None_Match=etag)["shop_count"] == 1


def test_lookup_that_points_to_another_table(fresh: Client) -> None:
    nav = f"{ZOLA}/parentcustomerid_account"
    assert fresh.send("GET", nav).status_code == 204
    assert fresh.send("GET", f"{nav}/$ref").status_code == 204
    assert fresh.send("DELETE", f"{nav}/$ref").status_code == 204
    assert fresh.get(f"{ZOLA}/parentcustomerid_contact/$ref")["@odata.id"].endswith(ANA)


def test_owner_that_is_a_team(fresh: Client) -> None:
    assert fresh.get(f"{ACCOUNT}/ownerid")["teamid"] == TEAM
    assert fresh.get(f"{ACCOUNT}/ownerid/$ref")["@odata.id"].endswith(f"teams({TEAM})")
    assert fresh.get(f"{ACCOUNT}?$select=_owningteam_value")["_owningteam_value"] == TEAM


def test_child_of_another_parent_is_left_alone(fresh: Client) -> None:
    nav = f"{ACCOUNT}/account_contact_parentcustomerid"
    assert fresh.send("DELETE", f"{nav}{ZOLA.removeprefix('contacts')}/$ref").status_code == 204
    assert fresh.get(f"{ZOLA}?$select=_parentcustomerid_value")["_parentcustomerid_value"] is not None
    missing = fresh.send("DELETE", f"{nav}(c0000000-0000-4000-8000-00000000000f)/$ref")
    assert error(missing) == (404, "0x80040217")
    assert fresh.send("DELETE", f"{nav}{ANA.removeprefix('contacts')}/$ref").status_code == 204
    assert fresh.get(f"{ANA}?$select=_parentcustomerid_value")["_parentcustomerid_value"] is None


def test_one_member_of_a_collection(shop: Client) -> None:
    assert shop.get(f"{ANA}/shop_tags({RED})?$select=shop_name")["shop_name"] == "Red"
    assert error(shop.send("GET", f"{ANA}/shop_tags({BLUE})")) == (404, "0x80040217")


def test_boolean_as_text(shop: Client) -> None:
    assert shop.send("GET", f"{ACCOUNT}/creditonhold/$value").text == "true"


def test_key_of_an_update_is_not_changed(fresh: Client) -> None:
    path = "accounts(accountnumber='C1')"
    assert fresh.send("PATCH", path, {"accountnumber": "C9", "name": "New"}).status_code == 204
    assert fresh.get(f"{path}?$select=name,accountnumber")["name"] == "New"
    target = {
        "@odata.type": "Microsoft.Dynamics.CRM.account",
        "@odata.id": path,
        "accountnumber": "C9",
        "name": "Newer",
    }
    reply = fresh.send("POST", "accounts/Microsoft.Dynamics.CRM.UpsertMultiple", {"Targets": [target]})
    assert reply.status_code == 204
    assert fresh.get(f"{path}?$select=name")["name"] == "Newer"
    # When the row is new, the body wins.
    assert fresh.send("PATCH", "accounts(accountnumber='X')", {"accountnumber": "Y", "name": "Y"}).status_code == 204
    assert fresh.get("accounts(accountnumber='Y')?$select=name")["name"] == "Y"


def test_case_of_a_key_does_not_count(fresh: Client) -> None:
    assert fresh.get("accounts(accountnumber='c1')?$select=accountnumber")["accountnumber"] == "C1"
    assert error(fresh.send("POST", "accounts", {"name": "x", "accountnumber": "c1"})) == (412, "0x80060892")


@pytest.mark.parametrize("reference", ["", "/", ACCOUNT, "contacts", f"contacts/{ANA}"])
def test_targets_that_name_no_row_of_the_table(shop: Client, reference: str) -> None:
    body = {"Targets": [{"@odata.type": CONTACT, "@odata.id": reference, "shop_count": 1}]}
    for action in ("UpdateMultiple", "UpsertMultiple"):
        assert error(shop.send("POST", f"contacts/Microsoft.Dynamics.CRM.{action}", body)) == (400, "0x80048d19")


def test_targets_with_absolute_ids_and_without_ids(fresh: Client) -> None:
    path = "contacts/Microsoft.Dynamics.CRM.UpdateMultiple"
    target = {"@odata.type": CONTACT, "@odata.id": fresh.root + ANA, "shop_count": 7}
    assert fresh.send("POST", path, {"Targets": [target]}).status_code == 204
    assert fresh.get(f"{ANA}?$select=shop_count")["shop_count"] == 7
    del target["@odata.id"]
    assert error(fresh.send("POST", path, {"Targets": [target]})) == (400, "0x80048d19")


def test_fetch_between_compares_numbers(fresh: Client) -> None:
    fresh.create("contacts", {"fullname": "Ten", "shop_rate": 10})
    fetch = (
        "<fetch><entity name='contact'><attribute name='fullname'/><filter><condition attribute='shop_rate' "
        "operator='between'><value>1</value><value>2</value></condition></filter></entity></fetch>"
    )
    assert [row["fullname"] for row in fresh.rows(f"contacts?fetchXml={quote(fetch)}")] == ["Ana O'Hara"]


def test_fetch_distinct(fresh: Client) -> None:
    for size in (1, 1, 2):
        fresh.create("contacts", {"fullname": "Twin", "shop_size": size})
    fetch = (
        "<fetch distinct='true' useraworderby='true' returntotalrecordcount='true' {}><entity name='contact'>"
        "<attribute name='shop_size'/>"
        "<filter><condition attribute='fullname' operator='eq' value='Twin'/></filter>"
        "<order attribute='shop_size' descending='true'/></entity></fetch>"
    )
    page = fresh.get(f"contacts?fetchXml={quote(fetch.format(''))}")
    assert page["value"] == [{"shop_size": 2}, {"shop_size": 1}]
    assert page["@Microsoft.Dynamics.CRM.totalrecordcount"] == 2
    second = fetch.format("count='1' page='2'")
    page = fresh.get(f"contacts?fetchXml={quote(second)}")
    assert page["value"] == [{"shop_size": 1}]


def test_casts_and_properties_of_attributes(shop: Client) -> None:
    attributes = "EntityDefinitions(LogicalName='contact')/Attributes"
    for path in (
        f"{attributes}/Microsoft.Dynamics.CRM.EnumAttributeMetadata",
        f"{attributes}/x",
        f"{attributes}(LogicalName='shop_size')/x",
        "RelationshipDefinitions/x",
    ):
        assert error(shop.send("GET", path)) == (404, "0x80060888")
    cast = f"{attributes}(LogicalName='shop_size')/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    assert [one["Value"] for one in shop.get(f"{cast}/OptionSet?$select=Options")["Options"]] == [1, 2]


def test_absolute_content_id(fresh: Client) -> None:
    part = (
        "--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {}\r\n\r\n"
        "{} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{}\r\n"
    )
    body = (
        "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
        + part.format(1, f"POST {fresh.root}contacts", '{"fullname":"Made"}')
        + part.format(2, f"PATCH {fresh.root}$1", '{"fullname":"Changed"}')
        + "--c--\r\n\r\n--b--\r\n"
    )
    reply = fresh.send("POST", "$batch", body.encode(), Content_Type="multipart/mixed; boundary=b")
    assert reply.status_code == 200, reply.text
    assert len(fresh.rows("contacts?$select=fullname&$filter=fullname eq 'Changed'")) == 1


def test_request_through_a_proxy(shop: Client) -> None:
    host, _, port = shop.root.split("/")[2].partition(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(f"GET {shop.root}WhoAmI HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


def test_port_is_taken_before_the_environment_is_made() -> None:
    with Emulator(EmulatorOptions()) as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(EmulatorStartError, match="cannot listen"):
            Emulator(EmulatorOptions(port=port)).start()


def test_store_has_one_process(tmp_path: Path) -> None:
    options = EmulatorOptions(environment=str(SHOP), store=tmp_path / "store.sqlite")
    with Emulator(options), pytest.raises(EmulatorStartError, match="locked"):
        Emulator(options).start()


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_file_of_another_program_is_no_store(tmp_path: Path, journal: str) -> None:
    path = tmp_path / "other.sqlite"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.execute("CREATE TABLE environment (name, value)")
    connection.close()
    refused_untouched(path)


@pytest.mark.parametrize("content", [b"x", b"SQLite format 3\0", b"name,value\n" * 99])
def test_other_file_is_no_store(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.csv"
    path.write_bytes(content)
    refused_untouched(path)


def refused_untouched(path: Path) -> None:
    before, changed = path.read_bytes(), path.stat().st_mtime_ns
    with pytest.raises(EmulatorStartError, match=rf"{path.name} cannot be opened: it is no store"):
        Emulator(EmulatorOptions(store=path)).start()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, changed)
    assert list(path.parent.iterdir()) == [path]


def test_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(EmulatorStartError, match="cannot be opened"):
        Emulator(EmulatorOptions(store=tmp_path)).start()


def test_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    path.touch()
    organizations = set()
    for _ in range(2):
        with Emulator(EmulatorOptions(store=path)) as emulator:
            organizations.add(emulator.organization_id)
    assert len(organizations) == 1


def test_versions_rise_after_kills(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "confmig", "emulator", "--listen", "127.0.0.1:0"]
    command += ["--environment", str(SHOP), "--store", str(tmp_path / "store.sqlite")]
    versions = []
    for _ in range(3):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            client = Client(msgspec.json.decode(process.stdout.readline())["url"])
            row = client.send("POST", "contacts", {"fullname": "Kept"}, Prefer="return=representation").json()
            versions.append(row["versionnumber"])
            rows = client.rows("contacts?$select=fullname&$filter=fullname eq 'Kept'")
            client.close()
            os.kill(process.pid, signal.SIGKILL)
        assert len(rows) == len(versions)
    assert versions == sorted(set(versions))


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
def test_versions_of_too_many_digits(shop: Client, header: str) -> None:
    version = f'W/"{"9" * 6000}"'
    if header == "If-Match":
        assert error(shop.send("PATCH", ACCOUNT, {"creditonhold": True}, If_Match=version)) == (412, "0x80060882")
    else:
        assert shop.get(f"{ACCOUNT}?$select=name", If_None_Match=version)["name"] == "Contoso"


def test_ranges_of_too_many_digits(fresh: Client) -> None:
    paper = f"{ANA}/shop_paper"
    begun = fresh.send("PATCH", f"{paper}?x-ms-file-name=a.txt", b"", x_ms_transfer_mode="chunked")
    reply = fresh.send("PATCH", begun.headers["Location"], b"abc", Content_Range=f"bytes 0-2/{'9' * 5000}")
    assert error(reply) == (400, "0x80048d19")
    assert fresh.send("PATCH", begun.headers["Location"], b"abc", Content_Range="bytes 0-2/3").status_code == 204
    whole = fresh.send("GET", f"{paper}/$value", Range=f"bytes={'9' * 5000}-")
    assert (whole.status_code, whole.content) == (200, b"abc")
    backwards = fresh.send("GET", f"{paper}/$value", Range="bytes=2-1")
    assert (backwards.status_code, backwards.content) == (200, b"abc")


def test_rows_nested_too_deep(fresh: Client) -> None:
    def nested(depth: int) -> bytes:
        return b'{"name":"A","parentaccountid":' * depth + b'{"name":"A"}' + b"}" * depth

    assert error(fresh.send("POST", "accounts", nested(300))) == (400, "0x80048d19")
    assert len(fresh.rows("accounts")) == 1
    assert fresh.send("POST", "accounts", nested(9)).status_code == 204
    assert len(fresh.rows("accounts")) == 11


def test_body_with_a_byte_order_mark(fresh: Client) -> None:
    assert fresh.send("POST", "accounts", b'\xef\xbb\xbf{"name":"Marked"}').status_code == 204


def test_parameters_of_preferences_are_passed_over(fresh: Client) -> None:
    reply = fresh.send("POST", "accounts?$select=name", {"name": "A"}, Prefer="return=representation; foo=1")
    assert reply.status_code == 201


@pytest.mark.parametrize("column", ["birthdate", "shop_last"])
def test_digits_of_other_scripts_are_no_date(shop: Client, column: str) -> None:
    assert error(shop.send("POST", "contacts", {column: "２０２０-01-01"}))[0] == 400


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2020-01-02T03:04", "2020-01-02T03:04:00Z"),
        ("2020-01-02T03:04:05.999Z", "2020-01-02T03:04:05Z"),
        ("2020-01-02T03:04:05+14:00", "2020-01-01T13:04:05Z"),
        ("2020-12-31T23:59:59.5-05:30", "2021-01-01T05:29:59Z"),
    ],
)
def test_moments_are_kept_in_utc(fresh: Client, written: str, kept: str) -> None:
    row = fresh.create("contacts", {"shop_last": written})
    assert fresh.get(f"contacts({row})?$select=shop_last")["shop_last"] == kept


def test_body_of_another_type(fresh: Client) -> None:
    reply = fresh.send("POST", "accounts", {"@odata.type": "#Microsoft.Dynamics.CRM.contact", "name": "A"})
    assert error(reply) == (400, "0x80048d19")
    assert "not assignable to the expected type 'Microsoft.Dynamics.CRM.account'" in reply.text
    fresh.create("accounts", {"@odata.type": "Microsoft.Dynamics.CRM.account", "name": "A"})


def test_empty_id_is_none(fresh: Client) -> None:
    empty = "00000000-0000-0000-0000-000000000000"
    made = {fresh.create("accounts", {"accountid": empty, "name": name}) for name in "AB"}
    assert len(made) == 2
    assert empty not in made


def test_row_that_cannot_be_given_back_is_not_written(fresh: Client) -> None:
    wanted = {"Prefer": "return=representation"}
    assert error(fresh.send("POST", "accounts?$select=nope", {"name": "A"}, **wanted)) == (400, "0x80060888")
    assert error(fresh.send("PATCH", f"{ACCOUNT}?$select=nope", {"name": "A"}, **wanted)) == (400, "0x80060888")
    assert [row["name"] for row in fresh.rows("accounts")] == ["Contoso"]


def test_values_of_a_key_in_the_url_fit_their_columns(fresh: Client) -> None:
    reply = fresh.send("PATCH", f"accounts(accountnumber='{'9' * 21}')", {"name": "A"})
    assert error(reply) == (400, "0x80044331")
    assert fresh.send("PATCH", f"accounts(accountnumber='{'9' * 20}')", {"name": "A"}).status_code == 204
