"""Matching, lookups and associations, seen through whole plans."""

from dataclasses import replace

import pytest

from confmig.errors import PlanError
from confmig.model.environment import ColumnInfo, RelationshipInfo
from confmig.model.values import ColumnType, Lookup, Parties, Party, Value
from confmig.planning.plan import Action, LookupPolicy, MatchedBy, Phase, PlanOptions
from confmig.planning.resolving import IdMap

from .conftest import (
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
    pairs,
    row,
    text,
)

TOWN = make_table("town", text("code"), number("size"))
SHOP = make_table("shop", text("code"), lookup("town", "town"), number("size"))

KEEP, NULL, SKIP_ROW = (PlanOptions(lookups=policy) for policy in list(LookupPolicy)[1:])


# Matching


def test_a_row_is_matched_by_the_compare_columns_before_its_id() -> None:
    target = FakeTarget(TOWN)
    target.put("town", 9, code="OSL", size=1)
    package = FakePackage([declare(TOWN, key=["code"])], row("town", 1, code="osl", size=2))

    change = make_plan(package, target).only("town", 1)

    assert (change.id, change.action, change.matched_by) == (guid(9), Action.UPDATE, MatchedBy.KEY)
    assert change.after == {"code": "osl", "size": 2}


def test_a_row_whose_key_is_not_there_is_matched_by_its_id() -> None:
    target = FakeTarget(TOWN)
    target.put("town", 1, code="old")
    package = FakePackage([declare(TOWN, key=["code"])], row("town", 1, code="OSL"))

    change = make_plan(package, target).only("town", 1)

    assert (change.action, change.matched_by, change.after) == (Action.UPDATE, MatchedBy.ID, {"code": "OSL"})


def test_without_compare_columns_only_the_id_matches_and_never_the_name() -> None:
    target = FakeTarget(TOWN)
    target.put("town", 9, name="Oslo", code="OSL")
    package = FakePackage([declare(TOWN)], row("town", 1, name="Oslo", code="OSL"))

    assert make_plan(package, target).only("town", 1).action is Action.CREATE


def test_compare_columns_that_hold_the_primary_id_match_by_id() -> None:
    target = FakeTarget(TOWN)
    target.put("town", 9, code="OSL")
    package = FakePackage([declare(TOWN, key=["townid", "code"])], row("town", 1, code="OSL", townid=guid(1)))

    assert make_plan(package, target).only("town", 1).action is Action.CREATE


def test_a_key_with_an_empty_part_does_not_match_a_row_that_has_it_empty_too() -> None:
    target = FakeTarget(TOWN)
    target.put("town", 9, code="OSL")
    package = FakePackage([declare(TOWN, key=["code", "size"])], row("town", 1, code="OSL"))

    assert make_plan(package, target).only("town", 1).action is Action.CREATE


@pytest.mark.parametrize("case", ["several candidates", "key and id hit different rows", "two rows match one"])
def test_a_match_that_would_have_to_be_guessed_is_a_conflict_and_refuses_the_plan(case: str) -> None:
    target = FakeTarget(TOWN)
    target.put("town", 9, code="OSL")
    content = [row("town", 1, code="OSL")]
    if case == "several candidates":
        target.put("town", 8, code="osl")
    elif case == "two rows match one":
        content.append(row("town", 2, code="OSL"))
    else:
        target.put("town", 1, code="BGO")

    planned = make_plan(FakePackage([declare(TOWN, key=["code"])], *content), target)

    assert {change.action for change in planned.changes} == {Action.CONFLICT}
    assert all(change.reason for change in planned.changes)
    assert [reason for reason in planned.refusals if f"{len(content)} conflict" in reason]
    assert planned.counts["town"].conflict == len(content)


def test_two_rows_of_the_package_with_one_key_are_a_conflict_though_the_target_has_neither() -> None:
    # Were both created, the next plan would find two candidates for each of them.
    package = FakePackage([declare(TOWN, key=["code"])], row("town", 1, code="OSL"), row("town", 2, code="osl"))

    planned = make_plan(package, FakeTarget(TOWN))

    assert {change.action for change in planned.changes} == {Action.CONFLICT}


def test_a_key_that_is_a_lookup_is_matched_after_the_table_that_it_points_to() -> None:
    target = FakeTarget(TOWN, SHOP)
    target.put("town", 90, code="OSL")
    target.put("shop", 91, code="A", town=link("town", 90), size=1)
    package = FakePackage(
        [declare(SHOP, key=["town", "code"]), declare(TOWN, key=["code"])],
        row("shop", 2, code="A", town=link("town", 1, "Oslo"), size=2),
        row("town", 1, code="OSL"),
    )

    change = make_plan(package, target).only("shop", 2)

    assert (change.id, change.action, change.after) == (guid(91), Action.UPDATE, {"size": 2})


def test_keys_that_need_each_other_are_an_error_that_names_the_tables() -> None:
    town = make_table("town", lookup("capital", "shop"))
    package = FakePackage(
        [declare(SHOP, key=["town"]), declare(town, key=["capital"])],
        row("shop", 1, town=link("town", 2)),
        row("town", 2, capital=link("shop", 1)),
    )

    with pytest.raises(PlanError, match="shop, town"):
        make_plan(package, FakeTarget(town, SHOP))


def test_a_key_that_cannot_be_read_in_the_target_gives_way_to_the_id_with_a_note() -> None:
    town = make_table("town", replace(text("code"), readable=False))
    target = FakeTarget(town)
    target.put("town", 1, name="Oslo", code="OSL")
    package = FakePackage([declare(town, key=["code"])], row("town", 1, name="Oslo"))

    planned = make_plan(package, target)

    assert planned.only("town", 1).matched_by is MatchedBy.ID
    assert planned.note("key").column == "code"


# Resolving


def test_a_lookup_goes_to_the_row_that_its_row_was_matched_with() -> None:
    target = FakeTarget(TOWN, SHOP)
    target.put("town", 90, code="OSL")
    package = FakePackage(
        [declare(TOWN, key=["code"]), declare(SHOP)],
        row("town", 1, code="OSL"),
        row("shop", 2, town=link("town", 1, "Oslo")),
    )

    assert make_plan(package, target).only("shop", 2).after["town"] == link("town", 90, "Oslo")


def test_a_lookup_to_a_row_outside_the_package_is_found_by_its_id() -> None:
    target = FakeTarget(TOWN, SHOP)
    target.put("town", 1)
    package = FakePackage([declare(SHOP)], row("shop", 2, town=link("town", 1)))

    planned = make_plan(package, target)

    assert planned.refusals == []
    assert planned.only("shop", 2).after == {"town": link("town", 1)}


@pytest.mark.parametrize("table", ["businessunit", "team"])
def test_a_business_unit_or_team_with_another_id_is_found_by_its_name(table: str) -> None:
    unit, shop = make_table(table), make_table("shop", lookup("unit", table))
    target = FakeTarget(unit, shop)
    target.put(table, 90, name="sales")
    target.put(table, 91, name="Service")
    package = FakePackage([declare(shop)], row("shop", 1, unit=link(table, 5, "Sales")))

    assert make_plan(package, target).only("shop", 1).after == {"unit": link(table, 90, "Sales")}


def test_a_currency_with_another_id_is_found_by_its_name() -> None:
    currency = make_table("transactioncurrency", text("currencyname"))
    shop = make_table("shop", lookup("currency", "transactioncurrency"))
    target = FakeTarget(currency, shop)
    target.put("transactioncurrency", 90, currencyname="Euro")
    package = FakePackage([declare(shop)], row("shop", 1, currency=link("transactioncurrency", 5, "Euro")))

    assert make_plan(package, target).only("shop", 1).after == {"currency": link("transactioncurrency", 90, "Euro")}


def test_a_name_that_several_rows_have_finds_none_of_them() -> None:
    unit, shop = make_table("businessunit"), make_table("shop", lookup("unit", "businessunit"))
    target = FakeTarget(unit, shop)
    target.put("businessunit", 90, name="Sales")
    target.put("businessunit", 91, name="SALES")
    package = FakePackage([declare(shop)], row("shop", 1, unit=link("businessunit", 5, "Sales")))

    assert len(make_plan(package, target).refusals) == 1


def test_the_id_of_a_business_unit_comes_before_its_name() -> None:
    unit, shop = make_table("businessunit"), make_table("shop", lookup("unit", "businessunit"))
    target = FakeTarget(unit, shop)
    target.put("businessunit", 5, name="Renamed")
    target.put("businessunit", 90, name="Sales")
    package = FakePackage([declare(shop)], row("shop", 1, unit=link("businessunit", 5, "Sales")))

    assert make_plan(package, target).only("shop", 1).after["unit"] == link("businessunit", 5, "Sales")


def test_other_rows_outside_the_package_are_never_found_by_their_name() -> None:
    target = FakeTarget(TOWN, SHOP)
    target.put("town", 90, name="Oslo")
    package = FakePackage([declare(SHOP)], row("shop", 2, town=link("town", 1, "Oslo")))

    assert len(make_plan(package, target).refusals) == 1


def test_a_name_is_used_though_the_first_lookup_to_the_row_does_not_tell_it() -> None:
    unit, shop = make_table("businessunit"), make_table("shop", lookup("unit", "businessunit"))
    target = FakeTarget(unit, shop)
    target.put("businessunit", 90, name="Sales")
    package = FakePackage(
        [declare(shop)],
        row("shop", 1, unit=link("businessunit", 5)),
        row("shop", 2, unit=link("businessunit", 5, "Sales")),
    )

    planned = make_plan(package, target)

    assert planned.refusals == []
    assert planned.only("shop", 2).after["unit"] == link("businessunit", 90, "Sales")


def test_values_without_lookups_pass_the_id_map_as_they_are() -> None:
    ids = IdMap({"town": {"1"}}, {("town", "1"): "9"})

    assert ids.value("text") == "text"
    assert ids.value(Lookup("town", "1", "Oslo")) == Lookup("town", "9", "Oslo")
    assert ids.missing(Lookup("town", "1")) is None


def test_a_party_that_is_nowhere_is_what_a_value_is_missing() -> None:
    ids = IdMap({"town": {"1"}})
    known, unknown = Lookup("town", "1"), Lookup("town", "2")

    assert ids.missing(Parties((Party(known, 1), Party(None, 1), Party(unknown, 1)))) == unknown


# What resolves nowhere


def test_a_lookup_that_resolves_nowhere_refuses_the_plan_and_is_listed_with_its_place() -> None:
    package = FakePackage([declare(SHOP)], row("shop", 2, town=link("town", 1, "Oslo")))

    (reason,) = make_plan(package, FakeTarget(TOWN, SHOP)).refusals

    for part in ("shop", guid(2), "town", guid(1), "Oslo"):
        assert part in reason


def test_a_lookup_to_a_table_that_the_target_lacks_resolves_nowhere() -> None:
    package = FakePackage([declare(SHOP)], row("shop", 2, town=link("town", 1)))

    assert len(make_plan(package, FakeTarget(SHOP)).refusals) == 1


def test_many_unresolved_lookups_are_listed_up_to_a_limit_and_then_counted() -> None:
    content = [row("shop", number, town=link("town", 1_000 + number)) for number in range(1, 31)]

    refusals = make_plan(FakePackage([declare(SHOP)], *content), FakeTarget(TOWN, SHOP)).refusals

    assert len(refusals) < 30
    assert f"{30 - (len(refusals) - 1)} more" in refusals[-1]


def test_under_policy_keep_an_unresolved_lookup_is_left_as_it_is() -> None:
    target = FakeTarget(TOWN, SHOP)
    target.put("town", 7)
    target.put("shop", 2, town=link("town", 7), size=1)
    package = FakePackage(
        [declare(SHOP)], row("shop", 2, town=link("town", 1), size=2), row("shop", 3, town=link("town", 1), size=3)
    )

    planned = make_plan(package, target, KEEP)

    assert planned.refusals == []
    assert planned.only("shop", 2).after == {"size": 2}
    assert planned.only("shop", 3).after == {"size": 3}
    assert planned.note("lookup").count == 2


def test_under_policy_null_an_unresolved_lookup_is_emptied() -> None:
    target = FakeTarget(TOWN, SHOP)
    target.put("town", 7)
    target.put("shop", 2, town=link("town", 7))
    target.put("shop", 4)
    package = FakePackage([declare(SHOP)], *(row("shop", number, town=link("town", 1)) for number in (2, 3, 4)))

    planned = make_plan(package, target, NULL)

    assert planned.refusals == []
    assert (planned.only("shop", 2).before, planned.only("shop", 2).after) == (
        {"town": link("town", 7)},
        {"town": None},
    )
    assert planned.only("shop", 3).after == {}
    assert planned.only("shop", 4).action is Action.UNCHANGED


def test_under_policy_null_a_create_only_lookup_is_not_written_after_its_creation() -> None:
    shop = make_table("shop", lookup("town", "town", updatable=False))
    target = FakeTarget(TOWN, shop)
    target.put("town", 7)
    target.put("shop", 2, town=link("town", 7))
    package = FakePackage([declare(shop)], row("shop", 2, town=link("town", 1)))

    assert make_plan(package, target, NULL).writing == []


def test_under_policy_skip_row_the_row_is_skipped_with_its_reason() -> None:
    target = FakeTarget(TOWN, SHOP)
    target.put("shop", 2, size=1)
    package = FakePackage(
        [declare(SHOP)],
        row("shop", 2, town=link("town", 1), size=2),
        row("shop", 3, town=link("town", 1)),
        row("shop", 4, size=4),
    )

    planned = make_plan(package, target, SKIP_ROW)

    assert planned.refusals == []
    assert [planned.only("shop", number).action for number in (2, 3)] == [Action.SKIP, Action.SKIP]
    assert guid(1) in planned.only("shop", 2).reason
    assert planned.only("shop", 4).action is Action.CREATE


def test_nothing_points_to_a_new_row_that_is_skipped() -> None:
    town = make_table("town", lookup("county", "county"))
    target = FakeTarget(town, SHOP, make_table("county"))
    package = FakePackage(
        [declare(town), declare(SHOP)],
        row("town", 1, county=link("county", 99)),
        row("shop", 2, town=link("town", 1)),
        row("shop", 3, name="elsewhere"),
    )

    planned = make_plan(package, target, SKIP_ROW)
    target.apply(planned.changes)

    assert set(target.rows["shop"]) == {guid(3)}
    assert planned.only("shop", 2).action is Action.SKIP


def test_nothing_is_associated_with_a_new_row_that_is_skipped() -> None:
    relationship = RelationshipInfo("shop_county", "shop", "shopid", "county", "countyid")
    shop = replace(SHOP, relationships={"shop_county": relationship})
    target = FakeTarget(TOWN, shop, make_table("county"))
    target.put("county", 5)
    package = FakePackage(
        [declare(shop, associated={"shop_county": "county"})],
        row("shop", 2, town=link("town", 99)),
        pairs("shop_county", "shop", 2, "county", 5),
    )

    planned = make_plan(package, target, SKIP_ROW)

    assert [change for change in planned.changes if change.action is Action.ASSOCIATE] == []


def test_an_unresolved_lookup_in_an_ignored_column_refuses_nothing() -> None:
    package = FakePackage([declare(SHOP)], row("shop", 2, town=link("town", 1)))

    planned = make_plan(package, FakeTarget(TOWN, SHOP), PlanOptions(ignore=frozenset({("shop", "town")})))

    assert planned.refusals == []


def test_a_row_that_is_missing_as_an_owner_and_as_a_lookup_refuses_the_plan() -> None:
    shop = make_table("shop", OWNER, lookup("manager", "systemuser"))
    person = link("systemuser", 50, "Ann")
    values: dict[str, Value] = {"ownerid": person, "manager": person}
    package = FakePackage([declare(shop)], row("shop", 1, **values))

    (reason,) = make_plan(package, FakeTarget(shop, make_table("systemuser"))).refusals

    assert "manager" in reason


# Order


def test_a_row_is_created_after_the_row_that_it_points_to_whatever_the_order_of_the_package() -> None:
    target = FakeTarget(TOWN, SHOP)
    package = FakePackage([declare(SHOP), declare(TOWN)], row("shop", 2, town=link("town", 1)), row("town", 1))

    target.apply(make_plan(package, target).changes)

    assert target.row("shop", 2) == {"town": link("town", 1)}


def test_lookups_in_a_circle_are_deferred_at_the_nullable_column_only() -> None:
    town = make_table("town", lookup("capital", "shop"))
    shop = make_table("shop", lookup("town", "town", required=True))
    package = FakePackage(
        [declare(shop), declare(town)],
        row("shop", 1, town=link("town", 2)),
        row("town", 2, name="Oslo", capital=link("shop", 1)),
    )
    target = FakeTarget(town, shop)

    planned = make_plan(package, target)
    target.apply(planned.changes)

    assert [(change.phase, dict(change.after)) for change in planned.of("town", 2)] == [
        (Phase.ROWS, {"name": "Oslo"}),
        (Phase.DEFERRED, {"capital": link("shop", 1)}),
    ]
    assert planned.only("shop", 1).after == {"town": link("town", 2)}


def test_a_cut_lookup_to_a_row_outside_the_package_need_not_wait() -> None:
    town = make_table("town", lookup("capital", "shop"))
    shop = make_table("shop", lookup("town", "town", required=True))
    target = FakeTarget(town, shop)
    target.put("shop", 9)
    package = FakePackage(
        [declare(shop), declare(town)],
        row("shop", 1, town=link("town", 2)),
        row("town", 2, capital=link("shop", 1)),
        row("town", 3, capital=link("shop", 9)),
    )

    assert make_plan(package, target).only("town", 3).phase is Phase.ROWS


def test_a_circle_of_required_lookups_is_an_error_that_prints_it() -> None:
    town = make_table("town", lookup("capital", "shop", required=True))
    shop = make_table("shop", lookup("town", "town", required=True))
    package = FakePackage(
        [declare(shop), declare(town)], row("shop", 1, town=link("town", 2)), row("town", 2, capital=link("shop", 1))
    )

    with pytest.raises(PlanError, match=r"shop\.town needs town, town\.capital needs shop"):
        make_plan(package, FakeTarget(town, shop))


def test_required_lookups_that_no_row_uses_as_a_circle_are_no_error() -> None:
    town = make_table("town", lookup("capital", "shop", required=True))
    shop = make_table("shop", lookup("town", "town", required=True))
    target = FakeTarget(town, shop)
    target.put("shop", 9)
    package = FakePackage(
        [declare(shop), declare(town)], row("shop", 1, town=link("town", 2)), row("town", 2, capital=link("shop", 9))
    )

    target.apply(make_plan(package, target).changes)

    assert target.row("shop", 1) == {"town": link("town", 2)}


REGION = make_table("region", lookup("parent", "region"))


def test_rows_that_point_to_rows_of_their_table_come_level_by_level() -> None:
    package = FakePackage(
        [declare(REGION)],
        row("region", 3, parent=link("region", 2)),
        row("region", 2, parent=link("region", 1)),
        row("region", 1),
    )
    target = FakeTarget(REGION)

    planned = make_plan(package, target)
    target.apply(planned.changes)

    assert [change.id for change in planned.writing] == [guid(1), guid(2), guid(3)]
    assert {change.phase for change in planned.writing} == {Phase.ROWS}


@pytest.mark.parametrize("parents", [{1: 1}, {1: 2, 2: 1}, {1: 2, 2: 3, 3: 1, 4: 1}])
def test_rows_that_point_to_each_other_in_a_circle_are_joined_afterwards(parents: dict[int, int]) -> None:
    target = FakeTarget(REGION)
    package = FakePackage(
        [declare(REGION)], *(row("region", child, parent=link("region", parent)) for child, parent in parents.items())
    )

    planned = make_plan(package, target)
    target.apply(planned.changes)

    assert len([change for change in planned.writing if change.phase is Phase.DEFERRED]) == 1
    assert all(target.row("region", child) == {"parent": link("region", up)} for child, up in parents.items())


def test_rows_that_need_each_other_by_a_required_lookup_are_an_error_that_names_the_column() -> None:
    region = make_table("region", lookup("parent", "region", required=True))
    package = FakePackage(
        [declare(region)], row("region", 1, parent=link("region", 2)), row("region", 2, parent=link("region", 1))
    )

    with pytest.raises(PlanError, match=r"region\.parent"):
        make_plan(package, FakeTarget(region))


def test_a_lookup_that_can_neither_come_with_the_row_nor_later_is_not_dropped_in_silence() -> None:
    region = make_table("region", lookup("parent", "region", updatable=False))
    package = FakePackage(
        [declare(region)], row("region", 1, parent=link("region", 2)), row("region", 2, parent=link("region", 1))
    )

    try:
        planned = make_plan(package, FakeTarget(region))
    except PlanError as error:
        told = error.message
    else:
        told = " ".join([*planned.refusals, *(f"{note.table}.{note.column}" for note in planned.notes)])

    assert "region.parent" in told


# Associations

TAG = make_table("tag", text("code"))
SHOP_TAG = RelationshipInfo("shop_tag", "shop", "shopid", "tag", "tagid")
TAGGED_SHOP = make_table("shop", text("code"), relationships=[SHOP_TAG])
TAGGED_TAG = make_table("tag", text("code"), relationships=[SHOP_TAG])


def tagged() -> FakeTarget:
    target = FakeTarget(TAGGED_SHOP, TAGGED_TAG)
    target.put("shop", 1, code="S1")
    target.put("tag", 2, code="T2")
    target.put("tag", 3, code="T3")
    return target


@pytest.mark.parametrize("side", ["shop", "tag"])
def test_a_pair_is_oriented_by_the_relationship_whichever_side_declares_it(side: str) -> None:
    tables = [
        declare(TAGGED_SHOP, associated={"shop_tag": "tag"} if side == "shop" else None),
        declare(TAGGED_TAG, associated={"shop_tag": "shop"} if side == "tag" else None),
    ]
    content = pairs("shop_tag", "shop", 1, "tag", 2) if side == "shop" else pairs("shop_tag", "tag", 2, "shop", 1)

    (change,) = make_plan(FakePackage(tables, content), tagged()).writing

    assert (change.phase, change.action) == (Phase.ASSOCIATIONS, Action.ASSOCIATE)
    assert (change.table, change.relationship, change.id, change.other_id) == ("shop", "shop_tag", guid(1), guid(2))


def test_a_pair_that_is_there_is_unchanged_and_one_that_only_the_target_has_stays() -> None:
    target = tagged()
    target.pairs["shop_tag"] = {(guid(1), guid(2)), (guid(1), guid(9))}
    package = FakePackage(
        [declare(TAGGED_SHOP, associated={"shop_tag": "tag"})], pairs("shop_tag", "shop", 1, "tag", 2, 3)
    )

    planned = make_plan(package, target)

    assert {change.other_id: change.action for change in planned.changes} == {
        guid(2): Action.UNCHANGED,
        guid(3): Action.ASSOCIATE,
    }
    assert (planned.counts["shop"].associate, planned.counts["shop"].associated) == (1, 1)


def test_a_pair_that_the_package_tells_from_both_sides_is_made_once() -> None:
    package = FakePackage(
        [declare(TAGGED_SHOP, associated={"shop_tag": "tag"}), declare(TAGGED_TAG, associated={"shop_tag": "shop"})],
        pairs("shop_tag", "shop", 1, "tag", 2, 2),
        pairs("shop_tag", "tag", 2, "shop", 1),
    )

    assert len(make_plan(package, tagged()).changes) == 1


def test_a_pair_is_made_between_the_rows_that_the_packages_rows_were_matched_with() -> None:
    target = tagged()
    package = FakePackage(
        [declare(TAGGED_SHOP, key=["code"], associated={"shop_tag": "tag"}), declare(TAGGED_TAG, key=["code"])],
        row("shop", 11, code="S1"),
        pairs("shop_tag", "shop", 11, "tag", 12),
        row("tag", 12, code="T2"),
    )

    (change,) = make_plan(package, target).writing

    assert (change.id, change.other_id, change.source_id) == (guid(1), guid(2), guid(11))


def test_a_pair_is_made_after_its_rows() -> None:
    target = FakeTarget(TAGGED_SHOP, TAGGED_TAG)
    package = FakePackage(
        [declare(TAGGED_SHOP, associated={"shop_tag": "tag"}), declare(TAGGED_TAG)],
        pairs("shop_tag", "shop", 1, "tag", 2),
        row("tag", 2),
        row("shop", 1),
    )

    target.apply(make_plan(package, target).changes)

    assert target.pairs == {"shop_tag": {(guid(1), guid(2))}}


def test_a_table_associated_with_itself_has_the_source_first() -> None:
    relationship = RelationshipInfo("shop_shop", "shop", "shopidone", "shop", "shopidtwo")
    shop = make_table("shop", relationships=[relationship])
    target = FakeTarget(shop)
    target.put("shop", 1)
    target.put("shop", 2)
    target.pairs["shop_shop"] = {(guid(2), guid(1))}
    package = FakePackage(
        [declare(shop, associated={"shop_shop": "shop"})],
        pairs("shop_shop", "shop", 1, "shop", 2),
        pairs("shop_shop", "shop", 2, "shop", 1),
    )

    planned = make_plan(package, target)

    assert {(change.id, change.other_id): change.action for change in planned.changes} == {
        (guid(1), guid(2)): Action.ASSOCIATE,
        (guid(2), guid(1)): Action.UNCHANGED,
    }


def test_a_pair_with_a_row_that_is_nowhere_refuses_the_plan() -> None:
    package = FakePackage(
        [declare(TAGGED_SHOP, associated={"shop_tag": "tag"})], pairs("shop_tag", "shop", 1, "tag", 2, 99)
    )

    planned = make_plan(package, tagged())

    (conflict,) = (change for change in planned.changes if change.action is Action.CONFLICT)
    assert guid(99) in conflict.reason
    assert planned.refusals


def test_associations_of_a_table_that_the_schema_does_not_declare_are_left_out() -> None:
    package = FakePackage([declare(TAGGED_TAG)], row("tag", 2, code="T2"), pairs("shop_tag", "shop", 1, "tag", 2))

    planned = make_plan(package, tagged())

    assert planned.writing == []
    assert planned.note("undeclared").table == "shop"


def test_associations_of_a_table_that_neither_schema_nor_target_knows_do_not_break_the_plan() -> None:
    package = FakePackage([declare(TAG)], row("tag", 2), pairs("kiosk_tag", "kiosk", 1, "tag", 2))

    planned = make_plan(package, FakeTarget(TAG))

    assert planned.only("tag", 2).action is Action.CREATE


# Allowing


def test_a_plan_with_more_changes_than_allowed_is_refused() -> None:
    package = FakePackage([declare(TOWN)], row("town", 1), row("town", 2))

    (reason,) = make_plan(package, FakeTarget(TOWN), PlanOptions(max_changes=1)).refusals

    assert "2 changes" in reason
    assert "--max-changes" in reason


def test_a_plan_with_as_many_changes_as_allowed_is_not_refused() -> None:
    package = FakePackage([declare(TOWN)], row("town", 1), row("town", 2))

    assert make_plan(package, FakeTarget(TOWN), PlanOptions(max_changes=2)).refusals == []


def test_a_row_that_is_written_in_several_phases_is_one_change_of_those_allowed() -> None:
    town = make_table("town", ColumnInfo("photo", ColumnType.IMAGE), states=True)
    package = FakePackage([declare(town)], row("town", 1, name="A", photo="cA==", statecode=1))

    assert make_plan(package, FakeTarget(town), PlanOptions(max_changes=1)).refusals == []


def test_associations_count_among_the_changes_allowed() -> None:
    package = FakePackage(
        [declare(TAGGED_SHOP, associated={"shop_tag": "tag"})], pairs("shop_tag", "shop", 1, "tag", 2, 3)
    )

    assert len(make_plan(package, tagged(), PlanOptions(max_changes=1)).refusals) == 1


def test_an_empty_plan_is_allowed_where_no_change_is() -> None:
    target = FakeTarget(TOWN)
    target.put("town", 1)

    assert make_plan(FakePackage([declare(TOWN)], row("town", 1)), target, PlanOptions(max_changes=0)).refusals == []
