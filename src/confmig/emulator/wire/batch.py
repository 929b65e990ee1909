"""``$batch``: several requests in one, change sets among them.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/execute-batch-operations-using-web-api
"""

import re
import uuid
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import unquote

from confmig.emulator.errors import ServiceError, bad_request
from confmig.emulator.security.identity import HEADERS
from confmig.emulator.storage.store import Store
from confmig.emulator.wire.batchbody import ChangeSet, Part, read_items
from confmig.emulator.wire.wire import Reply, Request, error_reply, preferences_of

_LONGEST_URL = 65_536
_ROOT = re.compile(r"/api/data/v9\.\d+/")
_ABSOLUTE = re.compile(r"https?://[^/]+", re.IGNORECASE)
Handler = Callable[[Request, dict[str, str]], Reply]


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
    items = read_items(request.headers.get("content-type", ""), request.body)
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
            if part.content_id and reply.row:
                references[part.content_id] = unquote(reply.row.removeprefix(outer.base))
            replies.append((reply, part.content_id))
    return replies


def _run(outer: Request, part: Part, handler: Handler, references: dict[str, str]) -> Reply:
    try:
        if len(part.url) > _LONGEST_URL:
            raise ServiceError(414, "0x80060888", f"The URL is longer than {_LONGEST_URL} characters.")
        path, query = _resolve(outer, part.url, references)
        if path.rstrip("/") == "$batch":
            raise bad_request("A batch cannot be a part of a batch.")
        # The outer request says who calls, for all its parts; a part may say for whom it acts.
        caller = {name: outer.headers[name] for name in HEADERS if name in outer.headers}
        return handler(Request(part.method, outer.base, path, query, caller | part.headers, part.body), references)
    except ServiceError as error:
        return error_reply(error)


def _resolve(outer: Request, url: str, references: dict[str, str]) -> tuple[str, str]:
    """The path below the service's root, and the query, of a URL that is absolute, rooted, relative or ``$1``.

    Raises:
        ServiceError: It is the URL of another host, or a content id that no earlier request has.
    """
    address, _, query = url.partition("?")
    absolute = _ABSOLUTE.match(address)
    if absolute is not None:
        home = outer.base.partition("/api/")[0]
        if absolute.group().lower() != home.lower():
            raise bad_request(f"The URI '{url}' is not valid because it is not based on '{outer.base}'.")
        address = address[absolute.end() :]
    root = _ROOT.match(address)
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
