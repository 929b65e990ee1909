"""On which line of a schema file a thing stands."""

import pytest

from confmig.package.schemafile import parse_schema
from confmig.package.schemalines import schema_lines

SCHEMA = """
<entities>
  <entity name="a"
          displayname="A">
    <fields>
      <!-- a remark
           of two lines -->
      <field type="string"
             name="a_text" />
      <field name="a_text" type="string" />
    </fields>
    <relationships>
      <relationship name="x" relatedEntityName="a_b" manyToMany="true" />
    </relationships>
    <filter>&lt;fetch&gt;</filter>
  </entity>
  <other><entity name="hidden" /></other>
  <entity name="b"><fields><field name="b_text" type="string" /></fields></entity>
</entities>
"""
LINES = {("a", ""): 3, ("a", "a_text"): 8, ("a", "a_b"): 13, ("b", ""): 18, ("b", "b_text"): 18}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_tag_stands_where_it_begins(encoding: str) -> None:
    text = SCHEMA.lstrip("\n") if encoding == "utf-16" else SCHEMA
    data = text.encode(encoding)
    assert {table.name for table in parse_schema(data, "s").tables} == {"a", "b"}
    shift = 1 if encoding == "utf-16" else 0
    assert schema_lines(data) == {place: line - shift for place, line in LINES.items()}


def test_a_long_file_has_all_its_lines() -> None:
    fields = "\n".join(f'<field name="a_{number}" type="string" />' for number in range(70_000))
    data = f'<entities>\n<entity name="a">\n<fields>\n{fields}\n</fields></entity></entities>'.encode()
    assert schema_lines(data)["a", "a_69999"] == 70_003


def test_an_encoding_that_is_not_known_gives_no_lines() -> None:
    assert schema_lines(b"<entities") == {}
