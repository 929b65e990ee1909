"""Sign-in without a secret: the real azure-identity, a directory over TLS, and the pipelines' endpoints on loopback."""

import base64
import gc
import json
import logging
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from confmig.errors import AccessError, ConfmigError, ExitCode, UsageError
from confmig.webapi.assertions import Endpoint, azure_pipelines_endpoint, claims_shown, github_endpoint
from confmig.webapi.auth import AuthMode, TokenSource, token_source
from confmig.webapi.sender import HttpSender, Request, SigningSender

from .conftest import Certificates
from .serving import CUT, Answer, Directory, Seen, Server, free_port, json_answer

CONTOSO = "https://contoso.crm4.dynamics.com"
CLIENT = "99999999-0000-0000-0000-000000000001"
CONNECTION = "77777777-0000-0000-0000-000000000001"
BEARER = "the-jobs-own-Token-5d0c"
ACCESS = "the-Access-Token-81b7"
ISSUER = "https://token.actions.githubusercontent.com"
SUBJECT = "repo:contoso@42/journeys@77:environment:production"
AUDIENCE = "api://AzureADTokenExchange"
WORKFLOW = "contoso/workflows/.github/workflows/promote.yml@refs/heads/main"


def jwt(claims: object = None, **more: str) -> str:
    default = {"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE}
    payload = json.dumps(default | more if claims is None else claims).encode()
    parts = (b'{"alg":"RS256"}', payload, b"the signature of the assertion")
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


class Pipelines(Server):
    """The endpoints of both platforms; gives a new assertion each time, unless replies are written down."""

    def __init__(self, *replies: Answer) -> None:
        self._replies = list(replies)
        self.given: list[str] = []
        super().__init__(self._endpoint)

    def _endpoint(self, seen: Seen) -> Answer:
        if self._replies:
            return self._replies.pop(0)
        self.given.append(jwt(jti=f"number {len(self.given) + 1}"))
        return json_answer({"value" if seen.method == "GET" else "oidcToken": self.given[-1], "count": 1})

    def variables(self, mode: AuthMode, directory: Directory) -> dict[str, str]:
        if mode is AuthMode.GITHUB_OIDC:
            own = {
                "AZURE_TENANT_ID": directory.tenant,
                "AZURE_CLIENT_ID": CLIENT,
                "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/idtoken?api-version=2.0",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": BEARER,
            }
        else:
            own = {
                "AZURESUBSCRIPTION_TENANT_ID": directory.tenant,
                "AZURESUBSCRIPTION_CLIENT_ID": CLIENT,
                "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": CONNECTION,
                "SYSTEM_OIDCREQUESTURI": f"{self.url}/oidctoken",
                "SYSTEM_ACCESSTOKEN": BEARER,
            }
        return {**own, "AZURE_AUTHORITY_HOST": directory.url}

    def source(self, mode: AuthMode, directory: Directory, side: str = "target", **more: str) -> TokenSource:
        return token_source(CONTOSO, mode, side, {**self.variables(mode, directory), **more})


both = pytest.mark.parametrize("mode", [AuthMode.GITHUB_OIDC, AuthMode.AZURE_PIPELINES])


def refusal(words: str) -> Answer:
    return json_answer({"error": "invalid_request", "error_description": words}, 400)


def everything_said(error: BaseException) -> str:
    """All that a log could show of an error, and of whatever came along with it."""
    said = [*traceback.format_exception(error), repr(error), repr(error.args), repr(vars(error))]
    if isinstance(error, ConfmigError):
        said.append(error.hint)
    for other in (error.__cause__, error.__context__):
        said += [everything_said(other)] if other is not None else []
    return "".join(said)


def forms(secret: str) -> Iterator[str]:
    yield secret
    for part in (secret, *secret.split(".")):
        if len(part) >= 12:
            yield part
            yield base64.b64encode(part.encode()).decode().rstrip("=")


def held_by(thing: object) -> list[object]:
    """All that a thing keeps alive, but for code."""
    held = [thing]
    for each in held:
        more = [new for new in gc.get_referents(each) if not isinstance(new, (type, ModuleType, FunctionType))]
        held += [new for new in more if not any(new is known for known in held)]
    return held


def assert_hidden(text: str, *secrets: str) -> None:
    for secret in secrets:
        for form in forms(secret):
            assert form not in text


@pytest.fixture(autouse=True)
def silence(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing is ever printed: what there is to say stands in the error."""
    yield
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def log() -> Iterator[list[str]]:
    """What a program that logs everything would log."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler, root = Keep(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.setLevel(level)
    root.removeHandler(handler)


class TestAToken:
    @both
    def test_is_asked_for_with_the_assertion_for_the_environment(self, trusted: Certificates, mode: AuthMode) -> None:
        with Directory(trusted.server) as directory, Pipelines() as pipelines:
            assert pipelines.source(mode, directory).token() == "first"
            (form,) = directory.forms
            assert form == {
                "client_assertion": pipelines.given[0],
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_id": CLIENT,
                "grant_type": "client_credentials",
                "scope": f"{CONTOSO}/.default",
            }

    def test_comes_by_githubs_protocol(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory, Pipelines() as pipelines:
            pipelines.source(AuthMode.GITHUB_OIDC, directory).token()
            (seen,) = pipelines.seen
        assert seen.method == "GET"
        assert seen.target == "/idtoken?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange"
        assert seen.headers["authorization"] == f"Bearer {BEARER}"

    def test_comes_by_azure_pipelines_protocol(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory, Pipelines() as pipelines:
            pipelines.source(AuthMode.AZURE_PIPELINES, directory).token()
            (seen,) = pipelines.seen
        assert seen.method == "POST"
        assert seen.target == f"/oidctoken?api-version=7.1&serviceConnectionId={CONNECTION}"
        assert seen.headers["authorization"] == f"Bearer {BEARER}"
        assert seen.headers["x-tfs-fedauthredirect"] == "Suppress"

    @both
    def test_is_not_asked_for_before_it_is_needed(self, trusted: Certificates, mode: AuthMode) -> None:
        with Directory(trusted.server) as directory, Pipelines() as pipelines:
            pipelines.source(mode, directory)
            assert pipelines.seen == directory.seen == []

    @both
    def test_is_used_again_while_it_is_valid(self, trusted: Certificates, mode: AuthMode) -> None:
        with Directory(trusted.server) as directory, Pipelines() as pipelines:
            tokens = pipelines.source(mode, directory)
            assert [tokens.token() for _ in range(3)] == ["first"] * 3
            assert len(pipelines.seen) == len(directory.forms) == 1

    @both
    def test_whose_end_is_near_is_replaced_by_a_fresh_assertion(self, trusted: Certificates, mode: AuthMode) -> None:
        with Directory(trusted.server, expires_in=2) as directory, Pipelines() as pipelines:
            tokens = pipelines.source(mode, directory)
            assert tokens.token() == "first"
            time.sleep(1.1)
            assert tokens.token() == "second"
            assert [form["client_assertion"] for form in directory.forms] == pipelines.given
            assert len(set(pipelines.given)) == 2

    @both
    def test_that_the_service_refuses_is_replaced_by_a_fresh_assertion(
        self, trusted: Certificates, mode: AuthMode
    ) -> None:
        with (
            Directory(trusted.server) as directory,
            Pipelines() as pipelines,
            Server([Answer(401, b""), Answer(200)]) as server,
        ):
            sender = SigningSender(HttpSender(server.url), pipelines.source(mode, directory))
            assert sender.send(Request("GET", f"{server.url}/x")).status == 200
            assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer first", "Bearer second"]
            assert len(set(pipelines.given)) == 2

    @both
    def test_leaves_no_assertion_behind(self, trusted: Certificates, mode: AuthMode) -> None:
        with Directory(trusted.server) as directory, Pipelines() as pipelines:
            tokens = pipelines.source(mode, directory)
            tokens.token()
            (assertion,) = pipelines.given
        assert assertion not in held_by(tokens)


class TestTheTwoSides:
    def test_have_identities_of_their_own_with_github(self, trusted: Certificates) -> None:
        own = {"CONFMIG_SOURCE_CLIENT_ID": "source-client", "CONFMIG_TARGET_CLIENT_ID": "target-client"}
        with Directory(trusted.server) as directory, Pipelines() as pipelines:
            for side in ("source", "target"):
                pipelines.source(AuthMode.GITHUB_OIDC, directory, side, **own).token()
            assert [form["client_id"] for form in directory.forms] == ["source-client", "target-client"]

    def test_have_service_connections_of_their_own_with_azure_pipelines(self, trusted: Certificates) -> None:
        own = {"CONFMIG_SOURCE_CLIENT_ID": "source-client", "CONFMIG_SOURCE_SERVICE_CONNECTION_ID": "source-connection"}
        with Directory(trusted.server) as directory, Pipelines() as pipelines:
            for side in ("source", "target"):
                pipelines.source(AuthMode.AZURE_PIPELINES, directory, side, **own).token()
            assert [form["client_id"] for form in directory.forms] == ["source-client", CLIENT]
            asked = [parse_qs(urlsplit(seen.target).query)["serviceConnectionId"] for seen in pipelines.seen]
            assert asked == [["source-connection"], [CONNECTION]]

    def test_may_be_of_different_tenants(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory, Pipelines() as pipelines:
            source = pipelines.source(AuthMode.GITHUB_OIDC, directory, "source", CONFMIG_SOURCE_TENANT_ID="elsewhere")
            with pytest.raises(AccessError, match="elsewhere"):
                source.token()
            assert directory.seen[0].target == "/elsewhere/oauth2/v2.0/token"
            assert pipelines.source(AuthMode.GITHUB_OIDC, directory, CONFMIG_SOURCE_TENANT_ID="elsewhere").token()

    def test_do_not_take_another_sign_ins_ids_with_azure_pipelines(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory, Pipelines() as pipelines:
            pipelines.source(AuthMode.AZURE_PIPELINES, directory, AZURE_CLIENT_ID="other").token()
            assert directory.forms[0]["client_id"] == CLIENT


@pytest.mark.parametrize(
    ("url", "authority", "audience"),
    [
        ("https://contoso.crm4.dynamics.com", "login.microsoftonline.com", AUDIENCE),
        ("https://contoso.crm9.dynamics.com", "login.microsoftonline.com", AUDIENCE),
        ("https://contoso.crm.microsoftdynamics.us", "login.microsoftonline.us", f"{AUDIENCE}USGov"),
        ("https://contoso.crm.appsplatform.us", "login.microsoftonline.us", f"{AUDIENCE}USGov"),
        ("https://contoso.crm.dynamics.cn", "login.chinacloudapi.cn", f"{AUDIENCE}China"),
    ],
)
def test_each_cloud_has_its_own_directory_and_audience(
    trusted: Certificates, monkeypatch: pytest.MonkeyPatch, url: str, authority: str, audience: str
) -> None:
    with Directory(trusted.server) as directory, Pipelines() as pipelines, Server(lambda _: Answer(403)) as proxy:
        given = pipelines.variables(AuthMode.GITHUB_OIDC, directory)
        del given["AZURE_AUTHORITY_HOST"]
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(AccessError, match=authority):
            token_source(url, AuthMode.GITHUB_OIDC, "source", given).token()
        assert {(seen.method, seen.target) for seen in proxy.seen} == {("CONNECT", f"{authority}:443")}
        assert dict(parse_qsl(urlsplit(pipelines.seen[0].target).query))["audience"] == audience


def test_the_audience_can_be_named(trusted: Certificates) -> None:
    with Directory(trusted.server) as directory, Pipelines() as pipelines:
        pipelines.source(AuthMode.GITHUB_OIDC, directory, CONFMIG_OIDC_AUDIENCE="api://x&y z").token()
        assert pipelines.seen[0].target.endswith("&audience=api%3A%2F%2Fx%26y%20z")


class TestVariables:
    @pytest.mark.parametrize("left", [None, "", "  ", "$(AzureTenant)"], ids=["absent", "empty", "blank", "unresolved"])
    @pytest.mark.parametrize(
        ("mode", "name", "own"),
        [
            (AuthMode.GITHUB_OIDC, "AZURE_TENANT_ID", "CONFMIG_SOURCE_TENANT_ID"),
            (AuthMode.GITHUB_OIDC, "AZURE_CLIENT_ID", "CONFMIG_SOURCE_CLIENT_ID"),
            (AuthMode.GITHUB_OIDC, "ACTIONS_ID_TOKEN_REQUEST_URL", "id-token: write"),
            (AuthMode.GITHUB_OIDC, "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "fork"),
            (AuthMode.AZURE_PIPELINES, "AZURESUBSCRIPTION_TENANT_ID", "CONFMIG_SOURCE_TENANT_ID"),
            (AuthMode.AZURE_PIPELINES, "AZURESUBSCRIPTION_CLIENT_ID", "CONFMIG_SOURCE_CLIENT_ID"),
            (AuthMode.AZURE_PIPELINES, "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "CONFMIG_SOURCE_SERVICE_CONN"),
            (AuthMode.AZURE_PIPELINES, "SYSTEM_OIDCREQUESTURI", "Azure Pipelines"),
            (AuthMode.AZURE_PIPELINES, "SYSTEM_ACCESSTOKEN", "env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)"),
        ],
    )
    def test_that_are_missing_are_named_with_what_to_do(
        self, trusted: Certificates, mode: AuthMode, name: str, own: str, left: str | None
    ) -> None:
        with Directory(trusted.server) as directory, Pipelines() as pipelines:
            given = {**pipelines.variables(mode, directory), "AZURE_CLIENT_SECRET": "not asked for"}
            del given[name]
            if left is not None:
                given[name] = left
            with pytest.raises(UsageError) as caught:
                token_source(CONTOSO, mode, "source", given)
            assert pipelines.seen == directory.seen == []
        assert f"--auth {mode} needs the variable {name}" in caught.value.message
        assert own in caught.value.message + caught.value.hint
        assert caught.value.exit_code == ExitCode.USAGE
        assert_hidden(everything_said(caught.value), BEARER, "not asked for")

    def test_of_the_side_are_enough_with_azure_pipelines(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory, Pipelines() as pipelines:
            given = {
                name.replace("AZURESUBSCRIPTION_", "CONFMIG_TARGET_"): value
                for name, value in pipelines.variables(AuthMode.AZURE_PIPELINES, directory).items()
            }
            assert token_source(CONTOSO, AuthMode.AZURE_PIPELINES, "target", given).token() == "first"

    @pytest.mark.parametrize(
        ("name", "mode"),
        [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", AuthMode.GITHUB_OIDC),
            ("SYSTEM_OIDCREQUESTURI", AuthMode.AZURE_PIPELINES),
        ],
    )
    def test_without_a_secret_hint_at_the_mode_that_needs_none(self, name: str, mode: AuthMode) -> None:
        given = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", name: "https://pipelines.example.com/x?y=1"}
        with pytest.raises(UsageError, match="AZURE_CLIENT_SECRET") as caught:
            token_source(CONTOSO, AuthMode.SECRET, "target", given)
        assert f"--auth {mode}" in caught.value.hint

    @pytest.mark.parametrize(
        "url",
        [
            "http://pipelines.example.com/x?y=1",
            "http://127.0.0.1.example.com/x?y=1",
            "ftp://127.0.0.1/x?y=1",
            "127.0.0.1/x?y=1",
            "https://user:hunter2-hunter2@pipelines.example.com/x?y=1",
            "https:///x?y=1",
            "https://[::1",
            "https://pipelines.example.com:port/x",
        ],
    )
    @both
    def test_with_an_endpoint_that_must_not_see_the_token_are_refused(
        self, trusted: Certificates, mode: AuthMode, url: str
    ) -> None:
        name = "ACTIONS_ID_TOKEN_REQUEST_URL" if mode is AuthMode.GITHUB_OIDC else "SYSTEM_OIDCREQUESTURI"
        with (
            Directory(trusted.server) as directory,
            Pipelines() as pipelines,
            pytest.raises(UsageError, match=name) as caught,
        ):
            pipelines.source(mode, directory, **{name: url})
        assert_hidden(everything_said(caught.value), BEARER, "hunter2-hunter2")

    @both
    def test_with_an_authority_over_plain_http_are_refused(self, trusted: Certificates, mode: AuthMode) -> None:
        with Directory(trusted.server) as directory, Pipelines() as pipelines, Server() as plain:
            with pytest.raises(UsageError, match="AZURE_AUTHORITY_HOST"):
                pipelines.source(mode, directory, AZURE_AUTHORITY_HOST=plain.url)
            assert plain.seen == pipelines.seen == []

    def test_are_read_past_blanks_around_them(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory, Pipelines() as pipelines:
            source = pipelines.source(AuthMode.GITHUB_OIDC, directory, ACTIONS_ID_TOKEN_REQUEST_TOKEN=f"{BEARER}\n")
            assert source.token() == "first"


class TestARefusedFederation:
    WORDS = (
        "AADSTS700213: No matching federated identity record found for presented assertion subject."
        "\r\nTrace ID: 42\r\nCorrelation ID: 43"
    )

    def refused(
        self, trusted: Certificates, answer: Answer, mode: AuthMode = AuthMode.GITHUB_OIDC, assertion: str | None = None
    ) -> tuple[AccessError, list[str]]:
        """The error, and what must not be in it."""
        member = "value" if mode is AuthMode.GITHUB_OIDC else "oidcToken"
        given = jwt(job_workflow_ref=WORKFLOW) if assertion is None else assertion
        with (
            Directory(trusted.server, *[answer] * 3) as directory,
            Pipelines(json_answer({member: given})) as pipelines,
            pytest.raises(AccessError) as caught,
        ):
            pipelines.source(mode, directory).token()
        assert caught.value.__context__ is caught.value.__cause__ is None
        assert_hidden(everything_said(caught.value), BEARER, ACCESS)
        return caught.value, [given]

    @both
    def test_shows_what_was_presented_and_to_whom(self, trusted: Certificates, mode: AuthMode) -> None:
        error, secrets = self.refused(trusted, refusal(self.WORDS), mode)
        for shown in (ISSUER, SUBJECT, AUDIENCE, WORKFLOW, Directory.tenant, CLIENT, "AADSTS700213: No matching"):
            assert shown in error.message
        assert "Trace ID" not in error.message
        assert error.exit_code == ExitCode.ACCESS
        assert_hidden(everything_said(error), *secrets)

    @pytest.mark.parametrize(
        ("code", "hint"),
        [
            ("AADSTS70021", f"Give application {CLIENT} a federated credential with exactly this"),
            ("AADSTS700211", "Give application"),
            ("AADSTS700212", "Give application"),
            ("AADSTS700213", "Give application"),
            ("AADSTS7002131", "Give application"),
            ("AADSTS700024", "clock"),
            ("AADSTS700016", "Check the ids of tenant and client"),
            ("AADSTS999999", "Check the ids of tenant and client"),
        ],
    )
    def test_says_what_to_do(self, trusted: Certificates, code: str, hint: str) -> None:
        error, _ = self.refused(trusted, refusal(f"{code}: words."))
        assert hint in error.hint
        assert f"{code}: words." in error.message

    @pytest.mark.parametrize("assertion", [jwt(), "an-Opaque-Assertion-77c1"], ids=["jwt", "opaque"])
    def test_hides_the_assertion_even_when_the_directory_repeats_it(
        self, trusted: Certificates, assertion: str
    ) -> None:
        words = f"AADSTS700213: '{assertion}' and {jwt()[:40]} are wrong."
        error, secrets = self.refused(trusted, refusal(words), assertion=assertion)
        assert_hidden(everything_said(error), *secrets, jwt()[:40])

    @pytest.mark.parametrize(
        "assertion",
        [
            "no-token-at-all",
            "....",
            "a.b",
            "é.é.é",
            "\ud800.\ud800.",
            "a." + base64.urlsafe_b64encode(b"[" * 100_000).decode() + ".c",
            "a." + base64.urlsafe_b64encode(b"\xff\xfe{}").decode() + ".c",
            jwt(["no", "object"]),
            jwt({}),
            jwt({"iss": 1, "sub": None, "aud": {"x": [1]}, "job_workflow_ref": [[]]}),
            jwt({"iss": "i" * 100_000, "sub": "s\n::error::x\x1b[31m\u202e", "aud": ["one", "two", 3]}),
        ],
        ids=["opaque", "dots", "short", "umlauts", "surrogates", "deep", "no text", "list", "empty", "numbers", "odd"],
    )
    def test_is_an_access_error_whatever_the_assertion_is(self, trusted: Certificates, assertion: str) -> None:
        error, _ = self.refused(trusted, refusal("AADSTS700213: no."), assertion=assertion)
        assert error.message.isprintable()
        assert len(error.message) < 1500

    @pytest.mark.parametrize(
        "answer",
        [
            refusal("\r\n"),
            json_answer({"error": "temporarily_unavailable"}, 400),
            json_answer({"token_type": "Bearer"}),
            json_answer({"access_token": ACCESS}),
            json_answer({"expires_in": 3599}),
            json_answer({"access_token": ACCESS, "expires_in": "soon"}),
            json_answer({"access_token": ACCESS, "expires_in": 10**400}),
            json_answer([]),
            json_answer(7),
            json_answer(None),
            Answer(200, b'{"access_token', {"Content-Type": "application/json"}),
            Answer(200, b"<html>an error</html>", {"Content-Type": "text/html"}),
            Answer(302, b"", {"Location": "https://127.0.0.1/elsewhere"}),
            Answer(503, b"busy", {"Retry-After": "0"}),
            CUT,
        ],
    )
    def test_is_an_access_error_whatever_the_directory_answers(self, trusted: Certificates, answer: Answer) -> None:
        error, secrets = self.refused(trusted, answer)
        assert_hidden(everything_said(error), *secrets)
        assert error.message.isprintable()

    def test_can_be_tried_again(self, trusted: Certificates) -> None:
        with Directory(trusted.server, refusal(self.WORDS)) as directory, Pipelines() as pipelines:
            tokens = pipelines.source(AuthMode.GITHUB_OIDC, directory)
            with pytest.raises(AccessError):
                tokens.token()
            assert tokens.token() == "first"
            assert len(set(pipelines.given)) == 2

    def test_is_logged_nowhere_even_where_all_is_logged(self, trusted: Certificates, log: list[str]) -> None:
        answer = json_answer({"access_token": ACCESS, "expires_in": 3599})
        with Directory(trusted.server, refusal(self.WORDS), answer) as directory, Pipelines() as pipelines:
            tokens = pipelines.source(AuthMode.GITHUB_OIDC, directory)
            with pytest.raises(AccessError):
                tokens.token()
            assert tokens.token() == ACCESS
            assert_hidden("".join(log), BEARER, ACCESS, *pipelines.given)
        assert "AADSTS700213" not in "".join(log)
        assert any("127.0.0.1" in line for line in log), "the log works: others do write to it"

    @pytest.mark.parametrize("mode", [AuthMode.SECRET, AuthMode.GITHUB_OIDC, AuthMode.AZURE_PIPELINES])
    def test_prints_nothing_in_a_program_that_does_not_log(self, trusted: Certificates, mode: AuthMode) -> None:
        """A process of its own: pytest takes what Python would print of a warning that nobody takes."""
        program = (
            "from confmig.errors import AccessError\n"
            "from confmig.webapi.auth import AuthMode, token_source\n"
            f"tokens = token_source({CONTOSO!r}, AuthMode({str(mode)!r}), 'target')\n"
            "try:\n    tokens.token()\n"
            "except AccessError as error:\n    print(error)\n"
        )
        with Directory(trusted.server, refusal(self.WORDS)) as directory, Pipelines() as pipelines:
            given = {**pipelines.variables(mode, directory), "AZURE_TENANT_ID": directory.tenant}
            given |= {"AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": "h7~very-Secret.value"}
            ended = subprocess.run(
                [sys.executable, "-c", program], env={**os.environ, **given}, capture_output=True, text=True, timeout=60
            )
            assert_hidden(ended.stdout, BEARER, "h7~very-Secret.value", *pipelines.given)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "AADSTS700213" in ended.stdout
        assert len(ended.stdout.splitlines()) == 1


class TestADirectoryOutOfReach:
    def test_is_an_access_error_without_claims(self, trusted: Certificates) -> None:
        with Directory(trusted.server) as directory, Pipelines() as pipelines:
            authority = f"https://127.0.0.1:{free_port()}"
            with pytest.raises(AccessError, match="failed") as caught:
                pipelines.source(AuthMode.GITHUB_OIDC, directory, AZURE_AUTHORITY_HOST=authority).token()
            assert_hidden(everything_said(caught.value), BEARER, *pipelines.given)

    def test_by_its_certificate_is_an_access_error(
        self, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificates.stranger)
        with Directory(certificates.server) as directory, Pipelines() as pipelines:
            with pytest.raises(AccessError, match="certificate") as caught:
                pipelines.source(AuthMode.GITHUB_OIDC, directory).token()
            assert directory.forms == []
            assert_hidden(everything_said(caught.value), BEARER, *pipelines.given)


def github(server: Server) -> Endpoint:
    return github_endpoint(f"{server.url}/idtoken?v=2.0", BEARER, AUDIENCE)


def azure_pipelines(server: Server) -> Endpoint:
    return azure_pipelines_endpoint(f"{server.url}/oidctoken/", BEARER, CONNECTION)


@pytest.mark.parametrize("endpoint", [github, azure_pipelines])
class TestAnEndpoint:
    def refused(self, endpoint: Callable[[Server], Endpoint], *answers: Answer) -> AccessError:
        with Server(answers) as server, pytest.raises(AccessError) as caught:
            endpoint(server).assertion()
        assert caught.value.hint
        assert caught.value.__context__ is caught.value.__cause__ is None
        assert_hidden(everything_said(caught.value), BEARER)
        return caught.value

    @pytest.mark.parametrize("status", [400, 401, 403, 404])
    def test_that_refuses_is_an_access_error(self, endpoint: Callable[[Server], Endpoint], status: int) -> None:
        error = self.refused(endpoint, json_answer({"message": f"Not\nwith {BEARER}."}, status))
        assert f"HTTP {status} Not with ***." in error.message

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_that_sends_elsewhere_is_not_followed(self, endpoint: Callable[[Server], Endpoint], status: int) -> None:
        with Server() as elsewhere:
            error = self.refused(endpoint, Answer(status, b"", {"Location": f"{elsewhere.url}/signin"}))
            assert elsewhere.seen == []
        assert "sign-in page" in error.message

    def test_that_shows_a_sign_in_page_is_an_access_error(self, endpoint: Callable[[Server], Endpoint]) -> None:
        error = self.refused(endpoint, Answer(203, b"<html>Sign in</html>", {"Content-Type": "text/html"}))
        assert "sign-in page" in error.message

    @pytest.mark.parametrize(
        "body",
        [b"", b"<html>", b"\xff", b"[]", b"7", b"{}", b'{"value":null,"oidcToken":""}', b"[" * 100_000],
        ids=["nothing", "html", "no text", "list", "number", "no value", "empty value", "deep"],
    )
    def test_that_answers_without_an_assertion_is_an_access_error(
        self, endpoint: Callable[[Server], Endpoint], body: bytes
    ) -> None:
        assert "gives no assertion" in self.refused(endpoint, Answer(200, body)).message

    @pytest.mark.parametrize("answer", [Answer(500), Answer(502), Answer(503), Answer(429), CUT])
    def test_that_fails_for_a_moment_is_asked_again(
        self, endpoint: Callable[[Server], Endpoint], answer: Answer
    ) -> None:
        with Server([answer, answer, json_answer({"value": "v", "oidcToken": "v"})]) as server:
            assert replaced(endpoint(server)).assertion() == "v"
            assert len(server.seen) == 3

    def test_that_goes_on_failing_is_an_access_error(self, endpoint: Callable[[Server], Endpoint]) -> None:
        with Server(lambda _: Answer(503)) as server, pytest.raises(AccessError, match="HTTP 503"):
            replaced(endpoint(server)).assertion()
        assert len(server.seen) == 3

    def test_that_does_not_answer_in_time_is_an_access_error(self, endpoint: Callable[[Server], Endpoint]) -> None:
        def slow(_: Seen) -> Answer:
            time.sleep(0.5)
            return Answer()

        with Server(slow) as server, pytest.raises(AccessError, match=r"no answer within 0\.1 seconds") as caught:
            replaced(endpoint(server)).assertion()
        assert_hidden(everything_said(caught.value), BEARER)

    def test_that_is_not_there_is_an_access_error(self, endpoint: Callable[[Server], Endpoint]) -> None:
        with Server() as server:
            gone = replaced(endpoint(server))
        with pytest.raises(AccessError, match="connection failed") as caught:
            gone.assertion()
        assert_hidden(everything_said(caught.value), BEARER)

    def test_is_sent_the_jobs_token_and_no_other(
        self, endpoint: Callable[[Server], Endpoint], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login someone password else\n")
        monkeypatch.setenv("NETRC", str(netrc))
        with Server([json_answer({"value": "v", "oidcToken": "v"})]) as server:
            endpoint(server).assertion()
            assert server.seen[0].headers["authorization"] == f"Bearer {BEARER}"

    def test_that_cannot_be_shown_the_token_does_not_repeat_it(self, endpoint: Callable[[Server], Endpoint]) -> None:
        with Server() as server:
            for odd in (f"{BEARER}\nX: y", f"{BEARER}\u20ac"):
                with pytest.raises(AccessError) as caught:
                    replaced(endpoint(server), bearer=odd).assertion()
                assert_hidden(everything_said(caught.value), BEARER)
            assert server.seen == []


def replaced(endpoint: Endpoint, bearer: str = BEARER) -> Endpoint:
    """The endpoint, less patient."""
    return Endpoint(
        endpoint.platform,
        endpoint.method,
        endpoint.url,
        bearer,
        endpoint.member,
        endpoint.hint,
        endpoint.headers,
        seconds=0.1,
        waits=(0.0, 0.0),
    )


def test_an_endpoint_does_not_show_its_token() -> None:
    assert BEARER not in repr(github_endpoint("https://example.com/x?y=1", BEARER, AUDIENCE))


def test_an_endpoint_whose_certificate_is_not_trusted_is_an_access_error(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificates.stranger)
    with Server(tls=certificates.server) as server, pytest.raises(AccessError, match="REQUESTS_CA_BUNDLE"):
        replaced(github(server)).assertion()
    assert server.seen == []


def test_claims_are_shown_on_one_line() -> None:
    shown = claims_shown(jwt({"iss": "i", "sub": "a\nb\x1b[31m", "aud": ["one", "two"]}))
    assert shown == "issuer 'i', subject 'a b [31m', audience 'one, two'"
