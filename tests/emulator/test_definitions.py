"""Environment definitions: those that come along, and wrong ones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

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
        ({"tables": {"x_thing": {"columns": {"x_thingid": {"type": "Guid"}}}}}, "cannot be 'Guid'; known are BigInt"),
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


EVERYTHING = """
languages: [1033, 1031]
choices:
  x_taste: {display_name: Taste, options: {1: Sweet, 2: {label: {1033: Sour, 1031: Sauer}, color: "#ffee00"}}}
solutions:
  - {uniquename: X, friendlyname: X, version: 1.0.0.0, publisher: {uniquename: xs, friendlyname: X Ltd, prefix: x}}
tables:
  x_thing:
    display_name: {1033: Thing, 1031: Ding}
    collection_name: Thingummies
    schema_name: x_Thing
    description: What there is
    primary_name: x_name
    system_columns: false
    change_tracking: true
    managed: true
    has_notes: true
    states: {0: {1033: Active, 1031: Aktiv}, 1: Inactive}
    statuses: {1: {label: {1033: Active, 1031: Aktiv}, state: 0}, 2: {label: Inactive, state: 1}}
    columns:
      x_thingid: {type: Uniqueidentifier, schema_name: x_ThingId}
      x_name: {type: String, level: ApplicationRequired, description: Says which}
      x_taste: {type: Picklist, choice: x_taste, default: 2}
      x_price: {type: Money, precision: 4, max: "922337203685477.5807", min: -1}
      x_rate: {type: Double, min: 0, max: 0.5}
      x_sum: {type: Integer, source: rollup, creatable: false}
      x_file: {type: File, max_size_kb: 64}
      x_image: {type: Image, primary_image: true, full_image: true}
      x_other: {type: Lookup, schema_name: x_Other, targets: [x_thing]}
      statecode: {type: State}
      statuscode: {type: Status}
    keys: {x_both: {columns: [x_name, x_other], schema_name: x_Both, status: Pending}}
many_to_many:
  - {schema_name: x_Twins, intersect: x_twin, table1: x_thing, table2: x_thing, column1: x_elder, column2: x_younger,
     nav1: x_Younger, nav2: x_Elder, entity_set: x_twins, object_type_code: 11000}
relationships:
  - {table: x_thing, column: x_other, target: x_thing, schema_name: x_Thing_Other, collection: x_Others,
     cascade: {delete: Restrict, assign: Cascade}, hierarchical: true}
rows:
  x_thing:
    - x_thingid: 10000000-0000-4000-8000-000000000001
      x_name: null
      x_price: "922337203685477.5807"
      x_rate: 0.25
      x_file: {file: "naïve.txt", text: "Größe"}
      x_image: {base64: iVBORw0KGgo=}
    - {x_thingid: 10000000-0000-4000-8000-000000000002, x_other: 10000000-0000-4000-8000-000000000001}
associations:
  x_Twins: [[10000000-0000-4000-8000-000000000001, 10000000-0000-4000-8000-000000000002]]
"""


@pytest.fixture
def everything(tmp_path: Path) -> Iterator[Client]:
    """What can be said, said once."""
    path = tmp_path / "everything.yml"
    path.write_text(EVERYTHING, "utf-8")
    with Emulator(EmulatorOptions(environment=str(path))) as emulator:
        client = Client(emulator.url)
        yield client
        client.close()


def test_what_is_said_of_a_table_stands_in_its_metadata(everything: Client) -> None:
    table = everything.get("EntityDefinitions(LogicalName='x_thing')")
    named = ("SchemaName", "ChangeTrackingEnabled", "IsManaged", "HasNotes", "IsCustomEntity")
    assert [table[name] for name in named] == ["x_Thing", True, True, True, True]
    labels = [table[name]["UserLocalizedLabel"]["Label"] for name in ("DisplayCollectionName", "Description")]
    assert labels == ["Thingummies", "What there is"]
    key = everything.get("EntityDefinitions(LogicalName='x_thing')/Keys")["value"][0]
    assert (key["SchemaName"], key["KeyAttributes"], key["EntityKeyIndexStatus"]) == (
        "x_Both",
        ["x_name", "x_other"],
        "Pending",
    )


def test_labels_have_several_languages(everything: Client) -> None:
    def languages(label: dict[str, Any]) -> dict[int, str]:
        return {one["LanguageCode"]: one["Label"] for one in label["LocalizedLabels"]}

    table = everything.get("EntityDefinitions(LogicalName='x_thing')")
    assert languages(table["DisplayName"]) == {1033: "Thing", 1031: "Ding"}
    assert table["DisplayName"]["UserLocalizedLabel"]["Label"] == "Thing"
    for kind, value, labels in (
        ("Picklist", 2, {1033: "Sour", 1031: "Sauer"}),
        ("State", 0, {1033: "Active", 1031: "Aktiv"}),
        ("Status", 1, {1033: "Active", 1031: "Aktiv"}),
    ):
        cast = f"Attributes/Microsoft.Dynamics.CRM.{kind}AttributeMetadata?$expand=OptionSet"
        column = everything.get(f"EntityDefinitions(LogicalName='x_thing')/{cast}")["value"][0]
        options = {one["Value"]: one["Label"] for one in column["OptionSet"]["Options"]}
        assert languages(options[value]) == labels


def test_what_is_said_of_columns_stands_in_their_metadata(everything: Client) -> None:
    listed = everything.get("EntityDefinitions(LogicalName='x_thing')/Attributes")["value"]
    columns = {one["LogicalName"]: one for one in listed}
    assert "createdon" not in columns
    assert columns["x_name"]["RequiredLevel"]["Value"] == "ApplicationRequired"
    assert (columns["x_sum"]["SourceType"], columns["x_sum"]["IsValidForCreate"]) == (2, False)

    def typed(name: str) -> Any:
        return everything.get(f"EntityDefinitions(LogicalName='x_thing')/Attributes(LogicalName='{name}')")

    assert (typed("x_rate")["MinValue"], typed("x_rate")["MaxValue"]) == (0, "0.5")
    assert (typed("x_image")["IsPrimaryImage"], typed("x_image")["CanStoreFullImage"]) == (True, True)
    assert typed("x_file")["MaxSizeInKB"] == 64
    path = "EntityDefinitions(LogicalName='x_thing')/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    choice = everything.get(f"{path}?$expand=OptionSet")["value"][0]
    assert choice["DefaultFormValue"] == 2
    assert [(one["Value"], one["Color"]) for one in choice["OptionSet"]["Options"]] == [(1, None), (2, "#ffee00")]


def test_what_is_said_of_relationships_stands_in_their_metadata(everything: Client) -> None:
    one = everything.get("RelationshipDefinitions(SchemaName='x_Thing_Other')")
    assert one["ReferencingEntityNavigationPropertyName"] == "x_Other"
    assert one["ReferencedEntityNavigationPropertyName"] == "x_Others"
    assert (one["CascadeConfiguration"]["Delete"], one["CascadeConfiguration"]["Assign"]) == ("Restrict", "Cascade")
    assert one["IsHierarchical"] is True
    many = everything.get("RelationshipDefinitions(SchemaName='x_Twins')")
    assert (many["Entity1IntersectAttribute"], many["Entity2NavigationPropertyName"]) == ("x_elder", "x_Elder")
    pairs = everything.rows("x_twins")
    assert [(row["x_elder"][-1], row["x_younger"][-1]) for row in pairs] == [("1", "2")]


def test_rows_bring_files_images_and_all_digits(everything: Client) -> None:
    row = "x_things(10000000-0000-4000-8000-000000000001)"
    read = everything.get(row)
    assert (read["x_price"], read["x_rate"], read["x_name"]) == ("922337203685477.5807", "0.25", None)
    file = everything.send("GET", f"{row}/x_file/$value")
    assert file.content.decode() == "Größe"
    assert file.headers["x-ms-file-name"] == "na%C3%AFve.txt"
    assert everything.send("GET", f"{row}/x_image/$value").content == b"\x89PNG\r\n\x1a\n"


def test_a_solution_has_its_publisher(everything: Client) -> None:
    solution = everything.get("solutions?$filter=uniquename eq 'X'&$expand=publisherid")["value"][0]
    assert solution["publisherid"]["customizationprefix"] == "x"
    default = everything.get("solutions?$filter=uniquename eq 'Default'&$expand=publisherid")["value"][0]
    assert default["publisherid"]["uniquename"] == "defaultpublisher"


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("choice: x_taste", "choice: x_nope", "x_thing.x_taste is of the unknown choice 'x_nope'"),
        ("text: \"Größe\"", "base64: '?'", "x_file: base64"),
        ("text: \"Größe\"", "path: /etc/hosts", "x_file: Object contains unknown field `path`"),
        ("x_rate: 0.25", "x_rate: high", "x_rate: "),
        ("min: -1", "min: low", "'low' is not a number"),
        ("[x_name, x_other]", "[x_name, x_nope]", "the key 'x_both' of x_thing names a column"),
        ("target: x_thing,", "target: contact,", "x_thing.x_other points to contact, which it does not"),
        ("entity_set: x_twins", "entity_set: x_things", "has the entity set x_things, which x_thing has, too"),
        ("intersect: x_twin,", "intersect: x_thing,", "the intersect table x_thing of x_Twins is described as a table"),
        ("x_rate: {type: Double", "X_Name: {type: Double", "the columns x_name and X_Name of x_thing differ in"),
        ("column1: x_elder", "column1: 'x elder'", "'x_Twins' has a wrong name"),
        ("-000000000002]]", "-000000000009]]", "x_Twins names the x_thing 10000000-0000-4000-8000-000000000009"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_names_the_line(tmp_path: Path, right: str, wrong: str, words: str) -> None:
    assert EVERYTHING.count(right) == 1
    text = EVERYTHING.replace(right, wrong)
    path = tmp_path / "wrong.yml"
    path.write_text(text, "utf-8")
    with pytest.raises(EmulatorStartError) as caught:
        Emulator(EmulatorOptions(environment=str(path))).start()
    assert words in str(caught.value)
    line = text[: text.index(wrong)].count("\n") + 1
    # Some things are said at the line where the table, the relationship or the key begins.
    found = int(str(caught.value).split(":")[1])
    assert line - 3 <= found <= line


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name: \xff\xfe", "cannot be read"),
        (b"? [a, b] : c", "is not YAML"),
        (b"? {a: b} : c", "is not YAML"),
        (b"a: &a [*a]\nb: 1", "a: unknown key"),
        (b"!!python/object:os.system {}", "is not YAML"),
        (b"name: 2020-99-99", "is not YAML"),
        (b"name: " + b"9" * 5000, "is not YAML"),
        (b"- a\n- b", "there must be keys and values"),
        (b"rows: &r {account: [*r]}", "wrong.yml"),
        (b"tables: {1: {columns: {}}}", "Expected `str`, got `int`"),
        (b"tables: {X: {columns: {Xid: {type: Uniqueidentifier}}}, x: {columns: {xid: {type: Uniqueidentifier}}}}",
         "the tables X and x differ in nothing but case"),
    ],
)  # fmt: skip
def test_files_that_are_no_definitions(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "wrong.yml"
    path.write_bytes(content)
    with pytest.raises(EmulatorStartError, match=r"^wrong\.yml") as caught:
        Emulator(EmulatorOptions(environment=str(path))).start()
    assert words in str(caught.value)
