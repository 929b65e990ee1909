"""What must hold before a plan is applied: that it is the approved one, young enough, approved, and still true."""

import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from confmig import __version__
from confmig.checking.findings import errors_of
from confmig.commands.sides import compare_origin
from confmig.errors import ExitCode, PlanError, UsageError
from confmig.hosts.host import say
from confmig.package.package import Package
from confmig.planning.approving import unapproved
from confmig.planning.build import build_plan
from confmig.planning.plan import Change, Origin, PlanOptions
from confmig.planning.planfile import PlanFile
from confmig.reporting.build import describe_change
from confmig.reporting.findings import findings_report
from confmig.reporting.report import SHOWN_ROWS, Report, Section
from confmig.webapi.environment import Environment

_AGE = re.compile(r"(\d{1,6})\s*([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_CLOCKS_APART = timedelta(minutes=10)
"""So much may the clock of the machine that made a plan be ahead of ours."""


def parse_age(text: str | None) -> timedelta | None:
    """The length of time that ``30m``, ``12h`` or ``7d`` stands for.

    Raises:
        UsageError: It is none.
    """
    if text is None:
        return None
    match = _AGE.fullmatch(text.strip().lower())
    if match is None:
        raise UsageError(f"--plan-age {text}: this is no length of time.", "Give minutes, hours or days: 30m, 12h, 7d.")
    return timedelta(**{_UNITS[match.group(2)]: int(match.group(1))})


def require_expected(planned: PlanFile, digest: str | None, data_digest: str | None, age: timedelta | None) -> None:
    """Check that a plan file is as it was made, that it is the approved one, of the right package, and not too old.

    Raises:
        PlanError: It is not.
    """
    planned.require_untouched()
    actual = planned.header.digest
    if digest is not None and digest.strip().lower() != actual:
        raise PlanError(
            f"{planned.path}: its digest is {actual}, not the approved {digest}.",
            "Have this plan approved, or give the approved file.",
            reason="plan-changed",
        )
    package = planned.header.package_digest
    if data_digest is not None and data_digest.strip().lower() != package:
        raise PlanError(
            f"{planned.path} is a plan for a package with digest {package}, not the expected {data_digest}.",
            "Make a plan for the package that was exported.",
            reason="package-changed",
        )
    if age is not None:
        _require_young(planned, age)


def _require_young(planned: PlanFile, age: timedelta) -> None:
    """Check a plan's age. Its time is no part of its digest; the target's state at that time is."""
    created = planned.header.created
    try:
        made = datetime.fromisoformat(created).astimezone(UTC)
        young = -_CLOCKS_APART <= datetime.now(UTC) - made <= age
    except (ValueError, OverflowError):
        young = False
    if not young:
        raise PlanError(
            f"{planned.path}: the plan was made at {created or 'no known time'}, which is not within the"
            f" {age} before now that --plan-age allows.",
            "Make a new plan and have it approved.",
            reason="plan-expired",
        )


def require_package_of(planned: PlanFile, package: Package) -> None:
    """Check that a package is the one that a plan was made from.

    Raises:
        PlanError: It is another.
    """
    if package.digest != planned.header.package_digest:
        raise PlanError(
            f"{planned.path} is a plan for another package than {package.path}.",
            "Give the package that the plan was made from, unchanged.",
            reason="package-changed",
        )


def objections(
    planned: PlanFile, target: Environment, package: Package | None, options: PlanOptions, *, again: bool
) -> Report | None:
    """What the target says against applying a plan now; None when nothing does.

    Args:
        planned: The plan.
        target: The target.
        package: The package, when it is at hand.
        options: The policies of the plan.
        again: Whether the plan is made again and compared.
    """
    header = planned.header
    if header.target_organization != target.identity.organization_id:
        raise PlanError(
            f"{planned.path} is a plan for organization {header.target_organization} ({header.target_url}),"
            f" but {target.url} is {target.identity.organization_id}.",
            "Make a plan for this target.",
            reason="other-target",
        )
    origin = Origin(header.source_organization, header.source_url, header.source_solutions)
    if header.source_organization and (errors := errors_of(compare_origin(header.tables, origin, target, options))):
        return findings_report("import", errors)
    if package is None or not again:
        return None
    with tempfile.TemporaryDirectory(prefix="confmig-") as folder:
        path = Path(folder) / "again.plan"
        result = build_plan(
            package, target, options, path, package=header.package, tool_version=__version__, origin=origin
        )
        if result.findings:
            return findings_report("import", result.findings)
        with PlanFile(path) as fresh:
            return _compared(planned, fresh)


def _compared(approved: PlanFile, fresh: PlanFile) -> Report | None:
    if fresh.header.digest == approved.header.digest:
        return None
    refusals = [("", "", reason) for reason in fresh.header.refusals if reason not in approved.header.refusals]
    others = unapproved(approved, fresh)
    rows = [*refusals, *islice(_rows(others), SHOWN_ROWS)]
    if not rows:
        say(f"Of the {approved.writes()} approved changes {fresh.writes()} are left; they are applied now.")
        return None
    more = sum(1 for _ in others)
    count = len(rows) + more
    return Report(
        "import",
        ExitCode.REFUSED,
        f"The target has changed since the plan was approved: {count} change{'s' if count > 1 else ''} would not be as"
        " approved, so nothing was written.",
        {
            "plan_file": str(approved.path),
            "plan_digest": approved.header.digest,
            "digest_now": fresh.header.digest,
            "hint": "Make a new plan, have it approved, and import that.",
        },
        [Section("Not as approved", ("table", "row", "why"), rows, more)],
        reason="plan-changed",
    )


def _rows(changes: Iterator[tuple[Change, str]]) -> Iterator[tuple[str, str, str]]:
    for change, reason in changes:
        yield change.table, change.name or change.id, f"{change.action.value}: {reason} ({describe_change(change)})"
