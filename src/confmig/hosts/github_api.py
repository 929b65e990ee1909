"""GitHub's REST API, as a workflow's job may use it: https://docs.github.com/rest."""

from collections.abc import Mapping
from urllib.parse import quote

from confmig.hosts.platform_api import PlatformApi, required

_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_TOKEN_HINT = "Give the step  env: GITHUB_TOKEN: ${{ github.token }}."  # noqa: S105  # no token, but how to give one


def github_api(variables: Mapping[str, str]) -> PlatformApi:
    """The API of the GitHub that runs this job: github.com, or an enterprise's own with a path in its URL.

    Raises:
        ApiError: GITHUB_API_URL or GITHUB_TOKEN is missing or cannot be used.
    """
    token = required(variables, "GITHUB_TOKEN", _TOKEN_HINT)
    return PlatformApi(required(variables, "GITHUB_API_URL"), token, _HEADERS)


def repository_path(variables: Mapping[str, str]) -> str:
    """The path of the repository that runs this job.

    Raises:
        ApiError: GITHUB_REPOSITORY is missing.
    """
    return f"/repos/{quote(required(variables, 'GITHUB_REPOSITORY'))}"


def same_name(one: str, other: str) -> bool:
    """Whether GitHub takes two names of environments, or two logins, for the same.

    Names of environments: https://docs.github.com/actions/how-tos/deploy/configure-and-manage-deployments/manage-environments
    ("Environment names are not case sensitive"); logins are not either. No other letters are the same:
    ``strasse`` is not ``straße``.
    """
    return one.lower() == other.lower()
