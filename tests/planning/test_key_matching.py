"""Matching by key, on literals."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from confmig.errors import PlanError
from confmig.model.records import Record
from confmig.model.values import Lookup, Value
from confmig.planning.matching import comparable_key, is_whole, key_order, match_by_key
from confmig.planning.plan import MatchedBy


def there(row_id: str, code: Value) -> Record:
    return Record("shop", row_id, {"code": code})


def test_a_row_whose_key_is_in_the_target_is_that_row() -> None:
    matches = match_by_key({"s": ("A1",)}, [there("t", "A1")], ["code"], set())

    assert matches.targets == {"s": "t"}
    assert matches.matched_by == {"s": MatchedBy.KEY}
    assert matches.conflicts == {}


def test_a_row_whose_key_is_nowhere_is_matched_by_its_id() -> None:
    matches = match_by_key({"s": ("A1",)}, [], ["code"], {"s"})

    assert matches.matched_by == {"s": MatchedBy.ID}
    assert matches.targets == {}


def test_a_row_whose_key_and_id_are_nowhere_is_new() -> None:
    matches = match_by_key({"s": ("A1",)}, [], ["code"], set())

    assert (matches.targets, matches.matched_by, matches.conflicts) == ({}, {}, {})


@pytest.mark.parametrize("empty", [None, ""])
def test_a_key_with_an_empty_part_matches_nothing(empty: Value) -> None:
    candidates = [Record("shop", "t", {"code": "A1", "city": empty})]

    matches = match_by_key({"s": ("A1", empty)}, candidates, ["code", "city"], set())

    assert matches.targets == {}
    assert not is_whole(("A1", empty))


def test_zero_and_false_are_parts_like_any_other() -> None:
    assert is_whole((0, False, Decimal(0)))


def test_several_candidates_are_a_conflict_that_names_them() -> None:
    matches = match_by_key({"s": ("A1",)}, [there("t1", "A1"), there("t2", "A1")], ["code"], set())

    assert matches.targets == {}
    assert "t1, t2" in matches.conflicts["s"]
    assert "code" in matches.conflicts["s"]


def test_one_candidate_that_is_read_twice_is_one_candidate() -> None:
    matches = match_by_key({"s": ("A1",)}, [there("t", "A1"), there("t", "A1")], ["code"], set())

    assert matches.targets == {"s": "t"}


def test_a_key_and_an_id_that_hit_different_rows_are_a_conflict() -> None:
    matches = match_by_key({"s": ("A1",)}, [there("t", "A1")], ["code"], {"s"})

    assert matches.targets == {}
    assert "t" in matches.conflicts["s"]


def test_a_key_and_an_id_that_hit_the_same_row_are_a_match_by_key() -> None:
    matches = match_by_key({"s": ("A1",)}, [there("s", "A1")], ["code"], {"s"})

    assert matches.targets == {"s": "s"}
    assert matches.matched_by == {"s": MatchedBy.KEY}


def test_two_rows_of_the_package_that_hit_one_row_of_the_target_are_both_conflicts() -> None:
    matches = match_by_key({"s1": ("A1",), "s2": ("a1",), "s3": ("B1",)}, [there("t", "A1")], ["code"], set())

    assert set(matches.conflicts) == {"s1", "s2"}
    assert "s2" in matches.conflicts["s1"]


def test_a_row_matched_by_key_and_one_matched_by_id_to_the_same_row_are_both_conflicts() -> None:
    matches = match_by_key({"s": ("A1",), "t": ("B1",)}, [there("t", "A1")], ["code"], {"t"})

    assert set(matches.conflicts) == {"s", "t"}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Berlin", "BERLIN"),
        ("Berlin", "Berlin  "),
        (Decimal("1.50"), Decimal("1.5")),
        (Lookup("shop", "1", "One"), Lookup("shop", "1", None)),
        (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1)),
    ],
)
def test_keys_are_compared_as_the_service_does(left: Value, right: Value) -> None:
    assert comparable_key((left,)) == comparable_key((right,))


@pytest.mark.parametrize(
    ("left", "right"),
    [("Berlin", " Berlin"), ("A", "B"), (Lookup("shop", "1"), Lookup("town", "1")), ("1", 1)],
)
def test_keys_that_differ_stay_different(left: Value, right: Value) -> None:
    assert comparable_key((left,)) != comparable_key((right,))


def test_a_table_is_matched_after_those_that_its_key_points_to() -> None:
    needs = {"price": ["product", "shop"], "product": ["shop"], "shop": []}

    assert key_order(["price", "product", "shop"], lambda table: needs[table]) == ["shop", "product", "price"]


def test_a_key_that_points_to_a_table_without_a_key_waits_for_nothing() -> None:
    assert key_order(["price"], lambda _: ["currency"]) == ["price"]


def test_keys_that_need_each_other_are_an_error_that_names_the_tables() -> None:
    needs = {"a": ["b"], "b": ["a"], "free": []}

    with pytest.raises(PlanError, match="a, b") as caught:
        key_order(["free", "a", "b"], lambda table: needs[table])

    assert "free" not in caught.value.message


def test_the_error_about_keys_does_not_name_a_table_that_only_points_into_the_circle() -> None:
    needs = {"a": ["b"], "b": ["a"], "beside": ["a"]}

    with pytest.raises(PlanError) as caught:
        key_order(["a", "b", "beside"], lambda table: needs[table])

    assert "beside" not in caught.value.message
