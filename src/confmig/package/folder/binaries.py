"""Base64 texts that stand as files: images, and the bodies of notes and attachments."""

import base64
import binascii

from confmig.package.folder.naming import safe_suffix

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"GIF87a", ".gif"),
    (b"GIF89a", ".gif"),
    (b"BM", ".bmp"),
    (b"\x00\x00\x01\x00", ".ico"),
    (b"<svg", ".svg"),
)
_BODIES = {"documentbody", "body", "content"}
"""Columns of texts that hold files as base64: of notes, attachments of e-mails, web resources."""


def image_of(text: str) -> tuple[bytes, str] | None:
    """The bytes of an image column with their suffix, or None when the text is no base64 that comes back the same."""
    content = bytes_of(text)
    return None if content is None else (content, _magic_suffix(content) or ".bin")


def body_of(column: str, text: str, file_name: str | None) -> tuple[bytes, str] | None:
    """The bytes of a text column that holds a file or an image as base64, with their suffix; None when it does not."""
    if len(text) <= 120:
        return None
    by_name = column in _BODIES
    content = bytes_of(text)
    if content is None:
        return None
    suffix = _magic_suffix(content)
    if by_name:
        return content, suffix or safe_suffix(file_name)
    return (content, suffix) if suffix and suffix not in {".bmp", ".ico"} else None


def base64_of(content: bytes) -> str:
    """The reverse: the text of a column that holds these bytes."""
    return base64.b64encode(content).decode()


def bytes_of(text: str) -> bytes | None:
    """The bytes that a text holds as base64; None when it is no base64 that would come back the same."""
    if not text or len(text) % 4 or not text.isascii():
        return None
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if base64_of(content) == text else None


def _magic_suffix(content: bytes) -> str | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return ".webp"
    head = content[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<?xml") and b"<svg" in head:
        return ".svg"
    return next((suffix for magic, suffix in _MAGIC if content.startswith(magic) or head.startswith(magic)), None)
