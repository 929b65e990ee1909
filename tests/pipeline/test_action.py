"""action.yml, each command: under act as a job runs it, and in the image as GitHub's runner starts it."""

import base64
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from tests.webapi.serving import Answer, Directory, Seen, Server, json_answer

from .engine import REPOSITORY, Engine
from .runner import Step, StepRun
from .world import World, a_world

RESTRICTED = {"user": "1001", "read_only": True, "drop_capabilities": True}
SECRET = "pl4nted/&s=cret <value>"


@pytest.fixture(scope="module")
def world(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with a_world(engine, tmp_path_factory.mktemp("world")) as world:
        yield world


PATH = [
    ("schema generate", "source: SOURCE, preset: journeys-content, output: made/data_schema.xml"),
    ("schema validate", "schema: made/data_schema.xml, source: SOURCE, target: TARGET"),
    ("check", "schema: made/data_schema.xml, source: SOURCE, target: TARGET, live: exclude-status"),
    ("export", "schema: made/data_schema.xml, source: SOURCE, live: exclude-status, data: out/data.zip"),
    ("diff", "first: out/data.zip, second: out/data.zip"),
    ("plan", "target: TARGET, data-file: out/data.zip, plan: out/confmig.plan"),
    (
        "import",
        'target: TARGET, data: "${{ steps.export.outputs.data-file }}", plan: "${{ steps.plan.outputs.plan-file }}",'
        ' expect-digest: "${{ steps.plan.outputs.plan-digest }}", working-directory: .',
    ),
    ("verify", 'environment-url: TARGET, data: out/data.zip, report: "out/a.html\\nout/a.md"'),
]
WORKFLOW = """
name: Each command
on: push
permissions: {}
jobs:
  all:
    runs-on: ubuntu-latest
    timeout-minutes: 10
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
        with: {persist-credentials: false}
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
        with: {repository: example/confmig, path: .confmig, persist-credentials: false}
STEPS
      - run: test -s "$PAGE" && test -s out/a.md && test -s "$SCHEMA" && echo "digest [$DATA] changes [$CHANGES]"
        env:
          PAGE: ${{ steps.verify.outputs.report-file }}
          SCHEMA: ${{ steps.schema-generate.outputs.schema-file }}
          DATA: ${{ steps.export.outputs.data-digest }}
          CHANGES: ${{ steps.plan.outputs.has-changes }}
"""


def test_each_command_under_act(world: World) -> None:
    steps = [
        f"      - {{id: {name.replace(' ', '-')}, uses: ./.confmig, with: {{command: {name}, {inputs}}}}}"
        for name, inputs in PATH
    ]
    workflow = WORKFLOW.replace("STEPS", "\n".join(steps))
    run = world.run(workflow.replace("SOURCE", world.source).replace("TARGET", world.target), event="push")
    assert run.code == 0, run.log
    assert re.search(r"digest \[[0-9a-f]{64}\] changes \[true\]", run.log)
    for command, _ in PATH:
        assert f"Summary - ## confmig {command}" in run.log


def step(world: World, folder: Path, inputs: Mapping[str, str], **how: object) -> StepRun:
    """Run the action as the runner does; the folder stays the workspace of the next step."""
    return Step(["action"], inputs=dict(inputs), **how).run(world.engine, folder)  # type: ignore[arg-type]


@pytest.mark.parametrize("how", [{}, RESTRICTED], ids=["as the runner", "restricted"])
def test_the_path_as_the_runner_starts_it(engine: Engine, tmp_path: Path, how: dict[str, object]) -> None:
    (tmp_path / "workspace/data").mkdir(parents=True)
    shutil.copy2(REPOSITORY / "demo/data_schema.xml", tmp_path / "workspace/data")
    with a_world(engine, tmp_path / "workspace") as world:
        both = {"source": world.source, "target": world.target, "schema": "data/data_schema.xml"}
        source, target = {"source": world.source}, {"target": world.target, "data": "out/data.zip"}
        live = {"live": "exclude-status"}
        checked = step(world, tmp_path, {"command": "check", **both}, **how)
        assert (checked.code, checked.outputs["failure-reason"]) == (3, "live-rows")
        assert "**2 errors" in checked.summary
        assert checked.err.count("::error ") == 2
        exported = step(
            world,
            tmp_path,
            {"command": "export", **source, "schema": both["schema"], "data": "out/data.zip", **live},
            **how,
        )
        assert exported.code == 0, exported.err
        assert exported.outputs["data-file"] == "out/data.zip"
        planned = step(world, tmp_path, {"command": "plan", **target, "plan": "out/confmig.plan"}, **how)
        assert (planned.code, planned.outputs["has-changes"], planned.outputs["failure-reason"]) == (0, "true", "")
        assert "| table | create |" in planned.summary
        unreviewed = step(world, tmp_path, {"command": "import", **target}, **how)
        assert (unreviewed.code, unreviewed.outputs["failure-reason"]) == (2, "unreviewed")
        arguments = {"plan": "out/confmig.plan", "expect-digest": planned.outputs["plan-digest"]}
        imported = step(world, tmp_path, {"command": "import", **target, **arguments}, **how)
        assert imported.code == 0, imported.err
        assert imported.outputs["run-file"] == "out/confmig.run"
        verified = step(world, tmp_path, {"command": "verify", **target}, **how)
        assert verified.code == 0, verified.err
        assert verified.outputs["report-file"] == "confmig-verify.html"


def test_files_belong_to_the_owner_of_the_workspace(world: World, tmp_path: Path) -> None:
    inputs = {"command": "schema generate", "source": world.source, "table": "msdynmkt_topic", "output": "a/b.xml"}
    run = step(world, tmp_path, inputs, owner="1001")
    assert run.code == 0, run.err
    made = list((tmp_path / "workspace").rglob("*"))
    assert {path.name for path in made} == {"a", "b.xml", "confmig-schema-generate.html"}
    assert {path.stat().st_uid for path in made} == {1001}


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "command: '' is none"),
        ({"command": "emulator"}, "is none of confmig's commands"),
        ({"command": "plan; id"}, "is none of confmig's commands"),
        ({"command": "verify", "live": "fail"}, "confmig verify has no input live"),
        ({"command": "plan", "comment": "maybe"}, "neither true nor false"),
        ({"command": "schema generate", "source": "--help", "table": "a"}, "is no environment URL"),
        ({"command": "plan", "target": "http://127.0.0.1:1", "data": "$(touch hacked).zip"}, "$(touch hacked).zip"),
        ({"command": "check", "working-directory": "nowhere"}, "working-directory nowhere"),
        (
            {"command": "promote", "source": "http://127.0.0.1:1", "target": "http://127.0.0.1:2", "schema": "x"},
            "none of confmig",
        ),
    ],
)
def test_inputs_that_do_not_fit(world: World, tmp_path: Path, inputs: dict[str, str], words: str) -> None:
    run = step(world, tmp_path, inputs)
    assert run.code in {2, 6}, run.err
    assert words in run.err
    assert run.outputs["failure-reason"] in {"usage", "package-unreadable"}
    assert len([line for line in run.err.splitlines() if line.startswith("::error ")]) == 1
    assert "Traceback" not in run.err
    assert not (tmp_path / "workspace/hacked").exists()


def leaks(text: str | bytes, secret: str) -> list[str]:
    """The forms of a secret that a text holds; commands that mask it are the runner's, which shows none of them."""
    shown = text.decode(errors="replace") if isinstance(text, bytes) else text
    kept = "\n".join(line for line in shown.splitlines() if not line.startswith("::add-mask::"))
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return [form for form in (secret, encoded, quote(secret, safe=""), quote(secret)) if form in kept]


def everything_of(run: StepRun) -> list[bytes | str]:
    files = [path.read_bytes() for path in (run.folder / "workspace").rglob("*") if path.is_file()]
    return [run.out, run.err, run.summary, json.dumps(dict(run.outputs)), json.dumps(dict(run.exported)), *files]


INPUTS = yaml.safe_load((REPOSITORY / "action.yml").read_text())["inputs"]


@pytest.mark.parametrize("name", [name for name in INPUTS if name not in {"command", "first", "second"}])
def test_a_secret_in_any_input_is_shown_nowhere(world: World, tmp_path: Path, name: str) -> None:
    """Pasted into the wrong input, beside the right one: by its value it is known to be a secret."""
    commands = ("check", "schema generate", "plan", "import")
    command = next(
        (command for command in commands if command in INPUTS[name]["description"].replace("schema validate", "")),
        "check",
    )
    inputs = {"command": command, "client-secret": SECRET, "auth": "secret", "tenant-id": "t", "client-id": "c"}
    run = step(world, tmp_path, {**inputs, name: SECRET}, environment={"AZURE_AUTHORITY_HOST": "https://127.0.0.1:9"})
    assert run.code not in {0, 1}
    assert [leaks(text, SECRET) for text in everything_of(run)] == [[]] * len(everything_of(run))


def test_a_directory_that_repeats_the_secret(world: World, tmp_path: Path, certificates: tuple[str, str, str]) -> None:
    """Signed in with a real client secret over TLS: once taken, once refused by a directory that tells everything."""
    authority, server, _ = certificates
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    shutil.copy2(authority, workspace / "ca.pem")
    shutil.copy2(REPOSITORY / "demo/data_schema.xml", workspace / "data_schema.xml")
    inputs = {"command": "export", "source": world.source, "schema": "data_schema.xml", "live": "exclude-status"}
    inputs |= {"auth": "secret", "client-id": "c", "client-secret": SECRET}
    environment = {"REQUESTS_CA_BUNDLE": "/github/workspace/ca.pem"}
    with Directory(server) as directory:
        taken = step(
            world,
            tmp_path,
            {**inputs, "tenant-id": directory.tenant},
            environment={**environment, "AZURE_AUTHORITY_HOST": directory.url},
        )
        assert taken.code == 0, taken.err
        assert [form["client_secret"] for form in directory.forms] == [SECRET]
    with Server(telling_everything, server) as gossip:
        refused = step(
            world,
            tmp_path,
            {**inputs, "tenant-id": "t"},
            environment={**environment, "AZURE_AUTHORITY_HOST": gossip.url},
        )
        assert (refused.code, refused.outputs["failure-reason"]) == (7, "sign-in-failed")
    for run in (taken, refused):
        texts = [text for text in everything_of(run) if text]
        assert [leaks(text, SECRET) for text in texts] == [[]] * len(texts)
        masks = [line for line in run.err.splitlines() if line.startswith("::add-mask::")]
        assert f"::add-mask::{base64.b64encode(SECRET.encode()).decode()}" in masks


def telling_everything(seen: Seen) -> Answer:
    """A directory whose error repeats what it was sent, in every form."""
    if "openid-configuration" in seen.target:
        base = f"https://{seen.headers['host']}/t"
        return json_answer(
            {"authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/oauth2/v2.0/token"}
        )
    forms = [SECRET, quote(SECRET, safe=""), base64.b64encode(SECRET.encode()).decode()]
    return json_answer(
        {"error": "invalid_client", "error_description": f"AADSTS7000215: wrong: {' '.join(forms)}"}, 401
    )
