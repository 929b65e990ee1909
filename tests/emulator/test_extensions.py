"""What a definition adds to the tables of one that it includes."""

from pathlib import Path

import pytest

from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client

GARDEN = """
include: [standard]
extend:
  contact:
    columns:
      tree_height: {type: Integer, min: 0, max: 300, schema_name: tree_Height}
      jobtitle: {type: String, max_length: 30, schema_name: JobTitle}
    keys: {tree_phone: [mobilephone]}
    duplicate_rules: [[emailaddress1]]
tables:
  tree_tree:
    primary_name: tree_name
    has_activities: true
    has_notes: true
    columns:
      tree_treeid: {type: Uniqueidentifier}
      tree_name: {type: String}
"""


def served(path: Path, text: str) -> Emulator:
    path.write_text(text, "utf-8")
    return Emulator(EmulatorOptions(environment=str(path)))


def test_columns_keys_and_rules_are_added_and_the_rest_stays(tmp_path: Path) -> None:
    with served(tmp_path / "garden.yml", GARDEN) as emulator:
        client = Client(emulator.url)
        contact = client.create(
            "contacts", {"lastname": "Oak", "mobilephone": "7", "emailaddress1": "a@b.example", "tree_height": 190}
        )
        row = client.get("contacts(mobilephone='7')?$select=contactid,fullname,tree_height")
        assert (row["contactid"], row["fullname"], row["tree_height"]) == (contact, "Oak", 190)
        assert client.send("POST", "contacts", {"lastname": "Elm", "tree_height": 301}).status_code == 400
        assert client.send("POST", "contacts", {"lastname": "Elm", "jobtitle": "x" * 31}).status_code == 400
        twin = {"lastname": "Ash", "emailaddress1": "a@b.example"}
        asked = client.send("POST", "contacts", twin, **{"MSCRM.SuppressDuplicateDetection": "false"})
        assert asked.status_code == 412
        client.close()


def test_activities_and_notes_are_about_every_table_that_has_them(tmp_path: Path) -> None:
    with served(tmp_path / "garden.yml", GARDEN) as emulator:
        client = Client(emulator.url)
        tree = client.create("tree_trees", {"tree_name": "Oak"})
        client.create(
            "tasks", {"subject": "Water", "regardingobjectid_tree_tree_task@odata.bind": f"/tree_trees({tree})"}
        )
        client.create("annotations", {"subject": "Tall", "objectid_tree_tree@odata.bind": f"/tree_trees({tree})"})
        tasks = client.rows(f"tasks?$filter=_regardingobjectid_value eq {tree}")
        notes = client.rows(f"annotations?$filter=_objectid_value eq {tree}")
        assert [row["subject"] for row in (*tasks, *notes)] == ["Water", "Tall"]
        assert notes[0]["objecttypecode"] == "tree_tree"
        client.close()


@pytest.mark.parametrize(
    ("extension", "words"),
    [
        ("  contacts: {}", "garden.yml: extend: what it includes has no table contacts"),
        ("  contact:\n    keys: {tree_key: [nothing]}", "garden.yml:5: the key 'tree_key' of contact"),
        (
            "  contact:\n    columns:\n      tree_to: {type: Lookup, targets: [tree]}",
            "garden.yml:6: contact.tree_to points to the unknown table 'tree'",
        ),
    ],
)
def test_a_wrong_extension_names_the_place(tmp_path: Path, extension: str, words: str) -> None:
    with pytest.raises(EmulatorStartError) as raised:
        served(tmp_path / "garden.yml", f"include: [standard]\n\nextend:\n{extension}\n").start()
    assert words in str(raised.value)
