"""Names and ids that Dataverse derives: plural set names, guids, their order, stable ids of metadata."""

import re
import uuid

ZERO_GUID = "00000000-0000-0000-0000-000000000000"
_NAMESPACE = uuid.UUID("5d3a4f0e-7c0b-5f53-9a35-0c2c5c7a8f11")
_GUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_CUSTOM_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{1,7}_[A-Za-z0-9_]{1,90}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SPECIAL_SETS = {
    "webresource": "webresourceset",
    "activityparty": "activityparties",
    "sdkmessage": "sdkmessages",
}
_ES_ENDINGS = ("s", "x", "z", "ch", "sh")


def is_guid(text: str) -> bool:
    """Whether the text is a guid in its plain form."""
    return _GUID.fullmatch(text) is not None


def plain_guid(text: str) -> str:
    """A guid in its plain form: lower case, with dashes, without braces; any other text only in lower case."""
    plain = text.strip().strip("{}").lower()
    if len(plain) == 32 and plain.isascii() and plain.isalnum():
        plain = f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}"
    return plain


def is_name(text: str) -> bool:
    """Whether the text can be a logical name; anything else is never put into SQL."""
    return _NAME.fullmatch(text) is not None


def is_custom_name(text: str) -> bool:
    """Whether the text is a schema name with a publisher's prefix, which has two to eight characters.

    https://learn.microsoft.com/power-apps/maker/data-platform/create-solution#solution-publisher
    """
    return _CUSTOM_NAME.fullmatch(text) is not None


def is_custom(column: str) -> bool:
    """Whether a column of this name is a custom one: its name begins with a publisher's prefix."""
    return "_" in column.removesuffix("_base") and not column.startswith("entityimage_")


def set_name(logical_name: str) -> str:
    """The entity set of a table, by Dataverse's plural rule."""
    if logical_name in _SPECIAL_SETS:
        return _SPECIAL_SETS[logical_name]
    if logical_name.endswith("y") and logical_name[-2:-1] not in set("aeiou"):
        return logical_name[:-1] + "ies"
    if logical_name.endswith(_ES_ENDINGS):
        return logical_name + "es"
    return logical_name + "s"


def stable_id(*parts: str) -> str:
    """An id that is the same for the same parts on every machine."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


def table_id(name: str) -> str:
    """The MetadataId of a table, by which solutions name their components."""
    return stable_id("entity", name)


def sort_key(guid: str) -> str:
    """A text that sorts as SQL Server sorts the uniqueidentifier.

    SQL Server compares the last group first, then the fourth, then the third, second and first with their bytes
    swapped, as SqlGuid documents.
    """
    return (
        guid[24:36]
        + guid[19:23]
        + guid[16:18]
        + guid[14:16]
        + guid[11:13]
        + guid[9:11]
        + guid[6:8]
        + guid[4:6]
        + guid[2:4]
        + guid[0:2]
    )
