"""Sign-in with the real msal, against a token endpoint on this machine."""

import threading
import time
import traceback
from collections.abc import Callable

import pytest

from confmig.errors import AccessError, ConfmigError, ExitCode, UsageError
from confmig.webapi.auth import AuthMode, TokenSource, environment_url, is_loopback, token_source
from confmig.webapi.sender import HttpSender, Request, SigningSender

from .conftest import Certificates
from .serving import Answer, Directory, Server, free_port, json_answer

CONTOSO = "https://contoso.crm4.dynamics.com"
SECRET = "h7~very-Secret.value"
CLIENT = "99999999-0000-0000-0000-000000000001"


def variables(directory: Directory, **more: str) -> dict[str, str]:
    return {
        "AZURE_TENANT_ID": directory.tenant,
        "AZURE_CLIENT_ID": CLIENT,
        "AZURE_CLIENT_SECRET": SECRET,
        "AZURE_AUTHORITY_HOST": directory.url,
        **more,
    }


def source(directory: Directory, side: str = "target", **more: str) -> TokenSource:
    return token_source(CONTOSO, AuthMode.SECRET, side, variables(directory, **more))


def refusal(reason: str, status: int = 401) -> Answer:
    return json_answer({"error": "invalid_client", "error_description": reason}, status)


def everything_said(error: BaseException) -> str:
    """All that a log could show of an error: its words, and those of whatever caused it."""
    hint = error.hint if isinstance(error, ConfmigError) else ""
    return "".join(traceback.format_exception(error)) + repr(error) + hint


class TestAToken:
    def test_is_asked_for_the_environment_as_its_audience(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory:
            assert source(directory).token() == "first"
            (form,) = directory.forms
        assert form["scope"] == f"{CONTOSO}/.default"
        assert form["grant_type"] == "client_credentials"
        assert form["client_id"] == CLIENT
        assert form["client_secret"] == SECRET

    def test_is_not_asked_for_before_it_is_needed(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory:
            source(directory)
            assert directory.seen == []

    def test_is_used_again_while_it_is_valid(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory:
            tokens = source(directory)
            assert [tokens.token() for _ in range(3)] == ["first"] * 3
            assert len(directory.forms) == 1

    def test_whose_end_is_near_is_replaced(self, trusted: Certificates) -> None:
        with Directory(trusted.server, expires_in=1) as directory:
            tokens = source(directory)
            assert tokens.token() == "first"
            time.sleep(1.1)
            assert tokens.token() == "second"

    def test_whose_life_is_given_as_text_is_used_again(self, trusted: Certificates) -> None:
        with Directory(trusted.server, expires_in="3599") as directory:
            tokens = source(directory)
            assert [tokens.token(), tokens.token()] == ["first", "first"]

    def test_is_new_when_the_old_one_was_refused(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory:
            tokens = source(directory)
            assert tokens.token() == "first"
            assert tokens.token(refused="first") == "second"
            assert tokens.token() == "second"

    def test_is_asked_for_once_by_many_threads(self, trusted: Certificates) -> None:
        got: list[str | None] = []
        with Directory(trusted.server) as directory:
            tokens = source(directory)
            threads = [threading.Thread(target=lambda: got.append(tokens.token())) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(directory.forms) == 1
        assert got == ["first"] * 8


class TestTheSigningSender:
    def test_renews_the_token_once_when_the_service_refuses_it(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory, Server([Answer(401, b""), Answer(200)]) as server:
            sender = SigningSender(HttpSender(server.url), source(directory))
            answer = sender.send(Request("POST", f"{server.url}/x", {"Accept": "a/b"}, b"body"))
            assert answer.status == 200
            assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer first", "Bearer second"]
            assert [(seen.headers["accept"], seen.body) for seen in server.seen] == [("a/b", b"body")] * 2

    def test_gives_the_refusal_back_when_the_new_token_is_refused_too(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory, Server(lambda _: Answer(401, b"")) as server:
            answer = SigningSender(HttpSender(server.url), source(directory)).send(Request("GET", f"{server.url}/x"))
            assert answer.status == 401
            assert len(server.seen) == 2
            assert len(directory.forms) == 2

    def test_sends_no_token_where_no_sign_in_is_needed(self) -> None:
        with Server() as server:
            tokens = token_source(server.url, AuthMode.NONE, "source", {})
            SigningSender(HttpSender(server.url), tokens).send(Request("GET", f"{server.url}/x"))
            assert "authorization" not in server.seen[0].headers


class TestVariables:
    def test_of_the_side_go_before_the_common_ones(self, trusted: Certificates) -> None:
        own = {"CONFMIG_SOURCE_CLIENT_ID": "own-client", "CONFMIG_SOURCE_CLIENT_SECRET": "own-secret"}
        with Directory(trusted.server) as directory:
            source(directory, "source", **own).token()
            (form,) = directory.forms
        assert (form["client_id"], form["client_secret"]) == ("own-client", "own-secret")

    def test_of_the_other_side_are_not_looked_at(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory:
            source(directory, "target", CONFMIG_SOURCE_CLIENT_ID="other", CONFMIG_SOURCE_TENANT_ID="other").token()
            (form,) = directory.forms
        assert form["client_id"] == CLIENT

    def test_of_the_side_are_enough(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory:
            named = {
                name.replace("AZURE_", "CONFMIG_TARGET_"): value
                for name, value in variables(directory).items()
                if name != "AZURE_AUTHORITY_HOST"
            }
            named["AZURE_AUTHORITY_HOST"] = directory.url
            assert token_source(CONTOSO, AuthMode.SECRET, "target", named).token() == "first"

    @pytest.mark.parametrize("missing", ["TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"])
    @pytest.mark.parametrize("left", [None, ""])
    def test_that_are_missing_or_empty_are_named(self, missing: str, left: str | None) -> None:
        given = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": SECRET}
        del given[f"AZURE_{missing}"]
        if left is not None:
            given[f"AZURE_{missing}"] = left
        with pytest.raises(UsageError) as caught:
            token_source(CONTOSO, AuthMode.SECRET, "source", given)
        assert f"AZURE_{missing}" in caught.value.message
        assert f"CONFMIG_SOURCE_{missing}" in caught.value.message
        assert caught.value.exit_code == ExitCode.USAGE
        assert SECRET not in everything_said(caught.value)

    def test_that_are_missing_never_change_the_mode_even_on_loopback(self) -> None:
        with pytest.raises(UsageError, match="AZURE_TENANT_ID"):
            token_source("http://127.0.0.1:5000", AuthMode.SECRET, "target", {})

    @pytest.mark.parametrize("written", [lambda url: url + "/", lambda url: url.removeprefix("https://")])
    def test_may_name_the_authority_with_a_slash_or_without_scheme(
        self, trusted: Certificates, written: Callable[[str], str]
    ) -> None:
        with Directory(trusted.server) as directory:
            assert source(directory, AZURE_AUTHORITY_HOST=written(directory.url)).token() == "first"


class TestARefusedSignIn:
    def test_says_the_directorys_words_and_never_the_secret(self, trusted: Certificates) -> None:
        words = "AADSTS7000215: Invalid client secret provided. Trace ID: 42\r\nCorrelation ID: 43"
        with Directory(trusted.server, refusal(words)) as directory, pytest.raises(AccessError) as caught:
            source(directory).token()
        assert "AADSTS7000215: Invalid client secret provided." in caught.value.message
        assert directory.url in caught.value.message
        assert caught.value.hint
        assert caught.value.exit_code == ExitCode.ACCESS
        assert SECRET not in everything_said(caught.value)

    def test_hides_the_secret_even_when_the_directory_repeats_it(self, trusted: Certificates) -> None:
        answer = refusal(f"AADSTS7000215: the secret '{SECRET}' is wrong.")
        with Directory(trusted.server, answer) as directory, pytest.raises(AccessError) as caught:
            source(directory).token()
        assert SECRET not in everything_said(caught.value)

    @pytest.mark.parametrize(
        "answer",
        [
            refusal("\r\n"),
            json_answer({"error": "temporarily_unavailable"}, 400),
            json_answer({"token_type": "Bearer"}),
            Answer(200, b"<html>captive portal</html>", {"Content-Type": "text/html"}),
            Answer(503, b"busy"),
            Answer(raw=b""),
        ],
        ids=["blank words", "no words", "no token", "no JSON", "server error", "no answer"],
    )
    def test_is_an_access_error_whatever_the_directory_answers(self, trusted: Certificates, answer: Answer) -> None:
        with Directory(trusted.server, answer, answer) as directory, pytest.raises(AccessError) as caught:
            source(directory).token()
        assert SECRET not in everything_said(caught.value)

    def test_can_be_tried_again(self, trusted: Certificates) -> None:
        with Directory(trusted.server, refusal("AADSTS700016: not found")) as directory:
            tokens = source(directory)
            with pytest.raises(AccessError):
                tokens.token()
            assert tokens.token() == "first"

    def test_by_a_certificate_that_is_not_trusted_is_an_access_error(
        self, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificates.stranger)
        with Directory(certificates.server) as directory, pytest.raises(AccessError, match="certificate") as caught:
            source(directory).token()
        assert directory.forms == []
        assert SECRET not in everything_said(caught.value)

    def test_by_a_tenant_that_the_directory_does_not_know_is_an_access_error(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory, pytest.raises(AccessError):
            source(directory, AZURE_TENANT_ID="nowhere").token()

    def test_by_a_directory_that_is_not_there_is_an_access_error(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory:
            tokens = source(directory, AZURE_AUTHORITY_HOST=f"https://127.0.0.1:{free_port()}")
        with pytest.raises(AccessError) as caught:
            tokens.token()
        assert SECRET not in everything_said(caught.value)

    def test_never_sends_the_secret_over_plain_http(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory, Server() as plain:
            with pytest.raises((UsageError, AccessError)) as caught:
                source(directory, AZURE_AUTHORITY_HOST=plain.url).token()
            assert all(SECRET.encode() not in seen.body for seen in plain.seen)
        assert SECRET not in everything_said(caught.value)


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://contoso.crm4.dynamics.com", "login.microsoftonline.com"),
        ("https://contoso.crm9.dynamics.com", "login.microsoftonline.com"),
        ("https://contoso.crm.microsoftdynamics.us", "login.microsoftonline.us"),
        ("https://contoso.crm.appsplatform.us", "login.microsoftonline.us"),
        ("https://contoso.crm.dynamics.cn", "login.chinacloudapi.cn"),
    ],
)
def test_each_cloud_signs_in_at_its_own_directory(monkeypatch: pytest.MonkeyPatch, url: str, authority: str) -> None:
    given = {"AZURE_TENANT_ID": "contoso.example", "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": SECRET}
    with Server(lambda _: Answer(403, b"")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(AccessError, match=authority):
            token_source(url, AuthMode.SECRET, "source", given).token()
        assert {(seen.method, seen.target) for seen in proxy.seen} == {("CONNECT", f"{authority}:443")}


class TestAnOddDirectory:
    def test_that_cannot_be_reached_is_no_matter_of_the_secret(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory:
            port = free_port()
            given = variables(directory, AZURE_AUTHORITY_HOST=f"https://127.0.0.1:{port}")
            with pytest.raises(AccessError, match="refused") as caught:
                token_source(CONTOSO, AuthMode.SECRET, "target", given).token()
        assert "See that this machine reaches it" in caught.value.hint
        assert "Pool" not in caught.value.message
        assert SECRET not in everything_said(caught.value)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_that_redirects_gets_no_secret_sent_on(self, trusted: Certificates, status: int) -> None:
        with Server(lambda _: json_answer({"access_token": "stolen", "expires_in": 3599})) as other:
            moved = Answer(status, b"", {"Location": f"{other.url}/token"})
            with Directory(trusted.server, moved) as directory, pytest.raises(AccessError) as caught:
                source(directory).token()
            assert other.seen == []
        assert SECRET not in everything_said(caught.value)
        assert "redirects" in caught.value.message

    @pytest.mark.parametrize(
        "value",
        [
            *([], 7, None, "x", {}, {"access_token": None}, {"access_token": ""}, {"access_token": ["a"]}),
            *({"access_token": "a", "expires_in": odd} for odd in ([7], {"a": 7}, "soon", "nan-")),
            {"access_token": "a", "refresh_in": "soon"},
            {"access_token": "a", "scope": 5},
            *({"access_token": f"my-token{odd}"} for odd in ("\r\nX: y", " ", "ä", "\x00", "\u2028")),
        ],
    )
    def test_that_gives_no_token_is_a_refused_sign_in(self, trusted: Certificates, value: object) -> None:
        with Directory(trusted.server, json_answer(value)) as directory:
            with pytest.raises(AccessError) as caught:
                source(directory).token()
            assert len(directory.forms) == 1
        assert "my-token" not in everything_said(caught.value)
        assert SECRET not in everything_said(caught.value)

    def test_that_gives_json_of_any_depth_is_a_refused_sign_in(self, trusted: Certificates) -> None:
        deep = Answer(200, b'{"a":' + b"[" * 100_000, {"Content-Type": "application/json"})
        with Directory(trusted.server, deep) as directory, pytest.raises(AccessError):
            source(directory).token()

    @pytest.mark.parametrize("value", [None, [], 5, {}, {"token_endpoint": 7, "authorization_endpoint": 7}])
    def test_whose_discovery_is_none_is_a_refused_sign_in(self, trusted: Certificates, value: object) -> None:
        with Server(lambda _: json_answer(value), trusted.server) as odd:
            given = {
                "AZURE_TENANT_ID": "t",
                "AZURE_CLIENT_ID": CLIENT,
                "AZURE_CLIENT_SECRET": SECRET,
                "AZURE_AUTHORITY_HOST": odd.url,
            }
            with pytest.raises(AccessError) as caught:
                token_source(CONTOSO, AuthMode.SECRET, "target", given).token()
        assert SECRET not in everything_said(caught.value)

    @pytest.mark.parametrize(
        "host", ["https://u:hunter2@127.0.0.1:1", "https://", "https://[x", "https://x:y", "http://x", "u:hunter2@x"]
    )
    def test_that_has_no_address_is_wrong_usage(self, host: str) -> None:
        given = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": SECRET}
        with pytest.raises(UsageError, match="AZURE_AUTHORITY_HOST") as caught:
            token_source(CONTOSO, AuthMode.SECRET, "target", {**given, "AZURE_AUTHORITY_HOST": host})
        assert "hunter2" not in everything_said(caught.value)


class TestAnEnvironmentUrl:
    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            (CONTOSO, CONTOSO),
            (f"{CONTOSO}/", CONTOSO),
            (f"  {CONTOSO}\n", CONTOSO),
            ("https://localhost:8443", "https://localhost:8443"),
            ("http://127.0.0.1:5000/", "http://127.0.0.1:5000"),
            ("http://[::1]:5000", "http://[::1]:5000"),
        ],
    )
    def test_is_taken_without_slash_and_blanks(self, written: str, meant: str) -> None:
        assert environment_url(written) == meant

    @pytest.mark.parametrize("written", ["https://Contoso.CRM4.dynamics.com", "HTTPS://contoso.crm4.dynamics.com"])
    def test_is_the_same_in_any_case(self, written: str) -> None:
        assert environment_url(written) == CONTOSO

    @pytest.mark.parametrize(
        "written",
        [
            "",
            "contoso.crm4.dynamics.com",
            "contoso",
            "ftp://contoso.crm4.dynamics.com",
            "https://",
            "https:///api",
            "https://[::1",
            "https://contoso.crm4.dynamics.com:port",
            "https://contoso.crm4.dynamics.com:99999",
            f"{CONTOSO}/main.aspx",
            f"{CONTOSO}/api/data/v9.2",
            f"{CONTOSO}/?appid=1",
        ],
    )
    def test_that_is_none_is_a_usage_error(self, written: str) -> None:
        with pytest.raises(UsageError):
            environment_url(written)

    @pytest.mark.parametrize(
        "url", ["http://contoso.crm4.dynamics.com", "http://127.0.0.1.example.com", "http://10.0.0.1", "http://0.0.0.0"]
    )
    def test_with_plain_http_is_for_loopback_only(self, url: str) -> None:
        with pytest.raises(UsageError, match="loopback"):
            environment_url(url)

    @pytest.mark.parametrize(
        "url",
        [
            f"https://user:{SECRET}@contoso.crm4.dynamics.com",
            f"https://:{SECRET}@contoso.crm4.dynamics.com",
            f"http://user:{SECRET}@contoso.crm4.dynamics.com",
            f"ftp://user:{SECRET}@contoso.crm4.dynamics.com",
        ],
    )
    def test_with_a_password_is_refused_without_repeating_it(self, url: str) -> None:
        with pytest.raises(UsageError) as caught:
            environment_url(url)
        assert SECRET not in caught.value.message + caught.value.hint

    @pytest.mark.parametrize("url", ["https://localhost", "http://127.0.0.1:1", "http://[::1]:1"])
    def test_on_loopback_needs_no_sign_in(self, url: str) -> None:
        assert is_loopback(url)
        assert token_source(url, AuthMode.NONE, "target", {}).token() is None
        assert token_source(url, AuthMode.NONE, "target", {}).token(refused="x") is None

    @pytest.mark.parametrize("url", [CONTOSO, "https://127.0.0.1.example.com", "https://localhost.example.com"])
    def test_elsewhere_is_refused_without_sign_in(self, url: str) -> None:
        with pytest.raises(UsageError, match="loopback") as caught:
            token_source(url, AuthMode.NONE, "target", {})
        assert "AZURE_CLIENT_SECRET" in caught.value.hint
