"""Queries: which request reads what, as paths below the API's root."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote, unquote

from lxml import etree

from confmig.errors import PackageError, ServiceError, UsageError
from confmig.model.environment import ColumnInfo
from confmig.model.values import ColumnType, Lookup, Value
from confmig.webapi.metadata import WireTable
from confmig.webapi.values import FORMATTED, LOOKUP_TABLE, parties_navigation, property_name, write_plain

PAGE_ROWS = 5_000
IDS_A_QUERY = 300
"""Ids in one query: 300 guids make a URL of 12 KB, well below the limit of 32 KB."""
CONDITIONS_A_QUERY = 100
"""Conditions in one query, well below the service's 500 (0x8004430C)."""

PAGING_COOKIE = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
MORE_RECORDS = "Microsoft.Dynamics.CRM.morerecords"


def read_headers(*, names: bool) -> dict[str, str]:
    """The headers of a query.

    ``names`` asks for the names of looked-up rows; they cost the service time, so only an export asks.
    """
    annotations = [LOOKUP_TABLE, PAGING_COOKIE, MORE_RECORDS, *([FORMATTED] if names else ())]
    return {
        "Accept": "application/json",
        "OData-Version": "4.0",
        "OData-MaxVersion": "4.0",
        # A cached answer would show a state from before a write.
        "If-None-Match": "null",
        "Prefer": f'odata.maxpagesize={PAGE_ROWS},odata.include-annotations="{",".join(annotations)}"',
    }


def rows_path(table: WireTable, columns: Sequence[ColumnInfo]) -> str:
    """All rows of a table."""
    return f"{table.entity_set}?{_select(table, columns)}"


def rows_by_id_path(table: WireTable, columns: Sequence[ColumnInfo], ids: Iterable[str]) -> str:
    """The rows with these ids."""
    values = ",".join(f"'{row_id}'" for row_id in ids)
    primary = table.info.primary_id
    condition = f"Microsoft.Dynamics.CRM.In(PropertyName='{primary}',PropertyValues=[{values}])"
    return f"{rows_path(table, columns)}&$filter={condition}"


def rows_by_key_path(
    table: WireTable, columns: Sequence[ColumnInfo], key: Sequence[ColumnInfo], keys: Iterable[Sequence[Value]]
) -> str:
    """The rows whose key columns hold one of these keys."""

    def equal(values: Sequence[Value]) -> str:
        parts = zip(key, values, strict=True)
        return " and ".join(f"{property_name(part)} eq {_literal(part, value)}" for part, value in parts)

    alternatives = " or ".join(f"({equal(values)})" for values in keys)
    return f"{rows_path(table, columns)}&$filter={quote(alternatives, safe=_SAFE)}"


_SAFE = "()',=-:_"


def _select(table: WireTable, columns: Sequence[ColumnInfo]) -> str:
    names = [table.info.primary_id]
    expand = ""
    for column in columns:
        if column.type is ColumnType.PARTIES:
            expand = f"&$expand={parties_navigation(table.info.name)}"
        elif column.name != table.info.primary_id:
            names.append(property_name(column))
            if column.type is ColumnType.FILE:
                names.append(f"{column.name}_name")
    return f"$select={','.join(names)}{expand}"


def _literal(column: ColumnInfo, value: Value) -> str:
    match value:
        case None:
            return "null"
        case Lookup():
            return value.id
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case Decimal():
            return format(value, "f")
        case datetime():
            return str(write_plain(value, column))
        case str():
            return value if column.type is ColumnType.GUID else "'" + value.replace("'", "''") + "'"
        case _:
            raise UsageError(
                f"Column {column.name} of type {column.type} cannot be part of a matching key.",
                "Take it out of the compare columns (updateCompare) in the schema.",
            )


def filter_query(table: str, xml: str) -> tuple[etree._Element, etree._Element]:
    """A schema's filter as FetchXML: the root and its entity.

    Raises:
        PackageError: The filter is no FetchXML, about another table, or asks for sums instead of rows.
    """
    root = _fetch_root(table, xml)
    entity = root.find("entity")
    if entity is None or entity.get("name") != table:
        raise PackageError(
            f"The filter of table {table} is no FetchXML about that table.",
            "Its root is <fetch>, with <entity name=…> of the table in it.",
        )
    if root.get("aggregate", "").lower() in {"true", "1"}:
        raise PackageError(f"The filter of table {table} asks for sums, not for rows.", "Take aggregate out of it.")
    return root, entity


class FetchQuery:
    """A schema's filter, made into a query for all columns, page by page.

    Whatever the filter's own attributes say, the schema's columns are what is read, as in CMT.

    Raises:
        PackageError: The filter is none.
    """

    def __init__(self, table: WireTable, columns: Sequence[ColumnInfo], xml: str) -> None:
        self._set = table.entity_set
        self._root, entity = filter_query(table.info.name, xml)
        for element in (*entity.findall("attribute"), *entity.findall("all-attributes")):
            entity.remove(element)
        for position, name in enumerate(_fetched(table, columns)):
            entity.insert(position, etree.Element("attribute", name=name))
        self.limited = "top" in self._root.attrib
        self.linked = entity.find(".//link-entity") is not None
        if not self.limited and entity.find("order") is None:
            entity.append(etree.Element("order", attribute=table.info.primary_id))

    def path(self, page: int, cookie: str | None) -> str:
        """The request for one page."""
        if not self.limited:
            self._root.set("count", str(PAGE_ROWS))
            self._root.set("page", str(page))
            if cookie:
                self._root.set("paging-cookie", cookie)
        xml = etree.tostring(self._root, encoding="unicode")
        return f"{self._set}?fetchXml={quote(xml, safe='')}"


def _fetched(table: WireTable, columns: Sequence[ColumnInfo]) -> Iterator[str]:
    yield table.info.primary_id
    for column in columns:
        if column.name != table.info.primary_id and column.type is not ColumnType.PARTIES:
            yield column.name
        if column.type is ColumnType.FILE:
            yield f"{column.name}_name"


def _fetch_root(table: str, xml: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root: etree._Element = etree.fromstring(xml.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise PackageError(
            f"The filter of table {table} is no well-formed XML: {error.msg}.", "Mend it in the schema file."
        ) from error
    if root.tag == "fetch":
        return root
    # People also write the bare <filter>, or <entity>; what it means is plain.
    fetch = etree.Element("fetch")
    entity = root if root.tag == "entity" else etree.Element("entity", name=table)
    if root.tag == "filter":
        entity.append(root)
    elif root.tag != "entity":
        raise PackageError(
            f"The filter of table {table} begins with <{root.tag!s}>.",
            "Its root is <fetch>, <entity> or <filter>.",
        )
    fetch.append(entity)
    return fetch


def next_cookie(annotation: str) -> str | None:
    """The paging cookie in an answer's annotation: its attribute, decoded twice, as the service asks for it.

    https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/page-results

    Raises:
        ServiceError: The annotation cannot be read.
    """
    try:
        element = etree.fromstring(annotation.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise ServiceError(f"The environment sent a paging cookie that is no XML: {error.msg}.") from error
    cookie = element.get("pagingcookie")
    return unquote(unquote(cookie)) if cookie else None
