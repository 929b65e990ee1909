"""The samples in wire/: the bytes of a request as a document shows it, over a socket, and what comes back."""

import socket
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .wiresamples import agree, parse, read_sample, wire

HERE = Path(__file__).parent
OFFICE = str(HERE / "office.yml")
TOKEN = "a-token"
SAMPLES = sorted((HERE / "wire").glob("*.http"))


@pytest.fixture(scope="module")
def ending() -> Iterator[Executor]:
    """Ends servers beside the tests, which need not wait for that."""
    with ThreadPoolExecutor() as pool:
        yield pool


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_sample(path: Path, ending: Executor) -> None:
    sample = read_sample(path)
    assert sample.sources, "the sample names no document"
    assert sample.exchanges, "the sample has no request"
    options = EmulatorOptions(environment=OFFICE, token=TOKEN, deny=tuple(sample.denied))
    emulator = Emulator(options)
    emulator.start()
    try:
        values = {"base": f"{emulator.url}/api/data/v9.2/"}
        for asked, expected in sample.exchanges:
            reply = exchange(emulator.url, wire(asked, urlsplit(emulator.url).netloc, TOKEN, values))
            agree(expected, parse(reply), values)
    finally:
        ending.submit(emulator.stop)


def exchange(url: str, request: bytes) -> str:
    """Send bytes and read until the server closes the connection."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
        connection.sendall(request)
        reply = b""
        while part := connection.recv(1 << 16):
            reply += part
    return reply.decode()


SHOWN = 'HTTP/1.1 200 OK\nx-ms-count: {number}\n\n{"id": "{guid}", "name": "a", "rows": [{"n": 1}], "ok": true}'
GIVEN = (
    "HTTP/1.1 200 OK\r\nX-MS-Count: 3\r\nDate: now\r\n\r\n"
    '{"id":"a0000000-0000-4000-8000-000000000001","ok":true,"rows":[{"n":1}],"name":"a"}'
)


def test_what_agrees() -> None:
    agree(parse(SHOWN), parse(GIVEN), {})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("200 OK", "201 Created"),
        ("X-MS-Count: 3", "X-MS-Count: many"),
        ("X-MS-Count: 3", "Other: 3"),
        ('"name":"a"', '"name":"b"'),
        ('"name":"a"', '"more":1,"name":"a"'),
        (',"name":"a"', ""),
        ("a0000000-", "not-a-guid-"),
        ('"n":1', '"n":2'),
        ('[{"n":1}]', '[{"n":1},{"n":1}]'),
        ('"ok":true', '"ok":1'),
    ],
)
def test_what_does_not_agree(old: str, new: str) -> None:
    assert old in GIVEN
    with pytest.raises(AssertionError):
        agree(parse(SHOWN), parse(GIVEN.replace(old, new)), {})
