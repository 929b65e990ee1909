"""What metadata says of columns and choices, as an environment definition says it: without what goes without saying."""

from collections.abc import Container
from decimal import Decimal

from lxml import etree

from confmig.errors import ServiceError
from confmig.webapi.replies import Json

_TYPES = frozenset(
    {
        "BigInt", "Boolean", "Customer", "DateTime", "Decimal", "Double", "EntityName", "File", "Image", "Integer",
        "Lookup", "Memo", "Money", "MultiSelectPicklist", "Owner", "PartyList", "Picklist", "State", "Status",
        "String", "Uniqueidentifier",
    }
)  # fmt: skip
_CHOICES = frozenset({"Picklist", "MultiSelectPicklist"})
LOOKUPS = frozenset({"Lookup", "Customer", "Owner"})
_SOURCES = {1: "calculated", 2: "rollup", 3: "formula"}
# https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/decimalattributemetadata and its
# neighbours: the limits of a column for which its maker chose none.
_USUAL_LIMITS = {
    "Integer": (-2147483648, 2147483647),
    "Decimal": (-100000000000, 100000000000),
    "Double": (-100000000000, 100000000000),
    "Money": (-922337203685477, 922337203685477),
}


def record_column(table: Json, column: Json, tables: Container[str]) -> Json | None:
    """What a definition says of a column; None when it cannot say it.

    Args:
        table: The table as the wire describes it.
        column: Its column.
        tables: The tables that the definition has, to which alone lookups can lead.
    """
    name, kind = str(column["LogicalName"]), type_of(column)
    if kind not in _TYPES or column.get("AttributeOf"):
        return None
    if kind != "PartyList" and column.get("IsValidODataAttribute") is False:
        return None
    found: Json = {
        "type": kind,
        "display_name": texts(column, "DisplayName", name),
        "schema_name": other(column.get("SchemaName"), name),
        "description": label(column, "Description"),
        **_written(table, column),
        **_required(table, column),
        "auto_number": column.get("AutoNumberFormat"),
        "secured": column.get("IsSecured"),
        "source": _SOURCES.get(column.get("SourceType") or 0),
        "calculation_of": column.get("CalculationOf"),
        "custom": custom(column, "IsCustomAttribute", name),
        **_shape(kind, column),
    }
    if kind in LOOKUPS:
        found["targets"] = [target for target in column.get("Targets") or () if target in tables]
        found["parent"] = any(
            one.get("IsHierarchical") and one["ReferencingAttribute"] == name
            for one in table.get("ManyToOneRelationships") or ()
        )
        if not found["targets"]:
            return None
    return without_empty(found)


def record_choice(option_set: Json) -> Json:
    """What a definition says of a global choice."""
    name = str(option_set["Name"])
    said = {"display_name": label(option_set, "DisplayName", name), "description": label(option_set, "Description")}
    return {**without_empty(said), "options": options_of(option_set)}


def options_of(option_set: Json) -> dict[int, Json | str]:
    """The options by value."""
    return {int(one["Value"]): record_option(one) for one in option_set.get("Options") or ()}


def global_choice(column: Json) -> Json | None:
    """The global choice of which the options of a column are."""
    if type_of(column) not in _CHOICES:
        return None
    option_set: Json = column.get("OptionSet") or column.get("GlobalOptionSet") or {}
    return option_set if option_set.get("IsGlobal") else None


def _written(table: Json, column: Json) -> Json:
    """Whether clients write a column, as far as that is not what they do with every column."""
    name, create, update = column["LogicalName"], column.get("IsValidForCreate"), column.get("IsValidForUpdate")
    if not create and not update:
        return {"writable": False}
    usual = name not in (table["PrimaryIdAttribute"], "overriddencreatedon")
    return {"creatable": None if create else False, "updatable": None if bool(update) == usual else bool(update)}


def _required(table: Json, column: Json) -> Json:
    level = (column.get("RequiredLevel") or {}).get("Value")
    if level == "SystemRequired":
        return {"required": column["LogicalName"] != table["PrimaryIdAttribute"]}
    return {"level": other(level, "None")}


def _shape(kind: str, column: Json) -> Json:
    """What only columns of some types have."""
    found: Json = {}
    if kind in ("String", "Memo", "EntityName"):
        usual = "TextArea" if kind == "Memo" else "Text"
        found = {
            "max_length": column.get("MaxLength"),
            "format": other((column.get("FormatName") or {}).get("Value") or column.get("Format"), usual),
        }
    elif kind == "DateTime":
        behavior = (column.get("DateTimeBehavior") or {}).get("Value")
        found = {"behavior": other(behavior, "UserLocal"), "format": column.get("Format")}
    elif kind in _USUAL_LIMITS:
        low, high = _USUAL_LIMITS[kind]
        found = {"min": _limit(column.get("MinValue"), low), "max": _limit(column.get("MaxValue"), high)}
        if kind != "Integer":
            found["precision"] = column.get("Precision")
        if kind == "Money":
            found["precision_source"] = other(column.get("PrecisionSource"), 2)
    elif kind == "Boolean":
        option_set = column.get("OptionSet") or {}
        pairs = {0: option_set.get("FalseOption") or {}, 1: option_set.get("TrueOption") or {}}
        options = {value: record_option(one) for value, one in pairs.items()}
        found = {"options": None if options in ({0: "No", 1: "Yes"}, {0: "", 1: ""}) else options}
        if column.get("IsValidForCreate") or column.get("DefaultValue"):
            found["default"] = int(bool(column.get("DefaultValue")))
    elif kind in _CHOICES:
        default, shared = column.get("DefaultFormValue"), global_choice(column)
        found = {
            "default": default if isinstance(default, int) and default != -1 else None,
            "choice": shared["Name"] if shared else None,
            "options": None if shared else options_of(column.get("OptionSet") or {}),
        }
    elif kind in ("File", "Image"):
        found = {"max_size_kb": column.get("MaxSizeInKB")}
        if kind == "Image":
            found |= {"primary_image": column.get("IsPrimaryImage"), "full_image": column.get("CanStoreFullImage")}
    return found


def _limit(value: object, usual: int) -> int | str | None:
    """A limit that somebody chose; one with digits after the point as a text, which keeps them all."""
    if not isinstance(value, int | float | Decimal) or value == usual:
        return None
    exact = Decimal(str(value))
    return int(exact) if exact == exact.to_integral_value() else f"{exact:f}"


def record_option(option: Json) -> Json | str:
    """A label, or a label with what more is known."""
    shown = texts(option, "Label")
    more = {
        "description": label(option, "Description"),
        "color": option.get("Color"),
        "external_value": option.get("ExternalValue"),
    }
    return {"label": shown, **without_empty(more)} if any(more.values()) or isinstance(shown, dict) else shown


def record_status(option: Json) -> Json:
    """What a definition says of a status."""
    more = {"description": label(option, "Description"), "color": option.get("Color")}
    transitions = _transitions(option.get("TransitionData"))
    state = {"label": texts(option, "Label"), "state": int(option.get("State") or 0)}
    return {**state, **without_empty({**more, "transitions": transitions})}


def _transitions(data: object) -> list[int]:
    """The statuses that TransitionData allows next.

    https://learn.microsoft.com/power-apps/developer/data-platform/define-custom-state-model-transitions
    """
    if not isinstance(data, str) or not data:
        return []
    try:
        root = etree.fromstring(data.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
        return [int(one.get("tostatusid", "")) for one in root.iter("{*}allowedtransition")]
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ServiceError(
            f"The environment describes the transitions of a status in a wrong form: {error}."
        ) from error


def type_of(column: Json) -> str:
    """The type of a column, by which images, files and choices can be told apart, too."""
    return str((column.get("AttributeTypeName") or {}).get("Value", "")).removesuffix("Type")


def label(described: Json, name: str, usual: str = "") -> str:
    """A text in the language of the caller; empty when it is the one that goes without saying."""
    label = (described.get(name) or {}).get("UserLocalizedLabel") or {}
    return str(other(label.get("Label"), usual) or "")


def texts(described: Json, name: str, usual: str = "") -> str | dict[int, str]:
    """A text in the language of the caller, or, when there are several, in each by its language code."""
    localized = (described.get(name) or {}).get("LocalizedLabels") or ()
    known = {int(one["LanguageCode"]): str(one["Label"]) for one in localized if one.get("Label")}
    return known if len(known) > 1 else label(described, name, usual)


def other(value: object, usual: object) -> object:
    """A value, unless it is the usual one, which goes without saying."""
    return None if value == usual else value


def custom(described: Json, key: str, name: str) -> bool | None:
    """Whether somebody made it, when its name does not tell."""
    custom = bool(described.get(key))
    return None if custom == ("_" in name) else custom


def without_empty(given: Json) -> Json:
    """What is said: nothing that is absent, empty or, where true is news, false."""
    kept_false = {"bulk", "optimistic", "system_columns", "writable", "creatable", "updatable", "custom", "ismanaged"}
    return {
        name: value
        for name, value in given.items()
        if value not in (None, "", [], {}) and (value is not False or name in kept_false)
    }
