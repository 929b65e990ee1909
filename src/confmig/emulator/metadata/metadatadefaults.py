"""Properties of metadata that the emulator does not keep, with the values that the service gives a new table or column.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-update-entity-definitions-using-web-api
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-update-column-definitions-using-web-api
"""

from confmig.emulator.catalog import naming
from confmig.emulator.metadata.choices import Json, label, managed

_TABLE_FLAGS: dict[str, bool] = {
    "AutoCreateAccessTeams": False, "AutoRouteToOwnerQueue": False, "CanTriggerWorkflow": True,
    "EntityHelpUrlEnabled": False, "HasEmailAddresses": False, "HasFeedback": False, "IsAIRUpdated": False,
    "IsArchivalEnabled": False, "IsAvailableOffline": False, "IsBPFEntity": False, "IsBusinessProcessEnabled": False,
    "IsChildEntity": False, "IsDocumentManagementEnabled": False, "IsDocumentRecommendationsEnabled": False,
    "IsEnabledForCharts": True, "IsEnabledForExternalChannels": False, "IsEnabledForTrace": False,
    "IsInteractionCentricEnabled": False, "IsKnowledgeManagementEnabled": False, "IsLogicalEntity": False,
    "IsMSTeamsIntegrationEnabled": False, "IsOneNoteIntegrationEnabled": False, "IsPrivate": False,
    "IsQuickCreateEnabled": False, "IsReadingPaneEnabled": True, "IsRetentionEnabled": False, "IsSLAEnabled": False,
    "SyncToExternalSearchIndex": False, "UsesBusinessDataLabelTable": False, "EnforceStateTransitions": False,
}  # fmt: skip
_TABLE_MANAGED: dict[str, tuple[bool, str]] = {
    "CanBeInCustomEntityAssociation": (True, "canbeincustomentityassociation"),
    "CanBePrimaryEntityInRelationship": (True, "canbeprimaryentityinrelationship"),
    "CanBeRelatedEntityInRelationship": (True, "canberelatedentityinrelationship"),
    "CanChangeHierarchicalRelationship": (True, "canchangehierarchicalrelationship"),
    "CanChangeTrackingBeEnabled": (True, "canchangetrackingbeenabled"),
    "CanCreateCharts": (True, "cancreatecharts"),
    "CanCreateForms": (True, "cancreateforms"),
    "CanCreateViews": (True, "cancreateviews"),
    "CanEnableSyncToExternalSearchIndex": (True, "canenablesynctoexternalsearchindex"),
    "CanModifyAdditionalSettings": (True, "canmodifyadditionalsettings"),
    "IsAuditEnabled": (False, "canmodifyauditsettings"),
    "IsConnectionsEnabled": (False, "canmodifyconnectionsettings"),
    "IsCustomizable": (True, "iscustomizable"),
    "IsDuplicateDetectionEnabled": (False, "canmodifyduplicatedetectionsettings"),
    "IsMailMergeEnabled": (True, "canmodifymailmergesettings"),
    "IsMappable": (True, "ismappable"),
    "IsOfflineInMobileClient": (False, "canmodifymobileclientoffline"),
    "IsReadOnlyInMobileClient": (False, "canmodifymobileclientreadonly"),
    "IsRenameable": (True, "isrenameable"),
    "IsValidForQueue": (False, "canmodifyqueuesettings"),
    "IsVisibleInMobile": (False, "canmodifymobilevisibility"),
    "IsVisibleInMobileClient": (False, "canmodifymobileclientvisibility"),
}
_TABLE_NOTHING = (
    "DataProviderId", "DataSourceId", "EntityColor", "EntityHelpUrl", "ExternalCollectionName", "ExternalName",
    "IconLargeName", "IconMediumName", "IconSmallName", "IconVectorName", "MobileOfflineFilters", "OwnerId",
    "OwnerIdType", "OwningBusinessUnit", "RecurrenceBaseEntityLogicalName", "SettingOf", "PrimaryNameAttribute",
)  # fmt: skip
_COLUMN_FLAGS: dict[str, bool] = {
    "CanBeSecuredForCreate": True, "CanBeSecuredForRead": True, "CanBeSecuredForUpdate": True,
    "IsDataSourceSecret": False, "IsFilterable": True, "IsLogical": False, "IsManaged": False,
    "IsRequiredForForm": False, "IsRetrievable": True, "IsSearchable": False, "IsValidForForm": True,
    "IsValidForGrid": True, "IsValidForRead": True,
}  # fmt: skip
_COLUMN_MANAGED: dict[str, tuple[bool, str]] = {
    "CanModifyAdditionalSettings": (True, "canmodifyadditionalsettings"),
    "IsAuditEnabled": (False, "canmodifyauditsettings"),
    "IsCustomizable": (True, "iscustomizable"),
    "IsGlobalFilterEnabled": (False, "canmodifyglobalfiltersettings"),
    "IsRenameable": (True, "isrenameable"),
    "IsSortableEnabled": (True, "canmodifyissortablesettings"),
    "IsValidForAdvancedFind": (True, "canmodifysearchsettings"),
}
_MADE = "2026-01-01T00:00:00Z"
"""When tables and columns were made, which the emulator does not keep."""


def table_defaults() -> Json:
    """The properties of any table."""
    return {
        **_TABLE_FLAGS,
        **{name: managed(value, property_name) for name, (value, property_name) in _TABLE_MANAGED.items()},
        **dict.fromkeys(_TABLE_NOTHING),
        "DaysSinceRecordLastModified": 0,
        "IntroducedVersion": "1.0",
        "Settings": [],
        "CreatedOn": _MADE,
        "ModifiedOn": _MADE,
        "HasChanged": None,
    }


def column_defaults() -> Json:
    """The properties of any column."""
    return {
        **_COLUMN_FLAGS,
        **{name: managed(value, property_name) for name, (value, property_name) in _COLUMN_MANAGED.items()},
        **dict.fromkeys(("DeprecatedVersion", "ExternalName", "InheritsFrom", "LinkedAttributeId")),
        "IntroducedVersion": "1.0",
        "Settings": [],
        "CreatedOn": _MADE,
        "ModifiedOn": _MADE,
        "HasChanged": None,
    }


def managed_properties() -> list[Json]:
    """The managed properties of tables and columns.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/managedpropertymetadata
    """
    names = {name for _, name in (*_TABLE_MANAGED.values(), *_COLUMN_MANAGED.values())}
    return [
        {
            "@odata.type": "#Microsoft.Dynamics.CRM.ManagedPropertyMetadata",
            "MetadataId": naming.stable_id("managedproperty", name),
            "HasChanged": None,
            "LogicalName": name,
            "DisplayName": label(name),
            "Description": label(""),
            "EnablesEntityName": None,
            "EnablesAttributeName": None,
            "ErrorCode": None,
            "EvaluationPriority": "Normal",
            "IntroducedVersion": "5.0.0.0",
            "IsGlobalForOperation": False,
            "IsPrivate": False,
            "ManagedPropertyType": "Operation",
            "Operation": "CreateUpdate",
        }
        for name in sorted(names)
    ]
