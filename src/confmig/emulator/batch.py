"""``$batch``: several requests in one, change sets among them.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/execute-batch-operations-using-web-api
"""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote

from confmig.emulator.errors import ServiceError, bad_request
from confmig.emulator.store import Store
from confmig.emulator.wire import Reply, Request, error_reply, preferences_of

MOST_REQUESTS = 1000
_LONGEST_URL = 65_536
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_ROOT = re.compile(r"/api/data/v9\.\d+/")
Handler = Callable[[Request, dict[str, str]], Reply]


@dataclass(frozen=True)
class Part:
    """One request of a batch, with the headers of its MIME part; ``url`` is as the client wrote it."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    content_id: str | None


@dataclass(frozen=True)
class ChangeSet:
    """Requests that succeed or fail together."""

    parts: tuple[Part, ...]


class RollBack(Exception):  # noqa: N818 (it carries a result, it is no error of ours)
    """Leaves a change set's transaction with the answer of the request that failed."""

    def __init__(self, reply: Reply, content_id: str | None) -> None:
        super().__init__()
        self.reply = reply
        self.content_id = content_id


def run_batch(store: Store, request: Request, handler: Handler) -> Reply:
    """Run the requests of a batch one after another.

    Args:
        store: Where change sets are transactions.
        request: The outer request.
        handler: Answers one request, given the content ids of its change set.

    Returns:
        The multipart answer: 200, or 400 when a request failed and the client did not ask to continue.

    Raises:
        ServiceError: The body is no batch.
    """
    match = _BOUNDARY.search(request.headers.get("content-type", ""))
    if match is None:
        raise bad_request("The content type of a batch request has no boundary.")
    items = _items(request.body, match.group(1))
    if sum(len(item.parts) if isinstance(item, ChangeSet) else 1 for item in items) > MOST_REQUESTS:
        raise ServiceError(
            400, "0x80048d19", f"The number of operations in the batch exceeds the limit of {MOST_REQUESTS}."
        )
    go_on = preferences_of(request.headers.get("prefer", "")).continue_on_error
    boundary = f"batchresponse_{uuid.uuid4()}"
    answers: list[bytes] = []
    status = 200
    for item in items:
        text, failed = _run_item(store, request, item, handler)
        answers.append(f"--{boundary}\r\n".encode() + text)
        if failed and not go_on:
            status = 400
            break
    body = b"".join(answers) + f"--{boundary}--\r\n".encode()
    return Reply(status, body, {"Content-Type": f"multipart/mixed; boundary={boundary}"})


def _run_item(store: Store, outer: Request, item: Part | ChangeSet, handler: Handler) -> tuple[bytes, bool]:
    if isinstance(item, Part):
        reply = _run(outer, item, handler, {})
        return _rendered(reply, item.content_id), reply.status >= 400
    boundary = f"changesetresponse_{uuid.uuid4()}"
    try:
        replies = _run_change_set(store, outer, item, handler)
    except RollBack as failure:
        return _rendered(failure.reply, failure.content_id), True
    head = f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode()
    texts = [f"--{boundary}\r\n".encode() + _rendered(reply, content_id) for reply, content_id in replies]
    return head + b"".join(texts) + f"--{boundary}--\r\n".encode(), False


def _run_change_set(
    store: Store, outer: Request, changes: ChangeSet, handler: Handler
) -> list[tuple[Reply, str | None]]:
    references: dict[str, str] = {}
    replies: list[tuple[Reply, str | None]] = []
    with store.transaction():
        for part in changes.parts:
            reply = _run(outer, part, handler, references)
            if reply.status >= 400:
                raise RollBack(reply, part.content_id)
            location = reply.headers.get("OData-EntityId")
            if part.content_id and location:
                references[part.content_id] = location.removeprefix(outer.base)
            replies.append((reply, part.content_id))
    return replies


def _run(outer: Request, part: Part, handler: Handler, references: dict[str, str]) -> Reply:
    try:
        if len(part.url) > _LONGEST_URL:
            raise ServiceError(414, "0x80060888", f"The URL is longer than {_LONGEST_URL} characters.")
        path, query = _resolve(part.url, references)
        return handler(Request(part.method, outer.base, path, query, part.headers, part.body), references)
    except ServiceError as error:
        return error_reply(error)


def _resolve(url: str, references: dict[str, str]) -> tuple[str, str]:
    """The path below the service's root, and the query, of a URL that is absolute, rooted, relative or ``$1``."""
    address, _, query = url.partition("?")
    root = _ROOT.search(address)
    path = address[root.end() :] if root is not None else address.lstrip("/")
    if path.startswith("$") and not path.startswith(("$metadata", "$batch")):
        name, slash, rest = path[1:].partition("/")
        if name not in references:
            raise bad_request(f"Content-ID Reference: '${name}' does not exist in the batch context.")
        return references[name] + slash + unquote(rest), query
    return unquote(path), query


def _rendered(reply: Reply, content_id: str | None) -> bytes:
    head = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id is not None:
        head.append(f"Content-ID: {content_id}")
    try:
        phrase = HTTPStatus(reply.status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [*head, "", f"HTTP/1.1 {reply.status} {phrase}", "OData-Version: 4.0"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items() if name != "OData-Version"]
    return "\r\n".join([*lines, "", ""]).encode() + reply.body + b"\r\n"


def _items(body: bytes, boundary: str) -> list[Part | ChangeSet]:
    items: list[Part | ChangeSet] = []
    for section in _sections(body, boundary):
        headers, rest = _headers(section)
        inner = _BOUNDARY.search(headers.get("content-type", ""))
        if inner is not None and headers["content-type"].lower().startswith("multipart/mixed"):
            parts = tuple(_part(*_headers(one)) for one in _sections(rest, inner.group(1)))
            if any(part.method == "GET" for part in parts):
                raise bad_request("A GET request is not allowed in a change set.")
            items.append(ChangeSet(parts))
        else:
            items.append(_part(headers, rest))
    return items


def _sections(body: bytes, boundary: str) -> list[bytes]:
    """The parts between the boundaries, which stand on lines of their own and end with CRLF."""
    mark = f"--{boundary}".encode()
    sections: list[bytes] = []
    start = 0 if body.startswith(mark) else body.find(b"\r\n" + mark)
    if start < 0:
        raise bad_request("Stream was not readable.")
    position = start + (0 if body.startswith(mark) else 2)
    while True:
        position += len(mark)
        if body[position : position + 2] == b"--":
            if not sections:
                raise bad_request("The batch holds no request.")
            return sections
        if body[position : position + 2] != b"\r\n":
            raise bad_request("Stream was not readable.")
        end = body.find(b"\r\n" + mark, position)
        if end < 0:
            raise bad_request("Stream was not readable.")
        sections.append(body[position + 2 : end])
        position = end + 2


def _headers(section: bytes) -> tuple[dict[str, str], bytes]:
    if section.startswith(b"\r\n"):
        return {}, section[2:]
    head, _, rest = section.partition(b"\r\n\r\n")
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return headers, rest


def _part(headers: dict[str, str], rest: bytes) -> Part:
    line, _, remainder = rest.lstrip(b"\r\n").partition(b"\r\n")
    words = line.decode("utf-8", "replace").split(" ")
    if len(words) < 3 or not words[-1].startswith("HTTP/"):
        raise bad_request("An invalid HTTP request line was found in the batch.")
    inner, body = _headers(remainder)
    url = " ".join(words[1:-1]).replace("+", "%2B") if " " in " ".join(words[1:-1]) else " ".join(words[1:-1])
    return Part(words[0].upper(), url, inner, body.removesuffix(b"\r\n"), headers.get("content-id"))
