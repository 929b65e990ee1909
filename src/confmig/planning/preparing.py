"""All that must be known before rows can be compared: what each row and each lookup is in the target, and the order."""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from confmig.errors import PlanError
from confmig.model.environment import TableInfo
from confmig.planning.files import FileComparison
from confmig.planning.matching import Matches, is_whole, key_order, match_by_key
from confmig.planning.notes import Notes
from confmig.planning.ordering import Edge, RowOrder, TableOrder, order_rows, order_tables
from confmig.planning.outside import resolve_outside
from confmig.planning.plan import PlanOptions
from confmig.planning.ports import Current, Wanted
from confmig.planning.relative import RelativeDates, date_modes
from confmig.planning.resolving import IdMap
from confmig.planning.rows import TablePlan
from confmig.planning.survey import Survey, is_place, key_columns, survey_package


@dataclass(slots=True)
class Preparation:
    """What the first reading of the package and the questions to the target gave.

    ``tables``: all tables that the package holds or points to, as far as the target has them. ``matches``: of tables
    that are matched by key. ``plans``: of each table of the package, all that planning its rows needs. ``dates``: what
    becomes of relative dates.
    """

    survey: Survey
    tables: dict[str, TableInfo]
    ids: IdMap
    notes: Notes
    dates: RelativeDates = field(default_factory=RelativeDates)
    matches: dict[str, Matches] = field(default_factory=dict)
    plans: dict[str, TablePlan] = field(default_factory=dict)


def prepare(wanted: Wanted, current: Current, options: PlanOptions, tables: dict[str, TableInfo]) -> Preparation:
    """Read the package once, ask the target for what it points to, match, and order.

    Args:
        wanted: The package.
        current: The target.
        options: The user's policies.
        tables: The target's tables, as far as the schema names them.

    Raises:
        PlanError: Lookups or keys form a circle that cannot be opened.
        PackageError: The package is broken, or cannot tell what its relative dates are relative to.
    """
    survey = survey_package(wanted, tables, options.ignore)
    known = {**tables, **current.describe(sorted(survey.pointed))}
    ids = IdMap(survey.rows, outside=resolve_outside(survey, current, known))
    prepared = Preparation(survey, known, ids, Notes(), _relative_dates(survey, wanted, options))
    _match_by_keys(prepared, wanted, current)
    _name_rows_without_id(prepared, f"{current.identity.organization_id}/{wanted.digest}")
    order = order_tables(survey.rows, _edges(prepared))
    files = FileComparison(wanted, current)
    prepared.plans = {name: _table_plan(prepared, wanted, options, order, files, name) for name in survey.rows}
    return prepared


def _relative_dates(survey: Survey, wanted: Wanted, options: PlanOptions) -> RelativeDates:
    """What becomes of relative dates; where there are none, nobody asks when the package was exported."""
    if not survey.relative:
        return RelativeDates()
    declared = {table.name: date_modes(wanted.schema, table) for table in wanted.schema.merged_tables()}
    modes = {(table, column): declared[table][column] for table, column in survey.relative}
    return RelativeDates(modes, wanted.exported, options.as_of, options.earlier_dates)


def _match_by_keys(prepared: Preparation, wanted: Wanted, current: Current) -> None:
    survey, ids = prepared.survey, prepared.ids

    def needs(table: str) -> Iterator[str]:
        for column in key_columns(wanted.schema, table):
            yield from (target for target in survey.lookups.get((table, column), ()) if target in survey.keys)

    for table in key_order(survey.keys, needs):
        columns = key_columns(wanted.schema, table)
        unreadable = [name for name in columns if not prepared.tables[table].columns[name].readable]
        if unreadable:
            prepared.notes.add("key", table, unreadable[0], "cannot be read, so the rows are matched by their ids")
            continue
        # A lookup that resolves nowhere is an empty part: by policy it may be emptied, and then match no more. A date
        # is compared as it would be written, moved: so an import finds again what it has just made.
        shifts = prepared.dates.shifts(table)
        keys = {
            source_id: tuple(
                None if ids.missing(part) else shifts[name].move(part) if name in shifts else ids.value(part)
                for name, part in zip(columns, key, strict=True)
            )
            for source_id, key in survey.keys[table].items()
        }
        whole = list(dict.fromkeys(key for key in keys.values() if is_whole(key)))
        named = [source_id for source_id in keys if not is_place(source_id)]
        existing = {record.id for record in current.read_rows_by_id(table, [], named) if record.id}
        matches = match_by_key(keys, current.read_rows_by_key(table, columns, columns, whole), columns, existing)
        prepared.matches[table] = matches
        ids.targets.update(((table, source), target) for source, target in matches.targets.items() if source != target)


def _name_rows_without_id(prepared: Preparation, scope: str) -> None:
    """Give rows without an id one that is the same in every run, so that a repeated import finds them again."""
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, scope)
    for table, rows in prepared.survey.rows.items():
        for source_id in rows:
            if is_place(source_id):
                own = str(uuid.uuid5(namespace, f"{table}/{source_id}"))
                prepared.ids.targets.setdefault((table, source_id), own)


def _edges(prepared: Preparation) -> Iterator[Edge]:
    for (table, column), targets in prepared.survey.lookups.items():
        for target in targets:
            yield Edge(table, column, target, cuttable=prepared.tables[table].columns[column].can_wait)


def _table_plan(
    prepared: Preparation, wanted: Wanted, options: PlanOptions, order: TableOrder, files: FileComparison, name: str
) -> TablePlan:
    declared = wanted.schema.table(name)
    assert declared is not None  # noqa: S101  # the survey counts the rows of declared tables only
    return TablePlan(
        declared=declared,
        info=prepared.tables[name],
        ids=prepared.ids,
        options=options,
        notes=prepared.notes,
        files=files,
        rank=order.ranks.get(name, 0),
        cut=frozenset((column, target) for table, column, target in order.cut if table == name),
        row_order=_row_order(prepared, name),
        key=key_columns(wanted.schema, name),
        shifts=prepared.dates.shifts(name),
    )


def _row_order(prepared: Preparation, table: str) -> RowOrder:
    """The order of the rows of a table that points to itself."""
    columns = prepared.survey.parents.get(table, {})
    free: dict[str, list[str]] = defaultdict(list)
    fixed: dict[str, list[str]] = defaultdict(list)
    rows = prepared.survey.rows[table]
    for column, parents in columns.items():
        found = free if prepared.tables[table].columns[column].can_wait else fixed
        for row, above in parents.items():
            found[row] += [parent for parent in above if parent in rows]
    try:
        return order_rows(free, fixed)
    except PlanError as error:
        names = ", ".join(f"{table}.{column}" for column in columns)
        message = f"The rows of {table} cannot be ordered by {names}: {error.message}."
        raise PlanError(message, error.hint) from None
