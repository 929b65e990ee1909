"""``confmig verify``: Does the target hold what the package says?"""

from pathlib import Path

from confmig.applying.verification import verify_target
from confmig.commands.options import (
    AsOf,
    Auth,
    DataFile,
    ExpectData,
    Format,
    FormatOption,
    Ignore,
    Lookups,
    PackageLimits,
    Reports,
    Target,
    TargetAuth,
    auth_mode,
    ignored_columns,
    moment_of,
    require_outside,
)
from confmig.commands.plan import as_of_now, require_data_digest
from confmig.commands.results import finish
from confmig.errors import ExitCode
from confmig.package.limits import LIMITS
from confmig.package.package import Package
from confmig.planning.plan import LookupPolicy, PlanOptions
from confmig.reporting.build import verify_report
from confmig.reporting.findings import findings_report
from confmig.reporting.report import SHOWN_ROWS
from confmig.reporting.write import require_report_paths
from confmig.webapi.environment import connect


def verify(
    target: Target,
    data: DataFile = Path("data.zip"),
    expect_data_digest: ExpectData = None,
    lookups: Lookups = LookupPolicy.FAIL,
    ignore: Ignore = None,
    as_of: AsOf = None,
    auth: Auth = None,
    target_auth: TargetAuth = None,
    package_limits: PackageLimits = LIMITS,
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Compare the target with the package, as a plan does; never writes."""
    require_outside(data, *(report or ()))
    require_report_paths(report or ())
    # Whoever verifies seldom knows when the import was: without --as-of, relative dates may have been moved by any
    # number of steps that fits between the export and now. With it they must be those of an import at that moment.
    moment = moment_of(as_of)
    options = PlanOptions(lookups, ignored_columns(ignore), as_of=moment, earlier_dates=moment is None)
    with Package(data, package_limits) as package:
        require_data_digest(package, expect_data_digest)
        environment = connect(target, auth_mode(target_auth, auth, target), "target")
        found = verify_target(package, environment, as_of_now(options), SHOWN_ROWS)
    if found.findings:
        return finish(findings_report("verify", found.findings), format_, report)
    return finish(verify_report(found, environment.url), format_, report)
