"""Environment definitions in YAML: what they may say, read and put together."""

import importlib.resources
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import yaml

from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.model import COLUMN_TYPES, Solution

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
Json = dict[str, object]


class OrganizationDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The organization."""

    name: str = "confmig emulator"
    version: str = "9.2.25061.00151"
    id: str | None = None


class StatusDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A status with the state that it belongs to."""

    label: str
    state: int


class ColumnDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column; ``required``: the service refuses null; ``writable: false``: it ignores what is written."""

    type: str
    display_name: str = ""
    max_length: int | None = None
    precision: int | None = None
    behavior: str = "UserLocal"
    format: str | None = None
    targets: tuple[str, ...] = ()
    options: dict[int, str] | None = None
    required: bool = False
    writable: bool = True
    parent: bool = False


class TableDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table."""

    columns: dict[str, ColumnDef]
    display_name: str = ""
    entity_set: str | None = None
    object_type_code: int = 0
    primary_id: str | None = None
    primary_name: str | None = None
    ownership: str = "organization"
    bulk: bool = True
    activity: bool = False
    states: dict[int, str] = {}
    statuses: dict[int, StatusDef] = {}
    keys: dict[str, tuple[str, ...]] = {}


class ManyToManyDef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An N:N relationship."""

    schema_name: str
    intersect: str
    table1: str
    table2: str
    nav1: str | None = None
    nav2: str | None = None


class DefinitionFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a definition."""

    name: str = ""
    organization: OrganizationDef | None = None
    include: tuple[str, ...] = ()
    solutions: tuple[Solution, ...] = ()
    tables: dict[str, TableDef] = {}
    many_to_many: tuple[ManyToManyDef, ...] = ()
    rows: dict[str, tuple[Json, ...]] = {}
    associations: dict[str, tuple[tuple[str, str], ...]] = {}


class Definition(msgspec.Struct, frozen=True):
    """A definition with everything that it includes."""

    file: str
    organization: OrganizationDef
    solutions: tuple[Solution, ...]
    tables: dict[str, TableDef]
    many_to_many: tuple[ManyToManyDef, ...]
    rows: dict[str, tuple[Json, ...]]
    associations: dict[str, tuple[tuple[str, str], ...]]


def available() -> list[str]:
    """The names of the definitions that come with the emulator."""
    folder = importlib.resources.files("confmig.emulator") / "environments"
    names = [entry.name.removesuffix(".yml") for entry in folder.iterdir() if entry.name.endswith(".yml")]
    return sorted(name for name in names if not name.endswith("-tables"))


def read_definition(name: str) -> Definition:
    """The definition of a name that comes with the emulator, or of a file.

    Args:
        name: A name such as ``journeys-sandbox``, or the path of a YAML file.

    Raises:
        EmulatorStartError: There is none, or it is wrong; the message names file and place.
    """
    if name.endswith((".yml", ".yaml")):
        path = Path(name)
        if not path.is_file():
            raise EmulatorStartError(f"{name} does not exist")
        return _joined(path.name, lambda other: (path.parent / other).read_text("utf-8"))
    folder = importlib.resources.files("confmig.emulator") / "environments"
    if not _NAME.fullmatch(name) or not (folder / f"{name}.yml").is_file():
        raise EmulatorStartError(f"there is no environment {name!r}; there are {', '.join(available())}")
    return _joined(f"{name}.yml", lambda other: (folder / other).read_text("utf-8"))


def _joined(first: str, read: Callable[[str], str]) -> Definition:
    files: dict[str, DefinitionFile] = {}
    waiting = [first]
    while waiting:
        name = waiting.pop()
        if name in files:
            continue
        if "/" in name or "\\" in name:
            raise EmulatorStartError(f"{first}: an include is the name of a file in the same folder, not {name!r}")
        files[name] = _read(name, read)
        waiting += files[name].include
    tables: dict[str, TableDef] = {}
    rows: dict[str, tuple[Json, ...]] = {}
    associations: dict[str, tuple[tuple[str, str], ...]] = {}
    for file in reversed(files.values()):
        tables |= file.tables
        for table, listed in file.rows.items():
            rows[table] = (*rows.get(table, ()), *listed)
        for relationship, pairs in file.associations.items():
            associations[relationship] = (*associations.get(relationship, ()), *pairs)
    organizations = [file.organization for file in files.values() if file.organization is not None]
    return Definition(
        file=first,
        organization=organizations[0] if organizations else OrganizationDef(),
        solutions=tuple(solution for file in files.values() for solution in file.solutions),
        tables=tables,
        many_to_many=tuple(many for file in files.values() for many in file.many_to_many),
        rows=rows,
        associations=associations,
    )


def _read(name: str, read: Callable[[str], str]) -> DefinitionFile:
    try:
        text = read(name)
    except OSError as error:
        raise EmulatorStartError(f"{name} cannot be read: {error}") from error
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        file = msgspec.convert(yaml.load(text, Loader=loader), DefinitionFile)  # noqa: S506 (both loaders are safe)
    except yaml.YAMLError as error:
        raise EmulatorStartError(f"{name} is not YAML: {error}") from error
    except msgspec.ValidationError as error:
        raise EmulatorStartError(f"{name}: {error}") from error
    for table, definition in file.tables.items():
        for column, described in definition.columns.items():
            if described.type not in COLUMN_TYPES:
                raise EmulatorStartError(f"{name}: {table}.{column} has the unknown type {described.type!r}")
    return file
