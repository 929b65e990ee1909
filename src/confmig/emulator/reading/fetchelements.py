"""The elements of FetchXML: read without harm, and checked as far as XML can be checked without the tables.

https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/reference/
"""

import re

from lxml import etree

from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.errors import (
    ServiceError,
    bad_query,
    fetch_attribute_missing,
    too_many_conditions,
    too_many_links,
)
from confmig.emulator.reading.odata import MOST_CONDITIONS, MOST_LINKS

Element = etree._Element
_DEEPEST = 100
_WHOLE = re.compile(r"0*[1-9][0-9]{0,9}")
_CHILDREN = ("filter", "order", "link-entity", "attribute", "all-attributes", "no-attrs")


def parse_fetch(text: str) -> Element:
    """The ``<fetch>`` element of a query.

    Raises:
        ServiceError: It is no XML, has a document type, is nested too deeply, or is no ``<fetch>``.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(text.strip().encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        raise invalid_xml(str(error)) from error
    if root.getroottree().docinfo.doctype:
        raise invalid_xml("a document type is not allowed")
    if root.tag != "fetch":
        raise invalid_xml("the query does not begin with <fetch>")
    _check_depth(root)
    return root


def invalid_xml(reason: str) -> ServiceError:
    """The query is no FetchXML; that the code is the one of a failed parse is inferred."""
    return ServiceError(400, "0x80040201", f"Invalid XML: {reason}")


def _check_depth(root: Element) -> None:
    level, depth = [root], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise invalid_xml(f"elements are nested more than {_DEEPEST} deep")
        level = [child for element in level for child in element]


def check_limits(entity: Element) -> None:
    """Refuse what asks for too much.

    https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/join-tables#limitations
    https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/filter-rows#condition-limits

    Raises:
        ServiceError: There are more than 15 links, or more than 500 conditions and links; or an element stands where
            it does not belong.
    """
    links = sum(1 for _ in entity.iter("link-entity"))
    if links > MOST_LINKS:
        raise too_many_links()
    if links + sum(1 for _ in entity.iter("condition")) > MOST_CONDITIONS:
        raise too_many_conditions()
    for element in entity.iter("entity", "link-entity"):
        for child in element:
            if child.tag not in _CHILDREN:
                xml = etree.tostring(child, encoding="unicode", with_tail=False)[:500]
                raise ServiceError(
                    400,
                    "0x8004111c",
                    f"Invalid Child Node, valid nodes are {', '.join(_CHILDREN)}. NodeName = {child.tag!s} "
                    f"NodeXml = {xml}",
                )


def is_true(element: Element, name: str) -> bool:
    """Whether a boolean attribute is set."""
    return element.get(name, "").lower() in ("true", "1")


def whole(element: Element, name: str, default: int) -> int:
    """A positive whole number.

    Raises:
        ServiceError: It is none.
    """
    text = element.get(name)
    if text is None:
        return default
    if not _WHOLE.fullmatch(text):
        raise bad_query(f"The value '{text[:40]}' of '{name}' is not a positive whole number.")
    return int(text)


def column_of(table: Table, name: str | None) -> Column:
    """The column that an element names.

    Raises:
        ServiceError: The table has no such column, or rows do not hold it.
    """
    column = table.columns.get(name or "")
    if column is None or not column.stored:
        raise fetch_attribute_missing(table.name, name or "")
    return column
