"""The tables and columns that every environment has, whatever is loaded into it."""

import msgspec

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.catalog import type_code
from confmig.emulator.catalog.model import Column, Option, Table

OBJECT_TYPE_CODES = {
    "account": 1, "contact": 2, "opportunity": 3, "lead": 4, "annotation": 5, "systemuser": 8, "team": 9,
    "businessunit": 10, "incident": 112, "activityparty": 135, "organization": 1019, "role": 1036,
    "appointment": 4201, "email": 4202, "fax": 4204, "letter": 4207, "phonecall": 4210, "task": 4212,
    "campaign": 4400, "sdkmessage": 4606, "sdkmessagefilter": 4607, "solution": 7100, "publisher": 7101,
    "solutioncomponent": 7103, "transactioncurrency": 9105, "connectionrole": 3231, "connection": 3234,
    "activitypointer": 4200,
}  # fmt: skip
"""Codes of well-known tables; custom tables get theirs from the package or from their name."""

ACTIVITIES = frozenset({"appointment", "email", "fax", "letter", "phonecall", "task", "activitypointer"})
WITHOUT_BULK = frozenset(
    {
        "systemuser",
        "team",
        "businessunit",
        "role",
        "transactioncurrency",
        "organization",
        "activityparty",
        "connectionrole",
        "solutioncomponent",
    }
)
"""Tables for which the emulator offers no CreateMultiple and UpdateMultiple, so that clients meet such tables."""

NAME_COLUMNS = {
    "systemuser": "fullname", "transactioncurrency": "currencyname", "contact": "fullname", "lead": "fullname",
    "activityparty": None,
}  # fmt: skip
ACTIVITY_NAME = "subject"
_PARTIES = ("account", "contact", "lead", "systemuser", "queue")

PARTY_MASKS = {
    "from": 1, "to": 2, "cc": 3, "bcc": 4, "requiredattendees": 5, "optionalattendees": 6, "organizer": 7,
    "regarding": 8, "owner": 9, "resources": 10, "customers": 11, "partners": 12,
}  # fmt: skip
"""participationtypemask of the party list columns."""

# Of the many types those that the emulator's solutions can have.
_COMPONENT_TYPES = (
    Option(1, "Entity"),
    Option(2, "Attribute"),
    Option(9, "Option Set"),
    Option(10, "Entity Relationship"),
    Option(14, "Entity Key"),
)

_READ_ONLY = frozenset(
    {
        "createdon", "createdby", "createdonbehalfby", "modifiedon", "modifiedby", "modifiedonbehalfby",
        "versionnumber", "owninguser", "owningteam", "owningbusinessunit", "organizationid", "exchangerate",
        "ismanaged", "componentstate", "solutionid", "overwritetime", "componentidunique",
        "entityimage_timestamp", "entityimage_url", "entityimageid",
    }
)  # fmt: skip


def read_only(name: str) -> bool:
    """Whether clients may not write a column of this name in any table."""
    return name in _READ_ONLY or name.endswith(("yominame", "_base"))


def _guid(name: str) -> Column:
    return Column(name=name, type="Uniqueidentifier", required=True, can_update=False)


def _text(name: str, length: int = 200, *, display: str = "") -> Column:
    return Column(name=name, type="String", max_length=length, display_name=display or name)


def _lookup(name: str, *targets: str, named: bool = True, writable: bool = True) -> Column:
    return Column(name=name, type="Lookup", targets=targets, named=named, can_create=writable, can_update=writable)


def _number(name: str, *, writable: bool = True) -> Column:
    return Column(name=name, type="Integer", can_create=writable, can_update=writable)


def _flag(name: str) -> Column:
    return Column(name=name, type="Boolean", options=(Option(0, "No"), Option(1, "Yes")))


def system_columns(ownership: str) -> list[Column]:
    """The bookkeeping columns of a table with this ownership."""
    columns = [
        Column(name="createdon", type="DateTime", format="DateAndTime", can_create=False, can_update=False),
        Column(name="modifiedon", type="DateTime", format="DateAndTime", can_create=False, can_update=False),
        _lookup("createdby", "systemuser", writable=False),
        _lookup("modifiedby", "systemuser", writable=False),
        _lookup("createdonbehalfby", "systemuser", writable=False),
        _lookup("modifiedonbehalfby", "systemuser", writable=False),
        Column(name="versionnumber", type="BigInt", can_create=False, can_update=False),
        Column(name="overriddencreatedon", type="DateTime", format="DateOnly", can_update=False),
        Column(name="importsequencenumber", type="Integer", can_update=False),
        _number("timezoneruleversionnumber"),
        _number("utcconversiontimezonecode"),
    ]
    if ownership == "user":
        columns += [
            Column(name="ownerid", type="Owner", targets=("systemuser", "team")),
            _lookup("owninguser", "systemuser", named=False, writable=False),
            _lookup("owningteam", "team", named=False, writable=False),
            _lookup("owningbusinessunit", "businessunit", named=False, writable=False),
        ]
    return columns


def complete_parties(tables: dict[str, Table]) -> None:
    """Let parties belong to every activity of the environment and name every row that can be a party.

    Args:
        tables: All tables; the one of the parties is replaced.
    """
    table = tables["activityparty"]
    columns = dict(table.columns)
    activities = [name for name, other in tables.items() if other.is_activity]
    usual = [name for name in _PARTIES if name in tables]
    for name, more in (("activityid", ["activitypointer", *activities]), ("partyid", usual)):
        column = columns[name]
        targets = tuple(dict.fromkeys([*column.targets, *more]))
        columns[name] = msgspec.structs.replace(column, targets=targets)
    tables["activityparty"] = msgspec.structs.replace(table, columns=columns)


def name_column_of(table: str) -> str | None:
    """The primary name column of a table of which nothing else is known."""
    if table in ACTIVITIES:
        return ACTIVITY_NAME
    return NAME_COLUMNS.get(table, "name")


def id_column_of(table: str) -> str:
    """The primary id column of a table of which nothing else is known."""
    return "activityid" if table in ACTIVITIES else f"{table}id"


def make(
    name: str, columns: list[Column], *, ownership: str = "organization", primary_name: str | None = "name"
) -> Table:
    """A table of these columns, its id and the bookkeeping columns.

    Args:
        name: Logical name.
        columns: Columns beside those.
        ownership: Who owns the rows.
        primary_name: The name column, which must be among the columns.
    """
    every = [_guid(id_column_of(name)), *columns]
    known = {column.name for column in every}
    every += [column for column in system_columns(ownership) if column.name not in known]
    return Table(
        name=name,
        entity_set=naming.set_name(name),
        primary_id=id_column_of(name),
        primary_name=primary_name,
        columns={column.name: column for column in every},
        display_name=name.capitalize(),
        object_type_code=OBJECT_TYPE_CODES.get(name) or type_code(name),
        ownership=ownership,
        custom="_" in name,
        is_activity=name in ACTIVITIES,
        bulk=name not in WITHOUT_BULK,
    )


def minimal(name: str) -> Table:
    """A table of which only rows' ids and names are known."""
    known = {table.name: table for table in base_tables()}
    if name in known:
        return known[name]
    primary_name = name_column_of(name)
    columns = [_text(primary_name, 850, display="Name")] if primary_name else []
    return make(name, columns, primary_name=primary_name)


def base_tables() -> list[Table]:
    """The tables that are always there."""
    from confmig.emulator.security.securitytables import security_tables  # which makes its tables as this module does

    statuses = (Option(1, "Active", 0), Option(2, "Inactive", 1))
    states = (Option(0, "Active"), Option(1, "Inactive"))
    return [
        make(
            "systemuser",
            [
                msgspec.structs.replace(_text("fullname"), can_create=False, can_update=False),
                _text("firstname"), _text("lastname"), _text("domainname", 1024),
                _text("internalemailaddress"), _flag("isdisabled"), _lookup("businessunitid", "businessunit"),
                Column(name="applicationid", type="Uniqueidentifier"),
                Column(name="azureactivedirectoryobjectid", type="Uniqueidentifier"), _number("accessmode"),
            ],
            primary_name="fullname",
        ),
        make(
            "businessunit",
            [
                _text("name"), _text("divisionname"), _flag("isdisabled"),
                _lookup("parentbusinessunitid", "businessunit"),
            ],
        ),
        make(
            "team",
            [
                _text("name"), Column(name="description", type="Memo", max_length=2000), _number("teamtype"),
                _flag("isdefault"), _lookup("businessunitid", "businessunit"), _lookup("administratorid", "systemuser"),
            ],
        ),
        make(
            "transactioncurrency",
            [
                _text("currencyname"), _text("isocurrencycode", 5), _text("currencysymbol", 10),
                _number("currencyprecision"),
                Column(name="exchangerate", type="Decimal", precision=12),
                Column(name="statecode", type="State", options=states, any_option=False),
                Column(name="statuscode", type="Status", options=statuses, any_option=False),
            ],
            primary_name="currencyname",
        ),
        make(
            "organization",
            [
                _text("name"), _text("version"), _number("languagecode"),
                _lookup("basecurrencyid", "transactioncurrency"),
                Column(name="fiscalcalendarstart", type="DateTime", format="DateOnly"),
                _number("fiscalperiodtype"), _number("expirechangetrackingindays"),
            ],
        ),
        _activity_party(),
        make(
            "publisher",
            [
                _text("uniquename", 256), _text("friendlyname", 256), _text("description", 2000),
                _text("customizationprefix", 8), _number("customizationoptionvalueprefix"),
                _text("emailaddress", 100), _text("supportingwebsiteurl", 200), _flag("isreadonly"),
            ],
            primary_name="friendlyname",
        ),
        make(
            "solution",
            [
                _text("uniquename", 65), _text("friendlyname", 256), _text("description", 2000),
                _text("version", 256), _flag("ismanaged"), _flag("isvisible"),
                Column(name="installedon", type="DateTime", format="DateOnly"),
                Column(name="updatedon", type="DateTime", format="DateAndTime"), _lookup("publisherid", "publisher"),
                _number("solutiontype"),
            ],
            primary_name="friendlyname",
        ),
        _solution_component(),
        make("sdkmessage", [_text("name", 256)]),
        make(
            "sdkmessagefilter",
            [Column(name="primaryobjecttypecode", type="EntityName"), _lookup("sdkmessageid", "sdkmessage")],
            primary_name=None,
        ),
        *security_tables(),
    ]  # fmt: skip


def _solution_component() -> Table:
    """The table that says of what a solution consists; clients only read it.

    https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/solutioncomponent
    """
    behaviors = ("Include Subcomponents", "Do not include subcomponents", "Include As Shell Only")
    columns = [
        Column(name="componenttype", type="Picklist", options=_COMPONENT_TYPES, required=True),
        Column(name="objectid", type="Uniqueidentifier"),
        Column(
            name="rootcomponentbehavior",
            type="Picklist",
            options=tuple(Option(value, label) for value, label in enumerate(behaviors)),
        ),
        Column(name="rootsolutioncomponentid", type="Uniqueidentifier"),
        Column(name="ismetadata", type="Boolean", options=(Option(0, "Data"), Option(1, "Metadata"))),
        _lookup("solutionid", "solution"),
    ]
    read_only = [msgspec.structs.replace(column, can_create=False, can_update=False) for column in columns]
    return make("solutioncomponent", read_only, ownership="none", primary_name=None)


def _activity_party() -> Table:
    columns = [
        _lookup("activityid", "activitypointer", named=False),
        Column(name="partyid", type="Lookup"),
        Column(name="ownerid", type="Owner", targets=("systemuser", "team"), named=False),
        Column(name="participationtypemask", type="Picklist"),
        Column(name="instancetypecode", type="Picklist"),
        _text("addressused", 320),
        *[_flag(name) for name in ("donotemail", "donotfax", "donotphone", "donotpostalmail", "ispartydeleted")],
        Column(name="effort", type="Double"),
    ]
    return make("activityparty", columns, primary_name=None)
