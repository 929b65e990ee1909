"""Secrets of this process: known by the names of their variables, hidden wherever text leaves us.

A platform masks the secrets that it knows, by value. A secret may reach us by another way, in another form, or be
repeated by a service; so every text that we print or write for people goes through here first.
"""

import base64
import json
import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

_NAMES = re.compile("(?:SECRET|PASSWORD|TOKEN)$")
_SIGN_IN = re.compile("CLIENT[-_]SECRET$")
_SHORTEST = 6
"""Shorter values are no secrets worth the name, and hiding them would tear holes into every text."""


def forms_of(secret: str) -> list[str]:
    """A secret as it stands, and as it looks in a URL, in base64 and in JSON; the longest first."""
    raw = secret.encode()
    encoded = base64.b64encode(raw).decode()
    forms = {
        secret,
        *(line for line in secret.splitlines() if len(line) >= _SHORTEST),
        encoded,
        encoded.rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
    }
    return sorted(forms, key=len, reverse=True)


def sign_in_secrets(variables: Mapping[str, str]) -> Iterator[str]:
    """The client secrets among the variables: those that a platform may not know to be secrets."""
    for name, value in variables.items():
        if _SIGN_IN.search(name.upper()) and value:
            yield value


class Secrets:
    """What must not be shown."""

    def __init__(self) -> None:
        self._pattern: re.Pattern[str] | None = None

    def learn(self, variables: Mapping[str, str] = os.environ) -> None:
        """Take the secrets of these variables, by their names, in place of those known before."""
        values = {value for name, value in variables.items() if _NAMES.search(name.upper()) and len(value) >= _SHORTEST}
        forms = sorted({form for value in values for form in forms_of(value)}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, forms))) if forms else None

    def hide(self, text: str) -> str:
        """The text with three asterisks for each secret."""
        return self._pattern.sub("***", text) if self._pattern else text


SECRETS = Secrets()
"""The process has one set of variables, so there is one of these."""
