"""What the environment knows of its tables: columns, keys and relationships.

The structures are frozen and are kept as JSON in the store, so that a store opened again has the tables it had.
"""

import msgspec

LOOKUPS = frozenset({"Lookup", "Customer", "Owner"})
NUMBERS = frozenset({"Decimal", "Money", "Double"})
WHOLE = frozenset({"Integer", "BigInt", "Picklist", "State", "Status"})
TEXTS = frozenset({"String", "Memo", "EntityName"})
COLUMN_TYPES = (
    LOOKUPS
    | NUMBERS
    | WHOLE
    | TEXTS
    | {"Boolean", "DateTime", "Uniqueidentifier", "PartyList", "Image", "File", "MultiSelectPicklist"}
)


Translations = tuple[tuple[int, str], ...]
"""A label in other languages than that of the environment, each with its language code."""


class Option(msgspec.Struct, frozen=True):
    """A choice: value, label and, for a status, the state that it belongs to and the statuses that may follow it."""

    value: int
    label: str
    state: int | None = None
    description: str = ""
    color: str | None = None
    external_value: str = ""
    transitions: tuple[int, ...] = ()
    translations: Translations = ()


class OptionSet(msgspec.Struct, frozen=True, kw_only=True):
    """A global choice, whose options several columns share."""

    name: str
    options: tuple[Option, ...] = ()
    display_name: str = ""
    description: str = ""
    kind: str = "Picklist"
    metadata_id: str | None = None


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column.

    Attributes:
        schema_name: Its name in the case that its maker gave it; the logical name when empty.
        min_value: The least number that is accepted, as its digits; the type's own limit when None.
        max_value: The greatest one.
        level: The RequiredLevel of a column that may be null for the service: None, Recommended, ApplicationRequired.
        options: The choices that metadata lists.
        any_option: Whether values beside the listed ones are accepted.
        option_set: The global choice that the options are of.
        default: The choice, or the 0 or 1 of a Boolean, that a new row gets when none is given.
        ime_mode: How an input method editor treats what is typed into it.
        auto_number: The AutoNumberFormat; the service numbers new rows that bring no value.
        secured: Whether column security guards it.
        source_type: 0 simple, 1 calculated, 2 rollup, 3 formula.
        primary_image: For an image, whether it is the table's primary one, which alone may be set on create.
        named: For a lookup, whether the service gives the name of its target.
        overridden: For a lookup, whether some values carry a name that is not their target's.
        parent: For a lookup, whether it is the parent of a hierarchy, in which circles are refused.
        attribute_of: The column with which the service makes and removes this one, such as the file of a file's name.
        translations: The display name in other languages.
        metadata_id: Its MetadataId; one made of the names when None.
    """

    name: str
    type: str
    schema_name: str = ""
    display_name: str = ""
    translations: Translations = ()
    attribute_of: str | None = None
    description: str = ""
    max_length: int | None = None
    min_value: str | None = None
    max_value: str | None = None
    level: str = "None"
    option_set: str | None = None
    default: int | None = None
    auto_number: str = ""
    secured: bool = False
    source_type: int = 0
    max_size_kb: int | None = None
    primary_image: bool = False
    full_image: bool = False
    metadata_id: str | None = None
    precision: int | None = None
    precision_source: int | None = None
    behavior: str = "UserLocal"
    format: str | None = None
    ime_mode: str = "Auto"
    targets: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    any_option: bool = True
    required: bool = False
    can_create: bool = True
    can_update: bool = True
    calculation_of: str | None = None
    named: bool = True
    overridden: bool = False
    parent: bool = False
    custom: bool = False

    @property
    def is_lookup(self) -> bool:
        """Whether the value is a reference to one row."""
        return self.type in LOOKUPS

    @property
    def wire_name(self) -> str:
        """The property that carries the value."""
        return f"_{self.name}_value" if self.type in LOOKUPS else self.name

    @property
    def stored(self) -> bool:
        """Whether the row itself holds the value; parties are rows of their own."""
        return self.type != "PartyList"

    @property
    def many_targets(self) -> bool:
        """Whether the table of the target is part of the value."""
        return self.type in LOOKUPS and len(self.targets) != 1

    def accepted(self) -> frozenset[int]:
        """The values that are accepted when not any is."""
        return frozenset(option.value for option in self.options)


class Key(msgspec.Struct, frozen=True):
    """An alternate key; ``status`` is its EntityKeyIndexStatus, and only an Active one can be used."""

    name: str
    columns: tuple[str, ...]
    schema_name: str = ""
    display_name: str = ""
    status: str = "Active"
    metadata_id: str | None = None


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table.

    Attributes:
        ownership: ``user``, ``organization`` or ``none``.
        bulk: Whether CreateMultiple and UpdateMultiple exist for it.
        schema_name: Its name in the case that its maker gave it; the logical name when empty.
        custom: Whether somebody made it, rather than the platform.
        change_tracking: Whether ``Prefer: odata.track-changes`` is answered.
        optimistic: Whether rows have versions that If-Match can name.
        enforce_transitions: Whether a status may only be followed by the ``transitions`` of its option.
        duplicate_rules: The columns of each published rule of duplicate detection.
        collection_name: Its plural name in the case that its maker gave it; the entity set when empty.
        translations: The display name in other languages.
        metadata_id: Its MetadataId; one made of the name when None.
        hidden: Ids of rows that collection reads leave out.
        lost_names: Whether lookups point to rows of this table that are not there and have a name.
    """

    name: str
    entity_set: str
    primary_id: str
    columns: dict[str, Column]
    primary_name: str | None = None
    schema_name: str = ""
    collection_name: str = ""
    display_name: str = ""
    translations: Translations = ()
    display_collection_name: str = ""
    description: str = ""
    custom: bool = False
    managed: bool = False
    change_tracking: bool = False
    optimistic: bool = True
    enforce_transitions: bool = False
    duplicate_rules: tuple[tuple[str, ...], ...] = ()
    has_notes: bool = False
    has_activities: bool = False
    metadata_id: str | None = None
    object_type_code: int = 0
    ownership: str = "organization"
    is_activity: bool = False
    is_intersect: bool = False
    bulk: bool = True
    keys: tuple[Key, ...] = ()
    hidden: tuple[str, ...] = ()
    lost_names: bool = False


class ManyToMany(msgspec.Struct, frozen=True, kw_only=True):
    """An N:N relationship with its intersect table; ``table1`` is the Entity1 side."""

    schema_name: str
    intersect: str
    table1: str
    column1: str
    nav1: str
    table2: str
    column2: str
    nav2: str
    custom: bool = False
    metadata_id: str | None = None


class Cascade(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens to the rows below a row; each is a CascadeType.

    https://learn.microsoft.com/power-apps/developer/data-platform/configure-entity-relationship-cascading-behavior
    """

    assign: str = "NoCascade"
    delete: str = "RemoveLink"
    merge: str = "NoCascade"
    reparent: str = "NoCascade"
    share: str = "NoCascade"
    unshare: str = "NoCascade"
    rollup_view: str = "NoCascade"


class ManyToOne(msgspec.Struct, frozen=True, kw_only=True):
    """An N:1 relationship: one lookup column and one of its targets."""

    schema_name: str
    table: str
    column: str
    target: str
    nav: str
    collection: str
    cascade: Cascade = Cascade()
    hierarchical: bool = False
    custom: bool = False
    metadata_id: str | None = None


class Publisher(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who made a solution; ``prefix`` begins the names of all that it makes."""

    uniquename: str
    friendlyname: str
    prefix: str


class Solution(msgspec.Struct, frozen=True, kw_only=True):
    """An installed solution with the tables that are components of it; the default publisher's when none is named."""

    uniquename: str
    friendlyname: str
    version: str
    ismanaged: bool = True
    isvisible: bool = True
    publisher: Publisher | None = None
    tables: tuple[str, ...] = ()


class CatalogData(msgspec.Struct, frozen=True):
    """What of a catalog is kept in the store.

    Attributes:
        declared: The N:1 relationships that are not made of a column alone.
        languages: The LCIDs of the languages, the base language first.
    """

    tables: tuple[Table, ...]
    many_to_many: tuple[ManyToMany, ...]
    declared: tuple[ManyToOne, ...] = ()
    option_sets: tuple[OptionSet, ...] = ()
    languages: tuple[int, ...] = (1033,)
