"""Who sends a request, as far as its limits go: the user or application that the bearer token is for."""

import base64
import binascii

import msgspec

# The object id of the user or service principal stays the same when the token is renewed
# (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference).
_CLAIMS = ("oid", "appid", "azp", "sub")


def caller_of(authorization: str) -> str:
    """A name for whoever sends a request; the same for all tokens of one user or application.

    The token is not checked: whoever has one of no known form is told apart by the token itself.

    Args:
        authorization: The header of that name; empty without one, which is a caller, too.
    """
    parts = authorization.removeprefix("Bearer ").split(".")
    if len(parts) != 3:
        return authorization
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return authorization
    if not isinstance(claims, dict):
        return authorization
    return next((f"{name} {claims[name]}" for name in _CLAIMS if isinstance(claims.get(name), str)), authorization)
