"""Paging cookies: where a page of an ordered query ends.

A cookie names the first and the last row of a page by the columns of the order and the primary key, so that the next
page begins after that row even when rows have come or gone in between:
https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/page-results#paging-cookies
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote
from xml.sax.saxutils import quoteattr

from lxml import etree

from confmig.emulator.catalog import naming
from confmig.emulator.reading.filters import Sql
from confmig.emulator.storage.store import Value

_LONGEST = 65_536
_MOST_DIGITS = 10
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Sorted:
    """One column of an order.

    Attributes:
        expression: The SQL by which rows are sorted, with its collation.
        name: The column, as the cookie names it.
        shown: The SQL of the value that the cookie shows; null where the value is.
        descending: Whether the greatest come first.
        guid: Whether the value is an id, which cookies write in braces, and is sorted as SQL Server sorts those.
        label: The SQL of the name by which a choice or a lookup is sorted instead of by its value.
    """

    expression: str
    name: str
    shown: str
    descending: bool = False
    guid: bool = False
    label: str | None = None


@dataclass(frozen=True)
class Place:
    """The first and the last value of a page in one column of the order; the names where those are what is sorted."""

    name: str
    first: str | None
    last: str | None
    first_label: str | None = None
    last_label: str | None = None

    @property
    def writable(self) -> bool:
        """Whether XML can hold the values, which a text with control characters is not."""
        return not any(
            _UNWRITABLE.search(text or "") for text in (self.first, self.last, self.first_label, self.last_label)
        )


@dataclass(frozen=True)
class Cookie:
    """The end of page ``page``; without places the next page is found by its number alone."""

    page: int
    places: tuple[Place, ...] = ()

    def text(self) -> str:
        """The cookie's XML."""
        inner = "".join(_element(place) for place in self.places)
        return f'<cookie page="{self.page}">{inner}</cookie>'

    def annotation(self) -> str:
        """The value of ``@Microsoft.Dynamics.CRM.fetchxmlpagingcookie``, in which the cookie is encoded twice."""
        once = _lower_escapes(quote(self.text(), safe="-_.!*~"))
        twice = _lower_escapes(quote(once, safe="-_.!*~"))
        return f'<cookie pagenumber="{self.page + 1}" pagingcookie="{twice}" istracking="False" />'

    def token(self) -> str:
        """The value of ``$skiptoken`` in a link, in which the cookie is encoded once."""
        once = _lower_escapes(quote(self.text(), safe="-_.!*~"))
        return f'<cookie pagenumber="{self.page + 1}" pagingcookie="{once}" istracking="False" />'


def _lower_escapes(text: str) -> str:
    """The service writes the digits of escapes in lower case."""
    parts = text.split("%")
    return "%".join([parts[0], *[part[:2].lower() + part[2:] for part in parts[1:]]])


def _element(place: Place) -> str:
    texts = []
    for side, value, label in (("last", place.last, place.last_label), ("first", place.first, place.first_label)):
        # That a null is written as ``lastnull`` and a name as ``lastname`` is not documented [inferred].
        texts.append(f"{side}={quoteattr(value)}" if value is not None else f'{side}null="1"')
        if label is not None:
            texts.append(f"{side}name={quoteattr(label)}")
    return f"<{place.name} {' '.join(texts)} />"


def place_of(one: Sorted, values: tuple[Value, Value], labels: tuple[Value, Value]) -> Place:
    """What a cookie says of one column of the order, given its values in the first and the last row."""
    first, last = (None if value is None else _shown(one, str(value)) for value in values)
    first_label, last_label = (None if label is None else str(label) for label in labels)
    return Place(one.name, first, last, first_label, last_label)


def _shown(one: Sorted, value: str) -> str:
    return f"{{{value.upper()}}}" if one.guid else value


def parse_cookie(text: str, *, nested: bool = False) -> Cookie | None:
    """The cookie that a client sends back, with or without its encodings; None when it is none.

    Args:
        text: The cookie, or the annotation that it came in.
        nested: Whether it was found inside an annotation.
    """
    for _ in range(3):
        if text.lstrip().startswith("<") or len(text) > _LONGEST:
            break
        text = unquote(text)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(text.strip().encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:
        return None
    inner = root.get("pagingcookie")
    if inner is not None and not nested:
        return parse_cookie(inner, nested=True)
    page = root.get("page", "")
    if root.tag != "cookie" or not (page.isascii() and page.isdigit()) or len(page) > _MOST_DIGITS:
        return None
    places = tuple(
        Place(str(one.tag), one.get("first"), one.get("last"), one.get("firstname"), one.get("lastname"))
        for one in root
    )
    return Cookie(int(page), places)


def after_sql(sql: Sql, order: list[Sorted], cookie: Cookie) -> str | None:
    """The condition for the rows after the last one of a cookie's page.

    Args:
        sql: Where parameters go.
        order: The whole order, which ends with the primary key.
        cookie: The cookie.

    Returns:
        None when the cookie is of another order, and says no more than the number of its page.
    """
    if [place.name for place in cookie.places] != [one.name for one in order]:
        return None
    condition = ""
    for one, place in reversed(list(zip(order, cookie.places, strict=True))):
        value: Value = place.last_label if one.label is not None else place.last
        if one.guid and value is not None:
            guid = naming.plain_guid(str(value))
            if not naming.is_guid(guid):
                return None
            value = naming.sort_key(guid)
        beyond = _beyond(sql, one, value)
        if condition:
            equal = f"{one.expression} IS {sql.add(value)}" if value is not None else f"{one.expression} IS NULL"
            condition = f"({beyond} OR ({equal} AND {condition}))"
        else:
            condition = beyond
    return condition


def _beyond(sql: Sql, one: Sorted, value: Value) -> str:
    """Rows behind a value; nulls come first, and last when descending."""
    if value is None:
        return "0" if one.descending else f"{one.expression} IS NOT NULL"
    mark = sql.add(value)
    if one.descending:
        return f"({one.expression} < {mark} OR {one.expression} IS NULL)"
    return f"{one.expression} > {mark}"
