"""Change tracking: ``Prefer: odata.track-changes``, delta links, and the rows that came, changed or went since.

https://learn.microsoft.com/power-apps/developer/data-platform/use-change-tracking-synchronize-data-external-systems
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

import msgspec

from confmig.emulator.catalog.model import Table
from confmig.emulator.context import Context
from confmig.emulator.errors import ServiceError, bad_query
from confmig.emulator.reading.filters import Sql
from confmig.emulator.reading.reading import (
    LARGEST_PAGE,
    check_options,
    cookie_of,
    count_reply,
    next_link,
    quoted_token,
    select_of,
    shape_of,
)
from confmig.emulator.reading.rendering import fields_sql, row_sql
from confmig.emulator.reading.selecting import read_page
from confmig.emulator.storage.store import main_sql, quoted, table_sql, text_sql
from confmig.emulator.wire.contexts import context_of
from confmig.emulator.wire.wire import Reply, Request, raw_json_reply

_REFUSED = ("$filter", "$orderby", "$expand", "$top")
_DAYS = 7
_WRITTEN = "%m/%d/%Y %H:%M:%S"
_TOKEN = re.compile(r"(\d{1,18})!(\d\d/\d\d/\d{4} \d\d:\d\d:\d\d)")
_TRACKING = re.compile(r'istracking="True" since="([^"]*)"')
_PLACE = re.compile(r'pagingcookie="([01])\.(\d{1,18})"')
_NUMBER = re.compile(r'pagenumber="(\d{1,9})"')


@dataclass(frozen=True)
class Token:
    """A state of a table: the version of the newest write, and when that was asked for."""

    version: int
    moment: datetime

    def text(self) -> str:
        """The token as it stands in a link: ``919042!08/22/2017 08:10:44``."""
        return f"{self.version}!{self.moment.strftime(_WRITTEN)}"


def is_tracked(request: Request) -> bool:
    """Whether a request asks for changes, or for a page of rows whose changes are asked for later."""
    options = request.options()
    return (
        request.preferences().track_changes
        or "$deltatoken" in options
        or _TRACKING.search(options.get("$skiptoken", "")) is not None
    )


def read_changes(context: Context, table: Table, request: Request) -> Reply:
    """All rows, with a link to what changes after them; or, for such a link, what changed.

    Raises:
        ServiceError: The table is not tracked, an option is not supported, or the link has expired.
    """
    options = request.options()
    check_options(options)
    _check_tracked(table, request)
    if "$deltatoken" in options:
        return _read_delta(context, table, request)
    select = select_of(context, table, {}, None)
    select.members += fields_sql(context.store.catalog, shape_of(context, select.sql, table, request), "t")
    carried = _TRACKING.search(options.get("$skiptoken", ""))
    # What is written while the pages are read counts as a change.
    token = _parse(carried.group(1)) if carried else Token(context.store.version, context.moment.now)
    cookie = cookie_of(options)
    page = read_page(
        context.store,
        select,
        size=_page_size(request),
        page=cookie.page + 1 if cookie is not None else 1,
        cookie=cookie,
    )
    following = None
    if page.following is not None:
        following = page.following.token().replace('istracking="False"', f'istracking="True" since="{token.text()}"')
    return _reply(request, context_of(table.entity_set, options), page.rows, following, token)


def count_changes(context: Context, table: Table, request: Request) -> Reply:
    """How many rows came, changed or went since a delta link.

    Raises:
        ServiceError: The table is not tracked, or the link has expired.
    """
    _check_tracked(table, request)
    since = _since(context, request)
    sql = Sql(context.store.catalog)
    statement = f"SELECT count(*) FROM ({_changes_sql(sql, table, '1', '1', since.version, context.store.version)})"  # noqa: S608 (quoted)
    return count_reply(int(context.store.query(statement, sql.parameters).fetchone()[0]))


def _check_tracked(table: Table, request: Request) -> None:
    if not table.change_tracking or "versionnumber" not in table.columns:
        raise ServiceError(400, "0x80072491", f"Entity {table.name} isn't enabled for change tracking.")
    for name in _REFUSED:
        if name in request.options():
            raise bad_query(f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.')


def _page_size(request: Request) -> int:
    return min(request.preferences().max_page_size or LARGEST_PAGE, LARGEST_PAGE)


def _parse(text: str) -> Token:
    match = _TOKEN.fullmatch(text)
    try:
        if match is not None:
            return Token(int(match.group(1)), datetime.strptime(match.group(2), _WRITTEN))
    except ValueError:
        pass
    raise bad_query("Malformed $deltatoken.")


def _since(context: Context, request: Request) -> Token:
    token = _parse(request.options()["$deltatoken"])
    if token.moment < context.moment.now - timedelta(days=_kept_days(context)):
        raise ServiceError(
            400,
            "0x80044352",
            "Version stamp associated with the client has expired. Please perform a full sync.",
        )
    return token


def _kept_days(context: Context) -> int:
    """How long changes are kept; the organization says it."""
    table = context.store.catalog.tables.get("organization")
    if table is None or "expirechangetrackingindays" not in table.columns:
        return _DAYS
    row = context.store.read(table, context.store.organization_id, ["expirechangetrackingindays"]) or {}
    days = row.get("expirechangetrackingindays")
    return int(str(days)) if days is not None else _DAYS


def _read_delta(context: Context, table: Table, request: Request) -> Reply:
    """What changed, first the rows that came or changed in the order of their versions, then those that went."""
    options, store = request.options(), context.store
    since = _since(context, request)
    carried, place = (pattern.search(options.get("$skiptoken", "")) for pattern in (_TRACKING, _PLACE))
    if "$skiptoken" in options and (carried is None or place is None):
        raise bad_query("Malformed $skiptoken.")
    token = _parse(carried.group(1)) if carried else Token(store.version, context.moment.now)
    sql = Sql(store.catalog)
    row = row_sql(store.catalog, shape_of(context, sql, table, request), "t")
    gone = f"{request.base}$metadata#{table.entity_set}/$deletedEntity"
    start = text_sql(f'{{"@odata.context":{msgspec.json.encode(gone).decode()},"id":"')
    deleted = f'{start} || d.id || \'","reason":"deleted"}}\''
    changes = _changes_sql(sql, table, row, deleted, since.version, token.version)
    after = (int(place.group(1)), int(place.group(2))) if place else (0, 0)
    size = _page_size(request)
    statement = (
        f"SELECT shown, kind, version FROM ({changes}) WHERE (kind, version) > ({after[0]}, {after[1]}) "  # noqa: S608 (quoted)
        f"ORDER BY kind, version LIMIT {size + 1}"
    )
    rows = store.query(statement, sql.parameters).fetchall()
    following = None
    if len(rows) > size:
        number = _NUMBER.search(options.get("$skiptoken", ""))
        kind, version = rows[size - 1][1:]
        following = (
            f'<cookie pagenumber="{int(number.group(1)) + 1 if number else 2}" pagingcookie="{kind}.{version}" '
            f'istracking="True" since="{token.text()}" />'
        )
    shown = f"{context_of(table.entity_set, options)}/$delta"
    return _reply(request, shown, [str(one[0]) for one in rows[:size]], following, token)


def _changes_sql(sql: Sql, table: Table, row: str, deleted: str, since: int, until: int) -> str:
    """A query for the changes between two versions: how they are shown, whether the row is gone, and the version."""
    name, key = table_sql(table.name), quoted(table.primary_id)
    marks = f"> {sql.add(since)}", f"<= {sql.add(until)}"
    return (
        f"SELECT {row} AS shown, 0 AS kind, t.versionnumber AS version FROM {name} t "  # noqa: S608 (quoted)
        f"WHERE t.versionnumber {marks[0]} AND t.versionnumber {marks[1]} "
        f"UNION ALL SELECT {deleted}, 1, d.version FROM deletions d WHERE d.entity = {sql.add(table.name)} "
        f"AND d.version {marks[0]} AND d.version {marks[1]} "
        f"AND NOT EXISTS (SELECT 1 FROM {main_sql(table.name)} n WHERE n.{key} = d.id)"
    )


def _reply(request: Request, shown: str, rows: list[str], following: str | None, token: Token) -> Reply:
    parts = [f'{{"@odata.context":{msgspec.json.encode(f"{request.base}$metadata#{shown}").decode()}']
    if following is None:
        escaped = quote(token.text(), safe="").lower()
        link = next_link(request, {"$deltatoken": escaped})
        parts.append(f'"@odata.deltaLink":{msgspec.json.encode(link).decode()}')
    parts.append('"value":[' + ",".join(rows) + "]")
    if following is not None:
        tokens = {"$skiptoken": quoted_token(following)}
        if "$deltatoken" in request.options():
            tokens = {"$deltatoken": quote(request.options()["$deltatoken"], safe="").lower(), **tokens}
        parts.append(f'"@odata.nextLink":{msgspec.json.encode(next_link(request, tokens)).decode()}')
    return raw_json_reply(",".join(parts) + "}", applied=request.preferences().applied)
