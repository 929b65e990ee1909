"""The order in which tables and rows are written, from the lookups that the rows really use.

A lookup needs its target first. Where tables point to each other in a circle, as few nullable columns as possible are
cut: they are written in a second phase. A table that points to itself is ordered row by row.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from confmig.errors import PlanError


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


def order_tables(tables: Iterable[str], edges: Iterable[Edge]) -> TableOrder:
    """Order tables so that each lookup's target comes before it.

    Raises:
        PlanError: A circle of lookups that can neither be empty nor be written later; the message prints it.
    """
    names = list(dict.fromkeys(tables))
    left = sorted({edge for edge in edges if edge.table != edge.target}, key=_edge_key)
    cut: set[tuple[str, str, str]] = set()
    while circles := [group for group in _components(names, left) if len(group) > 1]:
        for group in circles:
            inner = [edge for edge in left if edge.table in group and edge.target in group]
            edge = _best_cut(group, inner)
            for twin in [item for item in inner if (item.table, item.column) == (edge.table, edge.column)]:
                cut.add((twin.table, twin.column, twin.target))
                left.remove(twin)
    return TableOrder(_ranks(names, left), frozenset(cut))


def _edge_key(edge: Edge) -> tuple[str, str, str]:
    return edge.table, edge.column, edge.target


def _best_cut(group: set[str], edges: list[Edge]) -> Edge:
    """The column whose removal leaves the fewest tables in circles."""
    cuttable = [edge for edge in edges if edge.cuttable]
    if not cuttable:
        raise PlanError(f"The tables cannot be ordered: {_circle(edges)}.", "Leave one of these columns out.")

    def left_in_circles(edge: Edge) -> int:
        rest = [item for item in edges if (item.table, item.column) != (edge.table, edge.column)]
        return sum(len(part) for part in _components(group, rest) if len(part) > 1)

    return min(cuttable, key=lambda edge: (left_in_circles(edge), _edge_key(edge)))


def _circle(edges: list[Edge]) -> str:
    """One circle of required lookups, in words."""
    following: dict[str, Edge] = {edge.table: edge for edge in reversed(edges) if not edge.cuttable}
    table = edges[0].table
    path: list[Edge] = []
    seen: set[str] = set()
    while table in following and table not in seen:
        seen.add(table)
        path.append(following[table])
        table = following[table].target
    steps = ", ".join(f"{edge.table}.{edge.column} needs {edge.target}" for edge in path)
    return f"their required lookups form a circle: {steps}"


def _ranks(names: list[str], edges: list[Edge]) -> dict[str, int]:
    """The longest chain of lookups below each table; the graph has no circles any more."""
    needs: dict[str, set[str]] = defaultdict(set)
    for edge in edges:
        needs[edge.table].add(edge.target)
    ranks: dict[str, int] = {}
    pending = list(names)
    while pending:
        table = pending[-1]
        missing = [target for target in needs[table] if target not in ranks]
        if missing:
            pending.extend(missing)
            continue
        ranks.setdefault(table, 1 + max((ranks[target] for target in needs[table]), default=-1))
        pending.pop()
    return ranks


def _components(names: Iterable[str], edges: Iterable[Edge]) -> list[set[str]]:
    """The groups of tables that reach each other (Tarjan's algorithm, without recursion)."""
    targets: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        targets[edge.table].append(edge.target)
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[set[str]] = []
    for root in names:
        if root in index:
            continue
        work = [(root, iter(targets[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        while work:
            node, rest = work[-1]
            follower = next(rest, None)
            if follower is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    position = stack.index(node)
                    groups.append(set(stack[position:]))
                    del stack[position:]
            elif follower not in index:
                index[follower] = low[follower] = len(index)
                stack.append(follower)
                work.append((follower, iter(targets[follower])))
            elif follower in stack:
                low[node] = min(low[node], index[follower])
    return groups


@dataclass(frozen=True, slots=True)
class RowOrder:
    """``levels``: rows of a lower level are written first; a row that is absent has level 0.

    ``circular`` are rows that point to each other in a circle: their lookups to their own table wait.
    """

    levels: Mapping[str, int] = field(default_factory=dict)
    circular: frozenset[str] = frozenset()


def order_rows(parents: Mapping[str, Iterable[str]]) -> RowOrder:
    """Order the rows of a table that points to itself.

    Args:
        parents: Row to the rows of the same package that it points to.
    """
    levels: dict[str, int] = {}
    circular: set[str] = set()
    for start in parents:
        path: list[str] = [start]
        on_path: set[str] = {start}
        while path:
            row = path[-1]
            waiting = [item for item in parents.get(row, ()) if item not in levels and item in parents]
            looping = [item for item in waiting if item in on_path]
            if row not in levels and looping:
                # The row that closes the circle is written without its lookup, so it needs nobody first.
                circular.add(row)
                waiting = []
            if waiting:
                path.append(waiting[0])
                on_path.add(waiting[0])
                continue
            if row in circular:
                levels.setdefault(row, 0)
            else:
                above = [levels.get(item, 0) for item in parents.get(row, ())]
                levels.setdefault(row, 1 + max(above, default=-1))
            on_path.discard(path.pop())
    return RowOrder(levels, frozenset(circular))
