"""Rows made, changed and removed, with the bookkeeping that the service does by itself."""

import sqlite3
import uuid

from confmig.emulator.context import Context
from confmig.emulator.converters import Converters
from confmig.emulator.errors import (
    bad_status,
    duplicate_row,
    intersect_read_only,
    key_violated,
    loop,
    required_missing,
    row_missing,
)
from confmig.emulator.model import Column, ManyToOne, Table
from confmig.emulator.payload import Body, Change, clear, read_change
from confmig.emulator.store import Value, quoted, table_sql, target_column

_LONGEST_CHAIN = 1000


class Writer:
    """Writes rows of one environment."""

    def __init__(self, context: Context, converters: Converters) -> None:
        self.context = context
        self._store = context.store
        self._converters = converters
        self._units: dict[str, Value] = {}

    def create(self, table: Table, body: Body, row_id: str | None = None) -> str:
        """Make a row.

        Args:
            table: Its table.
            body: Its body; an id in it is taken.
            row_id: The id, when the URL gives it.

        Returns:
            The id.

        Raises:
            ServiceError: The body does not fit, a target is missing, or the row is there already.
        """
        if table.is_intersect:
            raise intersect_read_only()
        self.context.require("Create", table)
        change = read_change(self.context, self._converters, table, body, creating=True)
        values = change.values
        if row_id is not None:
            values[table.primary_id] = row_id
        new_id = str(values.get(table.primary_id) or uuid.uuid4())
        values[table.primary_id] = new_id
        with self._store.transaction():
            self._make_parents(table, change)
            self._complete(table, values)
            self._check_keys(table, new_id, values)
            try:
                self._store.insert(table, values)
            except sqlite3.IntegrityError as error:
                raise duplicate_row() from error
            self._check_parents(table, new_id, values)
            self._write_below(table, new_id, change)
        return new_id

    def _complete(self, table: Table, values: dict[str, Value]) -> None:
        """The values that the service sets in a new row."""
        columns, now, caller = table.columns, self.context.now, self.context.caller_id
        values["versionnumber"] = self._store.next_version()
        overridden = values.get("overriddencreatedon")
        values["createdon"] = overridden or now
        if overridden:
            values["overriddencreatedon"] = now
        values["modifiedon"] = now
        for name in ("createdby", "modifiedby"):
            self._point(columns[name], values, "systemuser", caller)
        if table.ownership == "user":
            if values.get("ownerid") is None and "ownerid" in columns:
                self._point(columns["ownerid"], values, "systemuser", caller)
            self._follow_owner(table, values)
        if "statecode" in columns:
            self._complete_state(table, values)
        for name in self._converters.required(table):
            if values.get(name) is None:
                raise required_missing(name)

    @staticmethod
    def _point(column: Column, values: dict[str, Value], target: str, row_id: str) -> None:
        values[column.name] = row_id
        if column.many_targets:
            values[target_column(column.name)] = target

    def _follow_owner(self, table: Table, values: dict[str, Value]) -> None:
        """Set the owning user, team and business unit as the owner says."""
        owner = table.columns.get("ownerid")
        if owner is None:
            return
        kind = values.get(target_column("ownerid"))
        owner_id = values["ownerid"]
        unit = self._unit_of(str(kind), str(owner_id))
        for name, value, target in (
            ("owninguser", owner_id if kind == "systemuser" else None, "systemuser"),
            ("owningteam", owner_id if kind == "team" else None, "team"),
            ("owningbusinessunit", unit, "businessunit"),
        ):
            column = table.columns.get(name)
            if column is not None and column.is_lookup:
                if value is None:
                    clear(column, values)
                else:
                    self._point(column, values, target, str(value))

    def _unit_of(self, kind: str, owner_id: str) -> Value:
        """The business unit of an owner; without one of its own it is the root."""
        known = self._units.get(owner_id)
        if known is None:
            row = self._store.read(self._store.catalog.tables[kind], owner_id, ["businessunitid"]) or {}
            known = self._units[owner_id] = row.get("businessunitid") or self._store.business_unit_id
        return known

    def _complete_state(self, table: Table, values: dict[str, Value]) -> None:
        state = values.get("statecode")
        if state is None:
            state = values["statecode"] = 0
        status = values.get("statuscode")
        if status is None:
            values["statuscode"] = default_status(table, int(str(state)))
        else:
            self._check_pair(table, int(str(state)), int(str(status)), str(values[table.primary_id]))

    @staticmethod
    def _check_pair(table: Table, state: int, status: int, row_id: str) -> None:
        column = table.columns.get("statuscode")
        known = {option.value: option.state for option in column.options} if column else {}
        if known.get(status, state) not in (state, None):
            labels = {option.value: option.label for option in table.columns["statecode"].options}
            name = "".join(part.capitalize() for part in table.name.split("_"))
            raise bad_status(status, f"{name}State.{labels.get(state, state)}", table.name, row_id)

    def _check_keys(self, table: Table, row_id: str, values: dict[str, Value]) -> None:
        """Refuse a second row with the same values in an alternate key; nulls are not compared."""
        for key in table.keys:
            if not any(name in values for name in key.columns):
                continue
            missing = [name for name in key.columns if name not in values]
            given = (self._store.read(table, row_id, missing) or {}) if missing else {}
            wanted = {name: values.get(name, given.get(name)) for name in key.columns}
            if None in wanted.values():
                continue
            if any(found != row_id for found in self._store.find(table, wanted)):
                raise key_violated(key.name, ", ".join(key.columns))

    def _check_parents(self, table: Table, row_id: str, values: dict[str, Value]) -> None:
        """Refuse a parent whose own parents lead back to the row."""
        for name in values:
            column = table.columns.get(name)
            if column is None or not column.parent or values[name] is None:
                continue
            current: Value = values[column.name]
            for _ in range(_LONGEST_CHAIN):
                if current == row_id:
                    raise loop()
                row = self._store.read(table, str(current), [column.name]) if current is not None else None
                if row is None:
                    break
                current = row[column.name]

    def _make_parents(self, table: Table, change: Change) -> None:
        for one, body in change.parents:
            target = self._store.catalog.tables["systemuser" if one.target == "owner" else one.target]
            self._point(table.columns[one.column], change.values, target.name, self.create(target, body))

    def _write_below(self, table: Table, row_id: str, change: Change) -> None:
        for one, bodies in change.children:
            self.replace_children(table, row_id, one, bodies)
        for one, ids in change.adopted:
            child = self._store.catalog.tables[one.table]
            for child_id in ids:
                values: dict[str, Value] = {}
                self._point(child.columns[one.column], values, table.name, row_id)
                self.set_values(child, child_id, values)
        for relationship, first, ids in change.pairs:
            for other in ids:
                self.associate(relationship.intersect, *((row_id, other) if first else (other, row_id)))

    def replace_children(self, table: Table, row_id: str, one: ManyToOne, bodies: list[Body]) -> None:
        """Make the rows below a row; parties that were there before go."""
        child = self._store.catalog.tables[one.table]
        if child.name == "activityparty":
            statement = f'DELETE FROM {table_sql(child.name)} WHERE "activityid" = ?'  # noqa: S608 (constant names)
            self._store.query(statement, (row_id,))
        for body in bodies:
            made = self.create(child, body)
            values: dict[str, Value] = {}
            # Parties name their activity by the table that all activities share.
            target = "activitypointer" if child.name == "activityparty" else table.name
            self._point(child.columns[one.column], values, target, row_id)
            self._store.update(child, made, values)

    def update(self, table: Table, row_id: str, body: Body) -> None:
        """Change a row that is there.

        Raises:
            ServiceError: The row is not there, or the body does not fit.
        """
        if table.is_intersect:
            raise intersect_read_only()
        self.context.require("Write", table)
        change = read_change(self.context, self._converters, table, body, creating=False)
        with self._store.transaction():
            if not self._store.exists(table, row_id):
                raise row_missing(table.name, row_id)
            self._make_parents(table, change)
            self.set_values(table, row_id, change.values)
            self._write_below(table, row_id, change)

    def set_values(self, table: Table, row_id: str, values: dict[str, Value]) -> None:
        """Set values of a row that is there, with the rules that hold for any change.

        Raises:
            ServiceError: A rule is broken.
        """
        if "statecode" in values or "statuscode" in values:
            self._change_state(table, row_id, values)
        if "ownerid" in values and table.ownership == "user":
            if values["ownerid"] is None:
                raise required_missing("ownerid")
            self._follow_owner(table, values)
        self._check_keys(table, row_id, values)
        self._check_parents(table, row_id, values)
        values["modifiedon"] = self.context.now
        values["versionnumber"] = self._store.next_version()
        if "modifiedby" in table.columns:
            self._point(table.columns["modifiedby"], values, "systemuser", self.context.caller_id)
        self._store.update(table, row_id, values)
        for name in values:
            column = table.columns.get(name)
            if column is not None and column.overridden:
                self._store.query(
                    "DELETE FROM names WHERE entity = ? AND id = ? AND column = ?", (table.name, row_id, name)
                )

    def _change_state(self, table: Table, row_id: str, values: dict[str, Value]) -> None:
        row = self._store.read(table, row_id, ["statecode", "statuscode"]) or {}
        current = row.get("statecode")
        state = values.get("statecode", current)
        status = values.get("statuscode")
        if state is None:
            return
        if status is None:
            same = "statuscode" not in values and state == current
            values["statuscode"] = row.get("statuscode") if same else default_status(table, int(str(state)))
        else:
            self._check_pair(table, int(str(state)), int(str(status)), row_id)

    def delete(self, table: Table, row_id: str) -> None:
        """Remove a row, its parties and its pairs; lookups to it become null.

        Raises:
            ServiceError: It is not there.
        """
        if table.is_intersect:
            raise intersect_read_only()
        self.context.require("Delete", table)
        with self._store.transaction():
            if not self._store.delete(table, row_id):
                raise row_missing(table.name, row_id)
            self._unlink(table, row_id)

    def _unlink(self, table: Table, row_id: str) -> None:
        catalog = self._store.catalog
        for one in catalog.to_table.get(table.name, []):
            child = catalog.tables[one.table]
            column = child.columns[one.column]
            sql, name = table_sql(child.name), quoted(one.column)
            index = quoted(f"{child.name}.{one.column}.back")
            self._store.query(f"CREATE INDEX IF NOT EXISTS {index} ON {sql} ({name})")
            if child.name == "activityparty" and one.column == "activityid":
                self._store.query(f"DELETE FROM {sql} WHERE {name} = ?", (row_id,))  # noqa: S608 (quoted)
            elif column.many_targets:
                kind = quoted(target_column(one.column))
                statement = f"UPDATE {sql} SET {name} = NULL, {kind} = NULL WHERE {name} = ? AND {kind} = ?"  # noqa: S608 (quoted)
                self._store.query(statement, (row_id, table.name))
            else:
                self._store.query(f"UPDATE {sql} SET {name} = NULL WHERE {name} = ?", (row_id,))  # noqa: S608 (quoted)
        for many in catalog.many_to_many:
            for side, end in ((many.table1, many.column1), (many.table2, many.column2)):
                if side == table.name:
                    sql = f"DELETE FROM {table_sql(many.intersect)} WHERE {quoted(end)} = ?"  # noqa: S608 (quoted)
                    self._store.query(sql, (row_id,))

    def associate(self, intersect: str, one: str, two: str) -> None:
        """Make a pair of an N:N relationship.

        Raises:
            ServiceError: The pair is there already.
        """
        relationship = self._store.catalog.intersects[intersect]
        table = self._store.catalog.tables[intersect]
        values: dict[str, Value] = {
            table.primary_id: str(uuid.uuid4()),
            relationship.column1: one,
            relationship.column2: two,
            "versionnumber": self._store.next_version(),
        }
        try:
            self._store.insert(table, values)
        except sqlite3.IntegrityError as error:
            raise duplicate_row() from error

    def disassociate(self, intersect: str, one: str, two: str) -> None:
        """Remove a pair of an N:N relationship; removing one that is not there changes nothing."""
        relationship = self._store.catalog.intersects[intersect]
        sql = (
            f"DELETE FROM {table_sql(intersect)} WHERE {quoted(relationship.column1)} = ? "  # noqa: S608 (quoted)
            f"AND {quoted(relationship.column2)} = ?"
        )
        self._store.query(sql, (one, two))


def default_status(table: Table, state: int) -> int | None:
    """The status that a state brings when none is given: its lowest."""
    column = table.columns.get("statuscode")
    fitting = [option.value for option in column.options if option.state == state] if column else []
    return min(fitting) if fitting else None
