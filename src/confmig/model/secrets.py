"""Secrets of this process: hidden wherever text leaves us.

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
    """A secret as it stands, and as it looks in a URL, in base64 and in JSON; the longest first.

    White space around it is what pasting leaves; it is looked for without.
    """
    value = secret.strip()
    raw = value.encode("utf-8", "surrogateescape")
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    quoted = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    forms = {
        value,
        *(line.strip() for line in value.splitlines()),
        *encoded,
        *(text.rstrip("=") for text in encoded),
        *_within_base64(raw),
        *quoted,
        *(re.sub("%..", lambda found: found.group().lower(), text) for text in quoted),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
    }
    return sorted((form for form in forms if len(form) >= _SHORTEST), key=lambda form: (-len(form), form))


def _within_base64(raw: bytes) -> Iterator[str]:
    """What a secret looks like within the base64 of a longer text, as of ``client:secret``.

    By where it begins in a group of three bytes, it is one of three texts; the characters at both ends hold bits of its
    neighbours, so they are left out.
    """
    for offset in range(3):
        padded = base64.b64encode(b"\0" * offset + raw).decode()
        first = -(-offset * 4 // 3)
        whole = (offset + len(raw)) * 8 // 6
        yield padded[first:whole]


def sign_in_secrets(variables: Mapping[str, str]) -> Iterator[str]:
    """The client secrets among the variables: those that a platform may not know to be secrets."""
    for name, value in variables.items():
        if _SIGN_IN.search(name.upper()) and value.strip():
            yield value.strip()


class Secrets:
    """What must not be shown."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def learn(self, variables: Mapping[str, str] = os.environ) -> None:
        """Take the secrets of these variables, by their names, in place of those known before."""
        self._forms.clear()
        self.add(*(value for name, value in variables.items() if _NAMES.search(name.upper())))

    def add(self, *secrets: str) -> None:
        """Take more secrets, as the tokens that they were exchanged for."""
        for secret in secrets:
            if len(secret.strip()) >= _SHORTEST:
                self._forms.update(forms_of(secret))
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def hide(self, text: str) -> str:
        """The text with three asterisks for each secret."""
        return self._pattern.sub("***", text) if self._pattern else text


SECRETS = Secrets()
"""The process has one set of variables, so there is one of these."""
