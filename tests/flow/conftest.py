"""Commands run as a user runs them, against emulators over HTTP."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from confmig.cli import run
from confmig.emulator.http.asgi import Application
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions


@dataclass(frozen=True)
class Result:
    """What a command ended with."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """The result of ``--format json``."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = self.report["facts"]
        return facts


Confmig = Callable[..., Result]
Serve = Callable[..., Emulator]


@pytest.fixture
def confmig(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Confmig:
    """Run a command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Result:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start emulators that end with the test."""
    started: list[Emulator] = []

    def start(wrap: Callable[[Application], Application] | None = None, **options: Any) -> Emulator:
        emulator = Emulator(EmulatorOptions(**options), wrap)
        emulator.start()
        started.append(emulator)
        return emulator

    yield start
    for emulator in started:
        emulator.stop()
