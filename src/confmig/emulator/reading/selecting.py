"""One SELECT over the rows, put together from what a FetchXML or SQL query asks for.

Both languages end in the same pieces: tables that are joined, conditions, properties of the answer, an order, a page.
"""

import sqlite3
from dataclasses import dataclass, field

from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.errors import ServiceError
from confmig.emulator.reading.filters import Sql, visible_sql
from confmig.emulator.reading.pagingcookies import Cookie, Place, Sorted, after_sql, place_of
from confmig.emulator.reading.rendering import object_sql
from confmig.emulator.storage.store import SORT, Store, Value, quoted, table_sql


@dataclass(frozen=True)
class Source:
    """A table that a query reads: its SQL alias, and the name that the query gives it."""

    table: Table
    alias: str
    name: str

    def field(self, column: Column) -> str:
        """The SQL name of a column."""
        return f"{self.alias}.{quoted(column.name)}"


@dataclass
class Select:
    """The pieces of a query, filled while it is read.

    Attributes:
        sql: Its parameters.
        root: The table of the entity set.
        joins: The joined tables, in order.
        where: Conditions that must all hold.
        members: The SQL texts of the properties of an answered row, each beginning with a comma.
        group: Expressions by which rows are grouped; rows that group have neither id nor version.
        order: The order asked for.
        distinct: Whether rows that look the same are given once.
        aggregated: Whether the answer's rows stand for many rows.
        repeats: Whether a row of the root may be given several times, since a join multiplies it.
        elsewhere: Whether the order is by a column of another table than the root.
    """

    sql: Sql
    root: Source
    joins: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    group: list[str] = field(default_factory=list)
    order: list[Sorted] = field(default_factory=list)
    distinct: bool = False
    aggregated: bool = False
    repeats: bool = False
    elsewhere: bool = False

    @property
    def merges(self) -> bool:
        """Whether an answered row may stand for several rows of the root."""
        return self.distinct or self.aggregated

    def source_sql(self) -> str:
        """The FROM and WHERE clauses."""
        conditions = [visible_sql(self.root.table, self.root.alias)] if self.root.table.hidden else []
        conditions += self.where
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"FROM {table_sql(self.root.table.name)} {self.root.alias} {' '.join(self.joins)}{where}"


@dataclass(frozen=True)
class Page:
    """Rows as JSON, and the cookie of the page after them; None when there is none."""

    rows: list[str]
    following: Cookie | None


def run(store: Store, statement: str, parameters: list[Value]) -> list[tuple[Value, ...]]:
    """The rows of a statement.

    Raises:
        ServiceError: SQLite finds the statement too large, which only a client's query can make it.
    """
    try:
        return store.query(statement, parameters).fetchall()
    except sqlite3.OperationalError as error:
        if "too " not in str(error):
            raise
        raise ServiceError(400, "0x80044150", f"Generic SQL error. {error}") from error


def count_rows(store: Store, select: Select, most: int) -> int:
    """How many rows a query reads, counted up to ``most`` and one."""
    inner = f"SELECT 1 {select.source_sql()} LIMIT {most + 1}"
    if select.distinct:
        inner = f"SELECT DISTINCT {object_sql(select.members)} {select.source_sql()} LIMIT {most + 1}"
    return int(str(run(store, f"SELECT count(*) FROM ({inner})", select.sql.parameters)[0][0]))  # noqa: S608 (quoted)


def read_page(
    store: Store,
    select: Select,
    *,
    size: int,
    page: int = 1,
    skip: int = 0,
    cookie: Cookie | None = None,
    last: bool = False,
) -> Page:
    """A page of a query's rows.

    Args:
        store: The store.
        select: The query.
        size: How many rows at most.
        page: The number of the page.
        skip: How many rows come before the first page.
        cookie: The cookie of an earlier page, after whose last row the pages are counted when it says where that is.
        last: Whether no page may follow.

    Raises:
        ServiceError: The query is too large for SQLite.
    """
    root = select.root
    order = [
        *select.order,
        Sorted(f"{root.alias}.{quoted(SORT)}", root.table.primary_id, f"{root.alias}.{_id(select)}", guid=True),
    ]
    skip += (page - 1) * size
    keyed = not (select.merges or select.repeats or select.elsewhere)
    if keyed and cookie is not None and page > cookie.page:
        begins = after_sql(select.sql, order, cookie)
        if begins is not None:
            select.where.append(begins)
            skip = (page - cookie.page - 1) * size
    rows = _rows(store, select, order, size + 1, skip)
    more = len(rows) > size and not last
    rows = rows[:size]
    store.work.read += len(rows)
    texts = [str(row[0]) for row in rows]
    if not more or not rows:
        return Page(texts, None)
    places = () if select.aggregated or select.elsewhere else _places(order, rows)
    return Page(texts, Cookie(page, places))


def _id(select: Select) -> str:
    return quoted(select.root.table.primary_id)


def _rows(store: Store, select: Select, order: list[Sorted], limit: int, skip: int) -> list[tuple[Value, ...]]:
    ordered = list(select.order) if select.aggregated else order
    shown = [object_sql(select.members), *[one.shown for one in ordered], *[one.label or "NULL" for one in ordered]]
    group = ", ".join(select.group)
    by = [one.expression + (" DESC" if one.descending else "") for one in ordered]
    if select.distinct and not select.aggregated:
        # The first column is the row as it is answered; of those that look the same, the first says where they stand.
        group = "1"
        by = [f"min({one.expression})" + (" DESC" if one.descending else "") for one in ordered]
    statement = (
        f"SELECT {', '.join(shown)} {select.source_sql()}"
        f"{f' GROUP BY {group}' if group else ''}{f' ORDER BY {chr(44).join(by)}' if by else ''} "
        f"LIMIT {limit} OFFSET {skip}"
    )
    return run(store, statement, select.sql.parameters)


def _places(order: list[Sorted], rows: list[tuple[Value, ...]]) -> tuple[Place, ...]:
    """Where the first and the last row of a page stand in the order; nothing when XML cannot say it."""
    first, last = rows[0], rows[-1]
    places = []
    for position, one in enumerate(order, start=1):
        label = position + len(order)
        places.append(place_of(one, (first[position], last[position]), (first[label], last[label])))
    return tuple(places) if all(place.writable for place in places) else ()
