"""Metadata kept by a client and brought up to date: what changed and what was deleted since a version.

https://learn.microsoft.com/power-apps/developer/data-platform/cache-schema-data
"""

import json
from pathlib import Path
from urllib.parse import quote

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client, error
from .conftest import SHOP
from .metadatabodies import Json, attribute, choice, label, one_to_many, option, table

QUERY = {
    "Properties": {"PropertyNames": ["LogicalName", "DisplayName", "Attributes", "OneToManyRelationships", "Keys"]},
    "AttributeQuery": {"Properties": {"PropertyNames": ["LogicalName"]}},
    "RelationshipQuery": {"Properties": {"PropertyNames": ["SchemaName"]}},
}
THING = "EntityDefinitions(LogicalName='new_thing')"


def changes(client: Client, stamp: str | None = None, filters: str = "", query: Json = QUERY) -> Json:
    call, values = "Query=@p1", f"@p1={quote(json.dumps(query))}"
    if stamp is not None:
        call, values = f"{call},ClientVersionStamp=@p2", f"{values}&@p2='{quote(stamp)}'"
    if filters:
        kind = "Microsoft.Dynamics.CRM.DeletedMetadataFilters"
        call, values = f"{call},DeletedMetadataFilters=@p3", f"{values}&@p3={kind}'{filters}'"
    found: Json = client.get(f"RetrieveMetadataChanges({call})?{values}")
    return found


def stamp_of(client: Client) -> str:
    return str(changes(client)["ServerVersionStamp"])


def deleted(answer: Json) -> dict[str, list[str]]:
    found = answer["DeletedMetadata"]
    assert found["Count"] == len(found["Keys"])
    return dict(zip(found["Keys"], (one["Items"] for one in found["Values"]), strict=True))


def test_nothing_changed(fresh: Client) -> None:
    first = changes(fresh)
    assert first["DeletedMetadata"] is None
    assert {row["HasChanged"] for row in first["EntityMetadata"]} == {None}
    second = changes(fresh, first["ServerVersionStamp"], "All")
    assert second["EntityMetadata"] == []
    assert second["ServerVersionStamp"] == first["ServerVersionStamp"]
    assert deleted(second) == {}


def test_a_new_table_and_a_changed_one(fresh: Client) -> None:
    stamp = stamp_of(fresh)
    fresh.send("POST", "EntityDefinitions", table("new_Thing"))
    rows = changes(fresh, stamp)["EntityMetadata"]
    made = next(row for row in rows if row["LogicalName"] == "new_thing")
    assert made["HasChanged"] is True
    assert {"new_name", "statecode", "ownerid"} <= {one["LogicalName"] for one in made["Attributes"]}
    stamp = stamp_of(fresh)
    fresh.send("POST", f"{THING}/Attributes", attribute("String", "new_Code"))
    (only,) = changes(fresh, stamp)["EntityMetadata"]
    assert (only["LogicalName"], only["HasChanged"]) == ("new_thing", False)
    assert [(one["LogicalName"], one["HasChanged"]) for one in only["Attributes"]] == [("new_code", True)]
    assert only["OneToManyRelationships"] == []
    stamp = stamp_of(fresh)
    fresh.send("PUT", THING, {"DisplayName": label("Another")})
    (only,) = changes(fresh, stamp)["EntityMetadata"]
    assert (only["HasChanged"], only["Attributes"]) == (True, [])


def test_what_was_deleted(fresh: Client) -> None:
    for name in ("new_Thing", "new_Other"):
        fresh.send("POST", "EntityDefinitions", table(name))
    relate = one_to_many("new_other_thing", "new_other", "new_thing", "new_OtherId")
    relationship = fresh.send("POST", "RelationshipDefinitions", relate).headers["OData-EntityId"][-37:-1]
    column = fresh.get(f"{THING}/Attributes(LogicalName='new_otherid')?$select=MetadataId")["MetadataId"]
    other = fresh.get("EntityDefinitions(LogicalName='new_other')?$select=MetadataId")["MetadataId"]
    stamp = stamp_of(fresh)
    fresh.send("DELETE", "EntityDefinitions(LogicalName='new_other')")
    gone = deleted(changes(fresh, stamp, "All"))
    assert gone["Entity"] == [other]
    assert column in gone["Attribute"]
    assert relationship in gone["Relationship"]
    assert set(deleted(changes(fresh, stamp, "Attribute"))) == {"Attribute"}
    assert set(deleted(changes(fresh, stamp))) == {"Entity"}


def test_a_change_that_was_undone_leaves_no_trace(fresh: Client) -> None:
    stamp = stamp_of(fresh)
    body = {"Entities": [table("new_Thing"), table("account")]}
    assert fresh.send("POST", "CreateEntities", body).status_code == 400
    answer = changes(fresh, stamp, "All")
    assert (answer["EntityMetadata"], answer["ServerVersionStamp"]) == ([], stamp)


def test_a_stamp_holds_for_a_store_opened_again(tmp_path: Path) -> None:
    options = EmulatorOptions(environment=str(SHOP), store=tmp_path / "rows.db")
    with Emulator(options) as emulator:
        client = Client(emulator.url)
        stamp = stamp_of(client)
        client.send("POST", "EntityDefinitions", table("new_Thing"))
        client.close()
    with Emulator(options) as emulator:
        client = Client(emulator.url)
        assert "new_thing" in {row["LogicalName"] for row in changes(client, stamp)["EntityMetadata"]}
        client.close()


def test_stamps_that_no_environment_gave(shop: Client) -> None:
    path = f"RetrieveMetadataChanges(Query=@p1,ClientVersionStamp=@p2)?@p1={quote(json.dumps(QUERY))}&@p2="
    for stamp in ("'99999!x'", "'x'", "'0!'", "''"):
        assert error(shop.send("GET", path + stamp)) == (400, "0x80044352")
    wrong = "RetrieveMetadataChanges(Query=@p1,ClientVersionStamp='1!',DeletedMetadataFilters=@p3)?@p1={}&@p3="
    kind = "Microsoft.Dynamics.CRM.DeletedMetadataFilters'Nothing'"
    assert error(shop.send("GET", wrong + kind)) == (400, "0x80060888")


def test_labels_in_some_languages(fresh: Client) -> None:
    column = choice("Picklist", "new_Level", option(1, "Low", _1036="Bas", _1031="Tief"))
    fresh.send("POST", "EntityDefinitions", table("new_Thing", column))
    named = {"PropertyName": "LogicalName", "ConditionOperator": "Equals", "Value": {"Value": "new_thing"}}
    query = {
        "Properties": {"PropertyNames": ["Attributes"]},
        "Criteria": {"Conditions": [named]},
        "AttributeQuery": {"Properties": {"PropertyNames": ["OptionSet", "LogicalName"]}},
        "LabelQuery": {"FilterLanguages": [1036], "MissingLabelBehavior": 0},
    }
    (row,) = changes(fresh, query=query)["EntityMetadata"]
    level = next(one for one in row["Attributes"] if one["LogicalName"] == "new_level")
    labels = level["OptionSet"]["Options"][0]["Label"]
    assert [one["Label"] for one in labels["LocalizedLabels"]] == ["Bas"]
    assert labels["UserLocalizedLabel"]["Label"] == "Low"
