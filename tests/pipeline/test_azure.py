"""The Azure Pipelines templates: the whole path, and what stops it, with the image as the agents of teams run it."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
import yaml

from confmig.applying.runfile import RunFile
from confmig.checking.live import LivePolicy
from confmig.checking.versions import VersionPolicy
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions
from confmig.planning.plan import LookupPolicy
from confmig.planning.planfile import PlanFile
from tests.hosts.azure_devops import AzureDevOps
from tests.hosts.conftest import Platform
from tests.hosts.standin import Json
from tests.webapi.serving import Answer, Directory, Seen, Server, json_answer
from tests.webapi.wire import Wire

from .azure import Pipeline, Stage
from .azure_templates import Templates
from .engine import IMAGE, REPOSITORY, Engine

TOKEN = "the-jobs-own-Token-5d0c"
TEMPLATES = REPOSITORY / "azure-pipelines"
STAGES = ["Check", "Export", "Plan", "Import", "Verify"]
CONNECTIONS = ["sandbox", "production", "production-reader"]
PROFILE = "msdynmkt_compliancesettings4s(43ebfe8e-ea44-4ec5-a311-e8980963076b)"
"""A row of both environments, older in production."""


def document(**parameters: object) -> Json:
    """A team's pipeline with these parameters of the template."""
    template = {"template": "azure-pipelines/promote.yml@confmig", "parameters": parameters}
    return {"stages": [template]}


def ids(connection: str) -> dict[str, str]:
    """The ids that belong to a service connection."""
    return {
        "CLIENT_ID": f"client-{connection}",
        "TENANT_ID": Directory.tenant,
        "SERVICE_CONNECTION_ID": f"id-{connection}",
    }


def nothing(_: Pipeline, __: str) -> None:
    """What happens between the stages, unless a test says more."""


@dataclass
class World:
    """Two environments, Azure DevOps, and a team's repository."""

    engine: Engine
    folder: Path
    source: Emulator
    target: Emulator
    wire: Wire
    platform: Platform
    environment: dict[str, str] = field(default_factory=dict)
    """Further variables of the agent's own environment."""
    runs: int = 0

    @property
    def approvals(self) -> list[Json]:
        """The approvals that the stage of the import was held for; ``platform.save`` makes changes known."""
        approvals: list[Json] = self.platform.state["stages"]["42"][0]["approvals"]
        return approvals

    def promote(self, before: Callable[[Pipeline, str], object] = nothing, **parameters: object) -> Pipeline:
        """Run the template as a team's pipeline does; it has ended."""
        self.runs += 1
        self.wire.clear()
        given: dict[str, object] = {
            "source": self.source.url,
            "target": self.target.url,
            "schema": "data/data_schema.xml",
            "sourceServiceConnection": "sandbox",
            "targetServiceConnection": "production",
            "targetEnvironment": "production",
            "image": IMAGE,
            "live": "exclude-status",
            "auth": "none",
            "dockerOptions": "--network host",
        }
        shared = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG")
        pipeline = Pipeline(
            document(**{**given, **parameters}),
            {"self": self.folder / "repository", "confmig": REPOSITORY},
            self.folder / f"run-{self.runs}",
            {name: ids(name) for name in CONNECTIONS},
            self.platform.variables,
            TOKEN,
            {**{name: self.engine.environment[name] for name in shared}, **self.environment},
            before,
        )
        pipeline.run()
        assert not any(TOKEN in stage.log for stage in pipeline.stages.values())
        return pipeline

    def writes(self) -> list[bytes]:
        """The requests to the target that would change it, alone or in a batch, since the last run began."""
        changing = re.compile(rb"^(?:POST|PATCH|PUT|DELETE) ", re.MULTILINE)
        lines = [f"{one.method} {one.target}\n".encode() + one.body for one in self.wire.passed]
        return [line for line in lines if changing.search(line.removeprefix(b"POST $batch"))]


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield lay_out(stack, engine, tmp_path)


def lay_out(stack: ExitStack, engine: Engine, folder: Path, **tokens: str) -> World:
    """A world whose environments want these tokens, if any."""
    data = folder / "repository/data"
    data.mkdir(parents=True)
    shutil.copy2(REPOSITORY / "demo/data_schema.xml", data)
    wire = Wire()
    source = Emulator(EmulatorOptions(environment="journeys-sandbox", token=tokens.get("source")))
    target = Emulator(EmulatorOptions(environment="journeys-production", token=tokens.get("target")), wire)
    for emulator in (source, target):
        emulator.start()
        stack.callback(emulator.stop)
    step = {"status": "approved", "approver": "Ada", "comment": "Go."}
    approval = {"id": "approval-1", "resource": ["environment", "3"], "status": "approved", "steps": [step]}
    state: Json = {
        "token": TOKEN,
        "project": "p-1",
        "environments": [{"id": 3, "name": "production", "checks": [{"approvers": ["Ada"]}]}],
        "stages": {"42": [{"name": "Import", "approvals": [approval]}]},
    }
    platform = Platform(folder / "azure.json", state, AzureDevOps)
    stack.enter_context(platform.server)
    platform.variables = {
        "System.CollectionUri": f"{platform.server.url}/example/",
        "System.TeamProjectId": "p-1",
        "Build.BuildId": "42",
        "Build.RequestedForEmail": "linus@example.com",
        "Build.SourceVersionMessage": "One line;\nand ##vso[task.complete result=Failed]another",
    }
    return World(engine, folder, source, target, wire, platform)


def results(pipeline: Pipeline) -> dict[str, str]:
    """How the stages ended."""
    return {name: stage.result for name, stage in pipeline.stages.items()}


def ended(*found: str) -> dict[str, str]:
    """All stages, the first ones with these results and the others skipped."""
    return {name: found[number] if number < len(found) else "skipped" for number, name in enumerate(STAGES)}


ALL = ended(*["succeeded"] * 5)
REFUSED = ended(*["succeeded"] * 3, "failed")


def said(pipeline: Pipeline) -> str:
    """What all stages said, for a test that fails."""
    return "\n".join(f"--- {name}\n{stage.log}" for name, stage in pipeline.stages.items())


def test_the_whole_path(world: World) -> None:
    done = world.promote(maxChanges="400", compareSolutions=["msdynmkt_Marketing"], versions="any")

    assert results(done) == ALL, said(done)
    codes = {name: stage.codes for name, stage in done.stages.items()}
    assert codes == {
        "Check": {"validate": 0, "identity": 0, "check": 0},
        "Export": {"artifact": 0, "export": 0},
        "Plan": {"artifact": 0, "plan": 0},
        "Import": {"import": 0},
        "Verify": {"verify": 0},
    }
    # The same digests in the outputs, in the files of the artifacts, and in what was applied.
    planned, imported = done.stages["Plan"].outputs, done.stages["Import"].outputs
    assert planned["plan.hasChanges"] == "true"
    with PlanFile(done.artifact("confmig-plan-1") / "confmig.plan") as plan:
        assert plan.header.digest == planned["plan.planDigest"]
        assert plan.header.package_digest == done.stages["Export"].outputs["export.dataDigest"]
    with RunFile.open(done.artifact("confmig-run-1") / "confmig.run") as run:
        assert run.header.digest == planned["plan.planDigest"]
    assert imported["import.approvedBy"] == "Ada (ada@example.com)"
    assert world.writes()

    files = {path.name: {file.name for file in path.iterdir()} for path in done.artifact("").iterdir()}
    assert files == {
        "confmig-data-1": {"data.zip", "data.manifest.json", "export.html"},
        "confmig-plan-1": {"confmig.plan", "plan.html"},
        "confmig-run-1": {"confmig.plan", "plan.html", "confmig.run", "import.html"},
    }
    for name in STAGES:
        stage = done.stages[name]
        assert len(stage.summaries) == (2 if name == "Check" else 1)
        assert all(f"confmig {name.lower()}" in text or "schema validate" in text for text in stage.summaries)
        assert not any(kind == "error" for kind, _ in stage.issues)

    again = world.promote()
    assert results(again) == ended(*["succeeded"] * 3), said(again)
    assert again.stages["Plan"].outputs["plan.hasChanges"] == "false"
    assert not world.writes()


def refused(world: World, done: Pipeline, reason: str) -> Stage:
    """The stage of an import that was refused for a reason, with nothing written and the evidence kept."""
    assert results(done) == REFUSED, said(done)
    stage = done.stages["Import"]
    assert (stage.codes, stage.outputs["import.failureReason"]) == ({"import": 5}, reason)
    assert [kind for kind, _ in stage.issues] == ["error"]
    assert not world.writes()
    assert (done.artifact("confmig-run-1") / "confmig.plan").exists()
    assert not (done.artifact("confmig-run-1") / "confmig.run").exists()
    return stage


def test_nothing_is_imported_that_nobody_approved(world: World) -> None:
    world.approvals.clear()
    world.platform.save()

    stage = refused(world, world.promote(), "not-approved")

    assert "was not held for an approval of the environment production" in stage.issues[0][1]


def test_nothing_is_imported_through_an_environment_that_asks_nobody(world: World) -> None:
    world.platform.state["environments"][0]["checks"] = [{"type": "lock"}]
    world.platform.save()

    stage = refused(world, world.promote(), "no-reviewers")

    assert "has no approval among its checks" in stage.issues[0][1]


def test_nothing_is_imported_when_the_target_has_changed_since_the_plan(world: World) -> None:
    def edit(_: Pipeline, stage: str) -> None:
        if stage == "Import":
            change = {"msdynmkt_legaladdress": "Edited by hand"}
            url = f"{world.target.url}/api/data/v9.2/{PROFILE}"
            assert requests.patch(url, json=change, timeout=10).status_code == 204
            world.wire.clear()

    # A variable of the pipeline would be an option of every step, but for what the template itself decides.
    world.platform.variables |= {"CONFMIG_ON_DRIFT": "skip", "CONFMIG_REQUIRE_APPROVAL": "false"}
    stage = refused(world, world.promote(edit), "plan-changed")

    assert "The target has changed since the plan was approved" in stage.issues[0][1]


@pytest.mark.parametrize(
    ("stage", "earlier", "output", "reason"),
    [("Plan", "Export", "export.dataDigest", "package-changed"), ("Import", "Plan", "plan.planDigest", "plan-changed")],
)
def test_a_digest_that_is_lost_on_the_way_is_refused(
    world: World, stage: str, earlier: str, output: str, reason: str
) -> None:
    def lose(run: Pipeline, starting: str) -> None:
        if starting == stage:
            del run.stages[earlier].outputs[output]

    done = world.promote(lose)

    assert results(done) == ended(*["succeeded"] * STAGES.index(stage), "failed"), said(done)
    assert done.stages[stage].outputs[f"{stage.lower()}.failureReason"] == reason
    assert not world.writes()


class ByClient(Directory):
    """A directory that gives each client the token of its environment."""

    def _endpoint(self, seen: Seen) -> Answer:
        if seen.method != "POST":
            return super()._endpoint(seen)
        return json_answer({"access_token": seen.form["client_id"].split("-")[1], "expires_in": 3599})


def test_each_step_signs_in_as_its_service_connection(engine: Engine, tmp_path: Path) -> None:
    authority, certificate = tmp_path / "authority.pem", tmp_path / "server.pem"
    issuer = trustme.CA()
    issuer.cert_pem.write_to_path(str(authority))
    issuer.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    given = json_answer({"oidcToken": "header.payload.signature"})
    with ExitStack() as stack:
        world = lay_out(stack, engine, tmp_path, source="sandbox", target="production")
        directory = stack.enter_context(ByClient(str(certificate)))
        oidc = stack.enter_context(Server(lambda _: given))
        world.platform.variables["System.OidcRequestUri"] = f"{oidc.url}/oidctoken"
        world.environment = {"AZURE_AUTHORITY_HOST": directory.url, "REQUESTS_CA_BUNDLE": str(authority)}
        options = f"--env AZURE_AUTHORITY_HOST --env REQUESTS_CA_BUNDLE --volume {authority}:{authority}:ro"
        done = world.promote(
            auth="azure-pipelines",
            targetReaderServiceConnection="production-reader",
            dockerOptions=f"--network host {options}",
        )

        assert results(done) == ALL, said(done)
        # check, then export, plan, import, verify
        signed_in = ["sandbox", "production-reader", "sandbox", "production-reader", "production", "production-reader"]
        assert [form["client_id"] for form in directory.forms] == [f"client-{name}" for name in signed_in]
        asked = [re.findall("serviceConnectionId=id-(.*)", seen.target) for seen in oidc.seen]
        assert asked == [[name] for name in signed_in]
        assert {seen.headers["authorization"] for seen in oidc.seen} == {f"Bearer {TOKEN}"}


# The files


def expanded(source: Mapping[str, Any]) -> dict[str, Any]:
    return Templates({"self": REPOSITORY, "confmig": REPOSITORY}).expand(source)


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    """The example's pipeline with all templates in it."""
    return expanded(yaml.safe_load((TEMPLATES / "example.yml").read_text()))


def test_the_expanded_example_has_the_form_that_the_service_wants(example: Json, tmp_path: Path) -> None:
    # The steps' template by itself is refused there, for the name of its step is a parameter.
    file = tmp_path / "azure-pipelines.json"
    file.write_text(json.dumps(example))
    checker = Path(sys.executable).with_name("check-jsonschema")
    options = ["--builtin-schema", "vendor.azure-pipelines", "--regex-variant", "nonunicode"]
    done = subprocess.run([checker, *options, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def scripts(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (node[name] for name in ("bash", "script", "inlineScript") if name in node)
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from scripts(item)


def test_no_expression_stands_in_a_script() -> None:
    found = [script for path in TEMPLATES.rglob("*.yml") for script in scripts(yaml.safe_load(path.read_text()))]
    assert len(found) == 4
    for script in found:
        assert "${{" not in script
        assert "$[" not in script
        assert not re.search(r"\$\([\w.]+\)", script)


def environments(pipeline: Json) -> dict[str, Json]:
    """The variables of the steps that run confmig, by the steps' names."""
    jobs = [stage["jobs"][0] for stage in pipeline["stages"]]
    steps = [job.get("steps") or job["strategy"]["runOnce"]["deploy"]["steps"] for job in jobs]
    return {step["name"]: step["env"] for each in steps for step in each if "env" in step}


def test_a_setting_that_is_empty_is_none(example: Json) -> None:
    found = environments(example)
    assert list(found) == ["validate", "check", "export", "plan", "import", "verify"]
    assert found["plan"]["CONFMIG_MAX_CHANGES"] == "400"
    assert not {"CONFMIG_OUTSIDE", "CONFMIG_IGNORE", "CONFMIG_COMPARE_SOLUTION"} & {
        name for each in found.values() for name in each
    }
    parameters = yaml.safe_load((TEMPLATES / "example.yml").read_text())["stages"][0]["parameters"]
    lists = {"outside": ["account", "contact"], "ignore": ["a.b", "c.d"], "compareSolutions": ["one", "two"]}
    more = environments(expanded(document(**parameters, **lists, planAge="")))
    assert more["validate"]["CONFMIG_OUTSIDE"] == "account contact"
    assert more["plan"]["CONFMIG_IGNORE"] == more["verify"]["CONFMIG_IGNORE"] == "a.b c.d"
    assert more["check"]["CONFMIG_COMPARE_SOLUTION"] == more["plan"]["CONFMIG_COMPARE_SOLUTION"] == "one two"
    assert "CONFMIG_PLAN_AGE" not in more["import"]


def test_a_registry_that_wants_a_login_gets_one_before_each_run_of_the_image(example: Json, tmp_path: Path) -> None:
    assert "Docker@2" not in json.dumps(example)
    parameters = yaml.safe_load((TEMPLATES / "example.yml").read_text())["stages"][0]["parameters"]
    pipeline = expanded(document(**parameters, containerRegistry="registry"))
    test_the_expanded_example_has_the_form_that_the_service_wants(pipeline, tmp_path)
    for stage in pipeline["stages"]:
        job = stage["jobs"][0]
        steps = job.get("steps") or job["strategy"]["runOnce"]["deploy"]["steps"]
        running = [place for place, step in enumerate(steps) if "IMAGE" in step.get("env", {})]
        assert running
        assert all(steps[place - 1].get("task") == "Docker@2" for place in running)


def test_the_choices_are_those_of_the_options() -> None:
    template = yaml.safe_load((TEMPLATES / "promote.yml").read_text())
    choices = {one["name"]: one["values"] for one in template["parameters"] if "values" in one}
    assert choices.pop("auth") == ["azure-pipelines", "none"]
    assert choices == {
        "live": [policy.value for policy in LivePolicy],
        "versions": [policy.value for policy in VersionPolicy],
        "lookups": [policy.value for policy in LookupPolicy],
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"live": "all"}, "live cannot be 'all'"),
        ({"sources": "x"}, "has no parameters"),
        ({"pool": "x"}, "pool cannot"),
    ],
)
def test_parameters_are_checked(changes: Mapping[str, object], words: str) -> None:
    parameters = yaml.safe_load((TEMPLATES / "example.yml").read_text())["stages"][0]["parameters"]
    with pytest.raises(ValueError, match=words):
        expanded(document(**{**parameters, **changes}))
