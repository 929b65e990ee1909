"""What the documents say is what the program does."""

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.models import ArgumentInfo, OptionInfo

from confmig import errors
from confmig.commands.registry import COMMANDS
from confmig.errors import ConfmigError, ExitCode
from tests.conftest import REPOSITORY

README = (REPOSITORY / "README.md").read_text()
# Secrets, and what has no counterpart on the command line.
VARIABLES_WITHOUT_OPTION = {"CONFMIG_EMULATOR_TOKEN", "CONFMIG_CORPUS", "CONFMIG_OIDC_AUDIENCE"}


def options(command: str) -> dict[str, OptionInfo]:
    module, name = COMMANDS[command][0].split(":")
    signature = inspect.signature(getattr(importlib.import_module(module), name))
    found: dict[str, OptionInfo] = {}
    for parameter in signature.parameters.values():
        info: Any = next(item for item in get_args(parameter.annotation) if isinstance(item, OptionInfo | ArgumentInfo))
        if isinstance(info, OptionInfo):
            found[parameter.name.rstrip("_").replace("_", "-")] = info
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme_with_its_sentence(command: str) -> None:
    assert f"| `{command}` | {COMMANDS[command][1]} |" in README


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_variable_of_its_name_and_help(command: str) -> None:
    for name, info in options(command).items():
        shown = next((item.removeprefix("--") for item in info.param_decls or () if item.startswith("--")), name)
        assert info.envvar == "CONFMIG_" + shown.upper().replace("-", "_"), (command, name)
        assert info.help, (command, name)
        assert not re.search("secret|password|token", shown), "secrets come by variable only"


def test_every_variable_of_the_readme_is_an_option() -> None:
    known = {str(info.envvar) for command in COMMANDS for info in options(command).values()} | VARIABLES_WITHOUT_OPTION
    named = set(re.findall(r"CONFMIG_[A-Z_]+", README))
    sides = {
        name
        for name in named
        if re.match("CONFMIG_(SOURCE|TARGET)_(TENANT_ID|CLIENT_ID|CLIENT_SECRET|SERVICE_CONNECTION_ID)", name)
    }
    assert named - sides <= known


def test_the_exit_codes_of_the_readme_are_those_of_the_program() -> None:
    listed = {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", README, re.MULTILINE) for code in row.split(",")}
    assert listed == {int(code) for code in ExitCode}


def subclasses(root: type[ConfmigError]) -> set[type[ConfmigError]]:
    return {root} | {leaf for child in root.__subclasses__() for leaf in subclasses(child)}


def test_every_error_has_an_exit_code_of_its_own_kind_and_stands_in_the_tree() -> None:
    tree = errors.__doc__ or ""
    for error in subclasses(ConfmigError) - {ConfmigError}:
        assert error.exit_code not in {ExitCode.DONE} or error is errors.StoppedError, error
        if error.__module__ == "confmig.errors":
            assert error.__name__ in tree


def test_no_exception_of_ours_stands_outside_the_tree() -> None:
    for path in (REPOSITORY / "src" / "confmig").rglob("*.py"):
        if "emulator" not in path.parts:
            bare = re.findall(
                r"^class (\w+)\((?:Exception|BaseException|ValueError|RuntimeError)\)", path.read_text(), re.M
            )
            assert bare in ([], ["ConfmigError"]), path


def test_help_and_version_do_not_wait_for_what_they_do_not_need() -> None:
    for argument in ("--version", "--help"):
        answer = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "confmig", argument], capture_output=True, text=True, check=True
        )
        loaded = set(re.findall(r"\| +([\w.]+)$", answer.stderr, re.MULTILINE))
        assert not loaded & {"requests", "msal", "lxml", "msgspec", "jinja2", "uvicorn", "yaml", "sqlite3"}
        assert "confmig" in answer.stdout


def test_no_lock_of_a_registry_is_tracked_and_every_pin_has_a_hash() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (REPOSITORY / name).read_text()
        assert "://" not in text
        pins = re.findall(r"^[A-Za-z0-9_.-]+(?:\[[^\]]*\])?==", text, re.MULTILINE)
        assert len(pins) == len(re.findall(r"^[A-Za-z0-9_.-].*\\\n    --hash=sha256:", text, re.MULTILINE))
    tracked = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert not {"uv.lock", "pylock.toml"} & set(tracked.split())


def test_no_module_has_grown_beyond_what_one_can_read() -> None:
    sizes = {path: len(path.read_text().splitlines()) for path in (REPOSITORY / "src").rglob("*.py")}
    assert {path.name: size for path, size in sizes.items() if size > 400} == {}


def test_the_licence_and_the_changelog_are_there() -> None:
    assert "MIT License" in Path(REPOSITORY / "LICENSE").read_text()
    assert "## [Unreleased]" in Path(REPOSITORY / "CHANGELOG.md").read_text()
