"""The client of the platforms' APIs: what it sends, what it repeats, what it refuses, how long it takes."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import trustme

from confmig.hosts.platform_api import ApiError, PlatformApi, required
from tests.hosts.conftest import TOKEN
from tests.webapi.serving import CUT, LOOPBACK, Answer, Server, free_port, json_answer

BUSY = json_answer({"message": "Try later."}, 503)


def client(url: str, waits: list[float] | None = None, seconds: float = 45.0) -> PlatformApi:
    return PlatformApi(url, TOKEN, {"Accept": "a/b"}, seconds=seconds, wait=(waits if waits is not None else []).append)


def refusal(url: str, seconds: float = 45.0) -> ApiError:
    with pytest.raises(ApiError) as caught:
        client(url, seconds=seconds).get("/thing?secret=1", dict[str, int])
    assert TOKEN not in str(caught.value)
    return caught.value


def test_a_request_has_the_token_and_the_platforms_headers() -> None:
    with Server([json_answer({"a": 1})]) as server:
        assert client(f"{server.url}/api/v3/").get("/thing", dict[str, int]) == {"a": 1}
    seen = server.seen[0]
    assert seen.target == "/api/v3/thing"
    assert seen.headers["authorization"] == f"Bearer {TOKEN}"
    assert (seen.headers["accept"], seen.headers["user-agent"]) == ("a/b", "confmig")


def test_a_netrc_file_replaces_no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text(f"machine {LOOPBACK} login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Server() as server:
        client(server.url).get("/", dict[str, int])
    assert server.seen[0].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("trouble", [BUSY, CUT, Answer(429), Answer(502), Answer(403, headers={"Retry-After": "2"})])
def test_what_may_pass_is_tried_again(trouble: Answer) -> None:
    waits: list[float] = []
    with Server([trouble, trouble, json_answer({"a": 1})]) as server:
        assert client(server.url, waits).get("/thing", dict[str, int]) == {"a": 1}
    assert waits == ([2.0, 2.0] if trouble.status == 403 else [0.5, 1.0])


def test_what_does_not_pass_is_given_up() -> None:
    waits: list[float] = []
    with (
        Server([BUSY] * 9) as server,
        pytest.raises(ApiError, match=r"/thing answered HTTP 503: Try later\.") as caught,
    ):
        client(server.url, waits).get("/thing", dict[str, int])
    assert (len(server.seen), sum(waits), caught.value.status) == (4, 3.5, 503)


def test_nobody_waits_longer_than_there_is_time() -> None:
    waits: list[float] = []
    with Server([Answer(429, headers={"Retry-After": "46"})]) as server, pytest.raises(ApiError, match="429"):
        client(server.url, waits).get("/thing", dict[str, int])
    assert waits == []


@pytest.mark.parametrize(("trouble", "times"), [(BUSY, 1), (CUT, 1), (Answer(429), 4)])
def test_a_post_is_repeated_only_when_it_was_not_carried_out(trouble: Answer, times: int) -> None:
    with Server([trouble] * 9) as server, pytest.raises(ApiError):
        client(server.url).ask("POST", "/thing", dict[str, int], {"body": "x"})
    assert [(seen.method, seen.body) for seen in server.seen] == [("POST", b'{"body":"x"}')] * times


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (json_answer({"message": f"Bad credentials {TOKEN}\n"}, 401), "HTTP 401: Bad credentials ***"),
        (Answer(403, b"<html>"), "HTTP 403."),
        (Answer(203, b"<html>Sign in</html>"), "HTTP 203."),
        (Answer(400, b'["x"]'), "HTTP 400."),
        (Answer(302, headers={"Location": "/elsewhere"}), "a redirect"),
        (Answer(200, b"<html>"), "JSON that is expected"),
        (Answer(200, b"\xff\xfe"), "JSON that is expected"),
        (Answer(200, b'{"a":"\\ud800'), "JSON that is expected"),
        (json_answer(["a"]), "JSON that is expected"),
        (Answer(200, b"[" * 100_000), "JSON that is expected"),
        (Answer(200, b"{}", {"Content-Encoding": "gzip"}), "did not answer"),
    ],
)
def test_another_answer_is_refused_with_host_and_path(answer: Answer, words: str) -> None:
    with Server([answer] * 4) as server:
        error = refusal(server.url)
    assert error.message.startswith(f"{LOOPBACK}:{server.port}/thing ")
    assert "secret=1" not in error.message
    assert not [seen for seen in server.seen if seen.target == "/elsewhere"]
    assert words in error.message


def test_nobody_there() -> None:
    port = free_port()
    assert refusal(f"http://{LOOPBACK}:{port}").message.startswith(f"{LOOPBACK}:{port}/thing did not answer: ")


@contextmanager
def _slow(first: bytes, drop: bytes) -> Iterator[str]:
    """A server that answers so, then sends a little again and again."""
    over = threading.Event()
    with closing(socket.create_server((LOOPBACK, 0))) as listener:

        def run() -> None:
            with suppress(OSError):
                while not over.is_set():
                    connection, _ = listener.accept()
                    with connection, suppress(OSError):
                        connection.sendall(first)
                        while drop and not over.wait(0.05):
                            connection.sendall(drop)
                        over.wait(1)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        over.set()


@pytest.mark.parametrize(
    ("first", "drop"), [(b"", b""), (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" " * 10)]
)
def test_an_answer_that_does_not_come_to_an_end_is_given_up(first: bytes, drop: bytes) -> None:
    began = time.monotonic()
    with _slow(first, drop) as url:
        assert "did not answer" in refusal(url, seconds=0.5).message
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "ftp://127.0.0.1",
        "http://api.example.com",
        "https://me:pass@127.0.0.1",
        "http://[::1",
        "https://127.0.0.1:99999",
    ],
)
def test_a_token_goes_to_no_such_url(url: str) -> None:
    with pytest.raises(ApiError) as caught:
        client(url)
    assert "pass" not in caught.value.message


@pytest.mark.parametrize("token", ["two words", "a\nb", "é"])
def test_a_token_that_is_none_is_not_sent_and_not_shown(token: str) -> None:
    with pytest.raises(ApiError) as caught:
        PlatformApi("https://127.0.0.1", token, {})
    assert token not in caught.value.message


def test_a_certificate_is_verified(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority, server_file = trustme.CA(), str(tmp_path / "server.pem")
    authority.issue_cert(LOOPBACK).private_key_and_cert_chain_pem.write_to_path(server_file)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    with Server([json_answer({"a": 1})], server_file) as server:
        assert "certificate" in refusal(server.url).message
        assert not server.seen
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
        assert client(server.url).get("/", dict[str, int]) == {"a": 1}


def test_pages_are_followed_on_the_same_host_alone() -> None:
    with Server() as stranger, Server() as server:
        server._left[:] = [
            json_answer([1], Link=f'<{server.url}/x?page=2>; rel="next", <{server.url}/x>; rel="last"'),
            json_answer([2], Link=f'<{stranger.url}/x?page=3>; rel="next"'),
        ]
        entries = client(server.url).pages("/x", list[int])
        assert [next(entries), next(entries)] == [1, 2]
        with pytest.raises(ApiError, match="another host"):
            next(entries)
    assert [seen.target for seen in server.seen] == ["/x", "/x?page=2"]
    assert not stranger.seen


@pytest.mark.parametrize("value", [None, "", "  ", "$(System.AccessToken)"])
def test_a_variable_that_is_not_set(value: str | None) -> None:
    with pytest.raises(ApiError, match="NAME is not set"):
        required({} if value is None else {"NAME": value}, "NAME")
