"""Access tokens: what a directory gives for a client secret or an assertion, kept until shortly before its end."""

import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from confmig.errors import SignInError
from confmig.model.printable import printable
from confmig.model.secrets import SECRETS
from confmig.webapi.assertions import claims_shown
from confmig.webapi.network import reason_of

if TYPE_CHECKING:
    import requests  # takes long to load, which commands that sign in nowhere need not wait for

_EARLY_SECONDS = 300
_CONNECT_SECONDS = 20
_READ_SECONDS = 60
_FEDERATION_GUIDE = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust"
_TOKEN_LIKE = re.compile(r"eyJ[\w.-]{8,}")  # a JSON object's first bytes in base64, so a JWT or a part of one
_NOWHERE = logging.NullHandler()
_NETWORK_HINT = "See that this machine reaches it; REQUESTS_CA_BUNDLE names certificate authorities of your own."
_SECRET_HINT = "Check tenant, client id and secret, and that the secret has not expired."  # noqa: S105  # what to do


@dataclass(frozen=True, slots=True)
class Application:
    """Who signs in, where, and for what; none of it is a secret."""

    authority: str
    tenant: str
    client: str
    scope: str


class Granted(NamedTuple):
    """An access token, and the seconds that it lives."""

    token: str
    seconds: float


_BEARER = re.compile(r"[\x21-\x7e]+")
_ODD = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What the libraries make of an answer that is no token."""


def _granted(token: object, seconds: object) -> Granted:
    """The token of an answer.

    Raises:
        ValueError: It is none that a header can hold. The words leave it out.
    """
    if not isinstance(token, str) or not _BEARER.fullmatch(token):
        raise ValueError("its answer is no token")
    return Granted(token, float(str(seconds)))


class CachedToken:
    """A token that is used again until it nears its end. Safe to share between threads."""

    def __init__(self, acquire: Callable[[], Granted]) -> None:
        self._acquire = acquire
        self._lock = threading.Lock()
        self._token = ""
        self._expires = 0.0

    def token(self, *, refused: str | None = None) -> str | None:
        """The token; a new one shortly before the old one ends, or when the service refused it.

        Raises:
            SignInError: The directory refused the client, or could not be reached.
        """
        with self._lock:
            if refused == self._token or time.monotonic() >= self._expires:
                self._token, seconds = self._acquire()
                SECRETS.add(self._token)  # a service may repeat the header that it stood in
                self._expires = time.monotonic() + max(seconds - _EARLY_SECONDS, seconds / 2)
            return self._token


class SecretSignIn:
    """A client secret, exchanged for a token by msal.

    Args:
        application: Who signs in.
        secret: The application's client secret.
        known: Whether the authority is one of Microsoft's: the public directory knows no other, and asking it about
            another would only fail.
    """

    def __init__(self, application: Application, secret: str, *, known: bool) -> None:
        self._application = application
        self._secret = secret
        self._known = known
        _keep_libraries_silent()

    def acquire(self) -> Granted:
        """A new token.

        Raises:
            SignInError: The directory refused the client, or could not be reached.
        """
        import msal  # takes 0.3 s, which commands that sign in nowhere need not wait for
        import requests

        application = self._application
        try:
            client = msal.ConfidentialClientApplication(
                application.client,
                client_credential=self._secret,
                authority=f"{application.authority}/{application.tenant}",
                instance_discovery=None if self._known else False,
                http_client=_never_redirected(),
            )
            answer: dict[str, object] = client.acquire_token_for_client(scopes=[application.scope])
            if "access_token" in answer:
                return _granted(answer["access_token"], answer.get("expires_in") or 3600)
            words = answer.get("error_description") or answer.get("error") or "no token came back"
            problem = self._problem("was refused", words)
        except (requests.ConnectionError, requests.Timeout) as error:
            problem = self._problem("failed", reason_of(error), _NETWORK_HINT)
        except (ValueError, requests.RequestException, msal.exceptions.MsalError) as error:
            problem = self._problem("failed", error)
        except _ODD:
            problem = self._problem("failed", "its answer is no token")
        # Raised out here: the library's error would come along as its context, with the request and so the secret.
        raise problem

    def _problem(self, verb: str, words: object, hint: str = _SECRET_HINT) -> SignInError:
        return SignInError(f"Sign-in at {self._application.authority} {verb}: {_first_line(words, self._secret)}", hint)


def _never_redirected() -> "requests.Session":
    """A session that follows no redirect: the secret goes nowhere but to the authority that was named, over TLS."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    class Session(requests.Session):
        def request(self, *args: object, **kwargs: object) -> requests.Response:
            direct = {"timeout": (_CONNECT_SECONDS, _READ_SECONDS), **kwargs, "allow_redirects": False}
            answer: requests.Response = super().request(*args, **direct)  # type: ignore[arg-type]
            if answer.is_redirect:
                raise requests.TooManyRedirects("it redirects, which a directory does not do")
            return answer

    session = Session()
    # A token is also wanted in the middle of an import, which no hiccup of a network should end.
    session.mount("https://", HTTPAdapter(max_retries=Retry(total=3, read=0, redirect=0, status=0, backoff_factor=0.5)))
    return session


class AssertionSignIn:
    """A pipeline's assertion, exchanged for a token by azure-identity.

    Args:
        application: Who signs in.
        fetch: Gives a new assertion; called once for each token.
    """

    def __init__(self, application: Application, fetch: Callable[[], str]) -> None:
        self._application = application
        self._fetch = fetch
        _keep_libraries_silent()

    def acquire(self) -> Granted:
        """A new token.

        Raises:
            SignInError: The pipeline gave no assertion, or the directory refused it or could not be reached.
        """
        from azure.core.exceptions import AzureError
        from azure.identity import ClientAssertionCredential

        presented = ""

        def assertion() -> str:
            nonlocal presented
            presented = self._fetch()
            return presented

        application = self._application
        try:
            # A new credential each time: one that is kept would give a token again that the service refused.
            with ClientAssertionCredential(
                application.tenant,
                application.client,
                assertion,
                authority=application.authority,
                connection_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retry_total=2,
            ) as credential:
                info = credential.get_token_info(application.scope)
            return _granted(info.token, info.expires_on - time.time())
        except (AzureError, *_ODD) as error:
            problem = self._problem(error, presented)
        # Raised out here: the library's error would come along as its context, with the request and so the assertion.
        raise problem

    def _problem(self, error: Exception, presented: str) -> SignInError:
        from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError

        application = self._application
        words = _first_line(error.message if isinstance(error, AzureError) else "its answer is no token", presented)
        if isinstance(error, (ServiceRequestError, ServiceResponseError)):
            return SignInError(
                f"Sign-in at {application.authority} failed: {words}",
                _NETWORK_HINT,
            )
        return SignInError(
            f"Sign-in at {application.authority} was refused: {words}"
            f" (The assertion says: {claims_shown(presented)}."
            f" It was presented to tenant {application.tenant} for client {application.client}.)",
            _what_to_do(words, application),
        )


def _what_to_do(words: str, application: Application) -> str:
    """A hint by the directory's code; the codes may change, so the last one fits them all.

    https://learn.microsoft.com/entra/identity-platform/reference-error-codes
    """
    if re.search(r"AADSTS70021\d*", words):
        return (
            f"Give application {application.client} a federated credential with exactly this issuer, subject and"
            f" audience, in upper and lower case as shown: {_FEDERATION_GUIDE}"
        )
    if "AADSTS700024" in words:
        return "The assertion was fetched just before: check the clock of this machine, and run again."
    return (
        "Check the ids of tenant and client, and that the application has a federated credential with exactly this"
        f" issuer, subject and audience: {_FEDERATION_GUIDE}"
    )


def _first_line(words: object, secret: str) -> str:
    """The first line of a reason, without the secret, should the directory repeat it."""
    text = str(words).replace(secret, "***") if secret else str(words)
    lines = _TOKEN_LIKE.sub("***", text).strip().splitlines()
    line = printable(lines[0]).strip() if lines else ""
    return line.removeprefix("Microsoft Entra ID error ").strip("'")[:500] or "no reason was given"


def _keep_libraries_silent() -> None:
    """Let msal and azure-identity log nowhere: Python prints warnings that nobody takes to stderr.

    What they warn of is raised as well, and their words may repeat what was sent
    (https://docs.python.org/3/howto/logging.html#configuring-logging-for-a-library).
    """
    for name in ("msal", "azure"):
        logger = logging.getLogger(name)
        logger.addHandler(_NOWHERE)
        logger.propagate = False
