"""The owner of a row and what follows it."""

from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.errors import ServiceError
from confmig.emulator.storage.store import Store, Value, main_sql, quoted, target_column
from confmig.emulator.writing.payload import clear


def point(column: Column, values: dict[str, Value], target: str, row_id: str) -> None:
    """Let a lookup point to a row."""
    values[column.name] = row_id
    if column.many_targets:
        values[target_column(column.name)] = target


class Owners:
    """The owners that the rows of one request have."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._units: dict[str, Value] = {}
        self._following: dict[tuple[str, str, str], dict[str, Value]] = {}

    def follow(self, table: Table, values: dict[str, Value]) -> None:
        """Set the owning user, team and business unit as the owner says.

        Raises:
            ServiceError: The owner is a user who is disabled.
        """
        if "ownerid" not in table.columns:
            return
        owner = (table.name, str(values.get(target_column("ownerid"))), str(values["ownerid"]))
        following = self._following.get(owner)
        if following is None:
            following = self._following[owner] = self._what_follows(table, *owner[1:])
        values.update(following)

    def _what_follows(self, table: Table, kind: str, owner_id: str) -> dict[str, Value]:
        values: dict[str, Value] = {}
        unit = self._unit_of(kind, owner_id)
        for name, value, target in (
            ("owninguser", owner_id if kind == "systemuser" else None, "systemuser"),
            ("owningteam", owner_id if kind == "team" else None, "team"),
            ("owningbusinessunit", unit, "businessunit"),
        ):
            column = table.columns.get(name)
            if column is None or not column.is_lookup:
                continue
            if value is None:
                clear(column, values)
            else:
                point(column, values, target, str(value))
        return values

    def _unit_of(self, kind: str, owner_id: str) -> Value:
        """The business unit of an owner; without one of its own it is the root."""
        known = self._units.get(owner_id)
        if known is None:
            names = ["businessunitid", "isdisabled"] if kind == "systemuser" else ["businessunitid"]
            row = self._store.read(self._store.catalog.tables[kind], owner_id, names) or {}
            if row.get("isdisabled"):
                raise ServiceError(
                    400,
                    "0x80040225",
                    "The specified user is either disabled or is not a member of any business unit.",
                )
            known = self._units[owner_id] = row.get("businessunitid") or self._store.business_unit_id
        return known


def complete_units(store: Store) -> None:
    """Give the rows that were loaded with an owner alone the business unit of that owner."""
    for table in store.catalog.tables.values():
        column = table.columns.get("owningbusinessunit")
        if column is None or not column.is_lookup or "ownerid" not in table.columns:
            continue
        units = ", ".join(
            f'(SELECT "businessunitid" FROM {main_sql(name)} WHERE "{name}id" = r."ownerid")'  # noqa: S608 (names)
            for name in ("systemuser", "team")
        )
        unit = quoted(column.name)
        store.query(
            f"UPDATE {main_sql(table.name)} AS r SET {unit} = coalesce({units}, ?) "  # noqa: S608 (quoted)
            f'WHERE r.{unit} IS NULL AND r."ownerid" IS NOT NULL',
            (store.business_unit_id,),
        )
