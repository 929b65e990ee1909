"""A program that makes its own tables and queries them by SQL and FetchXML, as the examples of Microsoft's client do.

https://github.com/microsoft/PowerPlatform-DataverseClient-Python/tree/main/examples/advanced (sql_examples, fetchxml)
"""

from collections.abc import Iterator
from enum import IntEnum

import pandas as pd  # type: ignore[import-untyped]
import pytest
from PowerPlatform.Dataverse.client import DataverseClient

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .test_official_client import SHOP, TOKEN, connected

TEAM, TASK = "new_SqlTeam", "new_SqlTask"


class Region(IntEnum):
    """A choice that the client makes of an enumeration."""

    NORTH = 1
    SOUTH = 2
    EAST = 3


@pytest.fixture(scope="module")
def client() -> Iterator[DataverseClient]:
    """A client whose tables hold three teams and four tasks; it deletes them again."""
    patch = pytest.MonkeyPatch()
    with (
        Emulator(EmulatorOptions(environment=SHOP, token=TOKEN, self_signed=True)) as emulator,
        connected(emulator, patch) as opened,
    ):
        _fill(opened)
        yield opened
        for table in (TASK, TEAM):
            opened.tables.delete(table)
        assert opened.tables.get(TEAM) is None
    patch.undo()


def _fill(client: DataverseClient) -> None:
    client.tables.create(
        TEAM, {"new_Code": "string", "new_Region": Region, "new_Budget": "decimal", "new_Active": "bool"}
    )
    client.tables.create(TASK, {"new_Title": "string", "new_Hours": "int", "new_Done": "bool"})
    client.tables.create_lookup_field(
        referencing_table=TASK, lookup_field_name="new_TeamId", referenced_table=TEAM, display_name="Team"
    )
    teams = client.records.create(
        TEAM,
        [
            {"new_Code": "ALPHA", "new_Region": Region.NORTH, "new_Budget": 50000, "new_Active": True},
            {"new_Code": "BRAVO", "new_Region": Region.SOUTH, "new_Budget": 75000, "new_Active": True},
            {"new_Code": "CHARLIE", "new_Region": Region.NORTH, "new_Budget": 30000, "new_Active": False},
        ],
    )
    info = client.tables.get(TEAM)
    assert info is not None
    bound = [f"/{info['entity_set_name']}({team})" for team in teams]
    client.records.create(
        TASK,
        [
            {"new_Title": "Design", "new_Hours": 8, "new_Done": True, "new_TeamId@odata.bind": bound[0]},
            {"new_Title": "Write tests", "new_Hours": 12, "new_Done": False, "new_TeamId@odata.bind": bound[0]},
            {"new_Title": "Review", "new_Hours": 3, "new_Done": True, "new_TeamId@odata.bind": bound[1]},
            {"new_Title": "Tune", "new_Hours": 5, "new_Done": False},
        ],
    )


def test_the_columns_of_a_new_table(client: DataverseClient) -> None:
    names = {column["name"] for column in client.query.sql_columns(TEAM)}
    assert {"new_sqlteamid", "new_code", "new_region", "new_budget", "new_active", "ownerid"} <= names
    navigation = [one for one in client.query.odata_expands(TASK) if one["lookup_attribute"] == "new_teamid"]
    assert [(one["nav_property"], one["target_table"]) for one in navigation] == [("new_TeamId", "new_sqlteam")]


def test_conditions_on_a_new_table(client: DataverseClient) -> None:
    def codes(conditions: str) -> list[str]:
        rows = client.query.sql(f"SELECT new_code FROM {TEAM} WHERE {conditions} ORDER BY new_code")  # noqa: S608
        return [row["new_code"] for row in rows]

    assert codes("new_budget > 40000") == ["ALPHA", "BRAVO"]
    assert codes("new_active = 1 AND (new_budget > 80000 OR new_budget < 60000)") == ["ALPHA"]
    assert codes("new_code NOT IN ('ALPHA')") == ["BRAVO", "CHARLIE"]
    assert codes("new_region = 1") == ["ALPHA", "CHARLIE"]
    assert codes("new_code LIKE 'b%'") == ["BRAVO"]


def test_joins_and_groups_of_new_tables(client: DataverseClient) -> None:
    rows = client.query.sql(
        "SELECT t.new_code, tk.new_title, tk.new_hours FROM new_SqlTask tk "
        "JOIN new_SqlTeam t ON tk.new_teamid = t.new_sqlteamid ORDER BY tk.new_hours"
    )
    assert [(row["new_code"], row["new_title"]) for row in rows] == [
        ("BRAVO", "Review"), ("ALPHA", "Design"), ("ALPHA", "Write tests")
    ]  # fmt: skip
    groups = client.query.sql(
        "SELECT t.new_code, COUNT(tk.new_sqltaskid) as task_count, SUM(tk.new_hours) as total_hours "
        "FROM new_SqlTeam t JOIN new_SqlTask tk ON t.new_sqlteamid = tk.new_teamid GROUP BY t.new_code"
    )
    assert {(row["new_code"], row["task_count"], row["total_hours"]) for row in groups} == {
        ("ALPHA", 2, 20), ("BRAVO", 1, 3)
    }  # fmt: skip
    regions = client.query.sql(
        "SELECT new_region, COUNT(*) as team_count, SUM(new_budget) as total_budget "
        "FROM new_sqlteam GROUP BY new_region"
    )
    assert {(row["new_region"], row["team_count"], row["total_budget"]) for row in regions} == {
        (1, 2, 80000.0), (2, 1, 75000.0)
    }  # fmt: skip


def test_rows_found_by_sql_are_changed(client: DataverseClient) -> None:
    frame = client.dataframe.sql("SELECT new_sqltaskid, new_title, new_hours, new_done FROM new_sqltask")
    open_tasks = frame[~frame["new_done"].astype(bool)].copy()
    open_tasks["new_hours"] += 1
    client.dataframe.update(TASK, open_tasks[["new_sqltaskid", "new_hours"]], id_column="new_sqltaskid")
    changed = client.query.sql("SELECT new_hours FROM new_sqltask WHERE new_done = 0 ORDER BY new_hours")
    assert [row["new_hours"] for row in changed] == [6, 13]
    open_tasks["new_hours"] -= 1
    client.dataframe.update(TASK, open_tasks[["new_sqltaskid", "new_hours"]], id_column="new_sqltaskid")


def test_rows_made_and_deleted_by_a_data_frame(client: DataverseClient) -> None:
    ids = client.dataframe.create(TASK, pd.DataFrame({"new_Title": ["TEMP: a", "TEMP: b"], "new_Hours": [1, 2]}))
    found = client.dataframe.sql("SELECT new_sqltaskid, new_title FROM new_sqltask WHERE new_title LIKE 'TEMP:%'")
    assert sorted(found["new_sqltaskid"]) == sorted(ids)
    client.dataframe.delete(TASK, found["new_sqltaskid"])
    assert client.query.sql("SELECT new_title FROM new_sqltask WHERE new_title LIKE 'TEMP:%'") == []


def test_fetchxml_over_new_tables(client: DataverseClient) -> None:
    link = (
        '<link-entity name="new_sqlteam" from="new_sqlteamid" to="new_teamid" alias="p" link-type="outer">'
        '<attribute name="new_code" /></link-entity>'
    )
    xml = (
        '<fetch count="3"><entity name="new_sqltask"><attribute name="new_title" /><attribute name="new_hours" />'
        f'<order attribute="new_hours" />{link}</entity></fetch>'
    )
    pages = list(client.query.fetchxml(xml).execute_pages())
    assert [[(row["new_hours"], row.get("p.new_code", "")) for row in page] for page in pages] == [
        [(3, "BRAVO"), (5, ""), (8, "ALPHA")], [(12, "ALPHA")]
    ]  # fmt: skip
