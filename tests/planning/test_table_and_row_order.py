"""Which table and which row is written first."""

from itertools import combinations
from random import Random

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from confmig.errors import PlanError
from confmig.planning.ordering import Edge, TableOrder, order_rows, order_tables


def needs(table: str, target: str, *, column: str | None = None, required: bool = False) -> Edge:
    return Edge(table, column or f"{target}_of", target, cuttable=not required)


def test_a_table_comes_after_those_that_its_lookups_point_to() -> None:
    order = order_tables(["price", "product", "shop"], [needs("price", "product"), needs("product", "shop")])

    assert order.ranks == {"shop": 0, "product": 1, "price": 2}
    assert order.cut == frozenset()


def test_tables_that_do_not_depend_on_each_other_share_a_rank() -> None:
    order = order_tables(["a", "b", "c"], [needs("c", "a")])

    assert order.ranks == {"a": 0, "b": 0, "c": 1}


def test_the_rank_is_the_longest_chain_of_lookups_below_a_table() -> None:
    order = order_tables(["a", "b", "c"], [needs("c", "a"), needs("c", "b"), needs("b", "a")])

    assert order.ranks["c"] == 2


def test_a_table_that_points_to_itself_needs_no_cut() -> None:
    order = order_tables(["region"], [needs("region", "region", required=True)])

    assert order == TableOrder({"region": 0})


def test_a_circle_is_cut_at_the_column_that_may_be_written_later() -> None:
    order = order_tables(["a", "b"], [needs("a", "b", required=True), needs("b", "a")])

    assert order.cut == {("b", "a_of", "a")}
    assert order.ranks == {"b": 0, "a": 1}


def test_two_circles_through_one_column_are_cut_there_once() -> None:
    edges = [needs("hub", "middle"), needs("middle", "x"), needs("middle", "y"), needs("x", "hub"), needs("y", "hub")]

    assert order_tables(["hub", "middle", "x", "y"], edges).cut == {("hub", "middle_of", "middle")}


def test_a_column_that_points_to_several_tables_of_a_circle_is_cut_for_all_of_them() -> None:
    edges = [
        Edge("a", "customer", "b", cuttable=True),
        Edge("a", "customer", "c", cuttable=True),
        needs("b", "a", required=True),
        needs("c", "a", required=True),
    ]

    assert order_tables(["a", "b", "c"], edges).cut == {("a", "customer", "b"), ("a", "customer", "c")}


def test_a_cut_column_still_orders_the_tables_outside_the_circle() -> None:
    edges = [
        Edge("a", "customer", "b", cuttable=True),
        Edge("a", "customer", "outside", cuttable=True),
        needs("b", "a", required=True),
    ]

    order = order_tables(["a", "b", "outside"], edges)

    assert order.cut == {("a", "customer", "b")}
    assert order.ranks["outside"] < order.ranks["a"]


def test_a_circle_of_required_lookups_is_an_error_that_prints_it() -> None:
    edges = [
        needs("a", "b", column="b_of_a", required=True),
        needs("b", "c", column="c_of_b", required=True),
        needs("c", "a", column="a_of_c", required=True),
    ]

    with pytest.raises(PlanError) as caught:
        order_tables(["a", "b", "c"], edges)

    for step in ("a.b_of_a needs b", "b.c_of_b needs c", "c.a_of_c needs a"):
        assert step in caught.value.message


def test_the_printed_circle_closes_and_holds_no_table_beside_it() -> None:
    # The circle that is met first is b → c → b; a only leads into it and out of it.
    edges = [
        needs("a", "b", column="b_of_a", required=True),
        needs("b", "c", column="c_of_b", required=True),
        needs("c", "b", column="b_of_c", required=True),
        needs("c", "a", column="z_of_c", required=True),
    ]

    with pytest.raises(PlanError) as caught:
        order_tables(["a", "b", "c"], edges)

    steps = [step.split(" needs ") for step in caught.value.message.rstrip(".").split(": ")[-1].split(", ")]
    starts = [column.split(".")[0] for column, _ in steps]
    ends = [target for _, target in steps]
    assert ends == [*starts[1:], starts[0]]


def test_a_required_circle_is_an_error_even_when_other_columns_could_be_cut() -> None:
    edges = [needs("a", "b", required=True), needs("b", "a", required=True), needs("a", "b", column="spare")]

    with pytest.raises(PlanError, match=r"a\.b_of needs b"):
        order_tables(["a", "b"], edges)


_TABLES = ["a", "b", "c", "d", "e"]
_EDGES = st.lists(
    st.builds(
        Edge, st.sampled_from(_TABLES), st.sampled_from(["x", "y"]), st.sampled_from(_TABLES), cuttable=st.booleans()
    ),
    max_size=9,
    unique_by=lambda edge: (edge.table, edge.column, edge.target),
)


def _has_circle(edges: list[Edge]) -> bool:
    left = [edge for edge in edges if edge.table != edge.target]
    while left:
        leaving = {edge.table for edge in left}
        rest = [edge for edge in left if edge.target in leaving]
        if len(rest) == len(left):
            return True
        left = rest
    return False


def _without(edges: list[Edge], columns: tuple[tuple[str, str], ...]) -> list[Edge]:
    return [edge for edge in edges if (edge.table, edge.column) not in columns]


def _uniform(edges: list[Edge]) -> list[Edge]:
    """Edges of one column are all required or all not, as a column is one thing."""
    first = {(edge.table, edge.column): edge.cuttable for edge in reversed(edges)}
    return [Edge(edge.table, edge.column, edge.target, first[edge.table, edge.column]) for edge in edges]


@settings(deadline=None)
@given(_EDGES)
def test_every_lookup_that_is_not_cut_has_its_target_at_a_lower_rank(drawn: list[Edge]) -> None:
    edges = _uniform(drawn)
    assume(not _has_circle([edge for edge in edges if not edge.cuttable]))

    order = order_tables(_TABLES, edges)

    for edge in edges:
        if edge.table != edge.target and (edge.table, edge.column, edge.target) not in order.cut:
            assert order.ranks[edge.target] < order.ranks[edge.table]
    assert {(edge.table, edge.column, edge.target) for edge in edges if edge.cuttable} >= order.cut


def _graph(*edges: str) -> list[Edge]:
    return [Edge(edge[0], edge[1], edge[2], cuttable=True) for edge in edges]


@settings(deadline=None, max_examples=200)
@example(_graph("axc", "ayc", "bya", "cxa", "cxb", "cya", "cyb"))
@example(_graph("axb", "axc", "ayb", "ayc", "bxc", "cxa", "cxb", "cya"))
@example(_graph("axb", "bxc", "byd", "cxa", "cxb", "cyb", "dxa", "dxc", "dyb", "dyc"))
@given(_EDGES)
def test_no_smaller_number_of_columns_would_open_all_circles(drawn: list[Edge]) -> None:
    edges = _uniform(drawn)
    assume(not _has_circle([edge for edge in edges if not edge.cuttable]))
    columns = sorted({(edge.table, edge.column) for edge in edges if edge.cuttable})

    cut = {(table, column) for table, column, _ in order_tables(_TABLES, edges).cut}

    smaller = (chosen for size in range(len(cut)) for chosen in combinations(columns, size))
    assert all(_has_circle(_without(edges, chosen)) for chosen in smaller)


@settings(deadline=None)
@given(_EDGES)
def test_a_plan_error_is_raised_exactly_when_required_lookups_form_a_circle(drawn: list[Edge]) -> None:
    edges = _uniform(drawn)
    if _has_circle([edge for edge in edges if not edge.cuttable]):
        with pytest.raises(PlanError):
            order_tables(_TABLES, edges)
    else:
        assert set(order_tables(_TABLES, edges).ranks) == set(_TABLES)


@settings(deadline=None)
@given(_EDGES.map(_uniform), st.permutations(_TABLES), st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_the_order_of_the_input(
    edges: list[Edge], tables: list[str], random: Random
) -> None:
    assume(not _has_circle([edge for edge in edges if not edge.cuttable]))
    shuffled = list(edges)
    random.shuffle(shuffled)

    assert order_tables(tables, shuffled) == order_tables(_TABLES, edges)


def test_a_row_comes_after_the_row_that_it_points_to() -> None:
    order = order_rows({"leaf": ["twig"], "twig": ["root"]})

    assert order.levels.get("root", 0) < order.levels["twig"] < order.levels["leaf"]
    assert order.circular == frozenset()


def test_rows_below_the_same_row_share_a_level() -> None:
    order = order_rows({"left": ["root"], "right": ["root"]})

    assert order.levels["left"] == order.levels["right"]


def test_a_circle_of_rows_is_opened_at_one_row() -> None:
    order = order_rows({"a": ["b"], "b": ["c"], "c": ["a"]})

    assert len(order.circular) == 1


def test_a_long_chain_of_rows_is_ordered_without_recursion() -> None:
    order = order_rows({str(number): [str(number + 1)] for number in range(20_000)})

    assert order.levels["0"] == 20_000


_ROWS = ["1", "2", "3", "4", "5", "6"]
_PARENTS = st.dictionaries(st.sampled_from(_ROWS), st.lists(st.sampled_from(_ROWS), min_size=1, max_size=3)).map(
    lambda drawn: {row: [parent for parent in parents if parent != row] for row, parents in drawn.items()}
)


@settings(deadline=None)
@given(_PARENTS)
def test_every_row_that_is_not_circular_comes_after_all_rows_that_it_points_to(parents: dict[str, list[str]]) -> None:
    order = order_rows(parents)

    for row, above in parents.items():
        if row not in order.circular:
            assert all(order.levels.get(parent, 0) < order.levels.get(row, 0) for parent in above)


@settings(deadline=None)
@given(_PARENTS)
def test_rows_without_a_circle_have_no_circular_row(parents: dict[str, list[str]]) -> None:
    upward = {row: [parent for parent in above if parent < row] for row, above in parents.items()}

    assert order_rows(upward).circular == frozenset()


@settings(deadline=None)
@given(_PARENTS, st.permutations(_ROWS))
def test_the_order_of_rows_does_not_depend_on_their_order_in_the_package(
    parents: dict[str, list[str]], shuffled: list[str]
) -> None:
    again = {row: list(reversed(parents[row])) for row in shuffled if row in parents}

    assert order_rows(again) == order_rows(parents)
