"""What is looked up among other rows before a row is written: keys, duplicates, hierarchies, managed rows."""

from confmig.emulator.catalog.model import Table
from confmig.emulator.errors import ServiceError, duplicate_found, key_violated, loop
from confmig.emulator.storage.store import Store, Value

_LONGEST_CHAIN = 1000


def check_keys(store: Store, table: Table, row_id: str, values: dict[str, Value]) -> None:
    """Refuse a second row with the same values in an alternate key; nulls are not compared.

    Raises:
        ServiceError: Another row has them.
    """
    for key in table.keys:
        # The index of a key that is not active is not there to find a second row.
        if key.status != "Active" or not any(name in values for name in key.columns):
            continue
        wanted = _values_of(store, table, row_id, values, key.columns)
        if None not in wanted.values() and any(found != row_id for found in store.find(table, wanted)):
            raise key_violated(key.name, ", ".join(key.columns))


def check_duplicates(store: Store, table: Table, row_id: str, values: dict[str, Value]) -> None:
    """Refuse a row that a published rule of duplicate detection finds among the others.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/manage-duplicate-detection-create-update

    Raises:
        ServiceError: A rule finds one.
    """
    for rule in table.duplicate_rules:
        if not any(name in values for name in rule):
            continue
        wanted = _values_of(store, table, row_id, values, rule)
        if None not in wanted.values() and any(found != row_id for found in store.find(table, wanted)):
            raise duplicate_found()


def _values_of(
    store: Store, table: Table, row_id: str, values: dict[str, Value], names: tuple[str, ...]
) -> dict[str, Value]:
    """Some values of a row as they will be after the change."""
    missing = [name for name in names if name not in values]
    given = (store.read(table, row_id, missing) or {}) if missing else {}
    return {name: values.get(name, given.get(name)) for name in names}


def check_hierarchy(store: Store, table: Table, row_id: str, values: dict[str, Value]) -> None:
    """Refuse a parent whose own parents lead back to the row.

    Only the lookup of a hierarchy is looked at: a plain lookup to the own table may go in circles.

    Raises:
        ServiceError: They do.
    """
    for name in store.catalog.hierarchies.get(table.name, ()):
        current = values.get(name)
        for _ in range(_LONGEST_CHAIN):
            if current is None:
                break
            if current == row_id:
                raise loop()
            row = store.read(table, str(current), [name])
            current = None if row is None else row[name]


def check_managed(store: Store, table: Table, row_id: str, verb: str) -> None:
    """Refuse to change a row that a managed solution brought.

    Rows of tables whose rows can be solution components tell so by ``ismanaged``; one that is also
    ``iscustomizable`` can be changed, but not deleted. The codes are those for components and for read-only rows; that
    they are what a row of such a table gives is inferred.

    Args:
        store: The store.
        table: The table.
        row_id: The row.
        verb: ``Update`` or ``Delete``.

    Raises:
        ServiceError: The row is managed.
    """
    if not {"ismanaged", "componentstate"} <= table.columns.keys():
        return
    names = ["ismanaged", "iscustomizable"] if "iscustomizable" in table.columns else ["ismanaged"]
    row = store.read(table, row_id, names) or {}
    if not row.get("ismanaged"):
        return
    if verb == "Delete":
        raise ServiceError(
            400,
            "0x8004F032",
            f"The 'Delete' operation on the current component(name='{table.name}', id='{row_id}') failed during "
            "managed property evaluation of condition: 'The component is managed.'",
        )
    if not row.get("iscustomizable"):
        raise ServiceError(400, "0x8004022E", "The object cannot be updated because it is read-only.")
