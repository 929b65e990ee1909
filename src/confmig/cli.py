"""The command line: which commands there are, and the one place where the process ends.

Commands are imported when they are called, so that ``confmig --help`` does not wait for what it does not need.
"""

import os
import sys
import traceback
from contextlib import AbstractContextManager
from typing import Annotated, Protocol, cast

import typer
from typer.core import TyperCommand, TyperGroup

from confmig import __version__
from confmig.commands.registry import COMMANDS, GROUPS, command_of
from confmig.errors import ConfmigError, ExitCode, UsageError
from confmig.hosts.host import detect_host, say, show
from confmig.hosts.signals import SIGNALS
from confmig.model.secrets import SECRETS


class _Formatter(Protocol):
    """The part of the help formatter that is used here."""

    def section(self, name: str) -> AbstractContextManager[None]: ...

    def write_dl(self, rows: list[tuple[str, str]]) -> None: ...


class _LazyGroup(TyperGroup):
    """Imports a command's module when the command is called. A group within has a word of its own before its names."""

    word = ""

    def list_commands(self, ctx: object) -> list[str]:
        del ctx
        return list(self._commands())

    def _commands(self) -> dict[str, str]:
        """The commands of this group with their sentences; of those below another group only that group's word."""
        found: dict[str, str] = {}
        for name, (_, sentence) in COMMANDS.items():
            first, _, rest = name.removeprefix(self.word).partition(" ")
            if name.startswith(self.word):
                found.setdefault(first, GROUPS[first] if rest else sentence)
        return found

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | None:
        del ctx
        if not self.word and cmd_name in GROUPS:
            return cast(TyperCommand, typer.main.get_command(_group(cmd_name)))
        name = self.word + cmd_name
        return command_of(name) if name in COMMANDS else None

    def format_commands(self, ctx: object, formatter: _Formatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(self._commands().items()))


class _SchemaGroup(_LazyGroup):
    word = "schema "


def _group(word: str) -> typer.Typer:
    group = typer.Typer(
        cls=_SchemaGroup, add_completion=False, no_args_is_help=True, rich_markup_mode=None, help=GROUPS[word]
    )
    group.callback()(lambda: None)
    return group


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
    given = sys.argv[1:] if arguments is None else arguments
    SECRETS.learn()
    try:
        _require_text(given)
        if given == ["action"]:
            from confmig.commands.action import take_inputs

            given = take_inputs()
        result = _app(args=given, prog_name="confmig", standalone_mode=False)
    except typer.Abort:
        return int(ExitCode.INTERRUPTED)
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError" and isinstance(error, typer.TyperException):
            show(f"{error.format_message()}\n")
            return int(ExitCode.USAGE)
        known = _as_ours(error)
        if known is None:
            return _report_bug(given)
        return _report_error(known, given)
    return int(result) if isinstance(result, int) else int(ExitCode.DONE)


def _require_text(given: list[str]) -> None:
    """Check that the arguments, and the variables that stand for some, are text.

    Raises:
        UsageError: One is not UTF-8, and so could be neither printed nor stored.
    """
    settings = [value for name, value in os.environ.items() if name.startswith(("CONFMIG_", "INPUT_"))]
    for text in (*given, *settings):
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            raise UsageError(f"{shown}: this is no UTF-8.", "Give another name.")


def _as_ours(error: Exception) -> ConfmigError | None:
    """An error as one of ours, or None when it is a bug: some that libraries raise are the user's to mend."""
    import sqlite3  # plan and run files

    match error:
        case ConfmigError():
            return error
        case typer.TyperException():
            message = error.format_message() if hasattr(error, "format_message") else str(error)
            context = getattr(error, "ctx", None)
            return UsageError(message, f"See {context.command_path if context else 'confmig'} --help.")
        case OSError():
            what = f"{error.filename or 'A file'}: {error.strerror or error}."
            return UsageError(what, "Check the path, the space and the rights.")
        case sqlite3.Error():
            what = f"A plan or run file cannot be read or written: {error}."
            return UsageError(what, "Check the space, the rights and the file.")
    return None


def _report_error(error: ConfmigError, given: list[str]) -> int:
    say(f"confmig: {error.message}")
    if error.hint:
        say(f"  {error.hint}")
    as_json = _wants_json(given)
    if as_json or detect_host().is_pipeline:
        from confmig.hosts.publish import publish  # not worth loading for --help
        from confmig.reporting.json import render_json
        from confmig.reporting.report import Report, with_texts

        report = Report(_command_of(given), error.exit_code, error.message, {"hint": error.hint}, reason=error.reason)
        if as_json:
            show(render_json(with_texts(report, SECRETS.hide)))
        publish(report, (), clean_stdout=as_json)
    return int(error.exit_code)


def _report_bug(given: list[str]) -> int:
    """Show the traceback line by line: it may hold texts of rows, which must be no commands of a pipeline."""
    for line in traceback.format_exc().splitlines():
        say(line)
    hint = "Please report it, with the traceback in the log."
    _report_error(ConfmigError("This is a bug in confmig.", hint), given)
    return int(ExitCode.BUG)


def _command_of(given: list[str]) -> str:
    words = " ".join(given)
    return next((name for name in COMMANDS if words == name or words.startswith(f"{name} ")), "")


def _wants_json(arguments: list[str]) -> bool:
    """Whether the result is wanted as JSON; an error is a result then too."""
    given = " ".join(arguments).replace("--format=", "--format ")
    return "--format json" in given or ("--format" not in given and os.environ.get("CONFMIG_FORMAT") == "json")


def main() -> None:
    """The program."""
    SIGNALS.install()
    sys.exit(run())
