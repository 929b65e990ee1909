"""Platforms that tests ask: stand-ins over real HTTP, and the variables that a job there has."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.azure_devops import AzureDevOps
from tests.hosts.github import GitHub
from tests.hosts.standin import Json, StandIn
from tests.webapi.serving import Server

TOKEN = "ghs_16C7e42F292c6912E7710c838347Ae178B4a"


_FROM_OUTSIDE = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _FROM_OUTSIDE:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Platform:
    """A stand-in that runs. ``state`` is what it answers from; tests change it and ``save`` it."""

    def __init__(self, file: Path, state: Json, stand_in: type[StandIn]) -> None:
        self._file = file
        self.state = state
        self.save()
        self.server = Server(stand_in(file))
        self.variables: dict[str, str] = {}

    def save(self) -> None:
        self._file.write_text(json.dumps(self.state), encoding="utf-8")

    def load(self) -> Json:
        """The state with what requests changed."""
        state: Json = json.loads(self._file.read_text(encoding="utf-8"))
        return state

    def answers(self, part: str, **answer: Any) -> None:
        """Have requests with this in their path answered in another way."""
        self.state.setdefault("answers", {})[part] = answer
        self.save()

    def job(self, **changes: str | None) -> Mapping[str, str]:
        """The variables of a job; None takes one away."""
        return {name: value for name, value in {**self.variables, **changes}.items() if value is not None}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[Platform]:
    state: Json = {
        "token": TOKEN,
        "repository": "example/solution",
        "environments": {"Prod/EU": {"reviewers": ["ada", "grace"]}, "test": {}, "empty": {"reviewers": []}},
        "reviews": {"7": [{"state": "approved", "login": "ada", "environments": ["Prod/EU"], "comment": "Go."}]},
        "comments": {"5": []},
    }
    platform = Platform(tmp_path / "github.json", state, GitHub)
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"action": "opened", "pull_request": {"number": 5, "title": "More countries"}}))
    with platform.server as server:
        platform.variables = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": server.url,
            "GITHUB_REPOSITORY": "example/solution",
            "GITHUB_RUN_ID": "7",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_ACTOR": "linus",
            "GITHUB_TRIGGERING_ACTOR": "linus",
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_EVENT_PATH": str(event),
        }
        yield platform


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[Platform]:
    step = {"status": "approved", "approver": "Ada", "comment": "Go."}
    approval = {"id": "approval-1", "resource": ["environment", "3"], "status": "approved", "steps": [step]}
    state: Json = {
        "token": TOKEN,
        "project": "p-1",
        "environments": [
            {"id": 3, "name": "Prod", "checks": [{"type": "lock"}, {"approvers": ["Ada"]}]},
            {"id": 4, "name": "Prod2", "checks": [{"approvers": ["Ada"], "disabled": True}, {"approvers": []}]},
            {"id": 5, "name": "Test", "checks": []},
        ],
        "stages": {"42": [{"name": "Plan", "approvals": []}, {"name": "Import", "approvals": [approval]}]},
    }
    platform = Platform(tmp_path / "azure.json", state, AzureDevOps)
    with platform.server as server:
        platform.variables = {
            "TF_BUILD": "True",
            "SYSTEM_COLLECTIONURI": f"{server.url}/example/",
            "SYSTEM_TEAMPROJECT": "A project",
            "SYSTEM_TEAMPROJECTID": "p-1",
            "BUILD_BUILDID": "42",
            "SYSTEM_STAGENAME": "Import",
            "SYSTEM_STAGEATTEMPT": "1",
            "SYSTEM_ACCESSTOKEN": TOKEN,
            "BUILD_REQUESTEDFOREMAIL": "linus@example.com",
        }
        yield platform
