"""Sending over real HTTP: connections, cookies, redirects, waiting and sending again."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from confmig.errors import AccessError, LostAnswerError, ServiceError
from confmig.webapi.sender import HttpSender, Request, RetryingSender, SigningSender

from .conftest import Certificates
from .serving import CUT, Answer, Replies, Server, free_port, response

BUSY = Answer(429, b"", {"Retry-After": "7"})
SHORTENED = Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
NONSENSE = Answer(raw=b"SSH-2.0-OpenSSH\r\n")


class Fixed:
    """A token source with one token."""

    def token(self, *, refused: str | None = None) -> str | None:
        del refused
        return "the-token"


def retrying(server: Server, waits: list[float], attempts: int = 6) -> RetryingSender:
    return RetryingSender(HttpSender(server.url), attempts=attempts, wait=waits.append)


def get(server: Server) -> Request:
    return Request("GET", f"{server.url}/x")


def post(server: Server) -> Request:
    return Request("POST", f"{server.url}/x", body=b"row", repeatable=False)


class TestOverHttp:
    def test_a_request_arrives_as_it_was_meant(self) -> None:
        with Server() as server:
            url = f"{server.url}/api/data/v9.2/accounts?$filter=name%20eq%20'a%26b%25%2B%23'"
            HttpSender(server.url).send(Request("PATCH", url, {"If-Match": "*", "Prefer": "a=b"}, "é".encode()))
            (seen,) = server.seen
        assert seen.method == "PATCH"
        assert seen.target == "/api/data/v9.2/accounts?$filter=name%20eq%20'a%26b%25%2B%23'"
        assert seen.headers["if-match"] == "*"
        assert seen.headers["prefer"] == "a=b"
        assert seen.body == "é".encode()

    def test_a_response_is_given_whatever_its_status_with_header_names_in_lower_case(self) -> None:
        answer = Answer(418, b"\xff\x00", {"X-MS-Service-Request-Id": "4711", "REQ_ID": "0815"})
        with Server([answer]) as server:
            got = HttpSender(server.url).send(get(server))
        assert (got.status, got.body) == (418, b"\xff\x00")
        assert got.headers["x-ms-service-request-id"] == "4711"
        assert got.request_id == "4711"

    def test_the_request_id_may_stand_in_the_older_header(self) -> None:
        with Server([Answer(headers={"REQ_ID": "0815"}), Answer()]) as server:
            sender = HttpSender(server.url)
            assert [sender.send(get(server)).request_id for _ in range(2)] == ["0815", ""]

    def test_a_connection_is_used_again(self) -> None:
        with Server() as server:
            sender = HttpSender(server.url)
            for _ in range(4):
                sender.send(get(server))
            assert len({seen.connection for seen in server.seen}) == 1

    def test_threads_have_connections_of_their_own(self) -> None:
        barrier = threading.Barrier(3, timeout=10)

        def together(_: object) -> Answer:
            barrier.wait()
            return Answer()

        with Server(together) as server:
            sender = HttpSender(server.url)
            threads = [threading.Thread(target=sender.send, args=(get(server),)) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len({seen.connection for seen in server.seen}) == 3

    def test_cookies_are_never_sent_back(self) -> None:
        cookie = Answer(headers={"Set-Cookie": "ARRAffinity=server1; Path=/"})
        with Server(lambda _: cookie) as server:
            sender = HttpSender(server.url)
            for _ in range(3):
                sender.send(get(server))
            assert all("cookie" not in seen.headers for seen in server.seen)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed(self, status: int) -> None:
        with Server() as elsewhere, Server([Answer(status, b"", {"Location": f"{elsewhere.url}/y"})]) as server:
            sender = SigningSender(HttpSender(server.url), Fixed())
            assert sender.send(post(server)).status == status
            assert elsewhere.seen == []
            assert len(server.seen) == 1

    def test_a_netrc_file_does_not_replace_the_token(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login somebody password else\n")
        monkeypatch.setenv("NETRC", str(netrc))
        with Server() as server:
            SigningSender(HttpSender(server.url), Fixed()).send(get(server))
            assert server.seen[0].headers["authorization"] == "Bearer the-token"

    def test_a_proxy_of_the_process_is_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with Server([Answer(201)]) as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            answer = HttpSender("http://contoso.invalid").send(Request("GET", "http://contoso.invalid/api?a=b"))
            assert answer.status == 201
            assert proxy.seen[0].target == "http://contoso.invalid/api?a=b"

    def test_a_host_without_proxy_is_asked_directly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with Server() as proxy, Server() as server:
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
            HttpSender(server.url).send(get(server))
            assert (len(server.seen), len(proxy.seen)) == (1, 0)


class TestCertificates:
    def test_of_the_users_own_authority_are_trusted(self, trusted: Certificates) -> None:
        with Server(tls=trusted.server) as server:
            assert HttpSender(server.url).send(get(server)).status == 200

    @pytest.mark.parametrize("repeatable", [True, False])
    def test_of_a_stranger_are_an_error_that_is_not_repeated(
        self, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, repeatable: bool
    ) -> None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificates.stranger)
        waits: list[float] = []
        with Server(tls=certificates.server) as server:
            request = Request("POST", f"{server.url}/x", body=b"row", repeatable=repeatable)
            with pytest.raises(ServiceError, match="certificate") as caught:
                retrying(server, waits).send(request)
            assert server.seen == []
        assert not isinstance(caught.value, LostAnswerError)
        assert server.url in caught.value.message
        assert "REQUESTS_CA_BUNDLE" in caught.value.hint
        assert waits == []

    def test_are_not_to_blame_for_a_stream_that_breaks_after_the_request_was_sent(self, trusted: Certificates) -> None:
        broken = Answer(naked=b"HTTP/1.1 200 OK\r\n\r\n")
        with Server([broken], tls=trusted.server) as server:
            with pytest.raises(LostAnswerError):
                HttpSender(server.url).send(post(server))
            assert [seen.body for seen in server.seen] == [b"row"]


class TestThrottling:
    @pytest.mark.parametrize("make", [get, post])
    def test_a_429_is_waited_for_and_repeated(self, make: Callable[[Server], Request]) -> None:
        waits: list[float] = []
        with Server([BUSY]) as server:
            sender = retrying(server, waits)
            assert sender.send(make(server)).status == 200
            assert len(server.seen) == 2
            assert server.seen[0].body == server.seen[1].body
        assert len(waits) == 1
        assert 6 < waits[0] <= 7

    def test_other_threads_are_held_back_too(self) -> None:
        waits: dict[str, list[float]] = {}

        def wait(seconds: float) -> None:
            waits.setdefault(threading.current_thread().name, []).append(seconds)

        with Server([BUSY]) as server:
            sender = RetryingSender(HttpSender(server.url), wait=wait)
            sender.send(get(server))
            other = threading.Thread(target=sender.send, args=(get(server),), name="other")
            other.start()
            other.join()
            assert len(server.seen) == 3
        assert len(waits["other"]) == 1
        assert 5 < waits["other"][0] <= 7

    def test_without_a_time_to_wait_the_pauses_grow(self) -> None:
        waits: list[float] = []
        with Server([Answer(429, b"")] * 4) as server:
            assert retrying(server, waits).send(post(server)).status == 200
        assert len(waits) == 4
        assert waits == sorted(waits)
        assert 0 < waits[0] < 1

    def test_a_fraction_of_a_second_is_understood(self) -> None:
        with Server([Answer(429, b"", {"Retry-After": "0.1"})]) as server:
            waits: list[float] = []
            sender = RetryingSender(HttpSender(server.url), wait=waits.append)
            assert sender.send(get(server)).status == 200
        assert 0 < waits[0] <= 0.1

    def test_a_wait_beyond_the_longest_is_an_error_that_names_it(self) -> None:
        waits: list[float] = []
        with Server([Answer(429, b"", {"Retry-After": "301"})]) as server:
            with pytest.raises(ServiceError, match=r"301 seconds.*429") as caught:
                retrying(server, waits).send(get(server))
            assert len(server.seen) == 1
        assert waits == []
        assert caught.value.hint

    def test_after_the_last_attempt_the_last_response_is_given(self) -> None:
        waits: list[float] = []
        replies = [Answer(429, name, {"Retry-After": "1"}) for name in (b"1", b"2", b"3", b"4")]
        with Server(replies) as server:
            answer = retrying(server, waits, attempts=3).send(get(server))
            assert (answer.status, answer.body) == (429, b"3")
            assert len(server.seen) == 3
        assert len(waits) == 2


class TestFailingGateways:
    @pytest.mark.parametrize("make", [get, post])
    def test_a_503_is_repeated_for_it_means_that_nothing_was_done(self, make: Callable[[Server], Request]) -> None:
        waits: list[float] = []
        with Server([Answer(503, b"")]) as server:
            assert retrying(server, waits).send(make(server)).status == 200
            assert len(server.seen) == 2
        assert len(waits) == 1

    @pytest.mark.parametrize("status", [502, 504])
    def test_a_502_or_504_is_repeated_where_that_does_no_harm(self, status: int) -> None:
        waits: list[float] = []
        with Server([Answer(status, b"")] * 2) as server:
            assert retrying(server, waits).send(get(server)).status == 200
            assert len(server.seen) == 3
        assert len(waits) == 2

    @pytest.mark.parametrize("status", [502, 504])
    def test_a_502_or_504_is_given_back_where_repeating_could_do_it_twice(self, status: int) -> None:
        waits: list[float] = []
        with Server([Answer(status, b"")]) as server:
            assert retrying(server, waits).send(post(server)).status == status
            assert len(server.seen) == 1
        assert waits == []

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 412, 413, 500, 501])
    def test_other_refusals_are_not_repeated(self, status: int) -> None:
        with Server([Answer(status, b"")]) as server:
            assert retrying(server, []).send(get(server)).status == status
            assert len(server.seen) == 1


class TestALostConnection:
    @pytest.mark.parametrize("loss", [CUT, SHORTENED, NONSENSE], ids=["closed", "shortened", "no HTTP"])
    def test_is_repeated_where_that_does_no_harm(self, loss: Answer) -> None:
        waits: list[float] = []
        with Server([loss]) as server:
            assert retrying(server, waits).send(get(server)).status == 200
            assert len(server.seen) == 2
        assert len(waits) == 1

    @pytest.mark.parametrize("loss", [CUT, SHORTENED, NONSENSE], ids=["closed", "shortened", "no HTTP"])
    def test_is_a_lost_answer_where_repeating_could_do_it_twice(self, loss: Answer) -> None:
        waits: list[float] = []
        with Server([loss]) as server:
            with pytest.raises(LostAnswerError) as caught:
                retrying(server, waits).send(post(server))
            assert len(server.seen) == 1
        assert server.url in caught.value.message
        assert waits == []

    def test_is_a_lost_answer_too_when_the_attempts_are_used_up(self) -> None:
        waits: list[float] = []
        with Server(lambda _: CUT) as server:
            with pytest.raises(LostAnswerError):
                retrying(server, waits, attempts=3).send(get(server))
            assert len(server.seen) == 3
        assert len(waits) == 2

    def test_shows_no_token(self) -> None:
        with Server(lambda _: CUT) as server, pytest.raises(LostAnswerError) as caught:
            SigningSender(HttpSender(server.url), Fixed()).send(get(server))
        assert "the-token" not in str(caught.value)


class TestAServerThatIsNotThere:
    @pytest.mark.parametrize("repeatable", [True, False])
    def test_is_an_error_that_names_its_url_and_not_a_lost_answer(self, repeatable: bool) -> None:
        url = f"http://127.0.0.1:{free_port()}"
        waits: list[float] = []
        sender = RetryingSender(HttpSender(url), wait=waits.append)
        with pytest.raises(ServiceError) as caught:
            sender.send(Request("POST", f"{url}/x", body=b"row", repeatable=repeatable))
        assert not isinstance(caught.value, LostAnswerError)
        assert url in caught.value.message
        assert "refused" in caught.value.message
        assert len(waits) == 2

    def test_behind_a_proxy_that_is_not_there_is_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
        sender = HttpSender("http://contoso.invalid")
        with pytest.raises(ServiceError, match=r"http://contoso\.invalid") as caught:
            sender.send(Request("POST", "http://contoso.invalid/x", body=b"row", repeatable=False))
        assert not isinstance(caught.value, LostAnswerError)

    def test_that_comes_back_is_sent_the_request_even_if_it_may_not_be_repeated(self) -> None:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        with ExitStack() as later:
            servers: list[Server] = []

            def wait(_: float) -> None:
                servers.append(later.enter_context(Server(port=port)))

            sender = RetryingSender(HttpSender(url), wait=wait)
            assert sender.send(Request("POST", f"{url}/x", body=b"row", repeatable=False)).status == 200
            assert [[seen.body for seen in server.seen] for server in servers] == [[b"row"]]


def test_a_sign_in_that_fails_is_not_repeated() -> None:
    waits: list[float] = []
    sender = RetryingSender(Replies(AccessError("no"), response(200)), wait=waits.append)
    with pytest.raises(AccessError):
        sender.send(Request("GET", "https://x/y"))
    assert waits == []
