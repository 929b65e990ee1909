"""The order in which tables and rows are written, from the lookups that the rows really use.

A lookup needs its target first. Where tables point to each other in a circle, as few nullable columns as possible are
cut: they are written in a second phase. A table that points to itself is ordered row by row.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from confmig.errors import PlanError
from confmig.planning.graphs import circles, heights

_EXACT_COLUMNS = 16
"""Up to so many columns in a circle the fewest cuts are searched for; beyond it they are taken one by one."""
_EXACT_CUTS = 4
_SMALL_CIRCLE = 200


@dataclass(frozen=True, slots=True)
class Edge:
    """A lookup column of a table whose values point to rows of a table in the package.

    ``cuttable`` says that the column may be written later: it is not required and can be updated.
    """

    table: str
    column: str
    target: str
    cuttable: bool


@dataclass(frozen=True, slots=True)
class TableOrder:
    """``ranks``: tables of a lower rank are written first, those of one rank do not depend on each other.

    ``cut`` names (table, column, target) whose values wait for the second phase.
    """

    ranks: Mapping[str, int]
    cut: frozenset[tuple[str, str, str]] = frozenset()


Column = tuple[str, str]


def order_tables(tables: Iterable[str], edges: Iterable[Edge]) -> TableOrder:
    """Order tables so that each lookup's target comes before it.

    Raises:
        PlanError: A circle of lookups that can neither be empty nor be written later; the message prints it.
    """
    names = list(dict.fromkeys(tables))
    left = sorted({edge for edge in edges if edge.table != edge.target}, key=_edge_key)
    cut: set[tuple[str, str, str]] = set()
    for group in circles(names, _needs(left)):
        inner = [edge for edge in left if edge.table in group and edge.target in group]
        columns = _fewest_cuts(group, inner)
        cut |= {_edge_key(edge) for edge in inner if (edge.table, edge.column) in columns}
    return TableOrder(heights(names, _needs(edge for edge in left if _edge_key(edge) not in cut)), frozenset(cut))


def _edge_key(edge: Edge) -> tuple[str, str, str]:
    return edge.table, edge.column, edge.target


def _needs(edges: Iterable[Edge]) -> dict[str, set[str]]:
    needs: dict[str, set[str]] = defaultdict(set)
    for edge in edges:
        needs[edge.table].add(edge.target)
    return needs


def _fewest_cuts(group: set[str], edges: Sequence[Edge]) -> Collection[Column]:
    """The fewest columns of a circle whose removal opens it; among equals the first by name."""
    required = [edge for edge in edges if not edge.cuttable]
    if closed := circles(sorted(group), _needs(required)):
        raise PlanError(
            f"The tables cannot be ordered: {_printed_circle(closed[0], required)}.", "Leave one of these columns out."
        )
    columns = sorted({(edge.table, edge.column) for edge in edges if edge.cuttable})
    if len(columns) <= _EXACT_COLUMNS:
        for number in range(1, min(_EXACT_CUTS, len(columns)) + 1):
            for chosen in combinations(columns, number):
                if not _circles_without(group, edges, chosen):
                    return chosen
    return _greedy_cuts(group, edges, columns)


def _circles_without(group: set[str], edges: Sequence[Edge], columns: Collection[Column]) -> list[set[str]]:
    return circles(sorted(group), _needs(edge for edge in edges if (edge.table, edge.column) not in columns))


def _greedy_cuts(group: set[str], edges: Sequence[Edge], columns: Sequence[Column]) -> Collection[Column]:
    """Columns taken one by one, each leaving the fewest tables in circles; those not needed are given back."""
    chosen: list[Column] = []
    while _circles_without(group, edges, chosen):
        left = [column for column in columns if column not in chosen]
        chosen.append(min(left, key=lambda one: sum(map(len, _circles_without(group, edges, [*chosen, one])))))
    for column in list(chosen):
        others = [other for other in chosen if other != column]
        if not _circles_without(group, edges, others):
            chosen = others
    return chosen


def _printed_circle(group: set[str], edges: Sequence[Edge]) -> str:
    """One circle of required lookups, in words."""
    following = {edge.table: edge for edge in edges if edge.table in group and edge.target in group}
    path: list[Edge] = []
    table = min(group)
    while table not in {edge.table for edge in path}:
        path.append(following[table])
        table = following[table].target
    start = next(index for index, edge in enumerate(path) if edge.table == table)
    steps = ", ".join(f"{edge.table}.{edge.column} needs {edge.target}" for edge in path[start:])
    return f"their required lookups form a circle: {steps}"


@dataclass(frozen=True, slots=True)
class RowOrder:
    """``levels``: rows of a lower level are written first; a row that is absent has level 0.

    ``circular`` are rows that point to each other in a circle: those of their lookups to their own table wait that can.
    """

    levels: Mapping[str, int] = field(default_factory=dict)
    circular: frozenset[str] = frozenset()


def order_rows(parents: Mapping[str, Iterable[str]], fixed: Mapping[str, Iterable[str]] | None = None) -> RowOrder:
    """Order the rows of a table that points to itself.

    Args:
        parents: Row to the rows of the same package that it points to by columns that may be written later.
        fixed: Row to those that it points to by columns that may not.

    Raises:
        PlanError: Rows need each other by columns that may not be written later.
    """
    musts = {row: set(rows) for row, rows in (fixed or {}).items()}
    needs = {row: set(parents.get(row, ())) | musts.get(row, set()) for row in sorted({*parents, *musts})}
    circular: set[str] = set()
    pending = circles(needs, needs)
    while pending:
        group = pending.pop()
        opened = next((row for row in sorted(group) if (needs[row] - musts.get(row, set())) & group), None)
        if opened is None:
            rows = ", ".join(sorted(group)[:5])
            raise PlanError(
                f"rows need each other by lookups that cannot be written later: {rows}", "Empty one of them."
            )
        # A large circle is opened at every row that can wait: looking for the fewest would take too long.
        waiting = (
            [opened] if len(group) <= _SMALL_CIRCLE else [row for row in group if needs[row] - musts.get(row, set())]
        )
        for row in waiting:
            circular.add(row)
            needs[row] = musts.get(row, set())
        pending += circles(sorted(group), {row: needs[row] & group for row in group})
    return RowOrder(heights(needs, needs), frozenset(circular))
