"""How a value is shown to people: short, on one line, and as a hash where its column may hold something private."""

import hmac
import re
import secrets
from datetime import datetime
from decimal import Decimal

from confmig.model.printable import printable
from confmig.model.secrets import SECRETS
from confmig.model.values import Choices, FileContent, FileRef, Lookup, Parties, Value, plain_form

_SENSITIVE = re.compile(
    "password|passwd|secret|token|apikey|api_key|accesskey|privatekey|connectionstring|credential"
    "|e?mail(?:address)?[0-9]*$|phone|mobile|fax"
)
_KEY = secrets.token_bytes(32)
"""New in each run, so that nobody finds a phone number by hashing all of them."""
_LONGEST = 60
_CONTEXT = 15
_SHOWN_DIGEST = 16


def show_value(column: str, value: Value) -> str:
    """A value in a few words. Within one report the same hash means the same value."""
    if value is None:
        return "—"
    if is_sensitive(column):
        return "hash " + hmac.new(_KEY, repr(plain_form(value)).encode(), "sha256").hexdigest()[:12]
    match value:
        case Lookup(table, row_id, name):
            return shorten(f"{name} ({row_id})" if name else f"{table} {row_id}")
        case Choices(options):
            return ", ".join(map(str, options))
        case Parties(parties):
            return f"{len(parties)} parties"
        case FileRef(file_id, name):
            return shorten(name or file_id)
        case FileContent(_, name, size, sha256):
            digest = f", sha256 {sha256[:_SHOWN_DIGEST]}" if sha256 else ""
            return f"{shorten(name)} ({size:,} {'byte' if size == 1 else 'bytes'}{digest})"
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case Decimal():
            return format(value, "f")
        case str():
            return shorten(value)
        case _:
            return str(value)


def show_change(column: str, before: Value, after: Value) -> str:
    """What a column changes from and to; of two long texts, the places where they begin to differ."""
    return " → ".join(show_sides(column, before, after))


def show_sides(column: str, before: Value, after: Value) -> tuple[str, str]:
    """The two values of a column; of two long texts, the places where they begin to differ."""
    if isinstance(before, str) and isinstance(after, str) and not is_sensitive(column):
        before, after = SECRETS.hide(before), SECRETS.hide(after)
        start = _first_difference(before, after) - _CONTEXT
        if start > 0 and max(len(before), len(after)) > _LONGEST:
            return f"…{shorten(before[start:])}", f"…{shorten(after[start:])}"
    return show_value(column, before), show_value(column, after)


def is_sensitive(column: str) -> bool:
    """Whether a column may hold something private, by its name."""
    return _SENSITIVE.search(column) is not None


def _first_difference(left: str, right: str) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((index for index, (one, other) in pairs if one != other), min(len(left), len(right)))


def number_of(count: int, thing: str) -> str:
    """A number of things, in words: ``1 row``, ``2 rows``."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def shorten(text: str) -> str:
    """At most 60 characters on one line; control characters, which could steer a terminal, are made visible.

    Secrets are hidden before the cut: the first half of one is too much already.
    """
    text = SECRETS.hide(text)
    line = re.sub(" +", " ", printable(text[: _LONGEST * 4])).strip()
    rest = len(text) > _LONGEST * 4 or len(line) > _LONGEST
    return line[: _LONGEST - 1] + "…" if rest else line
