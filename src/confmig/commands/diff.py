"""``confmig diff``: How do two packages differ?"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from confmig.commands.options import Format, FormatOption, PackageLimits, Reports, require_outside
from confmig.commands.results import finish
from confmig.errors import ExitCode
from confmig.model.schema import Schema
from confmig.package.comparing import Difference, compare_packages, compare_schemas
from confmig.package.limits import LIMITS, Limits
from confmig.package.package import Package, read_schema
from confmig.reporting.differences import differences_report
from confmig.reporting.report import SHOWN_ROWS
from confmig.reporting.write import require_report_paths

_Compared = tuple[tuple[Schema, Schema], Iterator[Difference]]


def diff(
    first: Annotated[Path, typer.Argument(help="Data package: a zip, or a folder; or a schema file.")],
    second: Annotated[Path, typer.Argument(help="The package to compare it with.")],
    exact: Annotated[
        bool,
        typer.Option(
            "--exact",
            envvar="CONFMIG_EXACT",
            help="Also tell what differs in form only: digits, empty values, names of lookups, unknown attributes.",
        ),
    ] = False,
    max_listed: Annotated[
        int,
        typer.Option(
            envvar="CONFMIG_MAX_LISTED", min=0, metavar="N", help="Differences that are listed; all are counted."
        ),
    ] = SHOWN_ROWS,
    package_limits: PackageLimits = LIMITS,
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Compare two packages, table by table, row by row, column by column."""
    require_outside(first, *(report or ()))
    require_outside(second, *(report or ()))
    require_report_paths(report or ())
    only_schemas = any(path.suffix.lower() == ".xml" and not path.is_dir() for path in (first, second))
    same = f"The two {'schemas say' if only_schemas else 'packages hold'} the same{', to the digit' if exact else ''}."
    with _opened(first, second, package_limits, only_schemas=only_schemas, exact=exact) as (schemas, differences):
        names = {table.name: table.display_name for schema in schemas for table in schema.merged_tables()}
        result = differences_report(differences, str(first), str(second), same=same, listed=max_listed, names=names)
    return finish(result, format_, report)


@contextmanager
def _opened(first: Path, second: Path, limits: Limits, *, only_schemas: bool, exact: bool) -> Iterator[_Compared]:
    """Both sides with their differences; a schema file is compared with the schema of the other side."""
    if only_schemas:
        left, right = read_schema(first, limits)[0], read_schema(second, limits)[0]
        yield (left, right), compare_schemas(left, right, exact=exact)
        return
    with Package(first, limits) as one, Package(second, limits) as other:
        yield (one.schema, other.schema), compare_packages(one, other, exact=exact)
