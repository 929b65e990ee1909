"""The resource part of a URL: segments with keys, such as ``accounts(accountnumber='A/1')/primarycontactid/$ref``."""

import re
from dataclasses import dataclass, field

from confmig.emulator.catalog import naming
from confmig.emulator.errors import ServiceError, bad_query

_SEGMENT = re.compile(r"([$@A-Za-z_][A-Za-z0-9_.$]*)(?:\((.*)\))?", re.DOTALL)


@dataclass(frozen=True)
class Segment:
    """One segment: its name and what stands in its parentheses; ``key`` is None without parentheses."""

    name: str
    key: str | None = None
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def guid(self) -> str | None:
        """The id in the parentheses, when it is one."""
        text = (self.key or "").strip()
        return text.lower() if naming.is_guid(text) else None


def split_path(path: str) -> list[Segment]:
    """The segments of a decoded path; slashes inside quotes belong to a key.

    Raises:
        ServiceError: A segment cannot be understood.
    """
    return [_segment(text) for text in split_outside(path.strip("/"), "/") if text]


def _segment(text: str) -> Segment:
    match = _SEGMENT.fullmatch(text.strip())
    if match is None:
        raise ServiceError(400, "0x80060888", f"Bad Request - Error in query syntax: {text}")
    name, key = match.groups()
    return Segment(name, key, _key_parts(key) if key else {})


def _key_parts(key: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in split_outside(key, ","):
        name, equals, value = part.partition("=")
        if equals and not name.strip().startswith("'"):
            parts[name.strip()] = value.strip()
    return parts


def split_outside(text: str, separator: str) -> list[str]:
    """Split at separators that stand outside single quotes and parentheses."""
    parts, start, depth, quoted = [], 0, 0, False
    for position, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == separator and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    parts.append(text[start:])
    return parts


def unquote_literal(text: str) -> str:
    """The text of a quoted literal, whose quotes are doubled.

    Raises:
        ServiceError: It is not quoted.
    """
    if len(text) < 2 or text[0] != "'" or text[-1] != "'":
        raise bad_query(f"Bad Request - Error in query syntax: {text}")
    return text[1:-1].replace("''", "'")
