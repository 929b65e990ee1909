"""The body of a ``$batch``: MIME parts that hold requests, and change sets that hold such parts.

https://docs.oasis-open.org/odata/odata/v4.0/errata03/os/complete/part1-protocol/odata-v4.0-errata03-os-part1-protocol-complete.html#_Toc453752313
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from confmig.emulator.errors import ServiceError, bad_request

MOST_REQUESTS = 1000
_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^\s";]+))', re.IGNORECASE)
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


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


def read_items(content_type: str, body: bytes) -> list[Part | ChangeSet]:
    """The requests and change sets of a batch.

    Args:
        content_type: The header of the batch, which names the boundary.
        body: The body.

    Raises:
        ServiceError: The body is no batch, or holds too many requests.
    """
    boundary = _boundary(content_type)
    if boundary is None:
        raise bad_request("The content type of a batch request is not multipart/mixed with a boundary.")
    if body.endswith(b"--\n\n") and b"\r\n" not in body:
        # Clients that cannot write CRLF add two line ends of their own:
        # https://learn.microsoft.com/power-apps/developer/data-platform/webapi/execute-batch-operations-using-web-api
        body = body.replace(b"\n", b"\r\n")
    items = [_item(section) for section in _sections(body, boundary, outer=True)]
    if sum(len(item.parts) if isinstance(item, ChangeSet) else 1 for item in items) > MOST_REQUESTS:
        raise ServiceError(
            400, "0x80048d19", f"The number of operations in the batch exceeds the limit of {MOST_REQUESTS}."
        )
    return items


def _boundary(content_type: str) -> str | None:
    """The boundary that a content type names; None when it is not ``multipart/mixed``."""
    if not content_type.strip().lower().startswith("multipart/mixed"):
        return None
    match = _BOUNDARY.search(content_type)
    return None if match is None else match.group(1) or match.group(2)


def _item(section: bytes) -> Part | ChangeSet:
    headers, rest = _headers(section)
    boundary = _boundary(headers.get("content-type", ""))
    if boundary is None:
        return _part(headers, rest)
    parts = tuple(_part(*_headers(one)) for one in _sections(rest, boundary, outer=False))
    for part in parts:
        if part.method not in _CHANGING:
            raise bad_request(
                f"An invalid HTTP method '{part.method}' was detected for a request in a change set. Requests in "
                "change sets only support the HTTP methods 'POST', 'PUT', 'DELETE', and 'PATCH'."
            )
    _refuse_repeated(part.content_id for part in parts)
    return ChangeSet(parts)


def _refuse_repeated(content_ids: Iterable[str | None]) -> None:
    seen: set[str] = set()
    for content_id in content_ids:
        if content_id is None:
            continue
        if content_id in seen:
            raise bad_request(
                f"The content ID '{content_id}' was found more than once in the same change set. Content IDs have to "
                "be unique across all operations of a change set."
            )
        seen.add(content_id)


def _unreadable() -> ServiceError:
    """What the service says of line ends that are no CRLF, and of boundaries that are not there."""
    return bad_request("Stream was not readable.")


def _sections(body: bytes, boundary: str, *, outer: bool) -> list[bytes]:
    """The parts between the boundaries, which stand on lines of their own and end with CRLF.

    The last boundary of the outer body ends with CRLF, too; that of a change set ends where the next one begins.
    """
    mark = f"--{boundary}".encode()
    sections: list[bytes] = []
    start = 0 if body.startswith(mark) else body.find(b"\r\n" + mark)
    if start < 0:
        raise _unreadable()
    position = start + (0 if body.startswith(mark) else 2)
    while True:
        position += len(mark)
        if body[position : position + 2] == b"--":
            if not sections:
                raise bad_request("The batch holds no request.")
            if outer and body[position + 2 : position + 4] != b"\r\n":
                raise _unreadable()
            return sections
        if body[position : position + 2] != b"\r\n":
            raise _unreadable()
        end = body.find(b"\r\n" + mark, position)
        if end < 0:
            raise _unreadable()
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
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/http":
        raise bad_request(f"A part of a batch is of the content type '{kind}', not 'application/http'.")
    encoding = headers.get("content-transfer-encoding", "binary")
    if encoding.lower() != "binary":
        raise bad_request(f"A part of a batch has the Content-Transfer-Encoding '{encoding}', not 'binary'.")
    line, _, remainder = rest.lstrip(b"\r\n").partition(b"\r\n")
    words = line.decode("utf-8", "replace").split(" ")
    if len(words) < 3 or not words[-1].startswith("HTTP/"):
        raise bad_request("An invalid HTTP request line was found in the batch.")
    inner, body = _headers(remainder)
    url = " ".join(words[1:-1])
    # A URL that is written with blanks is not encoded: its plus signs are plus signs.
    url = url.replace("+", "%2B") if " " in url else url
    return Part(words[0].upper(), url, inner, body.removesuffix(b"\r\n"), headers.get("content-id"))
