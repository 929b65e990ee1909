"""``$select`` and ``$expand``: which columns are shown, and which rows of other tables inside the rows.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/join-tables
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

import msgspec

from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.context import Context
from confmig.emulator.errors import bad_query, property_missing
from confmig.emulator.reading.filtering import Filters
from confmig.emulator.reading.filters import Sql
from confmig.emulator.reading.navigating import Step, step_from
from confmig.emulator.reading.odata import parse_filter
from confmig.emulator.reading.orderby import orders_of
from confmig.emulator.reading.pagingcookies import Cookie, Place
from confmig.emulator.reading.rendering import PRINCIPALS, Expansion, default_columns, with_primary_id
from confmig.emulator.reading.selecting import Source
from confmig.emulator.storage.store import SORT, Store, quoted, text_sql
from confmig.emulator.wire.urls import split_outside

_MOST_EXPANDED = 15
_MOST_ROWS = 5000
_REFERENCE = "/$ref"
_INNER_OPTIONS = ("$select", "$filter", "$orderby", "$top", "$expand")
_MOST_DIGITS = 10
IN_TOKENS = "=/-_.!*~"
"""What a cookie shows of itself in a link without being escaped."""
_IN_LINKS = "$,()=;'/*-_.~:@!"


@dataclass(frozen=True)
class Wanted:
    """One navigation property of an ``$expand``, with its options as text and those expanded inside it."""

    nav: str
    options: Mapping[str, str]
    inner: tuple["Wanted", ...] = ()
    reference: bool = False


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
        if name == "ownerid" and table.name in PRINCIPALS:
            # It comes with every user and team, whose types inherit it from principal.
            continue
        if name not in wire:
            raise property_missing(name, table.name)
        columns.append(wire[name])
    currency = table.columns.get("transactioncurrencyid")
    if currency is not None and currency.is_lookup and any(column.type == "Money" for column in columns):
        # Amounts bring their currency along.
        columns.append(currency)
    return tuple(dict.fromkeys(columns))


def parse_expand(text: str) -> tuple[Wanted, ...]:
    """What an ``$expand`` asks for, level by level.

    Raises:
        ServiceError: It cannot be read, or asks for more than 15 navigation properties.
    """
    wanted = tuple(_parts(text))
    if sum(1 for _ in _all(wanted)) > _MOST_EXPANDED:
        raise bad_query(f"The number of $expand options of a query exceeds the limit of {_MOST_EXPANDED}.")
    return tuple({one.nav: one for one in wanted}.values())


def _all(wanted: tuple[Wanted, ...]) -> Iterator[Wanted]:
    for one in wanted:
        yield one
        yield from _all(one.inner)


def _parts(text: str) -> Iterator[Wanted]:
    for part in split_outside(text, ","):
        nav, parenthesis, rest = part.strip().partition("(")
        nav = nav.rstrip()
        if parenthesis and not rest.endswith(")"):
            raise bad_query(f"Syntax error in $expand: '{part.strip()}'.")
        options = dict(_options(rest[:-1])) if parenthesis else {}
        inner = tuple(_parts(options["$expand"])) if "$expand" in options else ()
        yield Wanted(nav.removesuffix(_REFERENCE), options, inner, nav.endswith(_REFERENCE))


def _options(text: str) -> Iterator[tuple[str, str]]:
    for part in split_outside(text, ";"):
        name, _, value = part.partition("=")
        if not part.strip():
            continue
        if name.strip() not in _INNER_OPTIONS:
            raise bad_query(f"The query option '{name.strip()}' is not supported in $expand.")
        yield name.strip(), value.strip()


class Expander:
    """Makes the expansions of one query.

    Args:
        context: Who asks.
        sql: Where parameters go.
        wanted: What is expanded.
        page: How many rows of a collection a page has, when the client asks for pages.
        aliases: The parameter aliases of the query, which filters and orders of expansions may name, too.
    """

    def __init__(
        self, context: Context, sql: Sql, wanted: tuple[Wanted, ...], page: int | None, aliases: Mapping[str, str]
    ) -> None:
        self._context = context
        self._store = context.store
        self._sql = sql
        self._wanted = wanted
        self._nested = any(one.inner for one in wanted)
        self._page = page
        self._aliases = dict(aliases)

    def expansions(self, table: Table, alias: str) -> tuple[Expansion, ...]:
        """The expansions of the rows of a table.

        Raises:
            ServiceError: A navigation property is unknown, or an option is not supported where it stands.
        """
        return self._of(table, alias, self._wanted, nested=False)

    def _of(self, table: Table, alias: str, wanted: tuple[Wanted, ...], *, nested: bool) -> tuple[Expansion, ...]:
        steps = [(one, joined := self._sql.alias(), self._step(table, alias, one, joined)) for one in wanted]
        if len({step.pairs for _, _, step in steps}) > 1:
            # "Combinations with N:N" are not among the supported relationship types (join-tables).
            raise bad_query("$expand on many-to-many relationships cannot be combined with other relationships.")
        for one, _, step in steps:
            self._check(one, step, nested=nested)
        return tuple(self._expansion(table, alias, one, step, joined) for one, joined, step in steps)

    def _step(self, table: Table, alias: str, one: Wanted, joined: str) -> Step:
        step = step_from(self._store.catalog, table, one.nav, alias, joined)
        if step is None:
            raise property_missing(one.nav, table.name)
        if step.back is not None:
            self._store.index_lookup(step.table.name, step.back.column)
        return step

    def _check(self, one: Wanted, step: Step, *, nested: bool) -> None:
        if one.reference and step.many:
            raise bad_query("Expand with $ref is only supported on lookup type navigation property.")
        if {"$orderby", "$top"} & one.options.keys() and (self._nested or not step.many):
            raise bad_query(
                "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or "
                "nested one-to-many relationship."
            )
        if step.pairs and (nested or one.inner):
            raise bad_query("A nested $expand is not supported on many-to-many relationships.")

    def _expansion(self, table: Table, alias: str, one: Wanted, step: Step, joined: str) -> Expansion:
        where = step.link
        if "$filter" in one.options:
            tree = parse_filter(one.options["$filter"], self._aliases)
            where += f" AND {Filters(self._context, self._sql).condition(step.table, joined, tree)}"
        order = f"{joined}.{quoted(SORT)}"
        if "$orderby" in one.options:
            sorts = orders_of(self._sql, Source(step.table, joined, one.nav), one.options["$orderby"], self._aliases)
            order = ", ".join([*[sort.expression + (" DESC" if sort.descending else "") for sort in sorts], order])
        paged = self._nested and self._page is not None
        made = Expansion(
            one.nav,
            step.table,
            joined,
            self._columns(one, step),
            step.source,
            where,
            step.many,
            order=order,
            limit=min(_top(one.options), (self._page or _MOST_ROWS) if paged else _MOST_ROWS),
            inner=self._of(step.table, joined, one.inner, nested=True),
            # The row behind a lookup comes without its version, and so do rows among which others are expanded.
            etag=step.many and not self._nested,
            reference=f"{self._context.base}{step.table.entity_set}" if one.reference else "",
        )
        return replace(made, link=self._link(table, alias, one, made, paged=paged)) if step.many else made

    def _link(self, table: Table, alias: str, one: Wanted, made: Expansion, *, paged: bool) -> str:
        """The SQL of the address of a collection with the options of its expansion, and of its next page if it has any.

        The service gives an expanded collection this link even when there are no more rows.
        """
        options = "&".join(f"{name}={quote(value, safe=_IN_LINKS)}" for name, value in one.options.items())
        start = text_sql(f"{msgspec.json.encode(f'{self._context.base}{table.entity_set}(').decode()[:-1]}")
        link = f"{start} || {alias}.{quoted(table.primary_id)} || {text_sql(f')/{one.nav}')}"
        if options:
            link += f" || {text_sql(f'?{options}')}"
        if paged:
            link += f" || {self._page_token(made, '&' if options else '?')}"
        return f"{link} || '\"'"

    def _page_token(self, made: Expansion, sign: str) -> str:
        """The SQL of the cookie of the page after the rows that are shown; empty when there are none."""
        key, sort = (f"{made.alias}.{quoted(name)}" for name in (made.table.primary_id, SORT))
        page = (
            f"SELECT {key} AS id, {sort} AS k FROM {made.source} WHERE {made.where} "  # noqa: S608 (quoted)
            f"ORDER BY {made.order} LIMIT {made.limit}"
        )
        ends = [f"(SELECT upper(id) FROM ({page}) ORDER BY k {way} LIMIT 1)" for way in ("DESC", "ASC")]  # noqa: S608
        place = Place(made.table.primary_id, first="{FIRSTROW}", last="{LASTROW}")
        token = f"{sign}$skiptoken={quote(Cookie(1, (place,)).token(), safe=IN_TOKENS)}"
        before, _, rest = token.partition("LASTROW")
        between, _, after = rest.partition("FIRSTROW")
        pieces = [text_sql(before), ends[0], text_sql(between), ends[1], text_sql(after)]
        return f"ifnull({' || '.join(pieces)}, '')"

    def _columns(self, one: Wanted, step: Step) -> tuple[Column, ...]:
        if "$select" not in one.options:
            return default_columns(step.table)
        columns = selected(self._store, step.table, one.options["$select"])
        if step.back is not None and not self._nested:
            # The lookup by which the rows were found comes with them.
            columns = (*columns, step.table.columns[step.back.column])
        return with_primary_id(step.table, columns)


def _top(options: Mapping[str, str]) -> int:
    text = options.get("$top")
    if text is None:
        return _MOST_ROWS
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
        raise bad_query(f"Invalid value '{text[:40]}' for $top query option found.")
    return min(int(text), _MOST_ROWS)
