"""A product's profile, read from its data file."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import msgspec


@dataclass(frozen=True, slots=True)
class StateColumn:
    """Which values of a column mean that a row is live, with their labels, and which mean that it is not.

    A value that is in neither counts as live: nobody knows what it means.
    """

    live: Mapping[int, str]
    idle: tuple[int, ...]

    def live_label(self, value: object) -> str:
        """What a live value is called; empty when the value is not live."""
        if value is None or value in self.idle:
            return ""
        return self.live.get(value, f"unknown state {value}") if isinstance(value, int) else f"unknown state {value}"


@dataclass(frozen=True, slots=True)
class NeverMoved:
    """Tables whose rows are not moved as data, and why."""

    why: str
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PresetTable:
    """A table of a preset: the columns that are left out, and the filter that its schema gets."""

    without: tuple[str, ...] = ()
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class Preset:
    """Tables that belong together; ``without``: columns left out of all of them."""

    tables: dict[str, PresetTable]
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a product.

    ``tables`` are the prefixes of its tables' names. ``anchors`` are the possible names of the solution whose version
    is the product's, ``solutions`` the prefixes of all its solutions' names.
    """

    name: str
    tables: tuple[str, ...]
    anchors: tuple[str, ...] = ()
    solutions: tuple[str, ...] = ()
    states: dict[str, dict[str, StateColumn]] = field(default_factory=dict)
    together: tuple[tuple[str, ...], ...] = ()
    never: tuple[NeverMoved, ...] = ()
    presets: dict[str, Preset] = field(default_factory=dict)

    def covers(self, table: str) -> bool:
        """Whether a table is one of the product's."""
        return table.startswith(self.tables)


class Profiles:
    """All profiles, asked as one."""

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self.all = tuple(profiles)

    def of(self, tables: Sequence[str]) -> Iterator[Profile]:
        """The profiles of the products that these tables belong to."""
        return (profile for profile in self.all if any(profile.covers(table) for table in tables))

    def state_columns(self, table: str) -> Mapping[str, StateColumn]:
        """The columns that tell whether a row of the table is live; none for a table that knows no such thing."""
        return next((profile.states[table] for profile in self.all if table in profile.states), {})

    def live_state(self, table: str, values: Mapping[str, object]) -> str:
        """What the live state of a row is called; empty when it is not live."""
        labels = (rule.live_label(values.get(name)) for name, rule in self.state_columns(table).items())
        return next((label for label in labels if label), "")

    def why_never(self, table: str) -> str:
        """Why a table's rows are not moved as data; empty when they may be."""
        groups = (group for profile in self.all for group in profile.never)
        return next((group.why for group in groups if table in group.tables), "")

    def companions(self, tables: Collection[str]) -> Iterator[tuple[str, str]]:
        """The tables that some of these make no sense without and that are not among them, each with one of those."""
        for group in (group for profile in self.all for group in profile.together):
            here = next((table for table in group if table in tables), None)
            if here is not None:
                yield from ((table, here) for table in group if table not in tables)

    def preset(self, name: str) -> Preset | None:
        """The preset of this name."""
        return next((profile.presets[name] for profile in self.all if name in profile.presets), None)

    def preset_names(self) -> list[str]:
        """The names of all presets, sorted."""
        return sorted(name for profile in self.all for name in profile.presets)


@cache
def load_profiles() -> Profiles:
    """The profiles that come with the program."""
    import yaml  # takes a moment that only commands which ask for profiles need to wait for

    folder = files("confmig.profiles")
    sources = sorted((file for file in folder.iterdir() if file.name.endswith(".yml")), key=lambda file: file.name)
    documents = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sources]
    # Numbers are keys in YAML, and texts in JSON's objects; msgspec turns them as the types say.
    return Profiles([msgspec.convert(document, Profile, strict=False) for document in documents])
