"""Dates that are relative to the day of the import: by how much they are moved, and what the plan says of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

import pytest

from confmig.errors import PlanError
from confmig.model.environment import ColumnInfo
from confmig.model.schema import DateMode, Table
from confmig.model.values import ColumnType, Value
from confmig.planning.plan import Action, PlanOptions
from confmig.planning.relative import LATEST, Shift, days_to_move

from .conftest import FakePackage, FakeTarget, Planned, declare, guid, make_plan, make_table, row

EXPORTED = datetime(2024, 7, 26, 15, 51, 30, 542990, UTC)  # a Friday
MEETING = make_table(
    "meeting",
    ColumnInfo("starts", ColumnType.DATETIME),
    ColumnInfo("day", ColumnType.DATETIME, date_only=True, zoned=False),
    ColumnInfo("local", ColumnType.DATETIME, zoned=False),
    ColumnInfo("createdon", ColumnType.DATETIME),
)
STARTS = datetime(2024, 8, 1, 9, 30, tzinfo=UTC)
RELATIVE, DAILY, ABSOLUTE = DateMode.RELATIVE, DateMode.RELATIVE_DAILY, DateMode.ABSOLUTE


Modes = Mapping[str, DateMode]


def moded(modes: Modes = MappingProxyType({}), *, key: tuple[str, ...] = ()) -> Table:
    """The table as a schema declares it, with a date mode of their own for some columns."""
    table = declare(MEETING, key=key)
    return table.with_columns(tuple(replace(item, date_mode=modes.get(item.name)) for item in table.columns))


def planned(
    values: Mapping[str, Value],
    as_of: datetime | None,
    *,
    root: DateMode | None = RELATIVE,
    exported: datetime | None = EXPORTED,
    modes: Modes = MappingProxyType({}),
) -> Planned:
    """The plan of one new meeting."""
    package = FakePackage([moded(modes)], row("meeting", 1, **values), date_mode=root, exported=exported)
    return make_plan(package, FakeTarget(MEETING), PlanOptions(as_of=as_of))


@pytest.mark.parametrize(
    ("as_of", "weekly", "daily"),
    [
        (EXPORTED, 0, 0),
        (EXPORTED - timedelta(seconds=1), 0, 0),
        (EXPORTED - timedelta(days=400), 0, 0),
        (EXPORTED + timedelta(days=1) - timedelta(microseconds=1), 0, 0),
        (EXPORTED + timedelta(days=1), 0, 1),
        (EXPORTED + timedelta(days=6, hours=23), 0, 6),
        (EXPORTED + timedelta(days=7), 7, 7),
        (EXPORTED + timedelta(days=20, hours=23), 14, 20),
        (EXPORTED + timedelta(days=21), 21, 21),
        (datetime(2026, 11, 25, 17, tzinfo=UTC), 847, 852),
        (datetime(2024, 8, 16, 17, 51, 30, 542990, timezone(timedelta(hours=2))), 21, 21),
    ],
)
def test_only_whole_steps_that_have_passed_count(as_of: datetime, weekly: int, daily: int) -> None:
    assert days_to_move(RELATIVE, EXPORTED, as_of) == weekly
    assert days_to_move(DAILY, EXPORTED, as_of) == daily


def test_microsofts_example_moves_dates_by_three_months() -> None:
    july, october = datetime(2017, 7, 1, tzinfo=UTC), datetime(2017, 10, 1, tzinfo=UTC)
    assert (days_to_move(RELATIVE, july, october), days_to_move(DAILY, july, october)) == (91, 92)


def test_weekday_and_time_stay_with_and_without_a_zone_and_for_days() -> None:
    values: dict[str, Value] = {"starts": STARTS, "day": datetime(2024, 2, 29), "local": datetime(2024, 8, 1, 23, 59)}

    after = planned(values, EXPORTED + timedelta(days=22)).only("meeting", 1).after

    assert after == {
        "starts": datetime(2024, 8, 22, 9, 30, tzinfo=UTC),
        "day": datetime(2024, 3, 21),
        "local": datetime(2024, 8, 22, 23, 59),
    }


@pytest.mark.parametrize(
    ("root", "field", "days"),
    [
        (None, None, 0),
        (ABSOLUTE, None, 0),
        (RELATIVE, None, 14),
        (DAILY, None, 18),
        (RELATIVE, ABSOLUTE, 0),
        (DAILY, ABSOLUTE, 0),
        (RELATIVE, DAILY, 18),
        (DAILY, RELATIVE, 14),
        (None, RELATIVE, 14),
        (ABSOLUTE, DAILY, 18),
    ],
)
def test_a_fields_mode_goes_before_the_schemas(root: DateMode | None, field: DateMode | None, days: int) -> None:
    modes = {} if field is None else {"starts": field}
    plan = planned({"starts": STARTS}, EXPORTED + timedelta(days=18), root=root, modes=modes)
    assert plan.only("meeting", 1).after == {"starts": STARTS + timedelta(days=days)}


def test_the_plan_says_for_each_column_by_how_much_and_since_when() -> None:
    plan = planned(
        {"starts": STARTS, "day": datetime(2024, 8, 1)}, datetime(2024, 8, 16, 23, tzinfo=UTC), modes={"day": DAILY}
    )

    said = {(note.table, note.column): note.message for note in plan.notes if note.kind == "dateMode"}

    since = "exported 2024-07-26T15:51:30Z, as of 2024-08-16T23:00:00Z, dateMode"
    assert said == {
        ("meeting", "starts"): f"dates are moved forward by 3 weeks (21 days): {since} relative",
        ("meeting", "day"): f"dates are moved forward by 21 days: {since} relativeDaily",
    }
    assert (plan.header.as_of, plan.header.exported) == ("2024-08-16T23:00:00+00:00", EXPORTED.isoformat())
    assert plan.header.policies["relative"] == "3 weeks (21 days)"
    assert plan.header.policies["relativeDaily"] == "21 days"


@pytest.mark.parametrize(
    ("exported", "as_of", "why"),
    [
        (None, EXPORTED, "the package has no timestamp"),
        (EXPORTED, EXPORTED - timedelta(hours=1), "the package's timestamp is yet to come"),
        (EXPORTED, EXPORTED + timedelta(days=6), "less than a week has passed"),
        (EXPORTED, None, "the plan is not made as of any moment"),
    ],
)
def test_dates_that_stay_as_they_are_have_a_reason(exported: datetime | None, as_of: datetime | None, why: str) -> None:
    plan = planned({"starts": STARTS}, as_of, exported=exported)
    assert plan.only("meeting", 1).after == {"starts": STARTS}
    assert plan.note("dateMode").message.startswith(f"dates stay as they are: {why}")


def test_what_the_service_keeps_for_itself_is_neither_moved_nor_a_reason_to_freeze_the_plan() -> None:
    plan = planned({"name": "x", "createdon": STARTS}, EXPORTED + timedelta(days=18))
    assert plan.only("meeting", 1).after == {"name": "x"}
    assert (plan.header.as_of, plan.header.exported) == ("", "")


def test_a_plan_without_relative_dates_has_one_digest_on_any_day() -> None:
    digests = {
        planned(values, as_of, root=root).header.digest
        for values, root in (({"starts": STARTS}, ABSOLUTE), ({"starts": None}, RELATIVE), ({}, RELATIVE))
        for as_of in (None, EXPORTED, EXPORTED + timedelta(days=90))
    }
    assert len(digests) == 2  # the row with a date, and the row without


def test_a_plan_with_relative_dates_has_one_digest_for_as_long_as_it_writes_the_same() -> None:
    at = [EXPORTED + timedelta(days=days) for days in (7, 8, 13.9, 14)]
    first, second, third, later = (planned({"starts": STARTS}, moment).header for moment in at)
    assert first.digest == second.digest == third.digest != later.digest
    assert first.as_of != second.as_of


def test_the_shift_is_approved_even_where_no_written_value_shows_it() -> None:
    """Another as-of time is another plan, though the row itself is skipped."""
    table = replace(moded(), skip_update=True)
    package = FakePackage([table], row("meeting", 1, starts=STARTS), date_mode=RELATIVE, exported=EXPORTED)
    target = FakeTarget(MEETING)
    target.put("meeting", 1, starts=STARTS)
    digests = {
        make_plan(package, target, PlanOptions(as_of=EXPORTED + timedelta(days=days))).header.digest for days in (7, 14)
    }
    assert len(digests) == 2


def test_the_plan_is_made_again_as_of_its_own_time() -> None:
    header = planned({"starts": STARTS}, EXPORTED + timedelta(days=15)).header
    options = PlanOptions.from_texts(header.policies, header.as_of)
    assert options.as_of == EXPORTED + timedelta(days=15)
    assert planned({"starts": STARTS}, options.as_of).header.digest == header.digest


@pytest.mark.parametrize("text", ["yesterday", "9999-12-31T23:59:59-12:00"])
def test_an_as_of_time_that_this_program_never_writes_is_refused(text: str) -> None:
    header = planned({"starts": STARTS}, EXPORTED).header
    with pytest.raises(PlanError, match="policies of the plan cannot be read"):
        PlanOptions.from_texts(header.policies, text)


@pytest.mark.parametrize("value", [LATEST, LATEST - timedelta(days=13), datetime(9999, 12, 31, 23, 59, 59)])
@pytest.mark.parametrize("zone", [None, UTC])
def test_a_date_that_cannot_be_moved_is_a_conflict_with_the_way_out(value: datetime, zone: timezone | None) -> None:
    plan = planned({"starts": value.replace(tzinfo=zone)}, EXPORTED + timedelta(days=14))
    change = plan.only("meeting", 1)
    assert change.action is Action.CONFLICT
    assert "moved forward by 14 days is after 9999-12-30" in change.reason
    assert 'dateMode="absolute" on the field' in change.reason
    assert plan.refusals


def test_the_last_day_is_a_date_as_any_other() -> None:
    assert Shift(14, 7).move(LATEST - timedelta(days=14)) == LATEST


@pytest.mark.parametrize(
    ("target", "held", "held_if_earlier"),
    [
        (STARTS + timedelta(days=21), True, True),
        (STARTS + timedelta(days=14), False, True),
        (STARTS, False, True),
        (STARTS + timedelta(days=28), False, False),
        (STARTS - timedelta(days=7), False, False),
        (STARTS + timedelta(days=20), False, False),
        (STARTS + timedelta(days=14, hours=1), False, False),
        (None, False, False),
    ],
)
def test_an_earlier_import_is_held_by_whole_steps_only(
    target: datetime | None, held: bool, held_if_earlier: bool
) -> None:
    there = FakeTarget(MEETING)
    there.put("meeting", 1, starts=target)
    package = FakePackage([moded()], row("meeting", 1, starts=STARTS), date_mode=RELATIVE, exported=EXPORTED)
    options = PlanOptions(as_of=EXPORTED + timedelta(days=22))

    exactly = make_plan(package, there, options).only("meeting", 1)
    leniently = make_plan(package, there, replace(options, earlier_dates=True)).only("meeting", 1)

    assert (exactly.action is Action.UNCHANGED, leniently.action is Action.UNCHANGED) == (held, held_if_earlier)


def test_a_date_in_the_key_is_compared_as_it_would_be_written() -> None:
    target = FakeTarget(MEETING)
    target.put("meeting", 7, name="Old", starts=STARTS + timedelta(days=7))
    table = moded(key=("starts",))
    package = FakePackage([table], row("meeting", 1, name="New", starts=STARTS), date_mode=RELATIVE, exported=EXPORTED)

    change = make_plan(package, target, PlanOptions(as_of=EXPORTED + timedelta(days=8))).only("meeting", 1)

    assert (change.action, change.id) == (Action.UPDATE, guid(7))
    assert change.after == {"name": "New"}


def test_a_moved_key_that_is_another_rows_by_then_is_a_conflict_and_never_a_guess() -> None:
    target = FakeTarget(MEETING)
    target.put("meeting", 1, starts=STARTS)
    target.put("meeting", 2, starts=STARTS + timedelta(days=7))
    table = moded(key=("starts",))
    package = FakePackage([table], row("meeting", 1, starts=STARTS), date_mode=RELATIVE, exported=EXPORTED)

    change = make_plan(package, target, PlanOptions(as_of=EXPORTED + timedelta(days=8))).only("meeting", 1)

    assert change.action is Action.CONFLICT
    assert f"hits row {guid(2)}" in change.reason


def test_a_key_that_cannot_be_moved_matches_nothing_and_is_a_conflict() -> None:
    package = FakePackage(
        [moded(key=("starts",))], row("meeting", 1, starts=LATEST), date_mode=RELATIVE, exported=EXPORTED
    )
    change = make_plan(package, FakeTarget(MEETING), PlanOptions(as_of=EXPORTED + timedelta(days=8))).only("meeting", 1)
    assert change.action is Action.CONFLICT
