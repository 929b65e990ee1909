"""What the target lacks, and which columns take part."""

import pytest

from confmig.checking.findings import Finding
from confmig.checking.parity import missing_in
from confmig.model.environment import ColumnInfo, RelationshipInfo
from confmig.model.schema import Column, Schema, Table
from confmig.model.values import ColumnType
from confmig.planning.columns import is_moved

from .conftest import URL, FakePackage, FakeTarget, declare, find, lookup, make_table, number, row, text

SHOP = make_table("shop", text("city"), number("size"))


def findings(*tables: Table) -> list[Finding]:
    return list(missing_in(Schema(tables), {"shop": SHOP}, URL))


def with_type(kind: ColumnType) -> Table:
    return Table("shop", "shopid", (Column("size", kind),))


def test_a_schema_that_the_target_covers_has_no_findings() -> None:
    assert findings(declare(SHOP)) == []


def test_a_table_that_the_target_lacks_is_one_finding_and_not_one_for_each_column() -> None:
    (finding,) = findings(declare(make_table("kiosk", text("city"))))

    assert (finding.rule, finding.table, finding.column) == ("table-missing", "kiosk", "")
    assert URL in finding.message
    assert finding.hint


def test_a_declared_column_that_the_target_lacks_is_a_finding() -> None:
    (finding,) = findings(declare(make_table("shop", text("street"))))

    assert (finding.rule, finding.table, finding.column) == ("column-missing", "shop", "street")


def test_a_column_of_another_type_is_a_finding_that_names_both_types() -> None:
    (finding,) = findings(with_type(ColumnType.STRING))

    assert finding.rule == "column-type"
    assert "string" in finding.message
    assert "number" in finding.message


@pytest.mark.parametrize("kind", [ColumnType.NUMBER, ColumnType.DECIMAL, ColumnType.CHOICE, ColumnType.UNKNOWN])
def test_a_column_whose_values_fit_all_the_same_is_no_finding(kind: ColumnType) -> None:
    assert findings(with_type(kind)) == []


def test_a_relationship_that_the_target_lacks_is_a_finding() -> None:
    (finding,) = findings(declare(SHOP, associated={"shop_product": "product"}))

    assert (finding.rule, finding.table, finding.column) == ("relationship-missing", "shop", "shop_product")


def test_a_relationship_that_the_target_has_on_the_table_is_no_finding() -> None:
    relationship = RelationshipInfo("shop_product", "product", "productid", "shop", "shopid")
    info = make_table("shop", relationships=[relationship])

    table = declare(info, associated={"shop_product": "product"})

    assert list(missing_in(Schema((table,)), {"shop": info}, URL)) == []


def test_a_table_that_is_declared_twice_is_looked_at_once() -> None:
    kiosk = declare(make_table("kiosk"))

    assert len(findings(kiosk, kiosk)) == 1


def test_all_findings_are_told_at_once_and_no_plan_is_made() -> None:
    kiosk, wide = make_table("kiosk"), make_table("shop", text("street"), text("lane"))
    package = FakePackage([declare(kiosk), declare(wide)], row("shop", 1, name="A"))

    found = find(package, FakeTarget(make_table("shop")))

    assert [(item.table, item.column) for item in found] == [("kiosk", ""), ("shop", "street"), ("shop", "lane")]


@pytest.mark.parametrize(
    "name", ["createdon", "modifiedby", "versionnumber", "importsequencenumber", "stageid", "exchangerate", "ismanaged"]
)
def test_bookkeeping_columns_are_never_moved(name: str) -> None:
    assert not is_moved(SHOP, ColumnInfo(name, ColumnType.STRING))


def test_columns_of_types_that_nobody_knows_are_not_moved() -> None:
    assert not is_moved(SHOP, ColumnInfo("anything", ColumnType.UNKNOWN))


def test_big_integers_are_moved_unless_the_service_counts_in_them() -> None:
    assert is_moved(SHOP, ColumnInfo("anything", ColumnType.BIGINT))
    assert not is_moved(SHOP, ColumnInfo("anything", ColumnType.BIGINT, creatable=False, updatable=False))


def test_a_column_that_can_neither_be_created_nor_updated_is_not_moved() -> None:
    assert not is_moved(SHOP, ColumnInfo("total", ColumnType.MONEY, creatable=False, updatable=False))


def test_a_column_that_can_only_be_created_is_moved() -> None:
    assert is_moved(SHOP, lookup("parent", "shop", updatable=False))


def test_the_base_amount_of_a_money_column_is_never_moved() -> None:
    info = make_table("shop", ColumnInfo("rent", ColumnType.MONEY), ColumnInfo("rent_base", ColumnType.MONEY))

    assert is_moved(info, info.columns["rent"])
    assert not is_moved(info, info.columns["rent_base"])


@pytest.mark.parametrize("companion", ["photoid", "photo_timestamp", "photo_url"])
def test_what_only_tells_of_an_image_is_not_moved_beside_it(companion: str) -> None:
    info = make_table("shop", ColumnInfo("photo", ColumnType.IMAGE), text(companion))

    assert is_moved(info, info.columns["photo"])
    assert not is_moved(info, info.columns[companion])


def test_a_column_is_not_taken_for_an_image_by_its_ending_alone() -> None:
    assert is_moved(SHOP, text("cityid"))
