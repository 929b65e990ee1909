"""What a response means: its JSON, or the error in it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from confmig.errors import AccessError, ConfmigError, ServiceError
from confmig.model.secrets import SECRETS
from confmig.webapi.sender import Response

Json = dict[str, Any]
"""A JSON object off the wire; it does not leave this layer."""

_DECODER = msgspec.json.Decoder(Json, float_hook=Decimal)
"""Numbers with a fraction become Decimals: a money value has up to 19 digits, more than a float holds."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")

PRIVILEGE_DENIED = "0x80040220"
DUPLICATE_RECORD = "0x80040237"

_DENIES_TABLE = {
    PRIVILEGE_DENIED,
    "0x80072560",  # the user is not a member of the organization
    "0x80040225",  # the user is disabled
    "0x80042f09",  # the user has no roles
    "0x8004a104",  # the organization is disabled
    "0x8004a113",  # the organization is in administration mode
}


@dataclass(frozen=True, slots=True)
class ServiceFault:
    """Why the service refused something, in its own words."""

    status: int
    code: str
    message: str
    request_id: str

    @property
    def is_access(self) -> bool:
        """Whether sign-in or a privilege is the reason."""
        return self.status in {401, 403}

    @property
    def denies_table(self) -> bool:
        """Whether the caller may not do this with any row: sign-in, or a privilege on the table, is missing.

        The other refusals of this kind are about one row or one column of it.
        """
        return self.status == 401 or (self.status == 403 and self.code.lower() in _DENIES_TABLE)

    def __str__(self) -> str:
        """The service's sentence with its code and the request's id."""
        code = f" [{self.code}]" if self.code else ""
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.message}{code}{request}"


def decode_json(body: bytes, url: str) -> Json:
    """The JSON object in a body.

    Raises:
        ServiceError: It is none. An answer that cannot be read is never taken for an empty one.
    """
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        raise ServiceError(
            f"{url} answered with something that is no JSON: {body[:80]!r}.",
            "Check that the URL is that of a Dataverse environment.",
        ) from None


def rows_of(answer: Json, what: str) -> list[Json]:
    """The rows of an answer to a query; ``what`` says what was asked for.

    Raises:
        ServiceError: There is no list of them.
    """
    rows = answer.get("value")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ServiceError(f"{what}: the answer holds no rows, which is not the same as none.")
    return rows


def text_of(row: Json, name: str, what: str) -> str:
    """A text that a row must hold.

    Raises:
        ServiceError: It does not.
    """
    value = row.get(name)
    if not isinstance(value, str):
        raise ServiceError(f"{what}: the answer holds rows without {name}.")
    return value


def encode_json(value: object) -> bytes:
    """The bytes of a JSON value, decimals as numbers with all their digits."""
    return _ENCODER.encode(value)


def fault_of(response: Response) -> ServiceFault:
    """The fault in an error response."""
    code, message = "", ""
    try:
        error = _DECODER.decode(response.body).get("error")
        if isinstance(error, dict):
            code, message = str(error.get("code") or ""), str(error.get("message") or "")
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        message = ""
    if not message:
        message = f"HTTP {response.status} without an explanation"
    # Here, and not only where texts are shown: outcomes are kept in the run file.
    return ServiceFault(response.status, code, SECRETS.hide(message), response.request_id)


def _access_hint(fault: ServiceFault) -> str:
    match fault.code.lower():
        case "0x80072560":
            return (
                "Create an application user for this client id in the environment, with a security role: Power Platform"
                " admin center, Environments, Settings, Users + permissions, Application users."
            )
        case "0x80040225":
            return "Enable the application user in the environment."
        case "0x8004a104" | "0x8004a113":
            return "See the environment's state in the Power Platform admin center."
        case _:
            return "Give the application user a security role with the privilege that is named there."


def error_of(fault: ServiceFault, what: str) -> ConfmigError:
    """The error to raise when a request that must not fail did; ``what`` says what was asked for."""
    if fault.status == 401:
        return AccessError(
            f"{what}: the environment rejects the token (HTTP 401): {fault}",
            "Check that the application is a user of this environment and that the tenant is the environment's.",
        )
    if fault.is_access:
        return AccessError(f"{what}: access is denied: {fault}", _access_hint(fault))
    if fault.status == 404 and not fault.code:
        return ServiceError(
            f"{what}: there is no Dataverse Web API at this address (HTTP 404).", "Check the environment's URL."
        )
    return ServiceError(f"{what}: the environment refused (HTTP {fault.status}): {fault}")
