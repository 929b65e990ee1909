"""Assertions: short-lived proofs of who a pipeline's job is, handed out by the platform that runs the job.

A directory takes one in place of a client secret. It lives for minutes, so it is fetched anew for each access token
and kept nowhere (https://github.com/Azure/login/issues/372).
"""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from confmig.errors import SignInError
from confmig.model.printable import printable

if TYPE_CHECKING:
    import requests  # takes long to load, which commands that sign in nowhere need not wait for

_SHOWN = {"iss": "issuer", "sub": "subject", "aud": "audience"}
_LONGEST_TEXT = 300
# GitHub's endpoint fails now and then (https://github.com/Azure/login/issues/591).
_WAITS = (1.0, 3.0)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a platform hands out assertions, and how to ask.

    Args:
        platform: The platform's name, for messages.
        method: GET or POST.
        url: The whole URL.
        bearer: What the job shows to be let in.
        member: The member of the answer that holds the assertion.
        hint: What to do when the platform gives none.
        headers: Headers beside the usual ones.
        seconds: How long to wait for an answer.
        waits: Seconds to wait before each further attempt.
    """

    platform: str
    method: str
    url: str
    bearer: str = field(repr=False)
    member: str
    hint: str
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 30.0
    waits: tuple[float, ...] = _WAITS

    def assertion(self) -> str:
        """A new assertion.

        Raises:
            SignInError: The platform gives none, or could not be reached.
        """
        answer = self._answer()
        # Azure DevOps shows its sign-in page to who is not let in, by a redirect or as a 203.
        if 300 <= answer.status_code < 400 or answer.status_code == 203:
            raise SignInError(
                f"{self.platform} sends to a sign-in page (HTTP {answer.status_code}) instead of giving an assertion:"
                " it does not accept the job's token.",
                self.hint,
            )
        if answer.status_code != 200:
            words = (_member(answer, "message") or "").replace(self.bearer, "***")
            reason = f"HTTP {answer.status_code} {printable(words)[:_LONGEST_TEXT]}".strip()
            raise SignInError(f"{self.platform} gives no assertion: {reason}", self.hint)
        value = _member(answer, self.member)
        if not value:
            raise SignInError(
                f"{self.platform} gives no assertion: its answer is no JSON with a {self.member}.", self.hint
            )
        return value

    def _answer(self) -> "requests.Response":
        """The answer, whatever its status; tried again after a server's error or a lost connection."""
        import requests

        problem = ""
        for wait in (*self.waits, None):
            try:
                answer = requests.request(
                    self.method,
                    self.url,
                    headers={"Accept": "application/json", **self.headers},
                    auth=self._sign,
                    timeout=self.seconds,
                    allow_redirects=False,
                )
            except (requests.RequestException, ValueError) as error:
                problem = self._reason(error)
            else:
                if wait is None or (answer.status_code < 500 and answer.status_code != 429):
                    return answer
            if wait is not None:
                time.sleep(wait)
        raise SignInError(f"{self.platform} could not be asked for an assertion: {problem}.", self.hint)

    def _sign(self, request: "requests.PreparedRequest") -> "requests.PreparedRequest":
        # As a header, a line for the host in a .netrc file would replace it
        # (https://requests.readthedocs.io/en/latest/user/authentication/#netrc-authentication).
        request.headers["Authorization"] = f"Bearer {self.bearer}"
        return request

    def _reason(self, error: Exception) -> str:
        """Why no answer came. The library's words are left out: they repeat a header that cannot be sent."""
        import requests

        if isinstance(error, requests.Timeout):
            return f"no answer within {self.seconds:g} seconds"
        if isinstance(error, requests.exceptions.SSLError):
            return "the TLS connection failed; REQUESTS_CA_BUNDLE names certificate authorities of your own"
        if isinstance(error, requests.ConnectionError):
            return "the connection failed"
        return "the request cannot be sent, or its answer cannot be read"


def github_endpoint(url: str, bearer: str, audience: str) -> Endpoint:
    """GitHub's endpoint for the job's ID token.

    https://docs.github.com/actions/reference/security/oidc#methods-for-requesting-the-oidc-token
    """
    return Endpoint(
        platform="GitHub",
        method="GET",
        url=f"{url}{'&' if '?' in url else '?'}audience={quote(audience, safe='')}",
        bearer=bearer,
        member="value",
        hint="See that the job has `permissions: id-token: write`, and run it again: GitHub's endpoint fails at times.",
    )


def azure_pipelines_endpoint(uri: str, bearer: str, connection: str) -> Endpoint:
    """Azure Pipelines' endpoint for the ID token of a service connection.

    https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create
    """
    return Endpoint(
        platform="Azure Pipelines",
        method="POST",
        url=f"{uri.rstrip('/')}?api-version=7.1&serviceConnectionId={quote(connection, safe='')}",
        bearer=bearer,
        member="oidcToken",
        hint=(
            f"See that service connection {connection} uses workload identity federation, that a task of this job names"
            " it in an input (so that the pipeline is authorized for it), and that the step has"
            " `env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`."
        ),
        # Without it a refusal is a redirect to a sign-in page (azure-identity does the same).
        headers={"Content-Type": "application/json", "X-TFS-FedAuthRedirect": "Suppress"},
    )


def claims_shown(assertion: str) -> str:
    """What an assertion says about the job: issuer, subject, audience, and the reusable workflow if there is one.

    Nothing is verified: that is the directory's part, and this is for the message about its refusal.
    """
    claims = _claims(assertion)
    if claims is None:
        return "nothing that can be read"
    parts = [f"{name} '{_text(claims.get(claim))}'" for claim, name in _SHOWN.items()]
    if workflow := _text(claims.get("job_workflow_ref")):
        parts.append(f"job_workflow_ref '{workflow}'")
    return ", ".join(parts)


def _claims(assertion: str) -> dict[str, object] | None:
    try:
        payload = assertion.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, IndexError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def _text(value: object) -> str:
    """A claim that is a text or several, as ``aud`` may be (RFC 7519, 4.1.3)."""
    values: list[object] = value if isinstance(value, list) else [value]
    return printable(", ".join(each for each in values if isinstance(each, str)))[:_LONGEST_TEXT]


def _member(answer: "requests.Response", name: str) -> str | None:
    try:
        content = json.loads(answer.content)
    except (ValueError, RecursionError):
        return None
    value = content.get(name) if isinstance(content, dict) else None
    return value if isinstance(value, str) else None
