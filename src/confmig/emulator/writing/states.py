"""The state and the status of a row.

https://learn.microsoft.com/power-apps/developer/data-platform/define-custom-state-model-transitions
"""

from confmig.emulator.catalog.model import Table
from confmig.emulator.errors import ServiceError, bad_status, null_refused
from confmig.emulator.storage.store import Value

_CREATED_OPEN = frozenset({"task", "email", "quote", "salesorder", "invoice"})
"""Tables whose rows begin in their default state, whatever the body says; a status of another one is refused."""

_OPEN = 0


def default_status(table: Table, state: int) -> int | None:
    """The status that a state brings when none is given: its lowest."""
    column = table.columns.get("statuscode")
    fitting = [option.value for option in column.options if option.state == state] if column else []
    return min(fitting) if fitting else None


def complete_state(table: Table, values: dict[str, Value], row_id: str) -> None:
    """Give a new row the state and the status that its body leaves out.

    Raises:
        ServiceError: State and status do not go together, or a row of this table cannot begin in this state.
    """
    state, status = values.get("statecode"), values.get("statuscode")
    wanted = _OPEN if state is None else int(str(state))
    if table.name in _CREATED_OPEN and wanted != _OPEN:
        given = default_status(table, wanted) if status is None else int(str(status))
        raise _mismatch(table, _OPEN, -1 if given is None else given, row_id)
    values["statecode"] = wanted
    if status is None:
        values["statuscode"] = default_status(table, wanted)
    else:
        _check_pair(table, wanted, int(str(status)), row_id)


def change_state(table: Table, values: dict[str, Value], before: dict[str, Value], row_id: str) -> None:
    """Complete what a change says of state and status.

    A status alone must be one of the state that the row has; a state alone brings its default status.

    Args:
        table: The table.
        values: What is written; it is completed.
        before: State and status of the row.
        row_id: Its id.

    Raises:
        ServiceError: They do not go together, or the table does not let this status follow the one before.
    """
    current = before.get("statecode")
    if "statecode" in values and values["statecode"] is None:
        raise null_refused("statecode")
    state = values.get("statecode", current)
    status = values.get("statuscode")
    if state is None:
        return
    if status is None:
        same = "statuscode" not in values and state == current
        values["statuscode"] = before.get("statuscode") if same else default_status(table, int(str(state)))
    else:
        _check_pair(table, int(str(state)), int(str(status)), row_id)
    if table.enforce_transitions:
        _check_transition(table, before.get("statuscode"), values["statuscode"])


def _check_pair(table: Table, state: int, status: int, row_id: str) -> None:
    column = table.columns.get("statuscode")
    known = {option.value: option.state for option in column.options} if column else {}
    if known.get(status, state) not in (state, None):
        raise _mismatch(table, state, status, row_id)


def _mismatch(table: Table, state: int, status: int, row_id: str) -> ServiceError:
    labels = {option.value: option.label for option in table.columns["statecode"].options}
    name = "".join(part.capitalize() for part in table.name.split("_"))
    return bad_status(status, f"{name}State.{labels.get(state, state)}", table.name, row_id)


def _check_transition(table: Table, before: Value, after: Value) -> None:
    allowed = {option.value: option.transitions for option in table.columns["statuscode"].options}
    if before is not None and after != before and after not in allowed.get(int(str(before)), ()):
        raise ServiceError(400, "0x80040233", "The object is not in a valid state to perform this operation.")
