"""``?sql=``: a SELECT statement answered from the rows.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/sql
"""

from urllib.parse import quote

import msgspec

from confmig.emulator.catalog.model import Table
from confmig.emulator.context import Context
from confmig.emulator.errors import bad_query
from confmig.emulator.reading.fetchaggregates import MOST_AGGREGATED, aggregates_too_many
from confmig.emulator.reading.fetchxml import counts
from confmig.emulator.reading.pagingcookies import Cookie, parse_cookie
from confmig.emulator.reading.reading import LARGEST_PAGE
from confmig.emulator.reading.selecting import Page, Select, count_rows, read_page
from confmig.emulator.reading.sqlcompiling import Compiler
from confmig.emulator.reading.sqlparsing import parse_sql
from confmig.emulator.reading.sqlsyntax import Statement
from confmig.emulator.wire.wire import Reply, Request, raw_json_reply


def read_sql(context: Context, table: Table, request: Request) -> Reply:
    """A page of the rows that a SQL query finds.

    Args:
        context: Who asks, and the store.
        table: The table of the set in the URL, which the query must begin with.
        request: The request with ``sql``.

    Raises:
        ServiceError: The query cannot be understood.
    """
    options = request.options()
    statement = parse_sql(options["sql"])
    compiler = Compiler(context, request.preferences().annotations)
    select = compiler.compile(statement)
    if select.root.table.name != table.name:
        raise bad_query(f"The table '{select.root.table.name}' of the SQL query is not the one of the entity set.")
    if select.aggregated and count_rows(context.store, _ungrouped(select), MOST_AGGREGATED) > MOST_AGGREGATED:
        raise aggregates_too_many()
    cookie = parse_cookie(options["$skiptoken"]) if "$skiptoken" in options else None
    if "$skiptoken" in options and cookie is None:
        raise bad_query("Malformed $skiptoken.")
    page = _read(context, select, statement, request, cookie)
    return _body(request, select, compiler.names, page)


def _ungrouped(select: Select) -> Select:
    return Select(select.sql, select.root, select.joins, select.where)


def _read(context: Context, select: Select, statement: Statement, request: Request, cookie: Cookie | None) -> Page:
    """The page that the query and the token ask for, cut where TOP or FETCH ends."""
    number = cookie.page + 1 if cookie is not None else 1
    size = min(request.preferences().max_page_size or LARGEST_PAGE, LARGEST_PAGE)
    most = statement.fetch if statement.top is None else statement.top
    last = False
    if most is not None:
        left = max(most - (number - 1) * size, 0)
        size, last = min(size, left), left <= size
    return read_page(context.store, select, size=size, page=number, skip=statement.offset, cookie=cookie, last=last)


def _body(request: Request, select: Select, names: list[str], page: Page) -> Reply:
    preferences = request.preferences()
    listed = f"({','.join(names)})" if names else ""
    parts = [f'{{"@odata.context":"{request.base}$metadata#{select.root.table.entity_set}{listed}"']
    parts += counts(preferences.annotations, None)
    if page.following is not None:
        parts.append(f'"@odata.nextLink":{msgspec.json.encode(_link(request, page.following)).decode()}')
    parts.append('"value":[' + ",".join(page.rows) + "]}")
    return raw_json_reply(",".join(parts), applied=preferences.applied)


def _link(request: Request, following: Cookie) -> str:
    kept = [part for part in request.query.split("&") if part and not part.startswith(("$skiptoken=", "%24skiptoken="))]
    kept.append(f"$skiptoken={quote(following.token())}")
    # Inside a batch, URLs come with plain blanks.
    return f"{request.base}{quote(request.path)}?{'&'.join(kept).replace(' ', '%20')}"
