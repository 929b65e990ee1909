"""Who calls: the user that a token names, and the user for whom that one acts.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/impersonate-another-user-web-api
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from confmig.emulator.catalog import naming
from confmig.emulator.clock import Clock
from confmig.emulator.errors import row_missing
from confmig.emulator.security.callers import Claims, claims_of
from confmig.emulator.security.grants import Grants, read_grants
from confmig.emulator.security.rights import Rights
from confmig.emulator.security.roles import sync_privileges
from confmig.emulator.security.securityerrors import (
    TokenExpiredError,
    impersonation_denied,
    not_a_member,
    user_disabled,
    user_without_roles,
)
from confmig.emulator.storage.store import Store, main_sql, quoted

HEADERS = ("authorization", "callerobjectid", "mscrmcallerid")
"""The headers that say who calls."""
_BEHIND_RIGHTS = ("systemuser", "team", "businessunit", "role", "roleprivileges", "systemuserroles", "teamroles",
                  "teammembership", "systemuserprofiles", "teamprofiles", "fieldpermission")  # fmt: skip
_MOST_KNOWN = 1000


@dataclass(frozen=True)
class Caller:
    """Who calls.

    Attributes:
        user_id: The user in whose name rows are written.
        delegate_id: The user who really calls, when that is another one.
        rights: What the caller may do; None when that is anything.
        expires: When the token expires, as seconds since 1970.
    """

    user_id: str
    delegate_id: str | None = None
    rights: Rights | None = None
    expires: float | None = None


class Callers:
    """Knows who calls.

    What a caller may do is read once and kept until a row behind it changes.

    Args:
        store: The store.
        clock: Tells whether a token is expired.
        denied: Privileges that every caller lacks.
    """

    def __init__(self, store: Store, clock: Clock, denied: frozenset[str]) -> None:
        self._store = store
        self._clock = clock
        self._denied = denied
        self._known: dict[tuple[str | None, ...], Caller] = {}
        self._catalog = store.catalog
        self._rollbacks = store.rollbacks
        _watch(store, _BEHIND_RIGHTS, self._known.clear)

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Who sent a request with these headers.

        Raises:
            TokenExpiredError: The token is expired.
            ServiceError: The token names no user, the user cannot log in, or may not act for another one.
        """
        if self._store.catalog is not self._catalog and not self._store.behind:
            sync_privileges(self._store, self._clock.stamp())
            self._catalog = self._store.catalog
            self._known.clear()
        if self._store.rollbacks != self._rollbacks:
            self._rollbacks = self._store.rollbacks
            self._known.clear()
        key = tuple(headers.get(name) for name in HEADERS)
        caller = self._known.get(key)
        if caller is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            caller = self._known[key] = self._find(*key)
        if caller.expires is not None and self._clock.wall().timestamp() >= caller.expires:
            raise TokenExpiredError
        return caller

    def _find(self, authorization: str | None, object_id: str | None, user_id: str | None) -> Caller:
        claims = claims_of(authorization or "") or {}
        expires = claims.get("exp")
        until = float(expires) if isinstance(expires, int | float) else None
        if until is not None and self._clock.wall().timestamp() >= until:
            raise TokenExpiredError
        own_id = self._user_of(claims)
        own = self._grants(own_id)
        other_id = self._impersonated(object_id, user_id)
        if other_id is None or other_id == own_id:
            return Caller(own_id, None, self._rights(own), until)
        if not Rights(self._store, own, self._denied).has("prvActOnBehalfOfAnotherUser"):
            raise impersonation_denied()
        both = self._grants(other_id).limited_by(own)
        return Caller(other_id, own_id, self._rights(both), until)

    def _rights(self, grants: Grants) -> Rights | None:
        if grants.administrator and not self._denied:
            return None
        return Rights(self._store, grants, self._denied)

    def _user_of(self, claims: Claims) -> str:
        """The user whom a token names: a person by the object id, an application by its id.

        A token that names nobody, as any text that is no JWT, is the default application user's.
        """
        columns = [("azureactivedirectoryobjectid", claims.get("oid"))]
        if "scp" not in claims:
            # In the token of a person, the application is the client that the person uses.
            columns += [("applicationid", claims.get("appid")), ("applicationid", claims.get("azp"))]
        named = [(column, value) for column, value in columns if isinstance(value, str) and value]
        for column, value in named:
            found = self._store.find(self._store.catalog.tables["systemuser"], {column: value.lower()}, 1)
            if found:
                return found[0]
        if named:
            raise not_a_member()
        return self._store.caller_id

    def _impersonated(self, object_id: str | None, user_id: str | None) -> str | None:
        """The user whom a header names."""
        users = self._store.catalog.tables["systemuser"]
        if object_id:
            wanted = naming.plain_guid(object_id)
            found = self._store.find(users, {"azureactivedirectoryobjectid": wanted}, 1)
            if not found:
                raise not_a_member()
            return found[0]
        if not user_id:
            return None
        wanted = naming.plain_guid(user_id)
        if not self._store.exists(users, wanted):
            raise row_missing("systemuser", user_id)
        return wanted

    def _grants(self, user_id: str) -> Grants:
        """The privileges of a user who can log in."""
        row = self._store.read(
            self._store.catalog.tables["systemuser"], user_id, ["isdisabled", "businessunitid", "accessmode"]
        )
        if row is None or row["isdisabled"]:
            raise user_disabled()
        grants = read_grants(self._store, user_id, row)
        if not grants.roles:
            raise user_without_roles()
        return grants


def _watch(store: Store, tables: Iterable[str], changed: Callable[[], None]) -> None:
    """Call a function whenever a row of some tables is made, changed or removed, by whatever statement."""

    def note() -> int:
        changed()
        return 0

    store.connection.create_function("note_change", 0, note)
    for name in tables:
        for event in ("INSERT", "UPDATE", "DELETE"):
            trigger = quoted(f"watch.{name}.{event}")
            store.query(
                f"CREATE TEMP TRIGGER {trigger} AFTER {event} ON {main_sql(name)} BEGIN SELECT note_change(); END"
            )
