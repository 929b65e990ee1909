"""The inputs of the GitHub Action as the arguments of a command: ``confmig action`` runs what they name.

The runner hands inputs over as variables, ``INPUT_PLAN-AGE`` for ``plan-age``. Here they become options of a command in
this same process: no shell ever reads them. Secrets become the variables that sign-in takes them from.
"""

import os
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path

from typer.core import TyperArgument, TyperOption

from confmig.commands.registry import COMMANDS, command_of
from confmig.errors import UsageError
from confmig.hosts.github import mask_secrets
from confmig.hosts.ownership import act_as_owner_of

SIGN_IN = {
    "tenant-id": "AZURE_TENANT_ID",
    "client-id": "AZURE_CLIENT_ID",
    "client-secret": "AZURE_CLIENT_SECRET",
    "github-token": "GITHUB_TOKEN",
    "oidc-audience": "CONFMIG_OIDC_AUDIENCE",
    "authority": "AZURE_AUTHORITY_HOST",
    **{
        f"{side}-{name}": f"CONFMIG_{side}_{name}".upper().replace("-", "_")
        for side in ("source", "target")
        for name in ("tenant-id", "client-id", "client-secret")
    },
}
"""Inputs that are no options, and the variables that they stand for."""

ALIASES = {"app-id": "client-id", "schema-file": "schema", "data-file": "data"}
"""What Microsoft's actions call some inputs. Their ``environment-url`` is the source of an export, else the target."""

OWN = {"command", "working-directory", "environment-url"}
"""Inputs of the action itself."""


def take_inputs() -> list[str]:
    """The arguments of the command that the input ``command`` names, with the other inputs as its options.

    The process acts as the owner of the workspace from here on, in the ``working-directory`` if one is given.

    Raises:
        UsageError: The inputs do not fit the command.
    """
    mask_secrets(os.environ)
    inputs = read_inputs(os.environ)
    act_as_owner_of(Path.cwd(), [os.environ.get(name, "") for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")])
    name = _command_name(inputs)
    if folder := inputs.get("working-directory"):
        _change_folder(folder)
    for key, variable in SIGN_IN.items():
        if value := inputs.get(key):
            os.environ[variable] = value
    inputs.setdefault("report", f"confmig-{name.replace(' ', '-')}.html")
    return [*name.split(), *_options(name, inputs)]


def read_inputs(variables: Mapping[str, str]) -> dict[str, str]:
    """The inputs that were given, by name; an empty one was not. Underscores in a name are read as hyphens.

    Raises:
        UsageError: Two spellings of an input have different values.
    """
    inputs: dict[str, str] = {}
    for key, value in variables.items():
        if key.startswith("INPUT_") and value.strip():
            name = key.removeprefix("INPUT_").lower().replace("_", "-").replace(" ", "-")
            if inputs.setdefault(name, value.strip()) != value.strip():
                raise UsageError(f"The input {name} is given twice, with different values.", "Give it once.")
    for alias, name in ALIASES.items():
        if alias in inputs:
            inputs.setdefault(name, inputs.pop(alias))
    return inputs


def _command_name(inputs: MutableMapping[str, str]) -> str:
    offered = [name for name in COMMANDS if name not in {"emulator", "promote"}]  # neither is for a pipeline
    wanted = " ".join(inputs.get("command", "").replace("schema-", "schema ").split())
    if wanted not in offered:
        raise UsageError(f"command: {wanted!r} is none of confmig's commands.", f"There are {', '.join(offered)}.")
    if url := inputs.get("environment-url"):
        inputs.setdefault("source" if wanted in {"export", "schema generate"} else "target", url)
    return wanted


def _change_folder(folder: str) -> None:
    try:
        os.chdir(folder)
    except OSError as error:
        raise UsageError(f"working-directory {folder}: {error.strerror}.", "Check the path.") from error


def _options(name: str, inputs: Mapping[str, str]) -> Iterator[str]:
    """The inputs as options of a command.

    Raises:
        UsageError: An input was given that the command has no option for, or a switch that is neither true nor false.
    """
    parameters = {parameter.opts[0].removeprefix("--"): parameter for parameter in command_of(name).params}
    given = {key: value for key, value in inputs.items() if key not in SIGN_IN and key not in OWN}
    if unknown := sorted(given.keys() - parameters.keys()):
        raise UsageError(f"confmig {name} has no input {unknown[0]}.", f"It has {', '.join(sorted(parameters))}.")
    for key, value in given.items():
        parameter = parameters[key]
        if isinstance(parameter, TyperOption) and parameter.is_flag:
            yield from _switch(key, value)
        elif isinstance(parameter, TyperOption):
            values = [line.strip() for line in value.splitlines() if line.strip()] if parameter.multiple else [value]
            yield from (f"--{key}={item}" for item in values)
    yield "--"  # what follows is no option, whatever it begins with
    yield from (
        given[key] for key, parameter in parameters.items() if isinstance(parameter, TyperArgument) and key in given
    )


def _switch(key: str, value: str) -> Iterator[str]:
    if value.lower() not in {"true", "false"}:
        raise UsageError(f"{key}: {value!r} is neither true nor false.", "Write true or false.")
    if value.lower() == "true":
        yield f"--{key}"
    else:  # an input that says no overrules a variable that says yes
        os.environ.pop(f"CONFMIG_{key.upper().replace('-', '_')}", None)
