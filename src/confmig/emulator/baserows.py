"""The rows that every environment has: its organization, its root business unit, its caller, its messages."""

import msgspec

from confmig.emulator import naming
from confmig.emulator.model import Catalog, Solution, Table
from confmig.emulator.store import Store, Value, stored_names

CALLER_NAME = "# confmig-emulator"
MESSAGES = ("Create", "Update", "Delete", "Retrieve", "RetrieveMultiple", "CreateMultiple", "UpdateMultiple")
DEFAULT_VERSION = "9.2.25061.00151"


def put(store: Store, table: str, row: dict[str, Value], now: str) -> None:
    """Write a row with its bookkeeping columns; columns that the table does not have are left out."""
    description = store.catalog.tables[table]
    known = set(stored_names(description))
    row = {"createdon": now, "modifiedon": now, "versionnumber": store.next_version(), **row}
    store.insert(description, {name: value for name, value in row.items() if name in known})


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
        _add_messages(store, now)
    _hide(store, hide_from)


def _add_messages(store: Store, now: str) -> None:
    """Which tables know which messages: what clients ask before they use the bulk messages."""
    ids = {message: naming.stable_id("message", message) for message in MESSAGES}
    for message, message_id in ids.items():
        put(store, "sdkmessage", {"sdkmessageid": message_id, "name": message}, now)
    for table in store.catalog.tables.values():
        if table.is_intersect:
            continue
        for message, message_id in ids.items():
            if message.endswith("Multiple") and message != "RetrieveMultiple" and not table.bulk:
                continue
            row: dict[str, Value] = {
                "sdkmessagefilterid": naming.stable_id("filter", message, table.name),
                "sdkmessageid": message_id,
                "primaryobjecttypecode": table.name,
            }
            put(store, "sdkmessagefilter", row, now)


def _hide(store: Store, tables: frozenset[str]) -> None:
    base = {
        "organization": store.organization_id,
        "businessunit": store.business_unit_id,
        "systemuser": store.caller_id,
    }

    def hidden(table: Table) -> Table:
        if table.name not in tables or table.name not in base:
            return table
        return msgspec.structs.replace(table, hidden=(base[table.name],))

    catalog = store.catalog
    store.catalog = Catalog([hidden(table) for table in catalog.tables.values()], catalog.many_to_many)


def add_solutions(store: Store, solutions: list[Solution], now: str) -> None:
    """Write the installed solutions and their publisher."""
    publisher = naming.stable_id("publisher", "default")
    with store.transaction():
        row: dict[str, Value] = {
            "publisherid": publisher,
            "uniquename": "defaultpublisher",
            "friendlyname": "Default Publisher",
        }
        put(store, "publisher", row | {"customizationprefix": "new"}, now)
        for solution in solutions:
            values: dict[str, Value] = {
                "solutionid": naming.stable_id("solution", solution.uniquename),
                "uniquename": solution.uniquename,
                "friendlyname": solution.friendlyname,
                "version": solution.version,
                "ismanaged": int(solution.ismanaged),
                "isvisible": 1,
                "installedon": now,
                "updatedon": now,
                "publisherid": publisher,
            }
            put(store, "solution", values, now)
