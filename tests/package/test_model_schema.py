"""Tables and their declarations."""

from confmig.model.schema import Column, Relationship, Schema, Table
from confmig.model.values import ColumnType

_ID = Column("itemid", ColumnType.GUID)
_NAME = Column("name", ColumnType.STRING, compare=True)
_SIZE = Column("size", ColumnType.NUMBER)


def test_a_table_that_is_declared_twice_has_the_columns_of_both_and_each_once() -> None:
    schema = Schema((Table("item", "itemid", (_ID, _NAME)), Table("item", "itemid", (_ID, _SIZE))))
    merged = schema.table("item")
    assert merged is not None
    assert merged.columns == (_ID, _NAME, _SIZE)


def test_a_table_that_is_declared_twice_stands_once_among_the_merged_tables_and_where_it_came_first() -> None:
    schema = Schema((Table("b", "bid", (_ID,)), Table("a", "aid", ()), Table("b", "bid", (_NAME,))))
    assert [table.name for table in schema.merged_tables()] == ["b", "a"]
    assert len(schema.tables) == 3


def test_a_table_that_is_declared_twice_keeps_what_either_declaration_says() -> None:
    link, other = Relationship("item_tag", many_to_many=True), Relationship("item_part", many_to_many=True)
    schema = Schema(
        (
            Table("item", "itemid", (), relationships=(link,)),
            Table(
                "item",
                "itemid",
                (),
                primary_name="name",
                disable_plugins=True,
                skip_update=True,
                force_create=True,
                filter="<fetch />",
                relationships=(link, other),
            ),
        )
    )
    merged = schema.table("item")
    assert merged is not None
    assert (merged.primary_name, merged.filter) == ("name", "<fetch />")
    assert (merged.disable_plugins, merged.skip_update, merged.force_create) == (True, True, True)
    assert merged.relationships == (link, other)


def test_a_table_that_is_not_declared_is_none() -> None:
    assert Schema(()).table("item") is None


def test_the_compare_columns_are_those_marked_in_the_order_of_the_schema() -> None:
    table = Table("item", "itemid", (_ID, _NAME, _SIZE, Column("code", ColumnType.STRING, compare=True)))
    assert table.compare_columns == ("name", "code")


def test_the_many_to_many_relationships_leave_out_the_others() -> None:
    link, parent = Relationship("item_tag", many_to_many=True), Relationship("item_parent")
    assert Table("item", "itemid", (), relationships=(parent, link)).many_to_many == (link,)


def test_two_schemas_of_the_same_tables_are_equal() -> None:
    assert Schema((Table("a", "aid", (_ID,)),)) == Schema((Table("a", "aid", (_ID,)),))
    assert Schema((Table("a", "aid", (_ID,)),)) != Schema((Table("a", "aid", (_NAME,)),))
