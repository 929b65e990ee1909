"""``$orderby``: choices by their number, lookups by the name of their row.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/order-rows
"""

from collections.abc import Mapping
from dataclasses import replace

from confmig.emulator.errors import bad_query
from confmig.emulator.reading.filtering import field_of
from confmig.emulator.reading.filters import Sql
from confmig.emulator.reading.ordering import sorted_by
from confmig.emulator.reading.pagingcookies import Sorted
from confmig.emulator.reading.selecting import Source
from confmig.emulator.wire.urls import split_outside

_DIRECTIONS = {"": False, "asc": False, "desc": True}


def orders_of(sql: Sql, source: Source, text: str, aliases: Mapping[str, str]) -> list[Sorted]:
    """The columns of an order.

    Args:
        sql: Gives aliases.
        source: The table whose rows are sorted.
        text: The value of ``$orderby``.
        aliases: Query options beginning with ``@``.

    Raises:
        ServiceError: A property is unknown, or the text cannot be read.
    """
    found = []
    for part in split_outside(text, ","):
        name, _, direction = part.strip().partition(" ")
        if name.startswith("@"):
            name = aliases.get(name, "").strip()
        if not name or direction.strip() not in _DIRECTIONS:
            raise bad_query(f"Syntax error in '{text}': an order is a property, and asc or desc.")
        found.append(_sorted(sql, source, name, descending=_DIRECTIONS[direction.strip()]))
    return found


def _sorted(sql: Sql, source: Source, path: str, *, descending: bool) -> Sorted:
    one = field_of(sql, source.table, source.alias, path)
    if "/" not in path:
        return sorted_by(sql.catalog, source, one.column, descending=descending, raw=True)
    # The order of the other table's column, whose value stands where that column stood.
    joined = Source(one.table, sql.alias(), path)
    there = sorted_by(sql.catalog, joined, one.column, descending=descending, raw=True)
    return replace(
        there,
        expression=there.expression.replace(joined.field(one.column), one.value),
        name=path.replace("/", "."),
        shown=one.value,
        label=there.label and there.label.replace(joined.field(one.column), one.value),
    )
