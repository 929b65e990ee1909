"""Columns with rules of their own: parties, rates of currencies, lookups that are keys."""

from pathlib import Path

import pytest

from confmig.errors import PlanError
from confmig.model.environment import ColumnInfo
from confmig.model.values import ColumnType, Lookup, Parties, Party
from confmig.planning.plan import Action, LookupPolicy, PlanOptions
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
    number,
    row,
    text,
    try_plan,
)
from .test_plan_file import edit

MAIL = make_table("mail", ColumnInfo("to", ColumnType.PARTIES), ColumnInfo("watchers", ColumnType.PARTIES))
PERSON = make_table("person")


def to(address: str, who: Lookup | None = None) -> Parties:
    return Parties((Party(who, 2, (("addressused", address),)),))


def test_parties_in_an_unknown_role_are_left_out_and_said_so() -> None:
    target = FakeTarget(MAIL, PERSON)
    target.put("person", 5)
    planned = make_plan(FakePackage([declare(MAIL)], row("mail", 1, watchers=to("", link("person", 5)))), target)

    assert planned.only("mail", 1).after == {}
    note = planned.note("left-out")
    assert (note.column, note.message) == (
        "watchers",
        "is left out: nobody can tell in which role its parties take part",
    )


def test_an_address_beside_a_row_is_left_out_and_said_so() -> None:
    target = FakeTarget(MAIL, PERSON)
    target.put("person", 5)
    rows = [row("mail", 1, to=to("a@example.com", link("person", 5))), row("mail", 2, to=to("b@example.com"))]
    planned = make_plan(FakePackage([declare(MAIL, without=["watchers"])], *rows), target)

    note = planned.note("addressused")
    assert (note.column, note.count, note.example) == ("to", 1, guid(1))


def test_an_address_without_a_row_is_part_of_the_digest(tmp_path: Path) -> None:
    package = FakePackage([declare(MAIL, without=["watchers"])], row("mail", 1, to=to("a@example.com")))
    path = tmp_path / "a.plan"
    try_plan(package, FakeTarget(MAIL), PlanOptions(), path)
    edit(path, "UPDATE changes SET after = replace(after, 'a@example.com', 'b@example.com')")

    with PlanFile(path) as plan, pytest.raises(PlanError, match="changed after it was made"):
        plan.require_untouched()


def test_the_rate_of_a_currency_is_its_own_and_elsewhere_bookkeeping() -> None:
    currency, account = (
        make_table("transactioncurrency", number("exchangerate")),
        make_table("account", number("exchangerate")),
    )
    target = FakeTarget(currency, account)
    target.put("transactioncurrency", 1, exchangerate=7)
    target.put("account", 2, exchangerate=7)
    rows = [row("transactioncurrency", 1, exchangerate=8), row("account", 2, exchangerate=8)]
    planned = make_plan(FakePackage([declare(currency), declare(account)], *rows), target)

    assert planned.only("transactioncurrency", 1).after == {"exchangerate": 8}
    assert planned.only("account", 2).action is Action.UNCHANGED


@pytest.mark.parametrize(("key", "after"), [((), {"town": None}), (("city", "town"), {})])
def test_a_lookup_that_is_part_of_the_key_is_never_emptied(key: tuple[str, ...], after: dict[str, None]) -> None:
    shop, town = make_table("shop", text("city"), lookup("town", "town")), make_table("town")
    target = FakeTarget(shop, town)
    target.put("town", 5)
    target.put("shop", 1, city="Oslo", town=link("town", 5))
    package = FakePackage([declare(shop, key=key)], row("shop", 1, city="Oslo", town=link("town", 99)))
    planned = make_plan(package, target, PlanOptions(lookups=LookupPolicy.NULL))

    assert planned.only("shop", 1).after == after
    words = "cannot be emptied, so it is left as it is" if key else "is emptied"
    assert planned.note("lookup").message == f"resolves nowhere and {words}"
