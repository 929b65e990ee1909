"""What a user may do, read from the roles of the user and of the user's teams.

https://learn.microsoft.com/power-platform/admin/how-record-access-determined
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from confmig.emulator.security.privileges import Depth
from confmig.emulator.security.roles import ADMINISTRATOR, ADMINISTRATOR_TEMPLATE, role_id
from confmig.emulator.security.securitytables import DEPTH
from confmig.emulator.storage.store import Store, Value

Units = Mapping[str, Depth]


@dataclass(frozen=True)
class Grants:
    """The privileges of one user.

    Attributes:
        user_id: The user.
        unit_id: The business unit of the user.
        teams: The teams that the user is a member of.
        roles: The roles of the user and of those teams.
        administrator: Whether one of them is System Administrator, who may do anything.
        access_mode: Kind of the user, as ``accessmode`` has it.
        privileges: By privilege, in lower case, the depth within each business unit for which a role gives it.
        profiles: The field security profiles of the user and of those teams.
    """

    user_id: str
    unit_id: str
    teams: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    administrator: bool = False
    access_mode: int = 0
    privileges: Mapping[str, Units] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()

    def depth(self, privilege: str) -> Depth | None:
        """The greatest depth of a privilege; None when it is missing."""
        if self.administrator:
            return Depth.ORGANIZATION
        units = self.privileges.get(privilege.lower())
        return max(units.values()) if units else None

    def limited_by(self, other: "Grants") -> "Grants":
        """The privileges that both have, as deep as both have them: what this user may do when another one asks.

        https://learn.microsoft.com/power-apps/developer/data-platform/webapi/impersonate-another-user-web-api
        """
        if other.administrator:
            return self
        privileges: dict[str, Units] = {}
        for name, units in self.privileges.items():
            most = other.depth(name)
            if most is not None:
                privileges[name] = {unit: min(depth, most) for unit, depth in units.items()}
        profiles = other.profiles if self.administrator else tuple(set(self.profiles) & set(other.profiles))
        return replace(self, administrator=False, privileges=privileges, profiles=profiles)


def read_grants(store: Store, user_id: str, row: Mapping[str, Value]) -> Grants:
    """The privileges of a user.

    Args:
        store: The store.
        user_id: The user.
        row: The user's row.
    """
    unit = str(row.get("businessunitid") or store.business_unit_id)
    teams = _others(store, "teammembership", "systemuserid", user_id, "teamid")
    given = [(role, unit) for role in _others(store, "systemuserroles", "systemuserid", user_id, "roleid")]
    profiles = [*_others(store, "systemuserprofiles", "systemuserid", user_id, "fieldsecurityprofileid")]
    for team in teams:
        team_row = store.read(store.catalog.tables["team"], team, ["businessunitid"]) or {}
        team_unit = str(team_row.get("businessunitid") or store.business_unit_id)
        given += [(role, team_unit) for role in _others(store, "teamroles", "teamid", team, "roleid")]
        profiles += _others(store, "teamprofiles", "teamid", team, "fieldsecurityprofileid")
    privileges: dict[str, dict[str, Depth]] = {}
    for role, role_unit in given:
        for name, depth in role_privileges(store, role):
            units = privileges.setdefault(name.lower(), {})
            units[role_unit] = max(depth, units.get(role_unit, depth))
    mode = row.get("accessmode")
    return Grants(
        user_id=user_id,
        unit_id=unit,
        teams=tuple(teams),
        roles=tuple(dict.fromkeys(role for role, _ in given)),
        administrator=any(_is_administrator(store, role) for role, _ in given),
        access_mode=mode if isinstance(mode, int) else 0,
        privileges=privileges,
        profiles=tuple(profiles),
    )


def role_privileges(store: Store, role: str) -> list[tuple[str, Depth]]:
    """The names of the privileges of a role, with their depths."""
    if "roleprivileges" not in store.catalog.intersects:
        return []
    statement = (
        f'SELECT p."name", ifnull(r."{DEPTH}", 1) FROM main."t.roleprivileges" r '  # noqa: S608 (constants)
        'JOIN main."t.privilege" p ON p."privilegeid" = r."privilegeid" WHERE r."roleid" = ?'
    )
    return [(str(name), Depth(depth)) for name, depth in store.query(statement, (role,)) if depth in _DEPTHS]


_DEPTHS = frozenset(Depth)


def _is_administrator(store: Store, role: str) -> bool:
    if role == role_id(ADMINISTRATOR):
        return True
    row = store.read(store.catalog.tables["role"], role, ["roletemplateid"]) or {}
    return row.get("roletemplateid") == ADMINISTRATOR_TEMPLATE


def _others(store: Store, intersect: str, near: str, row_id: str, far: str) -> list[str]:
    """The other ends of the pairs of a row."""
    table = store.catalog.tables.get(intersect)
    if table is None or not {near, far} <= table.columns.keys():
        return []
    statement = f'SELECT "{far}" FROM main."t.{intersect}" WHERE "{near}" = ?'  # noqa: S608 (constants)
    return [str(row[0]) for row in store.query(statement, (row_id,))]


def units_below(store: Store, unit: str) -> list[str]:
    """A business unit and all below it."""
    statement = 'SELECT "businessunitid", "parentbusinessunitid" FROM main."t.businessunit"'
    below: dict[str, list[str]] = {}
    for child, parent in store.query(statement):
        below.setdefault(str(parent), []).append(str(child))
    found: dict[str, None] = {}
    waiting = [unit]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found[one] = None
            waiting += below.get(one, [])
    return list(found)
