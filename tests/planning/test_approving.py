"""Which fresh plans an approval covers: what is left of the approved plan, and nothing that somebody else changed."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from confmig.model.environment import RelationshipInfo
from confmig.model.values import Lookup, Value, same_value
from confmig.planning.approving import unapproved
from confmig.planning.plan import Action, Change, LookupPolicy, PlanOptions
from confmig.planning.planfile import PlanFile

from .conftest import (
    FakePackage,
    FakeTarget,
    declare,
    guid,
    link,
    lookup,
    make_plan,
    make_table,
    pairs,
    row,
    text,
    try_plan,
)
from .worlds import World, worlds

many = settings(deadline=None, max_examples=100)
Objection = tuple[Change, str]


@contextmanager
def approving(
    package: FakePackage, target: FakeTarget, options: PlanOptions
) -> Iterator[Callable[[], list[Objection]]]:
    """Approve the plan of now; what is given tells what a plan of later has against that."""
    with tempfile.TemporaryDirectory() as folder:
        first, later = Path(folder) / "first.plan", Path(folder) / "later.plan"
        assert try_plan(package, target, options, first).findings == ()

        def objections() -> list[Objection]:
            assert try_plan(package, target, options, later).findings == ()
            with PlanFile(first) as approved, PlanFile(later) as fresh:
                return list(unapproved(approved, fresh))

        yield objections


def first_steps(changes: list[Change], keep: Callable[[Change], bool]) -> list[Change]:
    """What a killed import has done: all steps up to one, and of that some changes, since they run side by side."""
    done: list[Change] = []
    for _, step in groupby(changes, key=lambda change: (change.phase, change.rank, change.level)):
        side_by_side = list(step)
        kept = [change for change in side_by_side if keep(change)]
        done += kept
        if len(kept) < len(side_by_side):
            break
    return done


@many
@given(worlds(), st.data())
def test_what_is_left_of_an_approved_plan_is_covered(world: World, data: st.DataObject) -> None:
    planned = make_plan(world.package(), world.target)
    with approving(world.package(), world.target, PlanOptions()) as objections:
        assert objections() == []

        world.target.apply(first_steps(planned.writing, lambda _: data.draw(st.integers(0, 4)) > 0))

        assert objections() == []


@many
@given(worlds(nowhere=True), st.sampled_from([LookupPolicy.KEEP, LookupPolicy.NULL, LookupPolicy.SKIP_ROW]), st.data())
def test_so_it_is_where_lookups_lead_nowhere(world: World, lookups: LookupPolicy, data: st.DataObject) -> None:
    options = PlanOptions(lookups=lookups)
    planned = make_plan(world.package(), world.target, options)
    with approving(world.package(), world.target, options) as objections:
        world.target.apply(first_steps(planned.writing, lambda _: data.draw(st.integers(0, 4)) > 0))

        assert objections() == []


@many
@given(worlds(), st.data())
def test_a_planned_column_that_somebody_else_changed_is_not_covered(world: World, data: st.DataObject) -> None:
    planned = make_plan(world.package(), world.target)
    steps = [
        (change, name)
        for change in planned.writing
        if change.action is Action.UPDATE and change.before
        for name in change.after
        if isinstance(change.after[name], str | int | Lookup)
    ]
    assume(steps)
    change, name = data.draw(st.sampled_from(steps))
    with approving(world.package(), world.target, PlanOptions()) as objections:
        done = first_steps(planned.writing, lambda _: data.draw(st.integers(0, 4)) > 0)
        world.target.apply(done)
        values = world.target.rows[change.table][change.id]
        values[name] = another(change.after[name])
        assume(not same_value(values[name], change.before[name]))

        found = objections()

        assert any(one.table == change.table for one, _ in found), found


def another(value: Value) -> Value:
    """A value of the same kind that no world holds."""
    match value:
        case Lookup(table):
            return Lookup(table, guid(4_444))
        case str():
            return "somebody's"
        case _:
            return 4_444


@many
@given(worlds(), st.data())
def test_a_row_that_somebody_deleted_is_not_covered(world: World, data: st.DataObject) -> None:
    planned = make_plan(world.package(), world.target)
    updated = [change for change in planned.writing if change.action is Action.UPDATE and change.before]
    assume(updated)
    change = data.draw(st.sampled_from(updated))
    with approving(world.package(), world.target, PlanOptions()) as objections:
        del world.target.rows[change.table][change.id]

        assert objections() != []


SHOP, TOWN = make_table("shop", text("city"), lookup("town", "town"), states=True), make_table("town")
BY_CITY = declare(SHOP, key=["city"])


def shops(*rows: int) -> FakePackage:
    return FakePackage([declare(SHOP)], *(row("shop", number, name="new", city=f"city {number}") for number in rows))


@pytest.fixture
def target() -> FakeTarget:
    target = FakeTarget(SHOP, TOWN)
    target.put("shop", 1, name="old", city="city 1")
    return target


def reasons(found: list[Objection]) -> list[str]:
    return [reason for _, reason in found]


def test_a_change_that_was_not_needed_then_is_not_covered(target: FakeTarget) -> None:
    with approving(shops(1), target, PlanOptions()) as objections:
        target.row("shop", 1)["city"] = "elsewhere"
        assert reasons(objections()) == ["city is to get a value that was not approved"]


def test_what_somebody_else_did_just_as_planned_is_covered(target: FakeTarget) -> None:
    with approving(shops(1, 2), target, PlanOptions()) as objections:
        target.row("shop", 1)["name"] = "new"
        target.put("shop", 2, name="new", city="city 2")
        assert objections() == []


def test_a_row_that_somebody_else_made_otherwise_is_not_covered(target: FakeTarget) -> None:
    with approving(shops(1, 2), target, PlanOptions()) as objections:
        target.put("shop", 2, name="theirs", city="city 2")
        assert reasons(objections()) == ["name has changed since the row was created"]


def test_a_row_whose_key_another_row_has_by_now_is_not_covered(target: FakeTarget) -> None:
    package = FakePackage([BY_CITY], row("shop", 9, name="new", city="city 1"))
    with approving(package, target, PlanOptions()) as objections:
        target.row("shop", 1)["city"] = "elsewhere"
        target.put("shop", 2, name="new", city="city 1")
        assert reasons(objections()) == ["the package's row is another row of the target by now"]


def test_a_row_to_be_created_whose_key_came_into_being_is_not_covered(target: FakeTarget) -> None:
    package = FakePackage([BY_CITY], row("shop", 9, name="new", city="city 9"))
    with approving(package, target, PlanOptions()) as objections:
        target.put("shop", 2, name="new", city="CITY 9 ")
        target.row("shop", 2)["city"] = "city 9"
        assert reasons(objections()) == ["the package's row is another row of the target by now"]


def test_a_row_that_would_be_skipped_by_now_is_not_covered(target: FakeTarget) -> None:
    target.put("town", 5)
    package = FakePackage([declare(SHOP)], row("shop", 1, name="new", town=link("town", 5)))
    with approving(package, target, PlanOptions(lookups=LookupPolicy.SKIP_ROW)) as objections:
        del target.rows["town"][guid(5)]
        (reason,) = reasons(objections())
        assert reason.startswith("it is to be skipped now: its lookup town resolves nowhere")


def test_a_row_that_its_own_plan_created_may_be_skipped_from_then_on(target: FakeTarget) -> None:
    package = FakePackage([declare(SHOP, skip_update=True)], row("shop", 2, name="new", statecode=1, statuscode=2))
    planned = make_plan(package, target)
    with approving(package, target, PlanOptions()) as objections:
        target.apply(planned.writing[:1])
        assert objections() == []


def test_associations_are_covered_one_by_one() -> None:
    both = RelationshipInfo("pair", "shop", "shopidone", "town", "townidtwo")
    shop, town = make_table("shop", relationships=[both]), make_table("town", relationships=[both])
    target = FakeTarget(shop, town)
    for number in (1, 2):
        target.put("shop", number)
        target.put("town", number)
    package = FakePackage([declare(shop, associated={"pair": "town"})], pairs("pair", "shop", 1, "town", 1, 2))
    target.pairs["pair"] = {(guid(1), guid(1))}
    with approving(package, target, PlanOptions()) as objections:
        there = deepcopy(target.pairs)
        target.pairs["pair"] = {(guid(1), guid(1)), (guid(1), guid(2))}
        assert objections() == []
        target.pairs = there
        target.pairs["pair"].clear()
        assert reasons(objections()) == ["the association is not among the approved changes"]
