"""Requests and replies as the handlers see them, whether they came alone or inside a batch."""

import fnmatch
import re
import uuid
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

import msgspec

from confmig.emulator.errors import ServiceError

_AUTHORITY = "https://login.microsoftonline.com/common/oauth2/authorize"
JSON = "application/json; odata.metadata=minimal"
_SIZE = re.compile(r"0*[1-9][0-9]{0,9}")
_FORMATTED = "OData.Community.Display.V1.FormattedValue"
_LOGICAL_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
_NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"


@dataclass(frozen=True)
class Annotations:
    """Which annotations the client asks for with ``Prefer: odata.include-annotations``."""

    formatted: bool = False
    logical_name: bool = False
    navigation: bool = False
    patterns: tuple[str, ...] = ()

    def wants(self, name: str) -> bool:
        """Whether an annotation of this name is asked for."""
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.patterns)


def annotations_of(patterns: str) -> Annotations:
    """The annotations that a list of names and wildcards asks for."""
    listed = tuple(part.strip() for part in patterns.split(",") if part.strip())
    wanted = Annotations(patterns=listed)
    return Annotations(wanted.wants(_FORMATTED), wanted.wants(_LOGICAL_NAME), wanted.wants(_NAVIGATION), listed)


NO_ANNOTATIONS = Annotations()


@dataclass(frozen=True)
class Preferences:
    """What the ``Prefer`` header asks for."""

    annotations: Annotations = NO_ANNOTATIONS
    max_page_size: int | None = None
    representation: bool = False
    continue_on_error: bool = False
    track_changes: bool = False
    applied: tuple[str, ...] = ()


def preferences_of(header: str) -> Preferences:
    """Read a ``Prefer`` header; preferences that the service does not know are ignored, as RFC 7240 asks."""
    annotations = Annotations()
    size: int | None = None
    representation = continue_on_error = tracked = False
    applied: list[str] = []
    for part in _split(header):
        name, _, value = part.partition("=")
        # Parameters of a preference follow a semicolon: https://www.rfc-editor.org/rfc/rfc7240#section-2
        name, value = name.partition(";")[0].strip().lower(), value.partition(";")[0].strip().strip('"')
        if name == "odata.include-annotations":
            annotations = annotations_of(value)
        elif name == "odata.maxpagesize" and _SIZE.fullmatch(value):
            size = int(value)
        elif name == "return" and value == "representation":
            representation = True
        elif name in ("odata.continue-on-error", "continue-on-error") and value in ("", "true"):
            continue_on_error = True
        elif name == "odata.track-changes":
            tracked = True
        else:
            continue
        applied.append(part)
    return Preferences(annotations, size, representation, continue_on_error, tracked, tuple(applied))


def _split(header: str) -> list[str]:
    """The parts of a header list, whose quoted strings may hold commas."""
    parts, current, inside = [], "", False
    for character in header:
        if character == '"':
            inside = not inside
        if character == "," and not inside:
            parts.append(current.strip())
            current = ""
        else:
            current += character
    return [part for part in (*parts, current.strip()) if part]


@dataclass(frozen=True)
class Request:
    """One request.

    Attributes:
        method: HTTP method.
        base: Absolute URL of the service's root as the client named it, ending with a slash.
        path: Decoded path below the root.
        query: Query string as it came.
        headers: Headers with lower-case names.
        body: Body.
    """

    method: str
    base: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def options(self) -> dict[str, str]:
        """The query options, decoded; both ``%20`` and ``+`` are blanks."""
        options: dict[str, str] = {}
        for part in self.query.split("&"):
            if part:
                name, _, value = part.partition("=")
                options[unquote_plus(name)] = unquote_plus(value)
        return options

    def preferences(self) -> Preferences:
        """What the ``Prefer`` header asks for."""
        header = self.headers.get("prefer", "")
        return preferences_of(header) if header else Preferences()


@dataclass
class Reply:
    """One answer.

    Attributes:
        row: The URL of the row that was made or changed, by which a change set can refer to it; no header needs to
            say it.
        fault: The fault on purpose that struck the work on it, for the log.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    row: str = ""
    fault: str | None = None


def json_reply(value: object, status: int = 200, **headers: str) -> Reply:
    """An answer with a JSON body."""
    return Reply(status, msgspec.json.encode(value), {"Content-Type": JSON, **headers})


def raw_json_reply(body: str, status: int = 200, applied: tuple[str, ...] = ()) -> Reply:
    """An answer whose JSON text is there already."""
    headers = {"Content-Type": JSON}
    if applied:
        headers["Preference-Applied"] = ",".join(applied)
    return Reply(status, body.encode(), headers)


def unauthorized(home: str) -> Reply:
    """The answer to a request whose token is none, or is not accepted: no body, and where a token is to be had.

    https://learn.microsoft.com/power-apps/developer/data-platform/authenticate-oauth
    """
    return Reply(401, b"", {"WWW-Authenticate": f"Bearer authorization_uri={_AUTHORITY}, resource_id={home}/"})


def error_reply(error: ServiceError) -> Reply:
    """The answer to a request that failed; its request id is in the headers as the service gives it."""
    request_id = str(uuid.uuid4())
    body = {"error": {"code": error.code, "message": error.message}}
    return Reply(
        error.status,
        msgspec.json.encode(body),
        {
            "Content-Type": JSON,
            "OData-Version": "4.0",
            "REQ_ID": request_id,
            "x-ms-service-request-id": request_id,
            **error.headers,
        },
    )
