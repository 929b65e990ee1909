"""What is to change in one row: which columns, in which phase, and why not."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from confmig.model.environment import ColumnInfo
from confmig.model.values import Choices, ColumnType, Lookup, Parties, Party, Value
from confmig.planning.plan import Action, MatchedBy, Phase, PlanOptions

from .conftest import (
    CALLER,
    DIGEST,
    OWNER,
    FakePackage,
    FakeTarget,
    declare,
    guid,
    link,
    lookup,
    make_plan,
    make_table,
    number,
    row,
    text,
)

SHOP = make_table("shop", text("city"), number("size"), states=True)
USER = make_table("systemuser")


def test_a_row_that_the_target_lacks_is_created_with_its_id_and_its_values() -> None:
    package = FakePackage([declare(SHOP)], row("shop", 1, name="North", city="Oslo", size=3))

    change = make_plan(package, FakeTarget(SHOP)).only("shop", 1)

    assert (change.action, change.phase, change.id) == (Action.CREATE, Phase.ROWS, guid(1))
    assert change.after == {"name": "North", "city": "Oslo", "size": 3}
    assert change.before == {}
    assert change.matched_by is None
    assert change.name == "North"


def test_only_the_columns_that_differ_are_written_with_what_they_held_before() -> None:
    target = FakeTarget(SHOP)
    target.put("shop", 1, name="North", city="Bergen", size=3)
    target.versions["shop", guid(1)] = 77
    package = FakePackage([declare(SHOP)], row("shop", 1, name="North", city="Oslo", size=3))

    change = make_plan(package, target).only("shop", 1)

    assert change.action is Action.UPDATE
    assert (change.before, change.after) == ({"city": "Bergen"}, {"city": "Oslo"})
    assert change.matched_by is MatchedBy.ID
    assert change.version == "77"


def test_a_row_that_is_as_it_should_be_is_unchanged() -> None:
    target = FakeTarget(SHOP)
    target.put("shop", 1, name="North", city="Oslo")
    package = FakePackage([declare(SHOP)], row("shop", 1, name="North", city="Oslo"))

    change = make_plan(package, target).only("shop", 1)

    assert (change.action, change.before, change.after) == (Action.UNCHANGED, {}, {})


def test_a_column_that_a_row_does_not_hold_is_left_alone() -> None:
    target = FakeTarget(SHOP)
    target.put("shop", 1, name="North", city="Oslo", size=9)
    package = FakePackage([declare(SHOP)], row("shop", 1, name="North"))

    assert make_plan(package, target).only("shop", 1).action is Action.UNCHANGED


@pytest.mark.parametrize("empty", [None, ""])
def test_a_column_that_holds_nothing_clears_nothing(empty: Value) -> None:
    target = FakeTarget(SHOP)
    target.put("shop", 1, city="Oslo")
    package = FakePackage([declare(SHOP)], row("shop", 1, city=empty))

    assert make_plan(package, target).only("shop", 1).action is Action.UNCHANGED


@pytest.mark.parametrize(
    ("kind", "ours", "theirs"),
    [
        (ColumnType.DECIMAL, Decimal("1.2500000000"), Decimal("1.25")),
        (ColumnType.MONEY, Decimal("11.5000000000"), Decimal("11.5000")),
        (ColumnType.FLOAT, 2.0, Decimal(2)),
        (ColumnType.CHOICES, Choices((2, 1)), Choices((1, 2))),
        (ColumnType.DATETIME, datetime(2024, 5, 1, 9, tzinfo=UTC), datetime(2024, 5, 1, 9)),
        (ColumnType.LOOKUP, link("shop", 1, "North"), link("shop", 1)),
    ],
)
def test_values_that_are_only_written_differently_are_no_change(kind: ColumnType, ours: Value, theirs: Value) -> None:
    info = make_table("shop", ColumnInfo("special", kind, ("shop",)))
    target = FakeTarget(info)
    target.put("shop", 1, special=theirs)

    planned = make_plan(FakePackage([declare(info)], row("shop", 1, special=ours)), target)

    assert planned.only("shop", 1).action is Action.UNCHANGED


def test_texts_differ_by_case_and_blanks() -> None:
    target = FakeTarget(SHOP)
    target.put("shop", 1, name="north", city="Oslo")
    package = FakePackage([declare(SHOP)], row("shop", 1, name="North", city="Oslo "))

    assert make_plan(package, target).only("shop", 1).after == {"name": "North", "city": "Oslo "}


def test_a_column_that_the_schema_does_not_declare_is_left_out_and_noted() -> None:
    package = FakePackage([declare(SHOP, without=["city"])], row("shop", 1, name="North", city="Oslo"))

    planned = make_plan(package, FakeTarget(SHOP))

    assert planned.only("shop", 1).after == {"name": "North"}
    assert (planned.note("undeclared").table, planned.note("undeclared").column) == ("shop", "city")


def test_a_state_that_the_schema_does_not_declare_is_left_out() -> None:
    package = FakePackage(
        [declare(SHOP, without=["statecode", "statuscode"])], row("shop", 1, name="North", statecode=1, statuscode=2)
    )

    assert [change.phase for change in make_plan(package, FakeTarget(SHOP)).of("shop", 1)] == [Phase.ROWS]


def test_rows_of_a_table_that_the_schema_does_not_declare_are_left_out_and_counted() -> None:
    kiosk = make_table("kiosk")
    package = FakePackage([declare(SHOP)], row("kiosk", 1, name="A"), row("kiosk", 2, name="B"), row("shop", 3))

    planned = make_plan(package, FakeTarget(SHOP, kiosk))

    assert {change.table for change in planned.changes} == {"shop"}
    assert (planned.note("undeclared").table, planned.note("undeclared").count) == ("kiosk", 2)


def test_bookkeeping_columns_are_never_written() -> None:
    columns = [text(name) for name in ("createdon", "modifiedby", "versionnumber", "importsequencenumber")]
    info = make_table("shop", *columns)
    values: dict[str, Value] = {column.name: "ours" for column in columns}
    target = FakeTarget(info)
    target.put("shop", 1, name="A", **dict.fromkeys(values, "theirs"))
    package = FakePackage([declare(info)], row("shop", 1, name="A", **values), row("shop", 2, name="B", **values))

    planned = make_plan(package, target)

    assert planned.only("shop", 1).action is Action.UNCHANGED
    assert planned.only("shop", 2).after == {"name": "B"}


def test_the_primary_id_is_no_value() -> None:
    package = FakePackage([declare(SHOP)], row("shop", 1, shopid=guid(1), name="North"))

    assert make_plan(package, FakeTarget(SHOP)).only("shop", 1).after == {"name": "North"}


def test_an_ignored_column_is_neither_compared_nor_written() -> None:
    target = FakeTarget(SHOP)
    target.put("shop", 1, city="Bergen")
    package = FakePackage([declare(SHOP)], row("shop", 1, city="Oslo"), row("shop", 2, name="B", city="Oslo"))

    planned = make_plan(package, target, PlanOptions(ignore=frozenset({("shop", "city")})))

    assert planned.only("shop", 1).action is Action.UNCHANGED
    assert planned.only("shop", 2).after == {"name": "B"}


def test_an_ignored_column_of_one_table_is_written_in_another() -> None:
    kiosk = make_table("kiosk", text("city"))
    package = FakePackage([declare(SHOP), declare(kiosk)], row("shop", 1, city="Oslo"), row("kiosk", 2, city="Oslo"))

    planned = make_plan(package, FakeTarget(SHOP, kiosk), PlanOptions(ignore=frozenset({("shop", "city")})))

    assert planned.only("kiosk", 2).after == {"city": "Oslo"}


def test_a_create_only_column_is_written_on_create_and_noted_where_it_differs_later() -> None:
    info = make_table("shop", replace(text("origin"), updatable=False))
    target = FakeTarget(info)
    target.put("shop", 1, origin="old")
    package = FakePackage([declare(info)], row("shop", 1, origin="new"), row("shop", 2, origin="new"))

    planned = make_plan(package, target)

    assert planned.only("shop", 1).action is Action.UNCHANGED
    assert planned.only("shop", 2).after == {"origin": "new"}
    note = planned.note("create-only")
    assert (note.table, note.column, note.example) == ("shop", "origin", guid(1))


def test_a_column_that_cannot_be_set_while_creating_is_written_afterwards() -> None:
    info = make_table("shop", replace(text("closing"), creatable=False))
    package = FakePackage([declare(info)], row("shop", 1, name="A", closing="late"))

    planned = make_plan(package, FakeTarget(info))

    assert [(change.phase, change.action, dict(change.after)) for change in planned.of("shop", 1)] == [
        (Phase.ROWS, Action.CREATE, {"name": "A"}),
        (Phase.DEFERRED, Action.UPDATE, {"closing": "late"}),
    ]


def test_a_read_only_column_is_never_written() -> None:
    info = make_table("shop", replace(text("total"), creatable=False, updatable=False))
    target = FakeTarget(info)
    target.put("shop", 1, total="9")
    package = FakePackage([declare(info)], row("shop", 1, total="7"), row("shop", 2, total="7"))

    planned = make_plan(package, target)

    assert planned.only("shop", 1).action is Action.UNCHANGED
    assert planned.only("shop", 2).after == {}


def test_a_column_that_cannot_be_read_is_written_on_create_and_never_compared_later() -> None:
    info = make_table("shop", replace(text("secret"), readable=False))
    target = FakeTarget(info)
    package = FakePackage([declare(info)], row("shop", 1, name="A", secret="s"))

    first = make_plan(package, target)
    target.apply(first.changes)
    second = make_plan(package, target)

    assert first.only("shop", 1).after == {"name": "A", "secret": "s"}
    assert first.note("unreadable").column == "secret"
    assert second.only("shop", 1).action is Action.UNCHANGED


def test_only_the_primary_image_can_come_with_the_creation() -> None:
    info = replace(
        make_table("shop", ColumnInfo("logo", ColumnType.IMAGE), ColumnInfo("photo", ColumnType.IMAGE)),
        primary_image="logo",
    )
    package = FakePackage([declare(info)], row("shop", 1, logo="bG9nbw==", photo="cGhvdG8="))

    planned = make_plan(package, FakeTarget(info))

    assert [(change.phase, dict(change.after)) for change in planned.of("shop", 1)] == [
        (Phase.ROWS, {"logo": "bG9nbw=="}),
        (Phase.DEFERRED, {"photo": "cGhvdG8="}),
    ]


# Modes


def test_a_matched_row_of_a_create_only_table_is_skipped_and_a_new_one_created() -> None:
    target = FakeTarget(SHOP)
    target.put("shop", 1, name="old")
    package = FakePackage(
        [declare(SHOP, skip_update=True)], row("shop", 1, name="new", statecode=1), row("shop", 2, name="B")
    )

    planned = make_plan(package, target)

    assert planned.only("shop", 1).action is Action.SKIP
    assert "skipupdate" in planned.only("shop", 1).reason
    assert planned.only("shop", 2).action is Action.CREATE


def test_a_row_of_a_force_create_table_is_created_though_its_key_is_there() -> None:
    target = FakeTarget(SHOP)
    target.put("shop", 9, city="Oslo")
    package = FakePackage([declare(SHOP, key=["city"], force_create=True)], row("shop", 1, city="Oslo"))

    change = make_plan(package, target).only("shop", 1)

    assert (change.action, change.id) == (Action.CREATE, guid(1))


def test_a_row_that_an_earlier_forced_creation_made_is_skipped() -> None:
    target = FakeTarget(SHOP)
    target.put("shop", 1, city="Bergen")
    package = FakePackage([declare(SHOP, force_create=True)], row("shop", 1, city="Oslo"))

    change = make_plan(package, target).only("shop", 1)

    assert change.action is Action.SKIP
    assert "forcecreate" in change.reason


# Owners


def test_a_row_that_exists_keeps_its_owner() -> None:
    info = make_table("shop", OWNER)
    target = FakeTarget(info, USER)
    target.put("systemuser", 50)
    target.put("shop", 1, ownerid=Lookup("systemuser", CALLER))
    package = FakePackage([declare(info)], row("shop", 1, ownerid=link("systemuser", 50)))

    assert make_plan(package, target).only("shop", 1).action is Action.UNCHANGED


def test_a_new_row_gets_the_owner_that_the_target_has() -> None:
    info = make_table("shop", OWNER)
    target = FakeTarget(info, USER)
    target.put("systemuser", 50)
    package = FakePackage([declare(info)], row("shop", 1, ownerid=link("systemuser", 50)))

    assert make_plan(package, target).only("shop", 1).after == {"ownerid": link("systemuser", 50)}


def test_a_new_row_whose_owner_is_nowhere_is_left_to_the_caller_and_noted() -> None:
    info = make_table("shop", OWNER)
    package = FakePackage([declare(info)], row("shop", 1, name="A", ownerid=link("systemuser", 50, "Ann")))

    planned = make_plan(package, FakeTarget(info, USER))

    assert planned.refusals == []
    assert planned.only("shop", 1).after == {"name": "A"}
    assert "Ann" in planned.note("owner").example


def test_no_note_says_that_the_caller_owns_a_row_that_keeps_its_owner() -> None:
    info = make_table("shop", OWNER)
    target = FakeTarget(info, USER)
    target.put("shop", 1, name="A", ownerid=Lookup("systemuser", CALLER))
    package = FakePackage([declare(info)], row("shop", 1, name="A", ownerid=link("systemuser", 50)))

    assert [note.kind for note in make_plan(package, target).notes] == []


def test_a_team_of_the_package_is_there_before_it_owns_a_row() -> None:
    info, team = make_table("shop", OWNER), make_table("team")
    target = FakeTarget(info, team)
    package = FakePackage(
        [declare(info), declare(team)], row("shop", 1, ownerid=link("team", 2)), row("team", 2, name="Sales")
    )

    target.apply(make_plan(package, target).changes)

    assert set(target.rows["team"]) == {guid(2)}


# States


def test_a_state_is_written_last_and_with_its_status() -> None:
    package = FakePackage([declare(SHOP)], row("shop", 1, name="A", statecode=1, statuscode=6))

    planned = make_plan(package, FakeTarget(SHOP))

    assert [(change.phase, dict(change.after)) for change in planned.of("shop", 1)] == [
        (Phase.ROWS, {"name": "A"}),
        (Phase.STATES, {"statecode": 1, "statuscode": 6}),
    ]


def test_a_lone_state_gets_the_status_that_it_takes_by_itself() -> None:
    package = FakePackage([declare(SHOP)], row("shop", 1, statecode=1))

    assert make_plan(package, FakeTarget(SHOP)).of("shop", 1)[-1].after == {"statecode": 1, "statuscode": 2}


def test_a_lone_status_gets_the_state_that_it_belongs_to() -> None:
    package = FakePackage([declare(SHOP, without=["statecode"])], row("shop", 1, statuscode=6))

    assert make_plan(package, FakeTarget(SHOP)).of("shop", 1)[-1].after == {"statecode": 1, "statuscode": 6}


def test_a_status_of_an_active_row_is_written_too() -> None:
    target = FakeTarget(SHOP)
    target.put("shop", 1)
    package = FakePackage([declare(SHOP)], row("shop", 1, statecode=0, statuscode=5))

    change = make_plan(package, target).only("shop", 1)

    assert (change.phase, change.action) == (Phase.STATES, Action.UPDATE)
    assert change.before == {"statecode": 0, "statuscode": 1}
    assert change.after == {"statecode": 0, "statuscode": 5}


def test_a_lone_state_that_the_row_has_already_leaves_its_status_alone() -> None:
    target = FakeTarget(SHOP)
    target.put("shop", 1, statecode=1, statuscode=6)
    package = FakePackage([declare(SHOP)], row("shop", 1, statecode=1))

    assert make_plan(package, target).only("shop", 1).action is Action.UNCHANGED


def test_a_new_row_that_is_active_needs_no_change_of_state() -> None:
    package = FakePackage([declare(SHOP)], row("shop", 1, statecode=0, statuscode=1))

    assert make_plan(package, FakeTarget(SHOP)).only("shop", 1).action is Action.CREATE


def test_the_state_of_a_row_is_left_alone_when_its_column_is_ignored() -> None:
    package = FakePackage([declare(SHOP)], row("shop", 1, statecode=1, statuscode=2))

    planned = make_plan(package, FakeTarget(SHOP), PlanOptions(ignore=frozenset({("shop", "statecode")})))

    assert planned.only("shop", 1).action is Action.CREATE


# Rows without an id, and rows that stand there twice


def test_rows_without_an_id_get_ids_that_are_the_same_in_every_run() -> None:
    package = FakePackage([declare(SHOP)], row("shop", None, name="A"), row("shop", None, name="B"))

    first, second = (
        {change.name: change.id for change in make_plan(package, FakeTarget(SHOP)).changes} for _ in range(2)
    )

    assert first == second
    assert len(set(first.values())) == 2


@pytest.mark.parametrize("changed", ["organization", "package"])
def test_rows_without_an_id_get_other_ids_in_another_environment_or_from_another_package(changed: str) -> None:
    other = "bbbbbbbb-0000-4000-8000-000000000001"
    target = FakeTarget(SHOP, organization=other) if changed == "organization" else FakeTarget(SHOP)
    digest = "e" * 64 if changed == "package" else DIGEST
    content = row("shop", None, name="A")

    (before,) = make_plan(FakePackage([declare(SHOP)], content), FakeTarget(SHOP)).changes
    (after,) = make_plan(FakePackage([declare(SHOP)], content, digest=digest), target).changes

    assert before.id != after.id


def test_rows_without_an_id_are_found_again_by_a_second_import() -> None:
    target = FakeTarget(SHOP)
    package = FakePackage([declare(SHOP)], row("shop", None, name="A"), row("shop", None, name="B"))
    target.apply(make_plan(package, target).changes)

    assert make_plan(package, target).writing == []


def test_a_row_without_an_id_is_matched_by_its_key() -> None:
    target = FakeTarget(SHOP)
    target.put("shop", 9, city="Oslo", size=1)
    package = FakePackage([declare(SHOP, key=["city"])], row("shop", None, city="Oslo", size=2))

    (change,) = make_plan(package, target).changes

    assert (change.id, change.action, change.after) == (guid(9), Action.UPDATE, {"size": 2})


def test_copies_of_a_row_that_agree_are_joined_and_noted() -> None:
    package = FakePackage(
        [declare(SHOP)], row("shop", 1, name="A", city="Oslo"), row("shop", 2), row("shop", 1, name="A", size=3)
    )

    planned = make_plan(package, FakeTarget(SHOP))

    assert planned.only("shop", 1).after == {"name": "A", "city": "Oslo", "size": 3}
    assert planned.note("repeated").example == guid(1)


def test_copies_of_a_row_that_contradict_each_other_are_a_conflict_that_names_the_column() -> None:
    package = FakePackage([declare(SHOP)], row("shop", 1, name="A"), row("shop", 1, name="B"))

    planned = make_plan(package, FakeTarget(SHOP))

    assert planned.only("shop", 1).action is Action.CONFLICT
    assert "name" in planned.only("shop", 1).reason
    assert planned.refusals


def test_copies_of_a_row_are_joined_before_they_are_matched_by_key() -> None:
    target = FakeTarget(SHOP)
    target.put("shop", 9, city="Oslo")
    package = FakePackage([declare(SHOP, key=["city"])], row("shop", 1, city="Oslo"), row("shop", 1, size=3))

    change = make_plan(package, target).only("shop", 1)

    assert (change.id, change.action) == (guid(9), Action.UPDATE)


# Parties


def test_parties_are_mapped_and_compared_as_a_set() -> None:
    contact = make_table("contact", text("code"))
    mail = make_table("email", ColumnInfo("to", ColumnType.PARTIES))
    target = FakeTarget(contact, mail)
    target.put("contact", 90, code="C1")
    target.put("contact", 2, code="C2")
    target.put("email", 5, to=Parties((Party(link("contact", 2), 2), Party(link("contact", 90), 2))))
    ours = Parties((Party(link("contact", 1, "One"), 2), Party(link("contact", 2, "Two"), 2)))
    package = FakePackage(
        [declare(contact, key=["code"]), declare(mail)],
        row("contact", 1, code="C1"),
        row("contact", 2, code="C2"),
        row("email", 5, to=ours),
        row("email", 6, to=ours),
    )

    planned = make_plan(package, target)

    assert planned.only("email", 5).action is Action.UNCHANGED
    assert planned.only("email", 6).after == {
        "to": Parties((Party(link("contact", 90, "One"), 2), Party(link("contact", 2, "Two"), 2)))
    }


def test_an_activity_comes_after_the_rows_that_are_its_parties() -> None:
    contact = make_table("contact")
    mail = make_table("appointment", ColumnInfo("to", ColumnType.PARTIES), lookup("regarding", "contact"))
    target = FakeTarget(contact, mail)
    package = FakePackage(
        [declare(mail), declare(contact)],
        row("appointment", 5, to=Parties((Party(link("contact", 1), 2),))),
        row("contact", 1, name="One"),
    )

    target.apply(make_plan(package, target).changes)

    assert set(target.rows["appointment"]) == {guid(5)}


def test_a_package_of_several_portions_is_planned_to_its_last_row() -> None:
    target = FakeTarget(SHOP)
    target.put("shop", 4_500, name="there")
    package = FakePackage([declare(SHOP)], *(row("shop", n, name="there") for n in range(1, 4_501)))

    counts = make_plan(package, target).counts["shop"]

    assert (counts.create, counts.unchanged) == (4_499, 1)
