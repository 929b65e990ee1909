"""Tables, columns, relationships and keys as the metadata of the wire describes them.

Property names: https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/entitymetadata
"""

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.catalog.model import Key, ManyToMany, ManyToOne, Table
from confmig.emulator.metadata.choices import Json, label, managed, option_set
from confmig.emulator.metadata.metadatacolumns import attributes_of
from confmig.emulator.metadata.metadatadefaults import table_defaults
from confmig.emulator.security.privileges import privilege_id, privilege_name, verbs_of


def entity_id(table: Table) -> str:
    """The MetadataId of a table."""
    return table.metadata_id or naming.table_id(table.name)


def key_id(table: Table, key: Key) -> str:
    """The MetadataId of an alternate key."""
    return key.metadata_id or naming.stable_id("key", table.name, key.name)


def relationship_id(one: ManyToOne | ManyToMany) -> str:
    """The MetadataId of a relationship."""
    return one.metadata_id or naming.stable_id("relationship", one.schema_name)


class Metadata:
    """The metadata of a catalog; what it gives is built once and must not be changed.

    Args:
        catalog: The catalog.
        version: Which version of the metadata it is.
    """

    def __init__(self, catalog: Catalog, version: int = 0) -> None:
        self.catalog = catalog
        self.version = version
        self._entities: dict[str, Json] = {}
        self._attributes: dict[str, list[Json]] = {}

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
            known = self._attributes[name] = attributes_of(table, self.catalog.option_sets)
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
    return table_defaults() | {
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
        "ReportViewName": f"Filtered{table.schema_name or table.name}",
        "IsActivity": table.is_activity,
        "IsActivityParty": table.name == "activityparty",
        "ActivityTypeMask": 1 if table.is_activity else 0,
        "IsIntersect": table.is_intersect,
        "IsCustomEntity": table.custom,
        "IsManaged": table.managed,
        "IsImportable": not table.is_intersect,
        "IsSolutionAware": "solutionid" in table.columns and "componentstate" in table.columns,
        "IsStateModelAware": "statecode" in table.columns,
        "EnforceStateTransitions": table.enforce_transitions,
        "IsValidForAdvancedFind": not table.is_intersect,
        "IsOptimisticConcurrencyEnabled": table.optimistic,
        "ChangeTrackingEnabled": table.change_tracking,
        "HasNotes": table.has_notes,
        "HasActivities": table.has_activities,
        "CanCreateAttributes": managed(not table.is_intersect, "cancreateattributes"),
        "CanBeInManyToMany": managed(not table.is_intersect, "canbeinmanytomany"),
        "Privileges": [_privilege(table, verb) for verb in verbs_of(table)],
    }


def _privilege(table: Table, verb: str) -> Json:
    """A privilege on the rows of a table.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/securityprivilegemetadata
    """
    name, owned = privilege_name(verb, table), table.ownership == "user"
    return {
        "CanBeBasic": owned,
        "CanBeDeep": owned,
        "CanBeGlobal": True,
        "CanBeLocal": owned,
        "CanBeEntityReference": False,
        "CanBeParentEntityReference": False,
        "Name": name,
        "PrivilegeId": privilege_id(name),
        "PrivilegeType": verb,
    }


def _primary_image(table: Table) -> str | None:
    images = [column for column in table.columns.values() if column.type == "Image"]
    return next((column.name for column in sorted(images, key=lambda one: not one.primary_image)), None)


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
