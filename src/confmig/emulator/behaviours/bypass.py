"""The headers with which a request bypasses custom business logic; Microsoft's own is never bypassed.

https://learn.microsoft.com/power-apps/developer/data-platform/bypass-custom-business-logic
"""

from collections.abc import Mapping

from confmig.emulator.behaviours.engine import ALL_CUSTOM
from confmig.emulator.catalog import naming
from confmig.emulator.errors import invalid_argument
from confmig.emulator.security.rights import Rights

_LOGIC = "mscrm.bypassbusinesslogicexecution"
_STEPS = "mscrm.bypassbusinesslogicexecutionstepids"
_PLUGINS = "mscrm.bypasscustompluginexecution"
_KINDS = frozenset({"CustomSync", "CustomAsync"})
_MOST_STEPS = 3
_NONE: frozenset[str] = frozenset()


def bypassed_steps(headers: Mapping[str, str], rights: Rights | None) -> frozenset[str]:
    """The ids of the steps that a request bypasses; ``*`` among them means all.

    Args:
        headers: The headers of the request.
        rights: What the caller may do; None when that is anything.

    Raises:
        ServiceError: A header cannot be understood, or the caller lacks the privilege for it.
    """
    logic, steps = headers.get(_LOGIC), headers.get(_STEPS)
    plugins = headers.get(_PLUGINS, "").lower() == "true"
    if logic is None and steps is None and not plugins:
        return _NONE
    if rights is not None and (logic is not None or steps is not None):
        rights.require_privilege("prvBypassCustomBusinessLogic")
    if rights is not None and plugins:
        rights.require_privilege("prvBypassCustomPlugins")
    found = set(_listed(steps))
    if len(found) > _MOST_STEPS or not all(map(naming.is_guid, found)):
        raise invalid_argument(f"BypassBusinessLogicExecutionStepIds takes at most {_MOST_STEPS} ids of steps.")
    kinds = frozenset(_listed(logic))
    if not kinds <= {kind.lower() for kind in _KINDS}:
        raise invalid_argument(f"BypassBusinessLogicExecution does not take the value '{logic}'.")
    # All that refuses here is synchronous.
    return frozenset(found | ({ALL_CUSTOM} if plugins or "customsync" in kinds else set()))


def _listed(text: str | None) -> list[str]:
    return [part.strip().lower() for part in (text or "").split(",") if part.strip()]
