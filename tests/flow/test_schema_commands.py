"""``confmig schema generate`` and ``confmig schema validate``: from an environment to a schema that works."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from confmig.checking.findings import errors_of
from confmig.checking.schemas import completeness_findings
from confmig.package.package import read_schema
from confmig.package.schemafile import parse_schema, write_schema
from confmig.profiles.profile import load_profiles
from tests.conftest import PRINTED
from tests.flow import packages
from tests.flow.conftest import Confmig, Result, Serve

BUILT_IN = (
    "msdynmkt_brandprofile",
    "msdynmkt_brandsender",
    "msdynmkt_compliancesettings4",
    "msdynmkt_email",
    "msdynmkt_emailtemplate",
    "msdynmkt_fragment",
    "msdynmkt_journey",
    "msdynmkt_journeytemplate",
    "msdynmkt_purpose",
    "msdynmkt_quiettimesetting",
    "msdynmkt_segment",
    "msdynmkt_segmentdefinition",
    "msdynmkt_topic",
)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return packages.write(tmp_path / "shop.zip", packages.full_data())


def section(result: Result, title: str) -> list[list[Any]]:
    found: list[list[Any]] = next(item["rows"] for item in result.report["sections"] if item["title"] == title)
    return found


def options(name: str, values: list[str] | tuple[str, ...]) -> list[str]:
    return [word for value in values for word in (name, value)]


def moves(confmig: Confmig, schema: Path, source: str, target: str) -> dict[str, Any]:
    """Export, import and verify with a schema; the facts of the import."""
    exported = confmig(
        "export", "--source", source, "--schema", schema, "--data", "moved.zip", "--live", "exclude-status"
    )
    assert exported.code == 0, exported
    imported = confmig("import", "--target", target, "--data", "moved.zip", "--run", "moved.run", "--format", "json")
    assert imported.code == 0, imported.out[:3000]
    verified = confmig("verify", "--target", target, "--data", "moved.zip")
    assert verified.code == 0, verified.out[:3000]
    Path("moved.run").unlink()
    return imported.facts


@pytest.mark.parametrize(
    "wanted",
    [("--preset", "journeys-content"), ("--solution", "ContosoMarketingConfig"), options("--table", BUILT_IN)],
    ids=["preset", "solution", "tables"],
)
def test_a_generated_schema_is_complete_and_moves_the_rows(
    wanted: tuple[str, ...], confmig: Confmig, serve: Serve
) -> None:
    source, target = serve(environment="journeys-sandbox"), serve(environment="journeys-production")
    schema = Path("data_schema.xml")
    made = confmig("schema", "generate", "--source", source.url, *wanted, "--format", "json")
    assert (made.code, made.facts["changed"]) == (0, True), made
    first = schema.read_bytes()
    assert write_schema(parse_schema(first, "schema")) == first
    again = confmig("schema", "generate", "--source", source.url, *wanted, "--format", "json")
    assert (again.code, again.facts["changed"], schema.read_bytes()) == (0, False, first)
    valid = confmig(
        "schema", "validate", "--schema", schema, "--source", source.url, "--target", target.url, "--format", "json"
    )
    assert (valid.code, valid.facts["findings"]) == (0, 0), valid
    assert valid.facts["compared_with"] == [source.url, target.url]
    assert moves(confmig, schema, source.url, target.url)["created"] > 50


def test_the_order_of_the_options_changes_no_byte(confmig: Confmig, serve: Serve) -> None:
    source = serve(environment="journeys-sandbox")
    written = set()
    for names in (BUILT_IN, BUILT_IN[::-1], (*BUILT_IN[7:], *BUILT_IN[:7])):
        made = confmig("schema", "generate", "--source", source.url, *options("--table", [*names, names[0]]))
        assert made.code == 0
        written.add(Path("data_schema.xml").read_bytes())
    assert len(written) == 1
    preset = ("--preset", "journeys-content", "--solution", "ContosoMarketingConfig", "--table", "msdynmkt_topic")
    for order in (preset, (*preset[4:], *preset[2:4], *preset[:2])):
        assert confmig("schema", "generate", "--source", source.url, *order, "--output", "two.xml").code == 0
        written.add(Path("two.xml").read_bytes())
    assert len(written) == 2


def test_both_built_in_environments_give_the_same_schema_of_each_table_alone(confmig: Confmig, serve: Serve) -> None:
    sides = [serve(environment=f"journeys-{name}") for name in ("sandbox", "production")]
    for table in BUILT_IN:
        written = set()
        for side in sides:
            made = confmig("schema", "generate", "--source", side.url, "--table", table)
            assert made.code == 0
            valid = confmig(
                "schema", "validate", "--schema", "data_schema.xml", "--source", side.url, "--format", "json"
            )
            assert (valid.code, valid.facts["findings"]) == (0, 0), valid
            written.add(Path("data_schema.xml").read_bytes())
        assert len(written) == 1


def test_a_segment_comes_with_its_definition_if_the_source_has_it(
    confmig: Confmig, serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "old.yml").write_text("include: [journeys-sandbox]\nremove: {tables: [msdynmkt_segmentdefinition]}\n")
    new, old = serve(environment="journeys-sandbox"), serve(environment=str(tmp_path / "old.yml"))
    arguments = ("--table", "msdynmkt_segment", "--format", "json")
    made = confmig("schema", "generate", "--source", new.url, *arguments)
    assert [row[0] for row in section(made, "Tables")] == ["msdynmkt_segment", "msdynmkt_segmentdefinition"]
    Path("data_schema.xml").unlink()
    refused = confmig("schema", "generate", "--source", old.url, *arguments)
    assert (refused.code, refused.report["reason"]) == (3, "dependency-missing")
    assert not Path("data_schema.xml").exists()
    for source in (new, old):
        alone = confmig("schema", "generate", "--source", source.url, *arguments, "--outside", BUILT_IN[11])
        assert (alone.code, alone.facts["tables"]) == (0, 1)


def test_what_is_left_out_is_told(confmig: Confmig, serve: Serve) -> None:
    source = serve(environment="journeys-sandbox")
    made = confmig("schema", "generate", "--source", source.url, "--table", "msdynmkt_journey", "--format", "json")
    why = "it points to {}, which is not among the tables"
    assert section(made, "Left out") == [
        [
            "msdynmkt_journey",
            "msdynmkt_doubleoptincompliance",
            why.format("msdynmkt_compliancesettings4"),
        ],
        ["msdynmkt_journey", "msdynmkt_templateid", why.format("msdynmkt_journeytemplate")],
    ]
    preset = confmig("schema", "generate", "--source", source.url, "--preset", "journeys-content", "--format", "json")
    assert [row[0] for row in section(preset, "Left out")] == ["msdynmkt_tag", "msdynmkt_predefinedplaceholder"]
    assert not re.search(r'name="(statecode|statuscode)"', Path("data_schema.xml").read_text())


def test_the_table_of_a_lookup_that_no_row_can_be_without_is_taken_in(confmig: Confmig, serve: Serve) -> None:
    source = serve(environment="journeys-sandbox")
    arguments = ("schema", "generate", "--source", source.url, "--table", "msdynmkt_topic", "--format", "json")
    made = confmig(*arguments)
    assert [row[0] for row in section(made, "Tables")] == ["msdynmkt_purpose", "msdynmkt_topic"]
    assert "msdynmkt_purpose is taken in too, since no row can be without msdynmkt_topic.msdynmkt_purposeid" in made.err
    kept = confmig(*arguments, "--outside", "msdynmkt_purpose")
    assert [row[0] for row in section(kept, "Tables")] == ["msdynmkt_topic"]
    assert section(kept, "Left out") == []
    validate = ("schema", "validate", "--schema", "data_schema.xml", "--format", "json")
    refused = confmig(*validate)
    assert (refused.code, refused.report["reason"]) == (3, "dependency-missing")
    (finding,) = section(refused, "Findings")
    assert finding[:4] == ["error", "dependency-missing", "msdynmkt_topic", "msdynmkt_purposeid"]
    assert finding[4:6] == ["data_schema.xml", 6]
    assert confmig(*validate, "--outside", "msdynmkt_purpose").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "reason", "words"),
    [
        ((), 2, "usage", "There are no tables"),
        (("--preset", "nope"), 2, "usage", "There are journeys-content."),
        (("--preset", "journeys-content"), 3, "table-missing", "no table msdynmkt_"),
        (("--solution", "Nope"), 2, "usage", "no solution Nope"),
        (("--solution", "No'pe & Co"), 2, "usage", "no solution No'pe & Co"),
        (("--solution", "Default"), 0, "", "Wrote"),
        (("--table", "shop_nothing"), 3, "table-missing", "no table shop_nothing"),
        (("--table", "Shop_Item"), 3, "table-missing", "no table Shop_Item"),
        (("--table", "shop_kind,shop_item"), 3, "table-missing", "no table shop_kind,shop_item"),
        (("--table", "shop_it'em"), 3, "table-missing", "no table shop_it'em"),
        (("--table", "]"), 3, "table-missing", "no table ]"),
        (("--table", ""), 3, "table-missing", "no table"),
        (("--table", "shop_item", "--table", "gone"), 3, "table-missing", "no table gone"),
        (("--table", "msdynmkt_gdprrequest"), 3, "never-moved", "not moved as data"),
        (("--table", "shop_kind_item"), 3, "table-read-only", "No column of shop_kind_item can be written"),
    ],
)
def test_what_is_asked_for_in_vain(
    arguments: tuple[str, ...], code: int, reason: str, words: str, confmig: Confmig, serve: Serve, package: Path
) -> None:
    source = serve(package=package)
    result = confmig("schema", "generate", "--source", source.url, *arguments, "--format", "json")
    assert (result.code, result.report["reason"]) == (code, reason), result
    assert words in result.report["verdict"] + result.report["facts"].get("hint", "")
    assert Path("data_schema.xml").exists() is (code == 0)
    text = confmig("schema", "generate", "--source", source.url, *arguments, "--output", "other.xml")
    assert text.code == code
    assert words in text.out + text.err


def test_a_solution_with_tables_that_never_move_or_without_any(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text(
        """include: [journeys-sandbox]
tables:
  msdynmkt_gdprrequest:
    columns:
      msdynmkt_gdprrequestid: {type: Uniqueidentifier}
      msdynmkt_topic: {type: Lookup, targets: [msdynmkt_topic], required: true}
solutions:
  - {uniquename: Mixed, friendlyname: M, version: 1.0.0.0, tables: [msdynmkt_fragment, msdynmkt_gdprrequest]}
  - {uniquename: Never, friendlyname: N, version: 1.0.0.0, tables: [msdynmkt_gdprrequest]}
  - {uniquename: Nothing, friendlyname: O, version: 1.0.0.0}
"""
    )
    source = serve(environment=str(tmp_path / "more.yml"))
    ends = {"Mixed": (0, ""), "Never": (3, "never-moved"), "Nothing": (3, "table-missing")}
    for solution, (code, reason) in ends.items():
        result = confmig("schema", "generate", "--source", source.url, "--solution", solution, "--format", "json")
        assert (result.code, result.report["reason"]) == (code, reason), result
        if code == 0:
            assert [row[0] for row in section(result, "Tables")] == ["msdynmkt_fragment"]
            assert ["msdynmkt_gdprrequest", ""] in [row[:2] for row in section(result, "Left out")]


def test_only_a_schema_is_ever_replaced(confmig: Confmig, serve: Serve, package: Path) -> None:
    source = serve(package=package)
    arguments = ("schema", "generate", "--source", source.url, "--table", "shop_item", "--output")
    Path("folder").mkdir()
    Path("notes.txt").write_text("mine")
    Path("other.xml").write_text("<other/>")
    Path("empty.xml").write_text("")
    before = package.read_bytes()
    for output in ("folder", "notes.txt", "other.xml", "empty.xml", package, "new.zip", "notes.txt/schema.xml"):
        result = confmig(*arguments, output)
        assert result.code == 2, (output, result)
        assert str(output).removesuffix("/schema.xml") in result.err
    assert (Path("notes.txt").read_text(), Path("other.xml").read_text()) == ("mine", "<other/>")
    assert package.read_bytes() == before
    assert confmig(*arguments, "a/b/schema.xml").code == 0
    assert confmig(*arguments, "a/b/schema.xml").code == 0
    assert [path.name for path in Path("a/b").iterdir()] == ["schema.xml"]


def test_an_unwritable_folder_is_the_users_to_mend(confmig: Confmig, serve: Serve, package: Path) -> None:
    source = serve(package=package)
    result = confmig(
        "schema", "generate", "--source", source.url, "--table", "shop_item", "--output", "/proc/nowhere/schema.xml"
    )
    assert result.code == 2
    assert "/proc/nowhere" in result.err


def test_names_of_all_kinds_are_escaped(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    nasty = 'Größe "A" & <B>\'s – 价格'
    (tmp_path / "names.yml").write_text(
        f"""tables:
  shop_size:
    display_name: {nasty!r}
    primary_name: shop_name
    columns: {{shop_sizeid: {{type: Uniqueidentifier}}, shop_name: {{type: String, display_name: {nasty!r}}}}}
rows:
  shop_size: [{{shop_sizeid: {packages.FRUIT}, shop_name: {nasty!r}}}]
""".replace("\\'", "''")
    )
    source = serve(environment=str(tmp_path / "names.yml"))
    assert confmig("schema", "generate", "--source", source.url, "--table", "shop_size").code == 0
    schema, written = read_schema(Path("data_schema.xml"))
    table = schema.table("shop_size")
    assert table is not None
    assert nasty in {table.display_name, *(column.display_name for column in table.columns)}
    assert write_schema(schema) == written
    assert confmig("schema", "validate", "--schema", "data_schema.xml", "--source", source.url).code == 0


def test_validate_names_the_environment_that_lacks_something(confmig: Confmig, serve: Serve, package: Path) -> None:
    source, target = serve(package=package), serve(environment="journeys-production")
    result = confmig(
        "schema", "validate", "--schema", package, "--source", source.url, "--target", target.url, "--format", "json"
    )
    assert (result.code, result.report["reason"]) == (3, "table-missing")
    assert {row[7].split(" has no")[0] for row in section(result, "Findings")} == {target.url}


@pytest.mark.parametrize("half", [0, 1])
def test_schemas_of_all_real_packages_can_be_generated_and_work(
    half: int, corpus: Path, confmig: Confmig, serve: Serve
) -> None:
    for package in sorted((corpus / "packages").iterdir())[half::2]:
        source = serve(package=package)
        names = [table.name for table in read_schema(package)[0].merged_tables()]
        arguments = ("schema", "generate", "--source", source.url, "--format", "json")
        made = confmig(*arguments, *options("--table", names))
        assert made.code == 0, (package.name, made)
        first = Path("data_schema.xml").read_bytes()
        assert write_schema(parse_schema(first, "schema")) == first, package.name
        again = confmig(*arguments, *options("--table", names[::-1]))
        assert (again.code, again.facts["changed"]) == (0, False), package.name
        valid = confmig("schema", "validate", "--schema", "data_schema.xml", "--source", source.url, "--format", "json")
        found = {(finding["rule"], finding["table"]) for finding in valid.report["findings"]}
        assert found <= {("table-not-imported", "role")}, (package.name, valid.out[:3000])
        target = serve(package=package, empty=True)
        moves(confmig, Path("data_schema.xml"), source.url, target.url)
        source.stop()
        target.stop()


TEMPLATES = {"Capgemini__powerapps-project-template__01-PreDeploymentSchema.xml"}
"""Schemas that hold nothing yet."""


def test_how_many_real_schemas_are_complete(corpus: Path, record_property: Callable[[str, object], None]) -> None:
    """Over half are; the others point to rows that they expect in the target, which --outside is for."""
    lines: list[str] = []
    paths = [path for folder in ("packages", "schemas") for path in sorted((corpus / folder).iterdir())]
    for path in paths:
        found = errors_of(completeness_findings(read_schema(path)[0], load_profiles()))
        rules = {finding.rule for finding in found}
        assert rules <= {"dependency-missing", "type-unknown"} or path.name in TEMPLATES, (path.name, rules)
        if found:
            lines.append(f"  {path.name[:88]:88} {len(found):3}  {found[0].message}")
    title = f"Of {len(paths)} real schemas confmig schema validate finds {len(lines)} incomplete:"
    record_property(PRINTED, "\n".join([title, *lines]))
    assert len(lines) < len(paths) / 2


def test_all_that_is_missing_can_be_given_at_once(confmig: Confmig, tmp_path: Path) -> None:
    fields = "".join(f'<field name="a_{n}" type="entityreference" lookupType="{n}" />' for n in ("zoo", "bee"))
    pair = '<relationship name="a_x" manyToMany="true" relatedEntityName="a_x" m2mTargetEntity="ant" />'
    text = (
        f'<entities><entity name="a" primaryidfield="aid"><fields>{fields}</fields>'
        f"<relationships>{pair}</relationships></entity></entities>"
    )
    (tmp_path / "s.xml").write_text(text)
    result = confmig("schema", "validate", "--schema", "s.xml", "--format", "json")
    assert (result.code, result.facts["missing_tables"]) == (3, ["ant", "bee", "zoo"])
    assert result.facts["hint"].endswith("--outside ant --outside bee --outside zoo")
    outside = ("--outside", "ant", "--outside", "bee", "--outside", "zoo", "--format", "json")
    again = confmig("schema", "validate", "--schema", "s.xml", *outside)
    assert again.code == 0
    assert "missing_tables" not in again.facts
