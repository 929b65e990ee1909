"""Columns of every type, alternate keys and choices that clients make, change and delete.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-update-column-definitions-using-web-api
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-update-optionsets
"""

import base64
from pathlib import Path
from typing import Any

import pytest

from confmig.emulator.clock import VirtualClock
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client, error
from .conftest import SHOP
from .metadatabodies import CRM, Json, attribute, choice, label, option, table

TABLE = "EntityDefinitions(LogicalName='new_thing')"


@pytest.fixture
def thing(fresh: Client) -> Client:
    """An emulator with the table new_thing."""
    assert fresh.send("POST", "EntityDefinitions", table("new_Thing")).status_code == 204
    return fresh


def add(client: Client, body: Json, **headers: str) -> str:
    """Add a column and give its MetadataId."""
    reply = client.send("POST", f"{TABLE}/Attributes", body, **headers)
    assert reply.status_code == 204, reply.text
    location = reply.headers["OData-EntityId"]
    assert location.startswith(f"{client.root}{TABLE}/Attributes(")
    return location[-37:-1]


def read(client: Client, name: str, query: str = "") -> Json:
    found: Json = client.get(f"{TABLE}/Attributes(LogicalName='{name}'){query}")
    return found


def values(client: Client, name: str = "new_choice") -> list[Any]:
    path = f"{TABLE}/Attributes(LogicalName='{name}')/{CRM}PicklistAttributeMetadata/OptionSet"
    listed = client.get(path)["Options"]
    return [(one["Value"], one["Label"]["UserLocalizedLabel"]["Label"]) for one in listed]


COLUMNS: list[tuple[Json, Json, object]] = [
    (attribute("String", "new_A", MaxLength=50, FormatName={"Value": "Email"}), {"MaxLength": 50}, "a@b.example"),
    (attribute("String", "new_A", FormatName={"Value": "Json"}), {"FormatName": {"Value": "Json"}}, "{}"),
    (attribute("String", "new_A"), {"MaxLength": 100, "AttributeType": "String"}, "text"),
    (
        attribute("Memo", "new_A", Format="TextArea", MaxLength=500, ImeMode="Disabled"),
        {"MaxLength": 500, "Format": "TextArea", "ImeMode": "Disabled"},
        "a\nb",
    ),
    (attribute("String", "new_A"), {"ImeMode": "Auto", "YomiOf": None, "FormulaDefinition": ""}, "text"),
    (
        attribute("Integer", "new_A", MinValue=1, MaxValue=5, Format="None"),
        {"MinValue": 1, "MaxValue": 5, "Format": "None", "SourceTypeMask": 0},
        3,
    ),
    (attribute("Integer", "new_A", Format="Duration"), {"Format": "Duration"}, 90),
    (attribute("BigInt", "new_A"), {"AttributeType": "BigInt"}, 9_007_199_254_740_993),
    (attribute("Decimal", "new_A", MinValue=0.0, MaxValue=100.0, Precision=1), {"Precision": 1}, 2.5),
    (attribute("Double", "new_A", Precision=5), {"Precision": 5}, 0.25),
    (attribute("DateTime", "new_A", Format="DateOnly"), {"Format": "DateOnly"}, "2024-02-29T00:00:00Z"),
    (
        attribute("DateTime", "new_A", DateTimeBehavior={"Value": "DateOnly"}),
        {"DateTimeBehavior": {"Value": "DateOnly"}, "Format": "DateOnly"},
        "2024-02-29",
    ),
    (attribute("Boolean", "new_A", DefaultValue=True), {"DefaultValue": True, "AttributeType": "Boolean"}, True),
    (choice("Picklist", "new_A", option(1, "One"), option(2, "Two")), {"AttributeType": "Picklist"}, 2),
    (choice("MultiSelectPicklist", "new_A", option(1, "One"), option(2, "Two")), {"AttributeType": "Virtual"}, "1,2"),
    (attribute("File", "new_A", MaxSizeInKB=100), {"MaxSizeInKB": 100, "AttributeType": "Virtual"}, None),
    (attribute("Image", "new_A", MaxSizeInKB=100), {"IsPrimaryImage": True, "AttributeType": "Virtual"}, None),
]


@pytest.mark.parametrize(("body", "expected", "value"), COLUMNS)
def test_a_column_of_each_type(thing: Client, body: Json, expected: Json, value: object) -> None:
    made = add(thing, body)
    one = read(thing, "new_a")
    assert one["MetadataId"] == made
    assert one["@odata.type"] == "#" + body["@odata.type"]
    assert (one["SchemaName"], one["IsCustomAttribute"]) == ("new_A", True)
    assert {name: one[name] for name in expected} == expected
    if value is not None:
        row = thing.create("new_things", {"new_a": value})
        assert thing.send("GET", f"new_things({row})?$select=new_a").json()["new_a"] == value
    assert thing.send("DELETE", f"{TABLE}/Attributes({made})", If_Match="*").status_code == 204
    assert thing.send("GET", f"{TABLE}/Attributes(LogicalName='new_a')").status_code == 404
    assert error(thing.send("GET", "new_things?$select=new_a")) == (400, "0x80060888")
    add(thing, body)


def test_the_rules_of_a_column_hold(thing: Client) -> None:
    add(thing, choice("Picklist", "new_Choice", option(1, "One")))
    add(thing, attribute("String", "new_Short", MaxLength=3))
    for name, value in (("new_choice", 2), ("new_short", "long text")):
        assert error(thing.send("POST", "new_things", {name: value}))[0] == 400


def test_what_comes_with_money_files_and_images(thing: Client) -> None:
    for body in (
        attribute("Money", "new_Price", PrecisionSource=2),
        attribute("File", "new_Paper"),
        attribute("Image", "new_Face"),
    ):
        add(thing, body)
    listed = thing.get(f"{TABLE}/Attributes")["value"]
    columns = {one["LogicalName"]: one for one in listed}
    assert columns["new_price_base"]["IsValidForUpdate"] is False
    assert {"transactioncurrencyid", "exchangerate"} <= columns.keys()
    assert columns["new_paper_name"]["AttributeOf"] == "new_paper"
    for name in ("new_face_timestamp", "new_face_url", "new_faceid"):
        assert columns[name]["AttributeOf"] == "new_face"
    price = read(thing, "new_price")
    assert price["PrecisionSource"] == 2
    row = thing.create("new_things", {"new_name": "T", "new_price": 1.5})
    assert float(thing.get(f"new_things({row})?$select=new_price")["new_price"]) == 1.5
    picture = base64.b64encode(b"GIF89a").decode()
    assert thing.send("PATCH", f"new_things({row})", {"new_face": picture}).status_code == 204
    paper = thing.send(
        "PATCH",
        f"new_things({row})/new_paper",
        b"text",
        x_ms_file_name="a.txt",
        Content_Type="application/octet-stream",
    )
    assert paper.status_code == 204
    for name in ("new_price_base", "new_paper_name", "new_faceid"):
        reply = thing.send("DELETE", f"{TABLE}/Attributes(LogicalName='{name}')")
        assert error(reply) == (400, "0x8004f032")
    for name in ("new_price", "new_paper", "new_face"):
        assert thing.send("DELETE", f"{TABLE}/Attributes(LogicalName='{name}')").status_code == 204
    left = {one["LogicalName"] for one in thing.get(f"{TABLE}/Attributes")["value"]}
    assert not {"new_price_base", "new_paper_name", "new_face_timestamp", "new_face_url", "new_faceid"} & left


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "0x80044366"),
        (attribute("String", "Plain"), "0x80044366"),
        (attribute("String", "new_Name"), "0x80047013"),
        (attribute("String", "new_A", MaxLength=5000), "0x8004023a"),
        (attribute("String", "new_A", MaxLength="long"), "0x80048d19"),
        (attribute("String", "new_A", FormatName={"Value": "Nope"}), "0x8004023a"),
        (attribute("String", "new_A", RequiredLevel={"Value": "Always"}), "0x8004023a"),
        (attribute("String", "new_A", IsPrimaryName=True), "0x8004701E"),
        (attribute("Integer", "new_A", MinValue=5, MaxValue=1), "0x8004023a"),
        (attribute("Decimal", "new_A", Precision=11), "0x8004023a"),
        (attribute("DateTime", "new_A", DateTimeBehavior={"Value": "Never"}), "0x8004023a"),
        (attribute("File", "new_A", MaxSizeInKB=0), "0x80090009"),
        (attribute("Lookup", "new_A"), "0x8004023a"),
        (attribute("UniqueIdentifier", "new_A"), "0x8004023a"),
        (attribute("Picklist", "new_A"), "0x80048403"),
        (choice("Picklist", "new_A", option(1, "a"), option(1, "b")), "0x80048403"),
        (attribute("Picklist", "new_A", OptionSet={"IsGlobal": True, "Options": []}), "0x80048403"),
        (attribute("Boolean", "new_A", OptionSet={"TrueOption": option(2, "Yes")}), "0x8004431C"),
        (attribute("String", "new_A", DisplayName=label("x", _1="y")), "0x80044195"),
    ],
)
def test_wrong_columns(thing: Client, body: Json, code: str) -> None:
    assert error(thing.send("POST", f"{TABLE}/Attributes", body)) == (400, code)
    assert thing.send("GET", f"{TABLE}/Attributes(LogicalName='new_a')").status_code == 404


def test_changing_a_column_with_its_full_definition(thing: Client) -> None:
    made = add(thing, attribute("String", "new_Title", MaxLength=20, Description=label("Old")))
    body = thing.get(f"{TABLE}/Attributes(LogicalName='new_title')/{CRM}StringAttributeMetadata")
    body |= {"MaxLength": 40, "DisplayName": label("Heading"), "RequiredLevel": {"Value": "ApplicationRequired"}}
    body["@odata.type"] = f"{CRM}StringAttributeMetadata"
    reply = thing.send("PUT", f"{TABLE}/Attributes({made})", body, **{"MSCRM.MergeLabels": "true"})
    assert reply.status_code == 204
    assert reply.headers["OData-EntityId"] == f"{thing.root}{TABLE}/Attributes({made})"
    changed = read(thing, "new_title")
    assert changed["MaxLength"] == 40
    assert changed["DisplayName"]["UserLocalizedLabel"]["Label"] == "Heading"
    assert changed["Description"]["UserLocalizedLabel"]["Label"] == "Old"
    assert changed["RequiredLevel"]["Value"] == "ApplicationRequired"
    thing.create("new_things", {"new_title": "x" * 40})
    other = {"@odata.type": f"{CRM}IntegerAttributeMetadata", "SchemaName": "new_Title"}
    assert error(thing.send("PUT", f"{TABLE}/Attributes({made})", other)) == (400, "0x8004023a")
    assert error(thing.send("PATCH", f"{TABLE}/Attributes({made})", body))[0] == 405


def test_a_date_can_lose_its_time_once(thing: Client) -> None:
    add(thing, attribute("DateTime", "new_When"))
    row = thing.create("new_things", {"new_when": "2024-05-06T07:08:09Z"})
    path = f"{TABLE}/Attributes(LogicalName='new_when')"
    body = read(thing, "new_when") | {"DateTimeBehavior": {"Value": "DateOnly"}}
    assert thing.send("PUT", path, body).status_code == 204
    assert thing.get(f"new_things({row})?$select=new_when")["new_when"] == "2024-05-06"
    body["DateTimeBehavior"] = {"Value": "UserLocal"}
    assert error(thing.send("PUT", path, body)) == (400, "0x8004023a")


def test_columns_that_cannot_be_deleted(thing: Client) -> None:
    path = f"{TABLE}/Attributes(LogicalName='"
    assert error(thing.send("DELETE", f"{path}new_name')")) == (400, "0x80047002")
    for name in ("new_thingid", "createdon", "statecode"):
        assert error(thing.send("DELETE", f"{path}{name}')")) == (400, "0x8004f032")
    add(thing, attribute("String", "new_Code"))
    key = {"SchemaName": "new_CodeKey", "KeyAttributes": ["new_code"]}
    assert thing.send("POST", f"{TABLE}/Keys", key).status_code == 204
    assert error(thing.send("DELETE", f"{path}new_code')")) == (400, "0x8004f01f")
    assert thing.send("DELETE", f"{TABLE}/Keys(LogicalName='new_codekey')").status_code == 204
    assert thing.send("DELETE", f"{path}new_code')").status_code == 204


def test_alternate_keys(thing: Client) -> None:
    add(thing, attribute("String", "new_Code"))
    add(thing, attribute("Integer", "new_Number"))
    body = {"SchemaName": "new_Key", "KeyAttributes": ["new_code", "new_number"], "DisplayName": label("Key")}
    reply = thing.send("POST", f"{TABLE}/Keys", body)
    assert reply.status_code == 204
    made = reply.headers["OData-EntityId"][-37:-1]
    key = thing.get(f"{TABLE}/Keys")["value"][0]
    assert (key["MetadataId"], key["LogicalName"], key["SchemaName"]) == (made, "new_key", "new_Key")
    assert (key["KeyAttributes"], key["EntityKeyIndexStatus"]) == (["new_code", "new_number"], "Active")
    named = "new_things(new_code='A',new_number=1)"
    assert thing.send("PATCH", named, {"new_name": "One"}).status_code == 204
    assert thing.send("PATCH", named, {"new_name": "Uno"}).status_code == 204
    assert [row["new_name"] for row in thing.get("new_things")["value"]] == ["Uno"]
    assert error(thing.send("POST", "new_things", {"new_code": "a", "new_number": 1})) == (412, "0x80060892")
    for wrong, code in (
        ({**body, "SchemaName": "new_KEY"}, "0x80044363"),
        ({**body, "SchemaName": "new_Second"}, "0x8004023a"),
        ({"SchemaName": "new_Second", "KeyAttributes": ["nothing"]}, "0x8004023a"),
        ({"SchemaName": "new_Second", "KeyAttributes": []}, "0x80048d19"),
    ):
        assert error(thing.send("POST", f"{TABLE}/Keys", wrong)) == (400, code)
    assert thing.send("DELETE", f"{TABLE}/Keys({made})").status_code == 204
    assert thing.get(f"{TABLE}/Keys")["value"] == []
    assert error(thing.send("GET", named))[0] == 400


def test_the_index_of_a_key_fails_over_equal_rows(thing: Client) -> None:
    for _ in range(2):
        thing.create("new_things", {"new_name": "Twin"})
    body = {"SchemaName": "new_NameKey", "KeyAttributes": ["new_name"]}
    assert thing.send("POST", f"{TABLE}/Keys", body).status_code == 204
    assert thing.get(f"{TABLE}/Keys")["value"][0]["EntityKeyIndexStatus"] == "Failed"


def test_the_index_of_a_key_takes_its_time(tmp_path: Path) -> None:
    clock = VirtualClock()
    options = EmulatorOptions(environment=str(SHOP), key_delay="5s", clock=clock, store=tmp_path / "rows.db")
    with Emulator(options) as emulator:
        client = Client(emulator.url)
        assert client.send("POST", "EntityDefinitions", table("new_Thing")).status_code == 204
        body = {"SchemaName": "new_NameKey", "KeyAttributes": ["new_name"]}
        assert client.send("POST", f"{TABLE}/Keys", body).status_code == 204
        assert client.get(f"{TABLE}/Keys")["value"][0]["EntityKeyIndexStatus"] == "Pending"
        clock.advance(6)
        assert client.get(f"{TABLE}/Keys")["value"][0]["EntityKeyIndexStatus"] == "Active"
        assert client.send("DELETE", f"{TABLE}/Keys(LogicalName='new_namekey')").status_code == 204
        assert client.send("POST", f"{TABLE}/Keys", body).status_code == 204
        client.close()
    with Emulator(options) as emulator:
        client = Client(emulator.url)
        assert client.get(f"{TABLE}/Keys")["value"][0]["EntityKeyIndexStatus"] == "Pending"
        clock.advance(6)
        assert client.get(f"{TABLE}/Keys")["value"][0]["EntityKeyIndexStatus"] == "Active"
        client.close()


def test_the_options_of_a_choice(thing: Client) -> None:
    add(thing, choice("Picklist", "new_Choice", option(1, "One"), option(2, "Two", _1036="Deux")))
    names = {"EntityLogicalName": "new_thing", "AttributeLogicalName": "new_choice"}
    reply = thing.send("POST", "InsertOptionValue", {**names, "Value": 5, "Label": label("Five")})
    assert reply.json()["NewOptionValue"] == 5
    assert reply.json()["@odata.context"].endswith("$metadata#Microsoft.Dynamics.CRM.InsertOptionValueResponse")
    given = thing.send("POST", "InsertOptionValue", {**names, "Label": label("Next")}).json()["NewOptionValue"]
    assert given == 100_000_000
    thing.create("new_things", {"new_choice": given})
    body = {**names, "Value": 2, "Label": label("Zwei"), "MergeLabels": True}
    assert thing.send("POST", "UpdateOptionValue", body).status_code == 204
    order = {**names, "Values": [given, 5, 2, 1]}
    assert thing.send("POST", "OrderOption", order).status_code == 204
    assert values(thing) == [(given, "Next"), (5, "Five"), (2, "Zwei"), (1, "One")]
    cast = f"{TABLE}/Attributes/{CRM}PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet($select=Options)"
    options = thing.get(cast)["value"][0]["OptionSet"]["Options"]
    assert [one["Label"] for one in options[2]["Label"]["LocalizedLabels"]] == ["Zwei", "Deux"]
    assert thing.send("POST", "DeleteOptionValue", {**names, "Value": 5}).status_code == 204
    assert error(thing.send("POST", "DeleteOptionValue", {**names, "Value": 5})) == (400, "0x80048403")
    assert error(thing.send("POST", "OrderOption", {**names, "Values": [1]})) == (400, "0x80048403")
    assert error(thing.send("POST", "new_things", {"new_choice": 5})) == (400, "0x8004431A")
    assert error(thing.send("POST", "InsertOptionValue", {"Value": 1}))[0] == 400
    unknown = {"EntityLogicalName": "new_thing", "AttributeLogicalName": "nothing", "Value": 1}
    assert error(thing.send("POST", "InsertOptionValue", unknown))[0] == 404


def test_the_labels_of_a_boolean_and_the_reasons_of_a_state(thing: Client) -> None:
    add(thing, attribute("Boolean", "new_Flag"))
    names = {"EntityLogicalName": "new_thing", "AttributeLogicalName": "new_flag"}
    assert thing.send("POST", "UpdateOptionValue", {**names, "Value": 1, "Label": label("Up")}).status_code == 204
    flag = thing.get(f"{TABLE}/Attributes(LogicalName='new_flag')/{CRM}BooleanAttributeMetadata?$expand=OptionSet")
    assert flag["OptionSet"]["TrueOption"]["Label"]["UserLocalizedLabel"]["Label"] == "Up"
    names["AttributeLogicalName"] = "statuscode"
    body = {**names, "Value": 7, "Label": label("Parked"), "StateCode": 1}
    assert thing.send("POST", "InsertStatusValue", body).json()["NewOptionValue"] == 7
    row = thing.create("new_things", {"statecode": 1, "statuscode": 7})
    assert thing.get(f"new_things({row})")["statuscode"] == 7
    assert error(thing.send("POST", "InsertStatusValue", {**body, "Value": 8, "StateCode": 5})) == (400, "0x80048403")
    names["AttributeLogicalName"] = "statecode"
    body = {**names, "Value": 1, "Label": label("Asleep"), "DefaultStatusCode": 2}
    assert thing.send("POST", "UpdateStateValue", body).status_code == 204
    state = thing.get(f"{TABLE}/Attributes(LogicalName='statecode')/{CRM}StateAttributeMetadata?$expand=OptionSet")
    texts = [one["Label"]["UserLocalizedLabel"]["Label"] for one in state["OptionSet"]["Options"]]
    assert texts == ["Active", "Asleep"]


def test_global_choices(thing: Client) -> None:
    body = {
        "@odata.type": f"{CRM}OptionSetMetadata",
        "Name": "new_Colors",
        "DisplayName": label("Colors"),
        "OptionSetType": "Picklist",
        "Options": [option(1, "Red"), option(None, "Green")],
    }
    reply = thing.send("POST", "GlobalOptionSetDefinitions", body)
    assert reply.status_code == 204
    made = reply.headers["OData-EntityId"].removeprefix(f"{thing.root}GlobalOptionSetDefinitions(").rstrip(")")
    one = thing.get("GlobalOptionSetDefinitions(Name='new_colors')")
    assert (one["MetadataId"], one["IsGlobal"], len(one["Options"])) == (made, True, 2)
    assert one["Options"][1]["Value"] == 100_000_000
    assert thing.get(f"GlobalOptionSetDefinitions({made})/{CRM}OptionSetMetadata")["Name"] == "new_colors"
    assert [row["Name"] for row in thing.get("GlobalOptionSetDefinitions?$select=Name")["value"]] == ["new_colors"]
    assert error(thing.send("POST", "GlobalOptionSetDefinitions", body)) == (400, "0x80044363")
    for number, bound in enumerate((f"({made})", "(Name='new_colors')")):
        bind = {"GlobalOptionSet@odata.bind": f"/GlobalOptionSetDefinitions{bound}"}
        add(thing, attribute("Picklist", f"new_Color{number}", **bind))
    thing.create("new_things", {"new_color0": 1, "new_color1": 100_000_000})
    insert = {"OptionSetName": "new_colors", "Value": 3, "Label": label("Blue")}
    assert thing.send("POST", "InsertOptionValue", insert).json()["NewOptionValue"] == 3
    thing.create("new_things", {"new_color1": 3})
    column = thing.get(
        f"{TABLE}/Attributes(LogicalName='new_color0')/{CRM}PicklistAttributeMetadata?$expand=OptionSet,GlobalOptionSet"
    )
    assert column["GlobalOptionSet"]["Name"] == "new_colors"
    assert len(column["OptionSet"]["Options"]) == 3
    changed = {**one, "DisplayName": label("Colours")}
    assert thing.send("PUT", f"GlobalOptionSetDefinitions({made})", changed).status_code == 204
    shown = thing.get("GlobalOptionSetDefinitions(Name='new_colors')")["DisplayName"]
    assert shown["UserLocalizedLabel"]["Label"] == "Colours"
    assert error(thing.send("DELETE", "GlobalOptionSetDefinitions(Name='new_colors')")) == (400, "0x80048417")
    for number in (0, 1):
        path = f"{TABLE}/Attributes(LogicalName='new_color{number}')"
        assert thing.send("DELETE", path).status_code == 204
    assert thing.send("DELETE", f"GlobalOptionSetDefinitions({made})").status_code == 204
    assert error(thing.send("GET", "GlobalOptionSetDefinitions(Name='new_colors')"))[0] == 404
    bind = {"GlobalOptionSet@odata.bind": "/GlobalOptionSetDefinitions(Name='new_colors')"}
    assert error(thing.send("POST", f"{TABLE}/Attributes", attribute("Picklist", "new_C", **bind)))[0] == 404


def test_what_new_rows_get_by_themselves(thing: Client) -> None:
    add(thing, attribute("Boolean", "new_No"))
    add(thing, attribute("Boolean", "new_Yes", DefaultValue=True))
    add(thing, choice("Picklist", "new_Choice", option(1, "One"), option(2, "Two"), DefaultFormValue=2))
    add(thing, attribute("String", "new_Number", AutoNumberFormat="T-{SEQNUM:4}"))
    row = thing.get(f"new_things({thing.create('new_things', {'new_name': 'x'})})")
    assert (row["new_no"], row["new_yes"], row["new_choice"]) == (False, True, 2)
    assert row["new_number"] == "T-1000"


def test_publishing(thing: Client) -> None:
    xml = "<importexportxml><entities><entity>new_thing</entity></entities></importexportxml>"
    assert thing.send("POST", "PublishXml", {"ParameterXml": xml}).status_code == 204
    assert thing.send("POST", "PublishAllXml").status_code == 204
    assert error(thing.send("POST", "PublishXml", {}))[0] == 400
