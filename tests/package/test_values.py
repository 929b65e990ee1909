"""When two values are equal, and the form in which equal values look alike."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings

from confmig.model.values import (
    Choices,
    FileRef,
    Lookup,
    Parties,
    Party,
    Value,
    canonical_guid,
    plain_form,
    same_value,
)

from .helpers import ID1, ID2
from .strategies import values

_NOON = datetime(2024, 5, 6, 12, 0, tzinfo=UTC)
_ALICE = Party(Lookup("contact", ID1, "Alice"), 2, id=ID1)
_BOB = Party(Lookup("contact", ID2, "Bob"), 2)

SAME: list[tuple[Value, Value]] = [
    (Decimal("1.2500000000"), Decimal("1.25")),
    (Decimal("0.0000"), Decimal(0)),
    (Decimal("-0.0"), Decimal("0.00")),
    (5, Decimal("5.00")),
    (100, Decimal("1E+2")),
    (1.0, 1.0),
    (_NOON, _NOON.replace(microsecond=999_999)),
    (_NOON, _NOON.replace(tzinfo=None)),
    (_NOON, _NOON.astimezone(timezone(timedelta(hours=5)))),
    (Lookup("contact", ID1, "Alice"), Lookup("contact", ID1)),
    (Choices((1, 2)), Choices((2, 1))),
    (Choices((1, 2)), Choices((2, 1, 2))),
    (Parties((_ALICE, _BOB)), Parties((_BOB, _ALICE))),
    (Parties((_ALICE,)), Parties((Party(Lookup("contact", ID1), 2, (("addressused", "a@x.test"),)),))),
    (FileRef(ID1, "old.pdf"), FileRef(ID1, "new.pdf")),
    ("", None),
    (Choices(()), None),
    (Parties(()), None),
    (None, None),
]
DIFFERENT: list[tuple[Value, Value]] = [
    (Decimal("1.25"), Decimal("1.26")),
    ("a", "A"),
    ("a", "a "),
    ("a\r\nb", "a\nb"),
    (" ", None),
    (0, None),
    (False, None),
    (Decimal(0), None),
    (True, False),
    (_NOON, _NOON + timedelta(seconds=1)),
    (Lookup("contact", ID1), Lookup("account", ID1)),
    (Lookup("contact", ID1), Lookup("contact", ID2)),
    (Lookup("contact", ID1), None),
    (Choices((1,)), Choices((1, 2))),
    (Parties((_ALICE,)), Parties((_BOB,))),
    (Parties((_ALICE,)), Parties((Party(_ALICE.party, 3),))),
    (Parties((_ALICE,)), None),
    (FileRef(ID1, "a"), FileRef(ID2, "a")),
    (FileRef(ID1, "a"), None),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_values_that_differ_only_in_how_they_are_written_are_the_same_both_ways_round(
    left: Value, right: Value
) -> None:
    assert same_value(left, right)
    assert same_value(right, left)


@pytest.mark.parametrize(("left", "right"), SAME)
def test_equal_values_look_alike_in_their_plain_form_and_can_be_keys(left: Value, right: Value) -> None:
    assert plain_form(left) == plain_form(right)
    assert hash(plain_form(left)) == hash(plain_form(right))


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_values_that_mean_something_else_are_different_both_ways_round(left: Value, right: Value) -> None:
    assert not same_value(left, right)
    assert not same_value(right, left)


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_different_values_do_not_look_alike_in_their_plain_form(left: Value, right: Value) -> None:
    assert plain_form(left) != plain_form(right)


def test_parties_that_are_only_an_address_differ_by_that_address() -> None:
    first = Party(None, 2, (("addressused", "a@x.test"),))
    second = Party(None, 2, (("addressused", "b@x.test"),))
    assert not same_value(Parties((first,)), Parties((second,)))


@settings(deadline=None)
@given(values)
def test_every_value_is_the_same_as_itself_and_as_its_equal(value: Value) -> None:
    assert same_value(value, value)
    assert hash(plain_form(value)) == hash(plain_form(value))


@settings(deadline=None)
@given(values, values)
def test_sameness_does_not_depend_on_the_side(left: Value, right: Value) -> None:
    assert same_value(left, right) == same_value(right, left)


@pytest.mark.parametrize(
    "text",
    [
        ID1,
        "{11111111-1111-4111-8111-111111111111}",
        "11111111111141118111111111111111",
        f" {ID1} ",
    ],
)
def test_a_guid_is_read_in_every_form_that_dotnet_writes(text: str) -> None:
    assert canonical_guid(text) == ID1


def test_a_guid_in_capitals_becomes_lower_case() -> None:
    assert canonical_guid("ABCDEFAB-1111-4111-8111-ABCDEFABCDEF") == "abcdefab-1111-4111-8111-abcdefabcdef"


@pytest.mark.parametrize("text", ["", "{}", "1234", ID1[:-1], ID1 + "1", ID1.replace("1", "g"), ID1.replace("-", " ")])
def test_a_text_that_is_no_guid_has_no_canonical_form(text: str) -> None:
    assert canonical_guid(text) is None
