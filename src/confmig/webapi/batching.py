"""$batch: several requests in one, each for itself.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/execute-batch-operations-using-web-api
"""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.errors import CloseBoundaryNotFoundDefect
from email.parser import BytesParser
from email.policy import HTTP

from confmig.errors import ServiceError
from confmig.webapi.sender import Request, Response

MAX_PARTS = 1_000
_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})[^\r\n]*\r?\n")


@dataclass(frozen=True, slots=True)
class Part:
    """One request in a batch; ``path`` is below the API's root."""

    method: str
    path: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = field(default=())


def batch_request(api: str, parts: Sequence[Part], headers: dict[str, str], *, repeatable: bool) -> Request:
    """The request that carries the parts; each is carried out even when one before it fails.

    Args:
        api: The API's root URL, with a slash at its end.
        parts: At most 1,000.
        headers: The headers of the batch itself.
        repeatable: Whether sending all of it twice does no harm.
    """
    boundary = f"batch_{uuid.uuid4()}"
    lines: list[bytes] = []
    for part in parts:
        lines += [
            f"--{boundary}".encode(),
            b"Content-Type: application/http",
            b"Content-Transfer-Encoding: binary",
            b"",
            f"{part.method} {api}{part.path} HTTP/1.1".encode(),
            b"Accept: application/json",
            *(f"{name}: {value}".encode() for name, value in part.headers),
        ]
        if part.body is not None:
            lines += [b"Content-Type: application/json; type=entry", b"", part.body]
        else:
            lines += [b"", b""]
    lines += [f"--{boundary}--".encode(), b""]
    return Request(
        "POST",
        f"{api}$batch",
        {
            **headers,
            "Content-Type": f'multipart/mixed; boundary="{boundary}"',
            "Prefer": "odata.continue-on-error",
        },
        b"\r\n".join(lines),
        repeatable=repeatable,
    )


def batch_responses(response: Response, expected: int) -> list[Response]:
    """The responses in a batch's response, one for each part.

    Raises:
        ServiceError: There are fewer or more than parts were sent, so it cannot be told which is missing.
    """
    head = f"Content-Type: {response.headers.get('content-type', '')}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + response.body)
    if any(isinstance(defect, CloseBoundaryNotFoundDefect) for defect in message.defects):
        raise ServiceError("The answer to a batch was cut off before its end.")
    answers: list[Response] = []
    for part in message.iter_parts() if message.is_multipart() else ():
        payload = part.get_payload(decode=True)
        answers.append(_parse_part(payload if isinstance(payload, bytes) else b""))
    if len(answers) != expected:
        raise ServiceError(f"A batch of {expected} requests came back with {len(answers)} answers.")
    return answers


def _parse_part(payload: bytes) -> Response:
    match = _STATUS_LINE.match(payload.lstrip())
    if match is None:
        raise ServiceError(f"An answer in a batch is none of HTTP: {payload[:80]!r}.")
    rest = payload.lstrip()[match.end() :]
    head, _, body = rest.replace(b"\r\n", b"\n").partition(b"\n\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head.decode("utf-8", "replace").splitlines())
        if value
    }
    return Response(int(match.group(1)), headers, body.strip())
