"""Tables, columns and relationships as clients ask for them."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from .client import Client, error

Json = dict[str, Any]


def changes(client: Client, query: Json) -> list[Json]:
    answer = client.get(f"RetrieveMetadataChanges(Query=@p1)?@p1={quote(json.dumps(query))}")
    assert answer["ServerVersionStamp"]
    assert "DeletedMetadata" in answer
    entities: list[Json] = answer["EntityMetadata"]
    return entities


def named(*names: str) -> Json:
    listed = ",".join(f"'{name}'" for name in names)
    return {
        "FilterOperator": "And",
        "Conditions": [
            {
                "PropertyName": "LogicalName",
                "ConditionOperator": "In",
                "Value": {"Type": "System.String[]", "Value": f"[{listed}]"},
            }
        ],
    }


def test_one_request_describes_the_tables_that_are_asked_for(shop: Client) -> None:
    query = {
        "Properties": {
            "AllProperties": False,
            "PropertyNames": ["LogicalName", "EntitySetName", "Attributes", "ManyToOneRelationships", "Keys"],
        },
        "Criteria": named("account", "contact"),
        "AttributeQuery": {"Properties": {"PropertyNames": ["LogicalName", "Targets", "MaxLength", "OptionSet"]}},
        "RelationshipQuery": {"Properties": {"PropertyNames": ["ReferencingAttribute", "ReferencedEntity"]}},
        "KeyQuery": {"Properties": {"PropertyNames": ["KeyAttributes", "EntityKeyIndexStatus"]}},
    }
    account, contact = changes(shop, query)
    assert (account["LogicalName"], contact["EntitySetName"]) == ("account", "contacts")
    assert "ObjectTypeCode" not in account
    assert "ManyToManyRelationships" not in account
    attributes = {one["LogicalName"]: one for one in contact["Attributes"]}
    assert attributes["parentcustomerid"]["@odata.type"] == "#Microsoft.Dynamics.CRM.ComplexLookupAttributeMetadata"
    assert attributes["parentcustomerid"]["Targets"] == ["account", "contact"]
    assert attributes["fullname"]["MaxLength"] == 160
    assert "AttributeType" not in attributes["fullname"]
    tastes = attributes["shop_tastes"]["OptionSet"]["Options"]
    assert (tastes[0]["Value"], tastes[0]["Label"]["UserLocalizedLabel"]["Label"]) == (1, "Sweet")
    assert account["Keys"] == [
        {
            "MetadataId": account["Keys"][0]["MetadataId"],
            "KeyAttributes": ["accountnumber"],
            "EntityKeyIndexStatus": "Active",
            "HasChanged": None,
        }
    ]
    pairs = {(one["ReferencingAttribute"], one["ReferencedEntity"]) for one in contact["ManyToOneRelationships"]}
    assert {("parentcustomerid", "account"), ("parentcustomerid", "contact"), ("ownerid", "systemuser")} <= pairs


def test_what_the_columns_are(shop: Client) -> None:
    query = {"Properties": {"PropertyNames": ["Attributes"]}, "Criteria": named("contact", "account")}
    account, contact = changes(shop, query)
    columns = {one["LogicalName"]: one for one in contact["Attributes"]}
    assert columns["contactid"]["IsPrimaryId"] is True
    assert columns["fullname"]["IsPrimaryName"] is True
    assert columns["createdon"]["IsValidForCreate"] is False
    assert columns["overriddencreatedon"]["IsValidForCreate"] is True
    assert columns["overriddencreatedon"]["IsValidForUpdate"] is False
    assert columns["birthdate"]["DateTimeBehavior"] == {"Value": "DateOnly"}
    assert columns["shop_seen"]["DateTimeBehavior"] == {"Value": "TimeZoneIndependent"}
    assert columns["shop_rate"]["Precision"] == 10
    assert columns["shop_tastes"]["AttributeType"] == "Virtual"
    assert columns["shop_tastes"]["AttributeTypeName"] == {"Value": "MultiSelectPicklistType"}
    assert columns["shop_paper"]["AttributeTypeName"] == {"Value": "FileType"}
    assert columns["ownerid"]["AttributeType"] == "Owner"
    assert columns["parentcustomerid"]["AttributeType"] == "Customer"
    account_columns = {one["LogicalName"]: one for one in account["Attributes"]}
    assert account_columns["name"]["RequiredLevel"]["Value"] == "SystemRequired"
    statuses = {one["Value"]: one["State"] for one in account_columns["statuscode"]["OptionSet"]["Options"]}
    assert statuses == {1: 0, 3: 0, 2: 1}
    assert account_columns["entityimage"]["IsPrimaryImage"] is True


def test_criteria_with_equals_joined_by_or(shop: Client) -> None:
    conditions = [
        {
            "PropertyName": "LogicalName",
            "ConditionOperator": "Equals",
            "Value": {"Type": "System.String", "Value": name},
        }
        for name in ("email", "shop_tag")
    ]
    query = {
        "Properties": {"PropertyNames": ["LogicalName"]},
        "Criteria": {"FilterOperator": "Or", "Conditions": conditions},
    }
    assert {one["LogicalName"] for one in changes(shop, query)} == {"email", "shop_tag"}
    flag = {
        "PropertyName": "IsIntersect",
        "ConditionOperator": "Equals",
        "Value": {"Type": "System.Boolean", "Value": "True"},
    }
    query["Criteria"] = {"Conditions": [flag]}
    pairs = {one["LogicalName"] for one in changes(shop, query)}
    assert {name for name in pairs if name.startswith("shop_")} == {"shop_contact_tag_link", "shop_related"}
    assert "systemuserroles" in pairs
    assert "account" not in pairs


def metadata_ids(client: Client, *names: str) -> list[str]:
    described = client.get("EntityDefinitions?$select=LogicalName")["value"]
    ids = {one["LogicalName"]: one["MetadataId"] for one in described}
    return [ids[name] for name in names]


@pytest.mark.parametrize("form", ["['{0}','{1}']", '["{0}","{1}"]', "[{0},{1}]", "{0}, {1}"])
@pytest.mark.parametrize("written", [str.lower, str.upper])
def test_tables_by_a_list_of_their_ids(shop: Client, form: str, written: Callable[[str], str]) -> None:
    ids = metadata_ids(shop, "account", "shop_tag")
    value = {"Type": "System.Guid[]", "Value": form.format(*map(written, ids))}
    query: Json = {"Properties": {"PropertyNames": ["LogicalName"]}}
    for operator, expected in (("In", {"account", "shop_tag"}), ("NotIn", {"contact", "email"})):
        condition = {"PropertyName": "MetadataId", "ConditionOperator": operator, "Value": value}
        found = {one["LogicalName"] for one in changes(shop, {**query, "Criteria": {"Conditions": [condition]}})}
        assert expected == found & {"account", "shop_tag", "contact", "email"}


def test_a_table_by_its_id(shop: Client) -> None:
    account, tag = metadata_ids(shop, "account", "shop_tag")
    value = {"Type": "System.Guid", "Value": account}
    condition = {"PropertyName": "MetadataId", "ConditionOperator": "Equals", "Value": value}
    query = {"Properties": {"PropertyNames": ["LogicalName"]}, "Criteria": {"Conditions": [condition]}}
    assert [(one["LogicalName"], one["MetadataId"]) for one in changes(shop, query)] == [("account", account)]
    for text in (f"MetadataId eq {account}", f"MetadataId eq {account.upper()}"):
        found = shop.get(f"EntityDefinitions?$select=LogicalName&$filter={text}")["value"]
        assert [one["LogicalName"] for one in found] == ["account"]
    both = shop.get(f"EntityDefinitions?$select=LogicalName&$filter=MetadataId eq {account} or MetadataId eq {tag}")
    assert [one["LogicalName"] for one in both["value"]] == ["account", "shop_tag"]


def shown(label: Json) -> str:
    """The text of a label, which names it twice."""
    assert label["UserLocalizedLabel"] in label["LocalizedLabels"]
    assert label["UserLocalizedLabel"]["LanguageCode"] == 1033
    return str(label["UserLocalizedLabel"]["Label"])


TABLE_PROPERTIES = ["LogicalName", "DisplayName", "ObjectTypeCode", "IsCustomEntity", "MetadataId", "Description"]
COLUMN_PROPERTIES = [
    "LogicalName", "DisplayName", "IsCustomAttribute", "RequiredLevel", "IsPrimaryId", "IsPrimaryName",
]  # fmt: skip


def by_changes(client: Client) -> list[Json]:
    query = {
        "Properties": {"PropertyNames": [*TABLE_PROPERTIES, "Attributes"]},
        "Criteria": named("account", "shop_tag", "solutioncomponent"),
        "AttributeQuery": {"Properties": {"PropertyNames": COLUMN_PROPERTIES}},
    }
    return changes(client, query)


def by_definitions(client: Client) -> list[Json]:
    names = " or ".join(f"LogicalName eq '{name}'" for name in ("account", "shop_tag", "solutioncomponent"))
    attributes = f"Attributes($select={','.join(COLUMN_PROPERTIES)})"
    path = f"EntityDefinitions?$select={','.join(TABLE_PROPERTIES)}&$filter={names}&$expand={attributes}"
    rows: list[Json] = client.get(path)["value"]
    return rows


@pytest.mark.parametrize("read", [by_changes, by_definitions])
def test_what_a_schema_file_needs_of_tables_and_columns(shop: Client, read: Callable[[Client], list[Json]]) -> None:
    tables = {one["LogicalName"]: one for one in read(shop)}
    account, tag = tables["account"], tables["shop_tag"]
    assert (shown(account["DisplayName"]), account["ObjectTypeCode"]) == ("Account", 1)
    assert not account["IsCustomEntity"]
    assert tag["IsCustomEntity"]
    assert tag["ObjectTypeCode"] >= 10_000
    assert tables["solutioncomponent"]["ObjectTypeCode"] == 7103
    assert [account["MetadataId"], tag["MetadataId"]] == metadata_ids(shop, "account", "shop_tag")
    assert account["Description"] == {"LocalizedLabels": [], "UserLocalizedLabel": None}
    columns = {one["LogicalName"]: one for one in (*account["Attributes"], *tag["Attributes"])}
    assert shown(columns["shop_name"]["DisplayName"]) == "shop_name"
    assert {name for name, one in columns.items() if one["IsPrimaryId"]} == {"accountid", "shop_tagid"}
    assert {name for name, one in columns.items() if one["IsPrimaryName"]} == {"name", "shop_name"}
    assert {name for name, one in columns.items() if one["IsCustomAttribute"]} == {"shop_tagid", "shop_name"}
    assert columns["accountid"]["RequiredLevel"]["Value"] == "SystemRequired"
    assert columns["accountnumber"]["RequiredLevel"]["Value"] == "None"


def test_every_table_has_a_type_code(shop: Client) -> None:
    codes = {one["LogicalName"]: one["ObjectTypeCode"] for one in shop.get("EntityDefinitions")["value"]}
    assert all(codes.values())


def test_what_the_documents_say_of_relationships(shop: Client) -> None:
    one_to_many = {
        "SchemaName", "RelationshipType", "ReferencedEntity", "ReferencedAttribute", "ReferencingEntity",
        "ReferencingAttribute", "ReferencingEntityNavigationPropertyName", "ReferencedEntityNavigationPropertyName",
        "AssociatedMenuConfiguration", "CascadeConfiguration", "DenormalizedAttributeName", "EntityKey",
        "IsDenormalizedLookup", "IsHierarchical", "IsRelationshipAttributeDenormalized", "RelationshipAttributes",
        "RelationshipBehavior", "IsCustomRelationship", "IsManaged", "IsCustomizable", "IsValidForAdvancedFind",
        "IntroducedVersion", "SecurityTypes", "MetadataId", "HasChanged",
    }  # fmt: skip
    many_to_many = {
        "SchemaName", "RelationshipType", "IntersectEntityName", "Entity1LogicalName", "Entity1IntersectAttribute",
        "Entity1NavigationPropertyName", "Entity1AssociatedMenuConfiguration", "Entity2LogicalName",
        "Entity2IntersectAttribute", "Entity2NavigationPropertyName", "Entity2AssociatedMenuConfiguration",
        "IsCustomRelationship", "IsManaged", "IsCustomizable", "IsValidForAdvancedFind", "IntroducedVersion",
        "SecurityTypes", "MetadataId", "HasChanged",
    }  # fmt: skip
    navigations = ("ManyToOneRelationships", "OneToManyRelationships", "ManyToManyRelationships")
    query = {"Properties": {"PropertyNames": list(navigations)}, "Criteria": named("contact")}
    contact = changes(shop, query)[0]
    for navigation, names in zip(navigations, (one_to_many, one_to_many, many_to_many), strict=True):
        assert contact[navigation]
        for row in contact[navigation]:
            assert row.keys() - {"@odata.type"} == names
            assert row["@odata.type"].startswith("#Microsoft.Dynamics.CRM.Complex")
    parent = next(one for one in contact["ManyToOneRelationships"] if one["ReferencingAttribute"] == "parentcustomerid")
    assert not parent["IsCustomRelationship"]
    assert {one["SchemaName"] for one in contact["ManyToManyRelationships"] if one["IsCustomRelationship"]}


def test_a_wrong_metadata_query_is_refused(shop: Client) -> None:
    assert shop.send("GET", "RetrieveMetadataChanges(Query=@p1)?@p1={").status_code == 400
    wrong = {"Criteria": {"Conditions": [{"PropertyName": "Nope", "ConditionOperator": "Equals", "Value": "x"}]}}
    assert shop.send("GET", f"RetrieveMetadataChanges(Query=@p1)?@p1={quote(json.dumps(wrong))}").status_code == 400


def test_entity_definitions_filtered_selected_expanded(shop: Client) -> None:
    path = (
        "EntityDefinitions?$select=LogicalName,EntitySetName&$filter=LogicalName eq 'account' or LogicalName eq 'email'"
        "&$expand=Attributes($select=LogicalName,AttributeType;$filter=AttributeType ne 'Virtual'),"
        "Keys($select=KeyAttributes),ManyToManyRelationships($select=SchemaName)"
    )
    account, email = shop.get(path)["value"]
    assert set(account) == {
        "MetadataId",
        "LogicalName",
        "EntitySetName",
        "Attributes",
        "Keys",
        "ManyToManyRelationships",
    }
    assert email["LogicalName"] == "email"
    kinds = {one["LogicalName"]: one["@odata.type"] for one in account["Attributes"]}
    assert "entityimage" not in kinds
    assert kinds["name"] == "#Microsoft.Dynamics.CRM.StringAttributeMetadata"
    assert account["Keys"][0]["KeyAttributes"] == ["accountnumber"]
    owned = "OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'"
    enum = f"EntityDefinitions?$filter={owned} and IsActivity eq true"
    assert [one["LogicalName"] for one in shop.get(enum)["value"]] == ["email"]
    pairs = shop.get("EntityDefinitions?$select=LogicalName&$filter=not (IsIntersect eq false)")["value"]
    assert sum(one["LogicalName"].startswith("shop_") for one in pairs) == 2


def test_one_entity_and_what_is_below_it(shop: Client) -> None:
    account = shop.get("EntityDefinitions(LogicalName='account')?$select=ObjectTypeCode")
    assert account["ObjectTypeCode"] == 1
    assert shop.get(f"EntityDefinitions({account['MetadataId']})?$select=LogicalName")["LogicalName"] == "account"
    assert shop.send("GET", "EntityDefinitions(LogicalName='account')/ObjectTypeCode/$value").text == "1"
    one = shop.get("EntityDefinitions(LogicalName='account')/Attributes(LogicalName='name')")
    assert one["MaxLength"] == 20
    cast = "EntityDefinitions(LogicalName='contact')/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    listed = shop.get(f"{cast}?$select=LogicalName&$expand=OptionSet($select=Options)")["value"]
    sizes = next(row for row in listed if row["LogicalName"] == "shop_size")
    assert [option["Value"] for option in sizes["OptionSet"]["Options"]] == [1, 2]
    assert {row["LogicalName"] for row in listed} == {"shop_size", "shop_any"}
    keys = shop.get("EntityDefinitions(LogicalName='account')/Keys?$select=LogicalName")["value"]
    assert [key["LogicalName"] for key in keys] == ["shop_number"]
    children = shop.get("EntityDefinitions(LogicalName='account')/OneToManyRelationships")["value"]
    assert {"contact", "email"} <= {row["ReferencingEntity"] for row in children}


def test_base_attributes_do_not_have_the_properties_of_their_types(shop: Client) -> None:
    reply = shop.send("GET", "EntityDefinitions(LogicalName='account')/Attributes?$select=LogicalName,MaxLength")
    assert error(reply)[0] == 400


def test_unknown_names_are_not_found(shop: Client) -> None:
    assert error(shop.send("GET", "EntityDefinitions(LogicalName='Account')"))[0] == 404
    assert error(shop.send("GET", "EntityDefinitions(LogicalName='account')/Attributes(LogicalName='x')"))[0] == 404
    assert error(shop.send("GET", "EntityDefinitions(LogicalName='account')/Nothing"))[0] == 404
    assert error(shop.send("GET", "EntityDefinitions?$filter=Nothing eq 1"))[0] == 400


def test_navigation_names_by_kind_of_lookup(shop: Client) -> None:
    query = {
        "Properties": {"PropertyNames": ["LogicalName", "ManyToOneRelationships"]},
        "Criteria": named("account", "contact", "email"),
    }
    entities = {one["LogicalName"]: one["ManyToOneRelationships"] for one in changes(shop, query)}

    def navs(entity: str, attribute: str) -> set[str]:
        return {
            one["ReferencingEntityNavigationPropertyName"]
            for one in entities[entity]
            if one["ReferencingAttribute"] == attribute
        }

    assert navs("account", "primarycontactid") == {"primarycontactid"}
    assert navs("contact", "parentcustomerid") == {"parentcustomerid_account", "parentcustomerid_contact"}
    assert navs("email", "regardingobjectid") == {"regardingobjectid_account_email", "regardingobjectid_contact_email"}
    assert navs("account", "ownerid") == {"ownerid"}


def test_relationship_definitions(shop: Client) -> None:
    found = shop.get("RelationshipDefinitions?$filter=SchemaName eq 'shop_related'")["value"]
    assert found[0]["Entity1IntersectAttribute"] == "contactidone"
    assert found[0]["Entity2IntersectAttribute"] == "contactidtwo"
    assert {found[0]["Entity1NavigationPropertyName"], found[0]["Entity2NavigationPropertyName"]} == {
        "shop_related_Referencing",
        "shop_related_Referenced",
    }
    assert (
        shop.get("RelationshipDefinitions(SchemaName='shop_contact_tag')")["IntersectEntityName"]
        == "shop_contact_tag_link"
    )
    cast = shop.get("RelationshipDefinitions/Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata?$select=SchemaName")
    names = {row["SchemaName"] for row in cast["value"]}
    assert {name for name in names if name.startswith("shop_")} == {"shop_related", "shop_contact_tag"}
    assert "systemuserroles_association" in names


def test_bulk_messages_can_be_asked_for(shop: Client) -> None:
    path = (
        "sdkmessagefilters?$select=primaryobjecttypecode&$expand=sdkmessageid($select=name)"
        "&$filter=(sdkmessageid/name eq 'CreateMultiple' or sdkmessageid/name eq 'UpdateMultiple')"
        " and primaryobjecttypecode eq '{}'"
    )
    assert {row["sdkmessageid"]["name"] for row in shop.get(path.format("account"))["value"]} == {
        "CreateMultiple",
        "UpdateMultiple",
    }
    for lacking in ("shop_tag", "systemuser", "shop_related"):
        assert shop.get(path.format(lacking))["value"] == []


def test_metadata_are_replaced_not_patched(shop: Client) -> None:
    assert error(shop.send("PATCH", "EntityDefinitions(LogicalName='account')", {}))[0] == 405
    assert error(shop.send("PUT", "EntityDefinitions", {}))[0] == 405
