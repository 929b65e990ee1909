"""Environment definitions in YAML: what they may say.

A definition is a file, and the files that it includes come before it. ``include`` takes names with ``.yml``, which are
files in the same folder, and names without, which are definitions that come with the emulator. So a production that is
one version behind, and lacks a table and a column, is::

    include: [journeys-production]
    solutions: [{uniquename: DynamicsMKT_EmailChannel, version: 1.2.431.8}]
    remove: {tables: [msdynmkt_fragment], columns: {msdynmkt_email: [msdynmkt_previewtext]}}

``organization``, ``tables``, ``many_to_many``, ``rows`` and ``associations`` describe what is served; a table, or a
relationship, described again is taken from the last file that does. The structures below say what each key may hold.
"""

import msgspec

from confmig.emulator.model import Solution

Json = dict[str, object]


class OrganizationDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The organization."""

    name: str = "confmig emulator"
    version: str = "9.2.25061.00151"
    id: str | None = None


class StatusDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A status with the state that it belongs to."""

    label: str
    state: int


class ColumnDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column; ``required``: the service refuses null; ``writable: false``: it ignores what is written."""

    type: str
    display_name: str = ""
    max_length: int | None = None
    precision: int | None = None
    behavior: str = "UserLocal"
    format: str | None = None
    targets: tuple[str, ...] = ()
    options: dict[int, str] | None = None
    required: bool = False
    writable: bool = True
    parent: bool = False


class TableDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table."""

    columns: dict[str, ColumnDef]
    display_name: str = ""
    entity_set: str | None = None
    object_type_code: int = 0
    primary_id: str | None = None
    primary_name: str | None = None
    ownership: str = "organization"
    bulk: bool = True
    activity: bool = False
    states: dict[int, str] = {}
    statuses: dict[int, StatusDef] = {}
    keys: dict[str, tuple[str, ...]] = {}


class ManyToManyDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An N:N relationship."""

    schema_name: str
    intersect: str
    table1: str
    table2: str
    nav1: str | None = None
    nav2: str | None = None


class SolutionDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A solution; one that an included file has keeps what is not said again.

    Attributes:
        uniquename: Its name; ``Default``, ``Active`` and ``System`` are in every environment without being listed.
        friendlyname: Its display name.
        version: Its version.
        ismanaged: Whether it is managed, as it is by default.
        isvisible: Whether people see it, as they do by default.
        tables: Its components: logical names of tables, which ``solutioncomponents`` then lists.
    """

    uniquename: str
    friendlyname: str | None = None
    version: str | None = None
    ismanaged: bool | None = None
    isvisible: bool | None = None
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
    """One file of a definition."""

    name: str = ""
    organization: OrganizationDef | None = None
    include: tuple[str, ...] = ()
    remove: RemoveDef = RemoveDef()
    solutions: tuple[SolutionDef, ...] = ()
    tables: dict[str, TableDef] = {}
    many_to_many: tuple[ManyToManyDef, ...] = ()
    rows: dict[str, tuple[Json, ...]] = {}
    associations: dict[str, tuple[tuple[str, str], ...]] = {}


class Definition(msgspec.Struct, frozen=True):
    """A definition with everything that it includes."""

    file: str
    organization: OrganizationDef = OrganizationDef()
    solutions: dict[str, Solution] = {}
    tables: dict[str, TableDef] = {}
    many_to_many: dict[str, ManyToManyDef] = {}
    rows: dict[str, tuple[Json, ...]] = {}
    associations: dict[str, tuple[tuple[str, str], ...]] = {}
