"""The SQL of formatted values: which function shows a column, and with which currency or labels."""

import msgspec

from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.storage.store import main_sql, quoted, text_sql

_CURRENCY = "transactioncurrencyid"
_FROM_COLUMN = 0
"""The PrecisionSource of an amount that has the decimal places of its column, not of its currency."""


def formatted_sql(catalog: Catalog, table: Table, column: Column, alias: str, value: str) -> str | None:
    """The SQL of the formatted text of a value that stands for itself; None when its type has none.

    Args:
        catalog: The tables.
        table: The table.
        column: The column.
        alias: SQL alias of the row.
        value: The SQL of the value.
    """
    if column.type == "Money":
        return _money_sql(catalog, table, column, alias, value)
    if column.type in ("Decimal", "Double"):
        return f"shown_number({value}, {'NULL' if column.precision is None else column.precision})"
    if column.type in ("Integer", "BigInt"):
        return f"shown_number({value}, 0)"
    if column.type == "DateTime":
        return f"shown_date({value}, {int('DateOnly' in (column.format, column.behavior))})"
    if column.type == "MultiSelectPicklist":
        labels = {str(option.value): option.label for option in column.options}
        return f"shown_choices({value}, {text_sql(msgspec.json.encode(labels).decode())})"
    return None


def _money_sql(catalog: Catalog, table: Table, column: Column, alias: str, value: str) -> str:
    """The SQL of an amount in the currency of its row, or in that of the organization for ``_base`` columns.

    Args:
        catalog: The tables.
        table: The table.
        column: The column of the amount.
        alias: SQL alias of the row.
        value: The SQL of the amount.
    """
    own = _CURRENCY in table.columns and not column.name.endswith("_base")
    currencies = catalog.tables.get("transactioncurrency")
    names = ("currencysymbol", "isocurrencycode", "currencyprecision")
    if currencies is None or not {*names} <= currencies.columns.keys():
        return f"shown_money({value}, NULL, NULL, NULL)"
    key = f"{alias}.{quoted(_CURRENCY)}" if own else _base_currency(catalog)
    rows = f"FROM {main_sql(currencies.name)} c WHERE c.{quoted(currencies.primary_id)} = {key}"
    symbol, code, places = (f"(SELECT c.{name} {rows})" for name in names)
    if column.precision_source == _FROM_COLUMN and column.precision is not None:
        places = str(column.precision)
    return f"shown_money({value}, {symbol}, {code}, {places})"


def _base_currency(catalog: Catalog) -> str:
    organization = catalog.tables.get("organization")
    if organization is None or "basecurrencyid" not in organization.columns:
        return "NULL"
    return f"(SELECT o.basecurrencyid FROM {main_sql(organization.name)} o LIMIT 1)"  # noqa: S608 (quoted)
