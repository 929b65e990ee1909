"""Tables, columns, relationships and keys as the metadata of the wire describes them.

Property names: https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/entitymetadata
"""

from functools import cached_property

from confmig.emulator import naming
from confmig.emulator.catalog import Catalog
from confmig.emulator.choices import Json, choices, label, managed, option_set
from confmig.emulator.model import Column, Key, ManyToMany, ManyToOne, Table

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


def entity_id(table: Table) -> str:
    """The MetadataId of a table."""
    return table.metadata_id or naming.table_id(table.name)


def attribute_id(table: Table, column: Column) -> str:
    """The MetadataId of a column."""
    return column.metadata_id or naming.stable_id("attribute", table.name, column.name)


def key_id(table: Table, key: Key) -> str:
    """The MetadataId of an alternate key."""
    return key.metadata_id or naming.stable_id("key", table.name, key.name)


def relationship_id(one: ManyToOne | ManyToMany) -> str:
    """The MetadataId of a relationship."""
    return one.metadata_id or naming.stable_id("relationship", one.schema_name)


class Metadata:
    """The metadata of a catalog; what it gives is built once and must not be changed."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._entities: dict[str, Json] = {}
        self._attributes: dict[str, list[Json]] = {}

    @cached_property
    def version(self) -> str:
        """The version of the metadata; it changes with the tables."""
        return str(int(naming.stable_id("metadata", *sorted(self.catalog.tables))[:8], 16))

    def entity(self, name: str) -> Json:
        """A table's own properties."""
        known = self._entities.get(name)
        if known is None:
            known = self._entities[name] = _entity(self.catalog.tables[name])
        return known

    def attributes(self, name: str) -> list[Json]:
        """The columns of a table."""
        known = self._attributes.get(name)
        if known is None:
            table = self.catalog.tables[name]
            known = self._attributes[name] = [
                attribute(table, column, self.catalog) for column in table.columns.values()
            ]
        return known

    def many_to_one(self, name: str) -> list[Json]:
        """The relationships whose lookup is in a table."""
        return [self._one_to_many(one) for one in self.catalog.from_table.get(name, [])]

    def one_to_many(self, name: str) -> list[Json]:
        """The relationships whose lookup points to a table."""
        return [self._one_to_many(one) for one in self.catalog.to_table.get(name, [])]

    def many_to_many(self, name: str) -> list[Json]:
        """The N:N relationships of a table."""
        return [many(one) for one in self.catalog.many_to_many if name in (one.table1, one.table2)]

    def keys(self, name: str) -> list[Json]:
        """The alternate keys of a table."""
        table = self.catalog.tables[name]
        return [_key(table, key) for key in table.keys]

    def option_sets(self) -> list[Json]:
        """All global choices."""
        return [option_set(one) for one in self.catalog.option_sets.values()]

    def relationships(self) -> list[Json]:
        """All relationships."""
        return [
            *(self._one_to_many(one) for one in self.catalog.many_to_one),
            *(many(one) for one in self.catalog.many_to_many),
        ]

    def _one_to_many(self, one: ManyToOne) -> Json:
        target = self.catalog.tables.get(one.target)
        return {
            "@odata.type": "#Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
            "MetadataId": relationship_id(one),
            "SchemaName": one.schema_name,
            "RelationshipType": "OneToManyRelationship",
            "ReferencedEntity": one.target,
            "ReferencedAttribute": target.primary_id if target else "ownerid",
            "ReferencingEntity": one.table,
            "ReferencingAttribute": one.column,
            "ReferencingEntityNavigationPropertyName": one.nav,
            "ReferencedEntityNavigationPropertyName": one.collection,
            "EntityKey": None,
            "RelationshipAttributes": [],
            "IsRelationshipAttributeDenormalized": False,
            "IsDenormalizedLookup": False,
            "DenormalizedAttributeName": None,
            "AssociatedMenuConfiguration": _menu(),
            "IsHierarchical": one.hierarchical,
            "IsCustomRelationship": one.custom,
            "IsManaged": False,
            "IsValidForAdvancedFind": True,
            "SecurityTypes": "Append",
            "RelationshipBehavior": 1,
            "IntroducedVersion": "1.0",
            "IsCustomizable": managed(True, "iscustomizable"),
            "CascadeConfiguration": {
                "Archive": "NoCascade",
                "Assign": one.cascade.assign,
                "Delete": one.cascade.delete,
                "Merge": one.cascade.merge,
                "Reparent": one.cascade.reparent,
                "Share": one.cascade.share,
                "Unshare": one.cascade.unshare,
                "RollupView": one.cascade.rollup_view,
            },
            "HasChanged": None,
        }


def _menu() -> Json:
    """How forms of one side show the other; the emulator has no forms.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/associatedmenuconfiguration
    """
    return {
        "Behavior": "UseCollectionName",
        "Group": "Details",
        "Order": None,
        "IsCustomizable": True,
        "Icon": None,
        "ViewId": naming.ZERO_GUID,
        "AvailableOffline": True,
        "MenuId": None,
        "QueryApi": None,
        "Label": label(""),
    }


def _entity(table: Table) -> Json:
    owners = {"user": "UserOwned", "organization": "OrganizationOwned", "none": "None"}
    return {
        "MetadataId": entity_id(table),
        "LogicalName": table.name,
        "SchemaName": table.schema_name or table.name,
        "EntitySetName": table.entity_set,
        "LogicalCollectionName": table.entity_set,
        "CollectionSchemaName": table.collection_name or table.entity_set,
        "DisplayName": label(table.display_name or table.name, table.translations),
        "DisplayCollectionName": label(table.display_collection_name or f"{table.display_name or table.name}s"),
        "Description": label(table.description),
        "PrimaryIdAttribute": table.primary_id,
        "PrimaryNameAttribute": table.primary_name,
        "PrimaryImageAttribute": _primary_image(table),
        "ObjectTypeCode": table.object_type_code,
        "OwnershipType": owners[table.ownership],
        "TableType": "Standard",
        "IsActivity": table.is_activity,
        "IsActivityParty": table.name == "activityparty",
        "ActivityTypeMask": 1 if table.is_activity else 0,
        "IsIntersect": table.is_intersect,
        "IsPrivate": False,
        "IsCustomEntity": table.custom,
        "IsManaged": table.managed,
        "IsLogicalEntity": False,
        "IsChildEntity": False,
        "IsImportable": not table.is_intersect,
        "IsSolutionAware": "solutionid" in table.columns and "componentstate" in table.columns,
        "IsStateModelAware": "statecode" in table.columns,
        "EnforceStateTransitions": False,
        "IsValidForAdvancedFind": not table.is_intersect,
        "IsOptimisticConcurrencyEnabled": table.optimistic,
        "ChangeTrackingEnabled": table.change_tracking,
        "IsBusinessProcessEnabled": False,
        "IsBPFEntity": False,
        "HasNotes": table.has_notes,
        "HasActivities": table.has_activities,
        "HasFeedback": False,
        "DataProviderId": None,
        "DataSourceId": None,
        "ExternalName": None,
        "IntroducedVersion": "1.0",
        "IsCustomizable": managed(True, "iscustomizable"),
        "IsRenameable": managed(True, "isrenameable"),
        "IsAuditEnabled": managed(False, "canmodifyauditsettings"),
        "IsDuplicateDetectionEnabled": managed(False, "canmodifyduplicatedetectionsettings"),
        "CanCreateAttributes": managed(not table.is_intersect, "cancreateattributes"),
        "CanBeInManyToMany": managed(not table.is_intersect, "canbeinmanytomany"),
        "CanChangeTrackingBeEnabled": managed(True, "canchangetrackingbeenabled"),
    }


def _primary_image(table: Table) -> str | None:
    images = [column for column in table.columns.values() if column.type == "Image"]
    return next((column.name for column in sorted(images, key=lambda one: not one.primary_image)), None)


def attribute(table: Table, column: Column, catalog: Catalog) -> Json:
    """A column with the properties of its type."""
    kind, type_name, metadata_type = TYPES[column.type]
    level = "SystemRequired" if column.required else column.level
    common: Json = {
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
        "IsValidForRead": True,
        "IsValidODataAttribute": column.type != "PartyList",
        "IsCustomAttribute": column.custom,
        "IsLogical": False,
        "IsManaged": False,
        "IsSecured": column.secured,
        "IsFilterable": True,
        "IsRetrievable": True,
        "IsSearchable": False,
        "RequiredLevel": {
            "Value": level,
            "CanBeChanged": not column.required,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
        },
        "SourceType": column.source_type,
        "AutoNumberFormat": column.auto_number,
        "InheritsFrom": None,
        "ExternalName": None,
        "DeprecatedVersion": None,
        "IntroducedVersion": "1.0",
        "ColumnNumber": 1 + list(table.columns).index(column.name),
        "IsCustomizable": managed(True, "iscustomizable"),
        "IsRenameable": managed(True, "isrenameable"),
        "IsAuditEnabled": managed(False, "canmodifyauditsettings"),
        "IsValidForAdvancedFind": managed(True, "canmodifysearchsettings"),
        "IsGlobalFilterEnabled": managed(False, "canmodifyglobalfiltersettings"),
        "IsSortableEnabled": managed(True, "canmodifyissortablesettings"),
        "HasChanged": None,
    }
    return common | _typed(column) | choices(table.name, column, catalog.option_sets)


def _typed(column: Column) -> Json:
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


def many(one: ManyToMany) -> Json:
    """An N:N relationship."""
    return {
        "@odata.type": "#Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata",
        "MetadataId": relationship_id(one),
        "SchemaName": one.schema_name,
        "RelationshipType": "ManyToManyRelationship",
        "IntersectEntityName": one.intersect,
        "Entity1LogicalName": one.table1,
        "Entity1IntersectAttribute": one.column1,
        "Entity1NavigationPropertyName": one.nav1,
        "Entity1AssociatedMenuConfiguration": _menu(),
        "Entity2LogicalName": one.table2,
        "Entity2IntersectAttribute": one.column2,
        "Entity2NavigationPropertyName": one.nav2,
        "Entity2AssociatedMenuConfiguration": _menu(),
        "IsCustomRelationship": one.custom or "_" in one.intersect,
        "IsManaged": False,
        "IsValidForAdvancedFind": True,
        "SecurityTypes": "None",
        "IntroducedVersion": "1.0",
        "IsCustomizable": managed(True, "iscustomizable"),
        "HasChanged": None,
    }


def _key(table: Table, key: Key) -> Json:
    return {
        "MetadataId": key_id(table, key),
        "LogicalName": key.name,
        "SchemaName": key.schema_name or key.name,
        "EntityLogicalName": table.name,
        "DisplayName": label(key.display_name or key.schema_name or key.name),
        "KeyAttributes": list(key.columns),
        "EntityKeyIndexStatus": key.status,
        "AsyncJob": None,
        "IsManaged": False,
        "IntroducedVersion": "1.0",
        "IsCustomizable": managed(True, "iscustomizable"),
        "HasChanged": None,
    }
