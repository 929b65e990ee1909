"""A schema made of what an environment says: which tables and columns, in which order, in which bytes."""

from itertools import permutations

import pytest

from confmig.checking.schemas import completeness_findings
from confmig.exporting.generating import GeneratedSchema, Selection, generate_schema, required_targets
from confmig.model.environment import ColumnInfo, RelationshipInfo, TableInfo
from confmig.model.schema import Table
from confmig.model.values import ColumnType
from confmig.package.schemafile import parse_schema, write_schema
from confmig.profiles.profile import Preset, PresetTable, load_profiles


def column(name: str, kind: ColumnType = ColumnType.STRING, **more: object) -> ColumnInfo:
    return ColumnInfo(name, kind, **more)  # type: ignore[arg-type]


def lookup(name: str, *targets: str) -> ColumnInfo:
    return ColumnInfo(name, ColumnType.LOOKUP, targets=targets)


def info(name: str, *columns: ColumnInfo, pairs: tuple[RelationshipInfo, ...] = ()) -> TableInfo:
    own = (column(f"{name}id", ColumnType.GUID, updatable=False), column("name"), *columns)
    return TableInfo(name, f"{name}id", "name", {item.name: item for item in own}, {item.name: item for item in pairs})


def generate(*infos: TableInfo, preset: Preset | None = None, outside: tuple[str, ...] = ()) -> GeneratedSchema:
    return generate_schema({item.name: item for item in infos}, Selection([i.name for i in infos], preset, outside))


def names(generated: GeneratedSchema) -> list[str]:
    return [table.name for table in generated.schema.tables]


def columns(generated: GeneratedSchema, table: str = "a") -> list[str]:
    found = generated.schema.table(table)
    assert found is not None
    return [item.name for item in found.columns]


def test_tables_come_after_those_that_they_point_to_and_else_by_name() -> None:
    generated = generate(info("a", lookup("x", "c")), info("b"), info("c", lookup("y", "d")), info("d"))
    assert names(generated) == ["d", "c", "a", "b"]


@pytest.mark.parametrize(
    "infos",
    [
        (info("a", lookup("x", "b")), info("b", lookup("x", "c")), info("c", lookup("x", "a"))),
        (info("a", lookup("x", "a", "b")), info("b", lookup("x", "b")), info("c", lookup("x", "b", "a"))),
        (info("b"), info("c"), info("a")),
    ],
    ids=["circle", "to itself and several", "unrelated"],
)
def test_the_order_in_which_tables_are_given_changes_nothing(infos: tuple[TableInfo, ...]) -> None:
    written = {write_schema(generate(*order).schema) for order in permutations(infos)}
    assert len(written) == 1
    assert sorted(names(generate(*infos))) == ["a", "b", "c"]


def test_neither_does_the_order_in_which_the_environment_lists_columns_or_relationships() -> None:
    own = [column("z"), column("y"), lookup("x", "a")]
    pairs = [RelationshipInfo(name, "a", "one", "a", "two") for name in ("r", "q")]
    first = generate(info("a", *own, pairs=tuple(pairs)))
    second = generate(info("a", *reversed(own), pairs=tuple(reversed(pairs))))
    assert write_schema(first.schema) == write_schema(second.schema)


def test_columns_come_by_name_after_the_id_which_is_the_key() -> None:
    generated = generate(info("a", column("zz"), column("aa"), column("statecode", ColumnType.STATE)))
    assert columns(generated) == ["aid", "aa", "name", "statecode", "zz"]
    (table,) = generated.schema.tables
    assert table.compare_columns == ("aid",)
    assert [item.name for item in table.columns if item.primary_key] == ["aid"]


def test_a_lookup_beyond_the_tables_is_left_out_with_its_reason() -> None:
    inside = [lookup("own", "a"), lookup("unit", "businessunit"), lookup("either", "elsewhere", "a")]
    generated = generate(info("a", *inside, lookup("out", "b", "c"), lookup("void")))
    assert columns(generated) == ["aid", "either", "name", "own", "unit"]
    assert generated.left_out == [
        ("a", "out", "it points to b or c, which is not among the tables"),
        ("a", "void", "it points to no table, which is not among the tables"),
    ]
    assert "out" in columns(generate(info("a", lookup("out", "b", "c")), outside=("c",)))
    assert list(completeness_findings(generated.schema, load_profiles())) == []


def test_tables_of_lookups_that_no_row_can_be_without() -> None:
    needed = ColumnInfo("must", ColumnType.LOOKUP, targets=("b",), required=True)
    several = ColumnInfo("either", ColumnType.LOOKUP, targets=("b", "c"), required=True)
    kept = ColumnInfo("createdby", ColumnType.LOOKUP, targets=("systemuser",), required=True)
    infos = {"a": info("a", needed, several, kept, lookup("may", "d"))}
    assert list(required_targets(infos, Selection(["a"]))) == [("b", "a.must")]
    assert list(required_targets(infos, Selection(["a"], Preset({"a": PresetTable(without=("must",))})))) == []
    left_out = {name: why for _, name, why in generate(infos["a"]).left_out}
    assert left_out["either"] == (
        "it points to b or c, which is not among the tables; without it the service refuses new rows"
    )


def test_what_cannot_be_moved_is_missed_and_what_the_service_keeps_for_itself_is_not() -> None:
    generated = generate(
        info(
            "a",
            column("document", ColumnType.FILE),
            column("counter", ColumnType.BIGINT, custom=True),
            column("createdon", ColumnType.DATETIME, creatable=False, updatable=False),
            column("modifiedby", ColumnType.LOOKUP, targets=("systemuser",)),
            column("sum", ColumnType.DECIMAL, creatable=False, updatable=False),
            column("versionnumber", ColumnType.BIGINT),
            column("price", ColumnType.MONEY),
            column("price_base", ColumnType.MONEY),
            column("ownername", part_of="ownerid"),
            column("secret", readable=False),
            column("ownerid", ColumnType.OWNER, targets=("systemuser", "team")),
        )
    )
    assert columns(generated) == ["aid", "document", "name", "ownerid", "price"]
    ((table, name, why),) = generated.left_out
    assert (table, name) == ("a", "counter")
    assert "drops big integers" in why


def test_relationships_stand_once_on_their_first_table_and_only_within_the_schema() -> None:
    pair = RelationshipInfo("a_b", "a", "aid", "b", "bid")
    outside = RelationshipInfo("a_c", "a", "aid", "c", "cid")
    first, second = generate(info("a", pairs=(pair, outside)), info("b", pairs=(pair,))).schema.tables
    (declared,) = first.relationships
    assert (declared.name, declared.many_to_many, declared.reflexive) == ("a_b", True, False)
    assert (declared.target, declared.target_primary_id) == ("b", "bid")
    assert second.relationships == ()


def test_a_relationship_of_a_table_with_itself_names_the_plain_id() -> None:
    (table,) = generate(info("a", pairs=(RelationshipInfo("a_a", "a", "aidone", "a", "aidtwo"),))).schema.tables
    (declared,) = table.relationships
    assert (declared.reflexive, declared.target, declared.target_primary_id) == (True, "a", "aid")


def test_a_preset_leaves_columns_out_of_its_own_tables_only_and_brings_filters() -> None:
    preset = Preset({"a": PresetTable(without=("noise",), filter="<fetch/>")}, without=("statecode",))
    state = column("statecode", ColumnType.STATE)
    generated = generate(info("a", column("noise"), state), info("b", column("noise"), state), preset=preset)
    assert columns(generated, "a") == ["aid", "name"]
    assert columns(generated, "b") == ["bid", "name", "noise", "statecode"]
    assert [table.filter for table in generated.schema.tables] == ["<fetch/>", None]
    assert generated.left_out == []


def test_a_table_that_is_given_twice_or_not_there_does_no_harm() -> None:
    selection = Selection(["a", "gone", "a"])
    assert [table.name for table in generate_schema({"a": info("a")}, selection).schema.tables] == ["a"]
    assert selection.with_tables(["b", "a", "b"]).tables == ["b", "a"]


NASTY = 'Größe "A" & <B>\'s – 价\t格\nx'


def test_names_of_all_kinds_come_back_from_the_file() -> None:
    described = TableInfo(
        "a",
        "aid",
        "name",
        {
            "aid": column("aid", ColumnType.GUID, display_name=NASTY),
            "name": column("name", display_name=NASTY, custom=True),
        },
        display_name=NASTY,
        object_type_code=10001,
    )
    schema = generate(described).schema
    written = write_schema(schema)
    again = parse_schema(written, "schema.xml")
    (table,) = again.tables
    assert [table.display_name, *(item.display_name for item in table.columns)] == [NASTY] * 3
    assert (table.object_type_code, table.primary_name) == ("10001", "name")
    assert write_schema(again) == written


@pytest.mark.parametrize("kind", [kind for kind in ColumnType if kind not in {ColumnType.UNKNOWN, ColumnType.FILE}])
def test_every_type_comes_back_from_the_file(kind: ColumnType) -> None:
    generated = generate(info("a", column("to", kind, targets=("a",))))
    (table,) = parse_schema(write_schema(generated.schema), "schema.xml").tables
    types = {item.name: item.type for item in table.columns}
    assert types.get("to", kind) is kind
    assert ("to" in types) is (kind is not ColumnType.BIGINT)


def test_a_filter_comes_back_from_the_file() -> None:
    text = '<fetch><entity name="a"><filter><condition attribute="name" operator="eq" value="&lt;&amp;" /></filter>'
    filtered = generate(info("a"), preset=Preset({"a": PresetTable(filter=text)}))
    tables: tuple[Table, ...] = parse_schema(write_schema(filtered.schema), "schema.xml").tables
    assert tables[0].filter == text
