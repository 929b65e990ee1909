"""Approvals of GitHub's environments.

The environment's rules: https://docs.github.com/rest/deployments/environments#get-an-environment. The reviews of a run:
https://docs.github.com/rest/actions/workflow-runs#get-the-review-history-for-a-workflow-run. Both want the token's
permission ``actions: read``; of a public repository everybody may read them.
"""

from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from confmig.hosts.approvals.approval import Approval, joined, no_reviewers, not_approved
from confmig.hosts.github_api import github_api, repository_path, same_name
from confmig.hosts.platform_api import ApiError, PlatformApi, required
from confmig.model.printable import printable

HINT = (
    "Give the job  permissions: actions: read  and the step  env: GITHUB_TOKEN: ${{ github.token }},"
    " see that GitHub can be reached, and run the job again."
)
_REVIEWERS_HINT = (
    "Add required reviewers to the environment in the repository's settings (on GitHub Free, Pro and Team that is for"
    " public repositories only), and start a new run."
)
_APPROVAL_HINT = (
    "Give the job  environment: {environment}, start a new run, and have a required reviewer approve it."
    " A bypass of the rules by an administrator is no approval."
)
_REJECTION_HINT = "Settle what is wrong with the plan, start a new run, and have that one approved."


class _Reviewer(msgspec.Struct):
    type: str


class _Rule(msgspec.Struct):
    type: str
    reviewers: list[_Reviewer] | None = None


class _Environment(msgspec.Struct):
    name: str
    protection_rules: list[_Rule] | None = None


class _User(msgspec.Struct):
    login: str
    type: str = "User"


class _Named(msgspec.Struct):
    name: str


class _Review(msgspec.Struct):
    state: str
    environments: list[_Named]
    user: _User | None = None
    comment: str | None = None


def approval(environment: str, variables: Mapping[str, str]) -> Approval:
    """The approval of this run for an environment.

    A re-run keeps the run's id, and neither the request nor its entries know attempts: the history holds the reviews
    of all of them. GitHub asks anew before the job of a later attempt starts [inferred], so who is named may be who
    approved an earlier one; the approval's remark says so.

    Raises:
        PlanError: The environment has no required reviewers, or nobody approved it in this run.
        ApiError: GitHub cannot be asked or gives no proper answer.
    """
    api, repository = github_api(variables), repository_path(variables)
    run = quote(required(variables, "GITHUB_RUN_ID"), safe="")
    name = _reviewed(api, repository, environment)
    # The documents know no paging here; should it come, Link says so.
    history = api.pages(f"{repository}/actions/runs/{run}/approvals", list[_Review])
    reviews = [review for review in history if any(same_name(each.name, name) for each in review.environments)]
    rejection, attempt = _rejection(name, run, reviews), variables.get("GITHUB_RUN_ATTEMPT", "1")
    if rejection and attempt in {"", "1"}:  # the reviews have no order in the documents, so no yes stands against a no
        raise not_approved(rejection, _REJECTION_HINT)
    # Required reviewers are people and teams; what an app says about its own rule is no approval by somebody.
    given = [(review, review.user) for review in reviews if review.state == "approved"]
    approved = {user.login: review.comment for review, user in given if user is not None and user.type != "Bot"}
    if not approved:
        hint = _APPROVAL_HINT.format(environment=name)
        raise not_approved(f"Nobody approved run {run} for the environment {name}. {rejection}".strip(), hint)
    if not all(printable(login).strip() for login in approved):
        raise ApiError(f"GitHub does not tell who approved the environment {name}.")
    starters = [variables.get("GITHUB_ACTOR", ""), variables.get("GITHUB_TRIGGERING_ACTOR", "")]
    return Approval(
        environment=name,
        approvers=tuple(printable(login) for login in approved),
        comment=joined(approved.values()),
        self_approved=all(any(same_name(login, starter) for starter in starters) for login in approved),
        remark=_remark(attempt, rejection),
    )


def _reviewed(api: PlatformApi, repository: str, environment: str) -> str:
    """The environment's name as GitHub writes it, if it has required reviewers."""
    path = f"{repository}/environments/{quote(environment, safe='')}"
    try:
        found = api.get(path, _Environment)
    except ApiError as error:
        if error.status != 404:
            raise
        raise no_reviewers(
            f"GitHub shows no environment {environment}: it does not exist, or the token may not read it"
            f" ({error.message.rstrip('.')}).",
            f"Check the name. {HINT}",
        ) from None
    if not any(rule.type == "required_reviewers" and rule.reviewers for rule in found.protection_rules or ()):
        raise no_reviewers(f"The environment {found.name} has no required reviewers on GitHub.", _REVIEWERS_HINT)
    return found.name


def _rejection(environment: str, run: str, reviews: list[_Review]) -> str:
    """Who said no, in a sentence; empty if nobody did."""
    rejected = [review.user.login if review.user else "somebody" for review in reviews if review.state == "rejected"]
    who = printable(", ".join(dict.fromkeys(rejected)))
    return f"Run {run} was rejected for the environment {environment} by {who}." if rejected else ""


def _remark(attempt: str, rejection: str) -> str:
    if attempt in {"", "1"}:
        return ""
    told = f"This is attempt {printable(attempt)} of the run; GitHub does not tell which attempt an approval was for."
    return f"{told} {rejection}".strip()
