"""The service protection limits: 300 seconds of them pass in milliseconds, by a virtual clock."""

import base64
import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from confmig.emulator.clock import VirtualClock
from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.http.limits import Limits
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client, error, until
from .conftest import SHOP

REQUESTS = "x-ms-ratelimit-burst-remaining-xrm-requests"
TIME = "x-ms-ratelimit-time-remaining-xrm-requests"


@contextmanager
def serving(**options: Any) -> Iterator[tuple[Client, VirtualClock]]:
    clock = VirtualClock()
    with Emulator(EmulatorOptions(environment=str(SHOP), clock=clock, **options)) as emulator:
        client = Client(emulator.url)
        try:
            yield client, clock
        finally:
            client.close()


def who(client: Client, **headers: str) -> requests.Response:
    # No cookies, as the documents advise for throughput.
    client.session.cookies.clear()
    return client.send("GET", "WhoAmI", **headers)


def refused(reply: requests.Response, code: str, message: str) -> int:
    """The seconds that a refused client shall wait."""
    assert error(reply) == (429, code)
    assert reply.json()["error"]["message"] == message
    return int(reply.headers["Retry-After"])


MANY = "Number of requests exceeded the limit of {} over time window of {} seconds."
LONG = (
    "Combined execution time of incoming requests exceeded limit of {} milliseconds over time window of {} seconds. "
    "Decrease number of concurrent requests or reduce the duration of requests and try again later."
)


def test_the_documented_budgets() -> None:
    assert Limits.parse("on") == Limits(300.0, 6000, 1200.0, 52)
    assert Limits.parse("window=30s") == Limits(30.0, 600, 120.0, 52)
    assert Limits.parse("window=30s,requests=10,execution=2s,concurrent=3") == Limits(30.0, 10, 2.0, 3)


def test_the_6001st_request_of_five_minutes_is_refused() -> None:
    with serving(limits="on") as (client, clock):
        assert who(client).headers[REQUESTS] == "5999"
        clock.advance(10)
        plain = http.client.HTTPConnection(client.root.split("/")[2])
        for _ in range(5999):
            plain.request("GET", "/api/data/v9.2/WhoAmI")
            with plain.getresponse() as reply:
                assert reply.status == 200
                assert reply.read()
        plain.close()
        assert refused(who(client), "0x80072322", MANY.format(6000, 300)) == 291
        clock.advance(291)
        late = who(client)
        assert (late.status_code, late.headers[REQUESTS]) == (200, "0")


def test_the_window_slides_and_a_refused_request_is_not_counted() -> None:
    with serving(limits="requests=3") as (client, clock):
        for left in ("2", "1", "0"):
            assert who(client).headers[REQUESTS] == left
            clock.advance(100)
        # The first request is 300 seconds old and counts no more.
        assert who(client).status_code == 200
        wait = refused(who(client), "0x80072322", MANY.format(3, 300))
        assert wait == 101
        clock.advance(99)
        assert who(client).status_code == 429
        clock.advance(2)
        assert who(client).status_code == 200


def test_who_keeps_pushing_waits_longer() -> None:
    with serving(limits="requests=1,window=100s") as (client, clock):
        assert who(client).status_code == 200
        clock.advance(50)
        waits = [int(who(client).headers["Retry-After"]) for _ in range(100)]
        assert waits == sorted(waits)
        assert (waits[0], waits[-1]) == (51, 60)
        for _ in range(1000):
            wait = int(who(client).headers["Retry-After"])
        assert wait == 100
        # Only the time that was told last ends it, even if the window is empty before.
        clock.advance(99)
        assert who(client).status_code == 429
        clock.advance(int(who(client).headers["Retry-After"]))
        assert who(client).status_code == 200


def test_combined_execution_time_counts_whole_batches() -> None:
    with serving(limits="window=30s,execution=10s", latency="request=1s,row=3s") as (client, clock):
        body = b"\r\n".join(
            [
                *(
                    b'--b\r\nContent-Type: application/http\r\n\r\nPOST contacts HTTP/1.1\r\n\r\n{"fullname":"%d"}' % n
                    for n in range(4)
                ),
                b"--b--",
                b"",
            ]
        )
        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(client.send, "POST", "$batch", body, Content_Type="multipart/mixed; boundary=b")
            until(lambda: clock.sleeping() == 1)
            clock.advance(13)
            reply = sent.result()
        assert reply.status_code == 200
        assert (reply.headers[REQUESTS], reply.headers[TIME]) == ("599", "0.00")
        assert refused(who(client), "0x80072321", LONG.format("10,000", 30)) == 30
        clock.advance(30)
        with ThreadPoolExecutor(1) as pool:
            again = pool.submit(who, client)
            until(lambda: clock.sleeping() == 1)
            clock.advance(1)
            assert (again.result().status_code, again.result().headers[TIME]) == (200, "9.00")


def test_the_53rd_request_at_once_is_refused() -> None:
    with serving(limits="on", latency="request=5s") as (client, clock), ThreadPoolExecutor(52) as pool:
        url = f"{client.root}WhoAmI"
        running = [pool.submit(requests.get, url, timeout=30) for _ in range(52)]
        until(lambda: clock.sleeping() == 52)
        first = who(client)
        assert refused(first, "0x80072326", "Number of concurrent requests exceeded the limit of 52.") == 2
        # Another caller has limits of its own.
        other = pool.submit(who, client, Authorization="Bearer another")
        clock.advance(5)
        assert {reply.result().status_code for reply in running} == {200}
        until(lambda: clock.sleeping() == 1)
        clock.advance(5)
        assert other.result().status_code == 200


def test_each_credential_is_counted_alone() -> None:
    with serving(limits="requests=2") as (client, _):
        for token in ("one", "two", None):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            assert [who(client, **headers).status_code for _ in range(3)] == [200, 200, 429]


def test_a_renewed_token_is_of_the_same_caller() -> None:
    def token(**claims: object) -> str:
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return f"Bearer e30.{payload}.signature"

    with serving(limits="requests=2") as (client, _):
        sent = [token(sub="one", iat=1), token(sub="one", iat=2), token(sub="one", iat=3), token(sub="two", iat=1)]
        assert [who(client, Authorization=one).status_code for one in sent] == [200, 200, 429, 200]
        # What has no such form is a caller of its own.
        for odd in (
            "Bearer a.b.c",
            "Bearer e30.!!!.x",
            "Bearer e30.WzFd.x",
            "Bearer e30.e30.x",
            "Basic ..",
            "Bearer ...",
        ):
            assert [who(client, Authorization=odd).status_code for _ in range(3)] == [200, 200, 429]


def test_without_limits_the_headers_show_a_full_budget() -> None:
    with serving() as (client, _):
        for _ in range(3):
            reply = who(client)
            # The form in which the service writes them.
            assert (reply.headers[REQUESTS], reply.headers[TIME]) == ("6000", "1,200.00")


@pytest.mark.parametrize(
    "text",
    [
        "off",
        "window=30",
        "window=x",
        "window=0s",
        "requests=0",
        "requests=1.5",
        "concurrent=-1",
        "window=1s,window=2s",
        "requests=",
    ],
)
def test_what_is_no_limit(text: str) -> None:
    with pytest.raises(EmulatorStartError, match="--limits"):
        Emulator(EmulatorOptions(limits=text)).start()
