"""Functions about the organization: who calls, which version, which languages, how many rows."""

from confmig.emulator.errors import fetch_entity_missing, invalid_argument
from confmig.emulator.storage.store import Store, table_sql
from confmig.emulator.wire.operations import Call, Operations
from confmig.emulator.wire.wire import Reply


def add_functions(operations: Operations) -> None:
    """Make the functions of this module callable."""
    operations.functions(
        {
            "WhoAmI": who_am_i,
            "RetrieveVersion": retrieve_version,
            "RetrieveCurrentOrganization": retrieve_current_organization,
            "RetrieveTotalRecordCount": retrieve_total_record_count,
            "RetrieveProvisionedLanguages": retrieve_provisioned_languages,
            "RetrieveAvailableLanguages": retrieve_available_languages,
            "FormatAddress": format_address,
        }
    )


def who_am_i(call: Call) -> Reply:
    """The caller, its business unit and the organization."""
    context = call.writer.context
    users = context.store.catalog.tables["systemuser"]
    row = context.store.read(users, context.caller_id, ["businessunitid"]) or {}
    return call.answer(
        {
            "BusinessUnitId": row.get("businessunitid") or context.store.business_unit_id,
            "UserId": context.caller_id,
            "OrganizationId": context.store.organization_id,
        }
    )


def _organization(store: Store) -> tuple[str, str]:
    statement = f"SELECT name, version FROM {table_sql('organization')} WHERE organizationid = ?"  # noqa: S608 (constants)
    row = store.query(statement, (store.organization_id,)).fetchone()
    return (str(row[0]), str(row[1])) if row else ("", "")


def retrieve_version(call: Call) -> Reply:
    """The version of the organization."""
    return call.answer({"Version": _organization(call.writer.context.store)[1]})


def retrieve_current_organization(call: Call) -> Reply:
    """The organization with its names and its addresses.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/organizationdetail
    """
    store = call.writer.context.store
    name, version = _organization(store)
    root = call.request.base.partition("/api/")[0]
    addresses = {
        "WebApplication": f"{root}/",
        "OrganizationService": f"{root}/XRMServices/2011/Organization.svc",
        "OrganizationDataService": f"{root}/XRMServices/2011/OrganizationData.svc",
    }
    detail = {
        "OrganizationId": store.organization_id,
        "FriendlyName": name,
        "OrganizationVersion": version,
        "EnvironmentId": store.organization_id,
        "DatacenterId": "00000000-0000-0000-0000-000000000000",
        "Geo": "NA",
        "TenantId": store.organization_id,
        "UrlName": "emulator",
        "UniqueName": "emulator",
        "State": "Enabled",
        "SchemaType": "Standard",
        "OrganizationType": "Customer",
        "Endpoints": {
            "Count": len(addresses),
            "IsReadOnly": False,
            "Keys": list(addresses),
            "Values": list(addresses.values()),
        },
    }
    return call.answer({"Detail": detail})


def retrieve_total_record_count(call: Call) -> Reply:
    """The number of rows of some tables.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/count-rows

    Raises:
        ServiceError: A table does not exist.
    """
    names = call.parameters.get("EntityNames")
    if not isinstance(names, list):
        raise invalid_argument("EntityNames is not a list of names.")
    store = call.writer.context.store
    for name in names:
        if not isinstance(name, str) or name not in store.catalog.tables:
            raise fetch_entity_missing(str(name))
    counts = [store.query(f"SELECT count(*) FROM {table_sql(name)}").fetchone()[0] for name in names]  # noqa: S608 (quoted)
    collection = {"Count": len(names), "IsReadOnly": False, "Keys": names, "Values": counts}
    return call.answer({"EntityRecordCountCollection": collection})


def retrieve_provisioned_languages(call: Call) -> Reply:
    """The languages that users of the organization can choose.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/retrieveprovisionedlanguages
    """
    return call.answer({"RetrieveProvisionedLanguages": list(call.writer.context.store.catalog.languages)})


def retrieve_available_languages(call: Call) -> Reply:
    """The languages that can be provisioned: here those that are.

    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/retrieveavailablelanguages
    """
    return call.answer({"LocaleIds": list(call.writer.context.store.catalog.languages)})


def format_address(call: Call) -> Reply:
    """An address as its country writes it.

    Those of the United States and of Japan are those of Microsoft's sample; other countries get the first form
    [inferred].
    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/samples/webapiservice-functions-and-actions
    """
    line1, city, state, code, country = (
        str(call.parameters.get(name) or "") for name in ("Line1", "City", "StateOrProvince", "PostalCode", "Country")
    )
    if country.casefold() in ("japan", "jp"):
        lines = [code, state, city, line1, country]
    else:
        lines = [line1, ", ".join(part for part in (city, f"{state} {code}".strip()) if part), country]
    return call.answer({"Address": "\r\n".join(line for line in lines if line)})
