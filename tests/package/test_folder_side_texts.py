"""Which texts stand in files of their own, and that their bytes are those of the text."""

import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confmig.model.records import Record
from confmig.model.schema import Column, Table
from confmig.model.values import ColumnType
from confmig.package.folder.jsontext import flatten_json, indent_json, is_json
from confmig.package.folder.rowtext import render_row
from confmig.package.folder.sidetexts import suffix_of

from .helpers import ID1

_PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.mark.parametrize(
    ("column", "text", "suffix"),
    [
        ("x", '{"a": 1,\n"b": 2}', ".json"),
        ("x", "[1,\n2]", ".json"),
        ("x", "[not json\n]", None),
        ("x", '"a string\\n"\n', None),
        ("x", '{"html": "<p>{% x %}</p>"}\n', ".json"),
        ("x", "<p>Hello</p>\n<p>there</p>", ".html"),
        ("x", "<!DOCTYPE html>\n<html></html>", ".html"),
        ("x", "Dear {{contact.name}},\n<br/>bye", ".html"),
        ("x", "<html>\n</html>", ".html"),
        ("x", '<fetch>\n<entity name="a"/></fetch>', ".xml"),
        ("x", '<?xml version="1.0"?>\n<form><tabs><tab><label x="1"/></tab></tabs></form>', ".xml"),
        ("x", "<fetch>\n<entity></fetch>", None),
        ("x", '<!DOCTYPE x [<!ENTITY a "b">]>\n<x>&a;</x>', None),
        ("x", "{% include 'a' %}\n<p>x</p>", ".liquid"),
        ("x", "Dear {{ contact.name }},\nbye", ".liquid"),
        ("x", "{ curly } and 100 % {{}}\nplain", None),
        ("x", "a < b and\nc > d", None),
        ("x", "Hello,\nthis is text.", None),
        ("x", "body { color: red; }\n.x > a:hover { margin: 0 }", ".css"),
        ("x", "@media print {\n a { color: red } }", ".css"),
        ("x", "function go() {\n return 1;\n}", ".js"),
        ("x", "(function () {\n})();", ".js"),
        ("x", "const a = 1;\nlet b = 2;", ".js"),
        ("x", "let us go\nthere (now)", None),
        ("adx_customcss", "/* nothing\n yet", ".css"),
        ("customjavascript", "// nothing\n", ".js"),
        ("description", "// nothing\n", None),
        ("x", "<p>short</p>", None),
        ("x", "<p>" + "long " * 30 + "</p>", ".html"),
        ("x", "<p>\x00</p>\n", None),
        ("x", "<p>\n<<<<<<< HEAD\n</p>", None),
        ("x", "<p>\n>>>>>>> is no mark within a line\n <<<<<<< x</p>", None),
        ("x", "<p>\n <<<<<<< x</p>", ".html"),
        ("x", "<p>\u202e</p>\n", None),
        ("x", "\n\n", None),
    ],
)
def test_a_text_stands_in_a_file_when_it_is_surely_of_that_kind(column: str, text: str, suffix: str | None) -> None:
    assert suffix_of(column, text) == suffix


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(
    st.lists(_VALUES, max_size=3) | st.dictionaries(st.text(), _VALUES, max_size=3),
    st.booleans(),
    st.sampled_from([(",", ":"), (", ", ": ")]),
)
def test_json_is_indented_and_put_back_just_as_it_was(
    value: object, ascii_only: bool, separators: tuple[str, str]
) -> None:
    text = json.dumps(value, separators=separators, ensure_ascii=ascii_only)
    shown = indent_json(text)
    if shown is not None:
        assert flatten_json(*shown) == text
        assert json.loads(shown[1]) == value
        assert not is_json(text) or shown[1].endswith("\n")
    assert shown is not None or not text.isascii()


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ('{"a":1.50,"a":1e5,"b":"\\u00e9\\/ : , { ["}', "!json"),
        ('{"a":[],"b":{},"c":[[{}]]}', "!json"),
        ("[-0.0,true,null]", "!json"),
        ('{"":""}', "!json"),
        ("[]", "!json"),
        ('{"a": 1.50, "a": 1e5, "b": "\\u00e9\\/:,{["}', "!json-spaced"),
        ('[{}, [], {"a": []}]', "!json-spaced"),
    ],
)
def test_json_keeps_numbers_escapes_and_duplicate_keys(text: str, tag: str) -> None:
    shown = indent_json(text)
    assert shown is not None
    assert shown[0] == tag
    assert flatten_json(*shown) == text


@pytest.mark.parametrize(
    "text", ['{"a": 1,"b":2}', '{ "a":1 }', '{"a":1}\n', "[1,\r\n2]", " []", "[" * 300 + "]" * 300]
)
def test_json_that_has_blanks_of_its_own_is_left_as_it_is(text: str) -> None:
    assert indent_json(text) is None


def _render(
    text: str, kind: ColumnType = ColumnType.STRING, column: str = "body", **more: str
) -> tuple[str, dict[str, bytes]]:
    table = Table("item", "itemid", (Column(column, kind),))
    row = render_row(Record("item", ID1, {column: text, **more}), table, "x", lambda _: False)
    return row.text.splitlines()[1], row.sides


def test_json_is_shown_indented_where_that_loses_nothing() -> None:
    text = json.dumps({"a": ["x" * 120], "b": {}}, separators=(",", ":"))
    line, sides = _render(text)
    assert line == "body: !json body.json"
    assert sides["x.body.json"].decode() == json.dumps({"a": ["x" * 120], "b": {}}, indent=2) + "\n"
    line, sides = _render(text + " ")
    assert line == "body: !file body.json"
    assert sides["x.body.json"].decode() == text + " "


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\r", " \t\n "])
def test_a_file_has_the_bytes_of_the_text(ending: str) -> None:
    text = f"<p>é😀</p>{ending}<p>\ufffd\t</p>\n{ending}"
    line, sides = _render(text)
    assert line == "body: !file body.html"
    assert sides == {"x.body.html": text.encode()}


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (_PNG, "png"),
        (b"\xff\xd8\xff" + bytes(100), "jpg"),
        (b"GIF89a" + bytes(100), "gif"),
        (b"RIFF\0\0\0\0WEBP" + bytes(100), "webp"),
        (b"BM" + bytes(100), "bmp"),
        (b'<svg xmlns="http://www.w3.org/2000/svg">' + bytes(100), "svg"),
        (b'<?xml version="1.0"?>\n<svg/>', "svg"),
        (bytes(100), "bin"),
    ],
)
def test_an_image_is_a_file_with_the_suffix_of_its_bytes(content: bytes, suffix: str) -> None:
    line, sides = _render(b64encode(content).decode(), ColumnType.IMAGE)
    assert line == f"body: !base64 body.{suffix}"
    assert sides == {f"x.body.{suffix}": content}


@pytest.mark.parametrize("text", ["", "AA", "QQ==\n", "QR==", "not base64!"])
def test_an_image_that_base64_would_not_give_back_stays_a_text(text: str) -> None:
    line, sides = _render(text, ColumnType.IMAGE)
    assert "!base64" not in line
    assert not sides


def test_the_body_of_a_note_is_a_file_with_the_suffix_of_its_name() -> None:
    content = b"/* styles */ a { color: red }" * 5
    line, sides = _render(b64encode(content).decode(), column="documentbody", filename="Main.CSS")
    assert line == "documentbody: !base64 documentbody.css"
    assert sides == {"x.documentbody.css": content}
    assert _render(b64encode(content).decode(), column="other")[1] == {}  # it may be any text
    assert _render(b64encode(_PNG).decode(), column="other")[0] == "other: !base64 other.png"
