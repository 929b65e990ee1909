"""JSON requests to the platform that runs us, with its token and in bounded time.

No redirect is followed, since the token would go along; certificates are verified; plain http is for loopback alone.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests

from confmig.errors import ServiceError
from confmig.model.printable import printable
from confmig.webapi.auth import is_loopback
from confmig.webapi.sender import Response

T = TypeVar("T")

_SECONDS = 45.0
"""For all requests of one client together, waits included."""
_IDLE_SECONDS = 10.0
_PAUSES = (0.5, 1.0, 2.0)
_PASSING = {429, 500, 502, 503, 504}
_LARGEST = 64 * 1024 * 1024
"""The timeline of a run with thousands of steps has some megabytes."""


class ApiError(ServiceError):
    """The platform was not asked, or gave no proper answer.

    Args:
        message: What happened, with host and path of the request and never with the token.
        hint: What to do about it; empty: the caller knows better.
        status: The HTTP status that was answered; 0 if there was none.
    """

    usual_hint = ""

    def __init__(self, message: str, hint: str = "", *, status: int = 0) -> None:
        super().__init__(message, hint)
        self.status = status


class _PassingError(ApiError):
    """The same request may succeed after so many seconds."""

    def __init__(self, message: str, *, status: int = 0, seconds: float = 0.0) -> None:
        super().__init__(message, status=status)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What was answered; the names of the headers are in lower case."""

    value: T
    headers: Mapping[str, str]


class _Trouble(msgspec.Struct):
    """How GitHub and Azure DevOps alike say what is wrong."""

    message: str = ""


def required(variables: Mapping[str, str], name: str, hint: str = "") -> str:
    """The value of a variable that the platform, or its user, has to set.

    Raises:
        ApiError: It is not set. Azure Pipelines leaves ``$(Name)`` as it stands where it knows no such variable.
    """
    value = variables.get(name, "").strip()
    if not value or value.startswith("$("):
        raise ApiError(f"The variable {name} is not set.", hint)
    return value


class PlatformApi:
    """A client for one platform and one question.

    Args:
        root: The URL that paths are added to.
        token: The bearer token.
        headers: What the platform wants with each request.
        seconds: How long all requests may take together.
        wait: How to wait between attempts.

    Raises:
        ApiError: The URL or the token cannot be used.
    """

    def __init__(
        self,
        root: str,
        token: str,
        headers: Mapping[str, str],
        *,
        seconds: float = _SECONDS,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._root = _checked(root)
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ApiError("The token holds characters that no token has.", "Check the variable that it comes from.")
        self._token = token
        self._headers = {"User-Agent": "confmig", **headers, "Authorization": f"Bearer {token}"}
        self._wait = wait
        self._ends = time.monotonic() + seconds
        self._session = requests.Session()
        self._settings = self._session.merge_environment_settings(self._root, {}, None, None, None)
        self._session.trust_env = False  # a .netrc file would replace the token

    def get(self, path: str, kind: type[T]) -> T:
        """What stands at a path.

        Raises:
            ApiError: It did not come, or has another form than ``kind``.
        """
        return self.ask("GET", path, kind).value

    def pages(self, path: str, kind: type[list[T]]) -> Iterator[T]:
        """The entries of a list, page by page, as the header Link says.

        https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api

        Raises:
            ApiError: As for ``get``; or the next page would lie with another host.
        """
        following: str | None = self._root + path
        while following:
            if _origin(following) != _origin(self._root):
                raise ApiError(f"{_shown(self._root + path)} names a next page on another host.")
            answer = self._ask("GET", following, kind, None)
            yield from answer.value
            links = requests.utils.parse_header_links(answer.headers.get("link", ""))
            following = next((str(link["url"]) for link in links if link.get("rel") == "next"), None)

    def ask(self, method: str, path: str, kind: type[T], body: object = None) -> Answer[T]:
        """Send a request and read its answer. All but POST may be sent again when an answer is lost.

        Raises:
            ApiError: As for ``get``.
        """
        return self._ask(method, self._root + path, kind, None if body is None else msgspec.json.encode(body))

    def _ask(self, method: str, url: str, kind: type[T], body: bytes | None) -> Answer[T]:
        response = self._send(method, url, body)
        try:
            return Answer(msgspec.json.decode(response.body, type=kind), response.headers)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise ApiError(f"{_shown(url)} did not answer with the JSON that is expected.") from None

    def _send(self, method: str, url: str, body: bytes | None) -> Response:
        for pause in (*_PAUSES, None):
            try:
                return self._once(method, url, body)
            except _PassingError as error:
                seconds = max(error.seconds, pause or 0.0)
                if pause is None or time.monotonic() + seconds >= self._ends:
                    raise
                self._wait(seconds)
        raise AssertionError("the loop returns or raises at its last attempt")

    def _once(self, method: str, url: str, body: bytes | None) -> Response:
        """Send once, in a thread of its own: else a slow name server, or an answer that trickles in, would hold us."""
        left = self._ends - time.monotonic()
        outcome: SimpleQueue[Response | Exception] = SimpleQueue()
        threading.Thread(target=lambda: outcome.put(self._exchange(method, url, body)), daemon=True).start()
        try:
            response = outcome.get(timeout=max(left, 0.0))
        except Empty:
            raise ApiError(f"{_shown(url)} did not answer in time.") from None
        if isinstance(response, requests.RequestException):
            message = f"{_shown(url)} did not answer: {self._clean(_reason(response))}"
            if method == "POST":  # it may have been carried out
                raise ApiError(message)
            raise _PassingError(message)
        if isinstance(response, Exception):
            raise response
        self._judge(method, url, response)
        return response

    def _exchange(self, method: str, url: str, body: bytes | None) -> Response | Exception:
        try:
            with self._session.request(
                method,
                url,
                headers=self._headers if body is None else {**self._headers, "Content-Type": "application/json"},
                data=body,
                timeout=_IDLE_SECONDS,
                allow_redirects=False,
                stream=True,
                proxies=dict(self._settings["proxies"]),
                verify=self._settings["verify"],
            ) as answer:
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Response(answer.status_code, headers, _read(answer, url))
        except Exception as error:  # it belongs to the thread that waits
            return error

    def _judge(self, method: str, url: str, response: Response) -> None:
        status = response.status
        if status in {200, 201}:
            return
        if 300 <= status < 400:
            raise ApiError(
                f"{_shown(url)} answered with a redirect (HTTP {status}), which confmig does not follow with a token.",
                status=status,
            )
        message = f"{_shown(url)} answered HTTP {status}{self._words(response.body)}."
        later = response.headers.get("retry-after", "")
        # GitHub's secondary limit is a 403 with Retry-After (docs.github.com, "Rate limits for the REST API"). After
        # 429 and 403 nothing was done; after a 5xx nobody knows.
        limited = status == 429 or (status == 403 and later)
        if limited or (status in _PASSING and method != "POST"):
            raise _PassingError(message, status=status, seconds=float(later) if later.isdecimal() else 0.0)
        raise ApiError(message, status=status)

    def _words(self, body: bytes) -> str:
        """What the platform says about its refusal."""
        try:
            said = msgspec.json.decode(body, type=_Trouble).message
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return ""
        return f": {self._clean(said).rstrip('.')}" if said else ""

    def _clean(self, text: str) -> str:
        return printable(text.replace(self._token, "***"))[:300]


def _checked(root: str) -> str:
    """The URL, if a token may be sent there."""
    try:
        parts = urlsplit(root)
        known = bool(parts.hostname) and "@" not in parts.netloc and (parts.port or 1) > 0
    except ValueError:
        known = False
    if not known or parts.scheme not in {"http", "https"}:
        raise ApiError(f"{printable(root.rpartition('@')[2])!r} is no URL of a platform.")
    if parts.scheme == "http" and not is_loopback(root):
        raise ApiError(f"{root}: plain http is for loopback addresses only; no token is sent there.")
    return root.rstrip("/")


def _read(answer: requests.Response, url: str) -> bytes:
    body = bytearray()
    for chunk in answer.iter_content(64 * 1024):
        body += chunk
        if len(body) > _LARGEST:
            raise ApiError(f"{_shown(url)} answered with more than {_LARGEST} bytes.")
    return bytes(body)


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return printable(parts.netloc + parts.path)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def _reason(error: Exception) -> str:
    """The innermost reason, without the library's own names around it."""
    text = str(error)
    return text.partition("Caused by ")[2].strip("()'\" ") or text
