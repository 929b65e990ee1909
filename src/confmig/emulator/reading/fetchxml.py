"""FetchXML: a query in XML as SQL.

https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/overview
"""

from dataclasses import dataclass

import msgspec

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.context import Context
from confmig.emulator.errors import ServiceError, bad_query, fetch_entity_missing, invalid_argument, row_missing
from confmig.emulator.reading.fetchaggregates import read_aggregates
from confmig.emulator.reading.fetchelements import Element, check_limits, column_of, is_true, parse_fetch, whole
from confmig.emulator.reading.fetchlinks import FIRST_MATCH, Block, Links
from confmig.emulator.reading.filters import Sql
from confmig.emulator.reading.hierarchies import parent_column
from confmig.emulator.reading.members import attribute_note, column_members, etag_sql, value_member
from confmig.emulator.reading.ordering import sorted_by
from confmig.emulator.reading.pagingcookies import Cookie, parse_cookie
from confmig.emulator.reading.reading import LARGEST_PAGE
from confmig.emulator.reading.rendering import default_columns
from confmig.emulator.reading.selecting import Select, Source, count_rows, read_page
from confmig.emulator.storage.store import Store, main_sql, quoted
from confmig.emulator.wire.wire import Annotations, Reply, Request, raw_json_reply

_FETCH = "fetchxml"
_OPTIONS = frozenset({_FETCH, "savedquery", "userquery"})
_COOKIE = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
_MORE = "Microsoft.Dynamics.CRM.morerecords"
_WITHOUT_COOKIE = 50_000
_MOST_COUNTED = 5_000


def read_fetch(context: Context, table: Table, request: Request) -> Reply:
    """A page of the rows that a FetchXML query finds.

    Args:
        context: Who asks, and the store.
        table: The table of the set in the URL, which the query must name.
        request: The request with ``fetchXml``, ``savedQuery`` or ``userQuery``.

    Raises:
        ServiceError: The query cannot be understood.
    """
    options = request.options()
    return _read(context, table, request, _fetch_of(context, options), options)


def is_fetch(options: dict[str, str]) -> bool:
    """Whether query options ask for the rows that FetchXML finds."""
    return any(name.lower() in _OPTIONS for name in options)


def _fetch_of(context: Context, options: dict[str, str]) -> Element:
    """The query that is given, or that a saved one holds.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/retrieve-and-execute-predefined-queries
    """
    name, value = next((name.lower(), value) for name, value in options.items() if name.lower() in _OPTIONS)
    if name == _FETCH:
        return parse_fetch(value)
    saved = context.store.catalog.tables.get(name)
    row_id = naming.plain_guid(value)
    row = context.store.read(saved, row_id, [_FETCH]) if saved is not None and _FETCH in saved.columns else None
    if row is None:
        raise row_missing(name, row_id)
    return parse_fetch(str(row[_FETCH]))


def _read(context: Context, table: Table, request: Request, fetch: Element, options: dict[str, str]) -> Reply:
    entity = fetch.find("entity")
    if entity is None or not entity.get("name"):
        raise fetch_entity_missing("")
    if entity.get("name") not in context.store.catalog.tables:
        raise fetch_entity_missing(entity.get("name", ""))
    if entity.get("name") != table.name:
        raise bad_query(f"The entity '{entity.get('name')}' of the FetchXML is not the one of the entity set.")
    if options.get("$count") == "true":
        fetch.set("returntotalrecordcount", "true")
    select, names = compile_fetch(context, table, fetch, entity, request.preferences().annotations)
    return _answer(context.store, request, fetch, select, names)


def compile_fetch(
    context: Context, table: Table, fetch: Element, entity: Element, annotations: Annotations
) -> tuple[Select, list[str]]:
    """The SELECT of a query, and the properties of its root that the answer's context lists.

    Raises:
        ServiceError: The query cannot be understood.
    """
    check_limits(entity)
    sql = Sql(context.store.catalog)
    root = Source(table, "t", "")
    block = Links(context, sql).read(entity, root)
    select = Select(
        sql,
        root,
        block.joins,
        block.where,
        distinct=is_true(fetch, "distinct"),
        aggregated=is_true(fetch, "aggregate"),
        repeats=block.repeats,
    )
    if select.aggregated:
        read_aggregates(context.store, fetch, entity, block, select, annotations)
        return select, []
    _orders(select, fetch, entity, block)
    return select, _Columns(context.store, select, block, annotations).read(entity)


@dataclass
class _Columns:
    """Reads which columns a query returns."""

    store: Store
    select: Select
    block: Block
    annotations: Annotations

    def read(self, entity: Element) -> list[str]:
        """Take up the columns of the entity and of its links; give the names of the entity's own."""
        if not self.select.distinct:
            # Rows that stand for several have neither an id nor a version.
            self.select.members += etag_sql(self.select.root)
        names = self._own(entity)
        for link, source in self.block.sources.items():
            self._linked(link, source)
        return names

    def _own(self, entity: Element) -> list[str]:
        table, source = self.select.root.table, self.select.root
        attributes = list(entity.iterchildren("attribute"))
        every = entity.find("all-attributes") is not None or (not attributes and entity.find("no-attrs") is None)
        shown: dict[str, None] = {}
        columns = list(default_columns(table)) if every else []
        for attribute in attributes:
            column = column_of(table, attribute.get("name"))
            if attribute.get("rowaggregate"):
                self._count_children(attribute, column)
            elif attribute.get("alias"):
                self._add(source, column, attribute.get("alias"))
            elif not every:
                columns.append(column)
        currency = table.columns.get("transactioncurrencyid")
        if not self.select.distinct:
            columns.append(table.columns[table.primary_id])
            if currency is not None and any(column.type == "Money" for column in columns):
                # Amounts bring their currency along.
                columns.append(currency)
        for column in dict.fromkeys(columns):
            self._add(source, column, None)
            shown[column.wire_name] = None
        return [] if every else list(shown)

    def _linked(self, link: Element, source: Source) -> None:
        attributes = list(link.iterchildren("attribute"))
        aliases = [(column_of(source.table, one.get("name")), one.get("alias")) for one in attributes]
        if link.find("all-attributes") is not None:
            aliases = [(column, None) for column in default_columns(source.table)]
        first = link.get("link-type", "").lower() == FIRST_MATCH
        for column, alias in aliases:
            # https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/join-tables#related-table-propertyattribute-names-are-inconsistent
            own = column.schema_name or column.name if first else f"{source.name}.{column.name}"
            self._add(source, column, alias or own)

    def _add(self, source: Source, column: Column, key: str | None) -> None:
        self.select.members += column_members(self.store.catalog, source, column, self.annotations, key)

    def _count_children(self, attribute: Element, column: Column) -> None:
        """The number of rows below each row, whether the caller may read those or not.

        https://learn.microsoft.com/power-apps/developer/data-platform/query-hierarchical-data#retrieve-the-number-of-hierarchically-related-child-records
        """
        table, source = self.select.root.table, self.select.root
        parent = parent_column(self.store.catalog, table.name)
        if attribute.get("rowaggregate") != "CountChildren" or column.name != table.primary_id or parent is None:
            raise bad_query("A rowaggregate is CountChildren of the primary key of a table with a hierarchy.")
        key = attribute.get("alias") or "CountChildren"
        number = (
            f"(SELECT count(*) FROM {main_sql(table.name)} c WHERE c.{quoted(parent.name)} = {source.field(column)})"  # noqa: S608 (quoted)
        )
        self.select.members.append(value_member(key, number, self.annotations))
        self.select.members += attribute_note(key, column, self.annotations, source.field(column))


def _orders(select: Select, fetch: Element, entity: Element, block: Block) -> None:
    """The order: first what the entity says, then its links, outermost first."""
    raw = is_true(fetch, "useraworderby")
    for element, source in ((entity, select.root), *block.sources.items()):
        for order in element.iterchildren("order"):
            used = block.find(order.get("entityname", "")) if order.get("entityname") else source
            column = _ordered_column(order, element, used)
            select.order.append(
                sorted_by(select.sql.catalog, used, column, descending=is_true(order, "descending"), raw=raw)
            )
            select.elsewhere |= used is not select.root


def _ordered_column(order: Element, element: Element, source: Source) -> Column:
    alias = order.get("alias")
    if order.get("attribute") is None and alias:
        for attribute in element.iterchildren("attribute"):
            if attribute.get("alias") == alias:
                return column_of(source.table, attribute.get("name"))
    return column_of(source.table, order.get("attribute"))


def _answer(store: Store, request: Request, fetch: Element, select: Select, names: list[str]) -> Reply:
    top = whole(fetch, "top", 0)
    for name in ("page", "count", "returntotalrecordcount"):
        if top and fetch.get(name) not in (None, "false", "0"):
            raise invalid_argument(f"The top attribute can't be specified with paging attribute {name}")
    if top > LARGEST_PAGE:
        raise invalid_argument(f"The top attribute can't exceed {LARGEST_PAGE}.")
    page = whole(fetch, "page", 1)
    largest = request.preferences().max_page_size or LARGEST_PAGE
    size = top or min(largest, whole(fetch, "count", LARGEST_PAGE), LARGEST_PAGE)
    cookie = parse_cookie(fetch.get("paging-cookie", "")) if fetch.get("paging-cookie") else None
    if cookie is None and page * size > _WITHOUT_COOKIE:
        raise ServiceError(
            400,
            "0x8004430A",
            "Over upper limit of records that can be requested without a paging cookie. A paging cookie is required "
            "when retrieving a high page number.",
        )
    total = count_rows(store, select, _MOST_COUNTED) if is_true(fetch, "returntotalrecordcount") else None
    found = read_page(store, select, size=size, page=page, cookie=cookie, last=bool(top))
    return _body(request, select, names, found.rows, found.following, total)


def _body(
    request: Request, select: Select, names: list[str], rows: list[str], following: Cookie | None, total: int | None
) -> Reply:
    preferences = request.preferences()
    listed = f"({','.join(names)})" if names else ""
    parts = [f'{{"@odata.context":"{request.base}$metadata#{select.root.table.entity_set}{listed}"']
    if total is not None:
        parts.append(f'"@odata.count":{min(total, _MOST_COUNTED)}')
    parts += counts(preferences.annotations, total)
    if following is not None and following.places and preferences.annotations.wants(_COOKIE):
        parts.append(f'"@{_COOKIE}":{msgspec.json.encode(following.annotation()).decode()}')
    if following is not None and preferences.annotations.wants(_MORE):
        parts.append(f'"@{_MORE}":true')
    parts.append('"value":[' + ",".join(rows) + "]}")
    return raw_json_reply(",".join(parts), applied=preferences.applied)


def counts(annotations: Annotations, total: int | None) -> list[str]:
    """The annotations that say how many rows there are: at most 5,000, and -1 when nobody counted."""
    parts = []
    name = "Microsoft.Dynamics.CRM.totalrecordcount"
    if total is not None or annotations.wants(name):
        parts.append(f'"@{name}":{-1 if total is None else min(total, _MOST_COUNTED)}')
    if total is not None or annotations.wants(f"{name}limitexceeded"):
        exceeded = "true" if total is not None and total > _MOST_COUNTED else "false"
        parts.append(f'"@{name}limitexceeded":{exceeded}')
    return parts
