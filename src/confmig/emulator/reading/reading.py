"""GET of rows: collections in pages, single rows, counts.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/overview
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from confmig.emulator.catalog.model import Table
from confmig.emulator.context import Context
from confmig.emulator.errors import bad_query, row_missing, segment_missing
from confmig.emulator.metadata.metadatalog import current_version
from confmig.emulator.reading.expanding import IN_TOKENS, Expander, parse_expand, selected
from confmig.emulator.reading.filtering import Filters
from confmig.emulator.reading.filters import Sql
from confmig.emulator.reading.navigating import collection_step
from confmig.emulator.reading.odata import parse_filter
from confmig.emulator.reading.orderby import orders_of
from confmig.emulator.reading.pagingcookies import Cookie, parse_cookie
from confmig.emulator.reading.rendering import Shape, default_columns, fields_sql, row_sql, with_primary_id
from confmig.emulator.reading.selecting import Page, Select, Source, count_rows, read_page
from confmig.emulator.storage.store import quoted, table_sql, text_sql
from confmig.emulator.wire.contexts import context_of
from confmig.emulator.wire.wire import Reply, Request, raw_json_reply

LARGEST_PAGE = 5000
_MOST_COUNTED = 5000
_MOST_DIGITS = 10
_KNOWN = frozenset({"$select", "$filter", "$orderby", "$top", "$expand", "$count", "$skiptoken", "$deltatoken"})
_TOTAL = "Microsoft.Dynamics.CRM.totalrecordcount"
_METADATA = "Microsoft.Dynamics.CRM.globalmetadataversion"
_LIMITED = "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"


@dataclass(frozen=True)
class Parent:
    """The row whose collection is read: its table, its id, and the navigation property."""

    table: Table
    row_id: str
    nav: str

    def target(self, context: Context) -> Table:
        """The table of the collection's rows.

        Raises:
            ServiceError: The table has no such collection.
        """
        step = collection_step(context.store.catalog, self.table, self.nav, "NULL", "t")
        if step is None:
            raise segment_missing(self.nav)
        return step.table

    def condition(self, sql: Sql) -> str:
        """The SQL condition that a row, whose alias is ``t``, belongs to the collection."""
        own = sql.add(self.row_id)
        step = collection_step(sql.catalog, self.table, self.nav, own, "t")
        if step is None:
            raise segment_missing(self.nav)
        if not step.pairs:
            return step.link
        step = collection_step(sql.catalog, self.table, self.nav, own, "m") or step
        key = quoted(step.table.primary_id)
        return f"t.{key} IN (SELECT m.{key} FROM {step.source} WHERE {step.link})"  # noqa: S608 (quoted)


def check_options(options: Mapping[str, str]) -> None:
    """Refuse query options that the service does not support.

    Raises:
        ServiceError: There is one.
    """
    for name in options:
        if name == "$skip":
            raise bad_query("Skip Clause is not supported in CRM")
        if name.startswith("$") and name not in _KNOWN:
            raise bad_query(f"The query parameter {name} is not supported.")
    if options.get("$count", "false") not in ("true", "false"):
        raise bad_query(f"Invalid value '{options['$count'][:40]}' for $count query option found.")


def aliases_of(options: Mapping[str, str]) -> dict[str, str]:
    """The parameter aliases among query options."""
    return {name: value for name, value in options.items() if name.startswith("@")}


def shape_of(context: Context, sql: Sql, table: Table, request: Request) -> Shape:
    """How rows look that are asked for with ``$select`` and ``$expand``.

    Raises:
        ServiceError: A property is unknown.
    """
    options, preferences = request.options(), request.preferences()
    wanted = parse_expand(options["$expand"]) if options.get("$expand") else ()
    columns = default_columns(table)
    if options.get("$select"):
        columns = selected(context.store, table, options["$select"])
        lookups = [context.store.catalog.lookup(table.name, one.nav) for one in wanted if one.reference]
        columns = (*columns, *(table.columns[one.column] for one in lookups if one is not None))
        columns = with_primary_id(table, columns)
    expander = Expander(context, sql, wanted, preferences.max_page_size, aliases_of(options))
    return Shape(table, columns, preferences.annotations, expansions=expander.expansions(table, "t"), principal=True)


def select_of(context: Context, table: Table, options: Mapping[str, str], parent: Parent | None) -> Select:
    """The query of a filter and an order, without properties.

    Raises:
        ServiceError: The filter or the order cannot be understood.
    """
    sql = Sql(context.store.catalog)
    select = Select(sql, Source(table, "t", table.name))
    if parent is not None:
        select.where.append(parent.condition(sql))
        back = sql.catalog.collection(parent.table.name, parent.nav)
        if back is not None:
            context.store.index_lookup(back.table, back.column)
    aliases = aliases_of(options)
    if options.get("$filter"):
        tree = parse_filter(options["$filter"], aliases)
        select.where.append(Filters(context, sql).condition(table, "t", tree))
    if options.get("$orderby"):
        select.order += orders_of(sql, select.root, options["$orderby"], aliases)
    return select


def whole_number(options: Mapping[str, str], name: str) -> int | None:
    """The number that an option gives; None when it is not there.

    Raises:
        ServiceError: It is no number.
    """
    text = options.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
        raise bad_query(f"Invalid value '{text[:40]}' for {name} query option found.")
    return int(text)


def cookie_of(options: Mapping[str, str]) -> Cookie | None:
    """The cookie of the page before the one that is asked for; None for the first page.

    Raises:
        ServiceError: It is none.
    """
    if "$skiptoken" not in options:
        return None
    cookie = parse_cookie(options["$skiptoken"])
    if cookie is None:
        raise bad_query("Malformed $skiptoken.")
    return cookie


def read_collection(context: Context, table: Table, request: Request, parent: Parent | None = None) -> Reply:
    """A page of rows.

    Args:
        context: Who asks, and when.
        table: The table.
        request: The request with its query options.
        parent: The row whose collection it is, when it is one.

    Raises:
        ServiceError: An option cannot be understood.
    """
    options, preferences = request.options(), request.preferences()
    check_options(options)
    select = select_of(context, table, options, parent)
    total = count_rows(context.store, select, _MOST_COUNTED) if options.get("$count") == "true" else None
    select.members += fields_sql(context.store.catalog, shape_of(context, select.sql, table, request), "t")
    # "If you include both, $top is ignored" (page-results).
    top = None if preferences.max_page_size else whole_number(options, "$top")
    cookie = cookie_of(options)
    page = read_page(
        context.store,
        select,
        size=min(preferences.max_page_size or LARGEST_PAGE, LARGEST_PAGE) if top is None else min(top, LARGEST_PAGE),
        page=cookie.page + 1 if cookie is not None else 1,
        cookie=cookie,
        last=top is not None,
    )
    shown = f"{request.base}$metadata#{context_of(table.entity_set, options)}"
    return _page_reply(context, request, shown, page, total)


def read_references(context: Context, request: Request, parent: Parent) -> Reply:
    """A page of the addresses of the rows of a collection.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/retrieve-entity-using-web-api

    Raises:
        ServiceError: The table has no such collection.
    """
    target, cookie = parent.target(context), cookie_of(request.options())
    select = select_of(context, target, {}, parent)
    start = msgspec.json.encode(f"{request.base}{target.entity_set}(").decode()[:-1]
    key = f"t.{quoted(target.primary_id)}"
    begin = text_sql(f',"@odata.id":{start}')
    select.members.append(f"{begin} || {key} || ')\"'")
    size = min(request.preferences().max_page_size or LARGEST_PAGE, LARGEST_PAGE)
    number = cookie.page + 1 if cookie is not None else 1
    page = read_page(context.store, select, size=size, page=number, cookie=cookie)
    return _page_reply(context, request, f"{request.base}$metadata#Collection($ref)", page, None)


def _page_reply(context: Context, request: Request, shown: str, page: Page, total: int | None) -> Reply:
    preferences = request.preferences()
    parts = [f'{{"@odata.context":{msgspec.json.encode(shown).decode()}']
    if total is not None:
        parts.append(f'"@odata.count":{min(total, _MOST_COUNTED)}')
    if preferences.annotations.wants(_TOTAL):
        parts.append(f'"@{_TOTAL}":{-1 if total is None else min(total, _MOST_COUNTED)}')
    if preferences.annotations.wants(_LIMITED):
        parts.append(f'"@{_LIMITED}":{"true" if total is not None and total > _MOST_COUNTED else "false"}')
    if preferences.annotations.wants(_METADATA):
        parts.append(f'"@{_METADATA}":"{current_version(context.store)}"')
    parts.append('"value":[' + ",".join(page.rows) + "]")
    if page.following is not None:
        link = next_link(request, {"$skiptoken": quoted_token(page.following.token())})
        parts.append(f'"@odata.nextLink":{msgspec.json.encode(link).decode()}')
    return raw_json_reply(",".join(parts) + "}", applied=preferences.applied)


def quoted_token(token: str) -> str:
    """A cookie as the service encodes it in links."""
    return quote(token, safe=IN_TOKENS)


def next_link(request: Request, tokens: Mapping[str, str]) -> str:
    """The address of a request with other tokens in its query; they are encoded already."""
    gone = ("$skiptoken=", "%24skiptoken=", "$deltatoken=", "%24deltatoken=")
    kept = [part for part in request.query.split("&") if part and not part.startswith(gone)]
    kept += [f"{name}={value}" for name, value in tokens.items()]
    # Inside a batch, URLs come with plain blanks.
    return f"{request.base}{quote(request.path)}?{'&'.join(kept).replace(' ', '%20')}"


def is_member(context: Context, table: Table, row_id: str, parent: Parent) -> bool:
    """Whether a row belongs to a collection."""
    sql = Sql(context.store.catalog)
    condition = parent.condition(sql)
    statement = (
        f"SELECT 1 FROM {table_sql(table.name)} t WHERE {condition} "  # noqa: S608 (quoted)
        f"AND t.{quoted(table.primary_id)} = {sql.add(row_id)}"
    )
    return context.store.query(statement, sql.parameters).fetchone() is not None


def read_count(context: Context, table: Table, request: Request, parent: Parent | None = None) -> Reply:
    """The answer to ``/$count``: a number as text with a byte order mark, at most 5,000.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/retrieve-entity-using-web-api (its note)

    Raises:
        ServiceError: The filter cannot be understood.
    """
    options = request.options()
    check_options(options)
    filtered = {name: value for name, value in options.items() if name == "$filter" or name.startswith("@")}
    number = count_rows(context.store, select_of(context, table, filtered, parent), _MOST_COUNTED)
    return count_reply(min(number, _MOST_COUNTED))


def count_reply(number: int) -> Reply:
    """A number as the whole answer."""
    return Reply(200, str(number).encode("utf-8-sig"), {"Content-Type": "text/plain"})


def row_json(context: Context, table: Table, row_id: str, request: Request) -> str | None:
    """A row as JSON with its context; None when it is not there.

    Raises:
        ServiceError: A property that is asked for is unknown.
    """
    store, sql = context.store, Sql(context.store.catalog)
    shape = shape_of(context, sql, table, request)
    statement = (
        f"SELECT {row_sql(store.catalog, shape, 't')} FROM {table_sql(table.name)} t "  # noqa: S608 (quoted)
        f"WHERE t.{quoted(table.primary_id)} = {sql.add(row_id)}"
    )
    row = store.query(statement, sql.parameters).fetchone()
    if row is None:
        return None
    store.work.read += 1
    shown = f"{request.base}$metadata#{context_of(table.entity_set, request.options())}/$entity"
    return f'{{"@odata.context":{msgspec.json.encode(shown).decode()},{row[0][1:]}'


def read_row(context: Context, table: Table, row_id: str, request: Request) -> Reply:
    """One row.

    Raises:
        ServiceError: It is not there.
    """
    body = row_json(context, table, row_id, request)
    if body is None:
        raise row_missing(table.name, row_id)
    return raw_json_reply(body, applied=request.preferences().applied)
