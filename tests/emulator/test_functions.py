"""Functions and actions: how they are called, and what the functions about the organization answer."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client, error
from .securing import ANA, CRM, NORTH, OF_ANA, SECURITY, TEAM, add_privileges, give, new_role

_UNRESOLVED = "Request message has unresolved parameters."


@pytest.fixture(scope="module")
def org() -> Iterator[Client]:
    with Emulator(EmulatorOptions(environment=str(SECURITY))) as emulator:
        client = Client(emulator.url)
        give(client, ANA, new_role(client, "Local", "prvReadContact", "prvWriteContact"))
        yield client
        client.close()


@pytest.mark.parametrize("path", ["WhoAmI", "WhoAmI()"])
def test_a_function_goes_with_and_without_parentheses(shop: Client, path: str) -> None:
    found = shop.get(path)
    assert found.keys() == {"@odata.context", "BusinessUnitId", "UserId", "OrganizationId"}
    assert found["@odata.context"] == f"{shop.root}$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse"
    assert found["OrganizationId"] == "5a3c8f0e-1111-4c2b-8a8e-000000000001"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "WhoAmI"),
        ("POST", "WhoAmI()"),
        ("DELETE", "RetrieveVersion()"),
        ("GET", "BulkDelete"),
        ("GET", "WhoAmI/UserId"),
        ("GET", "GrantAccess"),
    ],
)
def test_another_method_or_path_is_no_resource(shop: Client, method: str, path: str) -> None:
    reply = shop.send(method, path, {} if method == "POST" else None)
    assert reply.status_code == 404
    message = f"No HTTP resource was found that matches the request URI '{shop.root}{path}'."
    assert reply.json()["error"] == {"code": "", "message": message}


@pytest.mark.parametrize("path", ["WhoAmy", "whoami()", f"{CRM}WhoAmI()", "RetrievePrincipalAccess()"])
def test_what_is_no_function_is_no_segment(shop: Client, path: str) -> None:
    assert error(shop.send("GET", path)) == (404, "0x80060888")


def test_a_bound_function_needs_its_namespace(org: Client) -> None:
    reply = org.send("GET", f"systemusers({ANA})/RetrieveUserPrivileges()")
    assert error(reply)[0] == 400
    assert reply.json()["error"]["message"] == _UNRESOLVED
    missing = "50000000-0000-4000-8000-00000000ffff"
    assert error(org.send("GET", f"systemusers({missing})/{CRM}RetrieveUserPrivileges()")) == (404, "0x80040217")
    assert org.send("POST", f"systemusers({ANA})/{CRM}RetrieveUserPrivileges()", {}).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        'RetrieveTotalRecordCount(EntityNames=@p1)?@p1=["account","contact"]',
        "RetrieveTotalRecordCount(EntityNames=@p1)?@p1=['account','contact']",
        "RetrieveTotalRecordCount(EntityNames=['account','contact'])",
        'RetrieveTotalRecordCount(EntityNames=["account","contact"])',
    ],
)
def test_parameters_in_place_and_by_alias(shop: Client, path: str) -> None:
    collection = shop.get(path)["EntityRecordCountCollection"]
    counts = [shop.get(f"{name}?$count=true")["@odata.count"] for name in ("accounts", "contacts")]
    assert collection == {"Count": 2, "IsReadOnly": False, "Keys": ["account", "contact"], "Values": counts}


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("RetrieveTotalRecordCount", (400, "0x80040203")),
        ("RetrieveTotalRecordCount(EntityNames=@p1)", (400, "0x80060888")),
        ("RetrieveTotalRecordCount(EntityNames='account')", (400, "0x80040203")),
        ("RetrieveTotalRecordCount(EntityNames=[1])", (400, "0x80041102")),
        ("RetrieveTotalRecordCount(EntityNames=['nothing'])", (400, "0x80041102")),
        ("RetrieveTotalRecordCount(EntityNames=[[['a']])", (400, "0x80060888")),
        ("RetrieveTotalRecordCount(EntityNames={broken)", (400, "0x80060888")),
    ],
)
def test_wrong_parameters(shop: Client, path: str, answer: tuple[int, str]) -> None:
    assert error(shop.send("GET", path)) == answer


def test_the_organization(shop: Client) -> None:
    assert shop.get("RetrieveVersion()")["Version"] == "9.2.1.2"
    path = "RetrieveCurrentOrganization(AccessType=@p1)?@p1=Microsoft.Dynamics.CRM.EndpointAccessType'Default'"
    detail = shop.get(path)["Detail"]
    assert detail["OrganizationId"] == shop.get("WhoAmI")["OrganizationId"]
    assert (detail["FriendlyName"], detail["OrganizationVersion"], detail["State"]) == ("Shop", "9.2.1.2", "Enabled")
    endpoints = dict(zip(detail["Endpoints"]["Keys"], detail["Endpoints"]["Values"], strict=True))
    assert endpoints["WebApplication"] == shop.root.partition("api/")[0]
    assert len(endpoints) == detail["Endpoints"]["Count"] == 3


def test_the_languages(shop: Client) -> None:
    assert shop.get("RetrieveProvisionedLanguages")["RetrieveProvisionedLanguages"] == [1033]
    assert 1033 in shop.get("RetrieveAvailableLanguages()")["LocaleIds"]


def test_the_privileges_of_a_user(org: Client) -> None:
    found = org.get(f"systemusers({ANA})/{CRM}RetrieveUserPrivileges()")
    assert found["@odata.context"].endswith("#Microsoft.Dynamics.CRM.RetrieveUserPrivilegesResponse")
    held = {one["PrivilegeName"]: one for one in found["RolePrivileges"]}
    assert held["prvReadContact"] == {
        "Depth": "Local",
        "PrivilegeId": org.get("privileges?$filter=name eq 'prvReadContact'")["value"][0]["privilegeid"],
        "BusinessUnitId": NORTH,
        "PrivilegeName": "prvReadContact",
        "RecordFilterId": "00000000-0000-0000-0000-000000000000",
        "RecordFilterUniqueName": "",
    }
    assert held.keys() == {"prvReadContact", "prvWriteContact"}


def test_some_privileges_of_a_user(org: Client) -> None:
    me, user = org.get("WhoAmI")["UserId"], f"systemusers({ANA})/{CRM}"
    wanted = ["prvReadContact", "prvDeleteContact"]
    by_names = f"RetrieveUserSetOfPrivilegesByNames(PrivilegeNames=@n)?@n={quote(json.dumps(wanted))}"
    assert [one["PrivilegeName"] for one in org.get(user + by_names)["RolePrivileges"]] == ["prvReadContact"]
    assert {one["Depth"] for one in org.get(f"systemusers({me})/{CRM}{by_names}")["RolePrivileges"]} == {"Global"}
    one = org.get(user + "RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='prvWriteContact')")["RolePrivileges"][0]
    by_id = f"RetrieveUserPrivilegeByPrivilegeId(PrivilegeId={one['PrivilegeId']})"
    assert org.get(user + by_id)["RolePrivileges"] == [one]
    ids = f"RetrieveUserSetOfPrivilegesByIds(PrivilegeIds=@i)?@i=[{one['PrivilegeId']}]"
    assert error(org.send("GET", user + ids))[0] == 400
    ids = f"RetrieveUserSetOfPrivilegesByIds(PrivilegeIds=@i)?@i=['{one['PrivilegeId']}']"
    assert org.get(user + ids)["RolePrivileges"] == [one]


def test_the_privileges_of_a_role_change(org: Client) -> None:
    role = new_role(org, "Global", "prvReadContact")
    path = f"RetrieveRolePrivilegesRole(RoleId={role})"
    add_privileges(org, role, "Basic", "prvWriteContact", "prvReadContact")
    held = {one["PrivilegeName"]: one["Depth"] for one in org.get(path)["RolePrivileges"]}
    assert held == {"prvReadContact": "Basic", "prvWriteContact": "Basic"}
    ids = {one["PrivilegeName"]: one["PrivilegeId"] for one in org.get(path)["RolePrivileges"]}
    removed = org.send(
        "POST", f"roles({role})/{CRM}RemovePrivilegeRole", {"PrivilegeId": ids["prvWriteContact"]}
    ).status_code
    assert removed == 204
    # The documented way to let a role bypass custom logic names the privilege by its id.
    bypass = {
        "Depth": "Global",
        "PrivilegeId": "0ea552b0-a491-4470-9a1b-82068deccf66",
        "BusinessUnitId": "",
        "PrivilegeName": "prvBypassCustomBusinessLogic",
    }
    assert org.send("POST", f"roles({role})/{CRM}ReplacePrivilegesRole", {"Privileges": [bypass]}).status_code == 204
    numbered = {"PrivilegeId": bypass["PrivilegeId"], "Depth": "3"}
    assert org.send("POST", f"roles({role})/{CRM}AddPrivilegesRole", {"Privileges": [numbered]}).status_code == 204
    bound = org.get(f"roles({role})/{CRM}RetrieveRolePrivilegesRole()")["RolePrivileges"]
    assert [one["PrivilegeName"] for one in bound] == ["prvBypassCustomBusinessLogic"]
    unknown = {"Privileges": [{**bypass, "PrivilegeId": role}]}
    assert error(org.send("POST", f"roles({role})/{CRM}AddPrivilegesRole", unknown)) == (404, "0x80040217")
    deep = {"Privileges": [{**bypass, "Depth": "Bottomless"}]}
    assert error(org.send("POST", f"roles({role})/{CRM}AddPrivilegesRole", deep)) == (400, "0x80040203")


def test_the_privileges_of_a_team(org: Client) -> None:
    role = new_role(org, "Deep", "prvReadContact")
    org.send("POST", f"teams({TEAM})/teamroles_association/$ref", {"@odata.id": f"roles({role})"})
    found = org.get(f"teams({TEAM})/{CRM}RetrieveTeamPrivileges()")["RolePrivileges"]
    assert [(one["PrivilegeName"], one["Depth"]) for one in found] == [("prvReadContact", "Deep")]


@pytest.mark.parametrize(
    "target",
    [
        f"{{'@odata.id':'contacts({OF_ANA})'}}",
        f'{{"@odata.id":"contacts({OF_ANA})"}}',
        f'{{"@odata.type":"{CRM}contact","contactid":"{OF_ANA}"}}',
    ],
)
def test_the_access_of_a_user_to_a_row(org: Client, target: str) -> None:
    path = f"systemusers({ANA})/{CRM}RetrievePrincipalAccess(Target=@tid)?@tid={quote(target)}"
    assert org.get(path)["AccessRights"] == "ReadAccess, WriteAccess"


def test_the_access_of_an_administrator(org: Client) -> None:
    me = org.get("WhoAmI")["UserId"]
    path = f"systemusers({me})/{CRM}RetrievePrincipalAccess(Target=@t)?@t={{'@odata.id':'contacts({OF_ANA})'}}"
    assert org.get(path)["AccessRights"] == (
        "ReadAccess, WriteAccess, AppendAccess, AppendToAccess, CreateAccess, DeleteAccess, ShareAccess, AssignAccess"
    )
    nothing = f"systemusers({me})/{CRM}RetrievePrincipalAccess(Target=@t)?@t={{'@odata.id':'contacts({me})'}}"
    assert error(org.send("GET", nothing)) == (404, "0x80040217")
    assert error(org.send("GET", f"systemusers({me})/{CRM}RetrievePrincipalAccess()")) == (400, "0x80040203")


@pytest.mark.parametrize(
    ("parts", "lines"),
    [
        (("123 Maple St.", "Seattle", "WA", "98007", "USA"), ["123 Maple St.", "Seattle, WA 98007", "USA"]),
        (
            ("1-2-3 Sakura", "Nagoya", "Aichi", "455-2345", "JAPAN"),
            ["455-2345", "Aichi", "Nagoya", "1-2-3 Sakura", "JAPAN"],
        ),
    ],
)
def test_addresses_as_their_country_writes_them(shop: Client, parts: tuple[str, ...], lines: list[str]) -> None:
    values = "&".join(f"@p{number}='{quote(part)}'" for number, part in enumerate(parts, 1))
    path = "FormatAddress(Line1=@p1,City=@p2,StateOrProvince=@p3,PostalCode=@p4,Country=@p5)"
    assert shop.get(f"{path}?{values}")["Address"].splitlines() == lines
