"""Security roles: those that every environment has, and those that a definition brings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.model import Table
from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.security.privileges import (
    ACCESS_RIGHTS,
    CUSTOMIZING,
    MISCELLANEOUS,
    Depth,
    Privilege,
    privilege_id,
    privilege_name,
    privileges_of,
    verbs_of,
)
from confmig.emulator.security.securitytables import DEPTH
from confmig.emulator.storage.store import Store, Value

ADMINISTRATOR = "System Administrator"
CUSTOMIZER = "System Customizer"
BASIC_USER = "Basic User"
DELEGATE = "Delegate"
ADMINISTRATOR_TEMPLATE = "627090ff-40a3-4053-8790-584edc5be201"
_TEMPLATES = {
    ADMINISTRATOR: ADMINISTRATOR_TEMPLATE,
    CUSTOMIZER: "119f245c-3cc8-4b62-b31c-d1a046ced15d",
}
"""Ids of the role templates, by which clients find these roles in any environment [field]."""

_OPENER = ("organization", "businessunit", "systemuser", "team", "transactioncurrency", "sdkmessage",
           "sdkmessagefilter", "role", "solution", "publisher")  # fmt: skip
"""Tables that any user reads: a new role comes with such minimum privileges.

https://learn.microsoft.com/power-platform/admin/create-edit-security-role
"""
DEPTHS = {
    "user": Depth.USER,
    "business-unit": Depth.BUSINESS_UNIT,
    "parent-child": Depth.PARENT_CHILD,
    "organization": Depth.ORGANIZATION,
}


@dataclass(frozen=True)
class RoleGrant:
    """A role as a definition gives it.

    Attributes:
        name: Its name.
        tables: By table (``*``: all tables) the depth of each verb (``all``: all verbs). Verbs are create, read, write,
            delete, append, append-to, assign and share; depths are user, business-unit, parent-child and organization.
            What names a table overrides ``*``.
        privileges: Other privileges, such as ``prvBypassCustomBusinessLogic``.
        opener: Whether the role has the minimum privileges that a new role comes with.
    """

    name: str
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    privileges: tuple[str, ...] = ()
    opener: bool = True


_VERBS = {"append-to": "AppendTo"} | {verb.lower(): verb for verb in ACCESS_RIGHTS}
_ALL = {"all": "organization"}
_OWN = {"all": "user"}
_BASE = (
    RoleGrant(ADMINISTRATOR, {"*": _ALL}, MISCELLANEOUS),
    RoleGrant(CUSTOMIZER, {"*": _OWN}, CUSTOMIZING),
    RoleGrant(BASIC_USER, dict.fromkeys(("account", "contact", "email", "annotation"), _OWN)),
    RoleGrant(DELEGATE, {}, ("prvActOnBehalfOfAnotherUser",)),
)


def role_id(name: str) -> str:
    """The id of a role that an environment is made with."""
    return naming.stable_id("role", name)


def add_base_roles(store: Store, now: str) -> None:
    """Write the privileges of all tables and the roles that every environment has; the caller is an administrator."""
    store.insert_many(store.catalog.tables["privilege"], _privilege_rows(store, _all_privileges(store), now))
    for name, template in _TEMPLATES.items():
        _insert(store, "roletemplate", {"roletemplateid": template, "name": name}, now)
    add_roles(store, _BASE, now)
    give_roles(store, store.caller_id, (ADMINISTRATOR,))


def _all_privileges(store: Store) -> list[Privilege]:
    return [*map(Privilege, MISCELLANEOUS), *privileges_of(store.catalog.tables.values())]


def _privilege_rows(store: Store, privileges: Iterable[Privilege], now: str) -> list[dict[str, Value]]:
    return [
        {
            "privilegeid": privilege.id,
            "name": privilege.name,
            "accessright": privilege.access_right,
            **dict.fromkeys(("canbebasic", "canbelocal", "canbedeep"), int(privilege.owned)),
            "canbeglobal": 1,
            "createdon": now,
            "modifiedon": now,
            "versionnumber": store.next_version(),
        }
        for privilege in privileges
    ]


def sync_privileges(store: Store, now: str) -> None:
    """Write the privileges of tables that were made since; administrators have them, customizers on their own rows."""
    known = {row[0] for row in store.query('SELECT "privilegeid" FROM "t.privilege"')}
    missing = [privilege for privilege in _all_privileges(store) if privilege.id not in known]
    if not missing:
        return
    with store.transaction():
        store.insert_many(store.catalog.tables["privilege"], _privilege_rows(store, missing, now))
        for role, least in ((ADMINISTRATOR, Depth.ORGANIZATION), (CUSTOMIZER, Depth.USER)):
            reach = {one.name: least if one.owned else Depth.ORGANIZATION for one in missing}
            set_privileges(store, role_id(role), reach)


def add_roles(store: Store, grants: Iterable[RoleGrant], now: str) -> None:
    """Write roles into an environment whose tables are there.

    Args:
        store: The store.
        grants: The roles; one that is there gets the privileges beside those that it has.
        now: The time of the rows.

    Raises:
        EmulatorStartError: A role names an unknown table, verb, depth or privilege.
    """
    for grant in grants:
        one = role_id(grant.name)
        if not store.exists(store.catalog.tables["role"], one):
            row: dict[str, Value] = {"roleid": one, "name": grant.name, "businessunitid": store.business_unit_id}
            row |= {"roletemplateid": _TEMPLATES.get(grant.name), "parentrootroleid": one}
            _insert(store, "role", row, now)
        set_privileges(store, one, _reach(store, grant))


def _insert(store: Store, name: str, row: dict[str, Value], now: str) -> None:
    table = store.catalog.tables[name]
    row = {"createdon": now, "modifiedon": now, "versionnumber": store.next_version(), **row}
    store.insert(table, {column: value for column, value in row.items() if column in table.columns})


def _reach(store: Store, grant: RoleGrant) -> dict[str, Depth]:
    """The privileges of a role with their depths."""
    tables = store.catalog.tables
    reach: dict[str, Depth] = {}
    if grant.opener:
        for name in _OPENER:
            reach |= _of_table(tables[name], {"read": "organization"}, grant.name)
        reach[privilege_name("AppendTo", tables["transactioncurrency"])] = Depth.ORGANIZATION
    everywhere = grant.tables.get("*")
    if everywhere is not None:
        for table in tables.values():
            reach |= _of_table(table, everywhere, grant.name)
    for name, verbs in grant.tables.items():
        if name in tables:
            reach |= _of_table(tables[name], verbs, grant.name)
        elif name != "*" and grant not in _BASE:
            raise EmulatorStartError(f"the role {grant.name} names the unknown table {name!r}")
    known = {name.lower(): name for name in MISCELLANEOUS}
    for name in grant.privileges:
        if name.lower() not in known:
            raise EmulatorStartError(f"the role {grant.name} names the unknown privilege {name!r}")
        reach[known[name.lower()]] = Depth.ORGANIZATION
    return reach


def _of_table(table: Table, verbs: Mapping[str, str], role: str) -> dict[str, Depth]:
    reach: dict[str, Depth] = {}
    for given, depth in verbs.items():
        if depth not in DEPTHS or given not in (*_VERBS, "all"):
            raise EmulatorStartError(f"the role {role}: {table.name}: {given}: {depth} is not a verb with a depth")
        for verb in verbs_of(table):
            if given in ("all", verb.lower()) or _VERBS.get(given) == verb:
                # Rows that nobody owns can be reached all or not at all.
                owned = table.ownership == "user"
                reach[privilege_name(verb, table)] = DEPTHS[depth] if owned else Depth.ORGANIZATION
    return reach


def set_privileges(store: Store, role: str, reach: Mapping[str, Depth]) -> None:
    """Give a role privileges with their depths, in place of those that it has of the same names."""
    table = store.catalog.tables["roleprivileges"]
    if table.name not in store.catalog.intersects:
        return
    rows: list[dict[str, Value]] = []
    for name, depth in reach.items():
        privilege = privilege_id(name)
        store.query('DELETE FROM "t.roleprivileges" WHERE "roleid" = ? AND "privilegeid" = ?', (role, privilege))
        row: dict[str, Value] = {"roleid": role, "privilegeid": privilege, DEPTH: int(depth)}
        rows.append(row | {table.primary_id: naming.stable_id("roleprivilege", role, privilege)})
        rows[-1]["versionnumber"] = store.next_version()
    store.insert_many(table, rows)


def give_roles(store: Store, user: str, names: Iterable[str]) -> None:
    """Give a user roles of the environment; where a package brings its own table of these pairs, it alone counts.

    Raises:
        EmulatorStartError: There is no such role.
    """
    table = store.catalog.tables["systemuserroles"]
    if table.name not in store.catalog.intersects:
        return
    for name in names:
        role = role_id(name)
        if not store.exists(store.catalog.tables["role"], role):
            raise EmulatorStartError(f"there is no role {name!r}")
        pair: dict[str, Value] = {"systemuserid": user, "roleid": role}
        if not store.find(table, pair):
            made = naming.stable_id("systemuserroles", user, role)
            store.insert(table, pair | {table.primary_id: made, "versionnumber": store.next_version()})
