"""Each rule about schemas: what it finds, where, and that a good schema has nothing of it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from confmig.checking.findings import Finding
from confmig.checking.rules.registry import COMPLETENESS_RULES, READERS_RULES, SCHEMA_RULES
from confmig.commands.linting import schema_lint
from confmig.package.schemalines import schema_lines
from confmig.package.written import read_written_schema
from confmig.reporting.findings import Places
from tests.checking.linted import ALWAYS, SCHEMA, line_of, schema_findings_of, spoilt


@dataclass(frozen=True)
class Case:
    """What is changed in the good schema, and the table and column of the one finding that follows."""

    rule: str
    old: str
    new: str
    table: str = "shop_item"
    column: str = ""
    says: str = ""


NAME = '<field displayname="Name" name="shop_name" type="string" />'
CASES = [
    Case("type-spelling", 'type="number"', 'type="integer"', column="shop_pieces", says="word is 'number'"),
    Case("type-spelling", 'name="shop_name" type="string"', 'name="shop_name" type="String"', column="shop_name"),
    Case("type-spelling", 'type="entityreference"', 'type="lookup"', column="shop_parent", says="'entityreference'"),
    Case("type-spelling", 'type="filedata"', 'type="file"', column="shop_manual", says="word is 'filedata'"),
    Case("type-unknown", 'type="number"', 'type="unknown"', column="shop_pieces", says="'unknown'"),
    Case("table-name-case", 'primarynamefield="shop_name"', 'primarynamefield="shop_Name"', column="shop_Name"),
    Case("column-name-case", 'name="shop_price"', 'name="shop_Price"', column="shop_Price"),
    Case("column-twice", NAME, NAME + NAME, column="shop_name", says="2 times, as string"),
    Case("order-unknown", "<entityName>shop_kind", "<entityName>shop_kinds", "shop_kinds", "entityImportOrder"),
    Case("order-unknown", "<entityName>shop_kind", "<entityName>shop_item", "shop_item", "entityImportOrder",
         says="2 times"),
    Case("date-mode-ignored", 'type="number"', 'type="number" dateMode="relative"', column="shop_pieces"),
    Case("relationship-incomplete", ' m2mTargetEntityPrimaryKey="shop_kindid"', "", column="shop_item_kind"),
    Case("relationship-incomplete", 'PrimaryKey="shop_kindid"', 'PrimaryKey="kindid"', column="shop_item_kind"),
    Case("filter-wrong", "&lt;fetch&gt;&lt;entity", "&lt;fetch&gt;&lt;entiti"),
    Case("filter-wrong", "&lt;/fetch&gt;", ""),
    Case("key-undeclared", '<field displayname="Item" name="shop_itemid" type="guid" primaryKey="true" />', "",
         column="shop_itemid"),
    Case("key-undeclared", 'name="shop_itemid" type="guid"', 'name="shop_itemid" type="string"', column="shop_itemid"),
    Case("schema-refused", '<entities dateMode="relative">', '<entities dateMode="relativedaily">', "",
         says="'relativedaily'"),
    Case("schema-refused", 'primaryKey="true"', 'primaryKey="True"', column="shop_itemid", says="'True'"),
    Case("schema-refused", 'name="shop_big" ', "", says="no name"),
    Case("schema-refused", "</filter>", "</filter><Filter />", says="<filter>"),
    Case("schema-refused", ' primaryidfield="shop_itemid"', "", says="no primaryidfield"),
    Case("schema-refused", ' type="float"', "", column="shop_weight", says="no type"),
    Case("schema-refused", '&lt;fetch&gt;&lt;entity name="shop_item" /&gt;&lt;/fetch&gt;',
         '<fetch><entity name="shop_item" /></fetch>', says="elements"),
    Case("relationship-incomplete", ' m2mTargetEntity="shop_kind"', "", column="shop_item_kind"),
    Case("relationship-incomplete", 'isreflexive="false"', 'isreflexive="true"', column="shop_item_kind"),
    Case("lookup-untyped", ' lookupType="shop_item"', "", column="shop_parent"),
    Case("dependency-missing", 'lookupType="shop_item"', 'lookupType="account"', column="shop_parent"),
]  # fmt: skip


def test_a_good_schema_has_no_findings(tmp_path: Path) -> None:
    assert schema_findings_of(tmp_path, SCHEMA) == []


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}-{number}" for number, case in enumerate(CASES)])
def test_what_a_rule_finds(case: Case, tmp_path: Path) -> None:
    (finding,) = schema_findings_of(tmp_path, spoilt(SCHEMA, case.old, case.new))
    assert (finding.rule, finding.table, finding.column) == (case.rule, case.table, case.column)
    assert case.says in finding.message
    assert finding.consequence
    assert finding.hint


def only(path: Path, table: str) -> list[Finding]:
    """What is found in a schema of the good tables and this one."""
    return schema_findings_of(path, SCHEMA.replace("<entityImportOrder>", f"{table}<entityImportOrder>"))


def entity(name: str, attributes: str = 'etc="9"', key: str = "") -> str:
    key = key or f"{name}id"
    fields = f'<fields><field name="{key}" type="guid" primaryKey="true" /></fields>'
    return f'<entity name="{name}" {attributes} primaryidfield="{key}">{fields}</entity>'


def test_a_table_that_cmt_cannot_know(tmp_path: Path) -> None:
    found = only(tmp_path, entity("shop_Extra"))
    assert {(f.rule, f.table) for f in found} == {
        ("table-name-case", "shop_Extra"),
        ("column-name-case", "shop_Extra"),
    }


@pytest.mark.parametrize("name", ["role", "calendar"])
def test_a_table_that_cmt_never_imports(name: str, tmp_path: Path) -> None:
    assert [(f.rule, f.table) for f in only(tmp_path, entity(name))] == [("table-not-imported", name)]


def test_a_table_declared_twice(tmp_path: Path) -> None:
    (finding,) = only(tmp_path, entity("shop_kind"))
    assert (finding.rule, finding.table) == ("table-twice", "shop_kind")


@pytest.mark.parametrize(("name", "key"), [("account", ""), ("contact", ""), ("shop_call", "activityid")])
def test_a_table_that_cmt_knows_by_its_number(name: str, key: str, tmp_path: Path) -> None:
    assert [f.rule for f in only(tmp_path, entity(name, "", key))] == ["etc-missing"]
    assert only(tmp_path, entity(name, 'etc="1"', key)) == []
    assert only(tmp_path, entity("shop_other", "")) == []


def test_a_file_column_is_told(tmp_path: Path) -> None:
    schema_findings_of(tmp_path, SCHEMA)
    (finding,) = schema_lint(read_written_schema(tmp_path / "data_schema.xml"), ())
    assert (finding.rule, finding.column) == (ALWAYS, "shop_manual")


def test_a_problem_stands_on_its_line(tmp_path: Path) -> None:
    text = spoilt(SCHEMA, 'primaryKey="true"', 'primaryKey="yes"')
    (finding,) = schema_findings_of(tmp_path, text)
    assert [place.line for place in finding.places] == [line_of(text, "yes")]


def test_all_problems_of_a_schema_are_found_at_once(tmp_path: Path) -> None:
    text = SCHEMA.replace('primaryKey="true"', 'primaryKey="yes"').replace("relative", "Relative")
    assert [f.rule for f in schema_findings_of(tmp_path, text)] == ["schema-refused"] * 3


def test_where_an_order_names_what_it_should_not(tmp_path: Path) -> None:
    text = SCHEMA.replace("<entityName>shop_kind", "<entityName>shop_item")
    lines = schema_lines(text.encode())
    (finding,) = schema_findings_of(tmp_path, text)
    (place,) = Places("schema.xml", lines).located(finding).places
    assert place.line == line_of(text, "</entityImportOrder>") - 1


def test_every_rule_has_a_case() -> None:
    """Those about what a schema misses are tested in test_dependencies."""
    elsewhere = {"schema-missing", "table-not-imported", "table-twice", "etc-missing", ALWAYS}
    tested = {case.rule for case in CASES} | elsewhere | {module.RULE.name for module in COMPLETENESS_RULES}
    assert tested == {module.RULE.name for module in SCHEMA_RULES} | {module.RULE.name for module in READERS_RULES}
