"""Bytes that a column holds as base64, as people are to see them: by size and digest, or as the text that they are."""

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from hashlib import sha256

from confmig.model.values import Value
from confmig.package.folder.binaries import bytes_of

_SHORTEST = 200
"""A shorter text is shown as it stands; words without blanks are base64, too."""
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0e-\x1f]")


def binary_in(value: Value) -> bytes | None:
    """The bytes that a value holds as base64, as images and the bodies of notes are; None where it is no such text."""
    return bytes_of(value) if isinstance(value, str) and len(value) >= _SHORTEST else None


def describe_bytes(content: bytes) -> str:
    """Size and digest, as ``sha256sum`` tells it of the file."""
    return f"{len(content):,} bytes, SHA-256 {sha256(content).hexdigest()[:16]}…"


def text_in(content: bytes) -> str | None:
    """The text that bytes are, as those of a style sheet or a script; None where they are none."""
    try:
        text = content.decode("utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if _NO_TEXT.search(text) else text
