"""Starting, stopping, keeping and guarding an environment."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from confmig.emulator.errors import EmulatorStartError, PackageFileError
from confmig.emulator.http.asgi import Application, Receive, Scope, Send
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client, error
from .conftest import SHOP

ORGANIZATION = "11111111-2222-4333-8444-555555555555"
SERVE = (
    "from confmig.emulator.http.server import serve; from confmig.emulator.options import EmulatorOptions; "
    "serve(EmulatorOptions())"
)
COMMAND = "import typer; from confmig.commands.emulator import emulator; typer.run(emulator)"


def test_a_bare_environment_answers_who_am_i() -> None:
    with Emulator(EmulatorOptions(organization_id=ORGANIZATION)) as emulator:
        client = Client(emulator.url)
        answer = client.get("WhoAmI")
        assert emulator.organization_id == answer["OrganizationId"] == ORGANIZATION
        users = client.rows("systemusers?$select=fullname")
        assert [user["systemuserid"] for user in users] == [answer["UserId"]]
        units = client.rows("businessunits?$filter=_parentbusinessunitid_value eq null")
        assert [unit["businessunitid"] for unit in units] == [answer["BusinessUnitId"]]
        assert client.get("WhoAmI()")["UserId"] == answer["UserId"]
        assert client.get("RetrieveVersion()")["Version"].startswith("9.2.")
        assert client.get("organizations")["value"][0]["organizationid"] == ORGANIZATION
        client.close()


def test_each_new_environment_is_an_organization_of_its_own() -> None:
    with Emulator(EmulatorOptions()) as one, Emulator(EmulatorOptions()) as two:
        assert one.organization_id != two.organization_id
        assert one.url != two.url


def test_headers_of_every_answer(shop: Client) -> None:
    reply = shop.send("GET", "WhoAmI")
    assert reply.headers["OData-Version"] == "4.0"
    assert int(reply.headers["x-ms-dop-hint"]) > 0
    assert shop.send("POST", "WhoAmI", {}).status_code == 404
    assert error(shop.send("GET", "nothings"))[0] == 404
    assert requests.get(shop.root.replace("/api/data/v9.2/", "/elsewhere"), timeout=5).status_code == 404
    assert requests.get(shop.root.replace("v9.2", "v9.0") + "WhoAmI", timeout=5).status_code == 200


def test_the_service_document_lists_the_sets(shop: Client) -> None:
    names = {entry["name"] for entry in shop.get("")["value"]}
    assert {"accounts", "contacts", "emails", "activityparties"} <= names


def test_a_url_over_32_kilobytes_is_refused(shop: Client) -> None:
    reply = shop.send("GET", f"contacts?$filter=fullname eq '{'a' * 33_000}'")
    assert reply.status_code == 414


def test_only_the_token_opens() -> None:
    with Emulator(EmulatorOptions(token="right")) as emulator:
        client = Client(emulator.url)
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            reply = client.send("GET", "WhoAmI", **headers)
            assert reply.status_code == 401
            assert reply.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")
            assert reply.content == b""
        assert client.send("GET", "WhoAmI", Authorization="Bearer right").status_code == 200
        client.close()


def test_a_missing_privilege_is_named() -> None:
    denied = ("prvCreateAccount", "prvWriteContact", "prvReadshop_tag", "prvDeleteContact", "prvAppendContact")
    with Emulator(EmulatorOptions(environment=str(SHOP), deny=denied)) as emulator:
        client = Client(emulator.url)
        contact = "contacts(c0000000-0000-4000-8000-000000000001)"
        for method, path, body in (
            ("POST", "accounts", {"name": "x"}),
            ("PATCH", contact, {"fullname": "x"}),
            ("GET", "shop_tags", None),
            ("DELETE", contact, None),
            ("DELETE", f"{contact}/parentcustomerid_account/$ref", None),
        ):
            reply = client.send(method, path, body)
            assert error(reply) == (403, "0x80040220")
        message = client.send("POST", "accounts", {"name": "x"}).json()["error"]["message"]
        assert "is missing prvCreateAccount privilege" in message
        assert "on OTC=1 for entity 'account'" in message
        assert client.send("POST", "contacts", {"fullname": "x"}).status_code == 204
        client.close()


def test_a_store_is_kept_and_not_loaded_again(tmp_path: Path) -> None:
    options = EmulatorOptions(environment=str(SHOP), store=tmp_path / "store.sqlite")
    with Emulator(options) as emulator:
        client = Client(emulator.url)
        made = client.create("contacts", {"fullname": "Kept"})
        first = client.get(f"contacts({made})")
        client.send("DELETE", "contacts(c0000000-0000-4000-8000-000000000003)")
        organization = emulator.organization_id
        client.close()
    with Emulator(options) as emulator:
        client = Client(emulator.url)
        assert emulator.organization_id == organization == client.get("WhoAmI")["OrganizationId"]
        assert client.get(f"contacts({made})") == {
            **first,
            "@odata.context": f"{client.root}$metadata#contacts/$entity",
        }
        assert client.send("GET", "contacts(c0000000-0000-4000-8000-000000000003)").status_code == 404
        client.send("PATCH", f"contacts({made})", {"fullname": "Again"})
        assert client.get(f"contacts({made})")["versionnumber"] > first["versionnumber"]
        client.close()
    with pytest.raises(EmulatorStartError, match=organization):
        Emulator(EmulatorOptions(store=tmp_path / "store.sqlite", organization_id=ORGANIZATION)).start()


def test_start_errors(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(EmulatorStartError, match="cannot listen"):
            Emulator(EmulatorOptions(port=taken.getsockname()[1])).start()
    with pytest.raises(EmulatorStartError, match="not an organization id"):
        Emulator(EmulatorOptions(organization_id="x")).start()
    with pytest.raises(EmulatorStartError, match="only with a package"):
        Emulator(EmulatorOptions(empty=True)).start()
    with pytest.raises(EmulatorStartError, match="together"):
        Emulator(EmulatorOptions(package=tmp_path, environment="journeys-sandbox")).start()
    with pytest.raises(PackageFileError, match="neither a schema nor a data file"):
        Emulator(EmulatorOptions(package=tmp_path)).start()
    (tmp_path / "no.sqlite").write_text("this is no database at all, and it is long enough to be seen as none " * 20)
    with pytest.raises(EmulatorStartError, match="cannot be opened"):
        Emulator(EmulatorOptions(store=tmp_path / "no.sqlite")).start()


def test_another_application_can_stand_around_it() -> None:
    def busy_once(inner: Application) -> Application:
        calls: list[str] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            calls.append(scope["path"])
            if len(calls) > 1:
                await inner(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": 429, "headers": [(b"retry-after", b"1")]})
            await send({"type": "http.response.body", "body": b""})

        return app

    with Emulator(EmulatorOptions(), wrap=busy_once) as emulator:
        client = Client(emulator.url)
        assert [client.send("GET", "WhoAmI").status_code for _ in range(2)] == [429, 200]
        client.close()


def run(code: str, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    variables = {**os.environ, **environment}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=variables,
    )


def ready(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    line = json.loads(process.stdout.readline())
    assert set(line) == {"url", "organization_id"}
    assert isinstance(line, dict)
    return line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    process = run(SERVE)
    line = ready(process)
    assert (
        requests.get(f"{line['url']}/api/data/v9.2/WhoAmI", timeout=5).json()["OrganizationId"]
        == line["organization_id"]
    )
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


def test_the_command_takes_options_and_variables(tmp_path: Path) -> None:
    arguments = (
        "--listen",
        "127.0.0.1:0",
        "--environment",
        str(SHOP),
        "--deny",
        "prvReadContact",
        "--deny",
        "prvReadAccount",
    )
    process = run(COMMAND, *arguments, CONFMIG_EMULATOR_TOKEN="t", CONFMIG_STORE=str(tmp_path / "s.sqlite"))
    client = Client(ready(process)["url"])
    assert client.send("GET", "contacts").status_code == 401
    assert client.send("GET", "accounts", Authorization="Bearer t").status_code == 403
    assert client.send("GET", "emails", Authorization="Bearer t").status_code == 200
    client.close()
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert (tmp_path / "s.sqlite").is_file()


def test_the_command_refuses_what_it_cannot_serve(tmp_path: Path) -> None:
    for arguments, words in (
        (("--listen", "nowhere"), "UsageError"),
        (("--listen", "127.0.0.1:0", "--environment", "unknown"), "UsageError"),
        (("--listen", "127.0.0.1:0", "--package", str(tmp_path / "no.zip")), "PackageError"),
    ):
        process = run(COMMAND, *arguments)
        out, err = process.communicate(timeout=20)
        assert out == ""
        assert words in err
