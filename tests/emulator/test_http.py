"""HTTP itself: what any client of any language may do with a server, and what the service says at its edges."""

import json
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse

import pytest
import requests

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client, error
from .conftest import SHOP

ROOT = b"/api/data/v9.2/"
HOST = b"Host: here.example\r\n"


@pytest.fixture
def wire(shop: Client) -> Iterator[socket.socket]:
    """A connection on which a test writes bytes of its own."""
    host, _, port = shop.root.split("/")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        yield connection


def answer(connection: socket.socket, method: str = "GET") -> HTTPResponse:
    reply = HTTPResponse(connection, method=method)
    reply.begin()
    return reply


def test_every_answer_has_the_headers_of_the_service(shop: Client) -> None:
    seen = set()
    for method, path, body in (
        ("GET", "WhoAmI", None),
        ("GET", "accounts", None),
        ("POST", "contacts", {"fullname": "A"}),
        ("GET", "nothings", None),
        ("GET", f"contacts?$filter=fullname eq '{'a' * 33_000}'", None),
        ("PATCH", f"contacts({uuid.uuid4()})", {"wrong": 1}),
    ):
        reply = shop.send(method, path, body)
        assert reply.headers["OData-Version"] == "4.0"
        assert reply.headers["x-ms-service-request-id"] == reply.headers["REQ_ID"]
        seen.add(str(uuid.UUID(reply.headers["REQ_ID"])))
    assert len(seen) == 6


def test_head_is_a_get_without_its_body(shop: Client) -> None:
    for path in ("contacts", "WhoAmI", "nothings", "contacts/$count"):
        get, head = shop.send("GET", path), shop.send("HEAD", path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers["Content-Type"] == get.headers["Content-Type"]
        assert head.headers["Content-Length"] == get.headers["Content-Length"]


def test_options_names_the_methods(shop: Client) -> None:
    reply = shop.send("OPTIONS", "contacts")
    assert reply.status_code == 200
    assert {"GET", "POST", "PATCH", "DELETE"} <= set(reply.headers["Allow"].split(","))
    assert not [name for name in reply.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("origin", ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:8080"])
def test_a_page_of_this_machine_may_ask(shop: Client, origin: str) -> None:
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization,if-match"}
    before = shop.send("OPTIONS", "contacts", Origin=origin, **asked)
    assert before.headers["Access-Control-Allow-Origin"] == origin
    assert "PATCH" in before.headers["Access-Control-Allow-Methods"]
    assert before.headers["Access-Control-Allow-Headers"] == "authorization,if-match"
    reply = shop.send("POST", "contacts", {"fullname": "A"}, Origin=origin)
    assert reply.headers["Access-Control-Allow-Origin"] == origin
    assert "OData-EntityId" in reply.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "http://localhost.example", "null", ""])
def test_a_page_from_elsewhere_reads_nothing(shop: Client, origin: str) -> None:
    for method in ("OPTIONS", "GET"):
        reply = shop.send(method, "contacts", Origin=origin, Access_Control_Request_Method="GET")
        assert not [name for name in reply.headers if name.startswith("Access-Control")]


def test_answers_are_packed_for_those_who_accept_it(shop: Client) -> None:
    for _ in range(30):
        shop.create("contacts", {"fullname": "A rather long name, so that there is something to pack"})
    plain = shop.send("GET", "contacts", Accept_Encoding="identity")
    assert "Content-Encoding" not in plain.headers
    for accepted in ("gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.5", "GZIP"):
        packed = shop.send("GET", "contacts", Accept_Encoding=accepted)
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.headers["Vary"] == "Accept-Encoding"
        assert packed.content == plain.content
        assert int(packed.headers["Content-Length"]) < len(plain.content) // 2
    for refused in ("gzip;q=0", "br", "xgzip", "gzip; q=0.0"):
        assert "Content-Encoding" not in shop.send("GET", "contacts", Accept_Encoding=refused).headers
    assert "Content-Encoding" not in shop.send("GET", "WhoAmI", Accept_Encoding="gzip").headers


def test_a_body_in_chunks(wire: socket.socket, shop: Client) -> None:
    wire.sendall(
        b"POST " + ROOT + b"contacts HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
        b'b\r\n{"fullname"\r\n4;x=y\r\n: "C\r\n7\r\nhunks"}\r\n0\r\n\r\n'
    )
    reply = answer(wire)
    assert reply.status == 204
    assert reply.headers["OData-EntityId"].startswith("http://here.example/api/data/v9.2/contacts(")
    assert len(shop.get("contacts?$filter=fullname eq 'Chunks'")["value"]) == 1


def test_whoever_waits_for_100_continue_is_told_so(wire: socket.socket) -> None:
    head = b"POST " + ROOT + b"contacts HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 16\r\n\r\n"
    wire.sendall(head)
    assert wire.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.sendall(b'{"fullname":"A"}')
    assert answer(wire).status == 204


def test_what_is_too_large_is_refused_before_it_is_sent(wire: socket.socket) -> None:
    length = str((128 << 20) + 1).encode()
    wire.sendall(
        b"POST "
        + ROOT
        + b"contacts HTTP/1.1\r\n"
        + HOST
        + b"Expect: 100-continue\r\nContent-Length: "
        + length
        + b"\r\n\r\n"
    )
    reply = answer(wire)
    assert reply.status == 413
    assert json.loads(reply.read())["error"]["code"] == "0x8004418A"


def test_what_is_too_large_in_chunks_is_refused_too(wire: socket.socket) -> None:
    wire.sendall(b"POST " + ROOT + b"contacts HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
    chunk = b"1000000\r\n" + bytes(1 << 24) + b"\r\n"
    for _ in range(8):
        wire.sendall(chunk)
    wire.sendall(b"1\r\nx\r\n0\r\n\r\n")
    assert answer(wire).status == 413


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET " + ROOT + b"WhoAmI HTTP/1.1\r\n\r\n",
        b"GET " + ROOT + b"WhoAmI HTTP/1.1\r\n" + HOST + b"No colon\r\n\r\n",
        b"POST " + ROOT + b"contacts HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST " + ROOT + b"contacts HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
        b"POST " + ROOT + b"contacts HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a client that speaks TLS\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(wire: socket.socket, shop: Client, request_bytes: bytes) -> None:
    wire.sendall(request_bytes)
    first = wire.recv(4096)
    assert first == b"" or first.startswith(b"HTTP/1.1 400 ")
    assert shop.send("GET", "WhoAmI").status_code == 200


def test_requests_in_one_go_are_answered_in_order(wire: socket.socket) -> None:
    wire.sendall(
        b"".join(
            b"GET " + ROOT + b"contacts?$top=%d&$select=fullname HTTP/1.1\r\n" % n + HOST + b"\r\n" for n in (1, 2, 3)
        )
    )
    received = b""
    while received.count(b"HTTP/1.1 200 OK") < 3 or not received.endswith(b"]}"):
        received += wire.recv(65536)
    bodies = [part.partition(b"\r\n\r\n")[2] for part in received.split(b"HTTP/1.1 200 OK")[1:]]
    assert [len(json.loads(body)["value"]) for body in bodies] == [1, 2, 3]


def test_a_connection_serves_many_requests(wire: socket.socket) -> None:
    for _ in range(20):
        wire.sendall(b"GET " + ROOT + b"WhoAmI HTTP/1.1\r\n" + HOST + b"\r\n")
        assert json.loads(answer(wire).read())["UserId"]
    wire.sendall(b"GET " + ROOT + b"WhoAmI HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert answer(wire).read()
    assert wire.recv(1) == b""


def test_an_old_client_names_no_host(wire: socket.socket, shop: Client) -> None:
    wire.sendall(b"GET " + ROOT + b"WhoAmI HTTP/1.0\r\n\r\n")
    assert json.loads(answer(wire).read())["@odata.context"].startswith(shop.root)


def test_a_client_that_leaves_in_the_middle_writes_nothing(wire: socket.socket, shop: Client) -> None:
    wire.sendall(b"POST " + ROOT + b"contacts HTTP/1.1\r\n" + HOST + b'Content-Length: 100\r\n\r\n{"fullname":"Gone"}')
    wire.close()
    assert shop.get("contacts?$filter=fullname eq 'Gone'")["value"] == []


def test_other_paths_are_not_here(shop: Client) -> None:
    host = shop.root.partition("/api/")[0]
    for path in (
        "/",
        "/favicon.ico",
        "/api",
        "/api/data",
        "/api/data/v8.2/WhoAmI",
        "/XRMServices/2011/Organization.svc",
    ):
        assert requests.get(host + path, timeout=5).status_code == 404


def test_an_unknown_method(shop: Client) -> None:
    for method in ("BREW", "TRACE", "PUT"):
        assert error(shop.send(method, "contacts"))[0] in (404, 405)


def test_many_connections_at_once_are_all_served(shop: Client) -> None:
    host = shop.root.split("/")[2]
    before = len(shop.get("contacts?$filter=fullname eq 'Many'&$select=fullname")["value"])
    barrier = threading.Barrier(64)

    def work(_: int) -> list[int]:
        connection = HTTPConnection(host, timeout=30)
        barrier.wait()
        statuses = []
        for _ in range(5):
            connection.request("POST", "/api/data/v9.2/contacts", b'{"fullname":"Many"}')
            reply = connection.getresponse()
            reply.read()
            statuses.append(reply.status)
        connection.close()
        return statuses

    with ThreadPoolExecutor(64) as pool:
        assert {status for statuses in pool.map(work, range(64)) for status in statuses} == {204}
    assert len(shop.get("contacts?$filter=fullname eq 'Many'&$select=fullname")["value"]) == before + 320


def test_ipv6() -> None:
    with Emulator(EmulatorOptions(environment=str(SHOP), host="::1")) as emulator:
        assert emulator.url.startswith("http://[::1]:")
        client = Client(emulator.url)
        made = client.send("POST", "contacts", {"fullname": "A"})
        assert made.headers["OData-EntityId"].startswith(f"{emulator.url}/api/data/v9.2/contacts(")
        assert client.send("GET", made.headers["OData-EntityId"]).status_code == 200
        client.close()


def test_it_stops_soon_whoever_is_connected() -> None:
    emulator = Emulator(EmulatorOptions(environment=str(SHOP), latency="request=300ms"))
    emulator.start()
    client = Client(emulator.url)
    assert client.send("GET", "WhoAmI").status_code == 200
    port = int(emulator.url.rpartition(":")[2])
    with ThreadPoolExecutor(1) as pool, socket.create_connection(("127.0.0.1", port)):
        under_way = pool.submit(requests.get, f"{emulator.url}/api/data/v9.2/WhoAmI", timeout=10)
        time.sleep(0.1)
        began = time.monotonic()
        emulator.stop()
        assert time.monotonic() - began < 3
        # What was under way is still answered.
        assert under_way.result().status_code == 200
    with pytest.raises(requests.ConnectionError):
        client.send("GET", "WhoAmI")
    client.close()


def test_a_request_that_takes_too_long_does_not_keep_it_from_ending() -> None:
    command = [sys.executable, "-m", "confmig", "emulator", "--listen", "0", "--latency", "request=60s"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process, ThreadPoolExecutor(1) as pool:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        under_way = pool.submit(requests.get, f"{url}/api/data/v9.2/WhoAmI", timeout=30)
        time.sleep(0.5)
        process.terminate()
        _, printed = process.communicate(timeout=10)
        assert process.returncode == 0
        assert "Traceback" not in printed
        with pytest.raises(requests.ConnectionError):
            under_way.result()
