"""Each rule about rows: what it finds, where, and that a good package has nothing of it."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confmig.checking.findings import Place
from confmig.checking.rows import refusing, row_findings
from confmig.checking.rules.registry import ROW_RULES
from confmig.checking.rules.rule import PackageFacts
from confmig.model.schema import Column, Schema, Table
from confmig.model.values import ZERO_ID, ColumnType
from confmig.model.written import WrittenEvent, WrittenRow, WrittenTable, WrittenValue
from confmig.package.text import parse_value
from tests.checking.linted import (
    APPLE,
    DATA,
    FRUIT,
    NOBODY,
    PLUM,
    SCHEMA,
    STONE,
    findings_of,
    line_of,
    spoilt,
    write_folder,
)


@dataclass(frozen=True)
class Case:
    """What is changed in the good package, and the table and column of the one finding that follows."""

    rule: str
    old: str
    new: str
    table: str = "shop_item"
    column: str = ""
    says: str = ""
    at: str = ""

    @property
    def place(self) -> str:
        """The text on the line where the finding is to be."""
        return self.at or self.new


def value(column: str, old: str, new: str) -> tuple[str, str]:
    return f'name="{column}" value="{old}"', f'name="{column}" value="{new}"'


KEY_FIELD = f'<field name="shop_itemid" value="{PLUM}" />'
PLUM_ROW = f'<record id="{PLUM}">'
CASES = [
    Case("timestamp-wrong", 'timestamp="2026-05-01T08:00:00.0000000Z"', 'timestamp="yesterday"', "",
         says="'yesterday'"),
    Case("timestamp-missing", ' timestamp="2026-05-01T08:00:00.0000000Z"', "", "", at="<entities"),
    Case("table-undeclared", "</entities>", '<entity name="shop_Item"><records /></entity></entities>', "shop_Item",
         says="in lower case"),
    Case("column-undeclared", '<field name="shop_pieces"', '<field name="shop_Pieces"', column="shop_Pieces",
         says="in lower case"),
    Case("column-repeated", '<field name="shop_pieces" value="42" />',
         '<field name="shop_pieces" value="42" />\n<field name="shop_pieces" value="43" />', column="shop_pieces",
         says="'43'", at='value="43"'),
    Case("id-twice", PLUM_ROW, f'<record id="{APPLE}"><field name="shop_itemid" value="{APPLE}" /></record>{PLUM_ROW}',
         at="</record><record"),
    Case("id-differs", KEY_FIELD, KEY_FIELD.replace(PLUM, NOBODY), column="shop_itemid", says=NOBODY),
    Case("id-differs", PLUM_ROW, f'<record id="{ZERO_ID}">', column="shop_itemid", says=PLUM, at=KEY_FIELD),
    Case("key-absent", KEY_FIELD, "", column="shop_itemid", at=PLUM_ROW),
    Case("guid-wrong", *value("shop_manual", "33333333-cccc-4ccc-8ccc-000000000001", "manual"), column="shop_manual"),
    Case("bool-misread", *value("shop_sold", "True", "yes"), column="shop_sold", says="'yes'"),
    Case("number-dropped", *value("shop_pieces", "42", "42.0"), column="shop_pieces", says="'42.0'"),
    Case("decimal-wrong", *value("shop_price", "1234.5000", "1234,50"), column="shop_price", says="'1234,50'"),
    Case("date-wrong", *value("shop_due", "2026-03-11T10:30:00.0000000Z", "11.03.2026"), column="shop_due"),
    Case("choices-dropped", *value("shop_tags", "[-1,100000001,100000002,-1]", "[100000001,100000002]"),
         column="shop_tags"),
    Case("bigint-dropped", *value("shop_pieces", "42", '42" /><field name="shop_big" value="7'), column="shop_big"),
    Case("image-wrong", *value("shop_image", "R0lGODlhAQABAAAAACw=", "not an image"), column="shop_image"),
    Case("value-empty", *value("shop_pieces", "42", ""), column="shop_pieces"),
    Case("lookup-incomplete", ' lookupentityname="Plum"', "", column="shop_parent", says="no lookupentityname",
         at='name="shop_parent"'),
    Case("lookup-target", 'lookupentity="shop_kind" lookupentityname="Fruit" />\n        <field name="ownerid"',
         'lookupentity="account" lookupentityname="Fruit" />\n        <field name="ownerid"', column="shop_kind",
         says="points to account", at='name="shop_kind"'),
    Case("lookup-case", 'lookupentity="systemuser"', 'lookupentity="SystemUser"', column="ownerid"),
    Case("lookup-dangling", *value("shop_parent", PLUM, NOBODY), column="shop_parent", says=NOBODY),
    Case("lookup-dangling", *value("shop_parent", PLUM, ZERO_ID), column="shop_parent", says=ZERO_ID),
    Case("relationship-undeclared", 'm2mrelationshipname="shop_item_kind"', 'm2mrelationshipname="shop_other"',
         column="shop_other"),
    Case("pair-target", 'targetentityname="shop_kind"', 'targetentityname="account"', column="shop_item_kind",
         says="'account'"),
    Case("pair-id-column", 'targetentitynameidfield="shop_kindid"', 'targetentitynameidfield="kindid"',
         column="shop_item_kind", says="'kindid'"),
    Case("pair-dangling", f"<targetid>{STONE}</targetid>", f"<targetid>{NOBODY}</targetid>", column="shop_item_kind",
         at="<m2mrelationship "),
    Case("key-shared", *value("shop_code", "2", "1"), "shop_kind", says="shop_name 'Fruit', shop_code '1'",
         at=f'<record id="{STONE}">'),
    Case("key-shared", *value("shop_code", "2", "01"), "shop_kind", says="shop_code '01'",
         at=f'<record id="{STONE}">'),
    Case("name-shared", *value("shop_name", "Plum", "apple  "), says="'apple  '", at=PLUM_ROW),
    Case("name-shared", *value("shop_name", "Plum", "APPLE"), says="'APPLE'", at=PLUM_ROW),
    Case("key-wildcard", *value("shop_name", "Fruit", "100 %"), "shop_kind", "shop_name", says="'100 %'"),
    Case("party-incomplete", '<field name="participationtypemask" value="2" />', "", column="to",
         says="no participationtypemask", at='name="to"'),
    Case("state-half", '<field name="statuscode" value="1" />', "", column="statecode", at='name="statecode"'),
    Case("new-id", PLUM_ROW, f'<record id="{PLUM}" newId="{NOBODY}">', says=NOBODY),
]  # fmt: skip


def test_a_good_package_has_no_findings(tmp_path: Path) -> None:
    assert findings_of(write_folder(tmp_path)) == []


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}-{number}" for number, case in enumerate(CASES)])
def test_what_a_rule_finds(case: Case, tmp_path: Path) -> None:
    data = spoilt(DATA, case.old, case.new)
    (finding,) = findings_of(write_folder(tmp_path, data))
    assert (finding.rule, finding.table, finding.column) == (case.rule, case.table, case.column)
    assert finding.places == (Place("data.xml", line_of(data, case.place)),)
    assert case.says in finding.message
    assert finding.consequence
    assert finding.hint


def test_a_payload_that_is_not_there(tmp_path: Path) -> None:
    (finding,) = findings_of(write_folder(tmp_path, payload=False))
    assert (finding.rule, finding.column) == ("file-missing", "shop_manual")
    assert finding.places == (Place("data.xml", line_of(DATA, "shop_manual")),)


def test_a_note_whose_parent_is_elsewhere(tmp_path: Path) -> None:
    """The good package with its items called notes, and their parents rows of another table."""
    schema = SCHEMA.replace("shop_itemid", "annotationid").replace('"shop_item"', '"annotation"')
    schema = schema.replace("shop_parent", "objectid").replace("<entityName>shop_item<", "<entityName>annotation<")
    schema = schema.replace('lookupType="annotation"', 'lookupType="account|annotation"')
    data = DATA.replace("shop_itemid", "annotationid").replace('"shop_item"', '"annotation"')
    data = data.replace("shop_parent", "objectid")
    assert findings_of(write_folder(tmp_path, data, schema)) == []
    folder = write_folder(tmp_path, data.replace('lookupentity="annotation"', 'lookupentity="account"'), schema)
    (finding,) = findings_of(folder)
    assert (finding.rule, finding.table, finding.column) == ("note-parent", "annotation", "objectid")
    assert findings_of(folder, ["account"]) == []


@pytest.mark.parametrize("nothing", ["", "00000000-0000-0000-0000-000000000000"])
def test_a_row_without_an_id(nothing: str, tmp_path: Path) -> None:
    data = spoilt(DATA, PLUM_ROW, f'<record id="{nothing}" />{PLUM_ROW}')
    found = findings_of(write_folder(tmp_path, data))
    assert {finding.rule for finding in found} == {"id-missing", "key-absent"}
    assert {finding.places for finding in found} == {(Place("data.xml", line_of(data, PLUM_ROW)),)}


def test_a_package_without_a_schema(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / "data_schema.xml").unlink()
    assert [finding.rule for finding in findings_of(folder)] == ["schema-missing"]


def test_users_need_a_map(tmp_path: Path) -> None:
    schema = SCHEMA.replace("shop_kind", "systemuser")
    found = findings_of(write_folder(tmp_path, DATA.replace("shop_kind", "systemuser"), schema))
    assert [(finding.rule, finding.table, finding.count) for finding in found] == [("users-need-map", "systemuser", 2)]


def test_every_rule_has_a_case() -> None:
    tested = {case.rule for case in CASES} | {"file-missing", "id-missing", "users-need-map", "note-parent"}
    assert tested == {rule.rule.name for rule in ROW_RULES}


@pytest.mark.parametrize(
    ("column", "texts", "rule"),
    [
        ("shop_sold", ["True", "false", "TRUE", "0"], None),
        ("shop_sold", ["1", "yes", "t", "f", "no"], "bool-misread"),
        ("shop_pieces", ["0", "-7", "+7", "2147483647"], None),
        ("shop_pieces", ["42.0", "1,000", "1e3", "2147483648", "x", "9" * 50], "number-dropped"),
        ("shop_price", ["922337203685477.1234", "-1", ".5"], None),
        ("shop_price", ["1,5", "$5", "5 €", "1E5"], "decimal-wrong"),
        ("shop_weight", ["1E+16", "234", "-0.5"], None),
        ("shop_weight", ["1,5", "NaN", "Infinity"], "decimal-wrong"),
        ("shop_due", ["2026-04-01T00:00:00.0000000", "12/19/2017 4:57:00 PM", "2026-04-01"], None),
        ("shop_due", ["2026-02-30T00:00:00", "19.12.2017", "tomorrow"], "date-wrong"),
        ("shop_tags", ["[-1,-1]", "[-1,1,2,-1]", "1,2", "7"], None),
        ("shop_tags", ["[1,2]", "1;2", "[1]", "a", "[-1,1,2]"], "choices-dropped"),
    ],
)
def test_which_texts_of_values_are_found(column: str, texts: list[str], rule: str | None, tmp_path: Path) -> None:
    for text in texts:
        old = DATA[DATA.index(f'<field name="{column}"') :].split(" />")[0]
        data = spoilt(DATA, old, f'<field name="{column}" value="{text}"')
        found = {finding.rule for finding in findings_of(write_folder(tmp_path, data))}
        assert found == ({rule} if rule else set()), text


@given(
    st.sampled_from([kind for kind in ColumnType if kind not in {ColumnType.UNKNOWN, ColumnType.STRING}]),
    st.one_of(st.text(min_size=1, max_size=20), st.from_regex(r"[-+.,0-9eE/:TZ ]{1,20}", fullmatch=True)),
)
def test_no_value_that_confmig_refuses_passes(kind: ColumnType, text: str) -> None:
    """Lint reads more strictly than the reader does: what it passes, the reader takes."""
    schema = Schema((Table("a", "aid", (Column("aid", ColumnType.GUID), Column("x", kind))),))
    values = (WrittenValue("aid", FRUIT, 1), WrittenValue("x", text, 1))
    events: list[WrittenEvent] = [WrittenTable("a", "f", 1), WrittenRow("a", FRUIT, values, "f", 1)]
    facts = PackageFacts(schema, refusing(parse_value))
    if not row_findings(events, facts) and kind not in {ColumnType.PARTIES, ColumnType.LOOKUP, ColumnType.OWNER}:
        parse_value(ColumnType.GUID if kind is ColumnType.FILE else kind, text)


def test_equal_findings_are_one_with_a_number_and_the_first_places(tmp_path: Path) -> None:
    rows = "\n".join(
        f'<record id="{APPLE[:-3]}{n:03}"><field name="shop_itemid" value="{APPLE[:-3]}{n:03}" />'
        f'<field name="shop_sold" value="1" /></record>'
        for n in range(100, 120)
    )
    data = spoilt(DATA, PLUM_ROW, f"{rows}\n{PLUM_ROW}")
    (finding,) = findings_of(write_folder(tmp_path, data))
    first = line_of(data, f'{APPLE[:-3]}100"')
    assert finding.count == 20
    assert [place.line for place in finding.places] == list(range(first, first + 5))
    assert f"{APPLE[:-3]}100" in finding.message


def test_findings_beyond_ten_thousand_kinds_are_counted_only() -> None:
    schema = Schema((Table("a", "aid", (Column("aid", ColumnType.GUID),)),))
    values = (WrittenValue("aid", FRUIT, 1), *(WrittenValue(f"x{n}", "1", 1) for n in range(10_250)))
    events: list[WrittenEvent] = [WrittenTable("a", "f", 1), WrittenRow("a", FRUIT, values, "f", 1)]
    found = row_findings(events, PackageFacts(schema, refusing(parse_value)))
    assert len(found) == 10_001
    assert found[-1].message == "There are 250 findings more."


def test_what_points_out_of_the_package_is_no_finding(tmp_path: Path) -> None:
    data = DATA.replace('value="True"', 'value="False"')
    schema = SCHEMA.replace('lookupType="shop_item"', 'lookupType="account|shop_item"')
    gone = spoilt(data, *value("shop_parent", PLUM, NOBODY)).replace(
        'lookupentity="shop_item"', 'lookupentity="account"'
    )
    assert findings_of(write_folder(tmp_path, gone, schema)) == []


def test_a_table_whose_rows_the_target_has_may_be_pointed_to(tmp_path: Path) -> None:
    data = spoilt(DATA, *value("shop_parent", PLUM, NOBODY))
    data = spoilt(data, f"<targetid>{STONE}</targetid>", f"<targetid>{NOBODY}</targetid>")
    folder = write_folder(tmp_path, data)
    assert [finding.rule for finding in findings_of(folder)] == ["lookup-dangling", "pair-dangling"]
    assert [finding.rule for finding in findings_of(folder, ["shop_item"])] == ["pair-dangling"]
    assert findings_of(folder, ["shop_item", "shop_kind"]) == []


def test_names_that_are_shared_where_cmt_does_not_match_by_name(tmp_path: Path) -> None:
    data = spoilt(DATA, *value("shop_name", "Plum", "Apple"))
    forced = spoilt(SCHEMA, 'etc="10001"', 'etc="10001" forcecreate="true"')
    keyed = spoilt(SCHEMA, '<field displayname="Item" name="shop_itemid"',
                   '<field updateCompare="true" displayname="Item" name="shop_itemid"')  # fmt: skip
    for schema in (forced, keyed):
        assert findings_of(write_folder(tmp_path, data, schema)) == []


def test_a_source_of_an_association_that_is_not_there(tmp_path: Path) -> None:
    data = spoilt(DATA, f'sourceid="{APPLE}"', f'sourceid="{NOBODY}"')
    (finding,) = findings_of(write_folder(tmp_path, data))
    assert (finding.rule, finding.count) == ("pair-dangling", 1)
    assert f"{NOBODY}, which is not there" in finding.message


@pytest.mark.parametrize("name", ["createdby", "modifiedby", "owningbusinessunit"])
def test_lookups_that_nobody_writes_need_no_name(name: str, tmp_path: Path) -> None:
    schema = SCHEMA.replace('name="shop_parent"', f'name="{name}"')
    data = DATA.replace('name="shop_parent"', f'name="{name}"').replace(' lookupentityname="Plum"', "")
    assert findings_of(write_folder(tmp_path, data, schema)) == []
