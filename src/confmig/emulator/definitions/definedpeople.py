"""The users, teams and roles of an environment definition, as rows and associations."""

import msgspec

from confmig.emulator.catalog import naming
from confmig.emulator.definitions.definitioncheck import place_of
from confmig.emulator.definitions.definitions import Definition, Json, TeamDef, UserDef
from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.security.roles import (
    ADMINISTRATOR,
    BASIC_USER,
    CUSTOMIZER,
    DELEGATE,
    RoleGrant,
    add_roles,
    role_id,
)
from confmig.emulator.storage.store import Store

_INTERACTIVE, _APPLICATION = 0, 4
"""Values of accessmode: https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/systemuser"""


def define_roles(store: Store, definition: Definition, now: str) -> None:
    """Write the roles of a definition.

    Raises:
        EmulatorStartError: One names an unknown table or privilege; the message names file and line.
    """
    for name, role in definition.roles.items():
        tables = {one: {str(verb): str(reach) for verb, reach in verbs.items()} for one, verbs in role.tables.items()}
        try:
            add_roles(store, [RoleGrant(name, tables, role.privileges, role.opener)], now)
        except EmulatorStartError as error:
            raise EmulatorStartError(f"{place_of(definition, 'roles', name)}: {error}") from error


def with_people(definition: Definition, root_unit: str) -> Definition:
    """A definition whose users and teams are among its rows, and their roles and members among its associations.

    Args:
        definition: The definition.
        root_unit: The id of the root business unit.

    Raises:
        EmulatorStartError: A business unit, a user or a role is not there; the message names file and line.
    """
    people = _People(definition, root_unit)
    for name, user in definition.users.items():
        people.add_user(name, user)
    for name, team in definition.teams.items():
        people.add_team(name, team)
    return people.definition()


class _People:
    """The rows and associations of a definition while users and teams are added to them."""

    def __init__(self, definition: Definition, root_unit: str) -> None:
        self._definition = definition
        self._root_unit = root_unit
        self._rows: dict[str, dict[str, Json]] = {
            table: {str(row.get(f"{table}id")).lower(): row for row in definition.rows.get(table, ())}
            for table in ("businessunit", "systemuser", "team")
        }
        self._pairs: dict[str, list[tuple[str, str]]] = {}

    def definition(self) -> Definition:
        """The definition with all of them."""
        kept = dict(self._definition.associations)
        for name, pairs in self._pairs.items():
            kept[name] = tuple(dict.fromkeys((*kept.get(name, ()), *pairs)))
        rows = {table: tuple(self._rows[table].values()) for table in ("systemuser", "team") if self._rows[table]}
        everything = {**self._definition.rows, **rows}
        return msgspec.structs.replace(self._definition, rows=everything, associations=kept)

    def add_user(self, name: str, user: UserDef) -> None:
        """Add a user, or complete the row that there is of it."""
        where = ("users", name)
        first, _, last = name.rpartition(" ")
        row_id = self._known("systemuser", "fullname", user.id or name)
        given: Json = {
            "firstname": user.first_name,
            "lastname": user.last_name,
            "domainname": user.domain_name,
            "internalemailaddress": user.email,
            "applicationid": user.application_id,
            "azureactivedirectoryobjectid": user.object_id,
            "isdisabled": user.disabled,
            "businessunitid": self._unit(user.business_unit, where) if user.business_unit else None,
        }
        usual: Json = {
            "fullname": name,
            "firstname": first or None,
            "lastname": last,
            "isdisabled": False,
            "accessmode": _APPLICATION if user.application_id else _INTERACTIVE,
            "businessunitid": self._root_unit,
        }
        made = user.id or naming.stable_id("systemuser", name)
        self._give_roles(
            "systemuserroles_association", self._put("systemuser", row_id or made, given, usual), user, where
        )

    def add_team(self, name: str, team: TeamDef) -> None:
        """Add a team, or complete the row that there is of it."""
        where = ("teams", name)
        row_id = self._known("team", "name", team.id or name)
        given: Json = {
            "description": team.description,
            "administratorid": self._user(team.administrator, where) if team.administrator else None,
            "businessunitid": self._unit(team.business_unit, where) if team.business_unit else None,
        }
        usual: Json = {"name": name, "teamtype": 0, "isdefault": False, "businessunitid": self._root_unit}
        made = self._put("team", row_id or team.id or naming.stable_id("team", name), given, usual)
        self._give_roles("teamroles_association", made, team, where)
        members = self._pairs.setdefault("teammembership_association", [])
        members += [(made, self._user(member, where)) for member in team.members]

    def _put(self, table: str, row_id: str, given: Json, usual: Json) -> str:
        before = self._rows[table].get(row_id.lower(), {})
        said = {column: value for column, value in given.items() if value is not None}
        values = {f"{table}id": row_id, **usual, **before, **said}
        self._rows[table][row_id.lower()] = {column: value for column, value in values.items() if value is not None}
        return row_id

    def _give_roles(self, relationship: str, row_id: str, given: UserDef | TeamDef, where: tuple[str, str]) -> None:
        known = {ADMINISTRATOR, BASIC_USER, CUSTOMIZER, DELEGATE, *self._definition.roles}
        for role in given.roles:
            if role not in known:
                raise self._error(
                    f"{where[1]} has the unknown role {role!r}; there are {', '.join(sorted(known))}", where
                )
        self._pairs.setdefault(relationship, []).extend((row_id, role_id(role)) for role in given.roles)

    def _known(self, table: str, column: str, text: str) -> str | None:
        """The id of the row with this id or name."""
        if text.lower() in self._rows[table]:
            return text.lower()
        return next((row_id for row_id, row in self._rows[table].items() if row.get(column) == text), None)

    def _unit(self, text: str, where: tuple[str, str]) -> str:
        found = self._known("businessunit", "name", text)
        if found is None and text.lower() != self._root_unit:
            raise self._error(f"{where[1]} is of the unknown business unit {text!r}", where)
        return found or self._root_unit

    def _user(self, text: str, where: tuple[str, str]) -> str:
        found = self._known("systemuser", "fullname", text)
        if found is None:
            raise self._error(f"{where[1]} names the unknown user {text!r}", where)
        return found

    def _error(self, words: str, where: tuple[str, str]) -> EmulatorStartError:
        return EmulatorStartError(f"{place_of(self._definition, *where)}: {words}")
