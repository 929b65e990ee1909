"""The command line: which commands there are, and the one place where the process ends.

Commands are imported when they are called, so that ``confmig --help`` does not wait for what it does not need.
"""

import importlib
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated, Protocol, cast

import typer
from typer.core import TyperCommand, TyperGroup

from confmig import __version__
from confmig.errors import ConfmigError, ExitCode
from confmig.hosts.host import say, show
from confmig.hosts.signals import SIGNALS

COMMANDS = {
    "export": ("confmig.commands.export:export", "Read the schema's rows from the source into a data package."),
    "diff": ("confmig.commands.diff:diff", "Compare two packages, table by table, row by row, column by column."),
    "plan": ("confmig.commands.plan:plan", "Show what importing this package would change in the target."),
    "import": ("confmig.commands.import_:import_", "Apply a plan exactly, or plan and apply a package."),
    "verify": ("confmig.commands.verify:verify", "Check that the target holds what the package says."),
    "promote": ("confmig.commands.promote:promote", "Export, plan, import and verify in one process."),
    "emulator": ("confmig.commands.emulator:emulator", "Serve a local Dataverse environment."),
}
"""Each command with the place of its function and its sentence."""


class _Formatter(Protocol):
    """The part of the help formatter that is used here."""

    def section(self, name: str) -> AbstractContextManager[None]: ...

    def write_dl(self, rows: list[tuple[str, str]]) -> None: ...


class _LazyGroup(TyperGroup):
    """Imports a command's module when the command is called."""

    def list_commands(self, ctx: object) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name][0].split(":")
        target: Callable[..., object] = getattr(importlib.import_module(module), function)
        app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        app.command(name=cmd_name, help=COMMANDS[cmd_name][1])(target)
        return cast(TyperCommand, typer.main.get_command(app))

    def format_commands(self, ctx: object, formatter: _Formatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in COMMANDS.items()])


def _show_version(wanted: bool) -> None:  # the signature of an option's callback
    if wanted:
        print(f"confmig {__version__}")
        raise typer.Exit


_app = typer.Typer(
    cls=_LazyGroup,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@_app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Move configuration data between Dynamics 365 / Dataverse environments."""
    del version


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and give its exit code; the words about an error go to stderr.

    Args:
        arguments: Without the program's name; default: those of the process.
    """
    try:
        result = _app(args=arguments, prog_name="confmig", standalone_mode=False)
    except ConfmigError as error:
        _complain(error.message, error.hint)
        if _wants_json(sys.argv[1:] if arguments is None else arguments):
            _show_error(error)
        return int(error.exit_code)
    except typer.Abort:
        return int(ExitCode.INTERRUPTED)
    except typer.TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            show(f"{error.format_message()}\n" if hasattr(error, "format_message") else "")
            return int(ExitCode.USAGE)
        _complain(error.format_message() if hasattr(error, "format_message") else str(error), "See confmig --help.")
        return int(ExitCode.USAGE)
    except OSError as error:
        _complain(
            f"{error.filename or 'A file'}: {error.strerror or error}.", "Check the path, the space and the rights."
        )
        return int(ExitCode.USAGE)
    except Exception as error:
        import sqlite3  # plan and run files; not worth loading for --help

        if not isinstance(error, sqlite3.Error):
            raise
        _complain(
            f"A plan or run file cannot be read or written: {error}.", "Check the space, the rights and the file."
        )
        return int(ExitCode.USAGE)
    return int(result) if isinstance(result, int) else int(ExitCode.DONE)


def _wants_json(arguments: list[str]) -> bool:
    """Whether the result is wanted as JSON; an error is a result then too."""
    given = " ".join(arguments).replace("--format=", "--format ")
    return "--format json" in given or ("--format" not in given and os.environ.get("CONFMIG_FORMAT") == "json")


def _show_error(error: ConfmigError) -> None:
    from confmig.reporting.json import render_json  # not worth loading for --help
    from confmig.reporting.report import Report

    show(render_json(Report("", error.exit_code, error.message, {"hint": error.hint})))


def _complain(message: str, hint: str) -> None:
    say(f"confmig: {message}")
    if hint:
        say(f"  {hint}")


def main() -> None:
    """The program."""
    SIGNALS.install()
    sys.exit(run())
