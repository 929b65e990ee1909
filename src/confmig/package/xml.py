"""XML as hostile input: no document type, no entities, no network; errors name the file and the line."""

import re

from lxml import etree

from confmig.errors import PackageError

_HEAD = 1024
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)")
_UTF_16 = {b"\xff\xfe": None, b"\xfe\xff": None, b"<\x00": "UTF-16LE", b"\x00<": "UTF-16BE"}
_UNICODE = {b"utf-8", b"utf8", b"utf-16", b"utf-16le", b"utf-16be", b"ucs-2", b"unicode", b"iso-10646-ucs-2"}
"""What is declared above UTF-8 bytes."""

_LEADING = re.compile(rb"(?:\xef\xbb\xbf|\s)+")


def strip_leading(data: bytes) -> bytes:
    """Remove what stands before the root: a byte order mark, and the line break of a declaration that CMT cut out."""
    match = _LEADING.match(data)
    return data[match.end() :] if match else data


def lines_before(data: bytes, body: bytes) -> int:
    """How many lines were stripped from the start."""
    return data[: len(data) - len(body)].count(b"\n")


def encoding_override(data: bytes) -> str | None:
    """The encoding to read by, whatever the declaration says; None where the file itself says it rightly.

    CMT tolerates a declaration of utf-16 above UTF-8 bytes, which .NET writes when it serialises to a string. UTF-16 is
    told by its byte order mark or, without one, by its first character.
    """
    start = data[:2]
    if start in _UTF_16:
        return _UTF_16[start]
    match = _DECLARED.match(strip_leading(data[:_HEAD]))
    declared = match[1].lower() if match else b"utf-8"
    return "utf-8" if declared in _UNICODE else None


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
