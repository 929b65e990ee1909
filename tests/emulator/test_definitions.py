"""Environment definitions: those that come along, and wrong ones."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.options import EmulatorOptions
from confmig.emulator.server import Emulator

from .client import Client
from .conftest import SHOP

JOURNEYS = ("journeys-sandbox", "journeys-production")


@pytest.mark.parametrize("name", JOURNEYS)
def test_the_journeys_environments_are_served(name: str) -> None:
    with Emulator(EmulatorOptions(environment=name)) as emulator:
        client = Client(emulator.url)
        roots = client.rows("businessunits?$filter=_parentbusinessunitid_value eq null")
        assert [unit["businessunitid"] for unit in roots] == [client.get("WhoAmI")["BusinessUnitId"]]
        emails = client.rows("msdynmkt_emails", Prefer='odata.include-annotations="*"')
        assert emails
        assert all(email["statecode"] is not None for email in emails)
        assert any("_msdynmkt_senderid_value@OData.Community.Display.V1.FormattedValue" in email for email in emails)
        assert client.rows("msdynmkt_email_fragmentset")
        solutions = client.rows("solutions?$filter=uniquename eq 'DynamicsCij_AnchorSolution'")
        assert len(solutions) == 1
        client.close()


def test_the_organization_of_a_definition_is_taken_unless_another_is_given() -> None:
    own = "5a3c8f0e-1111-4c2b-8a8e-000000000001"
    other = "11111111-2222-4333-8444-555555555555"
    for given, expected in ((None, own), (other, other)):
        with Emulator(EmulatorOptions(environment=str(SHOP), organization_id=given)) as emulator:
            client = Client(emulator.url)
            organization = client.get("organizations")["value"][0]
            assert (organization["organizationid"], organization["name"]) == (expected, "Shop")
            assert client.get("RetrieveVersion()")["Version"] == "9.2.1.2"
            client.close()


def definition(**changes: Any) -> dict[str, Any]:
    table = {
        "primary_name": "x_name",
        "columns": {
            "x_thingid": {"type": "Uniqueidentifier"},
            "x_name": {"type": "String", "max_length": 5},
            "x_other": {"type": "Lookup", "targets": ["x_thing"]},
        },
    }
    return {"name": "x", "tables": {"x_thing": table}, "rows": {}, **changes}


ROW = {"x_thingid": "10000000-0000-4000-8000-000000000001", "x_name": "One"}
MISSING = "20000000-0000-4000-8000-000000000002"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tabels": {}}, "tabels"),
        ({"tables": {"x_thing": {"columns": {"x_thingid": {"type": "Guid"}}}}}, "unknown type 'Guid'"),
        ({"tables": {"x_thing": {"columns": {"x_name": {"type": "String"}}}}}, "primary id column x_thingid"),
        ({"tables": {"x_thing": {"columns": {"x_thingid": {"type": "Uniqueidentifier", "size": 1}}}}}, "size"),
        ({"rows": {"x_thing": [{**ROW, "x_nope": 1}]}}, "no column x_nope"),
        ({"rows": {"x_thing": [{**ROW, "x_name": "too long"}]}}, "x_name: A validation error"),
        ({"rows": {"x_thing": [{**ROW, "x_other": MISSING}]}}, f"x_other points to the x_thing {MISSING}"),
        ({"rows": {"x_thing": [ROW, ROW]}}, "given twice"),
        ({"rows": {"x_thing": [{"x_name": "a"}]}}, "not a guid"),
        ({"rows": {"x_none": [ROW]}}, "unknown table 'x_none'"),
        ({"associations": {"x_none": [[MISSING, MISSING]]}}, "unknown relationship 'x_none'"),
        ({"many_to_many": [{"schema_name": "a", "intersect": "a", "table1": "x", "table2": "y"}]}, "unknown table 'x'"),
        ({"include": ["../other.yml"]}, "same folder"),
        ({"include": ["none.yml"]}, "none.yml cannot be read"),
    ],
)
def test_a_wrong_definition_names_the_place(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    path = tmp_path / "wrong.yml"
    path.write_text(yaml.safe_dump(definition(**changes)))
    with pytest.raises(EmulatorStartError) as caught:
        Emulator(EmulatorOptions(environment=str(path))).start()
    assert words in str(caught.value)
    assert ".yml" in str(caught.value)


def test_unknown_names_list_the_known_ones() -> None:
    for name in ("nowhere", "../journeys-sandbox", "journeys-sandbox.yml"):
        with pytest.raises(EmulatorStartError, match=r"journeys-production|does not exist"):
            Emulator(EmulatorOptions(environment=name)).start()


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yml"
    path.write_text("a: [")
    with pytest.raises(EmulatorStartError, match="is not YAML"):
        Emulator(EmulatorOptions(environment=str(path))).start()


def test_relationships_say_what_a_lookup_does_not(tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text(
        """
tables:
  shop_box:
    primary_name: shop_name
    columns:
      shop_boxid: {type: Uniqueidentifier}
      shop_name: {type: String}
  shop_thing:
    primary_name: shop_name
    columns:
      shop_thingid: {type: Uniqueidentifier}
      shop_name: {type: String, level: ApplicationRequired}
      shop_box: {type: Lookup, targets: [shop_box]}
      shop_size: {type: Picklist, default: 2, options: {1: Small, 2: {label: Large, description: The larger one}}}
      shop_width: {type: Decimal, min: 0.5, max: 100}
relationships:
  - table: shop_thing
    column: shop_box
    target: shop_box
    schema_name: shop_Box_Things
    nav: shop_Box
    collection: shop_Box_Things
    cascade: {delete: Cascade}
"""
    )
    with Emulator(EmulatorOptions(environment=str(tmp_path / "one.yml"))) as emulator:
        client = Client(emulator.url)
        body = {"shop_name": "Box", "shop_Box_Things": [{"shop_name": "One"}, {"shop_name": "Two"}]}
        box = client.create("shop_boxes", body)
        thing = client.create("shop_things", {"shop_Box@odata.bind": f"shop_boxes({box})"})
        assert client.get(f"shop_things({thing})")["_shop_box_value"] == box
        assert len(client.get(f"shop_boxes({box})/shop_Box_Things")["value"]) == 3
        column = client.get("EntityDefinitions(LogicalName='shop_thing')/Attributes(LogicalName='shop_name')")
        assert column["RequiredLevel"]["Value"] == "ApplicationRequired"
        client.close()


def test_a_relationship_of_no_lookup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text("relationships: [{table: account, column: nothing, target: account}]")
    with pytest.raises(EmulatorStartError, match=r"account\.nothing"):
        Emulator(EmulatorOptions(environment=str(tmp_path / "one.yml"))).start()
