"""Rows made, changed and removed, with the bookkeeping that the service does by itself."""

import sqlite3
import uuid
from collections import deque

from confmig.emulator.catalog.model import ManyToOne, Table
from confmig.emulator.context import Context
from confmig.emulator.errors import (
    duplicate_row,
    intersect_read_only,
    not_supported,
    payload_error,
    required_missing,
    row_missing,
)
from confmig.emulator.storage.filestore import forget_files
from confmig.emulator.storage.store import Value, quoted, table_sql, target_column
from confmig.emulator.writing.autonumber import next_number
from confmig.emulator.writing.cascades import release, to_assign
from confmig.emulator.writing.converters import Converters
from confmig.emulator.writing.derived import derive
from confmig.emulator.writing.images import settle_images
from confmig.emulator.writing.money import Currencies
from confmig.emulator.writing.ownership import Owners, point
from confmig.emulator.writing.parties import check_party, remove_parties
from confmig.emulator.writing.payload import Body, Change, read_change
from confmig.emulator.writing.rowchecks import check_duplicates, check_hierarchy, check_keys, check_managed
from confmig.emulator.writing.states import change_state, complete_state

_WITH_THEIR_ACTIVITY = frozenset({"activityparty", "activitypointer"})
"""Tables whose rows come and go with an activity, and know no Create, Update and Delete of their own."""
_LIKE_IN_BODIES = frozenset({"String", "Memo", "Integer", "BigInt", "Picklist"})
"""Types whose values in the key of a URL are kept as bodies write them."""
_EMPTY = "00000000-0000-0000-0000-000000000000"
"""The id that .NET's clients send when they name none [inferred]."""
_DEEPEST = 50
"""How deep the rows of one deep insert can be nested [inferred]; it keeps a hostile body from exhausting the stack."""


_BOOKKEEPING = frozenset({"createdon", "modifiedon", "versionnumber"})


class Writer:
    """Writes rows of one environment, in the course of one request."""

    def __init__(self, context: Context, converters: Converters) -> None:
        self.context = context
        self._store = context.store
        self._converters = converters
        self._depth = 0
        self._owners = Owners(context.store)
        self._currencies = Currencies(context.store)

    def create(self, table: Table, body: Body, row_id: str | None = None, keys: dict[str, Value] | None = None) -> str:
        """Make a row.

        Args:
            table: Its table.
            body: Its body; an id in it is taken.
            row_id: The id, when the URL gives it.
            keys: The values of an alternate key in the URL; those of the body win.

        Returns:
            The id.

        Raises:
            ServiceError: The body does not fit, a target is missing, or the row is there already.
        """
        self._refuse(table, "Create")
        return self._create(table, body, {table.primary_id: row_id} if row_id is not None else {}, keys or {})

    @staticmethod
    def _refuse(table: Table, message: str) -> None:
        if table.is_intersect:
            raise intersect_read_only()
        if table.name in _WITH_THEIR_ACTIVITY:
            raise not_supported(message, table.name)

    def _create(self, table: Table, body: Body, fixed: dict[str, Value], keys: dict[str, Value]) -> str:
        """Make a row.

        Args:
            table: Its table.
            body: Its body.
            fixed: Values that win over those of the body.
            keys: Values over which the body wins.
        """
        self.context.require("Create", table)
        change = read_change(self.context, self._converters, table, body, creating=True)
        if self.context.rights is not None:
            self.context.rights.check_given(table, change.values, None)
        values = change.values
        if values.get(table.primary_id) == _EMPTY:
            del values[table.primary_id]
        self._take_keys(table, values, keys)
        if fixed:
            values.update(fixed)
        nested = bool(change.parents or change.children or change.joined)
        self._deepen(table, nested)
        concerned = self.context.behaviours.concern(table)
        given = frozenset(values) if concerned else frozenset()
        new_id = str(values.get(table.primary_id) or uuid.uuid4())
        values[table.primary_id] = new_id
        with self._store.transaction():
            self._make_parents(table, change)
            self._complete(table, values)
            if self.context.delegate_id is not None:
                self._point_delegate(table, values, "createdonbehalfby", "modifiedonbehalfby")
            if self.context.rights is not None:
                self.context.rights.require_owner(table, values)
            if concerned:
                self.context.behaviours.before_create(table, values, given, self.context.bypassed)
            check_keys(self._store, table, new_id, values)
            if self.context.detect_duplicates:
                check_duplicates(self._store, table, new_id, values)
            try:
                self._store.insert(table, values)
            except sqlite3.IntegrityError as error:
                raise duplicate_row() from error
            check_hierarchy(self._store, table, new_id, values)
            self._write_below(table, new_id, change)
        self._depth -= nested
        return new_id

    def _take_keys(self, table: Table, values: dict[str, Value], keys: dict[str, Value]) -> None:
        """Take the values of a key in the URL that the body lacks; they must fit their columns as those of bodies do.

        Raises:
            ServiceError: One does not.
        """
        known = self._converters.of(table, creating=True)
        for name in keys.keys() - values.keys():
            convert = known.get(name) if table.columns[name].type in _LIKE_IN_BODIES else None
            values[name] = keys[name] if convert is None else convert(keys[name])

    def _deepen(self, table: Table, nested: bool) -> None:
        """Note that rows are made around or below a row; an error ends the request, and this writer with it.

        Raises:
            ServiceError: They are nested too deep.
        """
        self._depth += nested
        if self._depth > _DEEPEST:
            raise payload_error(table.entity_set, f"The rows of a request are nested more than {_DEEPEST} deep.")

    def _point_delegate(self, table: Table, values: dict[str, Value], *names: str) -> None:
        """Note who really wrote a row in the name of another user; nobody when the user did it."""
        for name in names:
            if name in table.columns:
                values[name] = self.context.delegate_id

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
            if name in columns:
                point(columns[name], values, "systemuser", caller)
        _leave_out(table, values)
        if table.ownership == "user":
            if values.get("ownerid") is None and "ownerid" in columns:
                point(columns["ownerid"], values, "systemuser", caller)
            self._owners.follow(table, values)
        if "statecode" in columns:
            complete_state(table, values, str(values[table.primary_id]))
        for name, default in self._converters.defaults(table):
            values.setdefault(name, default)
        for column in self._converters.numbered(table):
            if values.get(column.name) is None:
                values[column.name] = next_number(self._store, table, column, now)
        self._settle(table, values, None)
        for name in self._converters.required(table):
            if values.get(name) is None:
                raise required_missing(name)

    def _settle(self, table: Table, values: dict[str, Value], row_id: str | None) -> None:
        """Complete the values of money, images and other columns with what depends on them."""
        money = self._converters.money(table)
        if money:
            self._currencies.settle(table, money, values, row_id)
        images = self._converters.images(table)
        if images:
            settle_images(self._store, table, images, values, self.context.now, row_id)
        derived = self._converters.derived(table)
        if derived:
            derive(self._store, table, derived, values, row_id)

    def _make_parents(self, table: Table, change: Change) -> None:
        for one, body in change.parents:
            target = self._store.catalog.tables["systemuser" if one.target == "owner" else one.target]
            made = self.create(target, body)
            self.context.require_link(table, target, made)
            point(table.columns[one.column], change.values, target.name, made)

    def _write_below(self, table: Table, row_id: str, change: Change) -> None:
        for one, bodies in change.children:
            self.replace_children(table, row_id, one, bodies)
        for one, ids in change.adopted:
            child = self._store.catalog.tables[one.table]
            for child_id in ids:
                values: dict[str, Value] = {}
                point(child.columns[one.column], values, table.name, row_id)
                self.set_values(child, child_id, values)
        for relationship, first, bodies in change.joined:
            other_table = self._store.catalog.tables[relationship.table2 if first else relationship.table1]
            made = [self.create(other_table, body) for body in bodies]
            change.pairs.append((relationship, first, made))
        for relationship, first, ids in change.pairs:
            for other in ids:
                self.associate(relationship.intersect, *((row_id, other) if first else (other, row_id)))

    def replace_children(self, table: Table, row_id: str, one: ManyToOne, bodies: list[Body]) -> None:
        """Make the rows below a row; parties that were there before go.

        Raises:
            ServiceError: One of them is refused.
        """
        child = self._store.catalog.tables[one.table]
        fixed: dict[str, Value] = {}
        if child.name != "activityparty":
            point(child.columns[one.column], fixed, table.name, row_id)
            for body in bodies:
                self._refuse(child, "Create")
                self._create(child, body, fixed, {})
            return
        remove_parties(self._store, row_id)
        # Parties name their activity by the table that all activities share.
        point(child.columns[one.column], fixed, "activitypointer", row_id)
        for body in bodies:
            check_party(body)
            self._create(child, body, fixed, {})

    def update(self, table: Table, row_id: str, body: Body) -> None:
        """Change a row that is there.

        Raises:
            ServiceError: The row is not there, or the body does not fit.
        """
        self._refuse(table, "Update")
        self.context.require("Write", table, row_id)
        change = read_change(self.context, self._converters, table, body, creating=False)
        if self.context.rights is not None:
            self.context.rights.check_given(table, change.values, row_id)
        with self._store.transaction():
            if not self._store.exists(table, row_id):
                raise row_missing(table.name, row_id)
            self.set_values(table, row_id, change.values)
            self._write_below(table, row_id, change)

    def set_values(self, table: Table, row_id: str, values: dict[str, Value]) -> None:
        """Set values of a row that is there, with the rules that hold for any change.

        Raises:
            ServiceError: A rule is broken.
        """
        check_managed(self._store, table, row_id, "Update")
        if "statecode" in values or "statuscode" in values:
            before = self._store.read(table, row_id, ["statecode", "statuscode"]) or {}
            change_state(table, values, before, row_id)
        behaviours = self.context.behaviours
        if behaviours.concern(table) and not behaviours.before_update(table, row_id, values, self.context.bypassed):
            return
        owner = self._new_owner(table, row_id, values)
        self._settle(table, values, row_id)
        check_keys(self._store, table, row_id, values)
        check_hierarchy(self._store, table, row_id, values)
        if self.context.detect_duplicates:
            check_duplicates(self._store, table, row_id, values)
        values["modifiedon"] = self.context.now
        values["versionnumber"] = self._store.next_version()
        _leave_out(table, values)
        if "modifiedby" in table.columns:
            point(table.columns["modifiedby"], values, "systemuser", self.context.caller_id)
            self._point_delegate(table, values, "modifiedonbehalfby")
        self._store.update(table, row_id, values)
        self._forget_names(table, row_id, values)
        if owner is not None:
            self._assign_below(table, row_id, values, owner)

    def _new_owner(self, table: Table, row_id: str, values: dict[str, Value]) -> Value:
        """The owner that a row had, when it gets another one."""
        if "ownerid" not in values or table.ownership != "user":
            return None
        if values["ownerid"] is None:
            raise required_missing("ownerid")
        self._owners.follow(table, values)
        before = (self._store.read(table, row_id, ["ownerid"]) or {}).get("ownerid")
        return before if before != values["ownerid"] else None

    def _assign_below(self, table: Table, row_id: str, values: dict[str, Value], before: Value) -> None:
        """Give the rows below the owner that the row got, as far as their relationships pass it on."""
        for child, child_id in to_assign(self._store, table, row_id, before):
            row = self._store.read(child, child_id, ["ownerid"]) or {}
            if row.get("ownerid") != values["ownerid"]:
                owner: dict[str, Value] = {}
                point(child.columns["ownerid"], owner, str(values[target_column("ownerid")]), str(values["ownerid"]))
                self.set_values(child, child_id, owner)

    def _forget_names(self, table: Table, row_id: str, values: dict[str, Value]) -> None:
        """Drop the names that lookups had of their own, now that they point elsewhere."""
        for name in values:
            column = table.columns.get(name)
            if column is not None and column.overridden:
                self._store.query(
                    "DELETE FROM names WHERE entity = ? AND id = ? AND column = ?", (table.name, row_id, name)
                )

    def delete(self, table: Table, row_id: str) -> None:
        """Remove a row with its pairs; what points to it is removed, cut or a reason to refuse.

        Raises:
            ServiceError: It is not there, or a rule forbids it.
        """
        self._refuse(table, "Delete")
        self.context.require("Delete", table, row_id)
        with self._store.transaction():
            if not self._store.exists(table, row_id):
                raise row_missing(table.name, row_id)
            rows = deque([(table, row_id)])
            while rows:
                one, one_id = rows.popleft()
                check_managed(self._store, one, one_id, "Delete")
                if self.context.behaviours.concern(one):
                    self.context.behaviours.before_delete(one, one_id, self.context.bypassed)
                forget_files(self._store, one, one_id)
                if self._store.delete(one, one_id):
                    rows.extend(release(self._store, one, one_id))

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


def _leave_out(table: Table, values: dict[str, Value]) -> None:
    """Drop the bookkeeping of a row that its table, as a recording names it only, has no columns for."""
    for name in _BOOKKEEPING - table.columns.keys():
        values.pop(name, None)
