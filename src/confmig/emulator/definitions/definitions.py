"""Environment definitions in YAML: what they may say.

A definition is a file, and the files that it includes come before it. ``include`` takes names with ``.yml``, which are
files in the same folder, and names without, which are definitions that come with the emulator. So a production that is
one version behind, and lacks a table and a column, is::

    include: [journeys-production]
    solutions: [{uniquename: DynamicsMKT_EmailChannel, version: 1.2.431.8}]
    remove: {tables: [msdynmkt_fragment], columns: {msdynmkt_email: [msdynmkt_previewtext]}}

What is described again, such as a table or a user, is taken from the last file that does; rows and associations add up.
The structures below say what each key may hold; ``definitionschema`` makes a JSON Schema of them and their docstrings.
"""

from typing import Literal

import msgspec

from confmig.emulator.behaviours.assumptions import BehavioursDef
from confmig.emulator.catalog.model import Publisher, Solution
from confmig.emulator.definitions.tabledefinitions import (
    ChoiceDef,
    ExtensionDef,
    ManyToManyDef,
    RelationshipDef,
    TableDef,
)

Json = dict[str, object]


class OrganizationDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The organization.

    Attributes:
        name: Its name.
        version: The version of the service.
        id: Its id; a new one for each new store when it is left out.
    """

    name: str = "confmig emulator"
    version: str = "9.2.25061.00151"
    id: str | None = None


Verb = Literal["all", "create", "read", "write", "delete", "append", "append-to", "assign", "share"]
Reach = Literal["user", "business-unit", "parent-child", "organization"]


class RoleDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A security role; one that every environment has, such as Basic User, gets these privileges, too.

    Attributes:
        tables: By table (``*``: all tables) how far each verb reaches; what names a table overrides ``*``.
        privileges: Privileges that are not about one table, such as ``prvActOnBehalfOfAnotherUser``.
        opener: Whether it has the minimum privileges that a new role comes with.
    """

    tables: dict[str, dict[Verb, Reach]] = {}
    privileges: tuple[str, ...] = ()
    opener: bool = True


class UserDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user; what is said of one that ``rows`` have, too, completes that row.

    Attributes:
        id: The id of the row; one made of the name when it is left out.
        first_name: The first name; the name of the user without its last word when it is left out.
        last_name: The last name; the last word of the name when it is left out.
        domain_name: The user name.
        email: The e-mail address.
        application_id: For an application user, the client id of the application.
        object_id: The object id in the directory.
        business_unit: The name or id of the business unit; the root when it is left out.
        disabled: Whether the user may not sign in.
        roles: The names of the roles.
    """

    id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    domain_name: str | None = None
    email: str | None = None
    application_id: str | None = None
    object_id: str | None = None
    business_unit: str | None = None
    disabled: bool | None = None
    roles: tuple[str, ...] = ()


class TeamDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A team; what is said of one that ``rows`` have, too, completes that row.

    Attributes:
        id: The id of the row; one made of the name when it is left out.
        business_unit: The name or id of the business unit; the root when it is left out.
        administrator: The name or id of a user.
        roles: The names of the roles.
        members: The names or ids of users.
    """

    id: str | None = None
    description: str | None = None
    business_unit: str | None = None
    administrator: str | None = None
    roles: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


class SolutionDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A solution; one that an included file has keeps what is not said again.

    Attributes:
        uniquename: Its name; ``Default``, ``Active`` and ``System`` are in every environment without being listed.
        friendlyname: Its display name.
        version: Its version.
        ismanaged: Whether it is managed, as it is by default.
        isvisible: Whether people see it, as they do by default.
        publisher: Its publisher; the default one by default.
        tables: Its components: logical names of tables, which ``solutioncomponents`` then lists.
    """

    uniquename: str
    friendlyname: str | None = None
    version: str | None = None
    ismanaged: bool | None = None
    isvisible: bool | None = None
    publisher: Publisher | None = None
    tables: tuple[str, ...] | None = None


class RemoveDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file removes of what it includes, together with all that cannot be without it.

    With a table go its rows, its relationships, the lookups to no other table, and the other lookups' values that
    point to it; with a column its values and its keys; with a relationship its associations.

    Attributes:
        solutions: Unique names.
        tables: Logical names.
        columns: Logical names by table.
        relationships: Schema names of N:N relationships.
    """

    solutions: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    columns: dict[str, tuple[str, ...]] = {}
    relationships: tuple[str, ...] = ()


class DefinitionFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a definition.

    Attributes:
        name: A name for people.
        organization: The organization.
        languages: The LCIDs of the languages, the base language first; only English (1033) by default.
        include: Definitions that come before this one: files in the same folder, or names of built-in ones.
        remove: What of them is left out.
        solutions: The installed solutions.
        choices: The global choices by name.
        tables: The tables by logical name; those that the platform needs, such as systemuser, are there anyway.
        extend: What is added to tables of the included definitions, by logical name.
        many_to_many: The N:N relationships.
        relationships: What N:1 relationships differ in from those that lookups make by themselves.
        roles: The security roles by name, beside those that every environment has.
        users: The users by full name.
        teams: The teams by name.
        rows: The rows by table: each a mapping of columns to values, with the id.
        associations: The pairs of each N:N relationship, by its schema name or intersect table.
        behaviours: Business logic: what is assumed of Microsoft's, and plug-ins that refuse.
    """

    name: str = ""
    organization: OrganizationDef | None = None
    languages: tuple[int, ...] = ()
    include: tuple[str, ...] = ()
    remove: RemoveDef = RemoveDef()
    solutions: tuple[SolutionDef, ...] = ()
    choices: dict[str, ChoiceDef] = {}
    tables: dict[str, TableDef] = {}
    extend: dict[str, ExtensionDef] = {}
    many_to_many: tuple[ManyToManyDef, ...] = ()
    relationships: tuple[RelationshipDef, ...] = ()
    roles: dict[str, RoleDef] = {}
    users: dict[str, UserDef] = {}
    teams: dict[str, TeamDef] = {}
    rows: dict[str, tuple[Json, ...]] = {}
    associations: dict[str, tuple[tuple[str, str], ...]] = {}
    behaviours: BehavioursDef = BehavioursDef()


class Definition(msgspec.Struct, frozen=True):
    """A definition with everything that it includes; ``sources`` are the names and texts of the files."""

    file: str
    sources: tuple[tuple[str, str], ...] = ()
    organization: OrganizationDef = OrganizationDef()
    languages: tuple[int, ...] = (1033,)
    solutions: dict[str, Solution] = {}
    choices: dict[str, ChoiceDef] = {}
    tables: dict[str, TableDef] = {}
    many_to_many: dict[str, ManyToManyDef] = {}
    relationships: dict[tuple[str, str, str], RelationshipDef] = {}
    roles: dict[str, RoleDef] = {}
    users: dict[str, UserDef] = {}
    teams: dict[str, TeamDef] = {}
    rows: dict[str, tuple[Json, ...]] = {}
    associations: dict[str, tuple[tuple[str, str], ...]] = {}
    behaviours: BehavioursDef = BehavioursDef()
