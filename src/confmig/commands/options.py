"""The options that mean the same in every command, each with a variable of the same name."""

from datetime import UTC, date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from confmig.applying.batch import OnDrift
from confmig.checking.live import LivePolicy
from confmig.checking.versions import VersionPolicy
from confmig.errors import UsageError
from confmig.package.folder import PACKAGE_FILE
from confmig.package.limits import LIMITS, Limits, parse_limits
from confmig.planning.plan import LookupPolicy
from confmig.webapi.auth import AuthMode


class Format(StrEnum):
    """The form of the result on stdout."""

    TEXT = "text"
    JSON = "json"


Source = Annotated[str, typer.Option(envvar="CONFMIG_SOURCE", help="URL of the environment to read from.")]
Target = Annotated[str, typer.Option(envvar="CONFMIG_TARGET", help="URL of the target environment.")]
SchemaFile = Annotated[
    Path, typer.Option(envvar="CONFMIG_SCHEMA", help="Schema file, or a data package whose schema is meant.")
]
OptionalSchema = Annotated[
    Path | None,
    typer.Option("--schema", envvar="CONFMIG_SCHEMA", help="Schema file, or a data package whose schema is meant."),
]
DataFile = Annotated[Path, typer.Option(envvar="CONFMIG_DATA", help="Data package: a zip, or a folder.")]
OptionalData = Annotated[
    Path | None, typer.Option("--data", envvar="CONFMIG_DATA", help="Data package: a zip, or a folder.")
]
PackageArgument = Annotated[
    Path, typer.Argument(envvar="CONFMIG_DATA", help="Data package: a zip, or a folder.", show_default=False)
]
PlanPath = Annotated[Path, typer.Option("--plan", envvar="CONFMIG_PLAN", help="Plan file.")]
RunPath = Annotated[
    Path | None, typer.Option("--run", envvar="CONFMIG_RUN", help="Run file: the journal and the evidence.")
]
Auth = Annotated[
    AuthMode | None,
    typer.Option(envvar="CONFMIG_AUTH", help="How to sign in; default: none on this machine, else secret."),
]
OptionalSource = Annotated[
    str | None, typer.Option("--source", envvar="CONFMIG_SOURCE", help="URL of the environment to read from.")
]
OptionalTarget = Annotated[
    str | None, typer.Option("--target", envvar="CONFMIG_TARGET", help="URL of the target environment.")
]
Versions = Annotated[
    VersionPolicy,
    typer.Option(envvar="CONFMIG_VERSIONS", help="How the versions of solutions may differ between source and target."),
]
Solutions = Annotated[
    list[str] | None,
    typer.Option(
        "--compare-solution",
        envvar="CONFMIG_COMPARE_SOLUTION",
        metavar="NAME",
        help="Unique name of a solution whose versions are compared; repeatable. Those of known products always are.",
    ),
]
Live = Annotated[
    LivePolicy, typer.Option(envvar="CONFMIG_LIVE", help="What happens with rows that are live in the source.")
]
Outside = Annotated[
    list[str] | None,
    typer.Option(
        envvar="CONFMIG_OUTSIDE",
        metavar="TABLE",
        help="Table whose rows the target is known to have under the same ids; repeatable.",
    ),
]
ExpectData = Annotated[
    str | None,
    typer.Option(
        "--expect-data-digest",
        envvar="CONFMIG_EXPECT_DATA_DIGEST",
        metavar="DIGEST",
        help="Digest of the package that was exported; any other is refused.",
    ),
]
SameOrganization = Annotated[
    bool,
    typer.Option(
        "--same-organization",
        envvar="CONFMIG_SAME_ORGANIZATION",
        help="Let a package go back to the organization that it was exported from.",
    ),
]
SourceAuth = Annotated[
    AuthMode | None, typer.Option(envvar="CONFMIG_SOURCE_AUTH", help="How to sign in to the source, if not by --auth.")
]
TargetAuth = Annotated[
    AuthMode | None, typer.Option(envvar="CONFMIG_TARGET_AUTH", help="How to sign in to the target, if not by --auth.")
]
FormatOption = Annotated[Format, typer.Option("--format", envvar="CONFMIG_FORMAT", help="Form of the result.")]
Reports = Annotated[
    list[Path] | None,
    typer.Option(
        "--report",
        envvar="CONFMIG_REPORT",
        metavar="FILE",
        help="Write a report: .html, .md, .json or .txt; repeatable.",
    ),
]
Lookups = Annotated[
    LookupPolicy,
    typer.Option(envvar="CONFMIG_LOOKUPS", help="What to do with a lookup whose row is nowhere."),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option(
        envvar="CONFMIG_IGNORE",
        metavar="TABLE.COLUMN",
        help="table.column that is neither compared nor written; repeatable.",
    ),
]
MaxChanges = Annotated[
    int | None,
    typer.Option(envvar="CONFMIG_MAX_CHANGES", min=0, metavar="N", help="Refuse a plan that writes more than this."),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        envvar="CONFMIG_AS_OF",
        metavar="MOMENT",
        help="The day or time, in UTC, of the import that relative dates (dateMode) are moved for; default now.",
    ),
]
Drift = Annotated[
    OnDrift, typer.Option("--on-drift", envvar="CONFMIG_ON_DRIFT", help="When a row has changed since the plan.")
]


def _limits(given: str | Limits) -> Limits:
    """The limits of --package-limits; the command line's parser hands the default over, too."""
    return given if isinstance(given, Limits) else parse_limits(given)


PackageLimits = Annotated[
    Limits,
    typer.Option(
        "--package-limits",
        envvar="CONFMIG_PACKAGE_LIMITS",
        parser=_limits,
        metavar="LIMIT=NUMBER,…",
        show_default=False,
        help="What a package may ask for before it is refused as hostile; default:"
        f" ratio={LIMITS.ratio} (unpacked to packed), size={LIMITS.size // 1024**3}GB (unpacked, in all),"
        f" value={LIMITS.value // 1024**2}MB (one value), tables={LIMITS.tables}.",
    ),
]


def require_distinct(*paths: Path | None) -> None:
    """Check that no two of a command's files are the same.

    Raises:
        UsageError: Two are: one would replace the other.
    """
    named = [path.resolve() for path in paths if path is not None]
    for path in named:
        if named.count(path) > 1:
            raise UsageError(f"{path}: this file is named twice, and one use would destroy the other.", "Name another.")


def require_outside(package: Path | None, *outputs: Path | None) -> None:
    """Check that nothing is written among the files of a package in the folder form: it would be none any more.

    What is hidden at its top is no part of it. A folder that is not there yet, or empty, is one that export will write.

    Raises:
        UsageError: Something would be.
    """
    if package is None or not _is_folder_form(package):
        return
    folder = package.resolve()
    for output in (path for path in outputs if path is not None):
        whole = output.resolve()
        if folder in whole.parents and not whole.relative_to(folder).parts[0].startswith("."):
            raise UsageError(f"{output}: this lies in the package's folder, which holds nothing else.", "Name another.")


def _is_folder_form(path: Path) -> bool:
    return (path / PACKAGE_FILE).is_file() or not path.exists() or (path.is_dir() and not any(path.iterdir()))


def ignored_columns(texts: list[str] | None) -> frozenset[tuple[str, str]]:
    """The (table, column) pairs of --ignore.

    Raises:
        UsageError: One is not of the form table.column.
    """
    pairs: set[tuple[str, str]] = set()
    for text in texts or ():
        table, dot, column = text.partition(".")
        if not (table and dot and column) or "." in column:
            raise UsageError(f"--ignore {text}: this is no column.", "Give it as table.column, in logical names.")
        pairs.add((table, column))
    return frozenset(pairs)


def moment_of(text: str | None) -> datetime | None:
    """The moment of --as-of, in UTC; a day without a time means its end, so that days count as on a calendar.

    Raises:
        UsageError: It is none.
    """
    if text is None:
        return None
    try:
        if len(text.strip()) <= len("2024-07-26"):
            return datetime.combine(date.fromisoformat(text.strip()), time(23, 59, 59), UTC)
        moment = datetime.fromisoformat(text.strip()).replace(microsecond=0)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        hint = "Give it as 2024-07-26, 2024-07-26T15:51:30Z or 2024-07-26T15:51:30+02:00."
        raise UsageError(f"--as-of {text}: this is no day and no time.", hint) from error


def auth_mode(own: AuthMode | None, common: AuthMode | None, url: str) -> AuthMode:
    """How to sign in: the side's own mode, else the common one; without either, none on loopback and secret elsewhere.

    The last is decided by the address alone, never by which secrets happen to be there.
    """
    from confmig.webapi.auth import is_loopback

    return own or common or (AuthMode.NONE if is_loopback(url) else AuthMode.SECRET)
