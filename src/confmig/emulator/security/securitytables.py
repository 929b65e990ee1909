"""The tables of security: roles, privileges, who has which, and with whom rows are shared.

https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/role
"""

from collections.abc import Iterable

import msgspec

from confmig.emulator.catalog.basetables import make
from confmig.emulator.catalog.catalog import intersect_table, many_to_many
from confmig.emulator.catalog.model import Column, ManyToMany, Option, Table

DEPTH = "privilegedepthmask"
_RIGHTS_OF_COLUMNS = (Option(0, "Not Allowed"), Option(4, "Allowed"))


def _number(name: str) -> Column:
    return Column(name=name, type="Integer")


def _text(name: str) -> Column:
    return Column(name=name, type="String", max_length=160)


def _flag(name: str) -> Column:
    return Column(name=name, type="Boolean", options=(Option(0, "No"), Option(1, "Yes")))


def _lookup(name: str, *targets: str) -> Column:
    return Column(name=name, type="Lookup", targets=targets)


def _choice(name: str) -> Column:
    return Column(name=name, type="Picklist", options=_RIGHTS_OF_COLUMNS, any_option=False)


def security_tables() -> list[Table]:
    """The tables beside ``systemuser``, ``team`` and ``businessunit``."""
    flags = ("canbebasic", "canbelocal", "canbedeep", "canbeglobal")
    return [
        make(
            "role",
            [
                _text("name"),
                _lookup("businessunitid", "businessunit"),
                _lookup("roletemplateid", "roletemplate"),
                _lookup("parentroleid", "role"),
                _lookup("parentrootroleid", "role"),
            ],
        ),
        make("roletemplate", [_text("name")], ownership="none"),
        make("privilege", [_text("name"), _number("accessright"), *map(_flag, flags)], ownership="none"),
        make("fieldsecurityprofile", [_text("name"), _text("description")]),
        make(
            "fieldpermission",
            [
                Column(name="entityname", type="EntityName"),
                _text("attributelogicalname"),
                *map(_choice, ("canread", "cancreate", "canupdate")),
                _lookup("fieldsecurityprofileid", "fieldsecurityprofile"),
            ],
            primary_name=None,
        ),
        make(
            "principalobjectaccess",
            [
                Column(name="objectid", type="Uniqueidentifier"),
                Column(name="objecttypecode", type="EntityName"),
                Column(name="principalid", type="Uniqueidentifier"),
                Column(name="principaltypecode", type="EntityName"),
                _number("accessrightsmask"),
            ],
            ownership="none",
            primary_name=None,
        ),
    ]


def _security_relationships() -> list[ManyToMany]:
    def pair(intersect: str, name: str, one: str, two: str) -> ManyToMany:
        return many_to_many(intersect, one, f"{one}id", two, f"{two}id", names=(name, name, name))

    return [
        pair("systemuserroles", "systemuserroles_association", "systemuser", "role"),
        pair("teamroles", "teamroles_association", "team", "role"),
        pair("teammembership", "teammembership_association", "team", "systemuser"),
        pair("roleprivileges", "roleprivileges_association", "role", "privilege"),
        pair("systemuserprofiles", "systemuserprofiles_association", "systemuser", "fieldsecurityprofile"),
        pair("teamprofiles", "teamprofiles_association", "team", "fieldsecurityprofile"),
    ]


def complete_security(tables: dict[str, Table], relationships: Iterable[ManyToMany]) -> list[ManyToMany]:
    """Add the N:N relationships of security that an environment does not describe itself.

    Args:
        tables: All tables; the intersect tables that are missing are added.
        relationships: The N:N relationships of the environment.

    Returns:
        All N:N relationships.
    """
    known = {many.intersect: many for many in relationships}
    for many in _security_relationships():
        # A package that holds the rows of the intersect table itself is served as it is.
        if many.intersect not in known and many.intersect not in tables:
            known[many.intersect] = many
            tables[many.intersect] = intersect_table(many, entity_set=_SETS.get(many.intersect))
    if "roleprivileges" in known:
        given = tables["roleprivileges"]
        depth = Column(name=DEPTH, type="Integer", can_create=False, can_update=False)
        tables["roleprivileges"] = msgspec.structs.replace(given, columns={**given.columns, DEPTH: depth})
    return list(known.values())


_SETS = {
    "systemuserroles": "systemuserrolescollection",
    "teamroles": "teamrolescollection",
    "teammembership": "teammemberships",
    "roleprivileges": "roleprivilegescollection",
    "systemuserprofiles": "systemuserprofilescollection",
    "teamprofiles": "teamprofilescollection",
}
