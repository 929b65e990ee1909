"""Sign-in: from a mode and the process's variables to a bearer token.

Secrets come by variable only. A mode is never changed because a secret is missing.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn, Protocol
from urllib.parse import urlsplit

from confmig.errors import UsageError
from confmig.webapi.assertions import Endpoint, azure_pipelines_endpoint, github_endpoint
from confmig.webapi.tokens import Application, AssertionSignIn, CachedToken, SecretSignIn

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class AuthMode(StrEnum):
    """How to sign in."""

    NONE = "none"
    SECRET = "secret"  # noqa: S105  # the name of a mode
    GITHUB_OIDC = "github-oidc"
    AZURE_PIPELINES = "azure-pipelines"


@dataclass(frozen=True, slots=True)
class _Cloud:
    """Where a cloud signs in, and the audience of the assertions that it takes.

    https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
    """

    authority: str
    audience: str


_PUBLIC = _Cloud("https://login.microsoftonline.com", "api://AzureADTokenExchange")
_US_GOVERNMENT = _Cloud("https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov")
_CHINA = _Cloud("https://login.chinacloudapi.cn", "api://AzureADTokenExchangeChina")
_CLOUDS = {
    # Sovereign clouds, by the suffix of the environment's host; GCC signs in at the public directory.
    "crm.microsoftdynamics.us": _US_GOVERNMENT,
    "crm.appsplatform.us": _US_GOVERNMENT,
    "crm.dynamics.cn": _CHINA,
}
_KNOWN_AUTHORITIES = {cloud.authority for cloud in (_PUBLIC, *_CLOUDS.values())}

_GITHUB_HINT = (
    "The job needs `permissions: id-token: write`. GitHub gives it to no pull request from a fork, and there is no such"
    " sign-in outside of GitHub Actions."
)
_AZURE_PIPELINES_HINT = (
    "Run confmig in AzureCLI@2 with `azureSubscription: <service connection>`, which sets AZURESUBSCRIPTION_TENANT_ID,"
    " AZURESUBSCRIPTION_CLIENT_ID and AZURESUBSCRIPTION_SERVICE_CONNECTION_ID, and with"
    " `env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`."
)


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
    shown = _shown(url)
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


def _shown(url: str) -> str:
    """What of a URL may be repeated: not what stands before an @, in place of a port, or behind the host."""
    scheme, separator, rest = url.strip().rpartition("://")
    host = re.split("[/?#]", rest.rpartition("@")[2])[0]
    return scheme.rpartition("@")[2] + separator + re.sub(r":(?!\d{1,5}$)[^\]]*$", "", host)


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine."""
    try:
        return (urlsplit(url).hostname or "") in _LOOPBACK
    except ValueError:  # it is no URL, which is for others to say
        return False


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
    given = _Given(mode, side, variables)
    match mode:
        case AuthMode.NONE:
            if not is_loopback(url):
                raise UsageError(
                    f"{url}: --auth none is for loopback addresses only.",
                    f"Give --{side}-auth secret, with AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET set;"
                    " in a pipeline github-oidc or azure-pipelines, which need no secret.",
                )
            return NoToken()
        case AuthMode.SECRET:
            hint = _secret_hint(variables)
            application = _application(url, given, "AZURE", hint)
            secret = given.own_or("AZURE", "CLIENT_SECRET", hint)
            known = application.authority in _KNOWN_AUTHORITIES
            return CachedToken(SecretSignIn(application, secret, known=known).acquire)
        case AuthMode.GITHUB_OIDC:
            endpoint = _github(given, given.get("CONFMIG_OIDC_AUDIENCE") or _cloud_of(url).audience)
            application = _application(url, given, "AZURE", "Set AZURE_TENANT_ID and AZURE_CLIENT_ID; no secret.")
        case AuthMode.AZURE_PIPELINES:
            endpoint = _azure_pipelines(given)
            application = _application(url, given, "AZURESUBSCRIPTION", _AZURE_PIPELINES_HINT)
    return CachedToken(AssertionSignIn(application, endpoint.assertion).acquire)


@dataclass(frozen=True, slots=True)
class _Given:
    """The variables, as one side's sign-in reads them."""

    mode: AuthMode
    side: str
    variables: Mapping[str, str]

    def get(self, name: str) -> str:
        """A variable's value; blank when it is not set."""
        value = self.variables.get(name, "").strip()
        # Azure Pipelines leaves $(name) as it stands where there is no such variable
        # (https://learn.microsoft.com/azure/devops/pipelines/process/variables#macro-syntax-variables).
        return "" if re.fullmatch(r"\$\([\w. -]+\)", value) else value

    def needed(self, name: str, hint: str) -> str:
        """A variable's value."""
        return self.get(name) or self._missing(name, hint)

    def own_or(self, common: str, name: str, hint: str) -> str:
        """The value of the side's own variable, else of the common one."""
        own, common = f"CONFMIG_{self.side.upper()}_{name}", f"{common}_{name}"
        return self.get(own) or self.get(common) or self._missing(f"{common} (or {own})", hint)

    def url(self, name: str, hint: str) -> str:
        """The value of a variable that holds the URL of an endpoint, which is to be shown a token."""
        value = self.needed(name, hint)
        if not _is_endpoint(value, plain_loopback=True):
            raise UsageError(
                f"--auth {self.mode}: {name} is no https URL; plain http is for loopback addresses only.",
                "The pipeline sets this variable itself; set it nowhere.",
            )
        return value

    def _missing(self, name: str, hint: str) -> NoReturn:
        raise UsageError(f"--auth {self.mode} needs the variable {name}, which is not set.", hint)


def _is_endpoint(url: str, *, plain_loopback: bool) -> bool:
    """Whether a secret or a token may be shown at a URL: it is https, or plain http on this machine if that may be."""
    try:
        parts = urlsplit(url)
        plain = plain_loopback and parts.scheme == "http" and parts.hostname in _LOOPBACK
        safe = parts.scheme == "https" or plain
        return safe and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False


def _application(url: str, given: _Given, common: str, hint: str) -> Application:
    authority = given.get("AZURE_AUTHORITY_HOST") or _cloud_of(url).authority
    if "://" not in authority:
        authority = f"https://{authority}"
    if not _is_endpoint(authority, plain_loopback=False):
        raise UsageError(
            "AZURE_AUTHORITY_HOST is no https URL.", "Give it as login.microsoftonline.com, or leave it out."
        )
    return Application(
        authority.rstrip("/"),
        tenant=given.own_or(common, "TENANT_ID", hint),
        client=given.own_or(common, "CLIENT_ID", hint),
        scope=f"{url}/.default",
    )


def _github(given: _Given, audience: str) -> Endpoint:
    return github_endpoint(
        given.url("ACTIONS_ID_TOKEN_REQUEST_URL", _GITHUB_HINT),
        given.needed("ACTIONS_ID_TOKEN_REQUEST_TOKEN", _GITHUB_HINT),
        audience,
    )


def _azure_pipelines(given: _Given) -> Endpoint:
    return azure_pipelines_endpoint(
        given.url("SYSTEM_OIDCREQUESTURI", "Azure Pipelines sets it; there is no such sign-in elsewhere."),
        given.needed("SYSTEM_ACCESSTOKEN", "Give the step `env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`."),
        given.own_or("AZURESUBSCRIPTION", "SERVICE_CONNECTION_ID", _AZURE_PIPELINES_HINT),
    )


def _secret_hint(variables: Mapping[str, str]) -> str:
    hint = "Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET; secrets are never options."
    if variables.get("GITHUB_ACTIONS") == "true":
        hint += (
            " The action takes them as its inputs tenant-id, client-id and client-secret (or source-… and target-…)."
            " An input that is empty often names a secret that this job's environment does not have."
        )
    if variables.get("ACTIONS_ID_TOKEN_REQUEST_URL"):
        return f"{hint} This job can also sign in without a secret: --auth {AuthMode.GITHUB_OIDC}."
    if variables.get("GITHUB_ACTIONS") == "true":
        return f"{hint} With permissions: id-token: write it can sign in without a secret: {AuthMode.GITHUB_OIDC}."
    if variables.get("SYSTEM_OIDCREQUESTURI"):
        return f"{hint} This job can also sign in without a secret: --auth {AuthMode.AZURE_PIPELINES}."
    return hint


def _cloud_of(url: str) -> _Cloud:
    host = urlsplit(url).hostname or ""
    return next((cloud for suffix, cloud in _CLOUDS.items() if host.endswith(suffix)), _PUBLIC)
