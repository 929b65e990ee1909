"""What a workflow meets: two environments, GitHub's API, a repository that promotes, and confmig's own."""

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from confmig.emulator.http.asgi import Application
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions
from tests.hosts.github import GitHub
from tests.webapi.serving import Server

from .act import OWN_REPOSITORY, ActRun, Workflow
from .engine import IMAGE, REPOSITORY, Engine

TOOL = "example/confmig"
REF = "v1"
TOKEN = "ghs_tokenOfTheJob0123456789"
CALLER = """
name: Release
on: workflow_dispatch
permissions: {}
jobs:
  promote:
    uses: TOOL/.github/workflows/promote.yml@REF
    permissions:
      contents: read
      id-token: write
      actions: read
    secrets: inherit
    with:
      confmig-ref: REF
      source-environment: sandbox
      plan-environment: production-plan
      target-environment: production
INPUTS
  told:
    needs: promote
    if: ${{ always() }}
    runs-on: ubuntu-latest
    timeout-minutes: 5
    steps:
      - run: echo "changes [$CHANGES] digest [$DIGEST] reason [$REASON]"
        env:
          CHANGES: ${{ needs.promote.outputs.has-changes }}
          DIGEST: ${{ needs.promote.outputs.plan-digest }}
          REASON: ${{ needs.promote.outputs.failure-reason }}
"""


@contextmanager
def serving(wrap: Callable[[Application], Application] | None = None, **options: Any) -> Iterator[Emulator]:
    """An emulator on a free port of this machine."""
    emulator = Emulator(EmulatorOptions(**options), wrap)
    emulator.start()
    try:
        yield emulator
    finally:
        emulator.stop()


def lay_out_tool(folder: Path) -> Path:
    """Confmig's repository as a release leaves it: action.yml names the image that was built and tested."""
    for name in (".github", "action.yml"):
        source = REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / name)
    action = folder / "action.yml"
    text = action.read_text()
    assert text.count("  image: Dockerfile\n") == 1
    action.write_text(text.replace("  image: Dockerfile\n", f"  image: docker://{IMAGE}\n"))
    return folder


@dataclass
class World:
    """Two environments and GitHub, as a workflow on this machine reaches them."""

    engine: Engine
    folder: Path
    source: str
    target: str
    github: str
    runs: int = 0

    @property
    def state(self) -> Path:
        """What GitHub's stand-in answers."""
        return self.folder / "github.json"

    def change_state(self, **more: Any) -> None:
        """Change what GitHub answers."""
        self.state.write_text(json.dumps({**json.loads(self.state.read_text()), **more}))

    def approve(self, *logins: str, environment: str = "production") -> None:
        """Let these people have approved the run."""
        reviews = [{"state": "approved", "login": login, "environments": [environment]} for login in logins]
        self.change_state(reviews={"1": reviews})

    def promote(self, inputs: Mapping[str, str] | None = None) -> ActRun:
        """Run promote.yml as another repository calls it."""
        given = {"source": self.source, "target": self.target, "auth": "none", "live": "exclude-status"}
        given |= {"confmig-repository": TOOL}
        given |= {"schema": "data/data_schema.xml"}
        given |= inputs or {}
        lines = "\n".join(f"      {name}: {json.dumps(value)}" for name, value in given.items())
        caller = CALLER.replace("TOOL", TOOL).replace("REF", REF).replace("INPUTS", lines)
        return self.run(caller)

    def import_again(
        self, earlier: ActRun, digests: Mapping[str, str], inputs: Mapping[str, str] | None = None
    ) -> ActRun:
        """Run the import job of promote.yml alone, as GitHub runs a job again: with what the jobs before it gave."""
        given = {"source": self.source, "target": self.target, "auth": "none", "confmig-repository": TOOL}
        given |= {"confmig-ref": REF, "target-environment": "production", "plan-age": "7d", "runs-on": "ubuntu-latest"}
        given |= {"retention-days": "7", **(inputs or {})}
        workflow = yaml.safe_load((REPOSITORY / ".github/workflows/promote.yml").read_text())
        job = {name: value for name, value in workflow["jobs"]["import"].items() if name not in {"needs", "if"}}
        text = yaml.safe_dump({"on": "workflow_dispatch", "jobs": {"import": job}}, sort_keys=False)
        text = re.sub(r"\$\{\{ needs\.\w+\.outputs\.([\w-]+) \}\}", lambda found: digests[found.group(1)], text)
        text = re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: given.get(found.group(1), ""), text)
        text = text.replace("${{ github.run_attempt }}", str(self.runs + 1))
        text = text.replace("${{ inputs.confmig-repository || format('{0}/confmig', github.repository_owner) }}", TOOL)
        return self.run(text, stored=earlier.artifacts)

    def run(self, text: str, *, schema: str = "", event: str = "workflow_dispatch", **more: Any) -> ActRun:
        """Run a workflow of the repository that promotes.

        Args:
            text: The workflow.
            schema: The repository's schema file; default: the one of the demo.
            event: What started it.
            more: What else ``Workflow`` takes.
        """
        self.runs += 1
        place = self.folder / f"run-{self.runs}"
        workflow = place / "repository/.github/workflows/release.yml"
        workflow.parent.mkdir(parents=True)
        workflow.write_text(text)
        (place / "repository/data").mkdir()
        schema = schema or (REPOSITORY / "demo/data_schema.xml").read_text()
        (place / "repository/data/data_schema.xml").write_text(schema)
        tool = lay_out_tool(self.folder / "tool") if self.runs == 1 else self.folder / "tool"
        return Workflow(
            place / "repository",
            ".github/workflows/release.yml",
            event=event,
            others={TOOL: tool},
            used={f"{TOOL}@{REF}": tool},
            secrets={"GITHUB_TOKEN": TOKEN},
            environment={"GITHUB_API_URL": self.github},
            **more,
        ).run(self.engine, place / "act")

    def rows(self, table: str, side: str = "target") -> list[dict[str, Any]]:
        """All rows of a table."""
        url = f"{getattr(self, side)}/api/data/v9.2/{table}"
        rows: list[dict[str, Any]] = requests.get(url, timeout=30).json()["value"]
        return rows


@contextmanager
def a_world(
    engine: Engine,
    folder: Path,
    source: str = "journeys-sandbox",
    target: str = "journeys-production",
    around_target: Callable[[Application], Application] | None = None,
) -> Iterator[World]:
    """A world of built-in environments, or of definition files."""
    state = folder / "github.json"
    state.write_text(
        json.dumps(
            {
                "token": TOKEN,
                "repository": OWN_REPOSITORY,
                "environments": {"production": {"reviewers": ["ana"]}, "sandbox": {}, "production-plan": {}},
                "reviews": {"1": []},
                "comments": {},
            }
        )
    )
    with ExitStack() as stack:
        here = stack.enter_context(serving(environment=source))
        there = stack.enter_context(serving(around_target, environment=target))
        api = stack.enter_context(Server(GitHub(state)))
        yield World(engine, folder, here.url, there.url, api.url)
