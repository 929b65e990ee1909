"""The JSON Schema of definitions: up to date, complete, and true to what the emulator accepts."""

import importlib.resources
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from confmig.emulator.definitions.definitionschema import SCHEMA_FILE, schema_text
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client
from .conftest import SHOP

ENVIRONMENTS = importlib.resources.files("confmig.emulator") / "environments"
BUILT_IN = sorted(entry.name for entry in ENVIRONMENTS.iterdir() if entry.name.endswith(".yml"))
SCHEMA: dict[str, Any] = json.loads((ENVIRONMENTS / SCHEMA_FILE).read_text("utf-8"))


def problems(data: object) -> list[str]:
    # A validator sees JSON: keys are texts there, and dates are written out.
    plain = json.loads(json.dumps(data, default=str))
    return [error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(plain)]


def test_the_file_is_up_to_date() -> None:
    text = (ENVIRONMENTS / SCHEMA_FILE).read_text("utf-8")
    assert text == schema_text(), "write it again: python -m confmig.emulator.definitions.definitionschema"


def test_it_is_a_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_definitions_that_come_along_fit_and_name_it(name: str) -> None:
    text = (ENVIRONMENTS / name).read_text("utf-8")
    assert text.startswith(f"# yaml-language-server: $schema={SCHEMA_FILE}\n")
    assert problems(yaml.safe_load(text)) == []


def test_the_definitions_of_the_tests_fit() -> None:
    for path in (SHOP, Path(__file__).parents[1] / "webapi" / "market.yml"):
        assert problems(yaml.safe_load(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"tabels": {}}, "tabels"),
        ({"tables": {"x": {}}}, "columns"),
        ({"tables": {"x": {"columns": {"y": {"type": "Text"}}}}}, "'Text' is not one of"),
        ({"associations": {"x": [["a"]]}}, "too short"),
        ({"solutions": [{"version": "1.0"}]}, "uniquename"),
    ],
)
def test_what_the_emulator_refuses_does_not_fit(data: object, words: str) -> None:
    assert any(words in problem for problem in problems(data))


def attributes(part: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, described in part["$defs"].items():
        assert described["description"], name
        yield from ((f"{name}.{key}", value) for key, value in described["properties"].items())


def test_editors_can_say_what_each_key_is() -> None:
    described = dict(attributes(SCHEMA))
    assert described["ColumnDef.max"]["description"] == "The greatest one."
    assert "published rules" in described["TableDef.duplicate_rules"]["description"].lower()
    silent = [name for name, part in described.items() if "description" not in part]
    # These say all with their names.
    assert {name.split(".")[1] for name in silent} <= {
        "label", "description", "color", "external_value", "display_name", "schema_name", "state",
        "has_notes", "has_activities", "uniquename", "friendlyname", "prefix",
        "assign", "delete", "merge", "reparent", "share", "unshare", "rollup_view",
    }  # fmt: skip


def test_the_example_of_the_documents_is_served_as_it_stands(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "environments.md").read_text("utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        assert problems(yaml.safe_load(example)) == []
        path = tmp_path / "example.yml"
        path.write_text(example, "utf-8")
        with Emulator(EmulatorOptions(environment=str(path))) as emulator:
            client = Client(emulator.url)
            assert client.rows("solutions?$filter=ismanaged eq true")
            client.close()
