"""Environment definitions in YAML: what they may say.

A definition is a file, and the files that it includes come before it. ``include`` takes names with ``.yml``, which are
files in the same folder, and names without, which are definitions that come with the emulator. So a production that is
one version behind, and lacks a table and a column, is::

    include: [journeys-production]
    solutions: [{uniquename: DynamicsMKT_EmailChannel, version: 1.2.431.8}]
    remove: {tables: [msdynmkt_fragment], columns: {msdynmkt_email: [msdynmkt_previewtext]}}

``organization``, ``tables``, ``many_to_many``, ``relationships``, ``rows`` and ``associations`` describe what is
served; a table, or a relationship, described again is taken from the last file that does. The structures below say what
each key may hold.
"""

import msgspec

from confmig.emulator.model import Cascade, Solution

Json = dict[str, object]


class OrganizationDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The organization."""

    name: str = "confmig emulator"
    version: str = "9.2.25061.00151"
    id: str | None = None


class OptionDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A choice of which more than the label is said."""

    label: str
    description: str = ""
    color: str | None = None
    external_value: str = ""


class StatusDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A status with the state that it belongs to.

    Attributes:
        transitions: The statuses to which a row may go from this one, in a table with ``enforce_transitions``.
    """

    label: str
    state: int
    description: str = ""
    color: str | None = None
    transitions: tuple[int, ...] = ()


class ColumnDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column; ``required``: the service refuses null; ``writable: false``: it ignores what is written.

    Attributes:
        min: The least number that is accepted; the type's own limit when it is left out.
        max: The greatest one.
        precision_source: Whose precision a Money has: 0 its own, 1 the organization's, 2 that of the currency.
        level: None, Recommended or ApplicationRequired; none of them is enforced by the API.
        default: The choice, or the 0 or 1 of a Boolean, of a new row that brings none.
        auto_number: The AutoNumberFormat, such as ``WID-{SEQNUM:5}``.
        max_size_kb: The largest file, or image.
        primary_image: For an image, whether it is the table's primary one, which alone may be set on create.
        full_image: For an image, whether it is kept in full size beside its thumbnail.
        secured: Whether column security guards it.
        options: Choices by value: a label, or a label with a description and so on.
    """

    type: str
    display_name: str = ""
    max_length: int | None = None
    min: int | float | None = None
    max: int | float | None = None
    precision: int | None = None
    precision_source: int | None = None
    level: str = "None"
    default: int | None = None
    auto_number: str = ""
    max_size_kb: int | None = None
    primary_image: bool = False
    full_image: bool = False
    secured: bool = False
    behavior: str = "UserLocal"
    format: str | None = None
    targets: tuple[str, ...] = ()
    options: dict[int, str | OptionDef] | None = None
    required: bool = False
    writable: bool = True
    parent: bool = False


class TableDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table.

    Attributes:
        optimistic: Whether If-Match can name a version of a row.
        enforce_transitions: Whether a status may only be followed by those that its ``transitions`` list.
        duplicate_rules: Published rules of duplicate detection: columns that make two rows duplicates when the rows
            have the same values in all of them.
    """

    columns: dict[str, ColumnDef]
    display_name: str = ""
    entity_set: str | None = None
    object_type_code: int = 0
    primary_id: str | None = None
    primary_name: str | None = None
    ownership: str = "organization"
    bulk: bool = True
    activity: bool = False
    optimistic: bool = True
    enforce_transitions: bool = False
    duplicate_rules: tuple[tuple[str, ...], ...] = ()
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


class RelationshipDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What differs, for one lookup and one of its targets, from the relationship that a lookup makes by itself.

    Attributes:
        schema_name: Its name; ``<target>_<table>_<column>`` when it is left out.
        table: The table with the lookup.
        column: The lookup.
        target: The table to which it points.
        nav: The navigation property of the lookup.
        collection: The navigation property of the target.
        cascade: What happens to the rows when the row to which they point is deleted, assigned and so on.
        hierarchical: Whether it is the table's hierarchy.
    """

    table: str
    column: str
    target: str
    schema_name: str | None = None
    nav: str | None = None
    collection: str | None = None
    cascade: Cascade = Cascade()
    hierarchical: bool = False


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
    relationships: tuple[RelationshipDef, ...] = ()
    rows: dict[str, tuple[Json, ...]] = {}
    associations: dict[str, tuple[tuple[str, str], ...]] = {}


class Definition(msgspec.Struct, frozen=True):
    """A definition with everything that it includes."""

    file: str
    organization: OrganizationDef = OrganizationDef()
    solutions: dict[str, Solution] = {}
    tables: dict[str, TableDef] = {}
    many_to_many: dict[str, ManyToManyDef] = {}
    relationships: dict[tuple[str, str, str], RelationshipDef] = {}
    rows: dict[str, tuple[Json, ...]] = {}
    associations: dict[str, tuple[tuple[str, str], ...]] = {}
