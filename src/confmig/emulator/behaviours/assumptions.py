"""The table of assumptions, and which of their values hold.

The documents that its sources name are pages of https://learn.microsoft.com/dynamics365/customer-insights/journeys/.
"""

import importlib.resources
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Literal

import msgspec
import yaml

from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.errors import EmulatorStartError


class DefinitionOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column that holds, as a text, the id of a row without which a row cannot go live; and the table of that."""

    column: str
    table: str


class Versions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The columns of a table whose rows have versions.

    Attributes:
        first: Holds the id of the first version; null in that itself.
        number: Counts the versions.
        superseded: Says whether a later version took the row's place.
    """

    first: str
    number: str
    superseded: str


class LiveTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The states of a table whose rows go live.

    Attributes:
        live: By column the values that mean live; one of them is enough.
        draft: The values of a draft.
        stopped: The values of a row that was stopped.
        publishing: The values of a row that is being published.
        ready_to_send: Whether its live state is only that of being ready to send.
        definition: What a row needs to go live.
        versions: The columns by which its rows have versions.
    """

    live: dict[str, tuple[int, ...]]
    draft: dict[str, int]
    stopped: dict[str, int] = {}
    publishing: dict[str, int] = {}
    ready_to_send: bool = False
    definition: DefinitionOf | None = None
    versions: Versions | None = None


class Assumption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One assumption.

    Attributes:
        when: When it holds.
        values: What can be assumed, each with what happens then.
        default: What is assumed.
        source: From where that is.
        refusal: The text of a refusal.
    """

    when: str
    values: dict[str, str]
    default: str
    source: str
    refusal: str = ""


class Assumptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole table."""

    tables: dict[str, LiveTable]
    assumptions: dict[str, Assumption]


class Plugin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plug-in of somebody's that refuses, to rehearse what then happens.

    Attributes:
        table: Logical name of the table.
        message: The message that it is registered for.
        text: The text of its exception.
        columns: It refuses only what writes one of these columns; any when empty.
        id: The id of its step, by which a request can bypass it.
        code: The code of the error.
        status: The HTTP status of the error.
    """

    table: str
    message: Literal["Create", "Update", "Delete"]
    text: str
    columns: tuple[str, ...] = ()
    id: str | None = None
    code: str = "0x80040265"
    status: int = 400


class BehavioursDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Business logic of the environment.

    Attributes:
        assumptions: The value of assumptions by name, or by table and name, such as ``msdynmkt_email.live-update``.
        plugins: Plug-ins that refuse.
    """

    assumptions: dict[str, str] = {}
    plugins: tuple[Plugin, ...] = ()


@cache
def known() -> Assumptions:
    """The table of assumptions that comes with the emulator."""
    place = importlib.resources.files("confmig.emulator.behaviours") / "journeys.yml"
    return msgspec.convert(yaml.safe_load(place.read_text("utf-8")), Assumptions)


def behaviours_text(behaviours: BehavioursDef, catalog: Catalog) -> str:
    """The text of the business logic of a definition, as the store keeps it.

    Raises:
        EmulatorStartError: An assumption or a value is unknown, or a plug-in is for what is not there.
    """
    switches(behaviours.assumptions, ())
    for plugin in behaviours.plugins:
        table = catalog.tables.get(plugin.table)
        if table is None:
            raise EmulatorStartError(f"behaviours: a plug-in is for the unknown table {plugin.table!r}")
        for column in plugin.columns:
            if column not in table.columns:
                raise EmulatorStartError(f"behaviours: a plug-in is for the unknown column {plugin.table}.{column}")
    return msgspec.json.encode(behaviours).decode()


def switches(given: Mapping[str, str], options: Iterable[str]) -> dict[str, str]:
    """The values of assumptions that a definition and the command line give; the latter wins.

    Args:
        given: Those of the definition.
        options: Those of the command line, as ``name=value``.

    Raises:
        EmulatorStartError: There is no such assumption or value.
    """
    chosen = dict(given)
    for option in options:
        name, equals, value = option.partition("=")
        if not equals:
            raise EmulatorStartError(f"--behaviour {option} is not name=value")
        chosen[name] = value
    for name, value in chosen.items():
        check(name, value)
    return chosen


def check(name: str, value: str) -> None:
    """Refuse a value of an assumption that is not in the table.

    Raises:
        EmulatorStartError: There is no such assumption or value.
    """
    table, _, own = name.rpartition(".")
    assumption = known().assumptions.get(own)
    if assumption is None:
        listed = ", ".join(known().assumptions)
        raise EmulatorStartError(f"there is no behaviour {own!r}; there are {listed}")
    if table and table not in known().tables:
        raise EmulatorStartError(f"the behaviour {name!r} names a table that does not go live")
    if value not in assumption.values:
        raise EmulatorStartError(f"the behaviour {name} can be {', '.join(assumption.values)}, not {value!r}")
