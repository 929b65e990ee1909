"""Tables as bodies describe them: EntityMetadata read into tables, with the columns that every table has.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-update-entity-definitions-using-web-api
"""

from collections.abc import Iterable

import msgspec

from confmig.emulator.catalog import basetables, naming
from confmig.emulator.catalog.catalog import type_code
from confmig.emulator.catalog.companions import companions, money_companions
from confmig.emulator.catalog.model import Column, Option, OptionSet, Table
from confmig.emulator.errors import ServiceError, column_taken, invalid_metadata
from confmig.emulator.metadata.choices import Json
from confmig.emulator.metadata.columnbodies import read_column
from confmig.emulator.metadata.labels import merged, objects, read_flag, read_label, read_text, read_value, schema_name

_OWNERSHIPS = {"UserOwned": "user", "TeamOwned": "user", "OrganizationOwned": "organization"}
_STATES = (Option(0, "Active"), Option(1, "Inactive"))
_STATUSES = (Option(1, "Active", 0), Option(2, "Inactive", 1))
_ACTIVITY_STATES = (Option(0, "Open"), Option(1, "Completed"), Option(2, "Canceled"), Option(3, "Scheduled"))
_ACTIVITY_STATUSES = tuple(Option(one.value + 1, one.label, one.value) for one in _ACTIVITY_STATES)


def read_table(body: Json, option_sets: dict[str, OptionSet], *, prefix: int) -> Table:
    """A new table.

    Args:
        body: Its EntityMetadata.
        option_sets: The global choices.
        prefix: What option values begin with when none is given.

    Raises:
        ServiceError: A property is wrong, or there is not exactly one primary name column.
    """
    schema = schema_name(body, "Entity")
    name, activity = schema.lower(), read_flag(body, "IsActivity") or False
    ownership = _OWNERSHIPS.get(str(body.get("OwnershipType", "UserOwned")))
    if ownership is None or (activity and ownership != "user"):
        raise invalid_metadata(f"The ownership type '{body.get('OwnershipType')}' is not valid for the entity {name}.")
    primary_id = "activityid" if activity else f"{name}id"
    own, primary_name = _own_columns(body, option_sets, prefix)
    known: dict[str, Column] = {}
    for column in [_id_column(primary_id, schema, activity=activity), *own]:
        if column.name in known:
            raise column_taken(column.name, name)
        known[column.name] = column
    for column in [*_money_columns(own), *_state_columns(activity=activity), *basetables.system_columns(ownership)]:
        known.setdefault(column.name, column)
    if activity:
        for column in _activity_columns():
            known.setdefault(column.name, column)
    table = Table(
        name=name,
        schema_name=schema,
        entity_set=_set_name(body, name),
        collection_name=naming.set_name(schema),
        primary_id=primary_id,
        primary_name=primary_name,
        columns=known,
        ownership=ownership,
        is_activity=activity,
        object_type_code=type_code(name),
        custom=True,
    )
    return changed_table(table, body, merge=False)


def _set_name(body: Json, name: str) -> str:
    given = read_text(body, "EntitySetName")
    if given is not None and not naming.is_name(given):
        raise invalid_metadata(f"The entity set name '{given}' is not valid.")
    return given or naming.set_name(name)


def _own_columns(body: Json, option_sets: dict[str, OptionSet], prefix: int) -> tuple[list[Column], str]:
    """The columns that a body lists, each with its companions, and the name of the primary one."""
    columns: list[Column] = []
    primary: list[str] = []
    for one in objects(body, "Attributes"):
        column = read_column(schema_name(one, "Attribute"), one, option_sets, prefix=prefix)
        if read_flag(one, "IsPrimaryName"):
            if column.type != "String":
                raise invalid_metadata("The primary name attribute of an entity must be a string.")
            primary.append(column.name)
        columns += [column, *companions(column)]
    if not primary:
        raise invalid_metadata("The entity has no attribute whose IsPrimaryName is true.")
    if len(primary) > 1:
        raise second_primary(primary[1], str(body.get("SchemaName")).lower(), primary[0])
    return columns, primary[0]


def second_primary(column: str, table: str, present: str) -> ServiceError:
    """DuplicatePrimaryNameAttribute."""
    return ServiceError(
        400,
        "0x8004701E",
        f"The new {column} attribute is set as the primary name attribute for the {table} entity. The {table} entity "
        f"already has the {present} attribute set as the primary name attribute. An entity can only have one primary "
        "name attribute.",
    )


def _id_column(name: str, schema: str, *, activity: bool) -> Column:
    return Column(
        name=name,
        schema_name="ActivityId" if activity else f"{schema}Id",
        type="Uniqueidentifier",
        required=True,
        can_update=False,
        custom=not activity,
    )


def _money_columns(columns: Iterable[Column]) -> list[Column]:
    return money_companions() if any(column.type == "Money" for column in columns) else []


def _state_columns(*, activity: bool) -> list[Column]:
    states, statuses = (_ACTIVITY_STATES, _ACTIVITY_STATUSES) if activity else (_STATES, _STATUSES)
    return [
        Column(name="statecode", type="State", display_name="Status", options=states, any_option=False),
        Column(name="statuscode", type="Status", display_name="Status Reason", options=statuses, any_option=False),
    ]


def _activity_columns() -> list[Column]:
    """What activities have in common beside their subject, as far as it holds no parties.

    https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/activitypointer
    """
    dates = ("scheduledstart", "scheduledend", "actualstart", "actualend")
    return [
        Column(name="subject", type="String", display_name="Subject", max_length=400),
        Column(name="description", type="Memo", display_name="Description", max_length=2000),
        Column(name="regardingobjectid", type="Lookup", targets=("account", "contact")),
        *(Column(name=name, type="DateTime", format="DateAndTime") for name in dates),
        *(
            Column(name=name, type="PartyList")
            for name in basetables.PARTY_MASKS
            if name in ("from", "to", "cc", "bcc")
        ),
    ]


def changed_table(table: Table, body: Json, *, merge: bool) -> Table:
    """A table with what a body says of it; what the body leaves out, and what never changes, stays.

    Raises:
        ServiceError: A property is wrong.
    """
    change: dict[str, object] = {}
    label = read_label(body, "DisplayName")
    if label is not None:
        change |= {"display_name": label.text, "translations": merged(table.translations, label, merge=merge)}
    for name, field in (("DisplayCollectionName", "display_collection_name"), ("Description", "description")):
        text = read_label(body, name)
        if text is not None:
            change[field] = text.text
    for name, field in (
        ("ChangeTrackingEnabled", "change_tracking"),
        ("IsOptimisticConcurrencyEnabled", "optimistic"),
        ("HasNotes", "has_notes"),
        ("HasActivities", "has_activities"),
    ):
        flag = read_flag(body, name)
        if flag is not None:
            change[field] = flag
    for name, before in (("HasNotes", table.has_notes), ("HasActivities", table.has_activities)):
        if before and read_value(body, name) is False:
            # Both can be switched on only once: https://learn.microsoft.com/power-apps/maker/data-platform/edit-entities
            raise invalid_metadata(f"{name} cannot be changed from true to false.")
    new: Table = msgspec.structs.replace(table, **change)
    return new
