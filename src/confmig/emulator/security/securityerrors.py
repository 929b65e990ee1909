"""What goes wrong because of who calls.

Texts: https://learn.microsoft.com/power-apps/developer/data-platform/reference/web-service-error-codes
"""

from confmig.emulator.errors import ServiceError


def privilege_missing(
    principal: str, caller: str, privilege: str, privilege_id: str, table: str, type_code: int
) -> ServiceError:
    """PrivilegeDenied: the caller's roles lack a privilege on a table."""
    return ServiceError(
        403,
        "0x80040220",
        f"Principal user {principal}, is missing {privilege} privilege (Id={privilege_id}) on OTC={type_code} for "
        f"entity '{table}'. context.Caller={caller}",
    )


def other_privilege_missing(principal: str, privilege: str, privilege_id: str) -> ServiceError:
    """PrivilegeDenied: the caller's roles lack a privilege that is not about a table [the end of it inferred]."""
    return ServiceError(
        403, "0x80040220", f"Principal user {principal}, is missing {privilege} privilege (Id={privilege_id})"
    )


def access_missing(principal: str, verb: str, row_id: str, table: str) -> ServiceError:
    """PrincipalPrivilegeDenied: the caller's privilege does not reach a row."""
    return ServiceError(
        403,
        "0x80048306",
        f"Principal with id {principal} does not have {verb}Access right(s) for record with id {row_id} of entity "
        f"{table}",
    )


def column_create_missing() -> ServiceError:
    """AttributePrivilegeCreateIsMissing."""
    return ServiceError(
        403,
        "0x8004F502",
        "The user does not have create permissions to a secured field. The requested operation could not be completed.",
    )


def column_update_missing() -> ServiceError:
    """AttributePermissionUpdateIsMissingDuringUpdate."""
    return ServiceError(
        403,
        "0x8004F507",
        "The user doesn't have AttributePrivilegeUpdate and not granted shared access for a secured attribute during "
        "update operation",
    )


def not_a_member() -> ServiceError:
    """UserNotMemberOfOrg."""
    return ServiceError(403, "0x80072560", "The user is not a member of the organization.")


def user_disabled() -> ServiceError:
    """The caller's row says that it is disabled."""
    return ServiceError(
        403, "0x80040225", "The specified user is either disabled or is not a member of any business unit."
    )


def user_without_roles() -> ServiceError:
    """The caller has no role, neither itself nor by a team."""
    return ServiceError(403, "0x80042F09", "The user has not been assigned any roles.")


def impersonation_denied() -> ServiceError:
    """CannotActOnBehalfOfAnotherUser."""
    return ServiceError(403, "0x8004A110", "User does not have the privilege to act on behalf another user.")


class TokenExpiredError(ServiceError):
    """ExpiredAuthTicket: answered without a body, as the gateway before the service does."""

    def __init__(self) -> None:
        super().__init__(401, "0x8004A101", "The authentication ticket is expired.")
