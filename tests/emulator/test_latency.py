"""The latency model: requests, rows and workers take the time that they are said to take."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import pytest
import requests

from confmig.emulator.clock import VirtualClock
from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client, until
from .conftest import SHOP

TARGETS = [{"@odata.type": "Microsoft.Dynamics.CRM.contact", "fullname": str(number)} for number in range(50)]
BATCH = (
    b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
    b'--c\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\nPOST contacts HTTP/1.1\r\n\r\n{"fullname":"A"}\r\n'
    b'--c\r\nContent-Type: application/http\r\nContent-ID: 2\r\n\r\nPOST contacts HTTP/1.1\r\n\r\n{"fullname":"B"}\r\n'
    b"--c--\r\n\r\n--b\r\nContent-Type: application/http\r\n\r\n"
    b"GET contacts?$top=1 HTTP/1.1\r\n\r\n\r\n--b--\r\n"
)


@contextmanager
def serving(latency: str, *, automatic: bool = True) -> Iterator[tuple[Client, VirtualClock]]:
    clock = VirtualClock(automatic=automatic)
    with Emulator(EmulatorOptions(environment=str(SHOP), clock=clock, latency=latency)) as emulator:
        client = Client(emulator.url)
        try:
            yield client, clock
        finally:
            client.close()


def test_each_request_and_row_takes_its_time() -> None:
    with serving("request=60ms,row=8ms,read=0.5ms") as (client, clock):

        def took(send: Callable[[], requests.Response]) -> float:
            before = clock.now()
            assert send().status_code < 300
            return round((clock.now() - before) * 1000, 3)

        bulk = "contacts/Microsoft.Dynamics.CRM.CreateMultiple"
        assert took(lambda: client.send("GET", "WhoAmI")) == 60
        assert took(lambda: client.send("POST", "contacts", {"fullname": "A"})) == 68
        assert took(lambda: client.send("POST", bulk, {"Targets": TARGETS})) == 60 + 50 * 8
        assert took(lambda: client.send("GET", "contacts?$top=40")) == 60 + 40 * 0.5
        fetch = '<fetch count="10"><entity name="contact"/></fetch>'
        assert took(lambda: client.send("GET", f"contacts?fetchXml={fetch}")) == 60 + 10 * 0.5
        headers = {"Content-Type": "multipart/mixed; boundary=b"}
        assert took(lambda: client.send("POST", "$batch", BATCH, **headers)) == 60 + 2 * 8 + 0.5
        made = client.create("contacts", {"fullname": "B"})
        assert took(lambda: client.send("PATCH", f"contacts({made})", {"fullname": "C"})) == 68
        assert took(lambda: client.send("GET", f"contacts({made})")) == 60.5
        assert took(lambda: client.send("DELETE", f"contacts({made})")) == 68


def test_requests_beyond_the_workers_wait_in_line() -> None:
    with serving("request=1s,workers=4", automatic=False) as (client, clock), ThreadPoolExecutor(10) as pool:
        running = [pool.submit(requests.get, f"{client.root}WhoAmI", timeout=30) for _ in range(10)]

        def seen(asleep: int, done: int) -> bool:
            return (clock.sleeping(), sum(reply.done() for reply in running)) == (asleep, done)

        for asleep, done in ((4, 0), (4, 4), (2, 8)):
            until(partial(seen, asleep, done))
            clock.advance(1)
        until(partial(seen, 0, 10))
        assert clock.now() == 3


def test_waiting_requests_keep_no_other_from_being_answered() -> None:
    with Emulator(EmulatorOptions(environment=str(SHOP), latency="row=1s")) as emulator:
        client = Client(emulator.url)
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(requests.post, f"{client.root}contacts", json={"fullname": "Slow"}, timeout=30)
            until(lambda: bool(client.get("contacts?$filter=fullname eq 'Slow'&$select=fullname")["value"]))
            began = time.monotonic()
            for _ in range(20):
                client.get("WhoAmI")
            assert time.monotonic() - began < 1
            assert not slow.done()
            assert slow.result().elapsed.total_seconds() >= 1
        client.close()


def test_rows_have_the_time_of_the_clock() -> None:
    clock = VirtualClock(datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC))
    with Emulator(EmulatorOptions(environment=str(SHOP), clock=clock)) as emulator:
        client = Client(emulator.url)
        row = f"contacts({client.create('contacts', {'fullname': 'A'})})?$select=createdon,modifiedon"
        assert client.get(row)["createdon"] == "2031-05-06T07:08:09Z"
        clock.advance(86_400)
        client.send("PATCH", row.partition("?")[0], {"fullname": "B"})
        assert client.get(row)["createdon"] == "2031-05-06T07:08:09Z"
        assert client.get(row)["modifiedon"] == "2031-05-07T07:08:09Z"
        client.close()


@pytest.mark.parametrize("text", ["request", "request=5", "row=-1ms", "speed=1ms", "workers=0", "workers=2s"])
def test_what_is_no_latency(text: str) -> None:
    with pytest.raises(EmulatorStartError, match="--latency"):
        Emulator(EmulatorOptions(latency=text)).start()
