"""A Docker engine of the tests' own, and the image under test, built without a registry.

As root the engine is started here and stopped again; anybody else needs one that runs.
``python -m tests.pipeline.engine`` prepares all that is kept between runs: the files of the base image, the wheelhouse
and the layers of the image.
"""

import fcntl
import hashlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
IMAGE = "confmig:test"
BASE = "confmig-base:bookworm"  # also the image in which act runs the steps of jobs

CACHE = Path(os.environ.get("CONFMIG_PIPELINE_CACHE", REPOSITORY / ".pipeline")).resolve()
_SUITE = "bookworm"
_SUITE_PYTHON = "3.11"
_PACKAGES = "python3,python3-venv,ca-certificates"
_START_SECONDS = 60
_STOP_SECONDS = 30


class EngineError(Exception):
    """There is no engine, or it did not do what the tests need; the text is one line for a person."""


@dataclass(frozen=True)
class Engine:
    """A running Docker engine, by the environment in which its clients reach it."""

    environment: Mapping[str, str] = field(repr=False)  # a failed test shows the engine, but not all its variables

    def docker(self, *arguments: str, seconds: int = 600) -> str:
        """What a command of the client prints."""
        return output("docker", *arguments, environment=self.environment, seconds=seconds)


@contextmanager
def running_engine() -> Iterator[Engine]:
    """An engine for as long as the block lasts: started here as root, else the one that runs already."""
    need("docker", "mmdebstrap", "git")
    if os.geteuid() != 0:
        engine = Engine(dict(os.environ))
        try:
            engine.docker("info", seconds=60)
        except EngineError as error:
            raise EngineError(f"No Docker engine answers, and only root can start one: {error}") from None
        yield engine
        return
    need("dockerd", "iptables", "setpriv")
    with ExitStack() as stack:
        yield _start(stack)


def prepare(engine: Engine) -> None:
    """Make what the tests run: the base image, and on it the image under test as ``confmig:test``."""
    with lock(CACHE / "prepare.lock", wait=True):
        base, wheelhouse = _base_files(), _wheelhouse()
    # The name of the file tells which packages are in it.
    named = f"confmig-base:{base.stem}"
    if not engine.docker("image", "ls", "--quiet", named):
        engine.docker("import", str(base), named)
    engine.docker("tag", named, BASE)
    with tempfile.TemporaryDirectory() as scratch:
        context = Path(scratch)
        for name in ("Dockerfile", ".dockerignore", "requirements.txt"):
            shutil.copy2(REPOSITORY / name, context)
        shutil.copytree(REPOSITORY / "src", context / "src", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(wheelhouse, context / "wheelhouse")
        engine.docker("build", "--network", "none", "--build-arg", f"BASE={BASE}", "--tag", IMAGE, scratch)


def _start(stack: ExitStack) -> Engine:
    folder = _own_folder(stack)
    # What a killed run left behind; the lock says that nobody uses it now.
    _kill_left_over(folder)
    _clean(folder)
    (folder / "client").mkdir(parents=True, exist_ok=True)
    socket = f"unix://{folder / 'd.sock'}"
    # No settings of the user: their proxies would get into the containers. Without BuildKit, as act builds too:
    # a client may lack the plugin that it needs.
    environment = {
        **os.environ,
        "DOCKER_HOST": socket,
        "DOCKER_CONFIG": str(folder / "client"),
        "DOCKER_BUILDKIT": "0",
    }
    engine = Engine(environment)
    stack.callback(_clean, folder)
    log_path = folder / "engine.log"
    with log_path.open("wb") as log:
        daemon = subprocess.Popen(
            # The engine ends with this process, also where that is killed; in a session of its own it does not get
            # the interrupt of a terminal, so that what uses it can end first. It touches no network of the machine.
            [
                *("setpriv", "--pdeathsig", "TERM", "dockerd", "--host", socket, "--pidfile", str(folder / "pid")),
                *("--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")),
                *("--bridge", "none", "--iptables=false", "--ip6tables=false"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    stack.callback(_stop, daemon)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and daemon.poll() is None:
        with suppress(EngineError):
            engine.docker("version", seconds=10)
            _drop_left_overs(engine)
            stack.callback(_drop_left_overs, engine)
            return engine
        time.sleep(0.2)
    lines = log_path.read_text(errors="replace").splitlines() or ["it said nothing"]
    raise EngineError(f"The Docker engine cannot be started on this machine: {lines[-1]}")


def _own_folder(stack: ExitStack) -> Path:
    """The first folder of an engine that no other run has; its images are kept between runs."""
    for number in itertools.count():  # pragma: no branch
        folder = CACHE / f"engine-{number}"
        try:
            stack.enter_context(lock(folder.with_suffix(".lock"), wait=False))
        except BlockingIOError:
            continue
        return folder
    raise AssertionError


@contextmanager
def lock(path: Path, *, wait: bool) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _kill_left_over(folder: Path) -> None:
    """End the engine of a run that was killed, should it still be about to end by itself."""
    with suppress(OSError, ValueError):
        process = int((folder / "pid").read_text())
        command = Path(f"/proc/{process}/cmdline").read_bytes()
        if str(folder).encode() in command:
            os.kill(process, signal.SIGTERM)
            deadline = time.monotonic() + _STOP_SECONDS
            while time.monotonic() < deadline:
                os.kill(process, 0)  # fails as soon as the process is gone
                time.sleep(0.1)


def _stop(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _drop_left_overs(engine: Engine) -> None:
    """Remove containers and volumes that act or a killed run left; an engine that has gone is no reason to fail."""
    with suppress(EngineError):
        if containers := engine.docker("ps", "--all", "--quiet").split():
            engine.docker("rm", "--force", "--volumes", *containers)
        if volumes := engine.docker("volume", "ls", "--quiet").split():
            engine.docker("volume", "rm", "--force", *volumes)
        # The layers of a day make the next build short; those of each day before would only fill the disk.
        engine.docker("image", "prune", "--force", "--filter", "until=24h")


def _clean(folder: Path) -> None:
    """Unmount what an engine leaves mounted, the last first, and remove all but its images."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for path in reversed(mounted):
        if Path(path).is_relative_to(folder):
            subprocess.run(["umount", path], check=False)
    for name in ("d.sock", "pid"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "exec", ignore_errors=True)


def _base_files() -> Path:
    """A small Debian with Python as a tar file: what the base image of the Dockerfile is, made without a registry."""
    key = hashlib.sha256(_PACKAGES.encode()).hexdigest()[:12]
    path = CACHE / f"{_SUITE}-{key}.tar"
    if not path.exists():
        # The machine's own sources say where its packages come from, if they are of the same suite.
        sources = [Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")]
        named = [str(source) for source in sources if source.exists() and _SUITE in source.read_text()]
        part = path.with_suffix(".part.tar")
        output("mmdebstrap", "--variant=minbase", f"--include={_PACKAGES}", _SUITE, str(part), *named)
        part.rename(path)
    return path


def _wheelhouse() -> Path:
    """The wheels of the locked requirements for the base's Python."""
    requirements = REPOSITORY / "requirements.txt"
    key = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    path = CACHE / f"wheelhouse-{key}"
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            wheels = Path(scratch, "wheels")
            output(
                *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
                *("--no-deps", "--only-binary", ":all:", "--python-version", _SUITE_PYTHON),
                *("--require-hashes", "--requirement", str(requirements), "--dest", str(wheels)),
            )
            wheels.rename(path)
    return path


def need(*commands: str) -> None:
    missing = [command for command in commands if shutil.which(command) is None]
    if missing:
        raise EngineError(f"{', '.join(missing)} not found: `make pipeline-test` installs what the tests need.")


def output(*command: str, environment: Mapping[str, str] | None = None, seconds: int = 600) -> str:
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, errors="replace", timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise EngineError(f"`{command[0]} {command[1]}` took longer than {seconds} seconds.") from None
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()
        raise EngineError(f"`{command[0]} {command[1]}` failed with {done.returncode}: {' | '.join(lines[-3:])}")
    return done.stdout


def main() -> None:
    """Prepare everything that is kept, and say how long it took."""
    start = time.monotonic()
    try:
        with running_engine() as engine:
            prepare(engine)
    except EngineError as error:
        sys.exit(str(error))
    print(f"{IMAGE} is built; {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
