"""Money: the currency of a row, its exchange rate, and the amounts in the currency of the organization.

https://learn.microsoft.com/power-apps/developer/data-platform/transaction-currency-currency-entity
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.storage.store import Store, Value, table_sql, target_column
from confmig.emulator.writing.digits import kept, scale_of

CURRENCY = "transactioncurrencyid"
_RATE = "exchangerate"
_CURRENCIES = "transactioncurrency"
_ORGANIZATION_PRECISION = 2
_NO_RATE = Decimal(1)


def money_columns(table: Table) -> tuple[Column, ...]:
    """The amounts of a table whose rows have a currency, less those that the service computes."""
    if CURRENCY not in table.columns:
        return ()
    return tuple(
        column
        for column in table.columns.values()
        if column.type == "Money" and column.calculation_of is None and not _is_base(table, column)
    )


def _is_base(table: Table, column: Column) -> bool:
    amount = table.columns.get(column.name.removesuffix("_base"))
    return column.name.endswith("_base") and amount is not None and amount.type == "Money"


@dataclass(frozen=True)
class _Currency:
    rate: Decimal
    precision: int


class Currencies:
    """The currencies that the rows of one request have."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, _Currency] = {}

    def settle(self, table: Table, columns: tuple[Column, ...], values: dict[str, Value], row_id: str | None) -> None:
        """Round the amounts that are written, and write what depends on them.

        A row with an amount gets the currency of the organization when it has none.

        Args:
            table: The table.
            columns: Its amounts.
            values: What is written; it is completed.
            row_id: The row that is changed; None for a new one.
        """
        written = [column for column in columns if column.name in values]
        if not written and CURRENCY not in values:
            return
        before = self._before(table, columns, values, row_id)
        currency_id = values.get(CURRENCY, before.get(CURRENCY))
        if currency_id is None:
            if all(values[column.name] is None for column in written):
                self._write_bases(table, written, values, {}, None)
                return
            currency_id = self._base_currency
            if currency_id is None:
                return
            self._point(table, values, currency_id)
        currency = self._currency(str(currency_id))
        if currency_id != before.get(CURRENCY):
            # Every amount has another worth in another currency.
            written = list(columns)
            if _RATE in table.columns:
                values[_RATE] = kept(currency.rate, None, scale_of(table.columns[_RATE]))
        self._write_bases(table, written, values, before, currency)

    def _before(
        self, table: Table, columns: tuple[Column, ...], values: dict[str, Value], row_id: str | None
    ) -> dict[str, Value]:
        if row_id is None:
            return {}
        names = [CURRENCY, *[column.name for column in columns if column.name not in values]]
        return self._store.read(table, row_id, names) or {}

    @staticmethod
    def _point(table: Table, values: dict[str, Value], currency_id: Value) -> None:
        values[CURRENCY] = currency_id
        if table.columns[CURRENCY].many_targets:
            values[target_column(CURRENCY)] = _CURRENCIES

    def _write_bases(
        self,
        table: Table,
        columns: list[Column],
        values: dict[str, Value],
        before: dict[str, Value],
        currency: _Currency | None,
    ) -> None:
        for column in columns:
            amount = values.get(column.name, before.get(column.name))
            base = table.columns.get(f"{column.name}_base")
            if amount is None or currency is None:
                if base is not None and column.name in values:
                    values[base.name] = None
                continue
            number = Decimal(str(amount))
            places = self._places(column, currency)
            if column.name in values:
                values[column.name] = kept(number, places, scale_of(column))
                number = Decimal(str(values[column.name]))
            if base is not None:
                values[base.name] = kept(number / currency.rate, self._base_places(base), scale_of(base))

    def _base_places(self, base: Column) -> int | None:
        """The precision of an amount in the currency of the organization."""
        currency_id = self._base_currency if base.precision_source == 2 else None
        return self._places(base, self._currency(currency_id)) if currency_id is not None else base.precision

    @staticmethod
    def _places(column: Column, currency: _Currency) -> int | None:
        """The precision of an amount: its own, the organization's or its currency's.

        https://learn.microsoft.com/power-apps/developer/component-framework/reference/moneyprecisionsource
        """
        if column.precision_source == 1:
            return _ORGANIZATION_PRECISION
        return currency.precision if column.precision_source == 2 else column.precision

    def _currency(self, currency_id: str) -> _Currency:
        known = self._known.get(currency_id)
        if known is None:
            table = self._store.catalog.tables[_CURRENCIES]
            names = [name for name in (_RATE, "currencyprecision") if name in table.columns]
            row = self._store.read(table, currency_id, names) or {}
            rate = Decimal(str(row.get(_RATE) or 1))
            precision = row.get("currencyprecision")
            known = self._known[currency_id] = _Currency(
                rate if rate > 0 else _NO_RATE, precision if isinstance(precision, int) and 0 <= precision <= 4 else 2
            )
        return known

    @cached_property
    def _base_currency(self) -> str | None:
        """The currency of the organization: the one that it names, else the oldest."""
        organization = self._store.catalog.tables["organization"]
        row = self._store.read(organization, self._store.organization_id, ["basecurrencyid"]) or {}
        named = row.get("basecurrencyid")
        if named is not None:
            return str(named)
        sql = f'SELECT "{CURRENCY}" FROM {table_sql(_CURRENCIES)} ORDER BY "createdon", "versionnumber" LIMIT 1'  # noqa: S608 (constants)
        found = self._store.query(sql).fetchone()
        return None if found is None else str(found[0])
