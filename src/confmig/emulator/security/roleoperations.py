"""Functions and actions about privileges, roles and teams.

https://learn.microsoft.com/power-apps/developer/data-platform/security-access-coding
"""

from collections.abc import Iterable, Mapping

from confmig.emulator.catalog.model import Table
from confmig.emulator.errors import ServiceError, invalid_argument
from confmig.emulator.security.grants import Grants, read_grants, role_privileges
from confmig.emulator.security.privileges import Depth, privilege_id
from confmig.emulator.security.roles import set_privileges
from confmig.emulator.storage.store import Store, main_sql
from confmig.emulator.wire.operations import Call, Operations, unresolved
from confmig.emulator.wire.wire import Reply

_NO_FILTER = "00000000-0000-0000-0000-000000000000"
# The documents write members of the enumeration as their numbers, too.
_DEPTHS = {depth.wire: depth for depth in Depth} | {str(number): depth for number, depth in enumerate(Depth)}


def add_role_operations(operations: Operations) -> None:
    """Make the functions and actions of this module callable."""
    operations.functions(
        {
            "RetrieveUserPrivileges": user_privileges,
            "RetrieveUserSetOfPrivilegesByIds": user_privileges_by_ids,
            "RetrieveUserSetOfPrivilegesByNames": user_privileges_by_names,
            "RetrieveUserPrivilegeByPrivilegeId": user_privilege_by_id,
            "RetrieveUserPrivilegeByPrivilegeName": user_privilege_by_name,
        },
        ("systemuser",),
    )
    operations.functions({"RetrieveTeamPrivileges": team_privileges}, ("team",))
    operations.functions({"RetrieveRolePrivilegesRole": privileges_of_role}, ("", "role"))
    operations.actions(
        {
            "AddPrivilegesRole": add_privileges,
            "ReplacePrivilegesRole": replace_privileges,
            "RemovePrivilegeRole": remove_privilege,
        },
        ("role",),
    )
    operations.actions({"AddMembersTeam": add_members, "RemoveMembersTeam": remove_members}, ("team",))


def user_privileges(call: Call) -> Reply:
    """All privileges of a user, those of the user's teams included."""
    return _answer(call, _grants(call))


def user_privileges_by_ids(call: Call) -> Reply:
    """Those of some privileges that a user has."""
    return _answer(call, _grants(call), frozenset(one.lower() for one in _texts(call, "PrivilegeIds")))


def user_privileges_by_names(call: Call) -> Reply:
    """Those of some privileges, by their names, that a user has."""
    return _answer(call, _grants(call), frozenset(map(privilege_id, _texts(call, "PrivilegeNames"))))


def user_privilege_by_id(call: Call) -> Reply:
    """One privilege, if a user has it."""
    return _answer(call, _grants(call), frozenset((_text(call, "PrivilegeId").lower(),)))


def user_privilege_by_name(call: Call) -> Reply:
    """One privilege, by its name, if a user has it."""
    return _answer(call, _grants(call), frozenset((privilege_id(_text(call, "PrivilegeName")),)))


def _grants(call: Call) -> Grants:
    store = call.writer.context.store
    row = store.read(store.catalog.tables["systemuser"], call.row_id, ["businessunitid", "accessmode"]) or {}
    return read_grants(store, call.row_id, row)


def _answer(call: Call, grants: Grants, wanted: frozenset[str] | None = None) -> Reply:
    names = _names(call.writer.context.store)
    found = [
        _role_privilege(names.get(privilege_id(name), name), depth, unit)
        for name, units in grants.privileges.items()
        if wanted is None or privilege_id(name) in wanted
        for unit, depth in units.items()
    ]
    return call.answer({"RolePrivileges": found})


def _names(store: Store) -> dict[str, str]:
    """The names of all privileges, as they are written."""
    return dict(store.query(f'SELECT "privilegeid", "name" FROM {main_sql("privilege")}').fetchall())  # noqa: S608 (constants)


def _role_privilege(name: str, depth: Depth, unit: str) -> dict[str, object]:
    """https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/roleprivilege."""
    return {
        "Depth": depth.wire,
        "PrivilegeId": privilege_id(name),
        "BusinessUnitId": unit,
        "PrivilegeName": name,
        "RecordFilterId": _NO_FILTER,
        "RecordFilterUniqueName": "",
    }


def team_privileges(call: Call) -> Reply:
    """The privileges of a team."""
    store = call.writer.context.store
    row = store.read(store.catalog.tables["team"], call.row_id, ["businessunitid"]) or {}
    unit = str(row.get("businessunitid") or store.business_unit_id)
    statement = f'SELECT "roleid" FROM {main_sql("teamroles")} WHERE "teamid" = ?'  # noqa: S608 (constants)
    most: dict[str, Depth] = {}
    for (role,) in store.query(statement, (call.row_id,)).fetchall():
        for name, depth in role_privileges(store, role):
            most[name] = max(depth, most.get(name, depth))
    return call.answer({"RolePrivileges": [_role_privilege(name, depth, unit) for name, depth in most.items()]})


def privileges_of_role(call: Call) -> Reply:
    """The privileges of a role."""
    store = call.writer.context.store
    role = call.row_id or _text(call, "RoleId").lower()
    row = store.read(store.catalog.tables["role"], role, ["businessunitid"]) or {}
    unit = str(row.get("businessunitid") or store.business_unit_id)
    return call.answer(
        {"RolePrivileges": [_role_privilege(name, depth, unit) for name, depth in role_privileges(store, role)]}
    )


def add_privileges(call: Call) -> Reply:
    """Give a role privileges beside those that it has.

    Raises:
        ServiceError: A privilege or a depth is unknown, or the caller may not change roles.
    """
    call.writer.context.require("Write", _table(call), call.row_id)
    store = call.writer.context.store
    with store.transaction():
        set_privileges(store, call.row_id, _reach(call))
    return Reply(204)


def replace_privileges(call: Call) -> Reply:
    """Give a role privileges in place of those that it has.

    Raises:
        ServiceError: A privilege or a depth is unknown, or the caller may not change roles.
    """
    call.writer.context.require("Write", _table(call), call.row_id)
    store = call.writer.context.store
    reach = _reach(call)
    with store.transaction():
        store.query(f'DELETE FROM {main_sql("roleprivileges")} WHERE "roleid" = ?', (call.row_id,))  # noqa: S608 (constants)
        set_privileges(store, call.row_id, reach)
    return Reply(204)


def remove_privilege(call: Call) -> Reply:
    """Take a privilege away from a role.

    Raises:
        ServiceError: The caller may not change roles.
    """
    call.writer.context.require("Write", _table(call), call.row_id)
    statement = f'DELETE FROM {main_sql("roleprivileges")} WHERE "roleid" = ? AND "privilegeid" = ?'  # noqa: S608 (constants)
    call.writer.context.store.query(statement, (call.row_id, _text(call, "PrivilegeId").lower()))
    return Reply(204)


def _reach(call: Call) -> dict[str, Depth]:
    names = _names(call.writer.context.store)
    reach: dict[str, Depth] = {}
    for one in _objects(call.parameters.get("Privileges"), "Privileges"):
        name = names.get(str(one.get("PrivilegeId", "")).lower())
        if name is None:
            raise ServiceError(
                404, "0x80040217", f"Entity 'Privilege' With Id = {one.get('PrivilegeId')} Does Not Exist"
            )
        depth = _DEPTHS.get(str(one.get("Depth")))
        if depth is None:
            raise invalid_argument(f"The depth '{one.get('Depth')}' is unknown.")
        reach[name] = depth
    return reach


def add_members(call: Call) -> Reply:
    """Make users members of a team.

    Raises:
        ServiceError: A member is no user, or the caller may not change teams.
    """
    writer = call.writer
    writer.context.require("Write", _table(call), call.row_id)
    members = [_member(call, one) for one in _objects(call.parameters.get("Members"), "Members")]
    pairs = writer.context.store.catalog.tables["teammembership"]
    with writer.context.store.transaction():
        for user in members:
            if not writer.context.store.find(pairs, {"teamid": call.row_id, "systemuserid": user}):
                writer.associate("teammembership", call.row_id, user)
    return Reply(204)


def remove_members(call: Call) -> Reply:
    """Take users out of a team.

    Raises:
        ServiceError: A member is no user, or the caller may not change teams.
    """
    writer = call.writer
    writer.context.require("Write", _table(call), call.row_id)
    members = [_member(call, one) for one in _objects(call.parameters.get("Members"), "Members")]
    with writer.context.store.transaction():
        for user in members:
            writer.disassociate("teammembership", call.row_id, user)
    return Reply(204)


def _member(call: Call, value: Mapping[str, object]) -> str:
    table, row_id = call.writer.context.entity_of(value)
    if table.name != "systemuser":
        raise invalid_argument("A member of a team is a user.")
    return row_id


def _table(call: Call) -> Table:
    if call.table is None:
        raise unresolved()
    return call.table


def _text(call: Call, name: str) -> str:
    value = call.parameters.get(name)
    if not isinstance(value, str):
        raise unresolved()
    return value


def _texts(call: Call, name: str) -> list[str]:
    value = call.parameters.get(name)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise invalid_argument(f"{name} is not a list of texts.")
    return [str(one) for one in value]


def _objects(value: object, name: str) -> Iterable[Mapping[str, object]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise invalid_argument(f"The parameter {name} is not a list of objects.")
    return value
