"""Each column type at the edges of what a column can hold: from a source through a package into a target, and back."""

import json
from pathlib import Path

import pytest
import requests

from tests.flow.conftest import Confmig, Serve

ENVIRONMENT = """
name: edges
tables:
  edge_thing:
    display_name: Thing
    primary_name: edge_name
    columns:
      edge_thingid: {type: Uniqueidentifier}
      edge_name: {type: String, max_length: 200}
      edge_memo: {type: Memo, max_length: 10000}
      edge_money: {type: Money, precision: 4}
      edge_decimal: {type: Decimal, precision: 10}
      edge_float: {type: Double, precision: 5}
      edge_number: {type: Integer}
      edge_big: {type: BigInt, creatable: true, updatable: true}
      edge_local: {type: DateTime, behavior: UserLocal, format: DateAndTime}
      edge_day: {type: DateTime, behavior: DateOnly, format: DateOnly}
      edge_anywhere: {type: DateTime, behavior: TimeZoneIndependent, format: DateAndTime}
      edge_choices: {type: MultiSelectPicklist, options: {1: A, 2: B, 3: C}}
"""

MEMO = '  \r\n<b>x &amp; é \u00a0</b>\n\ttab\r 😀\U0010fffd \u2028 \'q\' "d" &#65; &lt; {"a":1}  \n'

JSON = {"Content-Type": "application/json"}

# As JSON texts: a float would lose what is to be kept.
ROWS = {
    1: {
        "edge_money": "922337203685477.1234",
        "edge_decimal": "12345678901.0123456789",
        "edge_float": "0.1",
        "edge_number": "2147483647",
        "edge_big": "9223372036854775807",
        "edge_local": '"1753-01-01T00:00:00Z"',
        "edge_day": '"1753-01-01"',
        "edge_anywhere": '"1753-01-01T00:00:00Z"',
        "edge_choices": '"1,3"',
    },
    2: {
        "edge_money": "-922337203685477.1234",
        "edge_decimal": "-99999999999.0123456789",
        "edge_float": "-1234567.89012",
        "edge_number": "-2147483648",
        "edge_big": "-9223372036854775808",
        "edge_local": '"9999-12-30T23:59:59Z"',
        "edge_day": '"9999-12-30"',
        "edge_anywhere": '"9999-12-30T23:59:59Z"',
    },
}


def _row_id(number: int) -> str:
    return f"33333333-cccc-4ccc-8ccc-{number:012}"


def _stored(url: str, number: int) -> str:
    """A row as the service sends it, without what it keeps for itself."""
    names = ",".join(["edge_memo", *ROWS[1]])
    reply = requests.get(f"{url}/api/data/v9.2/edge_things({_row_id(number)})?$select={names}", timeout=10)
    assert reply.status_code == 200
    return reply.text[reply.text.index('"edge_memo"') :]


@pytest.fixture
def source(serve: Serve, tmp_path: Path) -> str:
    definition = tmp_path / "edges.yml"
    definition.write_text(ENVIRONMENT, encoding="utf-8")
    url = serve(environment=str(definition)).url
    for number, values in ROWS.items():
        known = {"edge_thingid": f'"{_row_id(number)}"', "edge_memo": json.dumps(MEMO), **values}
        body = "{" + ",".join(f'"{name}":{text}' for name, text in known.items()) + "}"
        reply = requests.post(f"{url}/api/data/v9.2/edge_things", body, headers=JSON, timeout=10)
        assert reply.status_code == 204, reply.text
    return url


@pytest.mark.parametrize("form", ["data.zip", "data"])
def test_no_value_is_lost_or_changed_on_its_way(
    confmig: Confmig, serve: Serve, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")
    generated = confmig("schema", "generate", "--source", source, "--table", "edge_thing", "--output", "schema.xml")
    assert generated.code == 0
    assert "drops big integers" in generated.out
    schema = tmp_path / "schema.xml"
    declared = schema.read_text(encoding="utf-8").replace(
        "    </fields>", '      <field displayname="Big" name="edge_big" type="bigint" />\n    </fields>'
    )
    schema.write_text(declared, encoding="utf-8")
    target = serve(environment=str(tmp_path / "edges.yml")).url

    assert confmig("export", "--source", source, "--schema", "schema.xml", "--data", form).code == 0
    assert confmig("plan", "--target", target, "--data", form, "--plan", "a.plan").code == 0
    assert confmig("import", "--target", target, "--data", form, "--plan", "a.plan").code == 0

    assert [_stored(target, number) for number in ROWS] == [_stored(source, number) for number in ROWS]
    assert confmig("verify", "--target", target, "--data", form).code == 0
    assert confmig("export", "--source", target, "--schema", "schema.xml", "--data", "back.zip").code == 0
    told = confmig("diff", form, "back.zip", "--exact", "--format", "json")
    assert told.code == 0, told.out


def test_big_integers_that_the_service_counts_stay_out_and_those_of_a_package_go_along(
    confmig: Confmig, serve: Serve, tmp_path: Path
) -> None:
    row = f'<record id="{_row_id(1)}"><field name="edge_big" value="9223372036854775807" /></record>'
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "data_schema.xml").write_text(
        '<entities><entity name="edge_thing" displayname="Thing" etc="10001" primaryidfield="edge_thingid"><fields>'
        '<field displayname="Big" name="edge_big" type="bigint" />'
        '<field displayname="Version" name="versionnumber" type="bigint" /></fields></entity></entities>'
    )
    (tmp_path / "old" / "data.xml").write_text(
        f'<entities><entity name="edge_thing" displayname="Thing"><records>{row}</records></entity></entities>'
    )
    source = serve(package=tmp_path / "old").url
    assert confmig("export", "--source", source, "--schema", "old", "--data", "data.zip").code == 0
    assert confmig("diff", "old", "data.zip").code == 0
