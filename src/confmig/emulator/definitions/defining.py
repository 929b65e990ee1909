"""Filling a new store from an environment definition."""

from confmig.emulator.baserows import add_base_rows, add_solutions
from confmig.emulator.behaviours.assumptions import behaviours_text
from confmig.emulator.catalog import naming
from confmig.emulator.definitions.definedpeople import define_roles, with_people
from confmig.emulator.definitions.definedrows import Filler
from confmig.emulator.definitions.definedtables import build_catalog
from confmig.emulator.definitions.definitioncheck import place_of
from confmig.emulator.definitions.definitionfiles import read_definition
from confmig.emulator.definitions.definitions import Definition
from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.storage.store import Store


def load_definition(store: Store, name: str, now: str, *, own_id: bool) -> None:
    """Make the tables and rows of a definition in an empty store.

    Args:
        store: The store; its organization id is known.
        name: Name or path of the definition.
        now: The time of rows that bring none of their own.
        own_id: Take the organization id of the definition, when it has one.

    Raises:
        EmulatorStartError: The definition is wrong; the message names file, line, table and row.
    """
    definition = read_definition(name)
    organization = definition.organization
    if own_id and organization.id:
        if not naming.is_guid(organization.id):
            place = place_of(definition, "organization", "id")
            raise EmulatorStartError(f"{place}: the id of the organization is not a guid")
        store.organization_id = organization.id.lower()
    fill_store(store, definition, now)


def fill_store(store: Store, definition: Definition, now: str) -> None:
    """Make the tables and rows of a definition that was read.

    Args:
        store: The empty store; its organization id is known.
        definition: The definition.
        now: The time of rows that bring none of their own.

    Raises:
        EmulatorStartError: The definition is wrong; the message names file, line, table and row.
    """
    organization = definition.organization
    store.create(build_catalog(definition))
    store.logic = behaviours_text(definition.behaviours, store.catalog)
    units = definition.rows.get("businessunit", ())
    root = next((str(row.get("businessunitid")) for row in units if not row.get("parentbusinessunitid")), None)
    add_base_rows(store, now, name=organization.name, version=organization.version, root_unit=root)
    add_solutions(store, now, solutions=definition.solutions.values(), version=organization.version)
    define_roles(store, definition, now)
    Filler(store, with_people(definition, store.business_unit_id), now).fill()
