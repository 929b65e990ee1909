"""By what rows are sorted when a query names a column.

https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/order-rows#ordering-lookup-and-choice-columns
"""

from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.catalog.model import NUMBERS, TEXTS, Column
from confmig.emulator.reading.pagingcookies import Sorted
from confmig.emulator.reading.selecting import Source
from confmig.emulator.storage.store import SORT, quoted, table_sql, text_sql

_CHOICES = frozenset({"Picklist", "State", "Status"})


def sorted_by(
    catalog: Catalog, source: Source, column: Column, *, descending: bool = False, raw: bool = False
) -> Sorted:
    """The order by a column: texts without regard to case, lookups and choices by their names.

    Args:
        catalog: The tables.
        source: The table of the column.
        column: The column.
        descending: Whether the greatest come first.
        raw: Sort choices by their value (``useraworderby``).
    """
    field = source.field(column)
    if column.is_lookup:
        label = name_sql(catalog, source, column)
        return Sorted(f"{label} COLLATE NOCASE", column.name, field, descending, label=label)
    if column.type in _CHOICES and column.options and not raw:
        label = label_sql(column, field)
        return Sorted(f"{label} COLLATE NOCASE", column.name, field, descending, label=label)
    if column.name == source.table.primary_id:
        return Sorted(f"{source.alias}.{quoted(SORT)}", column.name, field, descending, guid=True)
    if column.type == "Uniqueidentifier":
        return Sorted(guid_sql(field), column.name, field, descending, guid=True)
    return Sorted(plain_sql(column, field), column.name, field, descending)


def plain_sql(column: Column, field: str) -> str:
    """The expression by which the values of a column themselves are compared and grouped."""
    if column.type in TEXTS:
        return f"{field} COLLATE NOCASE"
    if column.type in NUMBERS:
        return f"{field} COLLATE NUMBER"
    # An affinity would turn the digits of a cookie into numbers only where the column has one; these have none.
    return f"CAST({field} AS INTEGER)" if column.type in ("Integer", "BigInt", "Boolean", *_CHOICES) else field


def guid_sql(field: str) -> str:
    """An id in the order of SQL Server; see ``naming.sort_key``."""
    pieces = ((25, 12), (20, 4), (17, 2), (15, 2), (12, 2), (10, 2), (7, 2), (5, 2), (3, 2), (1, 2))
    return "(" + " || ".join(f"substr({field}, {start}, {length})" for start, length in pieces) + ")"


def label_sql(column: Column, field: str) -> str:
    """The label of a choice; the value itself where it has none."""
    cases = " ".join(f"WHEN {option.value} THEN {text_sql(option.label)}" for option in column.options)
    return f"CASE {field} {cases} ELSE CAST({field} AS TEXT) END"


def name_sql(catalog: Catalog, source: Source, column: Column) -> str:
    """The primary name of the row that a lookup points to; null where there is none."""
    field = source.field(column)
    names = []
    for target in column.targets:
        table = catalog.tables.get(target)
        if table is not None and table.primary_name is not None:
            names.append(
                f"(SELECT n.{quoted(table.primary_name)} FROM {table_sql(target)} n "  # noqa: S608 (quoted)
                f"WHERE n.{quoted(table.primary_id)} = {field})"
            )
    return f"coalesce({', '.join(names)}, NULL)" if names else "NULL"
