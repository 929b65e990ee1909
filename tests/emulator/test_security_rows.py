"""What callers may do: privileges on tables, depths, sharing, secured columns."""

from collections.abc import Iterator

import pytest

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client, error
from .securing import (
    ANA,
    BO,
    CRM,
    CY,
    OF_ANA,
    OF_BO,
    OF_CALLER,
    OF_CY,
    OF_TEAM,
    SECURITY,
    TEAM,
    add_privileges,
    give,
    names,
    new_role,
    token_of,
)

VERBS = ("Create", "Read", "Write", "Delete", "Append", "AppendTo", "Assign", "Share")
CONTACTS = [f"prv{verb}Contact" for verb in VERBS]
SEEN = {
    "Basic": {"Of Ana"},
    "Local": {"Of Ana", "Of Bo", "Of the team"},
    "Deep": {"Of Ana", "Of Bo", "Of Cy", "Of the team"},
    "Global": {"Of Ana", "Of Bo", "Of Cy", "Of the caller", "Of the team"},
}
ACCOUNT = "acc00000-0000-4000-8000-000000000001"


@pytest.fixture
def org() -> Iterator[Client]:
    with Emulator(EmulatorOptions(environment=str(SECURITY))) as emulator:
        client = Client(emulator.url)
        yield client
        client.close()


def as_ana() -> dict[str, str]:
    return {"Authorization": token_of(ANA)}


@pytest.mark.parametrize("depth", SEEN)
def test_reads_reach_as_deep_as_the_privilege(org: Client, depth: str) -> None:
    give(org, ANA, new_role(org, depth, "prvReadContact"))
    fetch = "contacts?fetchXml=<fetch><entity name='contact'><attribute name='fullname'/></entity></fetch>"
    assert names(org, "contacts?$select=fullname", ANA) == SEEN[depth]
    assert names(org, "contacts?$select=fullname&$orderby=fullname desc", ANA) == SEEN[depth]
    assert names(org, fetch, ANA) == SEEN[depth]
    assert names(org, "contacts?sql=SELECT fullname FROM contact", ANA) == SEEN[depth]
    assert org.send("GET", "contacts/$count", **as_ana()).content.decode("utf-8-sig") == str(len(SEEN[depth]))
    total = org.get("contacts?$apply=aggregate($count as n)", **as_ana())["value"][0]["n"]
    assert total == len(SEEN[depth])
    # The next one, who may do anything, sees everything.
    assert len(org.rows("contacts")) == 5


@pytest.mark.parametrize("depth", SEEN)
def test_single_rows_beyond_the_depth_are_refused(org: Client, depth: str) -> None:
    give(org, ANA, new_role(org, depth, "prvReadContact", "prvWriteContact", "prvDeleteContact"))
    for row_id, name in ((OF_ANA, "Of Ana"), (OF_BO, "Of Bo"), (OF_CY, "Of Cy"), (OF_CALLER, "Of the caller")):
        for method, body, right in (
            ("GET", None, "Read"),
            ("PATCH", {"fullname": name}, "Write"),
            ("DELETE", None, "Delete"),
        ):
            if name not in SEEN[depth]:
                refused = org.send(method, f"contacts({row_id})", body, **as_ana())
                assert error(refused) == (403, "0x80048306")
                message = (
                    f"Principal with id {ANA} does not have {right}Access right(s) for record with id "
                    f"{row_id} of entity contact"
                )
                assert refused.json()["error"]["message"] == message
            elif method != "DELETE":
                assert org.send(method, f"contacts({row_id})", body, **as_ana()).status_code in (200, 204)
    assert org.send("DELETE", f"contacts({OF_ANA})", **as_ana()).status_code == 204
    missing = "c0000000-0000-4000-8000-00000000ffff"
    assert error(org.send("GET", f"contacts({missing})", **as_ana())) == (404, "0x80040217")


def test_a_missing_privilege_is_named_with_all_its_numbers(org: Client) -> None:
    role = new_role(org, "Basic", "prvReadContact")
    give(org, ANA, role)
    give(org, ANA, new_role(org, "Basic", "prvReadAccount"))
    held = org.get(f"systemusers({ANA})/{CRM}RetrieveUserPrivileges()")["RolePrivileges"]
    ids = {row["name"]: row["privilegeid"] for row in org.rows("privileges?$select=name")}
    reply = org.send("POST", "contacts", {"fullname": "x"}, **as_ana())
    assert error(reply) == (403, "0x80040220")
    assert reply.json()["error"]["message"] == (
        f"Principal user (Id={ANA}, type=8, roleCount=2, privilegeCount={len(held)}, accessMode=0), is missing "
        f"prvCreateContact privilege (Id={ids['prvCreateContact']}) on OTC=2 for entity 'contact'. context.Caller={ANA}"
    )


@pytest.mark.parametrize(
    "request_",
    [
        ("GET", "contacts", None),
        ("GET", f"contacts({OF_ANA})", None),
        ("GET", "contacts/$count", None),
        ("GET", "accounts?$expand=primarycontactid($select=fullname)", None),
        ("GET", "accounts?$filter=primarycontactid/fullname eq 'Of Cy'", None),
        ("GET", f"accounts({ACCOUNT})/primarycontactid", None),
        ("GET", "accounts?$apply=aggregate($count as n)&$filter=primarycontactid/fullname eq 'Of Cy'", None),
        (
            "GET",
            "accounts?fetchXml=<fetch><entity name='account'><link-entity name='contact' from='contactid' "
            "to='primarycontactid'><attribute name='fullname'/></link-entity></entity></fetch>",
            None,
        ),
        ("GET", "contacts?sql=SELECT fullname FROM contact", None),
        ("GET", "accounts?sql=SELECT a.name FROM account a JOIN contact c ON a.primarycontactid = c.contactid", None),
        ("POST", "contacts", {"fullname": "x"}),
        ("PATCH", f"contacts({OF_ANA})", {"fullname": "x"}),
        ("PUT", f"contacts({OF_ANA})/fullname", {"value": "x"}),
        ("DELETE", f"contacts({OF_ANA})/fullname", None),
        ("DELETE", f"contacts({OF_ANA})", None),
        ("POST", f"contacts/{CRM}CreateMultiple", {"Targets": [{"@odata.type": f"{CRM}contact", "fullname": "x"}]}),
        ("PATCH", f"accounts({ACCOUNT})", {"primarycontactid@odata.bind": f"contacts({OF_ANA})"}),
        ("POST", "accounts", {"name": "x", "primarycontactid": {"fullname": "new"}}),
    ],
)
def test_a_table_without_privileges_is_closed(org: Client, request_: tuple[str, str, object]) -> None:
    """Whichever way it is read or written."""
    accounts = [f"prv{verb}Account" for verb in VERBS]
    give(org, ANA, new_role(org, "Global", *accounts))
    assert org.get("accounts?$select=name", **as_ana())["value"]
    method, path, body = request_
    before = org.rows("contacts")
    reply = org.send(method, path, body, **as_ana())
    assert error(reply) == (403, "0x80040220"), reply.text
    assert "Contact privilege" in reply.json()["error"]["message"]
    assert org.rows("contacts") == before


def test_names_of_rows_are_shown_to_whom_the_rows_are_not(org: Client) -> None:
    give(org, ANA, new_role(org, "Basic", "prvReadAccount"))
    [row] = org.rows("accounts?$select=_primarycontactid_value", Prefer='odata.include-annotations="*"', **as_ana())
    assert row["_primarycontactid_value@OData.Community.Display.V1.FormattedValue"] == "Of Cy"


def test_rows_of_the_organization_are_reached_all_or_not_at_all(org: Client) -> None:
    org.create("sec_settings", {"sec_name": "on"})
    give(org, ANA, new_role(org, "Basic", "prvReadContact"))
    assert error(org.send("GET", "sec_settings", **as_ana())) == (403, "0x80040220")
    give(org, ANA, new_role(org, "Global", "prvReadsec_setting"))
    assert [row["sec_name"] for row in org.rows("sec_settings", **as_ana())] == ["on"]
    assert error(org.send("POST", "sec_settings", {"sec_name": "off"}, **as_ana())) == (403, "0x80040220")


def test_rows_are_made_for_oneself_unless_the_privilege_reaches_further(org: Client) -> None:
    give(org, ANA, new_role(org, "Basic", *CONTACTS))
    body = {"fullname": "new", "ownerid@odata.bind": f"systemusers({BO})"}
    assert error(org.send("POST", "contacts", body, **as_ana())) == (403, "0x80048306")
    assert org.send("POST", "contacts", {"fullname": "new"}, **as_ana()).status_code == 204
    give(org, ANA, new_role(org, "Local", "prvCreateContact"))
    assert org.send("POST", "contacts", body, **as_ana()).status_code == 204


def test_another_owner_needs_assign(org: Client) -> None:
    role = new_role(org, "Basic", "prvReadContact", "prvWriteContact")
    give(org, ANA, role)
    body = {"ownerid@odata.bind": f"systemusers({BO})"}
    assert error(org.send("PATCH", f"contacts({OF_ANA})", body, **as_ana())) == (403, "0x80040220")
    add_privileges(org, role, "Basic", "prvAssignContact")
    assert org.send("PATCH", f"contacts({OF_ANA})", body, **as_ana()).status_code == 204
    assert names(org, "contacts", ANA) == set()


def test_a_lookup_needs_append_and_append_to(org: Client) -> None:
    role = new_role(org, "Basic", "prvReadAccount", "prvWriteAccount", "prvReadContact")
    give(org, ANA, role)
    body = {"primarycontactid@odata.bind": f"contacts({OF_ANA})"}
    for missing in ("prvAppendAccount", "prvAppendToContact"):
        reply = org.send("PATCH", f"accounts({ACCOUNT})", body, **as_ana())
        assert missing in reply.json()["error"]["message"]
        add_privileges(org, role, "Basic", missing)
    assert org.send("PATCH", f"accounts({ACCOUNT})", body, **as_ana()).status_code == 204
    body = {"primarycontactid@odata.bind": f"contacts({OF_BO})"}
    assert error(org.send("PATCH", f"accounts({ACCOUNT})", body, **as_ana())) == (403, "0x80048306")
    reference = {"@odata.id": f"contacts({OF_BO})"}
    reply = org.send("PUT", f"accounts({ACCOUNT})/primarycontactid/$ref", reference, **as_ana())
    assert error(reply) == (403, "0x80048306")


def test_giving_oneself_a_role_needs_privileges_too(org: Client) -> None:
    give(org, ANA, new_role(org, "Basic", "prvReadContact"))
    admin = org.get("roles?$filter=name eq 'System Administrator'")["value"][0]["roleid"]
    path = f"systemusers({ANA})/systemuserroles_association/$ref"
    assert error(org.send("POST", path, {"@odata.id": f"roles({admin})"}, **as_ana())) == (403, "0x80040220")
    reply = org.send("POST", f"roles({admin})/{CRM}AddPrivilegesRole", {"Privileges": []}, **as_ana())
    assert error(reply) == (403, "0x80040220")


def test_a_team_reaches_its_rows_with_its_roles(org: Client) -> None:
    give(org, ANA, new_role(org, "Basic", "prvReadContact"))
    members = {"Members": [{"@odata.type": f"{CRM}systemuser", "systemuserid": ANA}]}
    org.send("POST", f"teams({TEAM})/{CRM}AddMembersTeam", members)
    assert names(org, "contacts", ANA) == {"Of Ana", "Of the team"}
    assert org.get(f"contacts({OF_TEAM})", **as_ana())["fullname"] == "Of the team"


def test_the_time_of_making_may_be_told_with_a_privilege_only(org: Client) -> None:
    role = new_role(org, "Basic", "prvReadContact", "prvCreateContact")
    give(org, ANA, role)
    body = {"fullname": "old", "overriddencreatedon": "2020-01-01T00:00:00Z"}
    reply = org.send("POST", "contacts", body, **as_ana())
    assert error(reply) == (403, "0x80040220")
    assert "prvOverrideCreatedOnCreatedBy" in reply.json()["error"]["message"]
    add_privileges(org, role, "Global", "prvOverrideCreatedOnCreatedBy")
    assert org.send("POST", "contacts", body, **as_ana()).status_code == 204


def share(client: Client, mask: str, action: str = "GrantAccess", **headers: str) -> int:
    target = {"@odata.type": f"{CRM}contact", "contactid": OF_BO}
    principal = {"@odata.type": f"{CRM}systemuser", "systemuserid": ANA}
    body = {"Target": target, "PrincipalAccess": {"Principal": principal, "AccessMask": mask}}
    return client.send("POST", action, body, **headers).status_code


def test_shared_rows(org: Client) -> None:
    give(org, ANA, new_role(org, "Basic", *CONTACTS))
    access = f"systemusers({ANA})/{CRM}RetrievePrincipalAccess(Target=@t)?@t={{'@odata.id':'contacts({OF_BO})'}}"
    assert org.get(access)["AccessRights"] == "None"
    assert share(org, "ReadAccess") == 204
    assert names(org, "contacts", ANA) == {"Of Ana", "Of Bo"}
    assert error(org.send("PATCH", f"contacts({OF_BO})", {"fullname": "x"}, **as_ana())) == (403, "0x80048306")
    assert share(org, "WriteAccess") == 204
    assert org.send("PATCH", f"contacts({OF_BO})", {"fullname": "Of Bo"}, **as_ana()).status_code == 204
    assert org.get(access)["AccessRights"] == "ReadAccess, WriteAccess"
    path = f"RetrieveSharedPrincipalsAndAccess(Target=@t)?@t={{'@odata.id':'contacts({OF_BO})'}}"
    [shared] = org.get(path)["PrincipalAccesses"]
    assert (shared["AccessMask"], shared["Principal"]["systemuserid"]) == ("ReadAccess, WriteAccess", ANA)
    assert share(org, "ReadAccess", "ModifyAccess") == 204
    assert org.get(access)["AccessRights"] == "ReadAccess"
    assert share(org, "ReadAccess", **as_ana()) == 403
    target = {"@odata.type": f"{CRM}contact", "contactid": OF_BO}
    revokee = {"@odata.type": f"{CRM}systemuser", "systemuserid": ANA}
    # What is deleted is shared with nobody, even if it is made again.
    org.send("DELETE", f"contacts({OF_BO})")
    org.send("PATCH", f"contacts({OF_BO})", {"fullname": "Of Bo", "ownerid@odata.bind": f"systemusers({BO})"})
    assert names(org, "contacts", ANA) == {"Of Ana"}
    assert share(org, "ReadAccess") == 204
    assert names(org, "contacts", ANA) == {"Of Ana", "Of Bo"}
    assert org.send("POST", "RevokeAccess", {"Target": target, "Revokee": revokee}).status_code == 204
    assert names(org, "contacts", ANA) == {"Of Ana"}


def test_secured_columns(org: Client) -> None:
    give(org, ANA, new_role(org, "Global", *CONTACTS))
    assert {row["sec_salary"] for row in org.rows("contacts?$select=sec_salary", **as_ana())} == {None}
    assert org.rows("contacts?$filter=sec_salary gt 0", **as_ana()) == []
    assert len(org.rows("contacts?$filter=sec_salary gt 0")) == 5
    update = org.send("PATCH", f"contacts({OF_ANA})", {"sec_salary": 99}, **as_ana())
    assert error(update) == (403, "0x8004F507")
    create = org.send("POST", "contacts", {"fullname": "x", "sec_salary": 1}, **as_ana())
    assert error(create) == (403, "0x8004F502")
    profile = org.create("fieldsecurityprofiles", {"name": "Payroll"})
    permission = {"entityname": "contact", "attributelogicalname": "sec_salary", "canread": 4, "canupdate": 4}
    permission["fieldsecurityprofileid@odata.bind"] = f"fieldsecurityprofiles({profile})"
    org.create("fieldpermissions", permission)
    member = {"@odata.id": f"fieldsecurityprofiles({profile})"}
    assert org.send("POST", f"systemusers({ANA})/systemuserprofiles_association/$ref", member).status_code == 204
    assert org.get(f"contacts({OF_ANA})", **as_ana())["sec_salary"] == 10
    assert org.send("PATCH", f"contacts({OF_ANA})", {"sec_salary": 11}, **as_ana()).status_code == 204
    bo = {"Authorization": token_of(BO)}
    give(org, BO, new_role(org, "Global", *CONTACTS))
    made = org.send("PATCH", f"contacts({OF_ANA})", {"fullname": "Of Ana"}, Prefer="return=representation", **bo).json()
    assert (made["fullname"], made["sec_salary"]) == ("Of Ana", None)
    create = org.send("POST", "contacts", {"fullname": "x", "sec_salary": 1}, **as_ana())
    assert error(create) == (403, "0x8004F502")


def test_a_table_made_at_run_time_has_privileges(org: Client) -> None:
    label = {"@odata.type": f"{CRM}Label", "LocalizedLabels": [{"Label": "Thing", "LanguageCode": 1033}]}
    name = {"@odata.type": f"{CRM}StringAttributeMetadata", "SchemaName": "sec_Name", "IsPrimaryName": True}
    table = {
        "@odata.type": f"{CRM}EntityMetadata",
        "SchemaName": "sec_Thing",
        "OwnershipType": "UserOwned",
        "DisplayName": label,
        "DisplayCollectionName": label,
        "Attributes": [{**name, "DisplayName": label, "MaxLength": 100, "FormatName": {"Value": "Text"}}],
    }
    assert error(org.send("POST", "EntityDefinitions", table, **as_ana())) == (403, "0x80042F09")
    give(org, ANA, new_role(org, "Basic", "prvReadContact"))
    refused = org.send("POST", "EntityDefinitions", table, **as_ana())
    assert error(refused) == (403, "0x80040220")
    assert "is missing prvCreateEntity privilege" in refused.json()["error"]["message"]
    give(org, ANA, org.get("roles?$filter=name eq 'System Customizer'")["value"][0]["roleid"])
    assert org.send("POST", "EntityDefinitions", table, **as_ana()).status_code == 204
    # The privilege has the name that the table's maker wrote; customizers have it on their own rows.
    things = org.get("EntityDefinitions(LogicalName='sec_thing')", Consistency="Strong")["EntitySetName"]
    assert org.send("POST", things, {"sec_name": "one"}, **as_ana()).status_code == 204
    org.create(things, {"sec_name": "other"})
    assert [row["sec_name"] for row in org.rows(things, **as_ana())] == ["one"]
    assert org.rows("privileges?$filter=name eq 'prvCreatesec_Thing'")
    give(org, BO, new_role(org, "Deep", "prvReadsec_Thing"))
    assert [row["sec_name"] for row in org.rows(things, Authorization=token_of(BO))] == ["one"]


def test_bulk_delete_and_publishing_need_privileges_of_their_own(org: Client) -> None:
    role = new_role(org, "Basic", "prvReadContact", "prvDeleteContact")
    give(org, ANA, role)
    query = {"@odata.type": f"{CRM}QueryExpression", "EntityName": "contact", "Criteria": {"Conditions": []}}
    body = {"JobName": "all", "QuerySet": [query]}
    reply = org.send("POST", "BulkDelete", body, **as_ana())
    assert "is missing prvBulkDelete privilege" in reply.json()["error"]["message"]
    add_privileges(org, role, "Global", "prvBulkDelete")
    assert org.send("POST", "BulkDelete", body, **as_ana()).status_code == 200
    # Only rows that the privilege to delete reaches are gone.
    assert {row["fullname"] for row in org.rows("contacts")} == SEEN["Global"] - SEEN["Basic"]
    reply = org.send("POST", "PublishAllXml", {}, **as_ana())
    assert "is missing prvPublishCustomization privilege" in reply.json()["error"]["message"]
    assert org.send("POST", "PublishAllXml", {}).status_code == 204


def test_a_user_below_sees_no_more_than_its_unit(org: Client) -> None:
    give(org, CY, new_role(org, "Deep", "prvReadContact"))
    assert names(org, "contacts", CY) == {"Of Cy"}


def test_secured_files_and_references(org: Client) -> None:
    give(org, ANA, new_role(org, "Global", *CONTACTS))
    path, binary = f"contacts({OF_ANA})", {"Content_Type": "application/octet-stream", "x_ms_file_name": "p.txt"}
    assert error(org.send("PATCH", f"{path}/sec_paper", b"x", **binary, **as_ana())) == (403, "0x8004F507")
    assert org.send("PATCH", f"{path}/sec_paper", b"pay", **binary).status_code == 204
    assert org.send("GET", f"{path}/sec_paper/$value").content == b"pay"
    assert org.send("GET", f"{path}/sec_paper/$value", **as_ana()).status_code == 204
    begin = {
        "Target": {"@odata.type": f"{CRM}contact", "contactid": OF_ANA},
        "FileAttributeName": "sec_paper",
    }
    assert error(org.send("POST", "InitializeFileBlocksDownload", begin, **as_ana())) == (404, "0x80040217")
    boss = {"@odata.id": f"contacts({OF_BO})"}
    assert error(org.send("PUT", f"{path}/sec_boss/$ref", boss, **as_ana())) == (403, "0x8004F507")
    assert org.send("PUT", f"{path}/sec_boss/$ref", boss).status_code == 204
