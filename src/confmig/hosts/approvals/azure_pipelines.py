"""Approvals of Azure Pipelines' environments.

Checks stand at resources and are all passed before a stage starts
(https://learn.microsoft.com/azure/devops/pipelines/process/approvals). So the way goes from the environment's checks,
and from the stage's checkpoint in the run's timeline, to the approvals that this stage got for this environment.

What the documents leave out, and public tools rely on: that a timeline record of type ``Checkpoint.Approval`` has the
id of its approval, and that its parent, of type ``Checkpoint``, lies below the stage. [inferred, from one tool of
Microsoft's that reads it so] A checkpoint has the id of its check suite. [inferred] A check run has the id of its
approval; this matters only where other resources of the stage ask for approvals as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import msgspec

from confmig.hosts.approvals.approval import Approval, joined, no_reviewers, not_approved
from confmig.hosts.platform_api import ApiError, PlatformApi, required
from confmig.model.printable import printable

HINT = (
    "Give the step  env: SYSTEM_ACCESSTOKEN: $(System.AccessToken), let the project's build service see the"
    " environment (role Reader), see that Azure DevOps can be reached, and run the stage again."
)
_TOKEN_HINT = "Give the step  env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)."  # noqa: S105  # how to give one
_CHECKS_HINT = "Add an approval under the environment's Approvals and checks, and start a new run."
_APPROVAL_HINT = (
    "Make the job a deployment with  environment: {environment}, start a new run, and have its stage approved."
    " A check that an administrator bypassed is no approval."
)
_APPROVAL_TYPE = "8c6f20a7-a545-4486-9777-f762fafe0d4d"
"""The type of checks that are approvals: learn.microsoft.com, REST API, Check Configurations - Add."""


class _Environment(msgspec.Struct):
    id: int
    name: str


class _Environments(msgspec.Struct):
    value: list[_Environment]


class _Type(msgspec.Struct):
    id: str = ""

    @property
    def is_approval(self) -> bool:
        return self.id.lower() == _APPROVAL_TYPE


class _Identity(msgspec.Struct, rename="camel"):
    id: str = ""
    display_name: str | None = None
    unique_name: str | None = None

    @property
    def shown(self) -> str:
        name, unique = (printable(text or "").strip() for text in (self.display_name, self.unique_name))
        return f"{name} ({unique})" if name and unique and name != unique else name or unique


class _Settings(msgspec.Struct):
    approvers: list[_Identity] | None = None


class _Check(msgspec.Struct, rename="camel"):
    type: _Type
    settings: _Settings | None = None
    is_disabled: bool | None = None


class _Checks(msgspec.Struct):
    value: list[_Check]


class _Record(msgspec.Struct, rename="camel"):
    id: str
    type: str | None = None
    parent_id: str | None = None
    identifier: str | None = None
    name: str | None = None
    attempt: int | None = None


class _Timeline(msgspec.Struct):
    records: list[_Record]


class _Resource(msgspec.Struct):
    type: str = ""
    id: str = ""


class _CheckReference(msgspec.Struct):
    type: _Type
    resource: _Resource


class _CheckRun(msgspec.Struct, rename="camel"):
    id: str
    check_configuration_ref: _CheckReference


class _CheckSuite(msgspec.Struct, rename="camel"):
    check_runs: list[_CheckRun]


class _Step(msgspec.Struct, rename="camel"):
    status: str
    actual_approver: _Identity | None = None
    comment: str | None = None


class _Approval(msgspec.Struct):
    id: str
    status: str
    steps: list[_Step] | None = None


class _Approvals(msgspec.Struct):
    value: list[_Approval]


@dataclass(frozen=True, slots=True)
class _Project:
    """A project's part of the API: https://learn.microsoft.com/rest/api/azure/devops."""

    api: PlatformApi
    name: str

    def path(self, path: str, version: str = "7.1", **query: str) -> str:
        """A path with its query; ``expand`` is written with the dollar sign that it has."""
        if expand := query.pop("expand", ""):
            query["$expand"] = expand
        return f"/{self.name}/_apis/{path}?{urlencode({**query, 'api-version': version}, safe='$,')}"


def approval(environment: str, variables: Mapping[str, str]) -> Approval:
    """The approval of this run's stage for an environment.

    A stage that is run again has a checkpoint of its own; the timeline shows the last attempt.

    Raises:
        PlanError: The environment asks nobody, or nobody approved it for this stage.
        ApiError: Azure DevOps cannot be asked or gives no proper answer.
    """
    project = _connect(variables)
    build, stage = required(variables, "BUILD_BUILDID"), required(variables, "SYSTEM_STAGENAME")
    found = _environment(project, environment)
    _require_approvers(project, found)
    asked = _asked(project, build, stage, variables.get("SYSTEM_STAGEATTEMPT", ""))
    ids = [id_ for checkpoint, every in asked.items() for id_ in _own(project, checkpoint, every, found)]
    hint = _APPROVAL_HINT.format(environment=found.name)
    if not ids:
        raise not_approved(f"The stage {stage} was not held for an approval of the environment {found.name}.", hint)
    path = project.path("pipelines/approvals", approvalIds=",".join(ids), expand="steps")
    approvals = [item for item in project.api.get(path, _Approvals).value if item.id in ids]
    if len(approvals) < len(ids):
        raise ApiError(f"Azure DevOps does not show all approvals of the stage {stage}.")
    if open_ones := [item.status for item in approvals if item.status != "approved"]:
        raise not_approved(
            f"The approval of the stage {stage} for the environment {found.name} is {printable(open_ones[0])}.", hint
        )
    return _result(found.name, approvals, variables)


def _connect(variables: Mapping[str, str]) -> _Project:
    token = required(variables, "SYSTEM_ACCESSTOKEN", _TOKEN_HINT)
    root = required(variables, "SYSTEM_COLLECTIONURI")
    name = variables.get("SYSTEM_TEAMPROJECTID") or required(variables, "SYSTEM_TEAMPROJECT")
    # Without the second header a refused request is redirected to a page for people to sign in at.
    headers = {"Accept": "application/json", "X-TFS-FedAuthRedirect": "Suppress"}
    return _Project(PlatformApi(root, token, headers), quote(name, safe=""))


def _environment(project: _Project, name: str) -> _Environment:
    """The environment of this name. The filter may give others too, where the name holds a ``*``."""
    for found in _environments(project, name):
        if found.name.lower() == name.lower():  # [inferred: as with all names in Azure DevOps]
            return found
    raise no_reviewers(
        f"Azure DevOps shows no environment {name}: it does not exist, or the build service may not see it.",
        f"Check the name. {HINT}",
    )


def _environments(project: _Project, name: str) -> Iterator[_Environment]:
    """https://learn.microsoft.com/rest/api/azure/devops/environments/environments/list."""
    query = {"name": name}
    while True:
        answer = project.api.ask("GET", project.path("distributedtask/environments", **query), _Environments)
        yield from answer.value.value
        token = answer.headers.get("x-ms-continuationtoken", "")
        if not token:
            return
        query["continuationToken"] = token


def _require_approvers(project: _Project, environment: _Environment) -> None:
    """https://learn.microsoft.com/rest/api/azure/devops/approvalsandchecks/check-configurations/list."""
    path = project.path(
        "pipelines/checks/configurations",
        "7.1-preview.1",
        resourceType="environment",
        resourceId=str(environment.id),
        expand="settings",
    )
    for check in project.api.get(path, _Checks).value:
        if check.type.is_approval and not check.is_disabled and check.settings and check.settings.approvers:
            return
    raise no_reviewers(f"The environment {environment.name} has no approval among its checks.", _CHECKS_HINT)


def _asked(project: _Project, build: str, stage: str, attempt: str) -> Mapping[str, Sequence[str]]:
    """The ids of the approvals that a stage was held for, by the ids of its checkpoints.

    https://learn.microsoft.com/rest/api/azure/devops/build/timeline/get. SYSTEM_STAGENAME is the record's
    ``identifier``; its ``name`` is what people read.
    """
    path = project.path(f"build/builds/{quote(build, safe='')}/timeline")
    records = project.api.get(path, _Timeline).records
    stages = {
        record.id
        for record in records
        if record.type == "Stage"
        and stage == (record.identifier or record.name)
        and (not attempt or record.attempt is None or str(record.attempt) == attempt)
    }
    if not stages:
        raise ApiError(f"The timeline of build {build} shows no stage {stage} in this attempt.")
    asked: dict[str, list[str]] = {
        record.id: [] for record in records if record.type == "Checkpoint" and record.parent_id in stages
    }
    for record in records:
        if record.type == "Checkpoint.Approval" and record.parent_id in asked:
            asked[record.parent_id].append(record.id)
    return asked


def _own(project: _Project, checkpoint: str, asked: Sequence[str], environment: _Environment) -> Sequence[str]:
    """Those of a checkpoint's approvals that were asked for by this environment.

    https://learn.microsoft.com/rest/api/azure/devops/approvalsandchecks/check-evaluations/get
    """
    if not asked:
        return ()
    path = project.path(f"pipelines/checks/runs/{quote(checkpoint, safe='')}", "7.1-preview.1", expand="resources")
    suite = project.api.get(path, _CheckSuite)
    runs = [run for run in suite.check_runs if run.check_configuration_ref.type.is_approval]
    resource = _Resource("environment", str(environment.id))
    own = {run.id for run in runs if run.check_configuration_ref.resource == resource}
    if len(own) == len(runs):  # nobody else asked, so whatever was asked is this environment's
        return asked if own else ()
    found = [id_ for id_ in asked if id_ in own]
    if len(found) < len(own):
        raise ApiError(f"Azure DevOps does not tell which approval of the stage is for {environment.name}.")
    return found


def _result(environment: str, approvals: Sequence[_Approval], variables: Mapping[str, str]) -> Approval:
    steps = [step for item in approvals for step in item.steps or () if step.status == "approved"]
    people = {step.actual_approver.shown: step.actual_approver for step in steps if step.actual_approver is not None}
    if not people or not all(people):
        raise ApiError(f"Azure DevOps does not tell who approved the environment {environment}.")
    names = ("BUILD_REQUESTEDFORID", "BUILD_REQUESTEDFOREMAIL", "BUILD_QUEUEDBYID")
    starters = {variables[name].casefold() for name in names if variables.get(name)}
    return Approval(
        environment=environment,
        approvers=tuple(people),
        comment=joined(step.comment for step in steps),
        self_approved=all(
            {person.id.casefold(), (person.unique_name or "").casefold()} & starters for person in people.values()
        ),
    )
