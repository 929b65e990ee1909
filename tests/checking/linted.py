"""A package that lint finds nothing in, and ways to spoil it."""

from collections.abc import Iterable
from pathlib import Path

from confmig.checking.findings import Finding
from confmig.commands.linting import lint_package, schema_lint
from confmig.package.written import read_written_schema

SCHEMA = """\
<entities dateMode="relative">
  <entity name="shop_item" displayname="Item" etc="10001" primaryidfield="shop_itemid" primarynamefield="shop_name" disableplugins="false">
    <fields>
      <field displayname="Item" name="shop_itemid" type="guid" primaryKey="true" />
      <field displayname="Name" name="shop_name" type="string" />
      <field displayname="Pieces" name="shop_pieces" type="number" />
      <field displayname="Price" name="shop_price" type="money" />
      <field displayname="Weight" name="shop_weight" type="float" />
      <field displayname="Sold" name="shop_sold" type="bool" />
      <field displayname="Due" name="shop_due" type="datetime" />
      <field displayname="Tags" name="shop_tags" type="optionsetvaluecollection" />
      <field displayname="Big" name="shop_big" type="bigint" />
      <field displayname="Image" name="shop_image" type="imagedata" />
      <field displayname="Manual" name="shop_manual" type="filedata" />
      <field displayname="Parent" name="shop_parent" type="entityreference" lookupType="shop_item" />
      <field displayname="Kind" name="shop_kind" type="entityreference" lookupType="shop_kind" />
      <field displayname="Owner" name="ownerid" type="owner" />
      <field displayname="Status" name="statecode" type="state" />
      <field displayname="Status Reason" name="statuscode" type="status" />
      <field displayname="To" name="to" type="partylist" lookupType="shop_kind" />
    </fields>
    <relationships>
      <relationship name="shop_item_kind" manyToMany="true" isreflexive="false" relatedEntityName="shop_item_kind" m2mTargetEntity="shop_kind" m2mTargetEntityPrimaryKey="shop_kindid" />
    </relationships>
    <filter>&lt;fetch&gt;&lt;entity name="shop_item" /&gt;&lt;/fetch&gt;</filter>
  </entity>
  <entity name="shop_kind" displayname="Kind" etc="10002" primaryidfield="shop_kindid" primarynamefield="shop_name" disableplugins="false">
    <fields>
      <field displayname="Kind" name="shop_kindid" type="guid" primaryKey="true" />
      <field updateCompare="true" displayname="Name" name="shop_name" type="string" />
      <field updateCompare="true" displayname="Code" name="shop_code" type="number" />
    </fields>
    <relationships />
  </entity>
  <entityImportOrder>
    <entityName>shop_kind</entityName>
    <entityName>shop_item</entityName>
  </entityImportOrder>
</entities>"""  # noqa: E501

APPLE = "11111111-aaaa-4aaa-8aaa-000000000001"
PLUM = "11111111-aaaa-4aaa-8aaa-000000000002"
FRUIT = "22222222-bbbb-4bbb-8bbb-000000000001"
STONE = "22222222-bbbb-4bbb-8bbb-000000000002"
FILE = "33333333-cccc-4ccc-8ccc-000000000001"
NOBODY = "99999999-9999-4999-8999-999999999999"

DATA = f"""\
<entities timestamp="2026-05-01T08:00:00.0000000Z">
  <entity name="shop_item" displayname="Item">
    <records>
      <record id="{APPLE}">
        <field name="shop_itemid" value="{APPLE}" />
        <field name="shop_name" value="Apple" />
        <field name="shop_pieces" value="42" />
        <field name="shop_price" value="1234.5000" />
        <field name="shop_weight" value="1.125" />
        <field name="shop_sold" value="True" />
        <field name="shop_due" value="2026-03-11T10:30:00.0000000Z" />
        <field name="shop_tags" value="[-1,100000001,100000002,-1]" />
        <field name="shop_image" value="R0lGODlhAQABAAAAACw=" />
        <field name="shop_manual" value="{FILE}" filename="manual.pdf" />
        <field name="shop_parent" value="{PLUM}" lookupentity="shop_item" lookupentityname="Plum" />
        <field name="shop_kind" value="{FRUIT}" lookupentity="shop_kind" lookupentityname="Fruit" />
        <field name="ownerid" value="{NOBODY}" lookupentity="systemuser" lookupentityname="Nobody" />
        <field name="statecode" value="0" />
        <field name="statuscode" value="1" />
        <field name="to" value="" lookupentity="" lookupentityname="">
          <activitypointerrecords id="">
            <field name="partyid" value="{FRUIT}" lookupentity="shop_kind" lookupentityname="Fruit" />
            <field name="participationtypemask" value="2" />
          </activitypointerrecords>
        </field>
      </record>
      <record id="{PLUM}">
        <field name="shop_itemid" value="{PLUM}" />
        <field name="shop_name" value="Plum" />
      </record>
    </records>
    <m2mrelationships>
      <m2mrelationship sourceid="{APPLE}" targetentityname="shop_kind" targetentitynameidfield="shop_kindid" m2mrelationshipname="shop_item_kind">
        <targetids>
          <targetid>{FRUIT}</targetid>
          <targetid>{STONE}</targetid>
        </targetids>
      </m2mrelationship>
    </m2mrelationships>
  </entity>
  <entity name="shop_kind" displayname="Kind">
    <records>
      <record id="{FRUIT}">
        <field name="shop_kindid" value="{FRUIT}" />
        <field name="shop_name" value="Fruit" />
        <field name="shop_code" value="1" />
      </record>
      <record id="{STONE}">
        <field name="shop_kindid" value="{STONE}" />
        <field name="shop_name" value="Fruit" />
        <field name="shop_code" value="2" />
      </record>
    </records>
    <m2mrelationships />
  </entity>
</entities>"""  # noqa: E501

ALWAYS = "file-setting"
"""Told of every schema that has a file column, and so of this one."""


def spoilt(text: str, old: str, new: str) -> str:
    """A text with one thing in it changed, where it stands first."""
    assert old in text, old
    return text.replace(old, new, 1)


def line_of(text: str, what: str) -> int:
    """The line on which a text stands first."""
    return text[: text.index(what)].count("\n") + 1


def write_folder(path: Path, data: str = DATA, schema: str = SCHEMA, *, payload: bool = True) -> Path:
    """A package as a folder."""
    (path / "files").mkdir(parents=True, exist_ok=True)
    (path / "data.xml").write_text(data, encoding="utf-8")
    (path / "data_schema.xml").write_text(schema, encoding="utf-8")
    if payload:
        (path / "files" / f"{FILE}.bin").write_bytes(b"%PDF")
    return path


def findings_of(path: Path, outside: Iterable[str] = ()) -> list[Finding]:
    """What lint finds in a package, but for what it tells of every package here."""
    return [finding for finding in lint_package(path, tuple(outside)).findings if finding.rule != ALWAYS]


def schema_findings_of(path: Path, schema: str) -> list[Finding]:
    """What lint finds in a schema alone, but for what it tells of every schema here."""
    file = path / "data_schema.xml"
    file.write_text(schema, encoding="utf-8")
    return [finding for finding in schema_lint(read_written_schema(file), ()) if finding.rule != ALWAYS]
