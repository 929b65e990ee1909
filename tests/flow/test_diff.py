"""``confmig diff`` as a user runs it: packages in any form, schema files, every kind of report."""

import json
import re
import zipfile
from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path

import pytest

from . import packages
from .conftest import Confmig

_PAGE = "<html><body>" + "".join(f"<p>Paragraph number {n} of the page</p>" for n in range(40)) + "</body></html>"
_SCHEMA = packages.SCHEMA.replace(
    '<field displayname="Price"',
    '<field displayname="Note" name="shop_note" type="string" /><field displayname="Price"',
)


def _package(path: Path, note: str, name: str = "Apple", *more: str, schema: str = _SCHEMA) -> Path:
    """A package of one item; strings stand in it encoded as HTML and then escaped as XML."""
    html = "".join(c if c.isprintable() else f"&#{ord(c)};" for c in escape(note, quote=False))
    note_field = packages.field("shop_note", escape(html))
    return packages.write(path, packages.data("", packages.item(packages.APPLE, name, note_field, *more)), schema)


def _unpacked(path: Path) -> Path:
    folder = path.with_suffix("")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def pages(confmig: Confmig) -> tuple[Path, Path]:
    """Two packages that differ in one paragraph of a long text."""
    del confmig  # it has changed to an empty folder
    return _package(Path("one.zip"), _PAGE), _package(Path("two.zip"), _PAGE.replace("number 20", "number <i>20</i>"))


def test_equal_packages_end_with_zero_whatever_their_forms(confmig: Confmig) -> None:
    path = _package(Path("one.zip"), _PAGE)
    for first, second in ((path, path), (path, _unpacked(path)), (_unpacked(path), path)):
        result = confmig("diff", first, second, "--exact")
        assert (result.code, result.out.splitlines()[0]) == (0, "The two packages hold the same, to the digit.")
    assert confmig("diff", path, path).out.startswith("The two packages hold the same.\n")


def test_a_long_text_is_a_unified_diff_in_every_form(confmig: Confmig, pages: tuple[Path, Path]) -> None:
    reports = [part for suffix in ("html", "md", "json", "txt") for part in ("--report", f"out.{suffix}")]
    result = confmig("diff", *pages, *reports)
    assert result.code == 4
    removed, added = "-<p>Paragraph number 20 of the page</p>", "+<p>Paragraph number "
    for text in (result.out, Path("out.txt").read_text(), Path("out.md").read_text()):
        assert removed in text
        assert added in text
        assert "@@ -" in text
        assert "shop_item · Apple · " in text.replace("\\", "")
        assert "shop_note" in text.replace("\\", "")
    page = Path("out.html").read_text()
    assert '<span class="removed">-&lt;p&gt;Paragraph number 20 of the page&lt;/p&gt;</span>' in page
    assert "<i>" not in page
    section = json.loads(Path("out.json").read_text())["sections"][2]
    (block,) = section["blocks"]
    assert block["about"] == ["shop_item", "Apple", packages.APPLE, "shop_note"]
    assert removed in block["diff"].split("\n")


def test_json_tells_every_difference_by_table_row_and_column(confmig: Confmig) -> None:
    first = _package(Path("one.zip"), "a", "Apple", packages.field("shop_pieces", 3))
    second = _package(Path("two.zip"), "b", "Pear", packages.field("shop_pieces", 4))
    result = confmig("diff", first, second, "--format", "json")
    tables, listed, _ = result.report["sections"]
    assert (tables["columns"], tables["rows"]) == (["table", "name", "changed"], [["shop_item", "Item", 1]])
    assert listed["columns"] == ["kind", "table", "row", "id", "column", "before", "after"]
    assert listed["rows"] == [
        ["changed", "shop_item", "Pear", packages.APPLE, "shop_name", "Apple", "Pear"],
        ["changed", "shop_item", "Pear", packages.APPLE, "shop_note", "a", "b"],
        ["changed", "shop_item", "Pear", packages.APPLE, "shop_pieces", "3", "4"],
    ]
    assert (result.facts["differences"], result.facts["changed"], result.facts["added"]) == (3, 1, 0)


def test_all_are_counted_and_as_many_listed_as_are_asked_for(confmig: Confmig, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(packages.item(f"22222222-bbbb-4bbb-8bbb-{n:012}", f"Item {n}") for n in range(300))
    first = packages.write(Path("one.zip"), packages.data("", ""))
    second = packages.write(Path("two.zip"), packages.data("", rows))
    for asked, shown in (((), 200), (("--max-listed", "1000"), 300), (("--max-listed", "0"), 0)):
        result = confmig("diff", first, second, "--format", "json", *asked)
        listed = result.report["sections"][1]
        assert (len(listed["rows"]), listed["more"]) == (shown, 300 - shown)
        assert (result.facts["differences"], result.facts["added"]) == (300, 300)
    monkeypatch.setenv("CONFMIG_MAX_LISTED", "7")
    assert len(confmig("diff", first, second, "--format", "json").report["sections"][1]["rows"]) == 7


def test_what_differs_in_form_ends_with_four_only_when_it_is_asked_for(confmig: Confmig) -> None:
    first = _package(Path("one.zip"), "a", "Apple", packages.field("shop_price", "1.5"))
    second = _package(Path("two.zip"), "a", "Apple", packages.field("shop_price", "1.50"))
    assert confmig("diff", first, second).code == 0
    result = confmig("diff", first, second, "--exact")
    assert result.code == 4
    assert "1.50" in result.out


def test_two_schema_files_are_compared_alone(confmig: Confmig) -> None:
    Path("one.xml").write_text(_SCHEMA)
    Path("two.xml").write_text(_SCHEMA.replace('name="shop_note" type="string"', 'name="shop_note" type="number"'))
    assert confmig("diff", "one.xml", "one.xml").out.startswith("The two schemas say the same.\n")
    result = confmig("diff", "one.xml", "two.xml", "--format", "json")
    assert result.code == 4
    assert result.report["sections"][1]["rows"] == [
        ["schema", "shop_item", "", "", "shop_note: type", "string", "number"]
    ]
    path = _package(Path("data.zip"), "a")
    assert confmig("diff", "one.xml", path).code == 0
    assert confmig("diff", path, "two.xml").code == 4


@pytest.mark.parametrize("content", [None, b"", b"no zip", b"PK\x03\x04"])
def test_what_cannot_be_read_ends_with_six_on_either_side(confmig: Confmig, content: bytes | None) -> None:
    good, bad = _package(Path("good.zip"), "a"), Path("bad.zip")
    if content is not None:
        bad.write_bytes(content)
    for arguments in ((good, bad), (bad, good), (good, Path("no.xml"))):
        result = confmig("diff", *arguments)
        assert result.code == 6
        assert "bad.zip" in result.err or "no.xml" in result.err


def test_the_rows_of_a_package_are_no_schema(confmig: Confmig) -> None:
    folder = _unpacked(_package(Path("one.zip"), "a"))
    result = confmig("diff", folder / "data.xml", folder / "data.xml")
    assert result.code == 6
    assert "rows of a package, not a schema" in result.err


def test_a_package_that_is_broken_in_the_middle_gives_no_result(confmig: Confmig) -> None:
    good, bad = _package(Path("good.zip"), "a"), _unpacked(_package(Path("bad.zip"), "a"))
    data = bad / "data.xml"
    data.write_text(data.read_text()[:-30])
    result = confmig("diff", good, bad, "--report", "out.html")
    assert (result.code, result.out) == (6, "")
    assert not Path("out.html").exists()


def test_arguments_that_are_wrong_end_with_two(confmig: Confmig) -> None:
    path = _package(Path("one.zip"), "a")
    assert confmig("diff", path).code == 2
    assert confmig("diff", path, path, "--max-listed", "-1").code == 2
    assert confmig("diff", path, path, "--report", "out.pdf").code == 2


_HOSTILE = (
    "<script>alert(1)</script>\n ```` \n```\n<img src=x onerror=alert(1)>\n~~~\n# head\n::set-output::\n\x1b[31m\u202e"
)


def test_row_text_leaves_no_fence_and_steers_nothing(confmig: Confmig) -> None:
    schema = _SCHEMA.replace('primarynamefield="shop_name"', 'primarynamefield="shop_note"')
    first = _package(Path("one.zip"), "same\n" + _HOSTILE, schema=schema)
    second = _package(Path("two.zip"), "other\n" + _HOSTILE, schema=schema)
    result = confmig("diff", first, second, "--report", "out.md", "--report", "out.html")
    assert result.code == 4
    assert not re.search("[\x1b\u202e]", result.out + Path("out.md").read_text() + Path("out.html").read_text())
    assert "<script" not in Path("out.html").read_text()
    lines = Path("out.md").read_text().split("\n")
    (begin,) = (number for number, line in enumerate(lines) if line == "`````diff")
    end = lines.index("`````", begin)
    assert all(line[:1] in "+-@\\ " for line in lines[begin + 1 : end])
    assert not any("<script" in line.replace("\\<", "") for line in lines[:begin] + lines[end:])


def test_private_columns_are_hashes_and_have_no_diff(confmig: Confmig) -> None:
    schema = _SCHEMA.replace('name="shop_note"', 'name="shop_apikey"')
    paths = []
    for name, key in (("one.zip", "k" * 100 + "\n1"), ("two.zip", "k" * 100 + "\n2")):
        field = packages.field("shop_apikey", key)
        paths.append(
            packages.write(Path(name), packages.data("", packages.item(packages.APPLE, "Apple", field)), schema)
        )
    result = confmig("diff", *paths, "--report", "out.json", "--exact")
    assert result.code == 4
    assert "kkkk" not in result.out + Path("out.json").read_text()
    assert "hash " in result.out


def test_images_are_told_by_size_and_digest(confmig: Confmig) -> None:
    schema = _SCHEMA.replace('name="shop_note" type="string"', 'name="shop_note" type="imagedata"')
    first, second = (_package(Path(f"{letter}.zip"), letter * 400, schema=schema) for letter in ("A", "B"))
    result = confmig("diff", first, second, "--format", "json")
    _, listed, texts = result.report["sections"]
    assert listed["rows"][0][5].startswith("300 bytes, SHA-256 ")
    assert listed["rows"][0][5] != listed["rows"][0][6]
    assert texts["blocks"] == []


def test_a_text_in_base64_is_compared_by_its_lines(confmig: Confmig) -> None:
    css = "".join(f".c{number} {{ color: red }}\n" for number in range(40))
    texts = [b64encode(text.encode()).decode() for text in (css, css.replace(".c7 { color: red", ".c7 { color: blue"))]
    result = confmig("diff", *(_package(Path(f"{number}.zip"), text) for number, text in enumerate(texts)))
    assert result.code == 4
    assert f"before: {len(css)} bytes, SHA-256 {sha256(css.encode()).hexdigest()[:16]}…" in result.out
    assert [line for line in result.out.splitlines() if line.startswith(("  -", "  +"))] == [
        "  -.c7 { color: red }",
        "  +.c7 { color: blue }",
    ]


def test_parties_are_compared_one_a_line(confmig: Confmig) -> None:
    schema = _SCHEMA.replace('name="shop_note" type="string"', 'name="to" type="partylist" lookupType="contact"')

    def party(row: str, name: str) -> str:
        return (
            f'<activitypointerrecords id="{packages.STONE}"><field name="partyid" value="{row}" lookupentity="contact"'
            f' lookupentityname="{name}" /><field name="participationtypemask" value="2" /></activitypointerrecords>'
        )

    ann, bob = party(packages.FRUIT, "Ann"), party(packages.PLUM, "Bob")
    paths = [
        packages.write(
            Path(f"{number}.zip"),
            packages.data("", packages.item(packages.APPLE, "Apple", f'<field name="to" value="">{who}</field>')),
            schema,
        )
        for number, who in enumerate((ann, ann + bob))
    ]
    result = confmig("diff", *paths)
    assert f"+Bob ({packages.PLUM}), as 2" in result.out
    assert f" Ann ({packages.FRUIT}), as 2" in result.out
