"""What a definition may say of tables: their columns, choices, keys and relationships."""

from typing import Literal

import msgspec

from confmig.emulator.catalog.model import Cascade

ColumnType = Literal[
    "BigInt",
    "Boolean",
    "Customer",
    "DateTime",
    "Decimal",
    "Double",
    "EntityName",
    "File",
    "Image",
    "Integer",
    "Lookup",
    "Memo",
    "Money",
    "MultiSelectPicklist",
    "Owner",
    "PartyList",
    "Picklist",
    "State",
    "Status",
    "String",
    "Uniqueidentifier",
]


Texts = str | dict[int, str]
"""A text in English (1033), or in several languages by their LCIDs."""


class OptionDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A choice of which more than the label is said.

    Attributes:
        label: What people see: a text, or texts by the LCIDs of their languages.
    """

    label: Texts
    description: str = ""
    color: str | None = None
    external_value: str = ""


class ChoiceDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A global choice, whose options several columns share.

    Attributes:
        options: The options by value: a label, or a label with a description and so on.
    """

    options: dict[int, str | OptionDef]
    display_name: str = ""
    description: str = ""


class StatusDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A status with the state that it belongs to.

    Attributes:
        label: What people see: a text, or texts by the LCIDs of their languages.
        state: The value of its state.
        transitions: The statuses to which a row may go from this one, in a table with ``enforce_transitions``.
    """

    label: Texts
    state: int
    description: str = ""
    color: str | None = None
    transitions: tuple[int, ...] = ()


class ColumnDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column.

    Attributes:
        type: Its type, as AttributeTypeName has it without ``Type``.
        display_name: What people see: a text, or texts by the LCIDs of their languages; the name when it is left out.
        schema_name: Its name in the case that its maker gave it, which a lookup's navigation property has, too.
        max_length: The longest text.
        min: The least number that is accepted; the type's own limit when it is left out.
        max: The greatest one.
        precision: How many digits after the point.
        precision_source: Whose precision a Money has: 0 its own, 1 the organization's, 2 that of the currency.
        level: None, Recommended or ApplicationRequired; none of them is enforced by the API.
        required: Whether the service itself refuses null, as metadata says with SystemRequired.
        default: The choice, or the 0 or 1 of a Boolean, of a new row that brings none.
        auto_number: The AutoNumberFormat, such as ``WID-{SEQNUM:5}``.
        max_size_kb: The largest file, or image.
        primary_image: For an image, whether it is the table's primary one, which alone may be set on create.
        full_image: For an image, whether it is kept in full size beside its thumbnail.
        secured: Whether column security guards it.
        behavior: The DateTimeBehavior.
        format: The Format of a date (DateOnly, DateAndTime) or of a text (Text, Email, Url, Phone, TextArea and so on).
        targets: The tables that a lookup can point to.
        options: Choices by value: a label, or a label with a description and so on. Without any, every value is taken.
        choice: The global choice that its options are of.
        writable: Whether clients write it; what they send for a column that is not is ignored.
        creatable: Whether it is written on create, when that differs from ``writable``.
        updatable: Whether it is written on update, when that differs from ``writable``.
        source: Where its values come from.
        calculation_of: For a money in the base currency, the column of which it is calculated.
        parent: For a lookup, whether it is the parent of a hierarchy, in which circles are refused.
        custom: Whether somebody made it; by default when its name has a prefix.
    """

    type: ColumnType
    display_name: Texts = ""
    schema_name: str = ""
    description: str = ""
    max_length: int | None = None
    min: int | float | str | None = None
    max: int | float | str | None = None
    precision: int | None = None
    precision_source: int | None = None
    level: Literal["None", "Recommended", "ApplicationRequired"] = "None"
    default: int | None = None
    auto_number: str = ""
    max_size_kb: int | None = None
    primary_image: bool = False
    full_image: bool = False
    secured: bool = False
    behavior: Literal["UserLocal", "DateOnly", "TimeZoneIndependent"] = "UserLocal"
    format: str | None = None
    targets: tuple[str, ...] = ()
    options: dict[int, str | OptionDef] | None = None
    choice: str | None = None
    required: bool = False
    writable: bool = True
    creatable: bool | None = None
    updatable: bool | None = None
    source: Literal["simple", "calculated", "rollup", "formula"] = "simple"
    calculation_of: str | None = None
    parent: bool = False
    custom: bool | None = None


class KeyDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alternate key of which more than its columns is said.

    Attributes:
        columns: Its columns, lookups among them.
        status: Only an Active key can be used.
    """

    columns: tuple[str, ...]
    schema_name: str = ""
    display_name: str = ""
    status: Literal["Active", "Pending", "InProgress", "Failed"] = "Active"


class TableDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table.

    Attributes:
        columns: Its columns by logical name.
        display_name: What people see: a text, or texts by the LCIDs of their languages; the name when it is left out.
        collection_name: What people see of several rows.
        schema_name: Its name in the case that its maker gave it.
        entity_set: The name of its collection in URLs; the service's plural of the name when it is left out.
        object_type_code: Its number; one made of the name when it is left out.
        primary_id: The id column; the name with ``id`` when it is left out.
        primary_name: The name column.
        ownership: Who owns its rows: ``user`` means users and teams.
        bulk: Whether CreateMultiple and UpdateMultiple exist for it.
        activity: Whether its rows are activities.
        custom: Whether somebody made it; by default when its name has a prefix.
        managed: Whether a managed solution brought it.
        change_tracking: Whether ``Prefer: odata.track-changes`` is answered.
        optimistic: Whether If-Match can name a version of a row.
        enforce_transitions: Whether a status may only be followed by those that its ``transitions`` list.
        duplicate_rules: Published rules of duplicate detection: columns that make two rows duplicates when the rows
            have the same values in all of them.
        system_columns: Whether the bookkeeping columns that tables usually have are added where they are not described.
        states: The labels of the states by value.
        statuses: The statuses by value.
        keys: The alternate keys by logical name: their columns, or more.
    """

    columns: dict[str, ColumnDef]
    display_name: Texts = ""
    collection_name: str = ""
    schema_name: str = ""
    description: str = ""
    entity_set: str | None = None
    object_type_code: int = 0
    primary_id: str | None = None
    primary_name: str | None = None
    ownership: Literal["user", "organization", "none"] = "organization"
    bulk: bool = True
    activity: bool = False
    custom: bool | None = None
    managed: bool = False
    change_tracking: bool = False
    has_notes: bool = False
    has_activities: bool = False
    optimistic: bool = True
    enforce_transitions: bool = False
    duplicate_rules: tuple[tuple[str, ...], ...] = ()
    system_columns: bool = True
    states: dict[int, Texts] = {}
    statuses: dict[int, StatusDef] = {}
    keys: dict[str, tuple[str, ...] | KeyDef] = {}


class ExtensionDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file adds to a table of a definition that it includes.

    Attributes:
        columns: Columns by logical name; one that the table has is described anew.
        duplicate_rules: More published rules of duplicate detection.
        keys: Alternate keys by logical name: their columns, or more.
    """

    columns: dict[str, ColumnDef] = {}
    duplicate_rules: tuple[tuple[str, ...], ...] = ()
    keys: dict[str, tuple[str, ...] | KeyDef] = {}


class ManyToManyDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An N:N relationship.

    Attributes:
        schema_name: Its name.
        intersect: The logical name of its intersect table.
        table1: The Entity1 table; the pairs of ``associations`` begin with its row.
        table2: The Entity2 table, which may be the same one.
        column1: The column of the intersect table that names the first row.
        column2: The one that names the second.
        nav1: The navigation property of ``table1``.
        nav2: The navigation property of ``table2``.
        entity_set: The collection of the intersect table in URLs.
        object_type_code: The number of the intersect table.
        custom: Whether somebody made it; by default when its name has a prefix.
    """

    schema_name: str
    intersect: str
    table1: str
    table2: str
    column1: str | None = None
    column2: str | None = None
    nav1: str | None = None
    nav2: str | None = None
    entity_set: str | None = None
    object_type_code: int = 0
    custom: bool | None = None


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
        custom: Whether somebody made it; by default when the lookup is.
    """

    table: str
    column: str
    target: str
    schema_name: str | None = None
    nav: str | None = None
    collection: str | None = None
    cascade: Cascade = Cascade()
    hierarchical: bool = False
    custom: bool | None = None
