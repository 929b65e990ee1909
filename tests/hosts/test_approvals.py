"""Who approved: what both platforms say about it, and what they do not."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from confmig.errors import ExitCode, PlanError
from confmig.hosts.approvals import Approval, require_approval
from confmig.hosts.github_api import same_name
from confmig.hosts.host import Host
from tests.conftest import REPOSITORY
from tests.hosts.azure_devops import record_id
from tests.hosts.conftest import TOKEN, Platform


def refusal(host: Host, environment: str, variables: Mapping[str, str], reason: str) -> PlanError:
    with pytest.raises(PlanError) as caught:
        require_approval(host, environment, variables)
    error = caught.value
    assert (error.exit_code, error.reason) == (ExitCode.REFUSED, reason)
    assert error.hint != PlanError.usual_hint
    assert TOKEN not in error.message + error.hint
    return error


def test_nobody_can_be_asked_at_a_desk() -> None:
    assert "Nobody can be asked here" in refusal(Host.LOCAL, "prod", {}, "approval-unknown").message


@pytest.mark.parametrize("host", [Host.GITHUB, Host.AZURE_PIPELINES])
def test_an_environment_has_to_be_named(host: Host) -> None:
    refusal(host, " ", {}, "approval-unknown")


# GitHub


def test_github_names_who_approved(github: Platform) -> None:
    approval = require_approval(Host.GITHUB, "prod/eu", github.job())
    assert approval == Approval("Prod/EU", ("ada",), "Go.")
    first, second = github.server.seen
    assert first.target == "/repos/example/solution/environments/prod%2Feu"
    assert second.target == "/repos/example/solution/actions/runs/7/approvals"
    assert first.headers["accept"] == "application/vnd.github+json"
    assert first.headers["x-github-api-version"] == "2022-11-28"


@pytest.mark.parametrize(
    ("actor", "triggering", "own"), [("Ada", "linus", True), ("linus", "ADA", True), ("linus", "linus", False)]
)
def test_github_tells_own_approvals(github: Platform, actor: str, triggering: str, own: bool) -> None:
    variables = github.job(GITHUB_ACTOR=actor, GITHUB_TRIGGERING_ACTOR=triggering)
    assert require_approval(Host.GITHUB, "Prod/EU", variables).self_approved is own


def test_github_a_second_person_makes_it_no_own_approval(github: Platform) -> None:
    github.state["reviews"]["7"].append({"state": "approved", "login": "grace", "environments": ["test", "prod/eu"]})
    github.save()
    approval = require_approval(Host.GITHUB, "Prod/EU", github.job(GITHUB_ACTOR="ada"))
    assert (approval.approvers, approval.self_approved) == (("ada", "grace"), False)


def test_github_does_not_tell_attempts(github: Platform) -> None:
    github.state["reviews"]["7"].insert(0, {"state": "rejected", "login": "grace", "environments": ["Prod/EU"]})
    github.save()
    approval = require_approval(Host.GITHUB, "Prod/EU", github.job(GITHUB_RUN_ATTEMPT="2"))
    assert approval.approvers == ("ada",)
    assert "attempt 2" in approval.remark
    assert approval.remark.endswith("Run 7 was rejected for the environment Prod/EU by grace.")


@pytest.mark.parametrize("place", [0, 1])
def test_github_takes_no_yes_beside_a_no(github: Platform, place: int) -> None:
    github.state["reviews"]["7"].insert(place, {"state": "rejected", "login": "grace", "environments": ["Prod/EU"]})
    github.save()
    assert "by grace" in refusal(Host.GITHUB, "Prod/EU", github.job(), "not-approved").message


def test_github_does_not_tell_who(github: Platform) -> None:
    github.state["reviews"]["7"] = [{"state": "approved", "login": " ", "environments": ["Prod/EU"]}]
    github.save()
    assert "does not tell who" in refusal(Host.GITHUB, "Prod/EU", github.job(), "approval-unknown").message


def test_only_the_case_of_a_name_does_not_count() -> None:
    assert same_name("Kunde-STRASSE", "kunde-strasse")
    assert not same_name("kunde-straße", "kunde-strasse")
    assert not same_name("production\u017f", "productions")


@pytest.mark.parametrize(
    "reviews",
    [
        [],
        [{"state": "approved", "login": "ada", "environments": ["test"]}],
        [{"state": "pending", "login": "ada", "environments": ["Prod/EU"]}],
        [{"state": "approved", "login": "gate[bot]", "type": "Bot", "environments": ["Prod/EU"]}],
        [{"state": "approved", "login": None, "environments": ["Prod/EU"]}],
    ],
)
def test_github_nobody_approved(github: Platform, reviews: list[object]) -> None:
    github.state["reviews"]["7"] = reviews
    github.save()
    error = refusal(Host.GITHUB, "Prod/EU", github.job(), "not-approved")
    assert error.message == "Nobody approved run 7 for the environment Prod/EU."
    assert "environment: Prod/EU" in error.hint


def test_github_says_who_rejected(github: Platform) -> None:
    github.state["reviews"]["7"] = [{"state": "rejected", "login": "grace", "environments": ["Prod/EU"]}]
    github.save()
    assert "by grace." in refusal(Host.GITHUB, "Prod/EU", github.job(), "not-approved").message


@pytest.mark.parametrize(
    ("environment", "words"), [("test", "no required"), ("empty", "no required"), ("x", "may not")]
)
def test_github_nobody_is_asked(github: Platform, environment: str, words: str) -> None:
    assert words in refusal(Host.GITHUB, environment, github.job(), "no-reviewers").message


@pytest.mark.parametrize("name", ["GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_TOKEN"])
def test_github_needs_its_variables(github: Platform, name: str) -> None:
    variables = github.job(**{name: None})
    assert f"{name} is not set" in refusal(Host.GITHUB, "Prod/EU", variables, "approval-unknown").message
    assert not github.server.seen


def test_github_without_permission(github: Platform) -> None:
    github.state["denied"] = ["actions"]
    github.save()
    error = refusal(Host.GITHUB, "Prod/EU", github.job(), "approval-unknown")
    assert "Resource not accessible by integration" in error.message
    assert "actions: read" in error.hint


BROKEN: list[dict[str, Any]] = [
    {"status": 404},
    {"status": 302, "headers": {"Location": "/"}},
    {"status": 200, "body": "<html>"},
    {"status": 200, "body": {"name": 1}},
]
TRIED_AGAIN: list[dict[str, Any]] = [{"status": 503}, {"cut": True}]


@pytest.mark.parametrize("answer", BROKEN + TRIED_AGAIN)
def test_github_without_a_proper_answer(github: Platform, answer: dict[str, Any]) -> None:
    github.answers("/approvals", **answer)
    error = refusal(Host.GITHUB, "Prod/EU", github.job(), "approval-unknown")
    assert f"{github.server.port}/repos/example/solution/actions/runs/7/approvals" in error.message


def test_github_refuses_the_token(github: Platform) -> None:
    error = refusal(Host.GITHUB, "Prod/EU", github.job(GITHUB_TOKEN="ghs_another"), "approval-unknown")
    assert "Bad credentials" in error.message
    assert "ghs_another" not in error.message


def test_github_recovers(github: Platform) -> None:
    github.answers("/environments/", status=502, times=1)
    assert require_approval(Host.GITHUB, "Prod/EU", github.job()).approvers == ("ada",)


# Azure Pipelines


def test_azure_names_who_approved(azure: Platform) -> None:
    approval = require_approval(Host.AZURE_PIPELINES, "prod", azure.job())
    assert approval == Approval("Prod", ("Ada (ada@example.com)",), "Go.")
    assert [seen.target for seen in azure.server.seen] == [
        "/example/p-1/_apis/distributedtask/environments?name=prod&api-version=7.1",
        "/example/p-1/_apis/pipelines/checks/configurations"
        "?resourceType=environment&resourceId=3&$expand=settings&api-version=7.1-preview.1",
        "/example/p-1/_apis/build/builds/42/timeline?api-version=7.1",
        f"/example/p-1/_apis/pipelines/checks/runs/{record_id('Import', 'Checkpoint')}"
        "?$expand=resources&api-version=7.1-preview.1",
        "/example/p-1/_apis/pipelines/approvals?approvalIds=approval-1&$expand=steps&api-version=7.1",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BUILD_REQUESTEDFOREMAIL", "ADA@example.com"),
        ("BUILD_REQUESTEDFORID", record_id("Ada").upper()),
        ("BUILD_QUEUEDBYID", record_id("Ada")),
    ],
)
def test_azure_tells_own_approvals(azure: Platform, name: str, value: str) -> None:
    assert require_approval(Host.AZURE_PIPELINES, "Prod", azure.job(**{name: value})).self_approved
    assert not require_approval(Host.AZURE_PIPELINES, "Prod", azure.job()).self_approved


def test_azure_projects_go_by_name_too(azure: Platform) -> None:
    azure.state["project"] = "A project"
    azure.save()
    assert require_approval(Host.AZURE_PIPELINES, "Prod", azure.job(SYSTEM_TEAMPROJECTID=None)).approvers


def test_azure_environments_come_in_pages_and_by_pattern(azure: Platform) -> None:
    azure.state["page"] = 1
    azure.state["environments"][1]["name"] = "Prod*"
    azure.state["environments"].reverse()
    azure.save()
    refusal(Host.AZURE_PIPELINES, "Prod*", azure.job(), "no-reviewers")
    assert [seen.target.partition("?")[2] for seen in azure.server.seen[:2]] == [
        "name=Prod%2A&api-version=7.1",
        "resourceType=environment&resourceId=4&$expand=settings&api-version=7.1-preview.1",
    ]
    azure.server.seen.clear()
    refusal(Host.AZURE_PIPELINES, "P*", azure.job(), "no-reviewers")
    assert "continuationToken=1" in azure.server.seen[1].target


@pytest.mark.parametrize(
    ("environment", "words"), [("Prod2", "no approval"), ("Test", "no approval"), ("X", "may not")]
)
def test_azure_nobody_is_asked(azure: Platform, environment: str, words: str) -> None:
    assert words in refusal(Host.AZURE_PIPELINES, environment, azure.job(), "no-reviewers").message


def _approval(azure: Platform) -> Any:
    return azure.state["stages"]["42"][1]["approvals"][0]


@pytest.mark.parametrize("status", ["pending", "rejected", "skipped", "canceled", "timedOut", "uninitiated"])
def test_azure_nobody_approved(azure: Platform, status: str) -> None:
    _approval(azure)["status"] = status
    azure.save()
    assert f"is {status}" in refusal(Host.AZURE_PIPELINES, "Prod", azure.job(), "not-approved").message


def test_azure_an_approval_of_another_stage_does_not_count(azure: Platform) -> None:
    refusal(Host.AZURE_PIPELINES, "Prod", azure.job(SYSTEM_STAGENAME="Plan"), "not-approved")


def test_azure_an_approval_of_another_environment_does_not_count(azure: Platform) -> None:
    _approval(azure)["resource"] = ["environment", "5"]
    azure.save()
    refusal(Host.AZURE_PIPELINES, "Prod", azure.job(), "not-approved")


def test_azure_an_approval_of_another_kind_of_resource_does_not_count(azure: Platform) -> None:
    _approval(azure)["resource"] = ["endpoint", "3"]
    azure.save()
    refusal(Host.AZURE_PIPELINES, "Prod", azure.job(), "not-approved")


def test_azure_an_approval_of_another_run_does_not_count(azure: Platform) -> None:
    azure.state["stages"]["43"] = [{"name": "Import", "approvals": []}]
    azure.save()
    refusal(Host.AZURE_PIPELINES, "Prod", azure.job(BUILD_BUILDID="43"), "not-approved")


def _add(azure: Platform, **changes: object) -> None:
    step = {"status": "approved", "approver": "Grace"}
    other = {"id": "approval-2", "resource": ["environment", "5"], "status": "approved", "steps": [step], **changes}
    azure.state["stages"]["42"][1]["approvals"].append(other)
    azure.save()


def test_azure_only_this_environments_approvers_are_named(azure: Platform) -> None:
    _add(azure)
    assert require_approval(Host.AZURE_PIPELINES, "Prod", azure.job()).approvers == ("Ada (ada@example.com)",)


def test_azure_every_approval_of_the_environment_has_to_be_given(azure: Platform) -> None:
    _add(azure, resource=["environment", "3"], status="skipped")
    refusal(Host.AZURE_PIPELINES, "Prod", azure.job(), "not-approved")


def test_azure_several_approvers(azure: Platform) -> None:
    _approval(azure)["steps"].append({"status": "skipped", "approver": None})
    _add(azure, resource=["environment", "3"])
    approval = require_approval(Host.AZURE_PIPELINES, "Prod", azure.job(BUILD_REQUESTEDFOREMAIL="ada@example.com"))
    assert approval.approvers == ("Ada (ada@example.com)", "Grace (grace@example.com)")
    assert not approval.self_approved


def test_azure_check_runs_may_have_ids_of_their_own_where_nobody_else_asks(azure: Platform) -> None:
    _approval(azure)["run"] = "run-1"
    azure.save()
    assert require_approval(Host.AZURE_PIPELINES, "Prod", azure.job()).approvers
    _add(azure)
    error = refusal(Host.AZURE_PIPELINES, "Prod", azure.job(), "approval-unknown")
    assert "does not tell which approval" in error.message


def test_azure_an_approval_by_nobody_is_unknown(azure: Platform) -> None:
    _approval(azure)["steps"][0]["approver"] = None
    azure.save()
    refusal(Host.AZURE_PIPELINES, "Prod", azure.job(), "approval-unknown")


def test_azure_approvals_that_are_not_shown_are_unknown(azure: Platform) -> None:
    azure.answers("/pipelines/approvals", body={"count": 0, "value": []})
    refusal(Host.AZURE_PIPELINES, "Prod", azure.job(), "approval-unknown")


@pytest.mark.parametrize("changes", [{"SYSTEM_STAGENAME": "Other"}, {"SYSTEM_STAGEATTEMPT": "2"}])
def test_azure_a_stage_that_the_timeline_does_not_show(azure: Platform, changes: dict[str, str]) -> None:
    refusal(Host.AZURE_PIPELINES, "Prod", azure.job(**changes), "approval-unknown")


@pytest.mark.parametrize("name", ["SYSTEM_COLLECTIONURI", "BUILD_BUILDID", "SYSTEM_STAGENAME", "SYSTEM_ACCESSTOKEN"])
def test_azure_needs_its_variables(azure: Platform, name: str) -> None:
    variables = azure.job(**{name: None})
    assert f"{name} is not set" in refusal(Host.AZURE_PIPELINES, "Prod", variables, "approval-unknown").message
    assert not azure.server.seen


def test_azure_sends_to_its_sign_in_page(azure: Platform) -> None:
    error = refusal(Host.AZURE_PIPELINES, "Prod", azure.job(SYSTEM_ACCESSTOKEN="another"), "approval-unknown")
    assert "a redirect" in error.message
    assert "$(System.AccessToken)" in error.hint
    assert azure.server.seen[0].headers["x-tfs-fedauthredirect"] == "Suppress"


ASKED = ["distributedtask", "configurations", "timeline", "checks/runs", "approvals?"]
NO_PROPER = [*BROKEN, {"status": 203, "body": "<html>"}, {"status": 403}]


@pytest.mark.parametrize(
    ("part", "answer"),
    [*((part, answer) for part in ASKED for answer in NO_PROPER), *(("timeline", answer) for answer in TRIED_AGAIN)],
)
def test_azure_without_a_proper_answer(azure: Platform, part: str, answer: dict[str, Any]) -> None:
    azure.answers(part, **answer)
    error = refusal(Host.AZURE_PIPELINES, "Prod", azure.job(), "approval-unknown")
    assert f"{azure.server.port}/example/p-1/_apis/" in error.message


# As programs


@pytest.mark.parametrize(
    ("name", "path", "expected"), [("github", "/user", 403), ("azure_devops", "/example/p/_apis/build/builds/1", 404)]
)
def test_a_stand_in_runs_as_a_program_and_reads_its_state_anew(
    name: str, path: str, expected: int, tmp_path: Path
) -> None:
    state = tmp_path / "state.json"
    common = {"token": TOKEN, "repository": "example/solution", "project": "p", "stages": {}}
    state.write_text(json.dumps(common))
    command = [sys.executable, "-m", f"tests.hosts.{name}", "--port", "0", "--state", str(state)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            headers = {"Authorization": f"Bearer {TOKEN}"}
            assert requests.get(url + path, headers=headers, timeout=10).status_code == expected
            state.write_text(json.dumps({**common, "answers": {"/": {"status": 418}}}))
            assert requests.get(url + path, headers=headers, timeout=10).status_code == 418
        finally:
            process.terminate()
        assert process.wait(10) == 0
