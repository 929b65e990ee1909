"""FetchXML for tests: queries sent, and rows told apart by the first word of their name."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from .client import Client

COOKIE = "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
MORE = "@Microsoft.Dynamics.CRM.morerecords"
PAGING = {"Prefer": f'odata.include-annotations="{COOKIE[1:]},{MORE[1:]}"'}


def fetch(client: Client, xml: str, entity_set: str = "contacts", **headers: str) -> dict[str, Any]:
    """The answer to a query."""
    answer = client.get(f"{entity_set}?fetchXml={quote(xml)}", **headers)
    assert isinstance(answer, dict)
    return answer


def names(client: Client, inner: str, table: str = "contact", options: str = "") -> list[str]:
    """The names of the rows that a query over contacts or accounts finds."""
    column = {"contact": "fullname", "account": "name"}[table]
    xml = f'<fetch {options}><entity name="{table}"><attribute name="{column}" />{inner}</entity></fetch>'
    return [row[column].split()[0] for row in fetch(client, xml, f"{table}s")["value"]]


def condition(attribute: str, operator: str, value: str | None = None, *values: str) -> str:
    """A condition within a filter of its own."""
    inner = "".join(f"<value>{one}</value>" for one in values)
    given = f" value={quoteattr(value)}" if value is not None else ""
    return f'<filter><condition attribute="{attribute}" operator="{operator}"{given}>{inner}</condition></filter>'


def decoded(answer: dict[str, Any]) -> str:
    """The paging cookie of an answer, both encodings undone."""
    return unquote(unquote(ElementTree.fromstring(answer[COOKIE]).get("pagingcookie", "")))


def pages(client: Client, inner: str, size: int, options: str = "", table: str = "contact") -> Iterator[dict[str, Any]]:
    """The pages of a query, followed as the documents say: by the cookie, or else by the number."""
    number, cookie = 1, ""
    while True:
        given = f"paging-cookie={quoteattr(cookie)}" if cookie else ""
        xml = f'<fetch count="{size}" page="{number}" {given} {options}><entity name="{table}">{inner}</entity></fetch>'
        answer = fetch(client, xml, f"{table}s", **PAGING)
        yield answer
        if not answer.get(MORE):
            assert COOKIE not in answer
            return
        number += 1
        cookie = decoded(answer) if COOKIE in answer else ""
