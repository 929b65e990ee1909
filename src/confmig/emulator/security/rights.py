"""Checks of what a caller may do; the one who may do anything is not checked at all.

https://learn.microsoft.com/power-platform/admin/wp-security-cds
"""

from collections.abc import Iterable, Mapping
from functools import cached_property

import msgspec

from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.security.grants import Grants, units_below
from confmig.emulator.security.privileges import ACCESS_RIGHTS, Depth, privilege_id, privilege_name, verbs_of
from confmig.emulator.security.securityerrors import (
    access_missing,
    column_create_missing,
    column_update_missing,
    other_privilege_missing,
    privilege_missing,
)
from confmig.emulator.storage.store import Store, Value, main_sql, quoted

EVERYTHING = "1"
_NULL = msgspec.Raw(b"null")
_ALLOWED = 4


class Rights:
    """What one caller may do.

    Args:
        store: The store.
        grants: The caller's privileges.
        denied: Privileges, in lower case, that the caller lacks whatever the roles say.
    """

    def __init__(self, store: Store, grants: Grants, denied: frozenset[str] = frozenset()) -> None:
        self._store = store
        self._grants = grants
        self._denied = denied
        self._owners: dict[frozenset[tuple[str, Depth]], str] = {}

    @property
    def grants(self) -> Grants:
        """The privileges behind the checks."""
        return self._grants

    def has(self, privilege: str) -> bool:
        """Whether the caller has a privilege at any depth."""
        return privilege.lower() not in self._denied and self._grants.depth(privilege) is not None

    def require_privilege(self, privilege: str) -> None:
        """Refuse a caller without a privilege that is not about a table.

        Raises:
            ServiceError: It is missing.
        """
        if not self.has(privilege):
            raise other_privilege_missing(self._principal(), privilege, privilege_id(privilege))

    def may(self, verb: str, table: Table) -> bool:
        """Whether the caller has the privilege for a verb on a table, at any depth."""
        if f"prv{verb}{table.name}".lower() in self._denied:
            return False
        if table.name == "activityparty":
            names = ("prvReadActivity",) if verb == "Read" else ("prvCreateActivity", "prvWriteActivity")
            return any(map(self.has, names))
        if not verbs_of(table):
            # Tables that belong to others, as intersect tables do, have no privileges of their own.
            return verb == "Read" or self._grants.administrator
        return self.has(privilege_name(verb, table))

    def require(self, verb: str, table: Table) -> None:
        """Refuse a caller without the privilege for a verb on a table.

        Raises:
            ServiceError: It is missing.
        """
        if not self.may(verb, table):
            name = privilege_name(verb, table)
            raise privilege_missing(
                self._principal(), self._grants.user_id, name, privilege_id(name), table.name, table.object_type_code
            )

    def require_row(self, verb: str, table: Table, row_id: str) -> None:
        """Refuse a caller whose privilege does not reach a row; a row that is not there is nobody's.

        Raises:
            ServiceError: The privilege is missing, or does not reach the row.
        """
        self.require(verb, table)
        reach = self.reach(verb, table, "r")
        if reach == EVERYTHING:
            return
        statement = f"SELECT {reach} FROM {main_sql(table.name)} r WHERE r.{quoted(table.primary_id)} = ?"  # noqa: S608 (quoted)
        row = self._store.query(statement, (row_id,)).fetchone()
        if row is not None and not row[0]:
            raise access_missing(self._grants.user_id, verb, row_id, table.name)

    def reach(self, verb: str, table: Table, alias: str) -> str:
        """The SQL condition that the privilege for a verb reaches a row; ``1`` when it reaches all."""
        if table.ownership != "user" or "ownerid" not in table.columns or self._grants.administrator:
            return EVERYTHING
        units = self._grants.privileges.get(privilege_name(verb, table).lower(), {})
        if Depth.ORGANIZATION in units.values():
            return EVERYTHING
        key = frozenset(units.items())
        owners = self._owners.get(key)
        if owners is None:
            owners = self._owners[key] = self._owners_sql(units)
        return f"({alias}.{quoted('ownerid')} IN ({owners}) OR {self._shared_sql(verb, table, alias)})"

    def _owners_sql(self, units: Mapping[str, Depth]) -> str:
        """The users and teams whose rows a privilege of these depths reaches.

        Ids stand in the text, since a view takes no parameters; they come from rows, and only guids can be there.
        """
        reached: set[str] = set()
        for unit, depth in units.items():
            if depth is Depth.BUSINESS_UNIT:
                reached.add(unit)
            elif depth is Depth.PARENT_CHILD:
                reached.update(units_below(self._store, unit))
        own, listed = _literals((self._grants.user_id, *self._grants.teams)), _literals(reached)
        root = _literals((self._store.business_unit_id,))
        tests = [
            f'SELECT "{key}" FROM {main_sql(name)} WHERE "{key}" IN ({own}) '  # noqa: S608 (guids)
            f'OR ifnull("businessunitid", {root}) IN ({listed})'
            for name, key in (("systemuser", "systemuserid"), ("team", "teamid"))
        ]
        return " UNION ALL ".join(tests)

    def _shared_sql(self, verb: str, table: Table, alias: str) -> str:
        """The condition that a row is shared with the caller, or with a team of the caller, for a verb.

        https://learn.microsoft.com/power-apps/developer/data-platform/security-sharing-assigning
        """
        principals = _literals((self._grants.user_id, *self._grants.teams))
        return (
            f"EXISTS (SELECT 1 FROM {main_sql('principalobjectaccess')} s "  # noqa: S608 (quoted)
            f'WHERE s."objectid" = {alias}.{quoted(table.primary_id)} AND s."principalid" IN ({principals}) '
            f'AND s."accessrightsmask" & {ACCESS_RIGHTS[verb]})'
        )

    def require_owner(self, table: Table, values: Mapping[str, Value]) -> None:
        """Refuse a new row of an owner that the caller's privilege to create does not reach.

        Raises:
            ServiceError: The owner is another one.
        """
        reach = self.reach("Create", table, "r")
        if reach == EVERYTHING:
            return
        given = f'SELECT {reach} FROM (SELECT ? AS "ownerid", ? AS {quoted(table.primary_id)}) r'  # noqa: S608 (quoted)
        row_id = str(values[table.primary_id])
        if not self._store.query(given, (values.get("ownerid"), row_id)).fetchone()[0]:
            raise access_missing(self._grants.user_id, "Create", row_id, table.name)

    def check_given(self, table: Table, names: Iterable[str], row_id: str | None) -> None:
        """Refuse a body that sets what the caller may not set.

        Args:
            table: The table.
            names: The columns that the body sets.
            row_id: The row; None for a new one.

        Raises:
            ServiceError: It sets a secured column, another owner, or the time at which a row was made.
        """
        given = frozenset(names)
        self.require_columns(table, given, creating=row_id is None)
        if row_id is None and "overriddencreatedon" in given:
            self.require_privilege("prvOverrideCreatedOnCreatedBy")
        if row_id is not None and "ownerid" in given and table.ownership == "user":
            self.require_row("Assign", table, row_id)

    def require_link(self, table: Table, target: Table, target_id: str) -> None:
        """Refuse a lookup, or a pair, for which Append on the one or AppendTo on the other is missing.

        Raises:
            ServiceError: One of them is.
        """
        self.require("Append", table)
        self.require_row("AppendTo", target, target_id)

    @cached_property
    def _columns(self) -> dict[tuple[str, str], tuple[bool, bool, bool]]:
        """For the secured columns of the caller's profiles: whether they may be read, set on create, updated."""
        columns = '"entityname", "attributelogicalname", max("canread"), max("cancreate"), max("canupdate")'
        statement = (
            f"SELECT {columns} FROM {main_sql('fieldpermission')} "  # noqa: S608 (guids)
            f'WHERE "fieldsecurityprofileid" IN ({_literals(self._grants.profiles)}) GROUP BY 1, 2'
        )
        found = self._store.query(statement).fetchall()
        return {(row[0], row[1]): (row[2] == _ALLOWED, row[3] == _ALLOWED, row[4] == _ALLOWED) for row in found}

    def _lacks(self, table: Table, column: Column, position: int) -> bool:
        if not column.secured or self._grants.administrator:
            return False
        return not self._columns.get((table.name, column.name), (False, False, False))[position]

    def hidden_columns(self, table: Table) -> list[str]:
        """The secured columns whose values the caller does not see."""
        return [column.name for column in table.columns.values() if self._lacks(table, column, 0)]

    def without_hidden(self, table: Table, row: str) -> str:
        """A row as JSON in which the secured columns are null whose values the caller does not see."""
        hidden = self.hidden_columns(table)
        if not hidden:
            return row
        values = msgspec.json.decode(row, type=dict[str, msgspec.Raw])
        secret = {table.columns[name].wire_name for name in hidden}
        shown = {name: _NULL if name.partition("@")[0] in secret else value for name, value in values.items()}
        return msgspec.json.encode(shown).decode()

    def require_columns(self, table: Table, names: Iterable[str], *, creating: bool) -> None:
        """Refuse to write secured columns that the caller may not write.

        https://learn.microsoft.com/power-platform/admin/field-level-security

        Raises:
            ServiceError: There is one.
        """
        for name in names:
            column = table.columns.get(name)
            if column is not None and self._lacks(table, column, 1 if creating else 2):
                raise column_create_missing() if creating else column_update_missing()

    def _principal(self) -> str:
        """How the texts of errors describe the caller."""
        grants = self._grants
        return (
            f"(Id={grants.user_id}, type=8, roleCount={len(grants.roles)}, "
            f"privilegeCount={len(grants.privileges)}, accessMode={grants.access_mode})"
        )


def _literals(ids: Iterable[str]) -> str:
    """Ids as a list of SQL literals."""
    return ", ".join("'" + one.replace("'", "''") + "'" for one in ids)
