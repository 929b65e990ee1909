"""The image starts for everybody and runs nothing but its own code; the ground the tests of workflows stand on."""

import json
from pathlib import Path
from textwrap import dedent

import pytest

from confmig import __version__

from .act import STAND_INS, Workflow
from .engine import Engine
from .runner import Step, parse_file_command

VERSION = f"confmig {__version__}\n"


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(Step(["--version"]), id="as the runner"),
        pytest.param(Step(["--version"], user="1001", read_only=True, drop_capabilities=True), id="restricted"),
        pytest.param(
            Step(["--version"], user="1001", read_only=True, drop_capabilities=True, without=["HOME"]), id="no home"
        ),
        pytest.param(Step(["--version"], without=["HOME"], options=["--workdir", "/"]), id="elsewhere"),
        pytest.param(
            Step(["--version"], user="1001", options=["--entrypoint", "confmig"]), id="by the command on the path"
        ),
    ],
)
def test_the_image_says_its_version(engine: Engine, tmp_path: Path, step: Step) -> None:
    run = step.run(engine, tmp_path)

    assert (run.code, run.out, run.err) == (0, VERSION, "")


@pytest.mark.parametrize("name", ["confmig.py", "requests.py", "sitecustomize.py", "json.py"])
def test_files_of_the_workspace_are_not_imported(engine: Engine, tmp_path: Path, name: str) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / name).write_text("raise SystemExit('imported from the workspace')")

    run = Step(["--version"], environment={"PYTHONPATH": "/github/workspace"}).run(engine, tmp_path)

    assert (run.code, run.out, run.err) == (0, VERSION, "")


def test_the_image_names_no_user_and_starts_isolated(engine: Engine, image: str) -> None:
    (document,) = json.loads(engine.docker("image", "inspect", image))
    config = document["Config"]

    assert config["Entrypoint"] == ["/opt/confmig/bin/python", "-I", "-m", "confmig"]
    assert config["Cmd"] == ["--help"]
    assert config["User"] == ""
    assert config["Labels"]["org.opencontainers.image.title"] == "confmig"


def test_the_image_holds_no_installer_and_needs_nothing_compiled(engine: Engine, tmp_path: Path) -> None:
    program = """
        import importlib.util, pathlib, confmig
        print([name for name in ("pip", "setuptools") if importlib.util.find_spec(name)])
        folder = pathlib.Path(confmig.__file__).parent
        print([str(path) for path in folder.rglob("*.py") if not list(path.parent.glob(f"__pycache__/{path.stem}.*"))])
    """
    options = ["--entrypoint", "/opt/confmig/bin/python"]
    run = Step(["-I", "-c", dedent(program)], options=options).run(engine, tmp_path)

    assert (run.out, run.err) == ("[]\n[]\n", "")


def test_the_output_file_is_read_as_the_runner_reads_it() -> None:
    text = "one=1\ntwo=a<<b\nthree<<END\nfirst\n=second\nEND\nfour=\n"

    assert parse_file_command(text) == {"one": "1", "two": "a<<b", "three": "first\n=second", "four": ""}


def test_a_step_is_given_what_the_runner_gives(engine: Engine, tmp_path: Path) -> None:
    # In Python, for the shell drops variables with a hyphen in their names.
    program = """
        import os, pathlib, sys
        print(os.getcwd(), *(os.environ[name] for name in ("HOME", "CI", "GITHUB_ACTIONS", "INPUT_SCHEMA-FILE")))
        print(pathlib.Path(os.environ["GITHUB_EVENT_PATH"]).read_text())
        pathlib.Path("file.txt").touch()
        pathlib.Path(os.environ["RUNNER_TEMP"], "scratch").touch()
        for name, line in {"OUTPUT": "name=value", "STEP_SUMMARY": "# Title", "ENV": "NEXT=1"}.items():
            pathlib.Path(os.environ[f"GITHUB_{name}"]).write_text(line)
        print("said", file=sys.stderr)
        sys.exit(3)
    """
    step = Step(
        ["-c", dedent(program)], inputs={"schema-file": "x"}, event={"a": 1}, options=["--entrypoint", "python3"]
    )
    run = step.run(engine, tmp_path)

    assert run.code == 3
    assert run.out == '/github/workspace /github/home true true x\n{"a": 1}\n'
    assert run.err == "said\n"
    assert (run.outputs, run.summary, run.exported) == ({"name": "value"}, "# Title", {"NEXT": "1"})
    assert (run.folder / "workspace/file.txt").exists()
    assert (run.folder / "runner_temp/scratch").exists()


CALLER = """
    on: workflow_dispatch
    permissions: {}
    jobs:
      first:
        runs-on: ubuntu-latest
        steps:
          - uses: actions/checkout@CHECKOUT
          - uses: actions/checkout@CHECKOUT
            with:
              repository: example/tool
              ref: main
              path: tool
              persist-credentials: false
          - run: cat tool/made.txt given.txt > both.txt
          - uses: actions/upload-artifact@UPLOAD
            with:
              name: files
              path: |
                both.txt
                tool
              if-no-files-found: error
              retention-days: 1
      second:
        needs: first
        uses: ./.github/workflows/called.yml
        with:
          name: files
        secrets: inherit
"""
CALLED = """
    on:
      workflow_call:
        inputs:
          name:
            type: string
            required: true
    jobs:
      third:
        runs-on: ubuntu-latest
        steps:
          - uses: actions/download-artifact@DOWNLOAD
            with:
              name: ${{ inputs.name }}
              path: fetched
          - run: echo "fetched $(paste -sd - fetched/both.txt) in $GITHUB_REPOSITORY for $WHO with $WORD"
            env:
              WHO: ${{ vars.WHO }}
              WORD: ${{ secrets.WORD }}
          - uses: docker://confmig:test
            with:
              args: --version
"""


def _pinned(text: str) -> str:
    checkout, upload, download = STAND_INS.values()
    return dedent(text).replace("CHECKOUT", checkout).replace("UPLOAD", upload).replace("DOWNLOAD", download)


@pytest.fixture
def caller(tmp_path: Path) -> Path:
    workflows = tmp_path / "caller/.github/workflows"
    workflows.mkdir(parents=True)
    (workflows / "caller.yml").write_text(_pinned(CALLER))
    (workflows / "called.yml").write_text(_pinned(CALLED))
    (tmp_path / "caller/given.txt").write_text("given\n")
    (tmp_path / "tool").mkdir()
    (tmp_path / "tool/made.txt").write_text("made\n")
    return tmp_path


def test_workflows_hand_files_on_and_run_the_image(engine: Engine, caller: Path) -> None:
    workflow = Workflow(
        caller / "caller",
        ".github/workflows/caller.yml",
        event="workflow_dispatch",
        secrets={"WORD": "passphrase"},
        variables={"WHO": "everybody"},
        others={"example/tool": caller / "tool"},
    )
    run = workflow.run(engine, caller / "run")

    assert run.code == 0, run.log
    assert "fetched made-given in example/solution for everybody with ***" in run.log
    assert VERSION.strip() in run.log
    assert "passphrase" not in run.log
    assert run.artifact_names == ["files"]
    assert run.artifact("files") == {"both.txt": b"made\ngiven\n", "tool/made.txt": b"made\n"}


REMOTE_CALLER = """
    on: push
    jobs:
      only:
        uses: example/tool/.github/workflows/shared.yml@v1
"""
SHARED = """
    on: workflow_call
    jobs:
      inner:
        runs-on: ubuntu-latest
        steps:
          - uses: example/tool/say@v1
            id: remote
            with:
              word: remote
          - uses: actions/checkout@CHECKOUT
            with:
              repository: example/tool
              path: .tool
          - uses: ./.tool/say
            id: local
            with:
              word: local
          - run: echo "said ${{ steps.remote.outputs.word }} and ${{ steps.local.outputs.word }}"
"""
SAY = """
    name: Say
    description: Gives its input back
    inputs:
      word:
        description: What is given back
        required: true
    outputs:
      word:
        description: The same
    runs:
      using: docker
      image: docker://confmig:test
      entrypoint: /bin/sh
      args: [-c, 'echo "word=$INPUT_WORD" >> "$GITHUB_OUTPUT"']
"""


def test_a_workflow_of_another_repository_uses_its_container_action(engine: Engine, tmp_path: Path) -> None:
    tool, caller = tmp_path / "tool", tmp_path / "caller"
    for path, text in (
        (caller / ".github/workflows/caller.yml", REMOTE_CALLER),
        (tool / ".github/workflows/shared.yml", SHARED),
        (tool / "say/action.yml", SAY),
    ):
        path.parent.mkdir(parents=True)
        path.write_text(_pinned(text))
    workflow = Workflow(
        caller,
        ".github/workflows/caller.yml",
        others={"example/tool": tool},
        used={"example/tool@v1": tool},
    )
    run = workflow.run(engine, tmp_path / "run")

    assert run.code == 0, run.log
    assert "said remote and local" in run.log


def test_a_repository_the_test_did_not_give_is_not_found(engine: Engine, caller: Path) -> None:
    run = Workflow(caller / "caller", ".github/workflows/caller.yml", event="workflow_dispatch").run(
        engine, caller / "run"
    )

    assert run.code != 0
    assert "The test gave no repository example/tool to check out." in run.log
    assert run.artifact_names == []
    assert engine.docker("ps", "--all", "--quiet") == ""
