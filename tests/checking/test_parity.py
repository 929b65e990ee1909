"""What an environment lacks, or holds as something else."""

from collections.abc import Mapping

import pytest

from confmig.checking.parity import differing_between, missing_in
from confmig.model.environment import ColumnInfo, RelationshipInfo, TableInfo
from confmig.model.schema import Column, Relationship, Schema, Table
from confmig.model.values import ColumnType

HERE, THERE = "https://here.example", "https://there.example"


def info(
    *columns: ColumnInfo, pairs: tuple[RelationshipInfo, ...] = (), primary: str = "aid"
) -> Mapping[str, TableInfo]:
    key = ColumnInfo(primary, ColumnType.GUID)
    known = {column.name: column for column in (key, *columns)}
    return {"a": TableInfo("a", primary, "name", known, relationships={pair.name: pair for pair in pairs})}


def schema(*columns: Column, pairs: tuple[Relationship, ...] = ()) -> Schema:
    return Schema((Table("a", "aid", (Column("aid", ColumnType.GUID), *columns), relationships=pairs),))


def lookup(*targets: str) -> tuple[Column, ColumnInfo]:
    return Column("x", ColumnType.LOOKUP, targets=targets), ColumnInfo("x", ColumnType.LOOKUP, targets=targets)


@pytest.mark.parametrize(
    ("declared", "known", "fits"),
    [
        (("b",), ("b",), True),
        (("b", "c"), ("c",), True),
        (("b",), ("c",), False),
        (("b", "c"), ("d", "e"), False),
        (("*",), ("c",), True),
        ((), ("c",), True),
        (("b",), (), True),
    ],
)
def test_where_a_lookup_points(declared: tuple[str, ...], known: tuple[str, ...], fits: bool) -> None:
    found = list(missing_in(schema(lookup(*declared)[0]), info(lookup(*known)[1]), THERE))
    assert [(finding.rule, finding.column) for finding in found] == ([] if fits else [("column-type", "x")])


@pytest.mark.parametrize(("target", "fits"), [("b", True), (None, True), ("c", False)])
@pytest.mark.parametrize("first", [True, False])
def test_where_a_relationship_leads(target: str | None, fits: bool, first: bool) -> None:
    sides = ("a", "aid", "b", "bid") if first else ("b", "bid", "a", "aid")
    wanted = schema(pairs=(Relationship("a_b", many_to_many=True, target=target),))
    found = list(missing_in(wanted, info(pairs=(RelationshipInfo("a_b", *sides),)), THERE))
    assert [finding.rule for finding in found] == ([] if fits else ["relationship-missing"])


def test_another_id_column() -> None:
    (finding, *_) = missing_in(schema(), info(primary="bogusid"), THERE)
    assert finding.rule == "column-missing"
    assert "column-type" in {each.rule for each in missing_in(schema(), info(primary="bogusid"), THERE)}


def date(**more: bool) -> ColumnInfo:
    return ColumnInfo("x", ColumnType.DATETIME, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("declared", "here", "there"),
    [
        (ColumnType.NUMBER, ColumnInfo("x", ColumnType.NUMBER), ColumnInfo("x", ColumnType.CHOICE)),
        (ColumnType.DECIMAL, ColumnInfo("x", ColumnType.DECIMAL), ColumnInfo("x", ColumnType.NUMBER)),
        (ColumnType.STRING, ColumnInfo("x", ColumnType.STRING), ColumnInfo("x", ColumnType.GUID)),
        (ColumnType.DATETIME, date(), date(zoned=False)),
        (ColumnType.DATETIME, date(), date(zoned=False, date_only=True)),
        (ColumnType.DATETIME, date(zoned=False), date(zoned=False, date_only=True)),
    ],
)
def test_what_both_environments_say_themselves(declared: ColumnType, here: ColumnInfo, there: ColumnInfo) -> None:
    wanted = schema(Column("x", declared))
    (finding,) = differing_between(wanted, info(here), info(there), HERE, THERE)
    assert (finding.rule, finding.table, finding.column) == ("column-type", "a", "x")
    assert HERE in finding.message
    assert THERE in finding.message
    assert list(differing_between(wanted, info(here), info(here), HERE, THERE)) == []
    assert list(differing_between(wanted, info(there), info(there), HERE, THERE)) == []


def test_a_lookup_and_an_owner_are_alike() -> None:
    wanted = schema(Column("x", ColumnType.LOOKUP))
    here, there = ColumnInfo("x", ColumnType.LOOKUP), ColumnInfo("x", ColumnType.OWNER)
    assert list(differing_between(wanted, info(here), info(there), HERE, THERE)) == []
