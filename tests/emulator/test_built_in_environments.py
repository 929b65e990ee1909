"""The environments that come along: large and varied enough to rehearse on."""

import base64
import json
from collections.abc import Iterable, Set
from functools import cache
from graphlib import CycleError, TopologicalSorter

import pytest

from confmig.emulator.catalog import basetables
from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.catalog.model import LOOKUPS
from confmig.emulator.definitions.definedtables import build_catalog
from confmig.emulator.definitions.defining import fill_store
from confmig.emulator.definitions.definitionfiles import available, read_definition
from confmig.emulator.definitions.definitions import Definition, RemoveDef
from confmig.emulator.definitions.removing import without
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions
from confmig.emulator.storage.store import Store

from .client import Client

NAMES = ("journeys-sandbox", "journeys-production")
BASE = {table.name for table in basetables.base_tables()}
ANCHOR = "DynamicsCij_AnchorSolution"


@cache
def definition(name: str) -> Definition:
    return read_definition(name)


@cache
def catalog(name: str) -> Catalog:
    return build_catalog(definition(name))


def links(name: str, less: Set[str]) -> dict[str, set[str]]:
    """The tables to which the lookups of each table lead, without some tables and those of the platform."""
    out = BASE | less
    return {
        table.name: {target for column in table.columns.values() for target in column.targets} - out - {table.name}
        for table in catalog(name).tables.values()
        if table.name not in out and not table.is_intersect
    }


def cycles(edges: dict[str, set[str]]) -> Iterable[set[str]]:
    """Cycles that share no table, found one after the other."""
    while True:
        try:
            TopologicalSorter(edges).prepare()
        except CycleError as error:
            found = set(error.args[1])
            yield found
            edges = {name: targets - found for name, targets in edges.items() if name not in found}
        else:
            return


def test_the_list_names_environments_and_not_their_parts() -> None:
    assert available() == ["journeys-production", "journeys-sandbox", "standard"]


@pytest.mark.parametrize("name", NAMES)
def test_there_are_cycles_of_two_and_of_three_tables(name: str) -> None:
    everyday = definition("standard").tables.keys() - {"account", "contact"}
    found = sorted(cycles(links(name, everyday)), key=sorted)
    assert found == [
        {"account", "contact"},
        {"contoso_benefit", "contoso_offer", "contoso_program"},
        {"msdynmkt_compliancesettings4", "msdynmkt_purpose"},
    ]


@pytest.mark.parametrize("name", NAMES)
def test_there_is_one_of_everything(name: str) -> None:
    tables = [table for table in catalog(name).tables.values() if table.name not in BASE and not table.is_intersect]
    assert len(tables) >= 20
    columns = [(table, column) for table in tables for column in table.columns.values()]
    assert {column.type for _, column in columns} >= {
        "BigInt", "Boolean", "Customer", "DateTime", "Decimal", "Double", "File", "Image", "Integer", "Lookup", "Memo",
        "Money", "MultiSelectPicklist", "Owner", "Picklist", "State", "Status", "String", "Uniqueidentifier",
    }  # fmt: skip
    assert {column.behavior for _, column in columns} == {"UserLocal", "DateOnly", "TimeZoneIndependent"}
    keys = [(table, key) for table in tables for key in table.keys]
    assert any(table.columns[name].type in LOOKUPS for table, key in keys for name in key.columns)
    assert any(len(key.columns) > 1 for _, key in keys)
    assert any(column.parent for _, column in columns)
    assert any(len(column.targets) > 2 and column.type == "Lookup" for _, column in columns)
    assert any(many.table1 == many.table2 for many in catalog(name).many_to_many)
    assert {column.option_set for _, column in columns} >= {"contoso_roast", "contoso_channel"}
    assert any(column.auto_number for _, column in columns)
    assert any(column.secured for _, column in columns)
    assert {table.ownership for table in tables} == {"user", "organization"}
    assert any(table.is_activity for table in tables)
    assert any(table.enforce_transitions for table in tables)
    assert any(table.duplicate_rules for table in tables)
    assert {solution.ismanaged for solution in definition(name).solutions.values()} == {True, False}
    assert len(definition(name).languages) > 1


def test_the_sandbox_has_a_few_hundred_rows_and_every_table_of_its_own_has_some() -> None:
    rows = definition("journeys-sandbox").rows
    assert sum(map(len, rows.values())) > 350
    own = definition("journeys-sandbox").tables.keys() - definition("standard").tables.keys()
    assert [name for name in own | {"account", "contact", "lead", "queue", "task"} if not rows.get(name)] == []


def test_production_holds_older_forms_of_some_rows_under_the_same_ids() -> None:
    sandbox, production = (definition(name).rows for name in NAMES)
    same = changed = only_here = 0
    for name in definition(NAMES[0]).tables:
        key = catalog(NAMES[0]).tables[name].primary_id
        new = {row[key]: row for row in sandbox.get(name, ())}
        for old in production.get(name, ()):
            if old[key] not in new:
                only_here += 1
            elif any(not isinstance(old.get(column), dict) and old.get(column) != value
                     for column, value in new[old[key]].items() if isinstance(value, int | float)):  # fmt: skip
                changed += 1
            else:
                same += 1
    assert min(same, changed) > 10
    assert sum(map(len, production.values())) < sum(map(len, sandbox.values()))
    versions = [definition(name).solutions for name in NAMES]
    assert versions[0]["ContosoLoyalty"].version > versions[1]["ContosoLoyalty"].version
    assert versions[0][ANCHOR].version == versions[1][ANCHOR].version


@pytest.mark.parametrize("name", NAMES)
def test_each_table_can_be_left_out(name: str) -> None:
    for table in set(definition(name).tables) - BASE:
        store = Store(None)
        store.organization_id = "11111111-2222-4333-8444-555555555555"
        with store.transaction():
            fill_store(store, without(definition(name), RemoveDef(tables=(table,)), "less.yml"), "2026-01-01T00:00:00Z")
        assert table not in store.catalog.tables
        assert len(store.catalog.tables) < len(catalog(name).tables)
        store.connection.close()


@pytest.mark.parametrize("name", NAMES)
def test_files_images_and_lookups_of_several_tables_are_served(name: str) -> None:
    with Emulator(EmulatorOptions(environment=name)) as emulator:
        client = Client(emulator.url)
        coffee = client.rows("contoso_coffees?$filter=contoso_sku eq 'CF-001'")[0]
        sheet = client.send("GET", f"contoso_coffees({coffee['contoso_coffeeid']})/contoso_sheet/$value")
        assert "Cup score" in sheet.text
        picture = client.send("GET", f"contoso_coffees({coffee['contoso_coffeeid']})/contoso_picture/$value")
        assert picture.content.startswith(b"\x89PNG")
        region = client.rows("contoso_regions?$filter=contoso_code eq 'FR-ARA'")[0]["contoso_regionid"]
        store = client.get(f"contoso_stores(contoso_regionid={region},contoso_number='001')")
        assert store["contoso_name"] == "Quai Saint-Antoine"
        target = "_contoso_appliestoid_value@Microsoft.Dynamics.CRM.lookuplogicalname"
        offers = client.rows("contoso_offers", Prefer='odata.include-annotations="*"')
        assert {offer.get(target) for offer in offers} == {"contoso_coffee", "contoso_store", "contoso_region"}
        assert client.rows("contoso_coffee_pairingset")
        client.close()


@pytest.mark.parametrize("name", NAMES)
def test_there_are_users_of_several_kinds(name: str) -> None:
    with Emulator(EmulatorOptions(environment=name)) as emulator:
        client = Client(emulator.url)
        users = client.rows("systemusers?$expand=systemuserroles_association($select=name)")
        roles = {user["fullname"]: {role["name"] for role in user["systemuserroles_association"]} for user in users}
        applications = {user["fullname"] for user in users if user["applicationid"]}
        assert len(users) >= 7
        assert {"# Contoso Pipeline", "# Contoso Importer"} < applications
        assert roles["# Contoso Pipeline"] == {"System Administrator"}
        assert roles["# Contoso Importer"] == {"Configuration Importer"}
        assert roles["Marta Kowalska"] == {"Contoso Read Only"}
        assert [user["fullname"] for user in users if user["isdisabled"]] == ["Jonas Lindqvist"]
        teams = client.rows("teams?$expand=teammembership_association($select=fullname)")
        assert any(len(team["teammembership_association"]) > 1 for team in teams)
        client.close()


def as_application(application_id: str) -> str:
    """A bearer token of an application; the emulator believes what it says."""
    parts = ({"alg": "none"}, {"appid": application_id})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return f"Bearer {'.'.join(encoded)}.none"


@pytest.mark.parametrize("name", NAMES)
def test_users_may_do_what_their_roles_allow(name: str) -> None:
    with Emulator(EmulatorOptions(environment=name)) as emulator:
        client = Client(emulator.url)
        users = {user["fullname"]: user for user in client.rows("systemusers")}
        row = f"contoso_settings({client.rows('contoso_settings')[0]['contoso_settingid']})"

        def statuses(**headers: str) -> list[int]:
            requests = (("GET", None), ("PATCH", {"contoso_value": "x"}), ("DELETE", None))
            return [client.send(method, row, body, **headers).status_code for method, body in requests]

        importer = as_application(users["# Contoso Importer"]["applicationid"])
        assert client.get("WhoAmI", Authorization=importer)["UserId"] == users["# Contoso Importer"]["systemuserid"]
        assert statuses(Authorization=importer) == [200, 204, 403]
        assert statuses(MSCRMCallerID=users["Marta Kowalska"]["systemuserid"]) == [200, 403, 403]
        assert statuses(MSCRMCallerID=users["Jonas Lindqvist"]["systemuserid"]) == [403, 403, 403]
        pipeline = as_application(users["# Contoso Pipeline"]["applicationid"])
        assert statuses(Authorization=pipeline) == [200, 204, 204]
        client.close()
