"""Small packages of our own, written as a tool would write them."""

import zipfile
from pathlib import Path

FRUIT = "11111111-aaaa-4aaa-8aaa-000000000001"
STONE = "11111111-aaaa-4aaa-8aaa-000000000002"
APPLE = "22222222-bbbb-4bbb-8bbb-000000000001"
PLUM = "22222222-bbbb-4bbb-8bbb-000000000002"
CURRENCY = "33333333-cccc-4ccc-8ccc-000000000001"

SCHEMA = """<entities>
  <entity name="shop_kind" displayname="Kind" etc="10001" primaryidfield="shop_kindid" primarynamefield="shop_name" disableplugins="false">
    <fields>
      <field displayname="Kind" name="shop_kindid" type="guid" primaryKey="true" />
      <field displayname="Name" name="shop_name" type="string" />
      <field displayname="Best" name="shop_best" type="entityreference" lookupType="shop_item" />
      <field displayname="Parent" name="shop_parent" type="entityreference" lookupType="shop_kind" />
    </fields>
    <relationships>
      <relationship name="shop_kind_item" manyToMany="true" isreflexive="false" relatedEntityName="shop_kind_item" m2mTargetEntity="shop_item" m2mTargetEntityPrimaryKey="shop_itemid" />
    </relationships>
  </entity>
  <entity name="shop_item" displayname="Item" etc="10002" primaryidfield="shop_itemid" primarynamefield="shop_name" disableplugins="false">
    <fields>
      <field displayname="Item" name="shop_itemid" type="guid" primaryKey="true" />
      <field displayname="Name" name="shop_name" type="string" />
      <field displayname="Price" name="shop_price" type="money" />
      <field displayname="Weight" name="shop_weight" type="decimal" />
      <field displayname="Pieces" name="shop_pieces" type="number" />
      <field displayname="Kind" name="shop_kind" type="entityreference" lookupType="shop_kind" />
      <field displayname="Currency" name="transactioncurrencyid" type="entityreference" lookupType="transactioncurrency" />
      <field displayname="Created On" name="createdon" type="datetime" />
      <field displayname="Status" name="statecode" type="state" />
      <field displayname="Status Reason" name="statuscode" type="status" />
    </fields>
    <relationships />
  </entity>
</entities>"""  # noqa: E501


def field(name: str, value: object) -> str:
    return f'<field name="{name}" value="{value}" />'


def lookup(name: str, table: str, row: str, label: str = "x") -> str:
    return f'<field name="{name}" value="{row}" lookupentity="{table}" lookupentityname="{label}" />'


def kind(row: str, name: str, *more: str) -> str:
    return f'<record id="{row}">{field("shop_kindid", row)}{field("shop_name", name)}{"".join(more)}</record>'


def item(row: str, name: str, *more: str) -> str:
    return f'<record id="{row}">{field("shop_itemid", row)}{field("shop_name", name)}{"".join(more)}</record>'


def data(kinds: str = "", items: str = "", pairs: str = "") -> str:
    m2m = f"<m2mrelationships>{pairs}</m2mrelationships>" if pairs else "<m2mrelationships />"
    return (
        '<entities timestamp="2026-05-01T08:00:00.0000000Z">'
        f'<entity name="shop_kind" displayname="Kind"><records>{kinds}</records>{m2m}</entity>'
        f'<entity name="shop_item" displayname="Item"><records>{items}</records><m2mrelationships /></entity>'
        "</entities>"
    )


def pair(source: str, *targets: str) -> str:
    ids = "".join(f"<targetid>{target}</targetid>" for target in targets)
    return (
        f'<m2mrelationship sourceid="{source}" targetentityname="shop_item" targetentitynameidfield="shop_itemid"'
        f' m2mrelationshipname="shop_kind_item"><targetids>{ids}</targetids></m2mrelationship>'
    )


def full_data(apple: str = "Apple") -> str:
    """Two kinds and two items: a cycle of tables, a parent, a currency outside, a closed row, two pairs."""
    return data(
        kind(FRUIT, "Fruit", lookup("shop_best", "shop_item", APPLE, apple))
        + kind(STONE, "Stone fruit", lookup("shop_parent", "shop_kind", FRUIT, "Fruit")),
        item(
            APPLE,
            apple,
            field("shop_price", "922337203685477.5807"),
            field("shop_weight", "0.1234567891"),
            field("shop_pieces", 3),
            lookup("shop_kind", "shop_kind", FRUIT, "Fruit"),
            lookup("transactioncurrencyid", "transactioncurrency", CURRENCY, "Euro"),
            field("createdon", "2026-01-02T03:04:05.0000000Z"),
            field("statecode", 0),
            field("statuscode", 1),
        )
        + item(
            PLUM,
            "Plum &amp;amp; pit",
            lookup("shop_kind", "shop_kind", STONE, "Stone fruit"),
            field("statecode", 1),
            field("statuscode", 2),
        ),
        pair(FRUIT, APPLE, PLUM),
    )


def write(path: Path, rows: str, schema: str = SCHEMA) -> Path:
    """Write a package as a zip."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.xml", rows)
        archive.writestr("data_schema.xml", schema)
    return path
