"""Two exports of one state are the same bytes, whatever surrounds the process that makes them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flow.conftest import Confmig, Serve

_SCHEMA = Path(__file__).parents[2] / "demo" / "data_schema.xml"
_EPOCH = "1780000000"

SURROUNDINGS: dict[str, dict[str, str]] = {
    "as it is": {"PYTHONHASHSEED": "0"},
    "another hash seed": {"PYTHONHASHSEED": "4711"},
    "another zone": {"TZ": "Asia/Kolkata"},
    "another locale": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "LANGUAGE": "tr"},
    "optimised": {"PYTHONOPTIMIZE": "2"},
}


def test_no_setting_of_the_process_changes_a_byte(serve: Serve, tmp_path: Path) -> None:
    source = serve(environment="journeys-sandbox").url
    found = {name: _export(source, tmp_path / name, settings) for name, settings in SURROUNDINGS.items()}
    assert {name: files == found["as it is"] for name, files in found.items()} == dict.fromkeys(SURROUNDINGS, True)


def test_what_lies_there_already_and_who_may_read_it_change_no_byte(serve: Serve, tmp_path: Path) -> None:
    source = serve(environment="journeys-sandbox").url
    first = _export(source, tmp_path / "first", {})
    other = tmp_path / "other"
    other.mkdir()
    (other / "data.zip").write_bytes(first["data.zip"] + first["data.zip"])
    (other / "data.manifest.json").write_bytes(b"{" + b" " * 100_000)
    assert _export(source, other, {}, umask=0o077) == first


def _export(source: str, folder: Path, settings: dict[str, str], umask: int = 0o022) -> dict[str, bytes]:
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "confmig", "export"),
            *("--source", source, "--live", "exclude-status", "--schema", str(_SCHEMA)),
        ],
        cwd=folder,
        env={**os.environ, "SOURCE_DATE_EPOCH": _EPOCH, **settings},
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("epoch", ["yesterday", "-1", "1.5", "1e9", "²", "9" * 30, "0x10"])
def test_a_source_date_epoch_that_is_no_time_is_told_before_anything_is_read(
    confmig: Confmig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, epoch: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    result = confmig("export", "--source", "http://127.0.0.1:9", "--schema", _SCHEMA)
    assert (result.code, f"SOURCE_DATE_EPOCH={epoch!r}" in result.err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_source_date_epoch_is_none(
    confmig: Confmig, serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "")
    source = serve(environment="journeys-sandbox").url
    assert confmig("export", "--source", source, "--schema", _SCHEMA, "--live", "exclude-status").code == 0
