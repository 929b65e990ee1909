"""Tables and rows made from packages, case by case."""

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from confmig.emulator.errors import PackageFileError
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import ALL, NAME, TARGET, Client

ONE, TWO, USER = (f"{number}0000000-0000-4000-8000-000000000000" for number in (1, 2, 8))
SCHEMA = """<entities >
  <entity name="x_thing" displayname="Thing" etc="10123" primaryidfield="x_thingid" primarynamefield="x_name">
    <fields>
      <field displayname="Thing" name="x_thingid" type="guid" primaryKey="true" />
      <field displayname="Name" name="x_name" type="string" customfield="true" />
      <field displayname="Parent" name="x_parent" type="entityreference" lookupType="x_thing" customfield="true" />
      <field displayname="Day" name="x_day" type="datetime" />
      <field displayname="Time" name="x_time" type="datetime" />
      <field displayname="Moment" name="x_moment" type="datetime" />
      <field displayname="Price" name="x_price" type="money" />
      <field displayname="Owner" name="ownerid" type="owner" />
      <field displayname="User" name="owninguser" type="entityreference" lookupType="systemuser" />
      <field displayname="Status" name="statuscode" type="status" />
      <field displayname="State" name="statecode" type="state" />
      <field displayname="Choices" name="x_choices" type="optionsetvaluecollection" />
      <field displayname="Paper" name="x_paper" type="filedata" />
    </fields>
    <relationships>
      <relationship name="x_thing_thing" manyToMany="true" isreflexive="true" relatedEntityName="x_thing_thing"
        m2mTargetEntity="x_thing" m2mTargetEntityPrimaryKey="x_thingid" />
    </relationships>
  </entity>
</entities>"""
DATA = f"""
<entities timestamp="2024-07-26T15:51:30.5429904Z">
  <entity name="x_thing" displayname="Thing">
    <records>
      <record id="{ONE}">
        <field name="x_thingid" value="{ONE}" />
        <field name="x_name" value="A &amp;lt;b&amp;gt; &amp;amp;amp; &amp;#233;&#xD;&#xA;end " />
        <field name="x_day" value="2024-02-03T00:00:00.0000000" />
        <field name="x_time" value="2024-02-03T10:00:00.0000000" />
        <field name="x_moment" value="2024-02-03T10:00:00.0000000Z" />
        <field name="x_price" value="11.5000000000" />
        <field name="ownerid" value="{USER}" lookupentity="systemuser" lookupentityname="Ana &amp; Bob" />
        <field name="owninguser" value="{USER}" lookupentity="systemuser" />
        <field name="statecode" value="1" />
        <field name="statuscode" value="7" />
        <field name="x_choices" value="[-1,5,6,-1]" />
        <field name="x_paper" value="{TWO}" filename="p.txt" />
      </record>
      <record id="{TWO}">
        <field name="x_thingid" value="{TWO}" />
        <field name="x_parent" value="{ONE}" lookupentity="x_thing" lookupentityname="Another name" />
      </record>
    </records>
    <m2mrelationships>
      <m2mrelationship sourceid="{ONE}" targetentityname="x_thing" targetentitynameidfield="x_thingid"
        m2mrelationshipname="x_thing_thing"><targetids><targetid>{TWO}</targetid></targetids></m2mrelationship>
    </m2mrelationships>
  </entity>
</entities>"""


def write_zip(path: Path, schema: str = SCHEMA, data: str = DATA) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("files/" + TWO + ".bin", b"paper")
        archive.writestr("[Content_Types].xml", "<Types />")
        archive.writestr("data.xml", data)
        archive.writestr("data_schema.xml", schema)
    return path


@contextmanager
def serving(path: Path, **options: Any) -> Iterator[Client]:
    with Emulator(EmulatorOptions(package=path, **options)) as emulator:
        client = Client(emulator.url)
        yield client
        client.close()


def test_values_as_the_file_gives_them(tmp_path: Path) -> None:
    with serving(write_zip(tmp_path / "p.zip")) as client:
        one = client.get(f"x_things({ONE})", **ALL)
        assert one["x_name"] == "A <b> &amp; é\r\nend "
        assert (one["x_day"], one["x_time"]) == ("2024-02-03", "2024-02-03T10:00:00Z")
        assert one["x_moment"] == "2024-02-03T10:00:00Z"
        assert '"x_price":11.5000000000,' in client.send("GET", f"x_things({ONE})").text
        assert (one["statecode"], one["statuscode"], one["x_choices"]) == (1, 7, "5,6")
        assert one["_ownerid_value" + NAME] == "Ana & Bob"
        assert one["_owninguser_value" + TARGET] == "systemuser"
        assert "_owninguser_value" + NAME not in one
        assert client.send("GET", f"x_things({ONE})/x_paper/$value").content == b"paper"
        assert one["x_paper_name"] == "p.txt"
        two = client.get(f"x_things({TWO})", **ALL)
        assert two["_x_parent_value" + NAME] == "Another name"
        assert two["x_name"] is None
        assert two["createdon"].endswith("Z")


def test_a_name_given_by_the_package_goes_when_the_lookup_is_written(tmp_path: Path) -> None:
    with serving(write_zip(tmp_path / "p.zip")) as client:
        client.send("PATCH", f"x_things({TWO})", {"x_parent@odata.bind": f"x_things({ONE})"})
        assert client.get(f"x_things({TWO})", **ALL)["_x_parent_value" + NAME].startswith("A <b>")


def test_what_the_schema_does_not_say_comes_from_the_values(tmp_path: Path) -> None:
    with serving(write_zip(tmp_path / "p.zip")) as client:
        condition = {"PropertyName": "LogicalName", "ConditionOperator": "Equals", "Value": {"Value": "x_thing"}}
        query = json.dumps({"Properties": {"AllProperties": True}, "Criteria": {"Conditions": [condition]}})
        entity = client.get(f"RetrieveMetadataChanges(Query=@p1)?@p1={query}")["EntityMetadata"][0]
        columns = {one["LogicalName"]: one for one in entity["Attributes"]}
        behaviors = [columns[name]["DateTimeBehavior"]["Value"] for name in ("x_day", "x_time", "x_moment")]
        assert behaviors == ["DateOnly", "TimeZoneIndependent", "UserLocal"]
        assert columns["x_name"]["AttributeType"] == "Memo"
        assert columns["x_name"]["MaxLength"] == 100
        statuses = {one["Value"]: one["State"] for one in columns["statuscode"]["OptionSet"]["Options"]}
        assert statuses == {1: 0, 2: 1, 7: 1}
        assert (entity["ObjectTypeCode"], entity["OwnershipType"]) == (10123, "UserOwned")
        assert columns["owninguser"]["IsValidForCreate"] is False


def test_the_rows_around_a_source(tmp_path: Path) -> None:
    with serving(write_zip(tmp_path / "p.zip")) as client:
        users = {row["fullname"] for row in client.rows("systemusers")}
        assert users == {"# confmig-emulator", "Ana & Bob"}
        pairs = client.rows("x_thing_thingset")
        assert [(row["x_thingidone"], row["x_thingidtwo"]) for row in pairs] == [(ONE, TWO)]
    with serving(tmp_path / "p.zip", without_outside_rows=True) as client:
        assert {row["fullname"] for row in client.rows("systemusers")} == {"# confmig-emulator"}
        assert client.get(f"x_things({ONE})", **ALL)["_ownerid_value" + NAME] == "Ana & Bob"


def test_an_empty_target(tmp_path: Path) -> None:
    with serving(write_zip(tmp_path / "p.zip"), empty=True) as client:
        assert client.rows("x_things") == []
        assert client.rows("x_thing_thingset") == []
        assert {row["fullname"] for row in client.rows("systemusers")} == {"# confmig-emulator", "Ana & Bob"}
        body = {"x_thingid": ONE, "x_name": "n", "ownerid@odata.bind": f"systemusers({USER})", "x_choices": "77"}
        assert client.send("POST", "x_things", body).status_code == 204
    with serving(tmp_path / "p.zip", empty=True, without_outside_rows=True) as client:
        assert {row["fullname"] for row in client.rows("systemusers")} == {"# confmig-emulator"}


def test_base_rows_of_a_declared_table_are_hidden_in_a_source_and_shown_in_a_target(tmp_path: Path) -> None:
    schema = """<entities><entity name="systemuser" displayname="User" etc="8" primaryidfield="systemuserid"
      primarynamefield="fullname"><fields><field displayname="Id" name="systemuserid" type="guid" primaryKey="true" />
      <field displayname="Name" name="fullname" type="string" /></fields></entity></entities>"""
    data = f"""<entities><entity name="systemuser" displayname="User"><records><record id="{USER}">
      <field name="systemuserid" value="{USER}" /><field name="fullname" value="Ana" /></record></records></entity>
      </entities>"""
    path = write_zip(tmp_path / "p.zip", schema, data)
    with serving(path) as client:
        assert [row["fullname"] for row in client.rows("systemusers")] == ["Ana"]
        assert client.send("GET", "systemusers/$count").content.decode("utf-8-sig") == "1"
        assert client.get(f"systemusers({client.get('WhoAmI')['UserId']})")["fullname"] == "# confmig-emulator"
    with serving(path, empty=True) as client:
        assert [row["fullname"] for row in client.rows("systemusers")] == ["# confmig-emulator"]


def test_rows_without_an_id_of_their_own_get_one(tmp_path: Path) -> None:
    zero = "00000000-0000-0000-0000-000000000000"
    record = f'<record id="{zero}"><field name="x_name" value="n" /></record>'
    schema = SCHEMA.replace('<field displayname="Thing" name="x_thingid" type="guid" primaryKey="true" />', "")
    data = f'<entities><entity name="x_thing"><records>{record * 3}</records></entity></entities>'
    ids = []
    for name in ("a.zip", "b.zip"):
        with serving(write_zip(tmp_path / name, schema, data)) as client:
            ids.append({row["x_thingid"] for row in client.rows("x_things")})
    assert len(ids[0]) == 3
    assert ids[0] == ids[1]
    assert zero not in ids[0]


def test_a_package_without_a_schema(tmp_path: Path) -> None:
    data = f"""<?xml version="1.0" encoding="utf-8"?><entities><entity name="x_thing"><records><record id="{ONE}">
      <field name="x_key" value="{ONE}" /><field name="x_flag" value="True" /><field name="x_whole" value="5" />
      <field name="x_part" value="1.50" /><field name="x_text" value="5a" />
      <field name="x_when" value="6/12/2017 9:45:00 AM" />
      <field name="x_to" value="{TWO}" lookupentity="account" lookupentityname="" /></record></records></entity>
      </entities>"""
    (tmp_path / "only.xml").write_text(data)
    with serving(tmp_path) as client:
        row = client.get(f"x_things({ONE})", **ALL)
        assert (row["x_key"], row["x_flag"], row["x_whole"], row["x_part"], row["x_text"]) == (
            ONE,
            True,
            5,
            "1.50",
            "5a",
        )
        assert row["x_when"] == "2017-06-12T09:45:00Z"
        assert (row["_x_to_value" + TARGET], row["_x_to_value" + NAME]) == ("account", "")


@pytest.mark.parametrize(
    "start", ["", "\ufeff", "\r\n", '<?xml version="1.0" encoding="utf-16"?>\r\n', "\ufeff<?xml version='1.0'?>"]
)
def test_how_a_data_file_may_begin(tmp_path: Path, start: str) -> None:
    with serving(write_zip(tmp_path / "p.zip", data=start + DATA.strip())) as client:
        assert len(client.rows("x_things")) == 2


def test_the_split_form_and_single_files(tmp_path: Path) -> None:
    folder = tmp_path / "split"
    folder.mkdir()
    inner = DATA[DATA.index("<entity ") : DATA.index("</entities>")]
    (folder / "data.xml").write_text('<entities><entity name="x_thing" displayname="Thing" /></entities>')
    (folder / "x_thing_data.xml").write_text(inner)
    (folder / "data_schema.xml").write_text(SCHEMA)
    with serving(folder) as client:
        assert len(client.rows("x_things")) == 2
    with serving(folder / "data_schema.xml") as client:
        assert client.rows("x_things") == []
    (tmp_path / "own.xml").write_text(DATA.strip())
    (tmp_path / "own_schema.xml").write_text(SCHEMA)
    with serving(tmp_path / "own.xml") as client:
        assert len(client.rows("x_things")) == 2


@pytest.mark.parametrize(
    ("schema", "data", "words"),
    [
        (SCHEMA, '<!DOCTYPE x [<!ENTITY a "b">]><entities>&a;</entities>', "document type"),
        ('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">' + SCHEMA, DATA, "document type"),
        (SCHEMA, "<entities><entity", "not well-formed"),
        (SCHEMA, DATA.replace('"11.5000000000"', '"eleven"'), "x_price has 'eleven', which is no Money"),
        (SCHEMA.replace('name="x_thing"', 'name="x&quot;thing"'), DATA, "cannot be the name of a table"),
        (SCHEMA.replace('name="x_day"', 'name="x day"'), DATA, "cannot be the name of a column"),
    ],
)
def test_a_broken_package_is_named(tmp_path: Path, schema: str, data: str, words: str) -> None:
    path = write_zip(tmp_path / "p.zip", schema, data)
    with pytest.raises(PackageFileError) as caught:
        Emulator(EmulatorOptions(package=path)).start()
    assert words in str(caught.value)


def test_no_package_there(tmp_path: Path) -> None:
    with pytest.raises(PackageFileError, match="does not exist"):
        Emulator(EmulatorOptions(package=tmp_path / "none.zip")).start()
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(PackageFileError):
        Emulator(EmulatorOptions(package=tmp_path / "text.zip")).start()
