"""Queries for metadata as the documents and the clients write them.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query-metadata-web-api
"""

import pytest

from .client import Client, error
from .metadatabodies import CRM

ACCOUNT = "EntityDefinitions(LogicalName='account')"
CONTACT = "EntityDefinitions(LogicalName='contact')"


def names(client: Client, path: str, name: str = "LogicalName") -> set[str]:
    return {row[name] for row in client.get(path)["value"]}


def test_properties_that_the_documents_list(shop: Client) -> None:
    one = shop.get(f"{ACCOUNT}?$select=DisplayName,IsKnowledgeManagementEnabled,EntitySetName")
    assert set(one) == {
        "@odata.context", "MetadataId", "DisplayName", "IsKnowledgeManagementEnabled", "EntitySetName",
    }  # fmt: skip
    listed = "EntityDefinitions(DisplayName,IsKnowledgeManagementEnabled,EntitySetName)/$entity"
    assert one["@odata.context"] == f"{shop.root}$metadata#{listed}"
    every = shop.get(ACCOUNT)
    assert {
        "ActivityTypeMask", "AutoCreateAccessTeams", "CanTriggerWorkflow", "CreatedOn", "ModifiedOn", "DataProviderId",
        "DaysSinceRecordLastModified", "EntityColor", "ExternalCollectionName", "HasFeedback", "IconVectorName",
        "IntroducedVersion", "IsMailMergeEnabled", "IsQuickCreateEnabled", "IsSLAEnabled", "MobileOfflineFilters",
        "RecurrenceBaseEntityLogicalName", "ReportViewName", "Settings", "SettingOf", "UsesBusinessDataLabelTable",
        "Privileges", "TableType", "IsPrivate", "IsValidForQueue", "IsConnectionsEnabled",
    } <= every.keys()  # fmt: skip
    assert "Attributes" not in every
    column = shop.get(f"{ACCOUNT}/Attributes(LogicalName='name')")
    assert {
        "CanBeSecuredForCreate", "ColumnNumber", "CreatedOn", "DeprecatedVersion", "IsDataSourceSecret",
        "IsRequiredForForm", "IsValidForForm", "IsValidForGrid", "LinkedAttributeId", "CanModifyAdditionalSettings",
    } <= column.keys()  # fmt: skip


def test_enumerations_in_filters_with_and_without_their_type(shop: Client) -> None:
    path = f"{CONTACT}/Attributes?$select=LogicalName&$filter=AttributeType eq "
    qualified = names(shop, f"{path}Microsoft.Dynamics.CRM.AttributeTypeCode'Picklist'")
    assert qualified == names(shop, f"{path}'Picklist'") == {"shop_size", "shop_any"}
    level = "RequiredLevel/Value eq Microsoft.Dynamics.CRM.AttributeRequiredLevel'SystemRequired'"
    assert "contactid" in names(shop, f"{CONTACT}/Attributes?$select=LogicalName&$filter={level}")
    flag = "EntityDefinitions?$select=LogicalName&$filter=CanCreateAttributes/Value eq true"
    assert "account" in names(shop, flag)
    assert "shop_related" not in names(shop, flag)
    kind = "RelationshipType eq Microsoft.Dynamics.CRM.RelationshipType'ManyToManyRelationship'"
    assert "shop_related" in names(shop, f"RelationshipDefinitions?$filter={kind}", "SchemaName")


@pytest.mark.parametrize(
    "query",
    [
        "EntityDefinitions?$filter=DisplayName/UserLocalizedLabel/Label eq 'Account'",
        "EntityDefinitions?$filter=Privileges eq 'x'",
        "EntityDefinitions?$filter=IsCustomizable eq true",
        "EntityDefinitions?$select=Nothing",
        "EntityDefinitions?$select=logicalname",
        "EntityDefinitions?$expand=Nothing",
        "EntityDefinitions?$top=5",
        "EntityDefinitions?$count=true",
        "EntityDefinitions?$orderby=LogicalName",
        "RelationshipDefinitions?$top=1",
        "GlobalOptionSetDefinitions?$top=1",
        f"{ACCOUNT}/Attributes?$top=1",
        f"{ACCOUNT}/Attributes?$select=LogicalName,MaxLength",
        f"{ACCOUNT}/Attributes?$expand=OptionSet",
        f"{ACCOUNT}/Attributes/{CRM}StringAttributeMetadata?$select=Precision",
        f"{ACCOUNT}/Privileges?$select=Name",
        "RelationshipDefinitions?$filter=ReferencedEntity eq 'account'",
        "EntityDefinitions(Name='account')",
    ],
)
def test_what_metadata_cannot_be_asked(shop: Client, query: str) -> None:
    assert error(shop.send("GET", query)) == (400, "0x80060888")


@pytest.mark.parametrize(
    "path",
    [
        f"{ACCOUNT}/Attributes/{CRM}EnumAttributeMetadata",
        f"{ACCOUNT}/Attributes/{CRM}OneToManyRelationshipMetadata",
        f"{ACCOUNT}/Keys/{CRM}EntityKeyMetadata2",
        f"{ACCOUNT}/Attributes(LogicalName='name')/Nothing",
        f"{ACCOUNT}/Attributes(LogicalName='name')/{CRM}MoneyAttributeMetadata",
        f"{ACCOUNT}/LogicalName/more",
        f"{ACCOUNT}/@odata.type",
        "EntityDefinitions/Attributes",
        "RelationshipDefinitions(SchemaName='nothing')",
    ],
)
def test_paths_that_are_not_there(shop: Client, path: str) -> None:
    assert error(shop.send("GET", path)) == (404, "0x80060888")


def test_casts_give_the_properties_of_the_type(shop: Client) -> None:
    money = shop.get(f"{ACCOUNT}/Attributes/{CRM}MoneyAttributeMetadata?$select=LogicalName,Precision")
    assert money["@odata.context"].endswith(
        f"#EntityDefinitions('account')/Attributes/{CRM}MoneyAttributeMetadata(LogicalName,Precision)"
    )
    assert {row["LogicalName"]: row["Precision"] for row in money["value"]}["revenue"] == 4
    lookups = shop.get(f"{CONTACT}/Attributes/{CRM}LookupAttributeMetadata?$select=LogicalName,Targets")["value"]
    assert {row["LogicalName"]: row["Targets"] for row in lookups}["parentcustomerid"] == ["account", "contact"]
    base = names(shop, f"{CONTACT}/Attributes/{CRM}AttributeMetadata?$select=LogicalName")
    assert base == names(shop, f"{CONTACT}/Attributes?$select=LogicalName")
    one = f"RelationshipDefinitions/{CRM}OneToManyRelationshipMetadata?$select=SchemaName,ReferencedEntity"
    rows = shop.get(f"{one}&$filter=ReferencedEntity eq 'account'")["value"]
    assert rows
    assert {row["ReferencedEntity"] for row in rows} == {"account"}


def test_the_options_of_a_choice_by_its_path(shop: Client) -> None:
    path = f"{CONTACT}/Attributes(LogicalName='shop_size')/{CRM}PicklistAttributeMetadata"
    whole = shop.get(f"{path}?$select=LogicalName&$expand=OptionSet")
    assert (whole["OptionSet"]["Name"], whole["OptionSet"]["IsGlobal"]) == ("contact_shop_size", False)
    assert len(whole["OptionSet"]["Options"]) == 2
    options = shop.get(f"{path}/OptionSet?$select=Options")
    assert set(options) == {"@odata.context", "@odata.type", "MetadataId", "Options"}
    assert len(shop.get(f"{path}/OptionSet/Options")["value"]) == 2
    assert shop.send("GET", f"{path}/GlobalOptionSet").status_code == 204


def test_single_properties_of_a_table(shop: Client) -> None:
    assert shop.get(f"{ACCOUNT}/EntitySetName")["value"] == "accounts"
    assert shop.send("GET", f"{ACCOUNT}/ObjectTypeCode/$value").text == "1"
    assert shop.send("GET", f"{ACCOUNT}/IsActivity/$value").text == "false"
    assert shop.get(f"{ACCOUNT}/DisplayName")["UserLocalizedLabel"]["Label"] == "Account"
    assert shop.get(f"{ACCOUNT}/DisplayName/UserLocalizedLabel/Label")["value"] == "Account"
    assert shop.send("GET", f"{ACCOUNT}/CanCreateAttributes/Value/$value").text == "true"
    assert shop.send("GET", f"{ACCOUNT}/CanCreateAttributes/Nothing").status_code == 404
    privileges = {row["PrivilegeType"]: row["Name"] for row in shop.get(f"{ACCOUNT}/Privileges")["value"]}
    assert privileges["Create"] == "prvCreateAccount"
    assert {"Read", "Write", "Delete", "Assign", "Share", "Append", "AppendTo"} <= privileges.keys()
    assert shop.send("GET", f"{ACCOUNT}/DataProviderId").status_code == 204


def test_parts_of_complex_properties(shop: Client) -> None:
    one = shop.get(f"{ACCOUNT}?$select=LogicalName,DisplayName/UserLocalizedLabel,IsCustomizable/Value")
    assert set(one["DisplayName"]) == {"UserLocalizedLabel"}
    assert one["IsCustomizable"] == {"Value": True}


def test_columns_that_only_show_others(shop: Client) -> None:
    path = f"{CONTACT}/Attributes?$select=LogicalName,AttributeOf,AttributeType,IsValidODataAttribute,IsLogical"
    rows = {row["LogicalName"]: row for row in shop.get(path)["value"]}
    assert rows["parentcustomeridname"]["AttributeOf"] == rows["parentcustomeridtype"]["AttributeOf"]
    assert (rows["parentcustomeridname"]["AttributeType"], rows["shop_sizename"]["AttributeType"]) == (
        "String",
        "Virtual",
    )
    assert rows["parentcustomeridtype"]["AttributeType"] == "EntityName"
    assert rows["shop_sizename"]["IsValidODataAttribute"] is False
    real = names(
        shop, f"{CONTACT}/Attributes?$select=LogicalName&$filter=AttributeType ne 'Virtual' and AttributeOf eq null"
    )
    assert "fullname" in real
    assert not {"shop_sizename", "parentcustomeridname", "shop_paper"} & real
    assert error(shop.send("GET", "contacts?$select=shop_sizename"))[0] == 400
    assert error(shop.send("DELETE", f"{CONTACT}/Attributes(LogicalName='shop_sizename')")) == (400, "0x8004f032")


def test_relationships_of_both_kinds_by_their_own_properties(shop: Client) -> None:
    path = "RelationshipDefinitions?$select=SchemaName,ReferencedEntity,IntersectEntityName"
    rows = shop.get(path)["value"]
    assert any("ReferencedEntity" in row for row in rows)
    assert any("IntersectEntityName" in row for row in rows)
    nested = shop.get(
        f"{ACCOUNT}?$select=LogicalName&$expand=ManyToOneRelationships($select=SchemaName;"
        "$filter=ReferencingAttribute eq 'primarycontactid'),Keys"
    )
    assert [row["SchemaName"] for row in nested["ManyToOneRelationships"]] == ["contact_account_primarycontactid"]
    assert nested["Keys"][0]["KeyAttributes"] == ["accountnumber"]


def test_options_of_what_is_expanded(shop: Client) -> None:
    inner = "$select=LogicalName;$filter=LogicalName eq 'name'"
    one = shop.get(f"{ACCOUNT}?$select=LogicalName&$expand=Attributes({inner})")
    assert one["@odata.context"].endswith("$metadata#EntityDefinitions(LogicalName,Attributes(LogicalName))/$entity")
    reply = shop.send("GET", f"{ACCOUNT}?$select=LogicalName&$expand=Attributes($select=LogicalName;$top=1)")
    assert reply.json()["error"]["message"] == "The query parameter $top is not supported"
