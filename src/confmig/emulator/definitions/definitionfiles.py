"""Environment definitions: finding their files, reading them and putting them together."""

import importlib.resources
import re
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec
import yaml

from confmig.emulator.behaviours.assumptions import BehavioursDef
from confmig.emulator.catalog.model import Solution
from confmig.emulator.definitions.definitioncheck import DefinitionLoader, problems
from confmig.emulator.definitions.definitions import Definition, DefinitionFile, Json, SolutionDef
from confmig.emulator.definitions.removing import without
from confmig.emulator.definitions.tabledefinitions import TableDef
from confmig.emulator.errors import EmulatorStartError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_FILE_ENDINGS = (".yml", ".yaml")
_BUILT_IN = importlib.resources.files("confmig.emulator") / "environments"


def available() -> list[str]:
    """The names of the definitions that come with the emulator."""
    names = [entry.name.removesuffix(".yml") for entry in _BUILT_IN.iterdir() if entry.name.endswith(".yml")]
    return sorted(name for name in names if not name.endswith(("-tables", "-rows")))


def read_definition(name: str) -> Definition:
    """The definition of a name that comes with the emulator, or of a file.

    Args:
        name: A name such as ``journeys-sandbox``, or the path of a YAML file.

    Raises:
        EmulatorStartError: There is none, or it is wrong; the message names file and place.
    """
    folder, first = _place(name)
    definition = Definition(file=first)
    for source, file in _chain(folder, first, set()):
        definition = _extended(definition, file, source)
    return definition


def _place(name: str) -> tuple[Traversable, str]:
    """The folder and the file of a definition."""
    if not name.endswith(_FILE_ENDINGS):
        return _BUILT_IN, _built_in(name)
    path = Path(name)
    if not path.is_file():
        raise EmulatorStartError(f"{name} does not exist")
    return path.parent, path.name


def _built_in(name: str) -> str:
    """The file of a definition that comes with the emulator."""
    if not _NAME.fullmatch(name) or not (_BUILT_IN / f"{name}.yml").is_file():
        raise EmulatorStartError(f"there is no environment {name!r}; there are {', '.join(available())}")
    return f"{name}.yml"


def _chain(folder: Traversable, name: str, seen: set[str]) -> Iterator[tuple[tuple[str, str], DefinitionFile]]:
    """A file, with its name and text, after those that it includes, each once."""
    place = folder / name
    if str(place) in seen:
        return
    seen.add(str(place))
    text, file = _read(place)
    for other in file.include:
        if not other.endswith(_FILE_ENDINGS):
            yield from _chain(_BUILT_IN, _built_in(other), seen)
        elif "/" in other or "\\" in other:
            raise EmulatorStartError(f"{name}: an include is the name of a file in the same folder, not {other!r}")
        else:
            yield from _chain(folder, other, seen)
    yield (name, text), file


def _read(place: Traversable) -> tuple[str, DefinitionFile]:
    name = place.name
    try:
        text = place.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EmulatorStartError(f"{name} cannot be read: {error}") from error
    try:
        # An empty file says nothing, which is something else than null.
        data = yaml.load(text, Loader=DefinitionLoader) or {}  # noqa: S506 (it makes nothing but plain values)
        file = msgspec.convert(data, DefinitionFile)
    except msgspec.ValidationError as error:
        raise EmulatorStartError("\n".join(problems(text, name)) or f"{name}: {error}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # also dates that are none, and endless nesting
        raise EmulatorStartError(f"{name} is not YAML: {error}") from error
    return text, file


def _extended(below: Definition, file: DefinitionFile, source: tuple[str, str]) -> Definition:
    """What the files before say, less what a file removes of it, with what the file says itself."""
    name = source[0]
    kept = without(below, file.remove, name)
    solutions, rows, associations = dict(kept.solutions), dict(kept.rows), dict(kept.associations)
    for solution in file.solutions:
        solutions[solution.uniquename] = _solution(solutions.get(solution.uniquename), solution, name)
    for table, listed in file.rows.items():
        rows[table] = (*rows.get(table, ()), *listed)
    for relationship, pairs in file.associations.items():
        associations[relationship] = (*associations.get(relationship, ()), *pairs)
    return Definition(
        file=below.file,
        sources=(*below.sources, source),
        organization=file.organization or kept.organization,
        languages=file.languages or kept.languages,
        solutions=solutions,
        choices=kept.choices | file.choices,
        tables=_with_extensions(kept.tables | file.tables, file, name),
        many_to_many=kept.many_to_many | {many.schema_name: many for many in file.many_to_many},
        relationships=kept.relationships | {(one.table, one.column, one.target): one for one in file.relationships},
        roles=kept.roles | file.roles,
        users=kept.users | file.users,
        teams=kept.teams | file.teams,
        rows=rows,
        associations=associations,
        behaviours=BehavioursDef(
            kept.behaviours.assumptions | file.behaviours.assumptions,
            (*kept.behaviours.plugins, *file.behaviours.plugins),
        ),
    )


def _with_extensions(tables: dict[str, TableDef], file: DefinitionFile, name: str) -> dict[str, TableDef]:
    """The tables with what a file adds to some of them."""
    extended = dict(tables)
    for table, more in file.extend.items():
        if table not in extended:
            raise EmulatorStartError(f"{name}: extend: what it includes has no table {table}")
        known = extended[table]
        extended[table] = msgspec.structs.replace(
            known,
            columns=known.columns | more.columns,
            duplicate_rules=(*known.duplicate_rules, *more.duplicate_rules),
            keys=known.keys | more.keys,
        )
    return extended


def _solution(known: Solution | None, given: SolutionDef, file: str) -> Solution:
    """A solution as a file gives it, completed by what the files before said of it."""
    values: Json = {} if known is None else msgspec.structs.asdict(known)
    values |= {name: value for name, value in msgspec.structs.asdict(given).items() if value is not None}
    try:
        return msgspec.convert(values, Solution)
    except msgspec.ValidationError as error:
        raise EmulatorStartError(f"{file}: the solution {given.uniquename}: {error}") from error
