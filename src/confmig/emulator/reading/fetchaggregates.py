"""FetchXML that counts, adds up and groups.

https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/aggregate-data
"""

from confmig.emulator.catalog.model import Column
from confmig.emulator.errors import ServiceError, bad_query
from confmig.emulator.reading.datewindows import fiscal_calendar
from confmig.emulator.reading.fetchelements import Element, column_of, is_true, whole
from confmig.emulator.reading.fetchlinks import Block
from confmig.emulator.reading.members import (
    FUNCTIONS,
    aggregate_members,
    aggregate_value,
    attribute_note,
    column_members,
    value_member,
)
from confmig.emulator.reading.ordering import plain_sql, sorted_by
from confmig.emulator.reading.pagingcookies import Sorted
from confmig.emulator.reading.selecting import Select, Source, count_rows
from confmig.emulator.storage.store import Store
from confmig.emulator.wire.wire import Annotations

MOST_AGGREGATED = 50_000


def aggregates_too_many() -> ServiceError:
    """AggregateQueryRecordLimitExceeded."""
    return ServiceError(400, "0x8004E023", "The maximum record limit is exceeded. Reduce the number of records.")


def read_aggregates(
    store: Store, fetch: Element, entity: Element, block: Block, select: Select, annotations: Annotations
) -> None:
    """Take up the groups, the aggregate functions and the order of a query.

    Args:
        store: The store.
        fetch: The query, which may lower the limit of rows.
        entity: Its entity.
        block: The tables and conditions of the query.
        select: What is filled.
        annotations: Which annotations are asked for.

    Raises:
        ServiceError: An attribute is neither grouped nor aggregated, or has no alias; or there are too many rows.
    """
    orders: dict[str, Sorted] = {}
    for element, source in ((entity, select.root), *block.sources.items()):
        for attribute in element.iterchildren("attribute"):
            column = column_of(source.table, attribute.get("name"))
            alias = attribute.get("alias") or ""
            if not alias:
                raise bad_query("An alias must be specified for every attribute in an aggregate query.")
            if is_true(attribute, "groupby"):
                orders[alias] = _group(store, select, source, column, attribute, annotations)
            else:
                orders[alias] = _function(select, source, column, attribute, annotations)
    if not select.members:
        raise bad_query("An aggregate query needs an attribute that is aggregated or grouped.")
    select.order = _orders(entity, block, select, orders)
    limit = min(whole(fetch, "aggregatelimit", MOST_AGGREGATED), MOST_AGGREGATED)
    counted = Select(select.sql, select.root, select.joins, select.where)
    if count_rows(store, counted, limit) > limit:
        raise aggregates_too_many()


def _group(
    store: Store, select: Select, source: Source, column: Column, attribute: Element, annotations: Annotations
) -> Sorted:
    alias, field = attribute.get("alias", ""), source.field(column)
    part = attribute.get("dategrouping")
    if part is None:
        select.group.append(plain_sql(column, field))
        select.members += column_members(store.catalog, source, column, annotations, alias)
        return sorted_by(store.catalog, source, column)
    if column.type != "DateTime":
        raise bad_query(f"The date grouping '{part[:40]}' does not go with '{column.name}', which is no date.")
    if part in _FISCAL:
        value = _fiscal_group(store, select, field, part, alias, annotations)
    elif part in _PARTS:
        value = _PARTS[part].format(x=field)
        select.group.append(value)
        select.members.append(value_member(alias, value, annotations))
    else:
        raise bad_query(f"The date grouping '{part[:40]}' is not supported.")
    select.members += attribute_note(alias, column, annotations, field)
    return Sorted(value, alias, value)


def _fiscal_group(store: Store, select: Select, field: str, part: str, alias: str, annotations: Annotations) -> str:
    """Group by a fiscal year, or by a period of one, which is the number of the period with its year [inferred]."""
    calendar = fiscal_calendar(store)
    arguments = f"{field}, {calendar.month}, {calendar.day}, {calendar.kind}"
    year = f"fiscal_year({arguments})"
    select.group.append(year)
    if part == "fiscal-year":
        select.members.append(value_member(alias, year, annotations, f"'FY' || {year}"))
        return year
    period = f"fiscal_period({arguments})"
    select.group.append(period)
    formatted = f"'{_PERIODS.get(calendar.kind, 'Quarter')} ' || {period} || ' FY' || {year}"
    select.members.append(value_member(alias, period, annotations, formatted))
    return period


_DAY_OF_YEAR = "CAST(strftime('%j', {x}) AS INTEGER)"
_FIRST_WEEKDAY = "CAST(strftime('%w', substr({x}, 1, 4) || '-01-01') AS INTEGER)"
_MONTH = "CAST(substr({x}, 6, 2) AS INTEGER)"
_PARTS = {
    "day": "CAST(substr({x}, 9, 2) AS INTEGER)",
    # Weeks begin on Sunday, and the first one is the one with the first of January, as for DATEPART in SQL Server.
    "week": f"CASE WHEN {{x}} IS NOT NULL THEN ({_DAY_OF_YEAR} - 1 + {_FIRST_WEEKDAY}) / 7 + 1 END",
    "month": _MONTH,
    "quarter": f"(({_MONTH} + 2) / 3)",
    "year": "CAST(substr({x}, 1, 4) AS INTEGER)",
}
_FISCAL = ("fiscal-period", "fiscal-year")
_PERIODS = {2000: "Annual", 2001: "Semester", 2002: "Quarter", 2003: "Month", 2004: "Period"}


def _function(select: Select, source: Source, column: Column, attribute: Element, annotations: Annotations) -> Sorted:
    name, alias = attribute.get("aggregate"), attribute.get("alias", "")
    if name is None:
        raise bad_query(
            "An attribute can not be requested when an aggregate operation has been specified and its neither groupby "
            f"nor aggregate. Attribute: {column.name}"
        )
    if name not in FUNCTIONS:
        raise bad_query(f"The aggregate '{name[:40]}' is not supported.")
    value = aggregate_value(name, column, source.field(column), distinct=is_true(attribute, "distinct"))
    select.members += aggregate_members(name, column, value, alias, annotations)
    number = name != "count" and name != "countcolumn" and column.type != "DateTime"
    return Sorted(f"CAST({value} AS TEXT) COLLATE NUMBER" if number else value, alias, value)


def _orders(entity: Element, block: Block, select: Select, known: dict[str, Sorted]) -> list[Sorted]:
    """The order by aliases; a column that is grouped may be named itself."""
    found = []
    for element in (entity, *block.sources):
        for order in element.iterchildren("order"):
            alias = order.get("alias") or next(
                (
                    one.get("alias", "")
                    for one in element.iterchildren("attribute")
                    if one.get("name") == order.get("attribute") and is_true(one, "groupby")
                ),
                "",
            )
            if alias not in known:
                raise bad_query(
                    "An attribute cannot be specified for an order clause for an aggregate Query. Use an alias."
                )
            one = known[alias]
            found.append(Sorted(one.expression, one.name, one.shown, is_true(order, "descending"), one.guid, one.label))
    if not found:
        return [Sorted(expression, f"group{place}", "NULL") for place, expression in enumerate(select.group)]
    return found
