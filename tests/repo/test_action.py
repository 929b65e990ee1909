"""The action, the commands and the documents are one list; nothing that a workflow relies on is unwritten."""

import re
from pathlib import Path

import pytest
import yaml

from confmig.checking.findings import Severity
from confmig.checking.rules.registry import all_rules
from confmig.commands.action import ALIASES, OWN, SIGN_IN
from confmig.commands.registry import COMMANDS, command_of
from confmig.hosts.publish import OUTPUTS
from tests.conftest import REPOSITORY

ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text())
README = (REPOSITORY / "README.md").read_text()
PROMOTE = yaml.safe_load((REPOSITORY / ".github/workflows/promote.yml").read_text())


def options() -> set[str]:
    """The names of all options and arguments of the commands that the action offers."""
    commands = [command_of(name) for name in COMMANDS if name != "emulator"]
    return {parameter.opts[0].removeprefix("--") for command in commands for parameter in command.params} - {"help"}


def test_every_input_is_an_option_and_every_option_an_input() -> None:
    assert set(ACTION["inputs"]) == options() | set(SIGN_IN) | set(ALIASES) | OWN
    assert not options() & (set(SIGN_IN) | set(ALIASES) | OWN)


def test_every_option_has_one_meaning() -> None:
    """The same name is the same kind of thing in every command, so that one input can stand for it."""
    kinds: dict[str, set[tuple[object, ...]]] = {}
    for name in COMMANDS:
        if name != "emulator":
            for parameter in command_of(name).params:
                known = kinds.setdefault(parameter.opts[0], set())
                known.add((getattr(parameter, "is_flag", False), getattr(parameter, "multiple", False)))
    assert {name: kind for name, kind in kinds.items() if len(kind) > 1} == {}


def test_every_output_is_one_that_commands_give() -> None:
    assert set(ACTION["outputs"]) == {*OUTPUTS, "failure-reason", "report-file"}


def test_no_secret_is_in_a_command_line() -> None:
    assert ACTION["runs"]["args"] == ["action"]
    assert "entrypoint" not in ACTION["runs"]


@pytest.mark.parametrize("job", list(PROMOTE["jobs"]))
def test_the_workflow_uses_inputs_that_the_command_has(job: str) -> None:
    for step in PROMOTE["jobs"][job]["steps"]:
        if step["uses"] == "./.confmig":
            inputs = dict(step["with"])
            names = {parameter.opts[0].removeprefix("--") for parameter in command_of(inputs.pop("command")).params}
            assert set(inputs) <= names | set(SIGN_IN), step["name"]


def test_the_workflow_needs_no_more_rights_than_it_says() -> None:
    assert PROMOTE["permissions"] == {}
    rights = {name: set(job["permissions"]) for name, job in PROMOTE["jobs"].items()}
    assert rights.pop("import") == {"contents", "id-token", "actions"}
    assert set(map(frozenset, rights.values())) == {frozenset({"contents", "id-token"})}


def test_every_job_that_signs_in_has_an_environment_and_the_import_is_alone() -> None:
    for job in PROMOTE["jobs"].values():
        assert job["environment"]
    assert PROMOTE["jobs"]["import"]["concurrency"]["cancel-in-progress"] is False


def test_the_pins_are_those_that_the_tests_stand_in_for() -> None:
    pins = set()
    for path in [*REPOSITORY.glob(".github/workflows/*.yml"), *REPOSITORY.glob("examples/github/*.yml")]:
        pins |= set(re.findall(r"uses: (actions/[\w-]+@[0-9a-f]{40}) # v[\d.]+$", path.read_text(), re.MULTILINE))
        assert not re.findall(r"uses: actions/[\w-]+@(?![0-9a-f]{40} # v)", path.read_text()), path
    from tests.pipeline.act import STAND_INS

    assert pins == {f"{name}@{commit}" for name, commit in STAND_INS.items()}


def reasons() -> set[str]:
    """Every word for why something did not end well, as the sources have it."""
    found = {rule.name for rule, _ in all_rules() if rule.severity is Severity.ERROR}
    for path in (REPOSITORY / "src/confmig").rglob("*.py"):
        if "emulator" not in path.parts:
            found |= reasons_in(path)
    return found - {"error", "warning"}


def reasons_in(path: Path) -> set[str]:
    text = path.read_text()
    words = re.findall(r"reason=\"([a-z-]+)\"|usual_reason = \"([a-z-]+)\"|Finding\(\s*\"([a-z-]+)\"", text)
    return {word for group in words for word in group if word}


def test_every_failure_reason_stands_in_the_readme() -> None:
    section = README.partition("`failure-reason` is one word")[2].partition("## Sign-in")[0]
    listed = set(re.findall(r"`([a-z-]+)`", section))
    assert reasons() <= listed
    assert {word for word in listed if not any(word in path.read_text() for path in sources())} == set()


def sources() -> list[Path]:
    return list((REPOSITORY / "src/confmig").rglob("*.py"))
