"""Workflows run for real by act, in the engine of the tests; the third-party actions they use are our stand-ins."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from .engine import BASE, Engine

OWN_REPOSITORY = "example/solution"  # the repository whose workflow runs, unless a test says another
STAND_INS = {
    "actions/checkout": "3d3c42e5aac5ba805825da76410c181273ba90b1",
    "actions/upload-artifact": "043fb46d1a93c77aae656e7c1c64a875d1fc6a0a",
    "actions/download-artifact": "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c",
}

_ACTIONS = Path(__file__).with_name("actions")
_ACT = Path(sys.executable).with_name("act")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class ActRun:
    """What a workflow ended with."""

    code: int
    log: str
    """All lines of all jobs, each after the names of its workflow and job; secrets are masked."""
    artifacts: Path
    """The folder of act's artifact server."""

    def artifact(self, name: str) -> dict[str, bytes]:
        """The files of an artifact by their paths in it."""
        (path,) = self.artifacts.glob(f"*/{name}/{name}.zip")
        with ZipFile(path) as archive:
            return {member: archive.read(member) for member in archive.namelist()}

    @property
    def artifact_names(self) -> list[str]:
        """The names of all artifacts that were stored."""
        return sorted(path.name for path in self.artifacts.glob("*/*") if path.is_dir())


@dataclass(frozen=True)
class Workflow:
    """A workflow file of a repository, and all that a run of it is given."""

    folder: Path
    """The repository: a scratch copy of it is what runs. Ignored files of a git repository are left out."""
    path: str
    """The workflow file, relative to the folder."""
    event: str = "push"
    payload: Mapping[str, Any] = field(default_factory=dict)
    """The event's document, such as ``{"inputs": {…}}`` for ``workflow_dispatch``."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of all steps and container actions; those of act's own, such as GITHUB_API_URL, can be given anew."""
    repository: str = OWN_REPOSITORY
    """What ``github.repository`` says."""
    others: Mapping[str, Path] = field(default_factory=dict)
    """Folders of further repositories that ``actions/checkout`` finds, by OWNER/NAME."""
    used: Mapping[str, Path] = field(default_factory=dict)
    """Folders of further actions and reusable workflows by OWNER/NAME@REF, as ``uses:`` names their repository."""
    options: Sequence[str] = ()
    """Further options of act, such as ``--job NAME``."""
    stored: Path | None = None
    """The artifacts of an earlier run, which this one finds as a job does that is run again."""

    def run(self, engine: Engine, scratch: Path, *, seconds: int = 300) -> ActRun:
        """Run it in an empty folder, which is left for a test to look into."""
        tree, artifacts, home = (scratch / name for name in ("tree", "artifacts", "home"))
        for folder in (artifacts, home / ".cache"):
            folder.mkdir(parents=True)
        if self.stored is not None:
            shutil.copytree(self.stored, artifacts, dirs_exist_ok=True)
        (home / ".actrc").touch()  # without one act asks a question first
        _copy_tree(self.folder, tree)
        _commit_all(tree, self.repository)
        event = scratch / "event.json"
        event.write_text(json.dumps(dict(self.payload)))
        actions = _lay_out_stand_ins(scratch / "actions", {self.repository: tree, **self.others})
        for name, folder in self.used.items():
            actions[name] = scratch / "used" / name
            _copy_tree(folder, actions[name])
        command = [
            *(str(_ACT), self.event, "--workflows", self.path, "--eventpath", str(event), "--rm", "--pull=false"),
            *("--platform", f"ubuntu-latest={BASE}", "--no-cache-server", *self.options),
            *("--artifact-server-path", str(artifacts), "--artifact-server-addr", "127.0.0.1"),
            *("--artifact-server-port", str(_free_port())),
            *_each("--local-repository", actions),
            *_each("--var", self.variables),
            *_each("--env", self.environment),
            # Without a value act takes it from its own environment: the list of processes shows no secret.
            *(word for name in self.secrets for word in ("--secret", name)),
        ]
        environment = {
            **{name: value for name, value in engine.environment.items() if not name.startswith(("GITHUB_", "ACT"))},
            **self.secrets,
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / ".cache"),
        }
        code, log = _run(command, tree, environment, seconds)
        return ActRun(code, _COLOUR.sub("", log), artifacts)


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: int) -> tuple[int, str]:
    """The code and all that was said; act is interrupted when time is up, so that it removes its containers."""
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        try:
            log, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.terminate()
            log, _ = process.communicate()
            raise AssertionError(f"act took longer than {seconds} seconds:\n{log}") from None
        except BaseException:
            process.terminate()
            raise
    return process.returncode, log


def _copy_tree(source: Path, target: Path) -> None:
    """Copy a repository's files without what git ignores, or all files of a folder that is no repository."""
    if not (source / ".git").exists():
        shutil.copytree(source, target, symlinks=True)
        return
    listed = _git(source, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in filter(None, listed.split("\0")):
        # A file deleted and not yet staged is still listed.
        with contextlib.suppress(FileNotFoundError):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name, follow_symlinks=False)


def _commit_all(tree: Path, repository: str) -> None:
    """Make a commit, which act asks for; by the remote it knows the repository's name."""
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    _git(tree, "init", "--quiet", "--initial-branch", "main")
    _git(tree, "remote", "add", "origin", f"https://github.com/{repository}.git")
    # act copies no ignored file unless git knows it.
    _git(tree, "add", "--all", "--force")
    _git(tree, *identity, "commit", "--quiet", "--allow-empty", "--no-verify", "--message", "The tree under test")


def _git(folder: Path, *arguments: str) -> str:
    # Without the settings of the user and of a hook under which the tests may run.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-c", f"safe.directory={folder}", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


def _lay_out_stand_ins(target: Path, repositories: Mapping[str, Path]) -> dict[str, Path]:
    """The stand-ins as folders of repositories of their own, by the names under which workflows use them."""
    shutil.copytree(_ACTIONS, target)
    for name in ("upload-artifact", "download-artifact"):
        shutil.copy2(target / "artifact.py", target / name)
    for name, folder in repositories.items():
        _copy_tree(folder, target / "checkout/repositories" / name)
    return {f"{name}@{commit}": target / Path(name).name for name, commit in STAND_INS.items()}


def _each(option: str, values: Mapping[str, object]) -> Iterator[str]:
    for name, value in values.items():
        yield from (option, f"{name}={value}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
