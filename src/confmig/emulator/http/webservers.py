"""The web servers of an environment: each keeps its own limits, and a cookie holds a client to one of them.

https://learn.microsoft.com/power-apps/developer/data-platform/send-parallel-requests#server-affinity
"""

import hashlib
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie

from confmig.emulator.http.latency import Latency, Workers
from confmig.emulator.http.limits import Account, Limits
from confmig.emulator.security.callers import caller_of

_COOKIE = "ARRAffinity"
_COOKIE_ACROSS_SITES = "ARRAffinitySameSite"
_MOST_ACCOUNTS = 1000


class WebServer:
    """One web server.

    Attributes:
        number: Which one, from 0.
        name: The value of its affinity cookie.
        workers: What works on its requests.
    """

    def __init__(self, number: int, name: str, limits: Limits | None, latency: Latency | None) -> None:
        self.number = number
        self.name = name
        self.workers = Workers(latency.workers if latency else None)
        self._limits = limits
        self._accounts: dict[str, Account] = {}

    def account(self, authorization: str, now: float) -> Account | None:
        """What a caller has asked of this server; None when nothing is limited.

        Args:
            authorization: The header of that name.
            now: The time.
        """
        if self._limits is None:
            return None
        caller = caller_of(authorization)
        account = self._accounts.get(caller)
        if account is None:
            if len(self._accounts) >= _MOST_ACCOUNTS:
                self._accounts = {name: one for name, one in self._accounts.items() if one.in_use(now)}
            account = self._accounts[caller] = Account(self._limits)
        return account


class WebServers:
    """The servers behind the one address.

    Without the cookie each request goes to the next server. [inferred] How requests are spread is not documented.
    """

    def __init__(self, environment: str, make: Callable[[int, str], WebServer], number: int) -> None:
        names = [hashlib.sha256(f"{environment}:{one}".encode()).hexdigest() for one in range(number)]
        self._servers = [make(one, name) for one, name in enumerate(names)]
        self._by_name = {server.name: server for server in self._servers}
        self._next = 0

    def choose(self, cookies: str) -> WebServer:
        """The server for a request.

        Args:
            cookies: The header of that name; empty without one.
        """
        if cookies:
            named = self._by_name.get(_affinity(cookies))
            if named is not None:
                return named
        server = self._servers[self._next]
        self._next = (self._next + 1) % len(self._servers)
        return server


def affinity_cookies(server: WebServer, *, secure: bool) -> list[str]:
    """The cookies that hold a client to a server; clients would not send secure ones back over plain http."""
    kept = f"{server.name}; path=/; HttpOnly"
    if not secure:
        return [f"{_COOKIE}={kept}"]
    return [f"{_COOKIE}={kept}; secure", f"{_COOKIE_ACROSS_SITES}={kept}; SameSite=None; secure"]


def _affinity(cookies: str) -> str:
    try:
        sent = SimpleCookie(cookies)
    except CookieError:
        return ""
    morsel = sent.get(_COOKIE) or sent.get(_COOKIE_ACROSS_SITES)
    return morsel.value if morsel is not None else ""
