"""Sign-in: from a mode and the process's variables to a bearer token.

Secrets come by variable only. A mode is never changed because a secret is missing.
"""

import os
import threading
import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

from confmig.errors import AccessError, UsageError

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_PUBLIC_AUTHORITY = "https://login.microsoftonline.com"
_AUTHORITIES = {
    # Sovereign clouds, by the suffix of the environment's host; GCC signs in at the public directory.
    "crm.microsoftdynamics.us": "https://login.microsoftonline.us",
    "crm.appsplatform.us": "https://login.microsoftonline.us",
    "crm.dynamics.cn": "https://login.chinacloudapi.cn",
}
_KNOWN_AUTHORITIES = {_PUBLIC_AUTHORITY, *_AUTHORITIES.values()}
_EARLY_SECONDS = 300


class AuthMode(StrEnum):
    """How to sign in."""

    NONE = "none"
    SECRET = "secret"  # noqa: S105  # the name of a mode


class TokenSource(Protocol):
    """Gives a bearer token that is valid now."""

    def token(self, *, refused: str | None = None) -> str | None:
        """The token, or None where no sign-in is needed; another one than the one that the service ``refused``."""


class NoToken:
    """No sign-in, for an emulator on this machine."""

    def token(self, *, refused: str | None = None) -> str | None:
        """Give none."""
        del refused
        return None


def environment_url(url: str) -> str:
    """The root URL of an environment, checked and without a trailing slash.

    Raises:
        UsageError: It is no URL of an environment, or plain http to another machine.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        host, port = "", None
    shown = url.rpartition("@")[2]  # what stands before an @ may be a password
    if not host or parts.scheme not in {"http", "https"} or "@" in url:
        raise UsageError(
            f"{shown!r} is no environment URL.",
            "Give it whole, as https://<organization>.crm<region>.dynamics.com, with https:// at its start.",
        )
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise UsageError(f"{shown}: plain http is for loopback addresses only.", "Use https.")
    if port == {"http": 80, "https": 443}[parts.scheme]:
        port = None
    root = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError(f"{shown}: an environment URL has no path and no query.", f"Give {root}.")
    return root


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine."""
    return (urlsplit(url).hostname or "") in _LOOPBACK


def token_source(url: str, mode: AuthMode, side: str, variables: Mapping[str, str] = os.environ) -> TokenSource:
    """The way to a token for one environment.

    Args:
        url: The environment's root URL; the token is asked for it.
        mode: How to sign in.
        side: ``source`` or ``target``: CONFMIG_SOURCE_CLIENT_ID goes before AZURE_CLIENT_ID, and so on.
        variables: The process's variables.

    Raises:
        UsageError: The mode does not fit the URL, or a variable is missing.
    """
    if mode is AuthMode.NONE:
        if not is_loopback(url):
            raise UsageError(
                f"{url}: --auth none is for loopback addresses only.",
                f"Give --{side}-auth secret, with AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET set.",
            )
        return NoToken()
    values = {name: _variable(name, side, variables) for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET")}
    authority = variables.get("AZURE_AUTHORITY_HOST") or _authority_of(url)
    if "://" not in authority:
        authority = f"https://{authority}"
    return SecretToken(url, authority.rstrip("/"), values["TENANT_ID"], values["CLIENT_ID"], values["CLIENT_SECRET"])


def _variable(name: str, side: str, variables: Mapping[str, str]) -> str:
    own, common = f"CONFMIG_{side.upper()}_{name}", f"AZURE_{name}"
    value = variables.get(own) or variables.get(common)
    if not value:
        raise UsageError(
            f"--auth secret needs the variable {common} (or {own}), which is not set.",
            "Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET; secrets are never options.",
        )
    return value


def _authority_of(url: str) -> str:
    host = urlsplit(url).hostname or ""
    return next((value for suffix, value in _AUTHORITIES.items() if host.endswith(suffix)), _PUBLIC_AUTHORITY)


class SecretToken:
    """A client secret, exchanged for tokens by msal. Safe to share between threads."""

    def __init__(self, url: str, authority: str, tenant: str, client: str, secret: str) -> None:
        self._scope = f"{url}/.default"
        self._authority = authority
        self._tenant = tenant
        self._client = client
        self._secret = secret
        self._lock = threading.Lock()
        self._token = ""
        self._expires = 0.0

    def token(self, *, refused: str | None = None) -> str | None:
        """The token; a new one shortly before the old one ends, or when the service refused it.

        Raises:
            AccessError: The directory refused the client, or could not be reached.
        """
        with self._lock:
            if refused == self._token or time.monotonic() >= self._expires:
                self._token, seconds = self._acquire()
                self._expires = time.monotonic() + max(seconds - _EARLY_SECONDS, seconds / 2)
            return self._token

    def _acquire(self) -> tuple[str, float]:
        import msal  # takes 0.3 s, which commands that sign in nowhere need not wait for
        import requests

        hint = "Check tenant, client id and secret, and that the secret has not expired."
        try:
            application = msal.ConfidentialClientApplication(
                self._client,
                client_credential=self._secret,
                authority=f"{self._authority}/{self._tenant}",
                # Asking the public directory about an authority that it does not know would only fail.
                instance_discovery=None if self._authority in _KNOWN_AUTHORITIES else False,
            )
            answer: dict[str, object] = application.acquire_token_for_client(scopes=[self._scope])
        except (ValueError, requests.RequestException, msal.exceptions.MsalError) as error:
            raise AccessError(f"Sign-in at {self._authority} failed: {self._shown(error)}", hint) from None
        token = answer.get("access_token")
        if not isinstance(token, str):
            reason = self._shown(answer.get("error_description") or answer.get("error") or "no token came back")
            raise AccessError(f"Sign-in at {self._authority} was refused: {reason}", hint)
        return token, float(str(answer.get("expires_in") or 3600))

    def _shown(self, reason: object) -> str:
        """The first line of a reason, without the secret, should the directory repeat it."""
        lines = str(reason).replace(self._secret, "***").strip().splitlines()
        return lines[0][:400] if lines else "no reason was given"
