"""Values that the target's columns cannot hold."""

from decimal import Decimal

import pytest

from confmig.model.environment import ColumnInfo
from confmig.model.values import ColumnType, Lookup, Value
from confmig.planning.fitting import why_not

ROW = "11111111-aaaa-4aaa-8aaa-000000000001"


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        (ColumnInfo("x", ColumnType.LOOKUP, ("b",)), Lookup("b", ROW), ""),
        (ColumnInfo("x", ColumnType.LOOKUP, ("b", "c")), Lookup("d", ROW), "points to b or c"),
        (ColumnInfo("x", ColumnType.LOOKUP), Lookup("d", ROW), ""),
        (ColumnInfo("x", ColumnType.LOOKUP, ("*",)), Lookup("d", ROW), ""),
        (ColumnInfo("x", ColumnType.OWNER, ("systemuser",)), Lookup("team", ROW), ""),
        (ColumnInfo("x", ColumnType.NUMBER), Decimal("2.50"), "fraction"),
        (ColumnInfo("x", ColumnType.CHOICE), 2.5, "fraction"),
        (ColumnInfo("x", ColumnType.NUMBER), Decimal("2.0"), ""),
        (ColumnInfo("x", ColumnType.DECIMAL), Decimal("2.5"), ""),
        (ColumnInfo("x", ColumnType.GUID), ROW, ""),
        (ColumnInfo("x", ColumnType.GUID), "a text", "no guid"),
        (ColumnInfo("x", ColumnType.STRING), "a text", ""),
        (ColumnInfo("x", ColumnType.STRING), None, ""),
    ],
)
def test_a_value_fits_or_says_why_not(column: ColumnInfo, value: Value, why: str) -> None:
    said = why_not(column, value)
    assert why in said
    assert bool(said) == bool(why)
