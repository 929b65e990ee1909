"""What holds for every package and every target."""

from copy import deepcopy
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confmig.model.records import Association, Record
from confmig.model.values import ColumnType, Lookup, Value, same_value
from confmig.planning.plan import Action, Change, LookupPolicy, Phase, PlanOptions

from .conftest import FakePackage, FakeTarget, Planned, make_plan
from .worlds import World, worlds

many = settings(deadline=None, max_examples=100)


def content_of(changes: list[Change]) -> list[object]:
    """All that changes say but the place in which they stand."""
    return [(change.phase, change.table, change.id, change.action, change.before, change.after) for change in changes]


@many
@given(worlds())
def test_a_plan_can_be_applied_in_its_order_and_leaves_nothing_to_do(world: World) -> None:
    planned = make_plan(world.package(), world.target)
    assert planned.refusals == []

    world.target.apply(planned.changes)

    again = make_plan(world.package(), world.target)
    assert again.writing == []
    assert again.refusals == []


@many
@given(worlds())
def test_after_applying_the_target_holds_what_the_package_says(world: World) -> None:
    planned = make_plan(world.package(), world.target)
    existing = {(table, row_id) for table, rows in world.target.rows.items() for row_id in rows}

    world.target.apply(planned.changes)

    ids = {(change.table, change.source_id): change.id for change in planned.changes if not change.relationship}
    for record in world.rows:
        assert record.id is not None
        row_id = ids[record.table, record.id]
        is_new = (record.table, row_id) not in existing
        if not is_new and world.declared(record.table).skip_update:
            continue
        now = world.target.rows[record.table][row_id]
        for name, value in record.values.items():
            column = world.infos[record.table].columns[name]
            written = is_new or column.updatable
            if column.type is not ColumnType.OWNER and name != f"{record.table}id" and value != "" and written:
                assert same_value(now.get(name), mapped(ids, value)), (record.table, name)


def mapped(ids: dict[tuple[str, str], str], value: Value) -> Value:
    """A value with its lookup as the plan maps it."""
    if isinstance(value, Lookup):
        return Lookup(value.table, ids.get((value.table, value.id), value.id))
    return value


@many
@given(worlds())
def test_a_target_that_holds_the_package_already_gives_an_empty_plan(world: World) -> None:
    target = FakeTarget(*world.target.tables.values())
    target.rows["place"], target.rows["systemuser"] = world.target.rows["place"], world.target.rows["systemuser"]
    for record in world.rows:
        assert record.id is not None
        values = dict(record.values)
        if isinstance(status := values.get("statuscode"), int):
            values["statecode"] = world.infos[record.table].status_states[status]
        target.put_row(record.table, record.id, values)
    for item in world.associations:
        first_is_source = world.infos[item.table].relationships[item.relationship].table1 == item.table
        ends = (item.source, item.targets[0]) if first_is_source else (item.targets[0], item.source)
        target.pairs.setdefault(item.relationship, set()).add(ends)

    planned = make_plan(world.package(), target)

    assert planned.writing == []
    assert planned.refusals == []


@many
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_tables_and_rows_in_the_package_does_not_matter(world: World, random: Random) -> None:
    tables = list(world.tables)
    content: list[Record | Association] = [*world.rows, *world.associations]
    random.shuffle(tables)
    random.shuffle(content)

    first = make_plan(world.package(), world.target)
    second = make_plan(FakePackage(tables, *content), world.target)

    assert content_of(second.writing) == content_of(first.writing)
    assert second.header.digest == first.header.digest


@many
@given(worlds())
def test_the_same_package_against_the_same_state_gives_the_same_plan(world: World) -> None:
    first, second = (make_plan(world.package(), deepcopy(world.target)) for _ in range(2))

    assert second.changes == first.changes
    assert second.header.digest == first.header.digest


@many
@given(worlds())
def test_only_what_differs_is_written_with_what_the_target_held_before(world: World) -> None:
    for change in make_plan(world.package(), world.target).changes:
        held = world.target.rows[change.table].get(change.id)
        if change.action in {Action.UNCHANGED, Action.SKIP, Action.ASSOCIATE} or held is None:
            assert change.before == {}
        else:
            assert set(change.before) == set(change.after)
            for name, value in change.before.items():
                assert same_value(value, held.get(name))
            assert any(not same_value(change.before[name], value) for name, value in change.after.items())
        if change.phase is not Phase.STATES:
            assert all(
                name not in change.before or not same_value(change.before[name], value)
                for name, value in change.after.items()
            )


@many
@given(worlds())
def test_rows_that_only_the_target_has_stay_as_they_are(world: World) -> None:
    before = deepcopy(world.target.rows)
    planned = make_plan(world.package(), world.target)

    world.target.apply(planned.changes)

    touched = {(change.table, change.id) for change in planned.writing if not change.relationship}
    for table, rows in before.items():
        for row_id, values in rows.items():
            if (table, row_id) not in touched:
                assert world.target.rows[table][row_id] == values


@many
@given(worlds())
def test_columns_that_the_package_does_not_tell_stay_as_they_are(world: World) -> None:
    told = {(record.table, record.id): set(record.values) for record in world.rows}
    states = {"statecode", "statuscode"}

    for change in make_plan(world.package(), world.target).writing:
        if not change.relationship:
            names = told[change.table, change.source_id]
            assert set(change.after) <= (names | states if names & states else names)


@many
@given(worlds())
def test_every_row_of_the_package_is_in_the_plan_and_in_its_counts(world: World) -> None:
    planned = make_plan(world.package(), world.target)

    assert set(planned.actions()) == {(record.table, record.id) for record in world.rows}
    assert rows_counted(planned) == len(world.rows)


def rows_counted(planned: Planned) -> int:
    return sum(
        count.create + count.update + count.unchanged + count.skip + count.conflict for count in planned.counts.values()
    )


@pytest.mark.parametrize("policy", [LookupPolicy.KEEP, LookupPolicy.NULL, LookupPolicy.SKIP_ROW])
@many
@given(world=worlds(nowhere=True))
def test_a_plan_that_tolerates_lookups_that_lead_nowhere_can_be_applied_all_the_same(
    policy: LookupPolicy, world: World
) -> None:
    options = PlanOptions(lookups=policy)
    planned = make_plan(world.package(), world.target, options)
    assert planned.refusals == []

    world.target.apply(planned.changes)

    assert make_plan(world.package(), world.target, options).writing == []


@many
@given(worlds(nowhere=True))
def test_a_plan_that_does_not_tolerate_them_is_refused_exactly_when_there_are_some(world: World) -> None:
    ids = {(record.table, record.id) for record in world.rows}
    lost = [
        value
        for record in world.rows
        for name, value in record.values.items()
        if isinstance(value, Lookup)
        and name != "ownerid"
        and (value.table, value.id) not in ids
        and value.id not in world.target.rows[value.table]
    ]

    assert bool(make_plan(world.package(), world.target).refusals) == bool(lost)
