"""Columns as the metadata of the wire describes them.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/attributemetadata
"""

from collections.abc import Iterator, Mapping

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.model import Column, OptionSet, Table
from confmig.emulator.metadata.choices import Json, choices, label, managed
from confmig.emulator.metadata.metadatadefaults import column_defaults

# Column type: AttributeType, AttributeTypeName, and the name of the metadata type without "AttributeMetadata".
TYPES: dict[str, tuple[str, str, str]] = {
    "BigInt": ("BigInt", "BigIntType", "BigInt"),
    "Boolean": ("Boolean", "BooleanType", "Boolean"),
    "Customer": ("Customer", "CustomerType", "Lookup"),
    "DateTime": ("DateTime", "DateTimeType", "DateTime"),
    "Decimal": ("Decimal", "DecimalType", "Decimal"),
    "Double": ("Double", "DoubleType", "Double"),
    "EntityName": ("EntityName", "EntityNameType", "EntityName"),
    "File": ("Virtual", "FileType", "File"),
    "Image": ("Virtual", "ImageType", "Image"),
    "Integer": ("Integer", "IntegerType", "Integer"),
    "Lookup": ("Lookup", "LookupType", "Lookup"),
    "Memo": ("Memo", "MemoType", "Memo"),
    "Money": ("Money", "MoneyType", "Money"),
    "MultiSelectPicklist": ("Virtual", "MultiSelectPicklistType", "MultiSelectPicklist"),
    "Owner": ("Owner", "OwnerType", "Lookup"),
    "PartyList": ("PartyList", "PartyListType", "Lookup"),
    "Picklist": ("Picklist", "PicklistType", "Picklist"),
    "State": ("State", "StateType", "State"),
    "Status": ("Status", "StatusType", "Status"),
    "String": ("String", "StringType", "String"),
    "Uniqueidentifier": ("Uniqueidentifier", "UniqueidentifierType", "UniqueIdentifier"),
}
_RANGES: dict[str, tuple[int, int]] = {
    "Integer": (-2147483648, 2147483647),
    "BigInt": (-9223372036854775808, 9223372036854775807),
    "Decimal": (-100000000000, 100000000000),
    "Double": (-100000000000, 100000000000),
    "Money": (-922337203685477, 922337203685477),
}
_TYPED_IN = frozenset({"DateTime", "Decimal", "Double", "Memo", "Money", "String"})
"""The types whose metadata have an ImeMode."""
_COMPUTED = frozenset({"Boolean", "DateTime", "Decimal", "Integer", "Money", "Picklist", "String"})
"""The types whose metadata have the formula of a calculated column."""


def attribute_id(table: Table, column: Column) -> str:
    """The MetadataId of a column."""
    return column.metadata_id or naming.stable_id("attribute", table.name, column.name)


def attributes_of(table: Table, option_sets: Mapping[str, OptionSet]) -> list[Json]:
    """The columns of a table, each followed by those that only show its value.

    Args:
        table: The table.
        option_sets: The global choices by name.
    """
    rows: list[Json] = []
    for column in table.columns.values():
        rows.append(_attribute(table, column, len(rows) + 1, option_sets))
        rows += _shown(table, column, len(rows) + 1)
    return rows


def _shown(table: Table, column: Column, number: int) -> Iterator[Json]:
    """What shows the value of a column: the name of a lookup's target and its table, the label of a choice.

    They are in the metadata but no properties of rows: AttributeOf names the column, IsValidODataAttribute is false.
    https://learn.microsoft.com/power-apps/developer/data-platform/entity-attribute-metadata#logical-columns
    """
    kinds: dict[str, str] = {}
    if column.is_lookup and column.named:
        kinds[f"{column.name}name"] = "String"
    if column.is_lookup and column.many_targets:
        kinds[f"{column.name}type"] = "EntityName"
    if column.type in ("Boolean", "Picklist", "State", "Status", "MultiSelectPicklist"):
        kinds[f"{column.name}name"] = "Virtual"
    for position, (name, kind) in enumerate(kinds.items()):
        if name not in table.columns:
            made = Column(
                name=name,
                type="EntityName" if kind == "EntityName" else "String",
                schema_name=(column.schema_name or column.name) + name.removeprefix(column.name),
                custom=column.custom,
                max_length=4000,
                can_create=False,
                can_update=False,
                attribute_of=column.name,
            )
            row = _attribute(table, made, number + position, {})
            row |= {"IsLogical": True, "IsValidODataAttribute": False, "DisplayName": label("")}
            if kind == "Virtual":
                own = {name: value for name, value in row.items() if name not in _typed(made)}
                row = own | {
                    "@odata.type": "#Microsoft.Dynamics.CRM.AttributeMetadata",
                    "AttributeType": "Virtual",
                    "AttributeTypeName": {"Value": "VirtualType"},
                }
            yield row


def _attribute(table: Table, column: Column, number: int, option_sets: Mapping[str, OptionSet]) -> Json:
    """A column with the properties of its type."""
    kind, type_name, metadata_type = TYPES[column.type]
    level = "SystemRequired" if column.required else column.level
    common = column_defaults() | {
        "@odata.type": f"#Microsoft.Dynamics.CRM.{metadata_type}AttributeMetadata",
        "MetadataId": attribute_id(table, column),
        "LogicalName": column.name,
        "SchemaName": column.schema_name or column.name,
        "EntityLogicalName": table.name,
        "AttributeType": kind,
        "AttributeTypeName": {"Value": type_name},
        "AttributeOf": column.attribute_of,
        "DisplayName": label(column.display_name or column.name, column.translations),
        "Description": label(column.description),
        "IsPrimaryId": column.name == table.primary_id,
        "IsPrimaryName": column.name == table.primary_name,
        "IsValidForCreate": column.can_create,
        "IsValidForUpdate": column.can_update,
        "IsValidODataAttribute": column.type != "PartyList",
        "IsCustomAttribute": column.custom,
        "IsSecured": column.secured,
        "RequiredLevel": {
            "Value": level,
            "CanBeChanged": not column.required,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
        },
        "SourceType": column.source_type,
        "AutoNumberFormat": column.auto_number,
        "ColumnNumber": number,
    }
    return common | _typed(column) | choices(table.name, column, option_sets)


def _typed(column: Column) -> Json:
    """The properties that a column has by its type."""
    typed = _of_type(column)
    if column.type in _TYPED_IN:
        typed["ImeMode"] = column.ime_mode
    if column.type in _COMPUTED:
        typed |= {"FormulaDefinition": "", "SourceTypeMask": 0}
    if column.type == "String":
        typed["YomiOf"] = None
    return typed


def _of_type(column: Column) -> Json:
    kind = column.type
    if kind in ("Lookup", "Customer", "Owner"):
        return {"Targets": list(column.targets), "Format": "None"}
    if kind == "PartyList":
        return {"Targets": ["account", "contact", "systemuser"], "Format": "None"}
    if kind in ("String", "Memo", "EntityName"):
        length = column.max_length or 4000
        shape = column.format or ("TextArea" if kind == "Memo" else "Text")
        return {
            "MaxLength": length,
            "DatabaseLength": 2 * length,
            "Format": shape,
            "FormatName": {"Value": shape},
            "IsLocalizable": False,
        }
    if kind == "DateTime":
        return {
            "Format": column.format or "DateAndTime",
            "DateTimeBehavior": {"Value": column.behavior},
            "CanChangeDateTimeBehavior": managed(False, "canchangedatetimebehavior"),
            "MinSupportedValue": "1753-01-01T00:00:00Z",
            "MaxSupportedValue": "9999-12-30T23:59:59Z",
        }
    if kind in _RANGES:
        low, high = _RANGES[kind]
        more: Json = {"MinValue": _limit(column.min_value, low), "MaxValue": _limit(column.max_value, high)}
        if kind in ("Decimal", "Double", "Money"):
            more["Precision"] = column.precision if column.precision is not None else 2
        if kind == "Money":
            more |= {
                "PrecisionSource": 2 if column.precision_source is None else column.precision_source,
                "CalculationOf": column.calculation_of,
                "IsBaseCurrency": column.calculation_of is not None,
            }
        if kind == "Integer":
            more["Format"] = column.format or "None"
        return more
    if kind == "Image":
        return {
            "IsPrimaryImage": column.primary_image or column.name == "entityimage",
            "MaxHeight": 144,
            "MaxWidth": 144,
            "MaxSizeInKB": column.max_size_kb or 10240,
            "CanStoreFullImage": column.full_image,
        }
    if kind == "File":
        return {"MaxSizeInKB": column.max_size_kb or 32768}
    return {}


def _limit(digits: str | None, usual: int) -> int | float:
    """A limit as metadata gives it, which for decimals is a number with a point."""
    if digits is None:
        return usual
    return float(digits) if "." in digits else int(digits)
