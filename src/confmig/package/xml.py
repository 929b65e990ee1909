"""XML as hostile input: no document type, no entities, no network; errors name the file and the line."""

import re
from collections.abc import Callable, Mapping
from typing import Protocol

from lxml import etree

from confmig.errors import PackageError

_LEADING = re.compile(rb"(?:\xef\xbb\xbf|\s)+")


def strip_leading(data: bytes) -> bytes:
    """Remove what stands before the root: a byte order mark, and the line break of a declaration that CMT cut out."""
    match = _LEADING.match(data)
    return data[match.end() :] if match else data


def lines_before(data: bytes, body: bytes) -> int:
    """How many lines were stripped from the start."""
    return data[: len(data) - len(body)].count(b"\n")


def encoding_override(data: bytes) -> str | None:
    """The encoding to read by, whatever the declaration says: UTF-8, unless a byte order mark says UTF-16.

    CMT tolerates a declaration of utf-16 above UTF-8 bytes, which .NET writes when it serialises to a string.
    """
    return None if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8"


def parse_document(data: bytes, name: str) -> etree._Element:
    """Parse a whole small document, a schema file.

    Raises:
        PackageError: It is no well-formed XML, or it declares a document type.
    """
    parser = etree.XMLParser(
        encoding=encoding_override(data), resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True
    )
    body = strip_leading(data)
    try:
        root: etree._Element = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise syntax_error(error, name, lines_before(data, body)) from error
    if root.getroottree().docinfo.doctype:
        raise doctype_error(name)
    return root


class ParserTarget(Protocol):
    """What a push parser calls as it goes."""

    def start(self, tag: str, attributes: Mapping[str, str], /) -> None:
        """An element begins."""

    def data(self, text: str, /) -> None:
        """Text within an element."""

    def end(self, tag: str, /) -> None:
        """An element ends."""

    def doctype(self, name: str | None, public_id: str | None, system: str | None, /) -> None:
        """The document declares its type."""

    def close(self) -> None:
        """The document ends."""


class FeedParser(Protocol):
    """The part of lxml's parser that is used here."""

    def feed(self, data: bytes, /) -> None:
        """Parse one more piece."""

    def close(self) -> object:
        """Parse the rest."""


_ROOT = re.compile(rb"<[A-Za-z_]")


def push_parser(target: ParserTarget, head: bytes, name: str) -> FeedParser:
    """A parser that is fed piece by piece and calls ``target``; ``head`` is the start of the document.

    Entities must be "resolved" here: without that, libxml2 hands a target ``&#38;`` where an attribute has ``&amp;``.
    So nothing that could declare one gets as far as the parser: a document type is refused in the head.

    Raises:
        PackageError: The document declares a type, or its root does not begin within the head.
    """
    plain = head.replace(b"\x00", b"")  # UTF-16, as far as ASCII goes
    root = _ROOT.search(plain)
    if root is None or b"<!DOCTYPE" in plain[: root.start()].upper():
        raise doctype_error(name) if root else PackageError(f"{name}: this is no XML.", "Export the package again.")
    make: Callable[..., FeedParser] = etree.XMLParser
    return make(
        target=target, encoding=encoding_override(head), resolve_entities="internal", no_network=True, huge_tree=True
    )


def syntax_error(error: etree.XMLSyntaxError, name: str, skipped: int = 0) -> PackageError:
    """What broken XML becomes: file, line and the parser's reason; ``skipped`` lines were not given to the parser."""
    reason = (error.msg or "not well-formed").split(", line ")[0]
    return PackageError(
        f"{name}, line {(error.lineno or 1) + skipped}: this is no well-formed XML: {reason}.",
        "Export the package again, or mend the file at that line.",
    )


def doctype_error(name: str) -> PackageError:
    """A document type can hold entities that expand without end; no package has one."""
    return PackageError(
        f"{name}: the file declares a document type, which no data package has.",
        "Remove the <!DOCTYPE …> declaration if you trust the file.",
    )


def attributes_of(element: etree._Element) -> dict[str, str]:
    """The attributes of an element, in the order of the file."""
    return {str(name): str(value) for name, value in element.attrib.items()}


def inner_xml(element: etree._Element) -> str:
    """The children of an element as text."""
    return (element.text or "") + "".join(etree.tostring(child, encoding="unicode") for child in element)
