"""Access to single rows: who has it, and whom it is shared with.

https://learn.microsoft.com/power-apps/developer/data-platform/security-sharing-assigning
"""

from collections.abc import Iterable

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.model import Table
from confmig.emulator.errors import invalid_argument
from confmig.emulator.security.grants import read_grants
from confmig.emulator.security.privileges import ACCESS_RIGHTS, privilege_name
from confmig.emulator.security.rights import Rights
from confmig.emulator.storage.store import Store, Value, main_sql, quoted
from confmig.emulator.wire.operations import Call, Operations
from confmig.emulator.wire.wire import Reply

_BY_VALUE = dict(sorted((right, f"{verb}Access") for verb, right in ACCESS_RIGHTS.items()))


def add_sharing(operations: Operations) -> None:
    """Make the functions and actions of this module callable."""
    operations.functions({"RetrievePrincipalAccess": principal_access}, ("systemuser", "team"))
    operations.functions({"RetrieveSharedPrincipalsAndAccess": shared_principals})
    operations.actions({"GrantAccess": grant_access, "ModifyAccess": modify_access, "RevokeAccess": revoke_access})


def _names_of(mask: int) -> str:
    """Access rights as the wire writes them: the members of a flags enumeration, the smallest value first."""
    return ", ".join(name for right, name in _BY_VALUE.items() if mask & right) or "None"


def _mask_of(text: object) -> int:
    """The mask of access rights in their wire form.

    Raises:
        ServiceError: One is unknown.
    """
    rights = {name: right for right, name in _BY_VALUE.items()}
    mask = 0
    for name in (part.strip() for part in str(text or "None").split(",")):
        if name not in rights and name != "None":
            raise invalid_argument(f"The access right '{name}' is unknown.")
        mask |= rights.get(name, 0)
    return mask


def principal_access(call: Call) -> Reply:
    """The rights of a user or a team to a row, by roles, by ownership and by sharing.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/retrieveprincipalaccess
    """
    context = call.writer.context
    table, row_id = context.entity_of(call.parameters.get("Target"))
    store = context.store
    if call.table is not None and call.table.name == "team":
        return call.answer({"AccessRights": _names_of(_shared(store, row_id, (call.row_id,)))})
    user = store.read(store.catalog.tables["systemuser"], call.row_id, ["businessunitid", "accessmode"]) or {}
    rights = Rights(store, read_grants(store, call.row_id, user))
    mask = 0
    for verb, right in ACCESS_RIGHTS.items():
        if rights.has(privilege_name(verb, table)) and _reaches(store, rights, verb, table, row_id):
            mask |= right
    if table.ownership != "user":
        mask &= ~(ACCESS_RIGHTS["Assign"] | ACCESS_RIGHTS["Share"])
    return call.answer({"AccessRights": _names_of(mask)})


def _reaches(store: Store, rights: Rights, verb: str, table: Table, row_id: str) -> bool:
    reach = rights.reach(verb, table, "r")
    statement = f"SELECT {reach} FROM {main_sql(table.name)} r WHERE r.{quoted(table.primary_id)} = ?"  # noqa: S608 (quoted)
    row = store.query(statement, (row_id,)).fetchone()
    return row is not None and bool(row[0])


def _shared(store: Store, row_id: str, principals: Iterable[str]) -> int:
    mask = 0
    for principal in principals:
        statement = (
            f'SELECT "accessrightsmask" FROM {main_sql("principalobjectaccess")} '  # noqa: S608 (constants)
            'WHERE "objectid" = ? AND "principalid" = ?'
        )
        for (given,) in store.query(statement, (row_id, principal)).fetchall():
            mask |= int(given)
    return mask


def shared_principals(call: Call) -> Reply:
    """With whom a row is shared, and for what.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/retrievesharedprincipalsandaccess
    """
    context = call.writer.context
    table, row_id = context.entity_of(call.parameters.get("Target"))
    context.require("Read", table, row_id)
    statement = (
        f'SELECT "principalid", "principaltypecode", "accessrightsmask" FROM {main_sql("principalobjectaccess")} '  # noqa: S608 (constants)
        'WHERE "objectid" = ?'
    )
    found = []
    for principal, kind, mask in context.store.query(statement, (row_id,)).fetchall():
        key = context.store.catalog.tables[kind].primary_id
        entity = {"@odata.type": f"#Microsoft.Dynamics.CRM.{kind}", key: principal}
        found.append({"AccessMask": _names_of(mask), "Principal": entity})
    return call.answer({"PrincipalAccesses": found})


def grant_access(call: Call) -> Reply:
    """Share a row, for more than it is shared already.

    Raises:
        ServiceError: A parameter is wrong, or the caller may not share the row.
    """
    return _share(call, keep=True)


def modify_access(call: Call) -> Reply:
    """Share a row for other rights than so far.

    Raises:
        ServiceError: A parameter is wrong, or the caller may not share the row.
    """
    return _share(call, keep=False)


def _share(call: Call, *, keep: bool) -> Reply:
    context, store = call.writer.context, call.writer.context.store
    table, row_id = context.entity_of(call.parameters.get("Target"))
    given = call.parameters.get("PrincipalAccess")
    if not isinstance(given, dict):
        raise invalid_argument("The parameter PrincipalAccess is missing.")
    kind, principal = context.entity_of(given.get("Principal"))
    mask = _mask_of(given.get("AccessMask"))
    if table.ownership != "user" or kind.name not in ("systemuser", "team"):
        raise invalid_argument(f"A row of '{table.name}' cannot be shared with a row of '{kind.name}'.")
    context.require("Share", table, row_id)
    if keep:
        mask |= _shared(store, row_id, (principal,))
    pairs = store.catalog.tables["principalobjectaccess"]
    values: dict[str, Value] = {
        pairs.primary_id: naming.stable_id("share", row_id, principal),
        "objectid": row_id,
        "objecttypecode": table.name,
        "principalid": principal,
        "principaltypecode": kind.name,
        "accessrightsmask": mask,
        "createdon": context.now,
        "modifiedon": context.now,
        "versionnumber": store.next_version(),
    }
    with store.transaction():
        _unshare(store, row_id, principal)
        store.insert(pairs, values)
    return Reply(204)


def revoke_access(call: Call) -> Reply:
    """Share a row no longer.

    Raises:
        ServiceError: A parameter is wrong, or the caller may not share the row.
    """
    context = call.writer.context
    table, row_id = context.entity_of(call.parameters.get("Target"))
    _, principal = context.entity_of(call.parameters.get("Revokee"))
    context.require("Share", table, row_id)
    _unshare(context.store, row_id, principal)
    return Reply(204)


def _unshare(store: Store, row_id: str, principal: str) -> None:
    statement = f'DELETE FROM {main_sql("principalobjectaccess")} WHERE "objectid" = ? AND "principalid" = ?'  # noqa: S608 (constants)
    store.query(statement, (row_id, principal))
