"""Roles and privileges as rows: what every environment has."""

import pytest

from confmig.emulator.environment import open_environment
from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.options import EmulatorOptions
from confmig.emulator.security.privileges import Depth
from confmig.emulator.security.roles import RoleGrant, add_roles

from .client import Client

ADMINISTRATOR_TEMPLATE = "627090ff-40a3-4053-8790-584edc5be201"


def test_the_caller_is_a_system_administrator(shop: Client) -> None:
    me = shop.get("WhoAmI")["UserId"]
    [role] = shop.get(f"systemusers({me})/systemuserroles_association?$select=name,_roletemplateid_value")["value"]
    assert (role["name"], role["_roletemplateid_value"]) == ("System Administrator", ADMINISTRATOR_TEMPLATE)
    names = {row["name"] for row in shop.rows("roles?$select=name")}
    assert {"System Administrator", "System Customizer", "Basic User", "Delegate"} <= names


def test_privileges_have_names_and_access_rights(shop: Client) -> None:
    rows = {row["name"]: row for row in shop.rows("privileges")}
    assert rows["prvCreateAccount"]["accessright"] == 32
    assert rows["prvAppendToContact"]["accessright"] == 16
    assert rows["prvReadActivity"]["canbebasic"] is True
    # Rows that the organization owns can neither be assigned nor shared.
    assert rows["prvWriteshop_tag"]["canbebasic"] is False
    assert "prvAssignshop_tag" not in rows
    assert rows["prvBypassCustomBusinessLogic"]["accessright"] == 0


def test_the_depth_of_a_privilege_is_in_the_pair(shop: Client) -> None:
    role = shop.get("roles?$select=roleid&$filter=name eq 'System Customizer'")["value"][0]["roleid"]
    query = f"roleprivilegescollection?$select=privilegedepthmask,privilegeid&$filter=roleid eq {role}"
    depths = {row["privilegeid"]: row["privilegedepthmask"] for row in shop.rows(query)}
    ids = {row["name"]: row["privilegeid"] for row in shop.rows("privileges?$select=name")}
    assert depths[ids["prvWriteAccount"]] == Depth.USER
    assert depths[ids["prvCreateEntity"]] == Depth.ORGANIZATION


@pytest.mark.parametrize(
    "grant",
    [
        RoleGrant("Wrong", {"nothing": {"read": "user"}}),
        RoleGrant("Wrong", {"role": {"peruse": "user"}}),
        RoleGrant("Wrong", {"role": {"read": "everywhere"}}),
        RoleGrant("Wrong", {}, ("prvFly",)),
    ],
)
def test_a_role_that_names_what_is_not_there_is_refused(grant: RoleGrant) -> None:
    store = open_environment(EmulatorOptions())
    with pytest.raises(EmulatorStartError, match="Wrong"):
        add_roles(store, [grant], "2026-01-01T00:00:00Z")
    store.close()
