"""Who calls: tokens, users who cannot log in, users who act for others."""

import time
from collections.abc import Iterator

import pytest

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client, error
from .securing import ANA, BO, CRM, CY, DI, HEAD, NORTH, OF_ANA, SECURITY, TEAM, give, jwt, new_role, token_of

APPLICATION = "a9900000-0000-4000-8000-000000000001"
OBJECT = "0b000000-0000-4000-8000-000000000001"


@pytest.fixture
def org() -> Iterator[Client]:
    with Emulator(EmulatorOptions(environment=str(SECURITY))) as emulator:
        client = Client(emulator.url)
        yield client
        client.close()


def me(client: Client, authorization: str | None) -> dict[str, str]:
    headers = {"Authorization": authorization} if authorization else {}
    found: dict[str, str] = client.get("WhoAmI", **headers)
    return found


@pytest.mark.parametrize("authorization", [None, "Bearer opaque", "Bearer a.b.c", jwt(name="nobody"), jwt(sub="x")])
def test_whoever_names_nobody_is_the_default_application_user(org: Client, authorization: str | None) -> None:
    found = me(org, authorization)
    assert org.get(f"systemusers({found['UserId']})")["fullname"] == "# confmig-emulator"
    assert found["BusinessUnitId"] == HEAD


@pytest.mark.parametrize(
    "authorization",
    [
        jwt(appid=APPLICATION),
        jwt(azp=APPLICATION.upper()),
        jwt(oid=OBJECT),
        jwt(oid=OBJECT, appid="51f81489-12ee-4a9e-aaae-a2591f45987d", scp="user_impersonation"),
        # A service principal's object id is seldom in the row of its application user.
        jwt(oid="0b000000-0000-4000-8000-00000000ffff", appid=APPLICATION),
        jwt(oid=OBJECT, exp=time.time() + 600),
    ],
)
def test_a_token_names_a_user(org: Client, authorization: str) -> None:
    give(org, ANA, new_role(org, "Basic", "prvReadContact"))
    assert me(org, authorization) | {"UserId": ANA, "BusinessUnitId": NORTH} == me(org, authorization)


def test_an_unknown_application_is_no_member(org: Client) -> None:
    reply = org.send("GET", "WhoAmI", Authorization=jwt(appid="a9900000-0000-4000-8000-00000000ffff"))
    assert error(reply) == (403, "0x80072560")
    assert reply.json()["error"]["message"] == "The user is not a member of the organization."
    # The application through which a person works says nothing about the person.
    stranger = jwt(oid="0b000000-0000-4000-8000-00000000ffff", appid=APPLICATION, scp="user_impersonation")
    assert error(org.send("GET", "WhoAmI", Authorization=stranger)) == (403, "0x80072560")


def test_an_application_user_made_over_the_wire_calls_at_once(org: Client) -> None:
    application = "a9900000-0000-4000-8000-000000000002"
    token = jwt(appid=application, oid="0b000000-0000-4000-8000-00000000fffe")
    assert error(org.send("GET", "WhoAmI", Authorization=token)) == (403, "0x80072560")
    body = {"applicationid": application, "businessunitid@odata.bind": f"businessunits({NORTH})"}
    user = org.create("systemusers", body)
    assert error(org.send("GET", "WhoAmI", Authorization=token)) == (403, "0x80042F09")
    give(org, user, new_role(org, "Basic", "prvReadContact"))
    assert me(org, token)["UserId"] == user
    assert org.send("PATCH", f"systemusers({user})", {"isdisabled": True}).status_code == 204
    assert error(org.send("GET", "WhoAmI", Authorization=token)) == (403, "0x80040225")


def test_users_who_cannot_log_in(org: Client) -> None:
    assert error(org.send("GET", "WhoAmI", Authorization=token_of(DI))) == (403, "0x80040225")
    assert error(org.send("GET", "WhoAmI", Authorization=token_of(ANA))) == (403, "0x80042F09")


def test_an_expired_token_is_challenged(org: Client) -> None:
    reply = org.send("GET", "WhoAmI", Authorization=jwt(oid=OBJECT, exp=time.time() - 1))
    assert (reply.status_code, reply.content) == (401, b"")
    home = org.root.partition("api/")[0]
    assert reply.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=https://login.microsoftonline.com/")
    assert reply.headers["WWW-Authenticate"].endswith(f"resource_id={home}")


def test_a_role_takes_effect_at_once_and_goes_at_once(org: Client) -> None:
    role = new_role(org, "Basic", "prvReadContact")
    give(org, ANA, role)
    assert me(org, token_of(ANA))["UserId"] == ANA
    assert org.send("DELETE", f"systemusers({ANA})/systemuserroles_association({role})/$ref").status_code == 204
    assert error(org.send("GET", "WhoAmI", Authorization=token_of(ANA))) == (403, "0x80042F09")


def test_a_role_in_a_change_set_that_fails_is_not_given(org: Client) -> None:
    role = new_role(org, "Basic", "prvReadContact")
    lines = [
        "--b", "Content-Type: multipart/mixed; boundary=c", "",
        "--c", "Content-Type: application/http", "Content-Transfer-Encoding: binary", "Content-ID: 1", "",
        f"POST /api/data/v9.2/systemusers({ANA})/systemuserroles_association/$ref HTTP/1.1",
        "Content-Type: application/json", "", f'{{"@odata.id":"roles({role})"}}',
        "--c", "Content-Type: application/http", "Content-Transfer-Encoding: binary", "Content-ID: 2", "",
        f"PATCH /api/data/v9.2/contacts({OF_ANA}) HTTP/1.1",
        "Content-Type: application/json", f"MSCRMCallerID: {ANA}", "If-Match: *", "", '{"fullname":"x"}',
        "--c--", "--b--", "",
    ]  # fmt: skip
    body = "\r\n".join(lines).encode()
    assert org.send("POST", "$batch", body, Content_Type="multipart/mixed; boundary=b").status_code == 400
    assert error(org.send("GET", "WhoAmI", Authorization=token_of(ANA))) == (403, "0x80042F09")


def test_members_of_a_team_have_its_roles(org: Client) -> None:
    role = new_role(org, "Global", "prvReadContact")
    org.send("POST", f"teams({TEAM})/teamroles_association/$ref", {"@odata.id": f"roles({role})"})
    members = {"Members": [{"@odata.type": f"{CRM}systemuser", "systemuserid": ANA}]}
    assert org.send("POST", f"teams({TEAM})/{CRM}AddMembersTeam", members).status_code == 204
    assert me(org, token_of(ANA))["UserId"] == ANA
    assert org.send("POST", f"teams({TEAM})/{CRM}RemoveMembersTeam", members).status_code == 204
    assert error(org.send("GET", "WhoAmI", Authorization=token_of(ANA))) == (403, "0x80042F09")


@pytest.mark.parametrize(
    "header", [{"CallerObjectId": OBJECT}, {"MSCRMCallerID": ANA}, {"MSCRMCallerID": f"{{{ANA}}}"}]
)
def test_acting_for_another_user(org: Client, header: dict[str, str]) -> None:
    give(org, ANA, new_role(org, "Basic", "prvReadContact", "prvCreateContact", "prvWriteContact"))
    own = me(org, None)["UserId"]
    assert org.get("WhoAmI", **header)["UserId"] == ANA
    reply = org.send("POST", "contacts", {"fullname": "For Ana"}, **header)
    row = org.get(reply.headers["OData-EntityId"])
    assert (row["_createdby_value"], row["_createdonbehalfby_value"], row["_ownerid_value"]) == (ANA, own, ANA)
    assert (row["_modifiedby_value"], row["_modifiedonbehalfby_value"]) == (ANA, own)
    org.send("PATCH", f"contacts({row['contactid']})", {"fullname": "By myself"})
    row = org.get(reply.headers["OData-EntityId"])
    assert (row["_modifiedby_value"], row["_modifiedonbehalfby_value"]) == (own, None)
    assert row["_createdonbehalfby_value"] == own


def test_who_acts_for_another_needs_the_privilege_and_has_what_both_have(org: Client) -> None:
    give(org, BO, new_role(org, "Global", "prvReadContact", "prvWriteContact"))
    give(org, ANA, new_role(org, "Basic", "prvReadContact", "prvDeleteContact"))
    bo = {"Authorization": token_of(BO), "MSCRMCallerID": ANA}
    refused = org.send("GET", "contacts", **bo)
    assert error(refused) == (403, "0x8004A110")
    assert refused.json()["error"]["message"] == "User does not have the privilege to act on behalf another user."
    delegate = org.get("roles?$filter=name eq 'Delegate'")["value"][0]["roleid"]
    give(org, BO, delegate)
    # Bo may read all, Ana only her own: so only Ana's. Ana may not write, Bo may not delete: so neither.
    assert [row["fullname"] for row in org.rows("contacts", **bo)] == ["Of Ana"]
    assert error(org.send("PATCH", f"contacts({OF_ANA})", {"fullname": "x"}, **bo)) == (403, "0x80040220")
    assert error(org.send("DELETE", f"contacts({OF_ANA})", **bo)) == (403, "0x80040220")


def test_acting_for_nobody(org: Client) -> None:
    nobody = "50000000-0000-4000-8000-00000000ffff"
    assert error(org.send("GET", "contacts", MSCRMCallerID=nobody)) == (404, "0x80040217")
    assert error(org.send("GET", "contacts", MSCRMCallerID="no guid")) == (404, "0x80040217")
    assert error(org.send("GET", "contacts", CallerObjectId=nobody)) == (403, "0x80072560")
    assert error(org.send("GET", "contacts", MSCRMCallerID=DI)) == (403, "0x80040225")
    assert error(org.send("GET", "contacts", MSCRMCallerID=CY)) == (403, "0x80042F09")


def test_the_requests_of_a_batch_are_of_its_caller(org: Client) -> None:
    give(org, ANA, new_role(org, "Basic", "prvReadContact"))
    part = "--b\r\nContent-Type: application/http\r\n\r\nGET /api/data/v9.2/WhoAmI HTTP/1.1\r\n\r\n\r\n--b--\r\n"
    reply = org.send("POST", "$batch", part.encode(), Content_Type="multipart/mixed; boundary=b", MSCRMCallerID=ANA)
    assert f'"UserId":"{ANA}"' in reply.text
    reply = org.send(
        "POST", "$batch", part.encode(), Content_Type="multipart/mixed; boundary=b", Authorization=token_of(ANA)
    )
    assert f'"UserId":"{ANA}"' in reply.text
