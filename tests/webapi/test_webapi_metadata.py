"""Metadata: the request for many tables, and what the answer says."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from confmig.errors import ServiceError
from confmig.model.values import ColumnType
from confmig.webapi.metadata import TABLES_A_REQUEST, NavigationPair, WireTable, metadata_path, parse_metadata
from confmig.webapi.replies import Json

URL = "https://contoso.crm4.dynamics.com"
TYPE = "#Microsoft.Dynamics.CRM.Complex"


def attribute(name: str, kind: str, **more: object) -> Json:
    return {
        "@odata.type": f"{TYPE}{kind}AttributeMetadata",
        "LogicalName": name,
        "AttributeType": kind,
        "AttributeTypeName": {"Value": f"{kind}Type"},
        "AttributeOf": None,
        "IsValidForCreate": True,
        "IsValidForUpdate": True,
        "IsValidForRead": True,
        "IsValidODataAttribute": True,
        "SourceType": 0,
        "RequiredLevel": {
            "Value": "None",
            "CanBeChanged": True,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
        },
        "HasChanged": None,
        **more,
    }


def many_to_one(column: str, target: str, navigation: str | None) -> Json:
    return {
        "SchemaName": f"contact_{target}",
        "ReferencingAttribute": column,
        "ReferencedEntity": target,
        "ReferencingEntityNavigationPropertyName": navigation,
    }


STATES: Json = {"Options": [{"Value": 0, "DefaultStatus": 1}, {"Value": 1, "DefaultStatus": 2}]}
STATUSES: Json = {"Options": [{"Value": 1, "State": 0}, {"Value": 3, "State": 0}, {"Value": 2, "State": 1}]}

CONTACT: Json = {
    "LogicalName": "contact",
    "EntitySetName": "contacts",
    "PrimaryIdAttribute": "contactid",
    "PrimaryNameAttribute": "fullname",
    "PrimaryImageAttribute": "entityimage",
    "IsActivity": False,
    "Attributes": [
        attribute("contactid", "Uniqueidentifier", IsValidForUpdate=False, RequiredLevel={"Value": "SystemRequired"}),
        attribute("fullname", "String", RequiredLevel={"Value": "ApplicationRequired"}),
        attribute("parentcustomerid", "Customer", Targets=["account", "contact"]),
        attribute("parentcustomeridname", "String", AttributeOf="parentcustomerid", IsValidODataAttribute=False),
        attribute("new_accountid", "Lookup", Targets=None),
        attribute("ownerid", "Owner", Targets=["systemuser", "team"]),
        attribute("new_tastes", "MultiSelectPicklist", AttributeType="Virtual"),
        attribute("new_paper", "File", AttributeType="Virtual"),
        attribute("entityimage", "Image", AttributeType="Virtual"),
        attribute("new_total", "Money", SourceType=1),
        attribute("new_total_base", "Money", CalculationOf="new_total"),
        attribute("new_sum", "Integer", SourceType=2),
        attribute("new_formula", "Decimal", SourceType=3),
        attribute("new_any", "ManagedProperty"),
        attribute("birthdate", "DateTime", DateTimeBehavior={"Value": "DateOnly"}, Format="DateOnly"),
        attribute("new_local", "DateTime", DateTimeBehavior={"Value": "TimeZoneIndependent"}, Format="DateAndTime"),
        attribute("new_day", "DateTime", DateTimeBehavior={"Value": "UserLocal"}, Format="DateOnly"),
        attribute("createdon", "DateTime", IsValidForCreate=False, IsValidForUpdate=False),
        attribute("statecode", "State", OptionSet=STATES),
        attribute("statuscode", "Status", OptionSet=STATUSES),
        attribute("donotemail", "Boolean", OptionSet={"TrueOption": {"Value": 1}, "FalseOption": {"Value": 0}}),
        attribute("gendercode", "Picklist", OptionSet={"Options": [{"Value": 1}, {"Value": 2}]}),
    ],
    "ManyToOneRelationships": [
        many_to_one("parentcustomerid", "account", "parentcustomerid_account"),
        many_to_one("parentcustomerid", "contact", "parentcustomerid_contact"),
        many_to_one("new_accountid", "account", "new_AccountId"),
        many_to_one("ownerid", "owner", "ownerid"),
        many_to_one("hidden", "account", None),
    ],
    "ManyToManyRelationships": [
        {
            "SchemaName": "new_Contact_Tag",
            "IntersectEntityName": "new_contact_tag",
            "Entity1LogicalName": "contact",
            "Entity1IntersectAttribute": "contactid",
            "Entity1NavigationPropertyName": "new_Contact_Tag",
            "Entity2LogicalName": "new_tag",
            "Entity2IntersectAttribute": "new_tagid",
            "Entity2NavigationPropertyName": "new_Contact_Tag",
        },
        {
            "SchemaName": "new_Related",
            "IntersectEntityName": "new_related",
            "Entity1LogicalName": "contact",
            "Entity1IntersectAttribute": "contactidone",
            "Entity1NavigationPropertyName": "new_Related_Referencing",
            "Entity2LogicalName": "contact",
            "Entity2IntersectAttribute": "contactidtwo",
            "Entity2NavigationPropertyName": "new_Related_Referenced",
        },
    ],
}


@pytest.fixture(scope="module")
def contact() -> WireTable:
    (table,) = parse_metadata({"EntityMetadata": [CONTACT]}, URL)
    return table


class TestTheRequest:
    def query(self, *names: str) -> Json:
        split = urlsplit(metadata_path(names))
        assert split.path == "RetrieveMetadataChanges(Query=@p1)"
        found: Json = json.loads(parse_qs(split.query, strict_parsing=True)["@p1"][0])
        return found

    def test_asks_for_all_tables_at_once(self) -> None:
        criteria = self.query("account", "contact")["Criteria"]
        assert criteria["Conditions"] == [
            {
                "PropertyName": "LogicalName",
                "ConditionOperator": "In",
                "Value": {"Type": "System.String[]", "Value": "['account','contact']"},
            }
        ]

    def test_asks_only_for_what_is_needed(self) -> None:
        query = self.query("account")
        for part in (query, query["AttributeQuery"], query["RelationshipQuery"]):
            assert part["Properties"]["AllProperties"] is False
        assert {"Attributes", "ManyToOneRelationships", "ManyToManyRelationships"} <= set(
            query["Properties"]["PropertyNames"]
        )
        assert "OneToManyRelationships" not in query["Properties"]["PropertyNames"]

    def test_cannot_be_broken_by_a_name(self) -> None:
        value = self.query("a','b")["Criteria"]["Conditions"][0]["Value"]["Value"]
        assert value.count("'") == 2

    def test_for_the_most_tables_fits_into_a_url(self) -> None:
        names = [f"{number:03}_{'n' * 60}" for number in range(TABLES_A_REQUEST)]
        assert len(f"https://{'o' * 60}.crm4.dynamics.com/api/data/v9.2/" + metadata_path(names)) < 32_000


class TestATable:
    def test_has_its_names(self, contact: WireTable) -> None:
        info = contact.info
        assert (info.name, info.primary_id, info.primary_name) == ("contact", "contactid", "fullname")
        assert (contact.entity_set, info.primary_image) == ("contacts", "entityimage")

    def test_may_lack_a_name_column_and_relationships(self) -> None:
        entity = {"LogicalName": "a", "EntitySetName": None, "PrimaryIdAttribute": "aid", "Attributes": None}
        (table,) = parse_metadata({"EntityMetadata": [entity]}, URL)
        assert table.info.primary_name is None
        assert table.info.columns == {}

    @pytest.mark.parametrize("answer", [{"EntityMetadata": []}, {"EntityMetadata": None}])
    def test_may_be_missing(self, answer: Json) -> None:
        assert list(parse_metadata(answer, URL)) == []

    @pytest.mark.parametrize(
        "answer",
        [
            {},
            {"Version": "9"},
            {"EntityMetadata": {"a": 1}},
            {"EntityMetadata": ["x"]},
            {"EntityMetadata": [{}]},
            {"EntityMetadata": [{"LogicalName": "a", "PrimaryIdAttribute": "b", "Attributes": ["x"]}]},
        ],
    )
    def test_that_cannot_be_read_is_not_taken_for_missing(self, answer: Json) -> None:
        with pytest.raises(ServiceError, match="cannot be read"):
            list(parse_metadata(answer, URL))

    def test_tells_the_type_of_each_column_by_the_types_name(self, contact: WireTable) -> None:
        found = {name: column.type for name, column in contact.info.columns.items()}
        assert found["new_tastes"] is ColumnType.CHOICES
        assert found["new_paper"] is ColumnType.FILE
        assert found["entityimage"] is ColumnType.IMAGE
        assert found["parentcustomerid"] is found["new_accountid"] is ColumnType.LOOKUP
        assert found["ownerid"] is ColumnType.OWNER
        assert found["donotemail"] is ColumnType.BOOL
        assert found["statecode"] is ColumnType.STATE
        assert found["statuscode"] is ColumnType.STATUS
        assert found["gendercode"] is ColumnType.CHOICE
        assert found["new_any"] is ColumnType.UNKNOWN

    def test_tells_what_may_be_written(self, contact: WireTable) -> None:
        columns = contact.info.columns
        assert (columns["contactid"].creatable, columns["contactid"].updatable) == (True, False)
        assert (columns["createdon"].creatable, columns["createdon"].updatable) == (False, False)
        for name in ("new_total", "new_total_base", "new_sum", "new_formula"):
            assert not columns[name].creatable
            assert not columns[name].updatable

    def test_tells_what_the_service_insists_on(self, contact: WireTable) -> None:
        assert [name for name, column in contact.info.columns.items() if column.required] == ["contactid"]

    def test_tells_the_names_beside_lookups_from_columns(self, contact: WireTable) -> None:
        assert not contact.info.columns["parentcustomeridname"].readable
        assert contact.info.columns["parentcustomerid"].readable

    def test_tells_dates_by_their_behaviour_and_not_by_their_format(self, contact: WireTable) -> None:
        found = {
            name: (contact.info.columns[name].date_only, contact.info.columns[name].zoned)
            for name in ("birthdate", "new_local", "new_day", "createdon")
        }
        assert found == {
            "birthdate": (True, False),
            "new_local": (False, False),
            "new_day": (False, True),
            "createdon": (False, True),
        }

    def test_knows_where_lookups_lead_even_if_the_column_does_not_say(self, contact: WireTable) -> None:
        assert contact.info.columns["parentcustomerid"].targets == ("account", "contact")
        assert contact.info.columns["new_accountid"].targets == ("account",)
        assert contact.info.columns["ownerid"].targets == ("systemuser", "team")

    def test_keeps_the_navigation_properties_as_they_are_written(self, contact: WireTable) -> None:
        assert contact.navigation["parentcustomerid", "contact"] == "parentcustomerid_contact"
        assert contact.navigation["new_accountid", "account"] == "new_AccountId"
        assert ("hidden", "account") not in contact.navigation

    def test_knows_which_status_belongs_to_which_state(self, contact: WireTable) -> None:
        assert contact.info.status_states == {1: 0, 3: 0, 2: 1}
        assert contact.info.default_status == {0: 1, 1: 2}

    def test_knows_both_sides_of_its_many_to_many_relationships(self, contact: WireTable) -> None:
        tag, related = (contact.info.relationships[name] for name in ("new_contact_tag", "new_related"))
        assert (tag.table1, tag.id1, tag.table2, tag.id2) == ("contact", "contactid", "new_tag", "new_tagid")
        assert (related.table1, related.id1, related.id2) == ("contact", "contactidone", "contactidtwo")
        expected = NavigationPair("new_Related_Referencing", "new_Related_Referenced")
        assert contact.many_to_many["new_related"] == expected
