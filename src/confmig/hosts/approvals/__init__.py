"""Who approved this run's job, asked of the platform itself: a run's own word would be worth nothing."""

import os
from collections.abc import Mapping

from confmig.errors import PlanError
from confmig.hosts.approvals import azure_pipelines, github
from confmig.hosts.approvals.approval import Approval
from confmig.hosts.host import Host
from confmig.hosts.platform_api import ApiError

__all__ = ["Approval", "require_approval"]

_ASK = {Host.GITHUB: github.approval, Host.AZURE_PIPELINES: azure_pipelines.approval}
_HINTS = {Host.GITHUB: github.HINT, Host.AZURE_PIPELINES: azure_pipelines.HINT}


def require_approval(host: Host, environment: str, variables: Mapping[str, str] = os.environ) -> Approval:
    """The approval of the job that we run in, for one of the platform's environments.

    Args:
        host: Where we run.
        environment: The name of the environment, as the platform knows it, that the job deploys to.
        variables: The process's variables.

    Raises:
        PlanError: There is none. Its reason is ``no-reviewers`` where the environment asks nobody, ``not-approved``
            where nobody said yes in this run, and ``approval-unknown`` where the platform cannot be asked or gives no
            proper answer.
    """
    if host not in _ASK:
        raise PlanError(
            f"Nobody can be asked here who approved {environment}: only GitHub Actions and Azure Pipelines know.",
            "Run the command in a job of one of them, or run it without asking for an approval.",
            reason="approval-unknown",
        )
    if not environment.strip():
        raise PlanError(
            "No environment is named whose approval is required.", "Give its name.", reason="approval-unknown"
        )
    try:
        return _ASK[host](environment, variables)
    except ApiError as error:
        raise PlanError(
            f"It is not known who approved {environment}: {error.message}",
            error.hint or _HINTS[host],
            reason="approval-unknown",
        ) from None
