"""Solutions and the tables that they consist of."""

from pathlib import Path

import pytest

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import ALL, NAME, Client
from .metadatabodies import label, table
from .test_packages import DATA, SCHEMA, write_zip

SOLUTION = {"MSCRM.SolutionUniqueName": "examplesolution"}
COMPONENTS = "solutioncomponents?$select=objectid,componenttype,rootcomponentbehavior"
ACTIVE, DEFAULT = (f"fd140aa{letter}-4df4-11dd-bd17-0019b9312238" for letter in "ef")


def tables_of(client: Client, solution: str) -> set[str]:
    """The tables of a solution, found as clients find them."""
    solutions = client.rows(f"solutions?$select=solutionid&$filter=uniquename eq '{solution}'")
    solution_id = solutions[0]["solutionid"]
    rows = client.rows(f"{COMPONENTS}&$filter=_solutionid_value eq {solution_id} and componenttype eq 1")
    assert {(row["componenttype"], row["rootcomponentbehavior"]) for row in rows} <= {(1, 0)}
    described = client.get("EntityDefinitions?$select=LogicalName,IsIntersect")["value"]
    names = {one["MetadataId"]: one["LogicalName"] for one in described}
    return {names[row["objectid"]] for row in rows}


def test_the_solutions_of_an_environment(shop: Client) -> None:
    path = (
        "solutions?$select=uniquename,version&$filter=isvisible eq true and ismanaged eq true"
        "&$expand=publisherid($select=customizationprefix)"
    )
    found = shop.get(path)["value"]
    assert [(row["uniquename"], row["version"]) for row in found] == [("ShopCore", "1.2.3.4")]
    assert found[0]["publisherid"]["customizationprefix"]


def test_the_solutions_of_every_environment(tmp_path: Path) -> None:
    package = write_zip(tmp_path / "p.zip")
    for options in (
        EmulatorOptions(),
        EmulatorOptions(package=package),
        EmulatorOptions(package=package, empty=True),
        EmulatorOptions(environment="journeys-sandbox"),
    ):
        with Emulator(options) as emulator:
            client = Client(emulator.url)
            rows = client.rows("solutions?$select=uniquename,version,ismanaged,isvisible")
            found = {row["uniquename"]: (row["ismanaged"], row["isvisible"]) for row in rows}
            system = {"Default": (False, True), "Active": (False, False), "System": (True, False)}
            assert system.items() <= found.items()
            assert {row["uniquename"]: row["solutionid"] for row in rows}["Default"] == DEFAULT
            version = client.get("RetrieveVersion()")["Version"]
            assert [row["version"] for row in rows if row["uniquename"] == "System"] == [version]
            client.close()


def test_the_default_solution_has_every_table_but_intersects(shop: Client) -> None:
    described = shop.get("EntityDefinitions?$select=LogicalName&$filter=IsIntersect eq false")["value"]
    assert tables_of(shop, "Default") == {one["LogicalName"] for one in described}
    assert tables_of(shop, "ShopCore") == {"account", "shop_tag"}
    assert tables_of(shop, "Active") == set()


@pytest.mark.parametrize("name", ["journeys-sandbox", "journeys-production"])
def test_the_tables_of_the_journeys_solutions(name: str) -> None:
    with Emulator(EmulatorOptions(environment=name)) as emulator:
        client = Client(emulator.url)
        assert tables_of(client, "DynamicsMKT_OrchestrationEngine") == {"msdynmkt_journey", "msdynmkt_journeytemplate"}
        assert tables_of(client, "DynamicsMKT_Fragments") == {"msdynmkt_fragment"}
        assert tables_of(client, "DynamicsCij_AnchorSolution") == set()
        own = client.rows("solutions?$filter=uniquename eq 'ContosoMarketingConfig'")
        assert [(row["friendlyname"], row["ismanaged"]) for row in own] == [("Contoso Marketing Configuration", False)]
        managed = client.rows("solutions?$select=uniquename&$filter=startswith(uniquename,'DynamicsMKT')")
        every = set().union(*(tables_of(client, row["uniquename"]) for row in managed))
        assert set() < tables_of(client, "ContosoMarketingConfig") < every
        client.close()


def test_components_are_read_only_and_name_their_solution(shop: Client) -> None:
    rows = shop.rows(f"{COMPONENTS},_solutionid_value&$expand=solutionid($select=uniquename)", **ALL)
    assert {row["solutionid"]["uniquename"] for row in rows} == {"Default", "ShopCore"}
    first = rows[0]
    assert first["_solutionid_value" + NAME] in {"Default Solution", "Shop"}
    assert first["componenttype" + NAME] == "Entity"
    assert first["rootcomponentbehavior" + NAME] == "Include Subcomponents"
    attributes = shop.get("EntityDefinitions(LogicalName='solutioncomponent')/Attributes")["value"]
    writable = {one["LogicalName"] for one in attributes if one["IsValidForUpdate"]}
    assert writable.isdisjoint({"objectid", "componenttype", "rootcomponentbehavior", "solutionid"})


def test_a_package_may_name_the_solutions_that_every_environment_has(tmp_path: Path) -> None:
    field = '<field displayname="Solution" name="x_solution" type="entityreference" lookupType="solution" />'
    value = f'<field name="x_solution" value="{ACTIVE}" lookupentity="solution" lookupentityname="Active" />'
    schema = SCHEMA.replace("</fields>", f"{field}</fields>")
    data = DATA.replace("</record>", f"{value}</record>", 1)
    with Emulator(EmulatorOptions(package=write_zip(tmp_path / "p.zip", schema, data))) as emulator:
        client = Client(emulator.url)
        row = client.get(f"solutions({ACTIVE})?$select=uniquename,version")
        assert (row["uniquename"], row["version"]) == ("Active", "1.0")
        client.close()


def test_a_publisher_and_a_solution_of_it_give_new_options_their_values(fresh: Client) -> None:
    publisher = {
        "uniquename": "examplepublisher",
        "friendlyname": "Example Publisher",
        "description": "An example publisher for samples",
        "customizationprefix": "sample",
        "customizationoptionvalueprefix": 72700,
    }
    publisher_id = fresh.create("publishers", publisher)
    solution = {
        "uniquename": "examplesolution",
        "friendlyname": "Example Solution",
        "description": "An example solution for samples",
        "version": "1.0.0.0",
        "publisherid@odata.bind": f"/publishers({publisher_id})",
    }
    solution_id = fresh.create("solutions", solution)
    names = ",".join(publisher)
    (found,) = fresh.rows(f"publishers?$select={names}&$filter=customizationoptionvalueprefix eq 72700")
    assert {name: found[name] for name in publisher} == publisher
    assert fresh.get(f"solutions({solution_id})?$select=description")["description"] == solution["description"]
    reply = fresh.send("POST", "EntityDefinitions", table("sample_Account"), **SOLUTION)
    assert reply.status_code == 204, reply.text
    body = {
        "EntityLogicalName": "sample_account",
        "AttributeLogicalName": "statuscode",
        "Label": label("Frozen"),
        "StateCode": 1,
    }
    reply = fresh.send("POST", "InsertStatusValue", {**body, "SolutionUniqueName": "examplesolution"})
    assert reply.json()["NewOptionValue"] == 727_000_000
