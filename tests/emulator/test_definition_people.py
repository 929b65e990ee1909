"""Roles, users and teams of a definition."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client

TEXT = """
tables:
  x_thing:
    primary_name: x_name
    ownership: user
    columns: {x_thingid: {type: Uniqueidentifier}, x_name: {type: String}}
roles:
  Keeper:
    tables:
      "*": {read: organization}
      x_thing: {all: user, write: business-unit}
    privileges: [prvBulkDelete]
  Basic User:
    tables: {x_thing: {read: user}}
users:
  "# Pipeline":
    application_id: 10000000-0000-4000-8000-00000000000a
    object_id: 10000000-0000-4000-8000-00000000000b
    roles: [System Administrator]
  Ana María Bowman: {domain_name: ana@x.example, email: ana@x.example, business_unit: East, roles: [Keeper, Basic User]}
  Bo Lund: {id: 20000000-0000-4000-8000-000000000002, disabled: true}
  Cy Roe: {email: new@x.example}
teams:
  Keepers: {business_unit: East, administrator: Bo Lund, roles: [Keeper], members: [Ana María Bowman, Cy Roe]}
rows:
  businessunit:
    - {businessunitid: 30000000-0000-4000-8000-000000000001, name: Root}
    - {businessunitid: 30000000-0000-4000-8000-000000000002, name: East, parentbusinessunitid: 30000000-0000-4000-8000-000000000001}
  systemuser:
    - {systemuserid: 20000000-0000-4000-8000-000000000003, fullname: Cy Roe, internalemailaddress: old@x.example, accessmode: 2}
"""  # fmt: skip  # noqa: E501  # as people write it


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    path = tmp_path_factory.mktemp("people") / "people.yml"
    path.write_text(TEXT, "utf-8")
    with Emulator(EmulatorOptions(environment=str(path))) as emulator:
        client = Client(emulator.url)
        yield client
        client.close()


def test_users_have_what_is_said_and_the_rest_is_usual(served: Client) -> None:
    users = {row["fullname"]: row for row in served.rows("systemusers")}
    ana = users["Ana María Bowman"]
    assert (ana["firstname"], ana["lastname"], ana["isdisabled"], ana["accessmode"]) == (
        "Ana María",
        "Bowman",
        False,
        0,
    )
    assert ana["_businessunitid_value"] == "30000000-0000-4000-8000-000000000002"
    assert users["Bo Lund"]["systemuserid"] == "20000000-0000-4000-8000-000000000002"
    assert users["Bo Lund"]["isdisabled"] is True
    assert users["Bo Lund"]["_businessunitid_value"] == "30000000-0000-4000-8000-000000000001"
    pipeline = users["# Pipeline"]
    assert (pipeline["applicationid"][-1], pipeline["azureactivedirectoryobjectid"][-1]) == ("a", "b")
    assert pipeline["accessmode"] == 4


def test_a_user_completes_the_row_that_there_is(served: Client) -> None:
    (cy,) = served.rows("systemusers?$filter=fullname eq 'Cy Roe'")
    assert cy["systemuserid"] == "20000000-0000-4000-8000-000000000003"
    assert (cy["internalemailaddress"], cy["accessmode"]) == ("new@x.example", 2)


def test_users_and_teams_have_their_roles_and_members(served: Client) -> None:
    (ana,) = served.rows("systemusers?$filter=lastname eq 'Bowman'&$expand=systemuserroles_association($select=name)")
    assert {role["name"] for role in ana["systemuserroles_association"]} == {"Keeper", "Basic User"}
    (team,) = served.rows("teams?$filter=name eq 'Keepers'&$expand=teamroles_association($select=name)")
    assert [role["name"] for role in team["teamroles_association"]] == ["Keeper"]
    (team,) = served.rows("teams?$filter=name eq 'Keepers'&$expand=teammembership_association($select=fullname)")
    assert {user["fullname"] for user in team["teammembership_association"]} == {"Ana María Bowman", "Cy Roe"}
    assert team["_administratorid_value"] == "20000000-0000-4000-8000-000000000002"


def test_roles_have_their_privileges_with_depths(served: Client) -> None:
    def depths(role: str) -> dict[str, int]:
        (found,) = served.rows(f"roles?$filter=name eq '{role}'")
        names = {row["privilegeid"]: row["name"] for row in served.rows("privileges?$select=name")}
        pairs = served.rows(f"roleprivilegescollection?$filter=roleid eq {found['roleid']}")
        return {names[pair["privilegeid"]]: pair["privilegedepthmask"] for pair in pairs}

    keeper = depths("Keeper")
    assert (keeper["prvReadx_thing"], keeper["prvWritex_thing"], keeper["prvBulkDelete"]) == (1, 2, 8)
    assert keeper["prvReadUser"] == 8
    assert "prvWriteUser" not in keeper
    assert depths("Basic User")["prvReadx_thing"] == 1


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("roles: [Keeper, Basic User]", "roles: [Keepr]", "Ana María Bowman has the unknown role 'Keepr'; there are"),
        ("business_unit: East, roles", "business_unit: West, roles", "of the unknown business unit 'West'"),
        ("administrator: Bo Lund", "administrator: Nobody", "Keepers names the unknown user 'Nobody'"),
        ("x_thing: {all: user,", "x_thong: {all: user,", "the role Keeper names the unknown table 'x_thong'"),
        ("[prvBulkDelete]", "[prvFly]", "the role Keeper names the unknown privilege 'prvFly'"),
        ("{all: user,", "{al: user,", "al cannot be 'al'; did you mean all?"),
        ("write: business-unit}", "write: everywhere}", "write cannot be 'everywhere'; known are user, business-unit"),
    ],
)
def test_what_is_wrong_names_the_line(tmp_path: Path, right: str, wrong: str, words: str) -> None:
    assert TEXT.count(right) == 1
    text = TEXT.replace(right, wrong)
    path = tmp_path / "wrong.yml"
    path.write_text(text, "utf-8")
    with pytest.raises(EmulatorStartError, match=r"^wrong\.yml:\d+: ") as caught:
        Emulator(EmulatorOptions(environment=str(path))).start()
    assert words in str(caught.value)
    line = text[: text.index(wrong)].count("\n") + 1
    assert line - 4 <= int(str(caught.value).split(":")[1]) <= line
