"""One comment at a pull request, which every further run brings up to date."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import msgspec

from confmig.errors import ServiceError
from confmig.hosts.github_api import github_api, repository_path, same_name
from confmig.hosts.host import Host, detect_host
from confmig.hosts.platform_api import ApiError, PlatformApi
from confmig.model.secrets import SECRETS

_LONGEST = 65_536
"""GitHub refuses longer ones: HTTP 422, "Body is too long (maximum is 65536 characters)"."""
_CUT = "\n\n… cut here: the job's summary and the report have all.\n"
_HINT = (
    "Give the job  permissions: pull-requests: write  and the step  env: GITHUB_TOKEN: ${{ github.token }}."
    " Runs for pull requests from forks get no such permission."
)


class _PullRequest(msgspec.Struct):
    number: int


class _Event(msgspec.Struct):
    pull_request: _PullRequest | None = None


class _User(msgspec.Struct):
    login: str
    type: str = ""


class _Comment(msgspec.Struct):
    id: int
    html_url: str
    body: str | None = None
    user: _User | None = None


def post_comment(text: str, key: str, variables: Mapping[str, str] = os.environ) -> str | None:
    """Put a text into this project's comment at the pull request that runs us, the only one with this key.

    https://docs.github.com/rest/issues/comments

    Args:
        text: Markdown; what is too long for a comment is cut at a line's end.
        key: Tells comments of several jobs apart; it stands in a mark that is not shown.
        variables: The process's variables.

    Returns:
        The comment's address; None where no pull request runs us.

    Raises:
        ServiceError: It could not be written. The work that it tells of is done all the same.
    """
    if detect_host(variables) is not Host.GITHUB:
        return None
    number = _pull_request(variables)
    if number is None:
        return None
    try:
        return _write(text, _mark(key), number, variables)
    except ApiError as error:
        raise ServiceError(
            f"The comment at pull request {number} could not be written: {error.message}", error.hint or _HINT
        ) from None


def _pull_request(variables: Mapping[str, str]) -> int | None:
    """https://docs.github.com/actions/reference/variables-reference: GITHUB_EVENT_PATH has the webhook's payload."""
    path = variables.get("GITHUB_EVENT_PATH")
    if not path:
        return None
    try:
        event = msgspec.json.decode(Path(path).read_bytes(), type=_Event)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ServiceError(
            f"The event that started the run cannot be read: {error}", "Check GITHUB_EVENT_PATH."
        ) from None
    return event.pull_request.number if event.pull_request else None


def _mark(key: str) -> str:
    """The hidden first line. Nothing in a key may end the mark early."""
    return f"<!-- confmig:{quote(key, safe=' /@').replace('--', '-%2D')} -->"


def _write(text: str, mark: str, number: int, variables: Mapping[str, str]) -> str:
    api, repository = github_api(variables), repository_path(variables)
    body = {"body": _cut(f"{mark}\n{SECRETS.hide(text)}")}
    comments = f"{repository}/issues/{number}/comments"
    marked = [
        comment
        for comment in api.pages(f"{comments}?per_page=100", list[_Comment])
        if (comment.body or "").startswith(mark)
    ]
    own = _own(api, marked)
    if own is None:
        return api.ask("POST", comments, _Comment, body).value.html_url
    return api.ask("PATCH", f"{repository}/issues/comments/{own.id}", _Comment, body).value.html_url


def _own(api: PlatformApi, marked: list[_Comment]) -> _Comment | None:
    """The first of these comments that is ours: anybody can write the mark into a comment.

    A person's token knows its user. A job's own token does not (GET /user answers 403), and writes as a bot.
    """
    if not marked:
        return None
    try:
        login = api.get("/user", _User).login
    except ApiError as error:
        if error.status not in {403, 404}:
            raise
        login = ""
    for comment in marked:
        user = comment.user
        if user is not None and (same_name(user.login, login) if login else user.type == "Bot"):
            return comment
    return None


def _cut(text: str) -> str:
    """At most as much as a comment holds, up to the end of a line; half characters, which JSON cannot hold, replaced.

    Counted in UTF-16 units, which are never fewer than the characters that GitHub counts.
    """
    units = text.encode("utf-16-le", errors="replace")
    if len(units) <= 2 * _LONGEST:
        return units.decode("utf-16-le")
    whole = units[: 2 * (_LONGEST - len(_CUT))].decode("utf-16-le", errors="ignore")
    return (whole.rpartition("\n")[0] or whole) + _CUT
