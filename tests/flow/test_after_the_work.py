"""What comes after the work may fail; what was done stays on record, and is not called well done."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from confmig.cli import run
from confmig.errors import UsageError
from confmig.reporting.write import require_report_paths
from tests.flow import packages
from tests.flow.conftest import Confmig, Serve
from tests.flow.test_gate import Gate, approved, gate
from tests.pipeline.runner import parse_file_command
from tests.webapi.wire import Passed, refusal

__all__ = ["gate"]  # the fixture

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJkYXRhdmVyc2UifQ.c2lnbmF0dXJl"


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return tmp_path / "GITHUB_OUTPUT"


def test_a_report_that_cannot_be_written_hides_no_outcome(gate: Gate, outputs: Path) -> None:
    Path("full.html").symlink_to("/dev/full")
    done = gate.knock("--report", "full.html")
    assert (done.code, done.report["reason"], done.facts["not_applied"]) == (2, "report-not-written", 0)
    assert "full.html" in done.err
    told = parse_file_command(outputs.read_text())
    assert (told["run-file"], told["failure-reason"]) == ("a.run", "report-not-written")
    assert gate.item(packages.APPLE)["shop_name"] == "Apple"


def test_failed_rows_weigh_more_than_a_report(gate: Gate, outputs: Path) -> None:
    def fault(one: Passed) -> object:
        return refusal(400, "0x80040203", "Invalid argument.") if one.method in {"POST", "PATCH"} else None

    gate.wire.fault = fault  # type: ignore[assignment]
    Path("full.html").symlink_to("/dev/full")
    done = gate.knock("--report", "full.html")
    assert (done.code, done.report["reason"]) == (9, "rows-failed")
    assert parse_file_command(outputs.read_text())["failure-reason"] == "rows-failed"


@pytest.fixture
def nobody() -> Iterator[None]:
    """For root all paths are open, so act as nobody."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


@pytest.mark.usefixtures("nobody")
def test_a_report_that_may_not_be_written_is_refused_before_the_work() -> None:
    for path in ("/etc/none.html", "/etc/hostname.html", "/none/none.html"):
        with pytest.raises((UsageError, PermissionError)):
            require_report_paths([Path(path)])


@pytest.mark.parametrize("name", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
def test_what_the_pipeline_is_not_told_is_not_well_done(
    gate: Gate, outputs: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "/dev/full")
    done = gate.knock()
    assert (done.code, done.facts["not_applied"]) == (2, 0)
    assert "The pipeline cannot be given the" in done.err


def test_an_error_that_the_pipeline_is_not_told_is_still_harmless(
    serve: Serve, confmig: Confmig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = packages.write(tmp_path / "a.zip", packages.full_data())
    words = "no\\n::add-path::/evil correct-horse\\n##vso[task.setvariable variable=a]b"
    gate = approved(confmig, serve, tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", "/nonexistent/x")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "correct-horse")
    gate.wire.fault = lambda _: refusal(403, "0x80040220", words)
    result = confmig("plan", "--target", gate.target.url, "--data", package)
    assert result.code == 7
    assert "correct-horse" not in result.out + result.err
    assert not [line for line in result.err.splitlines() if line.startswith(("::add-path", "##vso["))]


def test_a_service_that_repeats_the_secret_puts_it_into_no_file(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANY_TOKEN", JWT)
    gate.wire.fault = lambda one: (
        refusal(400, "0x80040203", f"Bad header: Bearer {JWT}") if one.method in {"POST", "PATCH"} else None
    )
    result = gate.knock("--report", "a.html", "--report", "a.json")
    assert result.code == 9
    assert "Bad header: Bearer ***" in result.out
    for path in tmp_path.iterdir():
        assert JWT.encode() not in path.read_bytes(), path


def test_a_run_goes_on_with_the_options_that_it_began_with(gate: Gate) -> None:
    def fault(one: Passed) -> object:
        return refusal(400, "0x80040203", "Invalid argument.") if one.method in {"POST", "PATCH"} else None

    gate.wire.fault = fault  # type: ignore[assignment]
    again = ("import", "--target", gate.target.url, "--data", gate.package, "--run", "r.run", "--unreviewed")
    assert gate.confmig(*again).code == 9
    gate.wire.clear()
    for others in (("--max-changes", 0), ("--ignore", "shop_kind.shop_name"), ("--lookups", "null")):
        gate.is_shut(gate.confmig(*again, *others, "--format", "json"), "usage", 2)
    assert gate.confmig(*again).code == 0


def test_a_pipeline_is_warned_of_a_plan_without_a_digest(gate: Gate, outputs: Path) -> None:
    plan = ("--target", gate.target.url, "--plan", "a.plan", "--data", gate.package)
    done = gate.confmig("import", *plan)
    assert done.code == 0
    assert "::warning title=any-plan::" in done.err
    assert "any-plan" not in gate.knock().err


ACTION = {"INPUT_COMMAND": "import", "INPUT_DATA": "none.zip", "INPUT_TARGET": "http://127.0.0.1:1"}


def test_an_input_that_says_no_overrules_a_variable(
    outputs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {**ACTION, "INPUT_UNREVIEWED": "false", "CONFMIG_UNREVIEWED": "true"}.items():
        monkeypatch.setenv(name, value)
    assert run(["action"]) == 2
    assert "somebody has seen" in capsys.readouterr().err


def test_an_input_that_is_given_twice_is_refused(
    outputs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {**ACTION, "INPUT_EXPECT-DIGEST": "a", "INPUT_EXPECT_DIGEST": "b"}.items():
        monkeypatch.setenv(name, value)
    assert run(["action"]) == 2
    assert "given twice" in capsys.readouterr().err
    assert json.dumps(parse_file_command(outputs.read_text())["failure-reason"]) == '"usage"'
