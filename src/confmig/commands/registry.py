"""Which commands there are, each a function in a module that is imported when the command is called."""

import importlib
from collections.abc import Callable
from typing import cast

import typer
from typer.core import TyperCommand

COMMANDS = {
    "check": ("confmig.commands.check:check", "Check whether this schema's rows may move from source to target now."),
    "schema generate": (
        "confmig.commands.schema_generate:generate",
        "Write the schema of these tables, as the source describes them.",
    ),
    "schema validate": (
        "confmig.commands.schema_validate:validate",
        "Check whether a schema is complete and right, alone and against environments.",
    ),
    "export": ("confmig.commands.export:export", "Read the schema's rows from the source into a data package."),
    "unpack": (
        "confmig.commands.unpack:unpack",
        "Turn a package into a folder made for git: one file a row, long texts and files beside it.",
    ),
    "pack": (
        "confmig.commands.pack:pack",
        "Turn a folder made for git into the zip that the Configuration Migration Tool takes.",
    ),
    "diff": ("confmig.commands.diff:diff", "Compare two packages, table by table, row by row, column by column."),
    "plan": ("confmig.commands.plan:plan", "Show what importing this package would change in the target."),
    "import": ("confmig.commands.import_:import_", "Apply a plan exactly, or plan and apply a package."),
    "verify": ("confmig.commands.verify:verify", "Check that the target holds what the package says."),
    "promote": ("confmig.commands.promote:promote", "Export, plan, import and verify in one process."),
    "emulator": ("confmig.commands.emulator:emulator", "Serve a local Dataverse environment."),
}
"""Each command with the place of its function and its sentence."""

GROUPS = {"schema": "Write schemas, and check them."}
"""The first words that several commands share."""


def command_of(name: str) -> TyperCommand:
    """A command by its whole name, with its parameters."""
    module, function = COMMANDS[name][0].split(":")
    target: Callable[..., object] = getattr(importlib.import_module(module), function)
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name=name.rpartition(" ")[2], help=COMMANDS[name][1])(target)
    return cast(TyperCommand, typer.main.get_command(app))
