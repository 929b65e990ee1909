"""``confmig emulator --record``: a definition of an environment, from which the same tables are served again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
import yaml

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions
from tests.flow.conftest import Confmig, Serve

SHOP = Path(__file__).parents[1] / "emulator" / "shop.yml"
EVERYTHING = Path(__file__).parents[1] / "webapi" / "market.yml"
CONTOSO = (
    "account", "contact", "queue", "task", "contoso_benefit", "contoso_coffee", "contoso_offer", "contoso_program",
    "contoso_region", "contoso_setting", "contoso_store", "contoso_translation",
)  # fmt: skip


def metadata(url: str, table: str) -> dict[str, Any]:
    condition = {
        "PropertyName": "LogicalName",
        "ConditionOperator": "Equals",
        "Value": {"Type": "System.String", "Value": table},
    }
    query = {
        "Properties": {"AllProperties": True},
        "Criteria": {"FilterOperator": "And", "Conditions": [condition]},
        "LabelQuery": {"FilterLanguages": []},
    }
    text = quote(json.dumps(query))
    answer = requests.get(f"{url}/api/data/v9.2/RetrieveMetadataChanges(Query=@p1)?@p1={text}", timeout=10)
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["EntityMetadata"]
    return dict(found)


def known(described: dict[str, Any], tables: set[str]) -> dict[str, Any]:
    """What is said of a table, without relationships to tables that were not recorded."""
    found = dict(described)
    found["OneToManyRelationships"] = [
        one for one in found["OneToManyRelationships"] if one["ReferencingEntity"] in tables
    ]
    found["ManyToManyRelationships"] = [
        one
        for one in found["ManyToManyRelationships"]
        if {one["Entity1LogicalName"], one["Entity2LogicalName"]} <= tables
    ]
    # Columns that the service makes with others, such as those of images, are made again, and so come last.
    found["Attributes"] = sorted(
        ({key: value for key, value in one.items() if key != "ColumnNumber"} for one in found["Attributes"]),
        key=lambda one: str(one["LogicalName"]),
    )
    # The lists have no order of their own.
    for name in ("OneToManyRelationships", "ManyToOneRelationships", "ManyToManyRelationships"):
        found[name] = sorted(found[name], key=lambda one: str(one["SchemaName"]))
    return found


def rows(url: str, entity_set: str) -> Iterator[dict[str, Any]]:
    answer = requests.get(f"{url}/api/data/v9.2/{entity_set}", timeout=10)
    assert answer.status_code == 200, answer.text
    for row in answer.json()["value"]:
        yield {name: value for name, value in row.items() if name not in ("@odata.etag", "versionnumber")}


def recorded(confmig: Confmig, url: str, *arguments: str) -> dict[str, Any]:
    done = confmig("emulator", "--record", url, "--output", "recorded.yml", *arguments)
    assert done.code == 0, done
    definition: dict[str, Any] = yaml.safe_load(Path("recorded.yml").read_text("utf-8"))
    facts = json.loads(done.out)
    assert facts["output"] == "recorded.yml"
    assert facts["rows"] == sum(map(len, definition.get("rows", {}).values()))
    return definition


def test_all_custom_tables_have_the_same_metadata_in_the_recording(confmig: Confmig, serve: Serve) -> None:
    source = serve(environment="journeys-sandbox")
    definition = recorded(confmig, source.url)
    assert "rows" not in definition
    again = serve(environment="recorded.yml")
    full = {name for name, table in definition["tables"].items() if len(table["columns"]) > 2}
    assert {"contoso_coffee", "msdynmkt_journey"} <= full
    assert not {"account", "systemuser"} & full
    for name in full:
        assert known(metadata(again.url, name), full) == known(metadata(source.url, name), full)


def test_named_tables_come_with_their_rows_when_asked(confmig: Confmig, serve: Serve) -> None:
    source = serve(environment="journeys-sandbox")
    definition = recorded(
        confmig, source.url, *(word for name in CONTOSO for word in ("--table", name)), "--record-rows"
    )
    again = serve(environment="recorded.yml")
    tables = set(CONTOSO)
    compared = 0
    for name in CONTOSO:
        assert known(metadata(again.url, name), tables) == known(metadata(source.url, name), tables)
        table = definition["tables"][name]
        files = {column for column, described in table["columns"].items() if described["type"] == "File"}
        for url in (source.url, again.url):
            assert all(column in row for row in rows(url, table["entity_set"]) for column in files)
        both = [
            {row[table["primary_id"]]: {key: value for key, value in row.items() if key not in files} for row in listed}
            for listed in (rows(source.url, table["entity_set"]), rows(again.url, table["entity_set"]))
        ]
        assert both[0] == both[1]
        compared += len(both[0])
    assert compared > 150
    for intersect in ("contoso_coffee_store", "contoso_coffee_pairing"):
        pairs = [sorted(map(str, rows(url, f"{intersect}set"))) for url in (source.url, again.url)]
        assert pairs[0] == pairs[1]
        assert pairs[0]
    # What is only pointed to is there with its name.
    assert {row["fullname"] for row in definition["rows"]["systemuser"]} >= {"Camille Aubert", "Priya Nair"}
    assert len(definition["tables"]["msdynmkt_journey"]["columns"]) == 2


def test_files_and_images_come_along(confmig: Confmig, serve: Serve) -> None:
    source = serve(environment="journeys-sandbox")
    recorded(confmig, source.url, "--table", "contoso_coffee", "--record-rows")
    again = serve(environment="recorded.yml")
    path = "api/data/v9.2/contoso_coffees(contoso_sku='CF-001')"
    for column in ("contoso_sheet", "contoso_picture"):
        files = [requests.get(f"{url}/{path}/{column}/$value", timeout=10) for url in (source.url, again.url)]
        assert files[0].status_code == 200
        assert files[0].content == files[1].content
        assert files[0].headers["x-ms-file-name"] == files[1].headers["x-ms-file-name"]


@pytest.mark.parametrize("definition", [SHOP, EVERYTHING], ids=["shop", "market"])
def test_small_environments_with_everything(confmig: Confmig, serve: Serve, definition: Path) -> None:
    source = serve(environment=str(definition))
    tables = set(yaml.safe_load(definition.read_text("utf-8"))["tables"])
    recorded(confmig, source.url, *(word for name in sorted(tables) for word in ("--table", name)), "--record-rows")
    again = serve(environment="recorded.yml")
    for name in tables:
        assert known(metadata(again.url, name), tables) == known(metadata(source.url, name), tables)


def test_the_tables_of_a_schema_and_of_a_solution(confmig: Confmig, serve: Serve) -> None:
    source = serve(environment="journeys-sandbox")
    made = confmig("schema", "generate", "--source", source.url, "--table", "contoso_region")
    assert made.code == 0
    definition = recorded(confmig, source.url, "--schema", "data_schema.xml", "--solution", "ContosoLoyalty")
    full = {name for name, table in definition["tables"].items() if len(table["columns"]) > 2}
    assert full == {"contoso_region", "contoso_program", "contoso_offer", "contoso_benefit"}
    assert definition["languages"] == [1033, 1031, 1036, 3082]
    solutions = {one["uniquename"]: one for one in definition["solutions"]}
    assert solutions["ContosoCore"]["tables"] == ["contoso_region"]
    assert solutions["ContosoLoyalty"]["publisher"]["prefix"] == "contoso"
    assert solutions["ContosoCustomizations"]["ismanaged"] is False


def test_the_same_environment_gives_the_same_bytes(confmig: Confmig, serve: Serve) -> None:
    source = serve(environment=str(SHOP))
    written = set()
    for names in (("account", "contact"), ("contact", "account", "contact")):
        recorded(confmig, source.url, *(word for name in names for word in ("--table", name)), "--record-rows")
        written.add(Path("recorded.yml").read_bytes())
    assert len(written) == 1


def test_a_table_that_the_client_made_is_recorded_and_served_again(confmig: Confmig, serve: Serve) -> None:
    source = serve(environment=str(SHOP))
    column = {
        "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
        "SchemaName": "new_Name",
        "IsPrimaryName": True,
        "MaxLength": 77,
        "DisplayName": {"LocalizedLabels": [{"Label": "Name", "LanguageCode": 1033}]},
    }
    body = {
        "SchemaName": "new_Thing",
        "DisplayName": {"LocalizedLabels": [{"Label": "Thing", "LanguageCode": 1033}]},
        "DisplayCollectionName": {"LocalizedLabels": [{"Label": "Things", "LanguageCode": 1033}]},
        "OwnershipType": "UserOwned",
        "HasActivities": False,
        "HasNotes": False,
        "Attributes": [column],
    }
    made = requests.post(f"{source.url}/api/data/v9.2/EntityDefinitions", json=body, timeout=10)
    assert made.status_code == 204, made.text
    definition = recorded(confmig, source.url, "--table", "new_thing")
    assert definition["tables"]["new_thing"]["columns"]["new_name"]["max_length"] == 77
    again = serve(environment="recorded.yml")
    ids = ("MetadataId", "ColumnNumber")
    columns = [
        {one["LogicalName"]: {key: value for key, value in one.items() if key not in ids}
         for one in metadata(url, "new_thing")["Attributes"]}
        for url in (source.url, again.url)
    ]  # fmt: skip
    assert columns[0] == columns[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--record needs a file to write"),
        (("--output", "other.txt"), "--record needs a file to write"),
        (("--output", "own.yml"), "this is no recording"),
        (("--output", "a.yml", "--table", "nope"), "has no table nope"),
        (("--output", "a.yml", "--solution", "Nope"), "has no solution Nope"),
    ],
)
def test_what_cannot_be_recorded(
    arguments: tuple[str, ...], words: str, confmig: Confmig, serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "own.yml").write_text("tables: {}\n")
    source = serve(environment=str(SHOP))
    refused = confmig("emulator", "--record", source.url, *arguments)
    assert refused.code == 2
    assert words in refused.err
    assert (tmp_path / "own.yml").read_text() == "tables: {}\n"
    assert not (tmp_path / "a.yml").exists()


def test_rows_are_recorded_from_somewhere(confmig: Confmig) -> None:
    refused = confmig("emulator", "--record-rows")
    assert refused.code == 2
    assert "only together with --record" in refused.err


def test_who_may_not_read_is_told(confmig: Confmig) -> None:
    with Emulator(EmulatorOptions(environment=str(SHOP), deny=("prvReadAccount",))) as source:
        arguments = ("emulator", "--record", source.url, "--output", "a.yml", "--table", "account")
        refused = confmig(*arguments, "--record-rows")
        assert refused.code == 7
        assert "prvReadAccount" in refused.err
        assert not Path("a.yml").exists()
        assert confmig(*arguments).code == 0


def test_rows_of_tables_that_are_only_named_can_be_written(confmig: Confmig, serve: Serve) -> None:
    recorded(confmig, serve(environment="journeys-sandbox").url, "--solution", "ContosoCore")
    accounts = f"{serve(environment='recorded.yml').url}/api/data/v9.2/accounts"
    made = requests.post(accounts, json={"name": "Made"}, timeout=10)
    assert made.status_code == 204, made.text
    changed = requests.patch(made.headers["OData-EntityId"], json={"name": "Changed"}, timeout=10)
    assert changed.status_code == 204, changed.text
    assert "Changed" in {row["name"] for row in requests.get(accounts, timeout=10).json()["value"]}


@pytest.mark.parametrize("rows", [(), ("--record-rows",)])
def test_an_environment_without_custom_tables_asks_for_names(
    confmig: Confmig, serve: Serve, rows: tuple[str, ...]
) -> None:
    done = confmig("emulator", "--record", serve().url, "--output", "none.yml", *rows)
    assert (done.code, "--table" in done.err) == (2, True), done
    assert not Path("none.yml").exists()
