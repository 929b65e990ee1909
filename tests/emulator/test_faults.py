"""Faults on purpose, as a client sees them on the wire, and what they leave behind."""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from confmig.emulator.clock import VirtualClock
from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.http.faults import KINDS
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client, error, until
from .conftest import SHOP
from .metadatabodies import attribute, table

BULK = "contacts/Microsoft.Dynamics.CRM.CreateMultiple"


@contextmanager
def serving(*faults: str, **options: Any) -> Iterator[Client]:
    with Emulator(EmulatorOptions(environment=str(SHOP), faults=faults, **options)) as emulator:
        client = Client(emulator.url)
        client.session.verify = str(emulator.authority) if emulator.authority else True
        try:
            yield client
        finally:
            client.close()


def named(client: Client, name: str) -> int:
    return len(client.get(f"contacts?$select=fullname&$filter=fullname eq '{name}'")["value"])


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        (
            "429-requests",
            "0x80072322",
            "Number of requests exceeded the limit of 6000 over time window of 300 seconds.",
        ),
        ("429-execution", "0x80072321", "Combined execution time of incoming requests exceeded limit of 1,200,000 mil"),
        ("429-concurrent", "0x80072326", "Number of concurrent requests exceeded the limit of 52."),
    ],
)
def test_each_limit_can_be_claimed(kind: str, code: str, words: str) -> None:
    with serving(f"{kind}:nth=1,retry-after=7s") as client:
        reply = client.send("POST", "contacts", {"fullname": "A"})
        assert error(reply) == (429, code)
        assert reply.json()["error"]["message"].startswith(words)
        assert reply.headers["Retry-After"] == "7"
        assert named(client, "A") == 0


def test_a_plain_429_claims_one_limit_after_the_other() -> None:
    with serving("429:method=POST") as client:
        codes = [error(client.send("POST", "contacts", {"fullname": "A"}))[1] for _ in range(4)]
        assert codes == ["0x80072322", "0x80072321", "0x80072326", "0x80072322"]
        assert named(client, "A") == 0


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_answers_in_its_own_words(status: int) -> None:
    with serving(f"{status}:times=1,retry-after=3s") as client:
        reply = client.send("GET", "WhoAmI")
        assert reply.status_code == status
        assert reply.headers["Content-Type"] == "text/html"
        assert reply.headers["Retry-After"] == "3"
        assert str(status) in reply.text
        assert client.send("GET", "WhoAmI").status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "code", "words"),
    [
        ("deadlock", 500, "0x80044150", "Sql Number: 1205"),
        ("sql-timeout", 500, "0x80044151", "SQL timeout expired."),
        ("plugin", 400, "0x80040265", "plug-in"),
    ],
)
def test_the_database_and_plugins_fail(kind: str, status: int, code: str, words: str) -> None:
    with serving(f"{kind}:method=POST,path=CreateMultiple,times=1") as client:
        body = {"Targets": [{"@odata.type": "Microsoft.Dynamics.CRM.contact", "fullname": "A"}]}
        reply = client.send("POST", BULK, body)
        assert error(reply) == (status, code)
        assert words in reply.json()["error"]["message"]
        assert named(client, "A") == 0
        assert client.send("POST", BULK, body).status_code == 200
        assert named(client, "A") == 1


def test_a_deadlock_in_a_batch_rolls_back_its_change_set_alone() -> None:
    with serving("deadlock:nth=2,path=contacts,method=POST") as client:
        part = b"--c\r\nContent-Type: application/http\r\nContent-ID: %d\r\n\r\nPOST contacts HTTP/1.1\r\n\r\n%s\r\n"
        alone = b"--b\r\nContent-Type: application/http\r\n\r\nPOST contacts HTTP/1.1\r\n\r\n%s\r\n"
        body = b"".join(
            [
                b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n",
                part % (1, b'{"fullname":"In"}'),
                part % (2, b'{"fullname":"In"}'),
                b"--c--\r\n\r\n",
                alone % b'{"fullname":"Out"}',
                b"--b--\r\n",
            ]
        )
        headers = {"Content-Type": "multipart/mixed; boundary=b", "Prefer": "odata.continue-on-error"}
        reply = client.send("POST", "$batch", body, **headers)
        assert reply.status_code == 200
        assert "HTTP/1.1 500 Internal Server Error" in reply.text
        assert "0x80044150" in reply.text
        assert (named(client, "In"), named(client, "Out")) == (0, 1)


def test_stale_metadata_do_not_know_the_last_change() -> None:
    faults = ("stale-metadata:path=EntityDefinitions,method=GET", "stale-metadata:path=new_things,every=2")
    with serving(*faults) as client:
        asked = "EntityDefinitions?$select=LogicalName&$filter=LogicalName eq 'new_thing'"
        assert client.send("POST", "EntityDefinitions", table("new_Thing")).status_code == 204
        assert client.get(asked)["value"] == []
        assert len(client.get(asked, Consistency="Strong")["value"]) == 1
        client.create("new_things", {"new_name": "A"})
        # A server that has not heard of the table does not find its set; the next one does.
        assert error(client.send("POST", "new_things", {"new_name": "B"})) == (404, "0x80060888")
        assert [row["new_name"] for row in client.get("new_things?$select=new_name")["value"]] == ["A"]
        assert client.send("GET", "new_things").status_code == 404
        path = "EntityDefinitions(LogicalName='new_thing')/Attributes"
        assert client.send("POST", path, attribute("String", "new_Late", MaxLength=9)).status_code == 204
        assert client.send("POST", "new_things", {"new_name": "C", "new_late": "x"}).status_code == 204
        assert error(client.send("POST", "new_things", {"new_name": "D", "new_late": "x"})) == (400, "0x80048d19")
        rows = client.get("new_things?$select=new_late&$orderby=new_name")["value"]
        assert [row["new_late"] for row in rows] == [None, "x"]


def test_stale_metadata_still_name_what_is_gone() -> None:
    with serving("stale-metadata:path=new_things") as client:
        assert client.send("POST", "EntityDefinitions", table("new_Thing")).status_code == 204
        assert client.send("DELETE", "EntityDefinitions(LogicalName='new_thing')").status_code == 204
        reply = client.send("GET", "new_things")
        assert error(reply) == (500, "0x80044150")
        assert "Sql Number: 208" in reply.json()["error"]["message"]
        assert client.send("GET", "contacts").status_code == 200


def test_an_expired_token() -> None:
    with serving("expired-token:nth=2", token="t") as client:
        replies = [client.send("GET", "WhoAmI", Authorization="Bearer t") for _ in range(3)]
        assert [reply.status_code for reply in replies] == [200, 401, 200]
        assert replies[1].headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(("kind", "written"), [("drop-before", 0), ("drop-after", 1)])
def test_a_connection_dropped_before_or_after_the_commit(kind: str, written: int, secure: bool) -> None:
    with serving(f"{kind}:method=POST,times=1", self_signed=secure) as client:
        with pytest.raises(requests.ConnectionError):
            client.send("POST", "contacts", {"fullname": "A"})
        assert named(client, "A") == written
        client.create("contacts", {"fullname": "A"})
        assert named(client, "A") == written + 1


def test_a_dropped_connection_is_reset() -> None:
    with serving("drop-after:method=DELETE") as client:
        made = client.create("contacts", {"fullname": "A"})
        host, _, port = client.root.split("/")[2].partition(":")
        with socket.create_connection((host, int(port))) as raw:
            raw.sendall(b"DELETE /api/data/v9.2/contacts(%s) HTTP/1.1\r\nHost: x\r\n\r\n" % made.encode())
            with pytest.raises(ConnectionResetError):
                raw.recv(1)
        assert named(client, "A") == 0


@pytest.mark.parametrize("secure", [False, True])
def test_a_body_cut_short_of_its_length(secure: bool) -> None:
    with serving("truncate:path=accounts", self_signed=secure) as client:
        for number in range(20):
            client.create("contacts", {"fullname": str(number)})
        with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)) as broken:
            client.send("GET", "accounts")
        assert "IncompleteRead" in str(broken.value)
        assert client.send("GET", "contacts").status_code == 200


def test_a_slow_body_keeps_no_other_waiting() -> None:
    clock = VirtualClock()
    with serving("slow:path=accounts,seconds=40s", clock=clock) as client, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(requests.get, f"{client.root}accounts", timeout=30)
        for second in range(0, 40, 2):
            until(lambda: clock.sleeping() == 1)
            assert clock.now() == second
            assert not slow.done()
            assert client.send("GET", "WhoAmI").status_code == 200
            clock.advance(2)
        assert "value" in slow.result().json()


def struck(client: Client, requests_sent: int = 60) -> list[int]:
    return [place for place in range(requests_sent) if client.send("GET", "WhoAmI").status_code != 200]


def test_the_same_seed_strikes_the_same_requests() -> None:
    runs = []
    for seed in (7, 7, 8):
        with serving("503:rate=0.2", "429:rate=0.1", seed=seed) as client:
            runs.append(struck(client))
    assert runs[0] == runs[1] != runs[2]
    assert 5 < len(runs[0]) < 35


def test_how_often_a_fault_strikes() -> None:
    for settings, expected in (
        ("every=7,times=2", [6, 13]),
        ("nth=5", [4]),
        ("times=3", [0, 1, 2]),
        ("every=20", [19, 39, 59]),
        ("rate=1,times=1", [0]),
        ("method=POST", []),
        ("path=Who,nth=2", [1]),
        ("path=accounts", []),
    ):
        with serving(f"503:{settings}") as client:
            assert struck(client) == expected, settings


def test_of_several_faults_the_first_strikes() -> None:
    with serving("503:every=2", "429-requests:every=2") as client:
        statuses = [client.send("GET", "WhoAmI").status_code for _ in range(6)]
        # The second fault counts only the requests that the first one left.
        assert statuses == [200, 503, 429, 503, 200, 503]


def test_the_log_names_what_strikes_within_the_work(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    with serving("deadlock:nth=1,path=accounts", log=log) as client:
        assert client.send("GET", "accounts").status_code == 500
        assert client.send("GET", "accounts").status_code == 200
    assert [json.loads(line)["fault"] for line in log.read_text().splitlines()] == ["deadlock", None]


def test_the_log_says_what_became_of_requests(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    with serving("drop-after:method=POST", "503:path=accounts", log=log, token="secret") as client:
        with pytest.raises(requests.ConnectionError):
            client.send("POST", "contacts", {"fullname": "Private"}, Authorization="Bearer secret")
        client.send("GET", "accounts?$filter=name eq 'Private'", Authorization="Bearer secret")
        client.send("GET", "WhoAmI")
    text = log.read_text()
    assert "Private" not in text
    assert "secret" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["method"], line["path"].rpartition("/")[2], line["status"], line["fault"]) for line in lines] == [
        ("POST", "contacts", None, "drop-after"),
        ("GET", "accounts", 503, "503"),
        ("GET", "WhoAmI", 401, None),
    ]
    assert all(line["ms"] >= 0 for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "418",
        "drop-after:rate=0",
        "drop-after:rate=2",
        "503:every=0",
        "503:every=2,nth=3",
        "503:when=1",
        "slow:seconds=5",
    ],
)
def test_what_is_no_fault(text: str) -> None:
    with pytest.raises(EmulatorStartError, match="--fault"):
        Emulator(EmulatorOptions(faults=(text,))).start()


def test_the_command_takes_faults_and_refuses_what_is_none() -> None:
    command = [sys.executable, "-m", "confmig", "emulator", "--listen", "0", "--environment", str(SHOP)]
    wrong = subprocess.run([*command, "--fault", "drop-afer"], capture_output=True, text=True, timeout=30)
    assert wrong.returncode == 2
    assert all(kind in wrong.stderr.replace("\n", " ") for kind in KINDS)
    variables = {**os.environ, "CONFMIG_FAULT": "503:nth=1 429:nth=1", "CONFMIG_LIMITS": "window=30s"}
    with subprocess.Popen([*command, "--servers", "2"], stdout=subprocess.PIPE, text=True, env=variables) as process:
        assert process.stdout is not None
        client = Client(json.loads(process.stdout.readline())["url"])
        replies = [client.send("GET", "WhoAmI") for _ in range(3)]
        assert [reply.status_code for reply in replies] == [503, 429, 200]
        assert replies[2].headers["x-ms-ratelimit-burst-remaining-xrm-requests"] == "599"
        client.close()
        process.terminate()
        assert process.wait(20) == 0


def test_a_large_body_is_cut_short_too() -> None:
    with serving("truncate:method=GET") as client:
        rows = [{"@odata.type": "Microsoft.Dynamics.CRM.contact", "fullname": "x" * 100} for _ in range(3000)]
        assert client.send("POST", BULK, {"Targets": rows}).status_code == 200
        plain = http.client.HTTPConnection(client.root.split("/")[2])
        plain.request("GET", "/api/data/v9.2/contacts")
        reply = plain.getresponse()
        length = int(reply.headers["Content-Length"])
        assert length > 1_000_000
        with pytest.raises(http.client.IncompleteRead) as broken:
            reply.read()
        assert len(broken.value.partial) == length // 2
        plain.close()
