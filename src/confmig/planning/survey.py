"""The first reading of a package: which rows there are, and what their lookups point to."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from confmig.model.environment import TableInfo
from confmig.model.records import Association, Record
from confmig.model.schema import Schema
from confmig.model.values import Lookup, Parties, Value
from confmig.planning.columns import is_moved
from confmig.planning.ports import Wanted


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something was first seen, for messages."""

    table: str
    row: str
    column: str


@dataclass(slots=True)
class Survey:
    """What the first reading found.

    ``rows``: table to the source ids in it. A row without an id is called by its place: ``#1``, ``#2``.
    ``repeated``: rows that occur more than once. ``lookups``: (table, column) to the tables that its values point to.
    ``parents``: of a table that points to itself, row to the rows that it points to.
    ``pointed``: table to the ids that are pointed to, with the name and the place first seen.
    ``keys``: table to the rows' matching keys, of tables that have one.
    """

    rows: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    counts: Counter[str] = field(default_factory=Counter)
    repeated: set[tuple[str, str]] = field(default_factory=set)
    lookups: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    parents: dict[str, dict[str, list[str]]] = field(default_factory=lambda: defaultdict(dict))
    pointed: dict[str, dict[str, tuple[str | None, Origin]]] = field(default_factory=lambda: defaultdict(dict))
    keys: dict[str, dict[str, tuple[Value, ...]]] = field(default_factory=lambda: defaultdict(dict))
    undeclared_tables: Counter[str] = field(default_factory=Counter)
    undeclared_columns: Counter[tuple[str, str]] = field(default_factory=Counter)
    associations: dict[tuple[str, str], str] = field(default_factory=dict)


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


def survey_package(wanted: Wanted, tables: dict[str, TableInfo]) -> Survey:
    """Read the package once.

    Args:
        wanted: The package.
        tables: The target's tables, as far as the schema names them.
    """
    survey = Survey()
    schema = wanted.schema
    names = SourceIds()
    for event in wanted.rows():
        match event:
            case Record() if schema.table(event.table) is None:
                survey.undeclared_tables[event.table] += 1
            case Record():
                _survey_row(survey, schema, tables[event.table], event, names.of(event))
            case Association():
                survey.associations[event.table, event.relationship] = event.target_table
                origin = Origin(event.table, event.source, event.relationship)
                survey.pointed[event.table].setdefault(event.source, (None, origin))
                for target in event.targets:
                    survey.pointed[event.target_table].setdefault(target, (None, origin))
    return survey


def _survey_row(survey: Survey, schema: Schema, info: TableInfo, record: Record, source_id: str) -> None:
    table = record.table
    if source_id in survey.rows[table]:
        survey.repeated.add((table, source_id))
    survey.rows[table].add(source_id)
    survey.counts[table] += 1
    declared = schema.table(table)
    known = {column.name for column in declared.columns} if declared else set()
    for name, value in record.values.items():
        if name not in known:
            survey.undeclared_columns[table, name] += 1
            continue
        column = info.columns.get(name)
        if column is None or not is_moved(info, column):
            continue
        for lookup in lookups_in(value):
            _survey_lookup(survey, table, source_id, name, lookup)
    key = key_columns(schema, table)
    if key:
        survey.keys[table][source_id] = tuple(record.values.get(name) for name in key)


def _survey_lookup(survey: Survey, table: str, row: str, column: str, lookup: Lookup) -> None:
    survey.pointed[lookup.table].setdefault(lookup.id, (lookup.name, Origin(table, row, column)))
    survey.lookups[table, column].add(lookup.table)
    if lookup.table == table and lookup.id != row:
        survey.parents[table].setdefault(row, []).append(lookup.id)


def lookups_in(value: Value) -> Iterator[Lookup]:
    """The lookups that a value holds: itself, or those of its parties."""
    if isinstance(value, Lookup):
        yield value
    elif isinstance(value, Parties):
        for party in value.parties:
            if party.party is not None:
                yield party.party
