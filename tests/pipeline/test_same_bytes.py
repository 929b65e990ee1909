"""One state of one environment, exported by several Pythons on several systems, gives the same bytes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .engine import REPOSITORY, Engine
from .later_python import LaterPython, later_python
from .runner import Step
from .world import serving

_EPOCH = "1780000000"
_SCHEMA = REPOSITORY / "demo" / "data_schema.xml"
_FILES = ("data.zip", "data.manifest.json")


@pytest.fixture(scope="module")
def later() -> LaterPython:
    return later_python()


def test_exports_by_this_python_a_later_one_and_that_of_the_image(
    engine: Engine, later: LaterPython, tmp_path: Path
) -> None:
    with serving(environment="journeys-sandbox") as source:
        words = ["export", "--source", source.url, "--live", "exclude-status", "--schema", "data_schema.xml"]
        found = {
            "this": _by_this(words, tmp_path / "this"),
            "later": _by_later(later, words, tmp_path / "later"),
            "image": _by_image(engine, words, tmp_path / "image"),
        }
    assert found["this"]["data.zip"].startswith(b"PK\x03\x04")
    assert found["later"] == found["this"]
    assert found["image"] == found["this"]


def test_the_later_python_is_later(later: LaterPython, tmp_path: Path) -> None:
    program = "import sys; print(*sys.version_info[:2])"
    done = later.run("-c", program, environment={}, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert tuple(map(int, done.stdout.split())) > max((3, 11), sys.version_info[:2])


def _by_this(words: list[str], folder: Path) -> dict[str, bytes]:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _EPOCH}
    done = subprocess.run(
        [sys.executable, "-m", "confmig", *words],
        cwd=_with_schema(folder),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return _made_in(folder)


def _by_later(later: LaterPython, words: list[str], folder: Path) -> dict[str, bytes]:
    environment = {"SOURCE_DATE_EPOCH": _EPOCH, "HOME": str(folder)}
    done = later.run("-m", "confmig", *words, environment=environment, folder=_with_schema(folder))
    assert done.returncode == 0, done.stderr
    return _made_in(folder)


def _by_image(engine: Engine, words: list[str], folder: Path) -> dict[str, bytes]:
    workspace = _with_schema(folder / "workspace")
    run = Step(words, environment={"SOURCE_DATE_EPOCH": _EPOCH}).run(engine, folder)
    assert run.code == 0, run.err
    return _made_in(workspace)


def _with_schema(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "data_schema.xml").write_bytes(_SCHEMA.read_bytes())
    return folder


def _made_in(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in _FILES}
