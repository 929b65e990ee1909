"""A plan is carried out: applied, watched, looked at once more, reported."""

from dataclasses import replace
from pathlib import Path

from confmig.applying.apply import apply_plan
from confmig.applying.batch import OnDrift
from confmig.applying.outcomes import ApplyResult
from confmig.applying.runfile import RunFile
from confmig.applying.verification import Verification, verify_target
from confmig.errors import ExitCode
from confmig.hosts.host import say
from confmig.hosts.progress import Progress
from confmig.hosts.signals import SIGNALS
from confmig.package.package import Package
from confmig.planning.plan import PlanOptions
from confmig.planning.planfile import PlanFile
from confmig.reporting.build import apply_report, plan_report
from confmig.reporting.report import SHOWN_ROWS, Report
from confmig.webapi.environment import Environment


def carry_out(
    target: Environment, planned: PlanFile, run_path: Path, package: Package | None, on_drift: OnDrift
) -> Report:
    """Apply a plan, with its outcomes in a run file, and look again when the package is at hand.

    Args:
        target: The target, which is the plan's.
        planned: The plan, or the run of an import that did not end.
        run_path: The run file; an unfinished run of this plan goes on.
        package: The package, or None when it is not at hand.
        on_drift: What to do with a row that is no longer as planned.
    """
    if planned.header.refusals:
        return plan_report(planned, ExitCode.REFUSED, "import")
    writes = planned.writes()
    options = PlanOptions.from_texts(planned.header.policies, planned.header.as_of)
    say(f"The outcomes go into {run_path}.")
    with RunFile.start(planned, run_path) as run:
        with SIGNALS.gently() as stopping, Progress("applied", writes) as progress:
            files = package.open_file if package is not None else None
            result = apply_plan(target, run, on_drift, progress, stopping, files)
        if stopping():
            result = replace(result, error=SIGNALS.error("Stopped by a signal.", "The same command goes on."))
        left = None
        if package is not None and not (result.stopped or result.error):
            # A plan that writes nothing has just been compared; anything else is looked at once more.
            left = verify_target(package, target, options, SHOWN_ROWS) if writes else Verification()
        return apply_report(run, result, _exit_code(result, left), left, target.url)


def _exit_code(result: ApplyResult, left: Verification | None) -> ExitCode:
    if result.error is not None:
        return result.error.exit_code
    if result.stopped:
        return ExitCode.REFUSED
    return ExitCode.INCOMPLETE if result.failed or (left is not None and not left.holds) else ExitCode.DONE
