"""Columns compared with values and with each other, as FetchXML and SQL ask for it."""

import re
from decimal import Decimal

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.model import LOOKUPS, NUMBERS, TEXTS, WHOLE, Column
from confmig.emulator.errors import bad_query
from confmig.emulator.reading.filters import Sql, collation, comparable
from confmig.emulator.reading.ordering import guid_sql
from confmig.emulator.storage.store import Value

SIGNS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_BLANK_DATE = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d(?::\d\d(?:\.\d+)?)?)")
_KINDS = (LOOKUPS | {"Uniqueidentifier"}, NUMBERS | WHOLE | {"Boolean"}, TEXTS)


def kept_value(column: Column, text: str) -> Value:
    """A value that a query wrote, in the form in which the column keeps its values.

    Raises:
        ServiceError: It cannot be compared with the column.
    """
    if column.type == "DateTime":
        match = _BLANK_DATE.fullmatch(text)
        return comparable(column, f"{match.group(1)}T{match.group(2)}" if match else text)
    value = comparable(column, text)
    if column.type in NUMBERS and not Decimal(str(value)).is_finite():
        raise bad_query(f"'{text[:40]}' is not a number.")
    return value


def compared_sql(sql: Sql, column: Column, field: str, operator: str, value: Value) -> str:
    """The condition that a column's value stands in an order to another; never true for null."""
    sign = SIGNS[operator]
    if column.type in TEXTS:
        mark = sql.add(value)
        test = f"rtrim({field}) {sign} {mark} COLLATE {collation(str(value))}"
        if operator == "eq" and str(value).isascii():
            # What differs by blanks at the end lies in this range, for which the index of an alternate key serves.
            return f"({field} >= {mark} COLLATE NOCASE AND {field} < {mark} || '!' COLLATE NOCASE AND {test})"
        return test
    if column.type in NUMBERS:
        return f"{field} {sign} {sql.add(value)} COLLATE NUMBER"
    if column.type == "Uniqueidentifier" and operator not in ("eq", "ne"):
        return f"{guid_sql(field)} {sign} {sql.add(naming.sort_key(str(value)))}"
    return f"{field} {sign} {sql.add(value)}"


def between_sql(sql: Sql, column: Column, field: str, low: Value, high: Value) -> str:
    """The condition that a value lies between two others, which count."""
    return f"({compared_sql(sql, column, field, 'ge', low)} AND {compared_sql(sql, column, field, 'le', high)})"


def listed_sql(sql: Sql, column: Column, field: str, values: list[Value]) -> str:
    """The condition that a value is one of a list."""
    marks = ", ".join(sql.add(value) for value in values)
    if column.type in TEXTS:
        folded = "NOCASE" if all(str(value).isascii() for value in values) else "FOLDED"
        return f"rtrim({field}) COLLATE {folded} IN ({marks})"
    return f"{field}{' COLLATE NUMBER' if column.type in NUMBERS else ''} IN ({marks})"


def columns_sql(one: Column, field: str, operator: str, other: Column, other_field: str) -> str:
    """The condition that two columns stand in an order.

    Raises:
        ServiceError: They are of different types.
    """
    if one.type != other.type and not any(one.type in kind and other.type in kind for kind in _KINDS):
        raise bad_query(
            f"The columns '{one.name}' ({one.type}) and '{other.name}' ({other.type}) are not of the same type."
        )
    sign = SIGNS[operator]
    if one.type in TEXTS:
        return f"rtrim({field}) {sign} rtrim({other_field}) COLLATE FOLDED"
    if one.type in NUMBERS or other.type in NUMBERS:
        return f"CAST({field} AS TEXT) {sign} CAST({other_field} AS TEXT) COLLATE NUMBER"
    return f"{field} {sign} {other_field}"


def joined_sql(one: Column, field: str, other: Column, other_field: str) -> str:
    """The condition by which two tables are joined; texts are equal whatever their case."""
    for column in (one, other):
        if column.type in ("File", "Image", "MultiSelectPicklist", "PartyList"):
            raise bad_query(f"Tables cannot be joined by '{column.name}', which is of the type {column.type}.")
    if one.type in TEXTS or other.type in TEXTS:
        return f"{field} = {other_field} COLLATE NOCASE"
    if one.type in NUMBERS or other.type in NUMBERS:
        return f"CAST({field} AS TEXT) = CAST({other_field} AS TEXT) COLLATE NUMBER"
    return f"{field} = {other_field}"
