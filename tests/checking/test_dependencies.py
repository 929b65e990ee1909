"""What a schema misses by itself."""

from collections.abc import Iterable

import pytest

from confmig.checking.dependencies import MAPPED, missing_tables
from confmig.checking.findings import Finding, Severity
from confmig.checking.schemas import completeness_findings
from confmig.model.schema import Column, Relationship, Schema, Table
from confmig.model.values import ColumnType
from confmig.profiles.profile import load_profiles


def table(name: str, *columns: Column, pairs: Iterable[str] = (), key: bool = True) -> Table:
    primary = Column(f"{name}id", ColumnType.GUID, primary_key=True)
    relationships = tuple(Relationship(f"{name}_{target}", many_to_many=True, target=target) for target in pairs)
    return Table(name, f"{name}id", (primary, *columns) if key else columns, relationships=relationships)


def lookup(name: str, *targets: str, kind: ColumnType = ColumnType.LOOKUP) -> Column:
    return Column(name, kind, targets=targets)


def findings(*tables: Table, outside: Iterable[str] = ()) -> list[Finding]:
    return list(completeness_findings(Schema(tables), load_profiles(), tuple(outside)))


def places(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(finding.rule, finding.table, finding.column) for finding in found]


def test_a_lookup_to_a_table_that_is_not_there() -> None:
    (finding,) = findings(table("a", lookup("a_b", "b")))
    assert (finding.rule, finding.table, finding.column) == ("dependency-missing", "a", "a_b")
    assert finding.severity is Severity.ERROR
    assert finding.message == "a.a_b points to b, which the schema does not hold."
    assert "Add table b" in finding.hint
    assert "--outside b" in finding.hint


@pytest.mark.parametrize(
    "column",
    [
        lookup("a_b", "b"),
        lookup("a_self", "a"),
        lookup("a_any", "*"),
        lookup("a_any_or", "*", "elsewhere"),
        lookup("a_many", "elsewhere", "b"),
        lookup("a_nobody_says"),
        *(lookup(f"a_{name}", name) for name in sorted(MAPPED)),
        lookup("createdbyexternalparty", "externalparty"),
        lookup("slainvokedid", "sla"),
        lookup("owningbusinessunit", "nothing"),
        lookup("ownerid", "elsewhere", kind=ColumnType.OWNER),
        lookup("a_parties", "elsewhere", kind=ColumnType.PARTIES),
        Column("a_text", ColumnType.STRING, targets=("elsewhere",)),
    ],
    ids=lambda column: str(column.name),
)
def test_columns_that_need_nothing_else(column: Column) -> None:
    assert findings(table("a", column), table("b")) == []


def test_a_lookup_to_several_tables_none_of_which_is_there() -> None:
    (finding,) = findings(table("a", lookup("customerid", "account", "contact")))
    assert "account or contact" in finding.message
    assert findings(table("a", lookup("customerid", "account", "contact")), table("contact")) == []
    assert findings(table("a", lookup("customerid", "account", "contact")), outside=["contact"]) == []


def test_a_table_that_is_declared_twice_has_the_columns_of_both() -> None:
    found = findings(table("a", lookup("a_b", "b")), table("a", lookup("a_c", "c")))
    assert places(found) == [("dependency-missing", "a", "a_b"), ("dependency-missing", "a", "a_c")]


def test_the_other_side_of_a_relationship() -> None:
    assert places(findings(table("a", pairs=["b"]))) == [("dependency-missing", "a", "a_b")]
    assert findings(table("a", pairs=["b"]), table("b")) == []
    assert findings(table("b"), table("a", pairs=["b"])) == []
    assert findings(table("a", pairs=["a"])) == []
    assert findings(table("a", pairs=["role"])) == []
    assert findings(table("a", pairs=["b"]), outside=["b"]) == []


def test_what_is_no_many_to_many_relationship_or_names_no_other_side_is_left_alone() -> None:
    entries = (
        Relationship("a_b", target="b"),
        Relationship("a_c", many_to_many=True),
    )
    assert findings(Table("a", "aid", (Column("aid", ColumnType.GUID),), relationships=entries)) == []


def test_tables_that_never_move() -> None:
    found = findings(table("msdynmkt_gdprrequest"), table("msdynmkt_contactpointconsent4"))
    assert [finding.rule for finding in found] == ["never-moved", "never-moved"]
    assert "consent" in found[1].message
    assert all(finding.severity is Severity.ERROR for finding in found)


def test_nobody_is_advised_to_add_a_table_that_never_moves() -> None:
    for missing in (table("a", lookup("a_event", "msdynmkt_eventmetadata")), table("a", pairs=["msevtmgt_checkin"])):
        (finding,) = findings(missing)
        assert finding.rule == "dependency-missing"
        assert finding.hint.startswith("Take the ")


@pytest.mark.parametrize("here", ["msdynmkt_segment", "msdynmkt_segmentdefinition"])
def test_a_segment_without_its_definition_and_the_other_way_round(here: str) -> None:
    (other,) = {"msdynmkt_segment", "msdynmkt_segmentdefinition"} - {here}
    (finding,) = findings(table(here))
    assert (finding.rule, finding.table, finding.severity) == ("dependency-missing", here, Severity.ERROR)
    assert f"incomplete without {other}" in finding.message
    assert findings(table(here), table(other)) == []
    assert findings(table(here), outside=[other]) == []
    assert findings(table("a"), outside=[other]) == []


def test_a_type_that_nobody_knows() -> None:
    (finding,) = findings(table("a", Column("a_x", ColumnType.UNKNOWN, type_text="Hologram")))
    assert (finding.rule, finding.column, finding.severity) == ("type-unknown", "a_x", Severity.ERROR)
    assert "'Hologram'" in finding.message


def test_an_id_column_that_is_not_declared_is_a_warning() -> None:
    (finding,) = findings(table("a", Column("a_text", ColumnType.STRING), key=False))
    assert (finding.rule, finding.column, finding.severity) == ("key-undeclared", "aid", Severity.WARNING)


def test_a_table_without_columns_moves_nothing() -> None:
    assert places(findings(table("a", key=False))) == [("column-missing", "a", "")]


def test_a_schema_without_tables_moves_nothing() -> None:
    assert places(findings()) == [("table-missing", "", "")]


def test_what_is_missing_is_what_the_findings_miss() -> None:
    """A table that only joins two others, by whose name a lookup points, is none that the schema holds."""
    joined = (table("a", lookup("a_pair", "a_b"), pairs=["b"]), table("b"))
    assert places(findings(*joined)) == [("dependency-missing", "a", "a_pair")]
    assert missing_tables(Schema(joined)) == ["a_b"]
