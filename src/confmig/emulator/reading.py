"""GET of rows: collections in pages, single rows, counts.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/overview
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

import msgspec

from confmig.emulator.contexts import context_of
from confmig.emulator.errors import bad_query, property_missing, row_missing
from confmig.emulator.filters import Sql, filter_sql
from confmig.emulator.model import NUMBERS, TEXTS, Column, Table
from confmig.emulator.odata import parse_filter
from confmig.emulator.rendering import Expansion, Shape, default_columns, row_sql, with_primary_id
from confmig.emulator.store import SORT, Store, Value, quoted, table_sql
from confmig.emulator.urls import split_outside
from confmig.emulator.wire import Reply, Request, raw_json_reply

LARGEST_PAGE = 5000
_MOST_COUNTED = 5000
_MOST_DIGITS = 10
_KNOWN = frozenset({"$select", "$filter", "$orderby", "$top", "$expand", "$count", "$skiptoken"})


@dataclass(frozen=True)
class Restriction:
    """A condition that a URL brings, such as the parent of a collection: SQL over alias ``t`` and its parameters."""

    sql: str
    parameters: tuple[str, ...] = ()


class Token(msgspec.Struct, frozen=True):
    """Where a page begins: after a row in id order, or at a position of another order."""

    after: str = ""
    skip: int = 0


def selected(store: Store, table: Table, text: str) -> tuple[Column, ...]:
    """The columns that a ``$select`` names, in its order.

    Raises:
        ServiceError: A property is unknown.
    """
    wire = store.catalog.wire_columns(table.name)
    columns: list[Column] = []
    for name in (part.strip() for part in text.split(",")):
        if name == "*":
            columns += default_columns(table)
            continue
        if name not in wire:
            raise property_missing(name, table.name)
        columns.append(wire[name])
    currency = table.columns.get("transactioncurrencyid")
    if currency is not None and currency.is_lookup and any(column.type == "Money" for column in columns):
        # Amounts bring their currency along.
        columns.append(currency)
    return with_primary_id(table, columns)


def expansions(store: Store, table: Table, text: str, base: str) -> tuple[Expansion, ...]:
    """What an ``$expand`` names, one level deep.

    Raises:
        ServiceError: A navigation property is unknown.
    """
    found = []
    for position, part in enumerate(part.strip() for part in split_outside(text, ",")):
        nav, parenthesis, rest = part.partition("(")
        inner = dict(_inner_options(rest.rpartition(")")[0])) if parenthesis else {}
        made = _expansion(store, table, nav, inner, f"e{position}")
        select = f"?$select={quote(inner['$select'], safe=',')}" if "$select" in inner else ""
        found.append(replace(made, link_start=f"{base}{table.entity_set}", link_end=f"/{nav}{select}"))
    return tuple(found)


def _inner_options(text: str) -> list[tuple[str, str]]:
    pairs = []
    for part in split_outside(text, ";"):
        name, _, value = part.partition("=")
        if name.strip() != "$select":
            raise bad_query(f"The query option '{name.strip()}' is not supported in $expand.")
        pairs.append((name.strip(), value.strip()))
    return pairs


def _expansion(store: Store, table: Table, nav: str, inner: dict[str, str], alias: str) -> Expansion:
    catalog = store.catalog
    one = catalog.lookup(table.name, nav)
    if one is not None:
        target = catalog.tables["systemuser" if one.target == "owner" else one.target]
        link = f"{alias}.{quoted(target.primary_id)} = {{own}}.{quoted(one.column)}"
        return _make(store, nav, target, inner, link, f"{table_sql(target.name)} {alias}", alias, many=False)
    own = f"{{own}}.{quoted(table.primary_id)}"
    collection = catalog.collection(table.name, nav)
    if collection is not None:
        target = catalog.tables[collection.table]
        link = f"{alias}.{quoted(collection.column)} = {own}"
        return _make(store, nav, target, inner, link, f"{table_sql(target.name)} {alias}", alias, many=True)
    association = catalog.association(table.name, nav)
    if association is None:
        raise property_missing(nav, table.name)
    relationship, first = association
    target = catalog.tables[relationship.table2 if first else relationship.table1]
    near, far = relationship.column1, relationship.column2
    near, far = (near, far) if first else (far, near)
    source = (
        f"{table_sql(relationship.intersect)} i{alias} JOIN {table_sql(target.name)} {alias} "
        f"ON {alias}.{quoted(target.primary_id)} = i{alias}.{quoted(far)}"
    )
    return _make(store, nav, target, inner, f"i{alias}.{quoted(near)} = {own}", source, alias, many=True)


def _make(
    store: Store, nav: str, target: Table, inner: dict[str, str], link: str, source: str, alias: str, *, many: bool
) -> Expansion:
    columns = selected(store, target, inner["$select"]) if "$select" in inner else default_columns(target)
    return Expansion(nav, target, columns, link, source, alias, many)


def _shape(store: Store, table: Table, request: Request, options: dict[str, str]) -> Shape:
    columns = selected(store, table, options["$select"]) if options.get("$select") else default_columns(table)
    expanded = expansions(store, table, options["$expand"], request.base) if options.get("$expand") else ()
    return Shape(table, columns, request.preferences().annotations, expansions=expanded)


def visible_sql(table: Table, alias: str) -> str:
    """The condition that leaves out the rows that collection reads do not show."""
    if not table.hidden:
        return "1"
    listed = ", ".join(f"'{row_id}'" for row_id in table.hidden)
    return f"{alias}.{quoted(table.primary_id)} NOT IN ({listed})"


def conditions_of(
    store: Store, table: Table, options: dict[str, str], restriction: Restriction | None
) -> tuple[list[str], Sql]:
    """The SQL conditions of a query's filter and of its URL, and the parameters.

    Raises:
        ServiceError: The filter cannot be understood.
    """
    sql = Sql(store.catalog)
    conditions = [visible_sql(table, "t")] if table.hidden else []
    if restriction is not None:
        sql.parameters += restriction.parameters
        conditions.append(restriction.sql)
    if options.get("$filter"):
        aliases = {name: value for name, value in options.items() if name.startswith("@")}
        conditions.append(filter_sql(sql, table, "t", parse_filter(options["$filter"], aliases)))
    return conditions, sql


def where_sql(conditions: list[str]) -> str:
    """The WHERE clause of conditions that must all hold."""
    return " WHERE " + " AND ".join(conditions) if conditions else ""


def order_sql(column: Column, name: str) -> str:
    """The expression by which rows are ordered when a column is named."""
    if column.type in TEXTS:
        return f"{name} COLLATE NOCASE"
    if column.type in NUMBERS:
        return f"{name} COLLATE NUMBER"
    return f"{name}"


def _order(store: Store, table: Table, text: str) -> list[str]:
    wire = store.catalog.wire_columns(table.name)
    parts = []
    for part in text.split(","):
        name, *direction = part.split() or [""]
        if name not in wire:
            raise property_missing(name, table.name)
        if direction not in ([], ["asc"], ["desc"]):
            raise bad_query(f"Syntax error in '{text}': an order is asc or desc.")
        parts.append(order_sql(wire[name], f"t.{quoted(name if not wire[name].is_lookup else wire[name].name)}"))
        if direction == ["desc"]:
            parts[-1] += " DESC"
    return parts


def _number(options: dict[str, str], name: str) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
        raise bad_query(f"Invalid value '{text}' for {name} query option found.")
    return int(text)


def encode_token(token: Token) -> str:
    """A token as it stands in a link."""
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode()


def _decode_token(text: str) -> Token:
    try:
        token = msgspec.json.decode(base64.urlsafe_b64decode(text), type=Token)
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise bad_query("Malformed $skiptoken.") from error
    if not 0 <= token.skip < 2**53:
        raise bad_query("Malformed $skiptoken.")
    return token


def read_collection(
    store: Store, table: Table, request: Request, *, restriction: Restriction | None = None, context: str = ""
) -> Reply:
    """A page of rows.

    Args:
        store: The store.
        table: The table.
        request: The request with its query options.
        restriction: A condition that the URL brings.
        context: What follows ``$metadata#``; the entity set with what is asked for when empty.

    Raises:
        ServiceError: An option cannot be understood.
    """
    options = request.options()
    for name in options:
        if name.startswith("$") and name not in _KNOWN:
            raise bad_query(f"The query parameter {name} is not supported.")
    preferences = request.preferences()
    shape = _shape(store, table, request, options)
    conditions, sql = conditions_of(store, table, options, restriction)
    page = min(preferences.max_page_size or LARGEST_PAGE, LARGEST_PAGE)
    top = None if preferences.max_page_size else _number(options, "$top")
    limit = page if top is None else min(top, LARGEST_PAGE)
    token = _decode_token(options["$skiptoken"]) if "$skiptoken" in options else Token()
    total = _count(store, table, conditions, sql.parameters) if options.get("$count") == "true" else None
    if options.get("$orderby"):
        order = [*_order(store, table, options["$orderby"]), f"t.{quoted(SORT)}"]
        tail = f" LIMIT {limit + 1} OFFSET {token.skip}"
    else:
        order, tail = [f"t.{quoted(SORT)}"], f" LIMIT {limit + 1}"
        if token.after:
            conditions.append(f"t.{quoted(SORT)} > {sql.add(token.after)}")
    statement = (
        f"SELECT {row_sql(store.catalog, shape, 't')}, t.{quoted(SORT)} FROM {table_sql(table.name)} t"  # noqa: S608 (quoted)
        f"{where_sql(conditions)} ORDER BY {', '.join(order)}{tail}"
    )
    rows = store.query(statement, sql.parameters).fetchall()
    store.work.read += min(len(rows), limit)
    following = Token(rows[limit - 1][1], token.skip + limit) if top is None and len(rows) > limit else None
    return _page(request, table, context, [row[0] for row in rows[:limit]], following, total, preferences.applied)


def _page(
    request: Request,
    table: Table,
    context: str,
    rows: list[str],
    following: Token | None,
    total: int | None,
    applied: tuple[str, ...],
) -> Reply:
    parts = [
        f'{{"@odata.context":"{request.base}$metadata#{context or context_of(table.entity_set, request.options())}"'
    ]
    if total is not None:
        parts.append(f'"@odata.count":{min(total, _MOST_COUNTED)}')
    annotations = request.preferences().annotations
    if annotations.wants("Microsoft.Dynamics.CRM.totalrecordcount"):
        parts.append(f'"@Microsoft.Dynamics.CRM.totalrecordcount":{-1 if total is None else min(total, _MOST_COUNTED)}')
        limited = "true" if total is not None and total > _MOST_COUNTED else "false"
        parts.append(f'"@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded":{limited}')
    if following is not None:
        parts.append(f'"@odata.nextLink":{msgspec.json.encode(_link(request, following)).decode()}')
    parts.append('"value":[' + ",".join(rows) + "]}")
    return raw_json_reply(",".join(parts), applied=applied)


def _link(request: Request, following: Token) -> str:
    kept = [part for part in request.query.split("&") if part and not part.startswith(("$skiptoken=", "%24skiptoken="))]
    kept.append(f"$skiptoken={quote(encode_token(following))}")
    # Inside a batch, URLs come with plain blanks.
    query = "&".join(kept).replace(" ", "%20")
    return f"{request.base}{quote(request.path)}?{query}"


def _count(store: Store, table: Table, conditions: list[str], parameters: Sequence[Value]) -> int:
    statement = f"SELECT count(*) FROM {table_sql(table.name)} t{where_sql(conditions)}"  # noqa: S608 (quoted)
    return int(store.query(statement, parameters).fetchone()[0])


def is_member(store: Store, table: Table, row_id: str, restriction: Restriction) -> bool:
    """Whether a row meets the condition that a URL brings."""
    statement = f"SELECT 1 FROM {table_sql(table.name)} t WHERE {restriction.sql} AND t.{quoted(table.primary_id)} = ?"  # noqa: S608 (quoted)
    return store.query(statement, (*restriction.parameters, row_id)).fetchone() is not None


def read_count(store: Store, table: Table, request: Request, restriction: Restriction | None = None) -> Reply:
    """The answer to ``/$count``: a number as text with a byte order mark, at most 5,000.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/retrieve-entity-using-web-api (its note)
    """
    conditions, sql = conditions_of(store, table, request.options(), restriction)
    number = min(_count(store, table, conditions, sql.parameters), _MOST_COUNTED)
    return Reply(200, str(number).encode("utf-8-sig"), {"Content-Type": "text/plain"})


def row_json(store: Store, table: Table, row_id: str, request: Request) -> str | None:
    """A row as JSON with its context; None when it is not there."""
    options = request.options()
    shape = _shape(store, table, request, options)
    statement = (
        f"SELECT {row_sql(store.catalog, shape, 't')} FROM {table_sql(table.name)} t "  # noqa: S608 (quoted)
        f"WHERE t.{quoted(table.primary_id)} = ?"
    )
    row = store.query(statement, (row_id,)).fetchone()
    if row is None:
        return None
    store.work.read += 1
    shown = context_of(table.entity_set, options)
    context = msgspec.json.encode(f"{request.base}$metadata#{shown}/$entity").decode()
    return f'{{"@odata.context":{context},{row[0][1:]}'


def read_row(store: Store, table: Table, row_id: str, request: Request) -> Reply:
    """One row.

    Raises:
        ServiceError: It is not there.
    """
    body = row_json(store, table, row_id, request)
    if body is None:
        raise row_missing(table.name, row_id)
    return raw_json_reply(body, applied=request.preferences().applied)
