"""FetchXML: a query in XML as SQL.

https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/overview
"""

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

import msgspec
from lxml import etree

from confmig.emulator import naming
from confmig.emulator.errors import (
    ServiceError,
    bad_query,
    fetch_attribute_missing,
    fetch_entity_missing,
)
from confmig.emulator.fetchconditions import Conditions
from confmig.emulator.filters import Sql
from confmig.emulator.model import Column, Table
from confmig.emulator.reading import LARGEST_PAGE, order_sql, visible_sql
from confmig.emulator.rendering import Shape, default_columns, fields_sql, object_sql, with_primary_id
from confmig.emulator.store import SORT, Store, quoted, table_sql
from confmig.emulator.wire import Reply, Request, raw_json_reply

_WITHOUT_COOKIE = 50_000
_MOST_LINKS = 15
_LAST = re.compile(r'\blast="\{?([0-9a-fA-F-]{36})\}?"')
_WHOLE = re.compile(r"0*[1-9][0-9]{0,9}")
_LINK_KINDS = {"inner": "JOIN", "natural": "JOIN", "outer": "LEFT JOIN"}
_EXISTS_KINDS = {"exists": "EXISTS", "in": "EXISTS", "any": "EXISTS", "not any": "NOT EXISTS"}


@dataclass
class _Query:
    """The pieces of the SQL that are found while the XML is read."""

    sql: Sql
    joins: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    aliases: dict[str, tuple[Table, str]] = field(default_factory=dict)
    filters: list[tuple[etree._Element, Table, str]] = field(default_factory=list)


def read_fetch(store: Store, table: Table, request: Request) -> Reply:
    """A page of the rows that a FetchXML query finds.

    Args:
        store: The store.
        table: The table of the set in the URL, which the query must name.
        request: The request with ``fetchXml``.

    Raises:
        ServiceError: The query cannot be understood.
    """
    fetch = _parse(request.options()["fetchXml"])
    entity = fetch.find("entity")
    if entity is None or entity.get("name") not in store.catalog.tables:
        raise fetch_entity_missing(entity.get("name", "") if entity is not None else "")
    if entity.get("name") != table.name:
        raise bad_query(f"The entity '{entity.get('name')}' of the FetchXML is not the one of the entity set.")
    if _is_true(fetch, "aggregate"):
        raise ServiceError(501, "0x80040219", "The requested functionality is not yet implemented.")
    if sum(1 for _ in entity.iter("link-entity")) > _MOST_LINKS:
        raise ServiceError(400, "0x8004430D", "Number of link entities in query exceeded maximum limit.")
    query = _Query(Sql(store.catalog))
    query.aliases[""] = (table, "t")
    distinct = _is_true(fetch, "distinct")
    shape = Shape(
        table,
        _columns(table, entity, distinct=distinct),
        request.preferences().annotations,
        omit_null=True,
        renames=_renames(entity),
        # Rows that stand for several have neither an id nor a version.
        etag=not distinct,
    )
    query.fields += fields_sql(store.catalog, shape, "t")
    _links(store, query, entity, table, "t", request)
    for element, owner, alias in [(entity, table, "t"), *query.filters]:
        _filters(store, query, element, owner, alias)
    if table.hidden:
        query.where.append(visible_sql(table, "t"))
    _orders(query, entity, table, "t")
    return _answer(store, table, request, fetch, query)


def _parse(text: str) -> etree._Element:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise bad_query("Invalid XML.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(text.strip().encode(), parser)
    except etree.XMLSyntaxError as error:
        raise ServiceError(400, "0x80040201", f"Invalid XML: {error}") from error
    if root.tag != "fetch":
        raise ServiceError(400, "0x80040201", "The query does not begin with <fetch>.")
    return root


def _column(table: Table, name: str) -> Column:
    column = table.columns.get(name)
    if column is None or not column.stored:
        raise fetch_attribute_missing(table.name, name)
    return column


def _is_true(element: etree._Element, name: str) -> bool:
    return element.get(name) in ("true", "1")


def _columns(table: Table, element: etree._Element, *, distinct: bool) -> tuple[Column, ...]:
    names = [attribute.get("name", "") for attribute in element.iterchildren("attribute")]
    if not names or element.find("all-attributes") is not None:
        return default_columns(table)
    columns = [_column(table, name) for name in names]
    return tuple(dict.fromkeys(columns)) if distinct else with_primary_id(table, columns)


def _renames(element: etree._Element) -> dict[str, str]:
    return {
        attribute.get("name", ""): attribute.get("alias", "")
        for attribute in element.iterchildren("attribute")
        if attribute.get("alias")
    }


def _links(store: Store, query: _Query, element: etree._Element, table: Table, alias: str, request: Request) -> None:
    """Take up the linked tables, outermost first."""
    for link in element.iterchildren("link-entity"):
        other = store.catalog.tables.get(link.get("name", ""))
        if other is None:
            raise fetch_entity_missing(link.get("name", ""))
        source, target = _ends(store, table, other, link)
        joined = query.sql.alias()
        kind = link.get("link-type", "inner")
        on = f"{joined}.{quoted(source.name)} = {alias}.{quoted(target.name)}"
        if kind in _EXISTS_KINDS:
            conditions = _link_conditions(store, query, link, other, joined)
            tests = " AND ".join([on, *conditions])
            query.where.append(f"{_EXISTS_KINDS[kind]} (SELECT 1 FROM {table_sql(other.name)} {joined} WHERE {tests})")  # noqa: S608 (quoted)
            continue
        if kind not in _LINK_KINDS:
            raise bad_query(f"The link type '{kind}' is not supported.")
        shown = link.get("alias") or f"{other.name}{len(query.aliases)}"
        query.aliases[shown] = (other, joined)
        conditions = _link_conditions(store, query, link, other, joined)
        query.joins.append(f"{_LINK_KINDS[kind]} {table_sql(other.name)} {joined} ON {' AND '.join([on, *conditions])}")
        _show_linked(store, query, link, other, joined, shown, request)
        _orders(query, link, other, joined)
        _links(store, query, link, other, joined, request)


def _ends(store: Store, table: Table, other: Table, link: etree._Element) -> tuple[Column, Column]:
    """The columns that a link joins: ``from`` is of the linked table, ``to`` of the one it hangs on."""
    if link.get("from") and link.get("to"):
        return _column(other, link.get("from", "")), _column(table, link.get("to", ""))
    for one in store.catalog.from_table.get(other.name, []):
        if one.target == table.name and link.get("from") in (None, one.column):
            return other.columns[one.column], table.columns[table.primary_id]
    raise bad_query(f"The link to '{other.name}' names no columns.")


def _link_conditions(store: Store, query: _Query, link: etree._Element, other: Table, alias: str) -> list[str]:
    conditions = Conditions(query.sql, store.caller_id, query.aliases)
    return [conditions.group(element, other, alias) for element in link.iterchildren("filter")]


def _show_linked(
    store: Store, query: _Query, link: etree._Element, other: Table, joined: str, shown: str, request: Request
) -> None:
    """The columns of a linked table, as ``alias.column``."""
    names = [attribute.get("name", "") for attribute in link.iterchildren("attribute")]
    columns = (
        default_columns(other)
        if link.find("all-attributes") is not None
        else tuple(_column(other, name) for name in names)
    )
    renames = {column.name: f"{shown}.{column.name}" for column in columns} | _renames(link)
    shape = Shape(other, columns, request.preferences().annotations, omit_null=True, renames=renames, etag=False)
    query.fields += fields_sql(store.catalog, shape, joined)


def _filters(store: Store, query: _Query, element: etree._Element, table: Table, alias: str) -> None:
    conditions = Conditions(query.sql, store.caller_id, query.aliases)
    query.where += [conditions.group(one, table, alias) for one in element.iterchildren("filter")]


def _orders(query: _Query, element: etree._Element, table: Table, alias: str) -> None:
    for order in element.iterchildren("order"):
        owner, used = query.aliases.get(order.get("entityname", "-"), (table, alias))
        column = _column(owner, order.get("attribute", ""))
        direction = " DESC" if _is_true(order, "descending") else ""
        query.order.append(order_sql(column, f"{used}.{quoted(column.name)}") + direction)


def _whole(fetch: etree._Element, name: str, default: int) -> int:
    text = fetch.get(name)
    if text is None:
        return default
    if not _WHOLE.fullmatch(text):
        raise bad_query(f"The value '{text}' of '{name}' is not a positive whole number.")
    return int(text)


def _answer(store: Store, table: Table, request: Request, fetch: etree._Element, query: _Query) -> Reply:
    top = _whole(fetch, "top", 0)
    if top and fetch.get("page"):
        raise bad_query("The top attribute can't be specified with paging attribute page.")
    page = _whole(fetch, "page", 1)
    size = min(request.preferences().max_page_size or LARGEST_PAGE, _whole(fetch, "count", LARGEST_PAGE), LARGEST_PAGE)
    limit = min(top, LARGEST_PAGE) if top else size
    cookie = fetch.get("paging-cookie")
    if cookie is None and page * size > _WITHOUT_COOKIE:
        raise ServiceError(
            400,
            "0x8004430A",
            "Over upper limit of records that can be requested without a paging cookie. A paging cookie is required "
            "when retrieving a high page number.",
        )
    source = f"FROM {table_sql(table.name)} t {' '.join(query.joins)}"
    total = _total(store, fetch, source, query)
    offset = (page - 1) * size
    last = _LAST.search(unquote(unquote(cookie))) if cookie else None
    distinct = _is_true(fetch, "distinct")
    if last is not None and not query.order and not query.joins and not distinct:
        query.where.append(f"t.{quoted(SORT)} > {query.sql.add(naming.sort_key(last.group(1).lower()))}")
        offset = 0
    where = f" WHERE {' AND '.join(query.where)}" if query.where else ""
    group = " GROUP BY 1" if distinct else ""
    order = ", ".join([*query.order, f"min(t.{quoted(SORT)})" if distinct else f"t.{quoted(SORT)}"])
    statement = (
        f"SELECT {object_sql(query.fields)}, t.{quoted(table.primary_id)} {source}{where}{group} "
        f"ORDER BY {order} LIMIT {limit + 1} OFFSET {offset}"
    )
    rows = store.query(statement, query.sql.parameters).fetchall()
    more = len(rows) > limit and not top
    rows = rows[:limit]
    store.work.read += len(rows)
    following = _cookie(table, page, str(rows[0][1]), str(rows[-1][1])) if more else None
    return _body(request, table, [str(row[0]) for row in rows], following, total)


def _total(store: Store, fetch: etree._Element, source: str, query: _Query) -> int | None:
    if not _is_true(fetch, "returntotalrecordcount"):
        return None
    where = f" WHERE {' AND '.join(query.where)}" if query.where else ""
    counted = f"DISTINCT {object_sql(query.fields)}" if _is_true(fetch, "distinct") else "*"
    statement = f"SELECT count({counted}) {source}{where}"
    return min(int(store.query(statement, query.sql.parameters).fetchone()[0]), LARGEST_PAGE)


def _cookie(table: Table, page: int, first: str, last: str) -> str:
    """The cookie as the wire carries it: its inner part encoded twice."""
    inner = (
        f'<cookie page="{page}"><{table.primary_id} last="{{{last.upper()}}}" first="{{{first.upper()}}}" /></cookie>'
    )
    encoded = quote(quote(inner, safe="").lower(), safe="")
    encoded = encoded.lower()
    return f'<cookie pagenumber="{page + 1}" pagingcookie="{encoded}" istracking="False" />'


def _body(request: Request, table: Table, rows: list[str], following: str | None, total: int | None) -> Reply:
    preferences = request.preferences()
    parts = [f'{{"@odata.context":"{request.base}$metadata#{table.entity_set}"']
    wants = preferences.annotations.wants
    if total is not None or wants("Microsoft.Dynamics.CRM.totalrecordcount"):
        parts.append(f'"@Microsoft.Dynamics.CRM.totalrecordcount":{-1 if total is None else total}')
        limited = "true" if total == LARGEST_PAGE else "false"
        parts.append(f'"@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded":{limited}')
    if following is not None and wants("Microsoft.Dynamics.CRM.fetchxmlpagingcookie"):
        parts.append(f'"@Microsoft.Dynamics.CRM.fetchxmlpagingcookie":{msgspec.json.encode(following).decode()}')
    if following is not None and wants("Microsoft.Dynamics.CRM.morerecords"):
        parts.append('"@Microsoft.Dynamics.CRM.morerecords":true')
    parts.append('"value":[' + ",".join(rows) + "]}")
    return raw_json_reply(",".join(parts), applied=preferences.applied)
