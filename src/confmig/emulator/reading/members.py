"""The properties of the rows that FetchXML and SQL answer: plain, renamed, and aggregated ones.

A property that is renamed, or that comes from a linked table, says with an annotation which column it is; see
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/sql#select-columns.
"""

import msgspec

from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.catalog.model import NUMBERS, WHOLE, Column
from confmig.emulator.errors import bad_query
from confmig.emulator.reading.rendering import Shape, concatenated, field_sql, value_sql
from confmig.emulator.reading.selecting import Source
from confmig.emulator.storage.store import text_sql
from confmig.emulator.wire.wire import Annotations

_FORMATTED = "@OData.Community.Display.V1.FormattedValue"
_ATTRIBUTE = "OData.Community.Display.V1.AttributeName"
_SCALES = {"Money": 4, "Decimal": 10, "Double": -1}
FUNCTIONS = ("count", "countcolumn", "sum", "avg", "min", "max")


def member(name: str) -> str:
    """The SQL text that begins a property."""
    return text_sql(f",{json_text(name)}:")


def json_text(text: str) -> str:
    """A text as JSON."""
    return msgspec.json.encode(text).decode()


def etag_sql(source: Source) -> list[str]:
    """The property with a row's version; none for tables that have no versions."""
    if "versionnumber" not in source.table.columns:
        return []
    return [f"""',"@odata.etag":"W/\\"' || ifnull({source.alias}."versionnumber", 0) || '\\""'"""]


def column_members(
    catalog: Catalog, source: Source, column: Column, annotations: Annotations, key: str | None = None
) -> list[str]:
    """The properties of one column, which are left out where it is null.

    Args:
        catalog: The tables.
        source: The table that the column is of.
        column: The column.
        annotations: Which annotations are asked for.
        key: The name of the property where it is not the column's own.
    """
    renames = {} if key is None else {column.name: key}
    shape = Shape(source.table, (column,), annotations, omit_null=True, renames=renames, etag=False)
    members = [field_sql(catalog, shape, column, source.alias)]
    if key is not None:
        members += attribute_note(key, column, annotations, source.field(column))
    return members


def attribute_note(key: str, column: Column, annotations: Annotations, field: str) -> list[str]:
    """The annotation that says which column a renamed property is."""
    if not annotations.wants(_ATTRIBUTE):
        return []
    text = text_sql(f",{json_text(f'{key}@{_ATTRIBUTE}')}:{json_text(column.name)}")
    return [f"CASE WHEN {field} IS NULL THEN '' ELSE {text} END"]


def value_member(key: str, value: str, annotations: Annotations, formatted: str | None = None) -> str:
    """The property of a number that is computed, left out where it is null.

    Args:
        key: Its name.
        value: The SQL of the number.
        annotations: Which annotations are asked for.
        formatted: The SQL of the formatted value; the number itself when None.
    """
    parts = [f"{member(key)} || {value}"]
    if annotations.formatted:
        parts.append(f"{member(key + _FORMATTED)} || json_quote(CAST({formatted or value} AS TEXT))")
    return f"CASE WHEN {value} IS NULL THEN '' ELSE {concatenated(parts)} END"


def aggregate_value(function: str, column: Column | None, field: str, *, distinct: bool) -> str:
    """The SQL of an aggregate function.

    Args:
        function: One of ``FUNCTIONS``.
        column: The column; None for ``count(*)``.
        field: Its SQL name.
        distinct: Whether equal values count once.

    Raises:
        ServiceError: The function does not go with the type of the column.
    """
    if function == "count" or column is None:
        return "count(*)"
    kept = f"{field} COLLATE NUMBER" if column.type in NUMBERS else f"{field} COLLATE NOCASE"
    once = "DISTINCT " if distinct else ""
    if function == "countcolumn":
        return f"count({once}{kept})"
    if function in ("min", "max"):
        return f"{function}({kept})"
    if column.type not in NUMBERS and column.type not in ("Integer", "BigInt"):
        raise bad_query(f"The aggregate '{function}' does not go with '{column.name}', which is no number.")
    return f"exact_sum({once}{kept})" if function == "sum" else f"exact_avg({field}, {_SCALES.get(column.type, 0)})"


def aggregate_members(
    function: str, column: Column | None, value: str, key: str, annotations: Annotations
) -> list[str]:
    """The properties of an aggregate function's result."""
    counts = function.startswith("count") or column is None
    if counts or column is None or column.type in NUMBERS or column.type in WHOLE:
        members = [value_member(key, value, annotations)]
    else:
        text = f"{member(key)} || {value_sql(column, value)}"
        members = [f"CASE WHEN {value} IS NULL THEN '' ELSE {text} END"]
    return members + (attribute_note(key, column, annotations, value) if column is not None else [])
