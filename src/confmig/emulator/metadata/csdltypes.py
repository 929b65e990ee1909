"""The types of ``$metadata`` that are not tables: metadata itself, and what functions and actions take and give.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/about
"""

from collections.abc import Iterator

_ENUMS: dict[str, tuple[str, ...]] = {
    "AttributeTypeCode": (
        "Boolean", "Customer", "DateTime", "Decimal", "Double", "Integer", "Lookup", "Memo", "Money", "Owner",
        "PartyList", "Picklist", "State", "Status", "String", "Uniqueidentifier", "CalendarRules", "Virtual", "BigInt",
        "ManagedProperty", "EntityName",
    ),
    "AttributeRequiredLevel": ("None", "SystemRequired", "ApplicationRequired", "Recommended"),
    "CascadeType": ("NoCascade", "Cascade", "Active", "UserOwned", "RemoveLink", "Restrict"),
    "DateTimeFormat": ("DateOnly", "DateAndTime"),
    "EntityKeyIndexStatus": ("Pending", "InProgress", "Active", "Failed"),
    "ImeMode": ("Auto", "Inactive", "Active", "Disabled"),
    "IntegerFormat": ("None", "Duration", "TimeZone", "Language", "Locale"),
    "OptionSetType": ("Picklist", "State", "Status", "Boolean"),
    "OwnershipTypes": (
        "None", "UserOwned", "TeamOwned", "BusinessOwned", "OrganizationOwned", "BusinessParented", "Filtered",
    ),
    "RelationshipType": ("OneToManyRelationship", "ManyToManyRelationship"),
    "SecurityTypes": ("None", "Append", "ParentChild", "Pointer", "Inheritance"),
    "StringFormat": ("Email", "Text", "TextArea", "Url", "TickerSymbol", "PhoneticGuide", "VersionNumber", "Phone"),
}  # fmt: skip
_FORMULA = {"FormulaDefinition": "String", "SourceTypeMask": "Int32"}
_COMPLEX: dict[str, dict[str, str]] = {
    "LocalizedLabel": {
        "Label": "String", "LanguageCode": "Int32", "IsManaged": "Boolean", "MetadataId": "Guid",
        "HasChanged": "Boolean",
    },
    "Label": {"LocalizedLabels": "Collection(LocalizedLabel)", "UserLocalizedLabel": "LocalizedLabel"},
    "BooleanManagedProperty": {"Value": "Boolean", "CanBeChanged": "Boolean", "ManagedPropertyLogicalName": "String"},
    "AttributeRequiredLevelManagedProperty": {
        "Value": "AttributeRequiredLevel", "CanBeChanged": "Boolean", "ManagedPropertyLogicalName": "String",
    },
    "AttributeTypeDisplayName": {"Value": "String"},
    "StringFormatName": {"Value": "String"},
    "DateTimeBehavior": {"Value": "String"},
    "CascadeConfiguration": {
        "Assign": "CascadeType", "Delete": "CascadeType", "Merge": "CascadeType", "Reparent": "CascadeType",
        "Share": "CascadeType", "Unshare": "CascadeType", "RollupView": "CascadeType",
    },
    "OptionMetadata": {
        "Value": "Int32", "Label": "Label", "Description": "Label", "Color": "String", "IsManaged": "Boolean",
        "ExternalValue": "String", "MetadataId": "Guid", "HasChanged": "Boolean",
    },
    "StatusOptionMetadata:OptionMetadata": {"State": "Int32", "TransitionData": "String"},
    "StateOptionMetadata:OptionMetadata": {"DefaultStatus": "Int32", "InvariantName": "String"},
    "WhoAmIResponse": {"BusinessUnitId": "Guid", "UserId": "Guid", "OrganizationId": "Guid"},
    "RetrieveVersionResponse": {"Version": "String"},
    "RetrieveProvisionedLanguagesResponse": {"RetrieveProvisionedLanguages": "Collection(Int32)"},
    "RetrieveAvailableLanguagesResponse": {"LocaleIds": "Collection(Int32)"},
    "CreateMultipleResponse": {"Ids": "Collection(Guid)"},
    "InsertOptionValueResponse": {"NewOptionValue": "Int32"},
    "InsertStatusValueResponse": {"NewOptionValue": "Int32"},
    "CreateCustomerRelationshipsResponse": {"RelationshipIds": "Collection(Guid)", "AttributeId": "Guid"},
    "CreatePolymorphicLookupAttributeResponse": {"RelationshipIds": "Collection(Guid)", "AttributeId": "Guid"},
}  # fmt: skip
"""Complex types with their properties; ``name:base`` is derived from another."""
_ENTITIES: dict[str, dict[str, str]] = {
    "MetadataBase": {"MetadataId": "Guid", "HasChanged": "Boolean"},
    "EntityMetadata:MetadataBase": {
        "LogicalName": "String", "SchemaName": "String", "EntitySetName": "String", "LogicalCollectionName": "String",
        "CollectionSchemaName": "String", "DisplayName": "Label", "DisplayCollectionName": "Label",
        "Description": "Label", "PrimaryIdAttribute": "String", "PrimaryNameAttribute": "String",
        "PrimaryImageAttribute": "String", "ObjectTypeCode": "Int32", "OwnershipType": "OwnershipTypes",
        "IsActivity": "Boolean", "IsIntersect": "Boolean", "IsPrivate": "Boolean", "IsCustomEntity": "Boolean",
        "IsManaged": "Boolean", "ChangeTrackingEnabled": "Boolean", "HasNotes": "Boolean", "HasActivities": "Boolean",
        "TableType": "String",
    },
    "AttributeMetadata:MetadataBase": {
        "LogicalName": "String", "SchemaName": "String", "EntityLogicalName": "String", "AttributeOf": "String",
        "AttributeType": "AttributeTypeCode", "AttributeTypeName": "AttributeTypeDisplayName", "DisplayName": "Label",
        "Description": "Label", "IsPrimaryId": "Boolean", "IsPrimaryName": "Boolean", "IsValidForCreate": "Boolean",
        "IsValidForUpdate": "Boolean", "IsValidForRead": "Boolean", "IsCustomAttribute": "Boolean",
        "IsLogical": "Boolean", "IsSecured": "Boolean", "SourceType": "Int32", "AutoNumberFormat": "String",
        "RequiredLevel": "AttributeRequiredLevelManagedProperty", "ColumnNumber": "Int32",
    },
    "BigIntAttributeMetadata:AttributeMetadata": {"MinValue": "Int64", "MaxValue": "Int64"},
    "BooleanAttributeMetadata:AttributeMetadata": {"DefaultValue": "Boolean", **_FORMULA},
    "DateTimeAttributeMetadata:AttributeMetadata": {
        "Format": "DateTimeFormat", "DateTimeBehavior": "DateTimeBehavior", "ImeMode": "ImeMode", **_FORMULA,
    },
    "DecimalAttributeMetadata:AttributeMetadata": {
        "MinValue": "Decimal", "MaxValue": "Decimal", "Precision": "Int32", "ImeMode": "ImeMode", **_FORMULA,
    },
    "DoubleAttributeMetadata:AttributeMetadata": {
        "MinValue": "Double", "MaxValue": "Double", "Precision": "Int32", "ImeMode": "ImeMode",
    },
    "EntityNameAttributeMetadata:AttributeMetadata": {"MaxLength": "Int32"},
    "FileAttributeMetadata:AttributeMetadata": {"MaxSizeInKB": "Int32"},
    "ImageAttributeMetadata:AttributeMetadata": {
        "IsPrimaryImage": "Boolean", "MaxHeight": "Int16", "MaxWidth": "Int16", "MaxSizeInKB": "Int32",
        "CanStoreFullImage": "Boolean",
    },
    "IntegerAttributeMetadata:AttributeMetadata": {
        "MinValue": "Int32", "MaxValue": "Int32", "Format": "IntegerFormat", **_FORMULA,
    },
    "LookupAttributeMetadata:AttributeMetadata": {"Targets": "Collection(String)"},
    "MemoAttributeMetadata:AttributeMetadata": {"MaxLength": "Int32", "Format": "StringFormat", "ImeMode": "ImeMode"},
    "MoneyAttributeMetadata:AttributeMetadata": {
        "MinValue": "Double", "MaxValue": "Double", "Precision": "Int32", "PrecisionSource": "Int32",
        "CalculationOf": "String", "IsBaseCurrency": "Boolean", "ImeMode": "ImeMode", **_FORMULA,
    },
    "MultiSelectPicklistAttributeMetadata:AttributeMetadata": {"DefaultFormValue": "Int32"},
    "PicklistAttributeMetadata:AttributeMetadata": {"DefaultFormValue": "Int32", **_FORMULA},
    "StateAttributeMetadata:AttributeMetadata": {"DefaultFormValue": "Int32"},
    "StatusAttributeMetadata:AttributeMetadata": {"DefaultFormValue": "Int32"},
    "StringAttributeMetadata:AttributeMetadata": {
        "MaxLength": "Int32", "DatabaseLength": "Int32", "FormatName": "StringFormatName", "Format": "StringFormat",
        "ImeMode": "ImeMode", "YomiOf": "String", **_FORMULA,
    },
    "UniqueIdentifierAttributeMetadata:AttributeMetadata": {},
    "EntityKeyMetadata:MetadataBase": {
        "LogicalName": "String", "SchemaName": "String", "EntityLogicalName": "String", "DisplayName": "Label",
        "KeyAttributes": "Collection(String)", "EntityKeyIndexStatus": "EntityKeyIndexStatus",
    },
    "RelationshipMetadataBase:MetadataBase": {
        "SchemaName": "String", "RelationshipType": "RelationshipType", "IsCustomRelationship": "Boolean",
        "IsManaged": "Boolean", "SecurityTypes": "SecurityTypes",
    },
    "OneToManyRelationshipMetadata:RelationshipMetadataBase": {
        "ReferencedEntity": "String", "ReferencedAttribute": "String", "ReferencingEntity": "String",
        "ReferencingAttribute": "String", "ReferencingEntityNavigationPropertyName": "String",
        "ReferencedEntityNavigationPropertyName": "String", "CascadeConfiguration": "CascadeConfiguration",
        "IsHierarchical": "Boolean",
    },
    "ManyToManyRelationshipMetadata:RelationshipMetadataBase": {
        "IntersectEntityName": "String", "Entity1LogicalName": "String", "Entity1IntersectAttribute": "String",
        "Entity1NavigationPropertyName": "String", "Entity2LogicalName": "String",
        "Entity2IntersectAttribute": "String", "Entity2NavigationPropertyName": "String",
    },
    "OptionSetMetadataBase:MetadataBase": {
        "Name": "String", "DisplayName": "Label", "Description": "Label", "IsGlobal": "Boolean",
        "OptionSetType": "OptionSetType",
    },
    "OptionSetMetadata:OptionSetMetadataBase": {"Options": "Collection(OptionMetadata)"},
    "BooleanOptionSetMetadata:OptionSetMetadataBase": {"TrueOption": "OptionMetadata", "FalseOption": "OptionMetadata"},
}  # fmt: skip
_CHOICES = ("Boolean", "MultiSelectPicklist", "Picklist", "State", "Status")
_NAVIGATIONS: dict[str, dict[str, str]] = {
    "EntityMetadata": {
        "Attributes": "Collection(AttributeMetadata)",
        "Keys": "Collection(EntityKeyMetadata)",
        "OneToManyRelationships": "Collection(OneToManyRelationshipMetadata)",
        "ManyToOneRelationships": "Collection(OneToManyRelationshipMetadata)",
        "ManyToManyRelationships": "Collection(ManyToManyRelationshipMetadata)",
    },
    "OneToManyRelationshipMetadata": {"Lookup": "LookupAttributeMetadata"},
} | {
    f"{kind}AttributeMetadata": {
        "OptionSet": "BooleanOptionSetMetadata" if kind == "Boolean" else "OptionSetMetadata",
        "GlobalOptionSet": "BooleanOptionSetMetadata" if kind == "Boolean" else "OptionSetMetadata",
    }
    for kind in _CHOICES
}
_FUNCTIONS: dict[str, tuple[dict[str, str], str]] = {
    "WhoAmI": ({}, "WhoAmIResponse"),
    "RetrieveVersion": ({}, "RetrieveVersionResponse"),
    "RetrieveProvisionedLanguages": ({}, "RetrieveProvisionedLanguagesResponse"),
    "RetrieveAvailableLanguages": ({}, "RetrieveAvailableLanguagesResponse"),
}
_OPTION = {"OptionSetName": "String", "AttributeLogicalName": "String", "EntityLogicalName": "String", "Value": "Int32"}
_LABELLED = _OPTION | {"Label": "Label", "Description": "Label", "SolutionUniqueName": "String"}
_LOOKUP = {
    "OneToManyRelationships": "Collection(OneToManyRelationshipMetadata)",
    "Lookup": "LookupAttributeMetadata",
    "SolutionUniqueName": "String",
}
_ACTIONS: dict[str, tuple[dict[str, str], str]] = {
    "InsertOptionValue": (_LABELLED, "InsertOptionValueResponse"),
    "InsertStatusValue": (_LABELLED | {"StateCode": "Int32"}, "InsertStatusValueResponse"),
    "UpdateOptionValue": (_LABELLED | {"MergeLabels": "Boolean"}, ""),
    "UpdateStateValue": (_LABELLED | {"MergeLabels": "Boolean", "DefaultStatusCode": "Int32"}, ""),
    "DeleteOptionValue": (_OPTION | {"SolutionUniqueName": "String"}, ""),
    "OrderOption": (
        {name: kind for name, kind in _OPTION.items() if name != "Value"} | {"Values": "Collection(Int32)"},
        "",
    ),
    "CreateCustomerRelationships": (_LOOKUP, "CreateCustomerRelationshipsResponse"),
    "CreatePolymorphicLookupAttribute": (_LOOKUP, "CreatePolymorphicLookupAttributeResponse"),
    "PublishXml": ({"ParameterXml": "String"}, ""),
    "PublishAllXml": ({}, ""),
}
_BULK: dict[str, str] = {"CreateMultiple": "CreateMultipleResponse", "UpdateMultiple": "", "UpsertMultiple": ""}
ENTITY_SETS = (
    '<EntitySet Name="EntityDefinitions" EntityType="Microsoft.Dynamics.CRM.EntityMetadata" />'
    '<EntitySet Name="RelationshipDefinitions" EntityType="Microsoft.Dynamics.CRM.RelationshipMetadataBase" />'
    '<EntitySet Name="GlobalOptionSetDefinitions" EntityType="Microsoft.Dynamics.CRM.OptionSetMetadataBase" />',
    *(f'<FunctionImport Name="{name}" Function="mscrm.{name}" />' for name in _FUNCTIONS),
    *(f'<ActionImport Name="{name}" Action="mscrm.{name}" />' for name in _ACTIONS),
)
"""What the container holds beside the sets of the tables."""


def _qualified(kind: str) -> str:
    """A type with its namespace; what is none of ours is primitive."""
    if kind.startswith("Collection("):
        return f"Collection({_qualified(kind[11:-1])})"
    own = kind in _ENUMS or any(kind == name.partition(":")[0] for name in (*_COMPLEX, *_ENTITIES))
    return f"{'mscrm' if own else 'Edm'}.{kind}"


def schema_types() -> Iterator[str]:
    """The elements of the schema for these types, functions and actions."""
    for name, members in _ENUMS.items():
        listed = "".join(f'<Member Name="{member}" Value="{value}" />' for value, member in enumerate(members))
        yield f'<EnumType Name="{name}">{listed}</EnumType>'
    for element, types in (("ComplexType", _COMPLEX), ("EntityType", _ENTITIES)):
        for full_name, properties in types.items():
            yield _type(element, full_name, properties)
    for element, calls in (("Function", _FUNCTIONS), ("Action", _ACTIONS)):
        for name, (parameters, result) in calls.items():
            yield _call(element, name, parameters, result)
    rows = "".join(
        f'<Parameter Name="{name}" Type="Collection(mscrm.crmbaseentity)" Nullable="false" />'
        for name in ("entityset", "Targets")
    )
    for name, result in _BULK.items():
        yield f'<Action Name="{name}" IsBound="true">{rows}{_result(result)}</Action>'


def _type(element: str, full_name: str, properties: dict[str, str]) -> str:
    name, _, base = full_name.partition(":")
    inherited = f' BaseType="mscrm.{base}"' if base else ""
    key = '<Key><PropertyRef Name="MetadataId" /></Key>' if name == "MetadataBase" else ""
    listed = "".join(f'<Property Name="{one}" Type="{_qualified(kind)}" />' for one, kind in properties.items())
    listed += "".join(
        f'<NavigationProperty Name="{one}" Type="{_qualified(kind)}" />'
        for one, kind in _NAVIGATIONS.get(name, {}).items()
    )
    return f'<{element} Name="{name}"{inherited}>{key}{listed}</{element}>'


def _call(element: str, name: str, parameters: dict[str, str], result: str) -> str:
    listed = "".join(f'<Parameter Name="{one}" Type="{_qualified(kind)}" />' for one, kind in parameters.items())
    return f'<{element} Name="{name}">{listed}{_result(result)}</{element}>'


def _result(result: str) -> str:
    return f'<ReturnType Type="{_qualified(result)}" Nullable="false" />' if result else ""
