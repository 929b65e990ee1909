"""Requests and responses, and what sends them: a plain sender, and around it one that signs in and one that retries.

Each is the same interface around another; they are joined in one place, ``connect``.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.cookiejar import DefaultCookiePolicy
from typing import Protocol

import requests
from requests.adapters import HTTPAdapter

from confmig.errors import LostAnswerError, ServiceError
from confmig.webapi.auth import TokenSource
from confmig.webapi.network import reason_of

_CONNECT_SECONDS = 20
# The service gives a request two minutes.
_READ_SECONDS = 150
_POOL = 64


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``repeatable`` says that sending it twice does no harm."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    repeatable: bool = True


@dataclass(frozen=True, slots=True)
class Response:
    """One response; the names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def request_id(self) -> str:
        """The id under which Microsoft's support finds the request."""
        return self.headers.get("x-ms-service-request-id") or self.headers.get("req_id") or ""


class Sender(Protocol):
    """Sends a request and gives the response, whatever its status."""

    def send(self, request: Request) -> Response:
        """Send it.

        Raises:
            ServiceError: No proper answer came in time.
            LostAnswerError: It was sent, no answer came, and it may not be repeated.
        """


class HttpSender:
    """Sends over HTTP with one keep-alive session a thread, without cookies and without following redirects.

    Cookies would tie all requests to one of the service's web servers, and so to one server's limits
    (learn.microsoft.com, "Send parallel requests").
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._local = threading.local()
        settings = requests.Session().merge_environment_settings(url, {}, None, None, None)
        self._proxies = dict(settings["proxies"])
        self._verify = settings["verify"] if settings["verify"] is not None else True

    def send(self, request: Request) -> Response:
        """Send it once."""
        try:
            answer = self._session().request(
                request.method,
                request.url,
                headers=dict(request.headers),
                data=request.body,
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),
                allow_redirects=False,
                # Given with each request: a session's own value gives way to REQUESTS_CA_BUNDLE.
                verify=self._verify,
                proxies=self._proxies,
            )
        except requests.exceptions.SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" not in str(error) and "certificate" not in str(error).lower():
                raise LostAnswerError(f"{self._url}: the connection broke: {reason_of(error)}") from None
            raise ServiceError(
                f"{self._url}: the server's certificate is not trusted: {reason_of(error)}",
                "Set REQUESTS_CA_BUNDLE to the file of your certificate authority.",
            ) from None
        except (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError) as error:
            raise _UnsentError(self._unreachable(error)) from None
        except requests.exceptions.ConnectionError as error:
            if _never_sent(error):
                raise _UnsentError(self._unreachable(error)) from None
            raise LostAnswerError(f"{self._url}: the connection was lost: {reason_of(error)}") from None
        except requests.exceptions.RequestException as error:
            raise LostAnswerError(f"{self._url}: no answer came: {reason_of(error)}") from None
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, headers, answer.content)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            session.mount(self._url, HTTPAdapter(pool_connections=1, pool_maxsize=_POOL, max_retries=0))
            self._local.session = session
        return session

    def _unreachable(self, error: Exception) -> str:
        return f"{self._url} cannot be reached: {reason_of(error)}"


class _UnsentError(ServiceError):
    """The request did not leave this machine, so it may be sent again."""


def _never_sent(error: requests.exceptions.ConnectionError) -> bool:
    """Whether the connection was not even made: then nothing can have happened."""
    text = str(error)
    return "NewConnectionError" in text or "NameResolutionError" in text or "Failed to establish" in text


class SigningSender:
    """Adds the bearer token; when the service refuses it, takes a new one and tries once more."""

    def __init__(self, inner: Sender, tokens: TokenSource) -> None:
        self._inner = inner
        self._tokens = tokens

    def send(self, request: Request) -> Response:
        """Send it, signed."""
        token = self._tokens.token()
        if token is None:
            return self._inner.send(request)
        response = self._inner.send(_signed(request, token))
        if response.status == 401:
            renewed = self._tokens.token(refused=token)
            response = self._inner.send(_signed(request, renewed or token))
        return response


def _signed(request: Request, token: str) -> Request:
    return replace(request, headers={**request.headers, "Authorization": f"Bearer {token}"})


class RetryingSender:
    """Waits and sends again where that is safe.

    429 and 503 mean that the request was not carried out [429: docs, API limits; 503: inferred], so every request is
    repeated after them. After 502, 504 or a lost connection nobody knows, so only what is repeatable is sent again;
    for the rest the caller learns that the answer is lost and reads back what happened.
    """

    def __init__(
        self,
        inner: Sender,
        attempts: int = 6,
        longest_wait: float = 300.0,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._inner = inner
        self._attempts = attempts
        self._longest_wait = longest_wait
        self._wait = wait
        self._lock = threading.Lock()
        self._not_before = 0.0

    def send(self, request: Request) -> Response:
        """Send it until it is answered or the attempts are used up."""
        for attempt in range(1, self._attempts + 1):
            self._hold_back()
            try:
                response = self._inner.send(request)
            except _UnsentError:
                if attempt == self._attempts or attempt >= 3:
                    raise
                self._wait(_backoff(attempt))
                continue
            except LostAnswerError:
                if not request.repeatable or attempt == self._attempts or attempt >= 3:
                    raise
                self._wait(_backoff(attempt))
                continue
            if attempt == self._attempts or not _worth_repeating(response, request):
                return response
            self._back_off(response, attempt)
        raise AssertionError("the loop returns or raises at its last attempt")

    def _back_off(self, response: Response, attempt: int) -> None:
        seconds = _retry_after(response)
        if seconds is None:
            self._wait(_backoff(attempt))
            return
        if seconds > self._longest_wait:
            raise ServiceError(
                f"The service asks to wait {seconds:.0f} seconds (HTTP {response.status}), more than the"
                f" {self._longest_wait:.0f} that confmig waits.",
                "Run again later; what is done already is not done twice.",
            )
        with self._lock:
            # The limit is the credential's, not this thread's: everybody waits.
            self._not_before = max(self._not_before, time.monotonic() + seconds)

    def _hold_back(self) -> None:
        until = 0.0
        while until < self._not_before:  # another thread may have been told to wait longer meanwhile
            until = self._not_before
            seconds = until - time.monotonic()
            if seconds > 0:
                self._wait(seconds)


def _worth_repeating(response: Response, request: Request) -> bool:
    if response.status in {429, 503}:
        return True
    return response.status in {502, 504} and request.repeatable


def _retry_after(response: Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.replace(".", "", 1).isdigit() else None


def _backoff(attempt: int) -> float:
    """Seconds to wait: half a second, doubled each time, spread so that threads do not come back together."""
    longest: float = min(0.5 * 2.0 ** (attempt - 1), 20.0)
    return longest * random.uniform(0.7, 1.3)  # noqa: S311  # no secret depends on it
