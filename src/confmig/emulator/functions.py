"""The unbound functions: who calls, which version, how many rows."""

import msgspec

from confmig.emulator.errors import fetch_entity_missing, invalid_argument
from confmig.emulator.store import Store, table_sql
from confmig.emulator.urls import Segment
from confmig.emulator.wire import Reply, Request, json_reply


def _context(request: Request, name: str) -> str:
    return f"{request.base}$metadata#Microsoft.Dynamics.CRM.{name}Response"


def who_am_i(store: Store, _segment: Segment, request: Request) -> Reply:
    """The caller, its business unit and the organization."""
    return json_reply(
        {
            "@odata.context": _context(request, "WhoAmI"),
            "BusinessUnitId": store.business_unit_id,
            "UserId": store.caller_id,
            "OrganizationId": store.organization_id,
        }
    )


def _organization(store: Store) -> tuple[str, str]:
    statement = f"SELECT name, version FROM {table_sql('organization')} WHERE organizationid = ?"  # noqa: S608 (constants)
    row = store.query(statement, (store.organization_id,)).fetchone()
    return (str(row[0]), str(row[1])) if row else ("", "")


def retrieve_version(store: Store, _segment: Segment, request: Request) -> Reply:
    """The version of the organization."""
    return json_reply({"@odata.context": _context(request, "RetrieveVersion"), "Version": _organization(store)[1]})


def retrieve_current_organization(store: Store, _segment: Segment, request: Request) -> Reply:
    """The organization with its names and its address."""
    name, version = _organization(store)
    root = request.base.partition("/api/")[0]
    detail = {
        "OrganizationId": store.organization_id,
        "FriendlyName": name,
        "OrganizationVersion": version,
        "EnvironmentId": store.organization_id,
        "UrlName": "emulator",
        "UniqueName": "emulator",
        "State": "Enabled",
        "Endpoints": {"Count": 1, "Keys": ["WebApplication"], "Values": [root]},
    }
    return json_reply({"@odata.context": _context(request, "RetrieveCurrentOrganization"), "Detail": detail})


def retrieve_total_record_count(store: Store, segment: Segment, request: Request) -> Reply:
    """The number of rows of some tables.

    Raises:
        ServiceError: A table does not exist.
    """
    text = segment.parts.get("EntityNames", "")
    text = request.options().get(text, text) if text.startswith("@") else text
    try:
        names = msgspec.json.decode(text.replace("'", '"'), type=list[str])
    except msgspec.DecodeError as error:
        raise invalid_argument("EntityNames is not a list of names.") from error
    for name in names:
        if name not in store.catalog.tables:
            raise fetch_entity_missing(name)
    counts = [store.query(f"SELECT count(*) FROM {table_sql(name)}").fetchone()[0] for name in names]  # noqa: S608 (quoted)
    collection = {"Count": len(names), "IsReadOnly": False, "Keys": names, "Values": counts}
    return json_reply(
        {"@odata.context": _context(request, "RetrieveTotalRecordCount"), "EntityRecordCountCollection": collection}
    )
