"""Text as YAML that every reader of YAML understands alike, and that a reviewer sees whole.

Written is a small part of YAML: block mappings and lists, flow mappings on one line, and of the ways to write a text
the plainest that gives it back exactly.
"""

import re
from collections.abc import Iterable

from confmig.model.values import is_guid

_PLAIN = re.compile("[A-Za-z0-9_$(/+.\u00a1-\U0010ffff].*")
_AMBIGUOUS = re.compile(": |:$| #| $")
_TYPED = re.compile(
    # What YAML readers that look for types take for a truth value, nothing, a number or a date.
    r"(?i:y|n|yes|no|on|off|true|false|null|none)"
    r"|[-+.]?[0-9][-+0-9.,:_eExXoOa-fA-FtTzZ ]*|[-+]?\.(?i:inf|nan)"
)
_IN_FLOW = re.compile(r"[,\[\]{}:?]")
_NO_YAML = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff"
_OTHER_BREAKS = "\x85\u2028\u2029"
_MISLEADING = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f"
"""What turns the direction of a line, or hides in it: https://www.unicode.org/reports/tr36/ and trojansource.codes."""
_INVISIBLE = (
    "\xa0\xad\u034f\u115f\u1160\u17b4\u17b5\u180e\u2000-\u200b\u202f\u205f-\u2065\u206a-\u206f\u3000\u3164\ufff9-\ufffb"
)
_NOT_IN_BLOCK = re.compile(f"[{_NO_YAML}{_OTHER_BREAKS}{_MISLEADING}]")
_ESCAPED = re.compile(f'["\\\\\t\n\r{_NO_YAML}{_OTHER_BREAKS}{_MISLEADING}{_INVISIBLE}]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": "\\0"}
_LONGEST_KEY = 900
"""A reader looks no further than 1,024 characters for the colon after a key."""


def fits_block(text: str) -> bool:
    """Whether a text survives in a block or a file of its own, where nothing can be escaped."""
    return not _NOT_IN_BLOCK.search(text)


def scalar(text: str, *, flow: bool = False) -> str:
    """A text on one line: plain where it is unambiguous, else in single or double quotes."""
    if not _ESCAPED.search(text):
        if _is_plain(text, flow):
            return text
    elif "'" not in text and not _ESCAPED.search(text.replace('"', "").replace("\\", "")):
        return f"'{text}'"
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _is_plain(text: str, flow: bool) -> bool:
    return bool(
        _PLAIN.fullmatch(text)
        and not _AMBIGUOUS.search(text)
        and (not _TYPED.fullmatch(text) or is_guid(text))
        and not (flow and _IN_FLOW.search(text))
    )


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def entry(key: str, value: str, indent: str = "") -> str:
    """A line of a block mapping; ``value`` is YAML already."""
    written = scalar(key, flow=True)
    if len(written) > _LONGEST_KEY:
        return f"{indent}? {written}\n{indent}: {value}\n"
    return f"{indent}{written}: {value}\n"


def text_value(text: str, indent: str = "") -> str:
    """A text as the value of an entry: on one line, or as a block where it has several."""
    if "\n" not in text or not fits_block(text):
        return scalar(text)
    tag, body = "", text
    if "\r" in text:
        if not text.count("\r") == text.count("\n") == text.count("\r\n"):
            return scalar(text)
        tag, body = "!crlf ", text.replace("\r\n", "\n")
    last = body.rstrip("\n").rpartition("\n")[2]
    if not last.strip(" \t"):
        return scalar(text)  # nothing but blanks: a block would show nothing, and editors cut them off
    lines = body.removesuffix("\n").split("\n")
    first = next(line for line in lines if line)
    indented = "2" if first[0] in " \t" or not lines[0] else ""
    # The indentation is told where a reader could not, the ending where it is not one line break.
    ending = "-" if not body.endswith("\n") else "+" if body.endswith("\n\n") else ""
    inner = "".join(f"{indent}  {line}\n" if line else "\n" for line in lines)
    return f"{tag}|{indented}{ending}\n{inner[:-1]}"


def flow_mapping(pairs: Iterable[tuple[str, str]]) -> str:
    """A mapping on one line; the values are YAML already."""
    return "{" + ", ".join(f"{scalar(key, flow=True)}: {value}" for key, value in pairs) + "}"
