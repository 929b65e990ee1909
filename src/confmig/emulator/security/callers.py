"""The bearer token: what it says of whoever sends a request. It is not checked: nobody here has the keys for that."""

import base64
import binascii

import msgspec

Claims = dict[str, object]
# The object id of the user or service principal stays the same when the token is renewed
# (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference).
_CLAIMS = ("oid", "appid", "azp", "sub")


def claims_of(authorization: str) -> Claims | None:
    """The claims of the token, when it is a JWT.

    Args:
        authorization: The header of that name.
    """
    parts = authorization.removeprefix("Bearer ").split(".")
    if len(parts) != 3:
        return None
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
    return claims if isinstance(claims, dict) else None


def caller_of(authorization: str) -> str:
    """A name for whoever sends a request; the same for all tokens of one user or application.

    Whoever has a token of no known form is told apart by the token itself.

    Args:
        authorization: The header of that name; empty without one, which is a caller, too.
    """
    claims = claims_of(authorization) or {}
    return next((f"{name} {claims[name]}" for name in _CLAIMS if isinstance(claims.get(name), str)), authorization)
