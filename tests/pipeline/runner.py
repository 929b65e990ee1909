"""The contract of GitHub's runner with a container action, kept by a plain ``docker run``.

act differs from the runner: its workspace is a path of the machine and its RUNNER_TEMP is /tmp. Here the mounts, the
variables and the working directory are those of the runner.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .engine import IMAGE, Engine

_FOLDERS = ("workspace", "home", "workflow", "file_commands", "runner_temp")
_FILE_COMMANDS = {
    "GITHUB_OUTPUT": "set_output",
    "GITHUB_STEP_SUMMARY": "step_summary",
    "GITHUB_ENV": "set_env",
    "GITHUB_STATE": "save_state",
    "GITHUB_PATH": "add_path",
}


@dataclass(frozen=True)
class StepRun:
    """What a container action ended with."""

    code: int
    out: str
    err: str
    outputs: Mapping[str, str]
    summary: str
    exported: Mapping[str, str]
    """What it wrote for the steps after it, through GITHUB_ENV."""
    folder: Path
    """Holds ``workspace``, ``home``, ``workflow``, ``file_commands`` and ``runner_temp`` as the action left them."""


@dataclass(frozen=True)
class Step:
    """A container action as the runner starts it."""

    arguments: Sequence[str] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    """By their names in action.yml; each becomes INPUT_NAME in upper case, hyphens kept."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Further variables, and others in the place of the runner's own."""
    event: Mapping[str, Any] = field(default_factory=dict)
    event_name: str = "workflow_dispatch"
    user: str | None = None
    """Who runs it elsewhere than on GitHub, as a number; the folders are this user's own then."""
    owner: str | None = None
    """Whose the folders are, where it runs as root: on GitHub they are the runner's."""
    read_only: bool = False
    drop_capabilities: bool = False
    without: Sequence[str] = ()
    """Variables that are left out, such as HOME."""
    options: Sequence[str] = ()
    """Further options of ``docker run``."""
    image: str = IMAGE

    def run(self, engine: Engine, folder: Path, *, seconds: int = 120) -> StepRun:
        """Run it over a folder; files of the workspace may be in its ``workspace`` already."""
        folder = folder.resolve()
        for name in _FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        commands = {variable: folder / "file_commands" / f"{name}_0" for variable, name in _FILE_COMMANDS.items()}
        for path in commands.values():
            path.write_bytes(b"")
        (folder / "workflow/event.json").write_text(json.dumps(dict(self.event)))
        if owner := self.user or self.owner:
            _give(folder, int(owner))
        variables = self._variables()
        command = [
            *("docker", "run", "--rm", "--network", "host", "--workdir", "/github/workspace", "--pull", "never"),
            *(word for name in _FOLDERS for word in ("--volume", f"{folder / name}:/github/{name}")),
            # Names alone: the values, among them secrets, are in no list of processes.
            *(word for name in variables for word in ("--env", name)),
            *self._restrictions(),
            *self.options,
            self.image,
            *self.arguments,
        ]
        done = subprocess.run(
            command,
            env={**engine.environment, **variables},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return StepRun(
            code=done.returncode,
            out=done.stdout,
            err=done.stderr,
            outputs=parse_file_command(commands["GITHUB_OUTPUT"].read_text()),
            summary=commands["GITHUB_STEP_SUMMARY"].read_text(),
            exported=parse_file_command(commands["GITHUB_ENV"].read_text()),
            folder=folder,
        )

    def _variables(self) -> dict[str, str]:
        variables = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "HOME": "/github/home",
            "GITHUB_ACTION": "__self",
            "GITHUB_ACTOR": "octocat",
            "GITHUB_API_URL": "https://api.github.com",
            "GITHUB_EVENT_NAME": self.event_name,
            "GITHUB_EVENT_PATH": "/github/workflow/event.json",
            "GITHUB_JOB": "move",
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_REF_NAME": "main",
            "GITHUB_REPOSITORY": "example/solution",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_RUN_ID": "1",
            "GITHUB_RUN_NUMBER": "1",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_SHA": "0" * 40,
            "GITHUB_WORKFLOW": "Move",
            "GITHUB_WORKSPACE": "/github/workspace",
            "RUNNER_ARCH": "X64",
            "RUNNER_OS": "Linux",
            "RUNNER_TEMP": "/github/runner_temp",
            **{variable: f"/github/file_commands/{name}_0" for variable, name in _FILE_COMMANDS.items()},
            **{f"INPUT_{name.upper().replace(' ', '_')}": value for name, value in self.inputs.items()},
            **self.environment,
        }
        return {name: value for name, value in variables.items() if name not in self.without}

    def _restrictions(self) -> Iterator[str]:
        if self.user is not None:
            yield from ("--user", self.user)
        if self.read_only:
            yield "--read-only"
        if self.drop_capabilities:
            yield from ("--cap-drop", "ALL")


def parse_file_command(text: str) -> dict[str, str]:
    """Read NAME=VALUE and NAME<<DELIMITER as the runner does; a line that is neither is an error there too."""
    values = {}
    lines = iter(text.splitlines())
    for line in lines:
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            values[line[:equals]] = line[equals + 1 :]
        elif heredoc >= 0:
            values[line[:heredoc]] = "\n".join(_until(line[heredoc + 2 :], lines))
        elif line:
            raise ValueError(f"Invalid format {line!r}")
    return values


def _until(delimiter: str, lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line == delimiter:
            return
        yield line
    raise ValueError(f"Matching delimiter not found {delimiter!r}")


def _give(folder: Path, user: int) -> None:
    """Make a folder another user's; whoever is not root runs containers as himself and owns it already."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user, -1, follow_symlinks=False)
