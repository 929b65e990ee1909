"""Whether a target holds what a package says: a plan that is not kept, and should be empty."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from confmig.checking.findings import Finding
from confmig.planning.build import build_plan
from confmig.planning.plan import WRITING, Action, Change, PlanOptions, TableCounts
from confmig.planning.planfile import PlanFile, PlanHeader
from confmig.planning.ports import Current, Wanted

DIFFERING = (*WRITING, Action.CONFLICT)
"""What a plan would write, or cannot decide, is what differs."""


@dataclass(frozen=True, slots=True)
class Verification:
    """Where a target differs from a package.

    ``differences`` are the first of the ``count`` that there are. ``undecided`` says what could not be compared, and
    ``findings`` why nothing was. ``header`` is that of the plan that the target was compared by.
    """

    differences: Sequence[Change] = ()
    count: int = 0
    counts: Sequence[TableCounts] = ()
    undecided: Sequence[str] = ()
    findings: Sequence[Finding] = ()
    header: PlanHeader | None = None

    @property
    def holds(self) -> bool:
        """Whether the target holds what the package says."""
        return not (self.count or self.undecided or self.findings)


def verify_target(wanted: Wanted, target: Current, options: PlanOptions, shown: int) -> Verification:
    """Compare a target with a package, as a plan does.

    Args:
        wanted: The package.
        target: The target; it is not written to.
        options: The policies of the plan.
        shown: How many differences are wanted at most.
    """
    with tempfile.TemporaryDirectory(prefix="confmig-") as folder:
        path = Path(folder) / "verify.plan"
        result = build_plan(wanted, target, options, path, package="", tool_version="")
        if result.findings:
            return Verification(findings=result.findings)
        with PlanFile(path) as plan:
            return Verification(
                differences=tuple(islice(plan.changes(DIFFERING), shown)),
                count=plan.count(DIFFERING),
                counts=plan.counts(),
                undecided=tuple(plan.header.refusals),
                header=plan.header,
            )
