"""The first reading of a package: which rows there are, and what their lookups point to."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field

from confmig.model.environment import TableInfo
from confmig.model.records import Association, Record
from confmig.model.schema import Schema
from confmig.model.values import ColumnType, Lookup, Parties, Value, same_value
from confmig.planning.columns import moved_columns
from confmig.planning.ports import Wanted
from confmig.planning.relative import date_modes


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something was first seen, for messages."""

    table: str
    row: str
    column: str


@dataclass(slots=True)
class Pointed:
    """A row that is pointed to: the name that a lookup gave it, and where it was first seen other than as an owner."""

    name: str | None = None
    origin: Origin | None = None


@dataclass(slots=True)
class Survey:
    """What the first reading found.

    ``rows``: table to the source ids in it. A row without an id is called by its place: ``#1``, ``#2``.
    ``repeated``: rows that occur more than once. ``lookups``: (table, column) to the tables of the package whose rows
    its values point to. ``parents``: of a table that points to itself, column to row to the rows that it points to.
    ``pointed``: table to the ids that are pointed to. ``keys``: table to the rows' matching keys, where it has one.
    ``relative``: (table, column) to how many dates it holds that are relative to the day of the import.
    """

    rows: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    repeated: set[tuple[str, str]] = field(default_factory=set)
    lookups: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    parents: dict[str, dict[str, dict[str, list[str]]]] = field(default_factory=lambda: defaultdict(dict))
    pointed: dict[str, dict[str, Pointed]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Pointed)))
    keys: dict[str, dict[str, tuple[Value, ...]]] = field(default_factory=lambda: defaultdict(dict))
    relative: Counter[tuple[str, str]] = field(default_factory=Counter)
    undeclared_tables: Counter[str] = field(default_factory=Counter)
    undeclared_columns: Counter[tuple[str, str]] = field(default_factory=Counter)


def key_columns(schema: Schema, table: str) -> tuple[str, ...]:
    """The columns by which a table's rows are matched; none when that is the id.

    A key that holds the primary id says no more than the id does.
    """
    declared = schema.table(table)
    if declared is None or declared.force_create or declared.primary_id in declared.compare_columns:
        return ()
    return declared.compare_columns


class SourceIds:
    """Calls each row by its id, and rows without one by their place among the table's rows without one."""

    def __init__(self) -> None:
        self._unnamed: Counter[str] = Counter()

    def of(self, record: Record) -> str:
        """The row's name within the package."""
        if record.id is not None:
            return record.id
        self._unnamed[record.table] += 1
        return f"#{self._unnamed[record.table]}"


def is_place(source_id: str) -> bool:
    """Whether a row is called by its place, because the package gives it no id."""
    return source_id.startswith("#")


def survey_package(wanted: Wanted, tables: Mapping[str, TableInfo], ignore: Set[tuple[str, str]]) -> Survey:
    """Read the package once.

    Args:
        wanted: The package.
        tables: The target's tables, as far as the schema names them.
        ignore: (table, column) pairs that play no part.
    """
    return _Surveyor(wanted.schema, tables, ignore).read(wanted)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What holds for all rows of a table: the names of its columns by what is done with them, and of its key."""

    declared: frozenset[str]
    moved: frozenset[str]
    owners: frozenset[str]
    relative: frozenset[str]
    key: tuple[str, ...]


class _Surveyor:
    def __init__(self, schema: Schema, tables: Mapping[str, TableInfo], ignore: Set[tuple[str, str]]) -> None:
        self._schema = schema
        self._tables = tables
        self._ignore = ignore
        self._survey = Survey()
        self._facts: dict[str, _Facts] = {}
        # Lookups whose row was not met yet: they order something only if it is in the package.
        self._open: dict[tuple[str, str, str], set[str]] = defaultdict(set)

    def read(self, wanted: Wanted) -> Survey:
        survey = self._survey
        names = SourceIds()
        for event in wanted.rows():
            match event:
                case Record(table) | Association(table=table) if self._schema.table(table) is None:
                    survey.undeclared_tables[table] += 1
                case Record():
                    self._row(event, names.of(event))
                case Association():
                    self._association(event)
        for (table, column, target), ids in self._open.items():
            if not ids.isdisjoint(survey.rows.get(target, ())):
                survey.lookups[table, column].add(target)
        return survey

    def _association(self, association: Association) -> None:
        origin = Origin(association.table, association.source, association.relationship)
        ends = [
            (association.table, association.source),
            *((association.target_table, to) for to in association.targets),
        ]
        for table, row in ends:
            pointed = self._survey.pointed[table][row]
            pointed.origin = pointed.origin or origin

    def _row(self, record: Record, source_id: str) -> None:
        survey, table = self._survey, record.table
        facts = self._facts.get(table) or self._learn(table)
        if source_id in survey.rows[table]:
            survey.repeated.add((table, source_id))
        survey.rows[table].add(source_id)
        for name, value in record.values.items():
            if name not in facts.declared:
                survey.undeclared_columns[table, name] += 1
            elif name in facts.moved and not isinstance(value, str):
                if name in facts.relative and value is not None:
                    survey.relative[table, name] += 1
                for lookup in lookups_in(value):
                    self._lookup(table, source_id, name, lookup, owner=name in facts.owners)
        if facts.key:
            self._key(table, source_id, tuple(record.values.get(name) for name in facts.key))

    def _learn(self, name: str) -> "_Facts":
        """Look once at what is the same for all rows of a table."""
        declared, info = self._schema.table(name), self._tables[name]
        assert declared is not None  # noqa: S101  # rows of undeclared tables were sorted out
        self._facts[name] = _Facts(
            declared=frozenset(column.name for column in declared.columns),
            moved=moved_columns(declared, info, self._ignore),
            owners=frozenset(column.name for column in info.columns.values() if column.type is ColumnType.OWNER),
            relative=frozenset(date_modes(self._schema, declared)),
            key=key_columns(self._schema, name),
        )
        return self._facts[name]

    def _key(self, table: str, source_id: str, key: tuple[Value, ...]) -> None:
        """Keep a row's key; a part that one copy of a repeated row leaves out may come with another."""
        earlier = self._survey.keys[table].get(source_id, key)
        self._survey.keys[table][source_id] = tuple(
            new if same_value(old, None) else old for old, new in zip(earlier, key, strict=True)
        )

    def _lookup(self, table: str, row: str, column: str, lookup: Lookup, *, owner: bool) -> None:
        survey = self._survey
        pointed = survey.pointed[lookup.table][lookup.id]
        pointed.name = pointed.name or lookup.name
        if not owner:
            pointed.origin = pointed.origin or Origin(table, row, column)
        if lookup.table == table and lookup.id != row:
            survey.parents[table].setdefault(column, {}).setdefault(row, []).append(lookup.id)
        if lookup.table in survey.lookups.get((table, column), ()):
            return
        if lookup.id in survey.rows.get(lookup.table, ()):
            survey.lookups[table, column].add(lookup.table)
            self._open.pop((table, column, lookup.table), None)
        else:
            self._open[table, column, lookup.table].add(lookup.id)


def lookups_in(value: Value) -> Iterator[Lookup]:
    """The lookups that a value holds: itself, or those of its parties."""
    if isinstance(value, Lookup):
        yield value
    elif isinstance(value, Parties):
        for party in value.parties:
            if party.party is not None:
                yield party.party
