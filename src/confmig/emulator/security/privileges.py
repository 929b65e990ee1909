"""Privileges: their names, their ids, and what each is for.

https://learn.microsoft.com/power-apps/developer/data-platform/security-roles
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.model import Table


class Depth(IntEnum):
    """How far a privilege reaches, as ``privilegedepthmask`` writes it."""

    USER = 1
    BUSINESS_UNIT = 2
    PARENT_CHILD = 4
    ORGANIZATION = 8

    @property
    def wire(self) -> str:
        """The member of the PrivilegeDepth enumeration."""
        return _WIRE[self]


_WIRE = {Depth.USER: "Basic", Depth.BUSINESS_UNIT: "Local", Depth.PARENT_CHILD: "Deep", Depth.ORGANIZATION: "Global"}

ACCESS_RIGHTS = {
    "Create": 32,
    "Read": 1,
    "Write": 2,
    "Delete": 65_536,
    "Append": 4,
    "AppendTo": 16,
    "Assign": 524_288,
    "Share": 262_144,
}
"""The verbs of the privileges on a table, with the ``accessright`` of each.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/accessrights
"""
_OF_OWNED_ROWS = ("Assign", "Share")

MISCELLANEOUS = (
    "prvActOnBehalfOfAnotherUser", "prvBulkDelete", "prvBypassCustomBusinessLogic", "prvBypassCustomPlugins",
    "prvCreateAttribute", "prvCreateEntity", "prvCreateEntityKey", "prvCreateOptionSet", "prvCreateRelationship",
    "prvDeleteAttribute", "prvDeleteEntity", "prvDeleteEntityKey", "prvDeleteOptionSet", "prvDeleteRelationship",
    "prvExportCustomization", "prvImportCustomization", "prvLanguageSettings", "prvMerge",
    "prvOverrideCreatedOnCreatedBy", "prvPublishCustomization", "prvReadAttribute", "prvReadEntity",
    "prvReadEntityKey", "prvReadOptionSet", "prvReadRelationship", "prvWriteAttribute", "prvWriteEntity",
    "prvWriteEntityKey", "prvWriteOptionSet", "prvWriteRelationship",
)  # fmt: skip
"""Privileges that are not about the rows of one table."""

CUSTOMIZING = tuple(
    name
    for name in MISCELLANEOUS
    if name.endswith(("Attribute", "Entity", "EntityKey", "OptionSet", "Relationship", "Customization"))
)

_OBJECTS = {
    "systemuser": "User", "annotation": "Note", "businessunit": "BusinessUnit", "activityparty": "Activity",
    "transactioncurrency": "TransactionCurrency", "sdkmessage": "SdkMessage", "salesorder": "Order",
    "sdkmessagefilter": "SdkMessageFilter", "fieldsecurityprofile": "FieldSecurityProfile",
    "fieldpermission": "FieldPermission", "connectionrole": "ConnectionRole", "roletemplate": "RoleTemplate",
}  # fmt: skip


@dataclass(frozen=True)
class Privilege:
    """A privilege; ``owned`` are those that may reach less than the organization."""

    name: str
    access_right: int = 0
    owned: bool = False

    @property
    def id(self) -> str:
        """Its id, the same in every environment."""
        return privilege_id(self.name)


_KNOWN_IDS = {
    "prvbypasscustombusinesslogic": "0ea552b0-a491-4470-9a1b-82068deccf66",
    "prvbypasscustomplugins": "148a9eaf-d0c4-4196-9852-c3a38e35f6a1",
}
"""Ids by which the documents tell people to add a privilege to a role, in any environment.

https://learn.microsoft.com/power-apps/developer/data-platform/bypass-custom-business-logic
"""


def privilege_id(name: str) -> str:
    """The id of a privilege, whatever the case of its name."""
    return _KNOWN_IDS.get(name.lower()) or naming.stable_id("privilege", name.lower())


def privilege_name(verb: str, table: Table) -> str:
    """The name of the privilege for a verb on a table.

    All activities share theirs; custom tables give the name that their maker wrote.
    """
    if table.is_activity:
        return f"prv{verb}Activity"
    name = _OBJECTS.get(table.name) or table.schema_name or table.name
    return f"prv{verb}{name if '_' in name else name[:1].upper() + name[1:]}"


def verbs_of(table: Table) -> tuple[str, ...]:
    """The verbs for which a table has privileges: none for the tables that belong to others."""
    # Parties share the privileges of their activities.
    if table.is_intersect or table.ownership == "none" or table.name == "activityparty":
        return ()
    if table.ownership == "user":
        return tuple(ACCESS_RIGHTS)
    return tuple(verb for verb in ACCESS_RIGHTS if verb not in _OF_OWNED_ROWS)


def privileges_of(tables: Iterable[Table]) -> Iterator[Privilege]:
    """The privileges on some tables, each once."""
    seen: set[str] = set()
    for table in tables:
        for verb in verbs_of(table):
            name = privilege_name(verb, table)
            if name.lower() not in seen:
                seen.add(name.lower())
                yield Privilege(name, ACCESS_RIGHTS[verb], table.ownership == "user")
