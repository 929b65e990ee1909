"""The rows that every environment has: its organization, its root business unit, its caller, its messages."""

from collections.abc import Iterable

import msgspec

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.model import Publisher, Solution, Table
from confmig.emulator.security.roles import add_base_roles
from confmig.emulator.storage.store import Store, Value, quoted, stored_names, table_sql

CALLER_NAME = "# confmig-emulator"
MESSAGES = ("Create", "Update", "Delete", "Retrieve", "RetrieveMultiple", "CreateMultiple", "UpdateMultiple")
DEFAULT_VERSION = "9.2.25061.00151"
DEFAULT_PUBLISHER = Publisher(uniquename="defaultpublisher", friendlyname="Default Publisher", prefix="new")
OPTION_PREFIX = 10_000
"""The prefix for option values of the publishers that come with an environment."""
_HIDDEN = frozenset({"organization", "businessunit", "systemuser", "role", "systemuserroles"})
_TABLE_COMPONENT = 1
_WITH_SUBCOMPONENTS = 0
SYSTEM_SOLUTION_IDS = {
    "System": "fd140aad-4df4-11dd-bd17-0019b9312238",
    "Active": "fd140aae-4df4-11dd-bd17-0019b9312238",
    "Default": "fd140aaf-4df4-11dd-bd17-0019b9312238",
}
"""The solutions that every environment has, with ids that are the same in each."""


def put(store: Store, table: str, row: dict[str, Value], now: str) -> None:
    """Write a row with its bookkeeping columns; columns that the table does not have are left out.

    A row that is there, such as a solution that a package's lookups name, is completed.
    """
    description = store.catalog.tables[table]
    known = set(stored_names(description))
    row = {"createdon": now, "modifiedon": now, "versionnumber": store.next_version(), **row}
    values = {name: value for name, value in row.items() if name in known}
    row_id = str(row[description.primary_id])
    if store.exists(description, row_id):
        store.update(description, row_id, values)
    else:
        store.insert(description, values)


def add_base_rows(
    store: Store,
    now: str,
    *,
    hide_from: frozenset[str] = frozenset(),
    name: str = "confmig emulator",
    version: str = DEFAULT_VERSION,
    root_unit: str | None = None,
) -> None:
    """Write the base rows of an environment whose tables are there.

    Args:
        store: The store; its organization id is known.
        now: The time of the rows.
        hide_from: Tables whose base rows collection reads shall leave out.
        name: Name of the organization and of its root business unit.
        version: Version of the organization.
        root_unit: Id of the root business unit when the environment brings its own row for it.
    """
    organization = store.organization_id
    store.business_unit_id = root_unit or naming.stable_id("businessunit", organization)
    store.caller_id = naming.stable_id("caller", organization)
    with store.transaction():
        put(store, "organization", {"organizationid": organization, "name": name, "version": version}, now)
        if root_unit is None:
            unit: dict[str, Value] = {"businessunitid": store.business_unit_id, "name": name, "isdisabled": 0}
            put(store, "businessunit", unit, now)
        caller: dict[str, Value] = {
            "systemuserid": store.caller_id,
            "fullname": CALLER_NAME,
            "lastname": CALLER_NAME,
            "domainname": "confmig-emulator@localhost",
            "internalemailaddress": "confmig-emulator@localhost",
            "applicationid": naming.stable_id("application", organization),
            "isdisabled": 0,
            "accessmode": 4,
            "businessunitid": store.business_unit_id,
        }
        put(store, "systemuser", caller, now)
        add_base_roles(store, now)
        _add_messages(store, now)
    _hide(store, hide_from)


def _add_messages(store: Store, now: str) -> None:
    """Which tables know which messages: what clients ask before they use the bulk messages."""
    for message in MESSAGES:
        put(store, "sdkmessage", {"sdkmessageid": naming.stable_id("message", message), "name": message}, now)
    for table in store.catalog.tables.values():
        if not table.is_intersect:
            add_table_messages(store, table, now)


def add_table_messages(store: Store, table: Table, now: str) -> None:
    """Write which messages a table knows."""
    for message in MESSAGES:
        if message.endswith("Multiple") and message != "RetrieveMultiple" and not table.bulk:
            continue
        row: dict[str, Value] = {
            "sdkmessagefilterid": naming.stable_id("filter", message, table.name),
            "sdkmessageid": naming.stable_id("message", message),
            "primaryobjecttypecode": table.name,
        }
        put(store, "sdkmessagefilter", row, now)


def _hide(store: Store, tables: frozenset[str]) -> None:
    """Let collection reads of tables whose rows are those of a package leave out the rows written here."""

    def hidden(table: Table) -> Table:
        if table.name not in tables or table.name not in _HIDDEN:
            return table
        statement = f"SELECT {quoted(table.primary_id)} FROM {table_sql(table.name)}"  # noqa: S608 (quoted)
        return msgspec.structs.replace(table, hidden=tuple(row[0] for row in store.query(statement)))

    store.catalog = store.catalog.replace(tables=[hidden(table) for table in store.catalog.tables.values()])


def add_solutions(
    store: Store, now: str, *, solutions: Iterable[Solution] = (), version: str = DEFAULT_VERSION
) -> None:
    """Write the solutions of an environment, their components and their publisher.

    Args:
        store: The store; its tables are there.
        now: The time of the rows.
        solutions: The solutions beside those that every environment has, or in their place.
        version: Version of the organization.
    """
    installed = {solution.uniquename: solution for solution in (*_system_solutions(store, version), *solutions)}
    named = [solution.publisher for solution in installed.values() if solution.publisher is not None]
    with store.transaction():
        for publisher in dict.fromkeys((DEFAULT_PUBLISHER, *named)):
            row: dict[str, Value] = {
                "publisherid": _publisher_id(publisher),
                "uniquename": publisher.uniquename,
                "friendlyname": publisher.friendlyname,
                "customizationprefix": publisher.prefix,
                "customizationoptionvalueprefix": OPTION_PREFIX,
                "isreadonly": 0,
            }
            put(store, "publisher", row, now)
        for solution in installed.values():
            solution_id = _solution_id(solution.uniquename)
            values: dict[str, Value] = {
                "solutionid": solution_id,
                "uniquename": solution.uniquename,
                "friendlyname": solution.friendlyname,
                "version": solution.version,
                "ismanaged": int(solution.ismanaged),
                "isvisible": int(solution.isvisible),
                "installedon": now,
                "updatedon": now,
                "publisherid": _publisher_id(solution.publisher or DEFAULT_PUBLISHER),
            }
            put(store, "solution", values, now)
            for table in solution.tables:
                add_component(store, solution_id, naming.table_id(table), now)


def _publisher_id(publisher: Publisher) -> str:
    return naming.stable_id("publisher", "default" if publisher == DEFAULT_PUBLISHER else publisher.uniquename)


def _solution_id(name: str) -> str:
    return SYSTEM_SOLUTION_IDS.get(name) or naming.stable_id("solution", name)


def _system_solutions(store: Store, version: str) -> list[Solution]:
    """The solutions that every environment has.

    The default solution contains all components, as
    https://learn.microsoft.com/power-platform/alm/use-solutions-for-your-customizations says.
    """
    tables = tuple(table.name for table in store.catalog.tables.values() if not table.is_intersect)
    return [
        Solution(uniquename="System", friendlyname="System", version=version, isvisible=False),
        Solution(uniquename="Active", friendlyname="Active Solution", version="1.0", ismanaged=False, isvisible=False),
        Solution(uniquename="Default", friendlyname="Default Solution", version="1.0", ismanaged=False, tables=tables),
    ]


def add_component(store: Store, solution_id: str, object_id: str, now: str, *, kind: int = _TABLE_COMPONENT) -> None:
    """Write that something is a component of a solution.

    Args:
        store: The store.
        solution_id: The solution.
        object_id: The MetadataId of the component.
        now: The time of the row.
        kind: Its component type; a table when it is not given.
    """
    row: dict[str, Value] = {
        "solutioncomponentid": naming.stable_id("component", solution_id, object_id),
        "solutionid": solution_id,
        "componenttype": kind,
        "objectid": object_id,
        "rootcomponentbehavior": _WITH_SUBCOMPONENTS,
        "ismetadata": 1,
    }
    put(store, "solutioncomponent", row, now)
