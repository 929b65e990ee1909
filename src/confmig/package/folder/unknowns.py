"""What a reader of data.xml did not understand, kept in YAML under ``$unknown`` and given back as it was.

Attributes become attributes again and pieces of XML elements, so both are checked when they are read: a file that was
edited must not write markup that its reader cannot see.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from confmig.errors import PackageError
from confmig.package.folder.yamlread import Mapping as MappingNode
from confmig.package.folder.yamlread import Node, Place, Scalar, Sequence
from confmig.package.folder.yamltext import entry, flow_mapping, scalar, text_value
from confmig.package.limits import LIMITS
from confmig.package.xmlstream import XmlStream

UNKNOWN = "$unknown"

Attributes = tuple[tuple[str, str], ...]

_NAME = re.compile(r"(?:\{[^{}<>&\"']*\})?[^\W\d][\w.:\-·]*")
_ELEMENTS = {
    *("entities", "entity", "records", "record", "field", "fields", "activitypointerrecords"),
    *("m2mrelationships", "m2mrelationship", "targetids", "targetid"),
}
"""Elements that are read as rows and associations; as an unknown piece they would be rows that nobody sees."""


def unknown_lines(
    own: Iterable[tuple[str, str]],
    columns: Mapping[str, Iterable[tuple[str, str]]],
    xml: Collection[str],
    indent: str = "",
) -> Iterator[str]:
    """What was not understood, as an entry of a mapping; nothing where there is nothing.

    Args:
        own: Attributes of the thing itself.
        columns: Attributes of its fields, by column.
        xml: Elements within it.
        indent: How far the entry is indented.
    """
    lines: list[str] = []
    if own := list(own):
        lines.append(entry("attributes", _attributes(own), indent + "  "))
    if columns:
        lines.append(f"{indent}  columns:\n")
        lines += [entry(name, _attributes(columns[name]), indent + "    ") for name in sorted(columns)]
    if xml:
        lines.append(f"{indent}  xml:\n")
        lines += [f"{indent}    - {text_value(piece, indent + '    ')}\n" for piece in xml]
    if lines:
        yield f"{indent}{UNKNOWN}:\n"
        yield from lines


def _attributes(pairs: Iterable[tuple[str, str]]) -> str:
    return flow_mapping((name, scalar(value, flow=True)) for name, value in pairs)


class Unknowns:
    """What stands under ``$unknown``, read and checked: attributes, attributes by column, and pieces of XML.

    Args:
        node: The value of ``$unknown``, or None where there is none.
        place: The file.
        own: Names that are no unknown attributes of the thing itself.
        field: Names that are no unknown attributes of a field.

    Raises:
        PackageError: It is not what ``unknown_lines`` writes.
    """

    def __init__(self, node: Node | None, place: Place, own: Collection[str] = (), field: Collection[str] = ()) -> None:
        self._place = place
        self.attributes: Attributes = ()
        self.columns: dict[str, Attributes] = {}
        self.xml: tuple[str, ...] = ()
        if node is None:
            return
        for key, value in require_mapping(node, place, UNKNOWN).entries.items():
            if key == "attributes":
                self.attributes = self._read_attributes(value, own)
            elif key == "columns":
                by_column = require_mapping(value, place, "columns").entries.items()
                self.columns = {name: self._read_attributes(item, field) for name, item in by_column}
            elif key == "xml" and isinstance(value, Sequence):
                self.xml = tuple(self._read_xml(item) for item in value.items)
            else:
                raise place.error(value.line, f"{UNKNOWN} has no {key!r} like this")

    def _read_attributes(self, node: Node, known: Collection[str]) -> Attributes:
        pairs: list[tuple[str, str]] = []
        for name, value in require_mapping(node, self._place, "a mapping of attributes").entries.items():
            if not _NAME.fullmatch(name):
                raise self._place.error(value.line, f"{name!r} is no name of an XML attribute")
            if name in known:
                raise self._place.error(value.line, f"{name!r} is an attribute that the format knows")
            pairs.append((name, require_text(value, self._place, f"the attribute {name}")))
        return tuple(pairs)

    def _read_xml(self, node: Node) -> str:
        text = require_text(node, self._place, "a piece of XML")
        found: list[tuple[str, str]] = []

        def start(tag: str, attributes: dict[str, str]) -> None:
            stream.capture(tag, attributes, lambda xml: found.append((tag, xml)))

        stream = XmlStream("the piece", LIMITS, start, lambda _: None)
        try:
            stream.feed(text.encode())
            stream.close()
        except PackageError as error:
            raise self._place.error(
                node.line, f"a piece of XML is to be one element; {error.message.rstrip('.')}"
            ) from error
        ((tag, xml),) = found
        if tag in _ELEMENTS:
            raise self._place.error(node.line, f"<{tag}> is an element that the format knows")
        return xml


def require_mapping(node: Node, place: Place, what: str) -> MappingNode:
    """The node, which is to be a mapping.

    Raises:
        PackageError: It is none.
    """
    if not isinstance(node, MappingNode):
        raise place.error(node.line, f"{what} is to be a mapping, {{key: value}}")
    return node


def require_text(node: Node, place: Place, what: str) -> str:
    """The text of a node, which is to be a plain text.

    Raises:
        PackageError: It is something else, or has a tag.
    """
    if not isinstance(node, Scalar) or node.tag not in {"", "!crlf"}:
        raise place.error(node.line, f"{what} is to be a text")
    return node.text.replace("\n", "\r\n") if node.tag else node.text


def require_nothing_left(entries: Mapping[str, Node], place: Place) -> None:
    """Check that every key of a file was read.

    Raises:
        PackageError: One was not.
    """
    for key, node in entries.items():
        raise place.error(node.line, f"the key {key!r} is unknown here")
