"""promote.yml, called from another repository, from check to verify; and what stops it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from confmig.emulator.http.asgi import Application

from .act import ActRun
from .engine import IMAGE, REPOSITORY, Engine
from .world import World, a_world

EMAIL_SET = "msdynmkt_emails"


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> Iterator[World]:
    with a_world(engine, tmp_path) as world:
        yield world


def told(run: ActRun) -> tuple[str, str, str]:
    """What the caller was told: whether there are changes, the plan's digest, and why it failed."""
    found = re.search(r"\| changes \[(\w*)\] digest \[(\w*)\] reason \[([\w-]*)\]", run.log)
    assert found, run.log
    changes, digest, reason = found.groups()
    return changes, digest, reason


def output(run: ActRun, name: str) -> str:
    """The last value that a step set an output to."""
    values: list[str] = re.findall(rf"::set-output:: {name}=(.*)", run.log)
    return values[-1]


def error_lines(run: ActRun) -> list[str]:
    """The error annotations in a log."""
    return [line for line in run.log.splitlines() if "::error " in line]


def test_the_whole_path(world: World) -> None:
    before = len(world.rows(EMAIL_SET))
    world.approve("ana")
    run = world.promote()
    assert run.code == 0, run.log
    assert run.artifact_names == ["confmig-data", "confmig-plan", "confmig-run-1"]
    assert set(run.artifact("confmig-data")) == {"data.zip", "data.manifest.json", "export.html"}
    assert set(run.artifact("confmig-plan")) == {"confmig.plan", "plan.html"}
    assert set(run.artifact("confmig-run-1")) == {"confmig.run", "import.html"}
    assert b"approved by" in run.artifact("confmig-run-1")["import.html"]
    assert len(world.rows(EMAIL_SET)) > before
    changes, digest, reason = told(run)
    assert (changes, len(digest), reason) == ("true", 64, "")
    again = world.promote()
    assert again.code == 0, again.log
    assert told(again)[0] == "false"
    assert again.artifact_names == ["confmig-data", "confmig-plan"]


@dataclass
class Planned:
    """A path that came as far as the gate: its world, its run, and what its jobs handed over."""

    world: World
    run: ActRun
    digests: dict[str, str]
    before: dict[str, object]

    def state(self) -> dict[str, object]:
        """All rows that an import could have changed."""
        return {name: self.world.rows(name) for name in (EMAIL_SET, "msdynmkt_journeys", "msdynmkt_fragments")}

    def stops_with(self, run: ActRun, reason: str, *words: str) -> None:
        """Check that a run was refused, said so in one annotation and in its summary, and wrote nothing."""
        assert run.code != 0, run.log
        assert output(run, "failure-reason") == reason
        assert "Summary - ## confmig import" in run.log
        assert "exit with `FAILURE`: 5" in run.log or "exitcode '5'" in run.log, run.log
        (annotation,) = error_lines(run)
        for word in words:
            assert word in annotation, run.log
        assert self.state() == self.before


@pytest.fixture(scope="module")
def planned(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planned]:
    with a_world(engine, tmp_path_factory.mktemp("planned")) as world:
        planned = Planned(world, ActRun(0, "", Path()), {}, {})
        planned.before = planned.state()
        planned.run = world.promote()
        planned.digests = {name: output(planned.run, name) for name in ("data-digest", "plan-digest")}
        yield planned


def test_an_import_that_nobody_approved(planned: Planned) -> None:
    planned.stops_with(planned.run, "not-approved", "Nobody approved run 1 for the environment production.")
    assert "confmig-plan" in planned.run.artifact_names  # uploaded before anything was to be written


def test_an_approval_of_another_environment(planned: Planned) -> None:
    planned.world.approve("ana", environment="sandbox")
    planned.stops_with(planned.world.import_again(planned.run, planned.digests), "not-approved", "production")


def test_an_environment_without_reviewers(planned: Planned) -> None:
    planned.world.approve("ana")
    inputs = {"target-environment": "sandbox"}
    planned.stops_with(planned.world.import_again(planned.run, planned.digests, inputs), "no-reviewers", "sandbox")


def test_an_api_that_does_not_answer(planned: Planned) -> None:
    planned.world.change_state(answers={"/approvals": {"status": 500, "body": "<html>"}})
    run = planned.world.import_again(planned.run, planned.digests)
    planned.world.change_state(answers={})
    planned.stops_with(run, "approval-unknown", "500")


def test_a_plan_that_is_too_old(planned: Planned) -> None:
    planned.world.approve("ana")
    run = planned.world.import_again(planned.run, planned.digests, {"plan-age": "0m"})
    planned.stops_with(run, "plan-expired", "--plan-age")


def test_another_plan_than_the_one_that_was_handed_over(planned: Planned) -> None:
    digests = {**planned.digests, "plan-digest": "0" * 64}
    planned.stops_with(planned.world.import_again(planned.run, digests), "plan-changed", "not the approved")


def test_a_target_that_has_changed_since(planned: Planned) -> None:
    planned.world.approve("ana")
    row = next(row for row in planned.world.rows(EMAIL_SET) if "Welcome" in str(row["msdynmkt_name"]))
    url = f"{planned.world.target}/api/data/v9.2/{EMAIL_SET}({row['msdynmkt_emailid']})"
    subject = row["msdynmkt_subject"]
    requests.patch(url, json={"msdynmkt_subject": "Somebody else's"}, timeout=30).raise_for_status()
    changed, planned.before = planned.before, planned.state()
    run = planned.world.import_again(planned.run, planned.digests)
    planned.stops_with(run, "plan-changed", "The target has changed since the plan was approved: 1 change")
    assert "msdynmkt\\_subject is to get a value that was not approved" in run.log  # in the summary
    requests.patch(url, json={"msdynmkt_subject": subject}, timeout=30).raise_for_status()
    planned.before = planned.state()
    assert changed


def test_an_import_killed_in_the_middle_is_finished_under_the_same_approval(engine: Engine, tmp_path: Path) -> None:
    """The runner is gone with its run file; the job is run again with package and plan alone."""
    killer = Killer(engine)
    with a_world(engine, tmp_path, around_target=killer) as world:
        world.approve("ana")
        first = world.promote()
        assert first.code != 0, first.log
        assert killer.killed
        half = len(world.rows(EMAIL_SET))
        digests = {name: output(first, name) for name in ("data-digest", "plan-digest")}
        again = world.import_again(first, digests)
        assert again.code == 0, again.log
        rest = re.search(r"Of the (\d+) approved changes (\d+) are left; they are applied now\.", again.log)
        assert rest is not None, again.log
        assert 0 < int(rest[2]) < int(rest[1])
        whole = world.rows(EMAIL_SET)
        assert len(whole) >= half
        assert killer.creates > 3
        names = [row["msdynmkt_emailid"] for row in whole]
        assert len(names) == len(set(names))
        third = world.import_again(first, digests)
        assert third.code == 0, third.log
        assert re.search(r"\| Nothing was to be changed: the target holds what the package says\.", third.log), (
            third.log
        )
        assert world.rows(EMAIL_SET) == whole


class Killer:
    """Kills the container of the import once it has written a little: after the write, and before its answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.creates = 0
        self.killed = False

    def __call__(self, app: Application) -> Application:
        async def killing(scope: Any, receive: Any, send: Any) -> None:
            if scope.get("method") != "POST" or "CreateMultiple" not in scope.get("path", ""):
                await app(scope, receive, send)
                return
            self.creates += 1
            if self.creates != 3 or self.killed:
                await app(scope, receive, send)
                return

            async def silent(message: Any) -> None:
                del message

            await app(scope, receive, silent)
            self.killed = True
            containers = self._engine.docker("ps", "--quiet", "--filter", f"ancestor={IMAGE}").split()
            self._engine.docker("kill", *containers)

        return killing


DEFINITIONS = {
    "an older target": (
        "journeys-production",
        "solutions: [{uniquename: DynamicsCij_AnchorSolution, version: 1.2.437.9}]",
    ),
    "a target without a table": ("journeys-production", "remove: {tables: [msdynmkt_fragment]}"),
}


@pytest.mark.parametrize(
    ("definition", "inputs", "reason", "words"),
    [
        ("an older target", {}, "versions-differ", "has version 1.2.437.94,"),
        ("a target without a table", {}, "table-missing", "has no table msdynmkt_fragment"),
        (None, {"live": "fail"}, "live-rows", "are live"),
        (None, {"target": "SOURCE"}, "same-environment", "are the same organization"),
        (None, {"schema": "data/nothing.xml"}, "package-unreadable", "nothing.xml"),
        (None, {"source": "http://127.0.0.1:9"}, "service-unavailable", "cannot be reached"),
        (None, {"auth": "secret"}, "usage", "AZURE_TENANT_ID"),
        (
            None,
            {"auth": "github-oidc", "tenant-id": "t", "target-client-id": "c", "source-client-id": "c"},
            "usage",
            "id-token",
        ),
    ],
)
def test_what_the_first_job_stops(
    engine: Engine, tmp_path: Path, definition: str | None, inputs: dict[str, str], reason: str, words: str
) -> None:
    target = "journeys-production"
    if definition is not None:
        base, more = DEFINITIONS[definition]
        path = tmp_path / "target.yml"
        path.write_text(f"name: target\ninclude: [{base}]\n{more}\n")
        target = str(path)
    with a_world(engine, tmp_path, target=target) as world:
        run = world.promote({name: world.source if value == "SOURCE" else value for name, value in inputs.items()})
        assert run.code != 0, run.log
        assert output(run, "failure-reason") == reason, run.log
        assert any(words in line for line in error_lines(run)), run.log
        assert run.artifact_names == []


def pull_request_example() -> str:
    """The example, with the names that the tests know the project by."""
    text = (REPOSITORY / "examples/github/pull-request.yml").read_text()
    return text.replace("contoso/confmig", "example/confmig").replace("0" * 40, "v1")


PULL_REQUEST = {
    "number": 7,
    "pull_request": {"number": 7, "head": {"repo": {"full_name": "example/solution"}}},
}


def test_a_pull_request_gets_findings_on_lines_and_one_comment(world: World) -> None:
    text = pull_request_example()
    schema = (REPOSITORY / "demo/data_schema.xml").read_text()
    variables = {"CONFMIG_AUTH": "none", "SANDBOX_URL": world.source, "PRODUCTION_URL": world.target}
    given: dict[str, Any] = {"event": "pull_request", "payload": PULL_REQUEST, "variables": variables}
    world.change_state(comments={"7": [somebody_elses_comment()]})
    for _ in range(2):
        run = world.run(text, schema=schema, **given)
        assert run.code == 0, run.log
    theirs, ours = json.loads(world.state.read_text())["comments"]["7"]
    assert theirs == somebody_elses_comment()
    assert "103 to create, 32 to update" in ours["body"]
    incomplete = re.sub(r'(?s)  <entity name="msdynmkt_topic".*?</entity>\n', "", schema)
    line = next(
        number for number, text in enumerate(incomplete.splitlines(), 1) if 'lookupType="msdynmkt_topic"' in text
    )
    refused = world.run(text, schema=incomplete, **given)
    assert refused.code != 0
    assert f"::error file=data/data_schema.xml,line={line},title=dependency-missing::" in refused.log
    assert len(json.loads(world.state.read_text())["comments"]["7"]) == 2


def test_a_pull_request_from_a_fork_gets_the_validation_only(world: World) -> None:
    fork = {"number": 8, "pull_request": {"number": 8, "head": {"repo": {"full_name": "stranger/solution"}}}}
    run = world.run(pull_request_example(), event="pull_request", payload=fork, variables={})
    assert run.code == 0, run.log
    assert "Run Main ./.confmig" in run.log
    assert "Plan the import" not in run.log
    assert json.loads(world.state.read_text())["comments"] == {}


def somebody_elses_comment() -> dict[str, Any]:
    """A comment that pretends to be ours."""
    return {"id": 1, "body": "<!-- confmig:plan -->", "user": {"login": "mallory", "type": "User"}}
