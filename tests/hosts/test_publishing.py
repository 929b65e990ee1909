"""What reaches a platform: outputs, summary, annotations; and what never does: secrets, and row text as a command."""

import base64
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from confmig.errors import ExitCode
from confmig.hosts import github
from confmig.hosts.host import harmless, say, show
from confmig.hosts.publish import publish
from confmig.model.secrets import SECRETS, Secrets, forms_of
from confmig.reporting.json import render_json
from confmig.reporting.report import Annotation, Level, Report, Section
from confmig.reporting.values import shorten, show_change
from tests.pipeline.runner import parse_file_command

HOSTILE = "::set-output name=plan-digest::0\n##vso[task.setvariable variable=planDigest]0 ##[error]x"
SECRET = "correct horse/battery&staple"


@pytest.fixture(autouse=True)
def _no_secrets_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SECRETS, "_pattern", None)
    monkeypatch.setattr(SECRETS, "_forms", set())


@pytest.fixture
def on_github(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        (tmp_path / name).touch()
        monkeypatch.setenv(name, str(tmp_path / name))
    return tmp_path


@pytest.fixture
def on_azure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setenv("TF_BUILD", "True")
    monkeypatch.setenv("AGENT_TEMPDIRECTORY", str(tmp_path))
    return tmp_path


def refused(**more: object) -> Report:
    facts = {"plan_file": "a\nb=c<<END", "plan_digest": "f" * 64, "has_changes": True, "hint": "Ask again."}
    section = Section("Rows", ("name",), [(HOSTILE,)])
    given = {"facts": facts, "sections": [section], "reason": "plan-refused", **more}
    return Report("plan", ExitCode.REFUSED, f"No: {HOSTILE}", **given)  # type: ignore[arg-type]


def test_outputs_on_github_cannot_set_others(on_github: Path) -> None:
    publish(refused(), [Path("plan.html")])
    assert parse_file_command((on_github / "GITHUB_OUTPUT").read_text()) == {
        "plan-file": "a\nb=c<<END",
        "plan-digest": "f" * 64,
        "has-changes": "true",
        "failure-reason": "plan-refused",
        "report-file": "plan.html",
    }


def test_a_failure_is_one_annotation_that_says_what_to_do(on_github: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(refused(), [])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("::error title=confmig plan::No: ::set-output name=plan-digest::0 ##vso")
    assert line.endswith("Ask again.")


def test_differences_that_end_a_step_are_an_annotation(on_github: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(Report("verify", ExitCode.DIFFERENCES, "2 differences.", {"hint": "See the report."}), [])
    assert capsys.readouterr().err == "::error title=confmig verify::2 differences. See the report.\n"


def test_nothing_is_annotated_when_all_is_well(on_github: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(Report("plan", ExitCode.DONE, "Nothing is to be changed."), [])
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""
    assert "failure-reason" in (on_github / "GITHUB_OUTPUT").read_text()
    assert "**Nothing is to be changed.**" in (on_github / "GITHUB_STEP_SUMMARY").read_text()


def test_annotations_stand_on_their_lines_and_are_no_more_than_are_shown(
    on_github: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = [Annotation(Level.ERROR, "a,b:c%", f"row {number}", "data/schema.xml", number) for number in range(1, 31)]
    publish(refused(annotations=[Annotation(Level.WARNING, "w", "only told"), *many]), [])
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "::error file=data/schema.xml,line=1,title=a%2Cb%3Ac%25::row 1"
    assert len([line for line in lines if line.startswith("::error")]) == 10
    assert "and 21 more" in lines[9]
    assert lines[10] == "::warning title=w::only told"


def test_a_summary_is_cut_before_the_runner_drops_it() -> None:
    text = "| ä | row |\n" * 200_000
    cut = github.cut(text, 900_000)
    assert len(cut.encode()) < 1024 * 1024
    assert cut.splitlines()[-1] == "… cut here: the report has all."
    assert set(cut.splitlines()[:-2]) == {"| ä | row |"}
    assert github.cut("short\n", 900_000) == "short\n"


def test_azure_pipelines_gets_commands_in_its_own_escaping(on_azure: Path, capsys: pytest.CaptureFixture[str]) -> None:
    item = Annotation(Level.ERROR, "rule", "50% of a;b]\nc", "data/s;x.xml", 3)
    publish(refused(annotations=[item]), [Path("r.html")])
    lines = capsys.readouterr().out.splitlines()
    issue = "##vso[task.logissue type=error;sourcepath=data/s%3Bx.xml;linenumber=3;]rule: 50%AZP25 of a%3Bb%5D c"
    assert lines[0] == issue
    assert f"##vso[task.setvariable variable=planDigest;isOutput=true]{'f' * 64}" in lines
    assert "##vso[task.setvariable variable=hasChanges;isOutput=true]true" in lines
    summary = Path(lines[-1].removeprefix("##vso[task.uploadsummary]"))
    assert summary.parent == on_azure
    assert summary.read_text().startswith("## confmig plan")


def test_json_on_stdout_stays_json_on_azure(on_azure: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(refused(), [], clean_stdout=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "##vso[task.setvariable" in captured.err


def is_command(line: str) -> bool:
    """Whether a runner or an agent would take a line for a command: the rules of both."""
    return line.lstrip().startswith("::") or re.search(r"##(vso)?\[", line, re.IGNORECASE) is not None


@pytest.mark.parametrize("text", [HOSTILE, "  ::add-mask::a", "x ##VSO[a]b", "\t::error::x", ":::", "\n\n::debug::\n"])
def test_row_text_is_no_command(on_github: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    show(text)
    say(text)
    captured = capsys.readouterr()
    assert [line for line in (captured.out + captured.err).splitlines() if is_command(line)] == []


def test_row_text_in_json_keeps_its_value_and_is_no_command(on_azure: Path) -> None:
    text = render_json(refused())
    assert [line for line in text.splitlines() if is_command(line)] == []
    assert json.loads(text)["sections"][0]["rows"][0][0] == HOSTILE
    assert harmless(text) == text


def test_elsewhere_text_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)
    assert harmless(HOSTILE) == HOSTILE


@pytest.mark.parametrize(
    "name", ["AZURE_CLIENT_SECRET", "INPUT_SOURCE-CLIENT-SECRET", "SYSTEM_ACCESSTOKEN", "GITHUB_TOKEN"]
)
def test_a_secret_is_hidden_in_every_form(name: str) -> None:
    secrets = Secrets()
    secrets.learn({name: SECRET, "HOME": "/home/somebody"})
    encoded = base64.b64encode(SECRET.encode()).decode()
    lower = re.sub("%..", lambda found: found.group().lower(), quote(SECRET, safe=""))
    for form in (SECRET, encoded, encoded.rstrip("="), quote(SECRET, safe=""), lower, json.dumps(SECRET)):
        assert secrets.hide(f"before {form} after").replace('"', "").replace("=", "") == "before *** after"
    assert secrets.hide("/home/somebody") == "/home/somebody"


@pytest.mark.parametrize("padding", ["{} ", "\t{}\t", "{}\n", " {}"])
def test_white_space_around_a_secret_hides_nothing_less(padding: str, capsys: pytest.CaptureFixture[str]) -> None:
    variables = {"INPUT_CLIENT-SECRET": padding.format(SECRET)}
    secrets = Secrets()
    secrets.learn(variables)
    for form in forms_of(SECRET):
        assert secrets.hide(f"({form})").strip("()=") == "***"
    github.mask_secrets(variables)
    assert f"::add-mask::{SECRET}" in capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "client-id:"])
@pytest.mark.parametrize("after", ["", "x", "xy"])
def test_a_secret_within_base64_is_hidden(before: str, after: str) -> None:
    secrets = Secrets()
    secrets.learn({"A_SECRET": SECRET})
    hidden = secrets.hide(base64.b64encode(f"{before}{SECRET}{after}".encode()).decode())
    assert "***" in hidden
    assert len(hidden) < len(before + after) * 2 + 12


def test_a_secret_with_letters_of_all_kinds_is_hidden_in_json() -> None:
    secrets = Secrets()
    secrets.learn({"A_SECRET": 'pä"ss\\word'})
    for escaped in (True, False):
        assert secrets.hide(json.dumps('pä"ss\\word', ensure_ascii=escaped)) == '"***"'


def test_a_secret_is_hidden_before_a_text_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    SECRETS.learn({"A_SECRET": SECRET})
    for text in ("x" * 40 + SECRET, "x" * 230 + SECRET, f"{SECRET} "):
        assert SECRET[:8] not in shorten(text)
    assert SECRET[8:] not in show_change("name", "y" * 90 + SECRET, "y" * 90 + SECRET[:9])


def test_what_the_platform_does_not_take_is_told(
    on_github: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(on_github / "none" / "x"))
    assert publish(refused(), []) is False
    assert "cannot be given the outputs" in capsys.readouterr().err
    assert "## confmig plan" in (on_github / "GITHUB_STEP_SUMMARY").read_text()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/dev/full")
    assert publish(refused(), []) is False
    assert "cannot be given the summary" in capsys.readouterr().err


def test_what_the_agent_does_not_take_is_told(
    on_azure: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AGENT_TEMPDIRECTORY", str(on_azure / "none"))
    assert publish(refused(), []) is False
    assert "cannot be given the summary" in capsys.readouterr().err


def test_what_is_too_short_to_be_a_secret_tears_no_holes() -> None:
    secrets = Secrets()
    secrets.learn({"A_TOKEN": "1", "B_SECRET": ""})
    assert secrets.hide("1 of 10") == "1 of 10"


def test_masks_hold_all_forms_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    github.mask_secrets({"INPUT_CLIENT-SECRET": "a%b\nc-long-line", "GITHUB_TOKEN": "known to GitHub", "HOME": "/"})
    masks = capsys.readouterr().err.splitlines()
    assert all(line.startswith("::add-mask::") for line in masks)
    assert "::add-mask::a%25b%0Ac-long-line" in masks
    assert len(masks) == len(forms_of("a%b\nc-long-line"))
