"""Callers of the security environment: tokens, and roles made over the wire as an administrator makes them."""

import base64
import json
from pathlib import Path
from typing import Any

from .client import Client

SECURITY = Path(__file__).with_name("security.yml")
ANA, BO, CY, DI = (f"50000000-0000-4000-8000-00000000000{number}" for number in range(1, 5))
HEAD, NORTH, FAR_NORTH = (f"b0000000-0000-4000-8000-00000000000{number}" for number in range(1, 4))
TEAM = "7ea00000-0000-4000-8000-000000000001"
OF_ANA, OF_BO, OF_CY, OF_CALLER, OF_TEAM = (f"c0000000-0000-4000-8000-00000000000{number}" for number in range(1, 6))
OPENER = ("Organization", "BusinessUnit", "User", "Team", "Role")
CRM = "Microsoft.Dynamics.CRM."


def jwt(**claims: object) -> str:
    """An ``Authorization`` header with an unsigned token."""
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "none", "typ": "JWT"}, claims)
    )
    return f"Bearer {head}.{body}."


def token_of(user: str) -> str:
    """The header of a user of the environment, whose object id ends as the user's id does."""
    return jwt(oid=f"0b000000-0000-4000-8000-{user[-12:]}")


def new_role(client: Client, depth: str, *names: str, unit: str = HEAD) -> str:
    """Make a role with privileges of one depth."""
    role = client.create("roles", {"name": f"Role {depth}", "businessunitid@odata.bind": f"businessunits({unit})"})
    add_privileges(client, role, depth, *names)
    return role


def add_privileges(client: Client, role: str, depth: str, *names: str) -> None:
    ids = {row["name"]: row["privilegeid"] for row in client.rows("privileges?$select=name")}
    body = {"Privileges": [{"Depth": depth, "PrivilegeId": ids[name], "PrivilegeName": name} for name in names]}
    reply = client.send("POST", f"roles({role})/{CRM}AddPrivilegesRole", body)
    assert reply.status_code == 204, reply.text


def give(client: Client, user: str, role: str) -> None:
    """Give a user a role, as an administrator does."""
    body = {"@odata.id": f"{client.root}roles({role})"}
    reply = client.send("POST", f"systemusers({user})/systemuserroles_association/$ref", body)
    assert reply.status_code == 204, reply.text


def names(client: Client, path: str, user: str) -> set[Any]:
    """The names of the contacts that a user sees."""
    return {row["fullname"] for row in client.rows(path, Authorization=token_of(user))}
