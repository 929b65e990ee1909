"""``confmig check``: two environments and a schema between them, looked at before anything moves."""

from pathlib import Path

import pytest

from tests.flow import packages
from tests.flow.conftest import Confmig, Result, Serve

ANCHOR = "DynamicsCij_AnchorSolution"


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    """A schema of a few columns of the built-in environments."""
    path = tmp_path / "data_schema.xml"
    path.write_text(
        """<entities>
  <entity name="msdynmkt_email" displayname="Email" etc="10501" primaryidfield="msdynmkt_emailid" primarynamefield="msdynmkt_name" disableplugins="false">
    <fields>
      <field displayname="Email" name="msdynmkt_emailid" type="guid" primaryKey="true" />
      <field displayname="Name" name="msdynmkt_name" type="string" />
      <field displayname="Status" name="statecode" type="state" />
      <field displayname="Status Reason" name="statuscode" type="status" />
    </fields>
    <relationships>
      <relationship name="one_name" manyToMany="true" isreflexive="false" relatedEntityName="msdynmkt_email_fragment" m2mTargetEntity="msdynmkt_fragment" m2mTargetEntityPrimaryKey="msdynmkt_fragmentid" />
    </relationships>
  </entity>
  <entity name="msdynmkt_fragment" displayname="Fragment" etc="10502" primaryidfield="msdynmkt_fragmentid" primarynamefield="msdynmkt_name" disableplugins="false">
    <fields>
      <field displayname="Fragment" name="msdynmkt_fragmentid" type="guid" primaryKey="true" />
      <field displayname="Name" name="msdynmkt_name" type="string" />
    </fields>
  </entity>
</entities>"""  # noqa: E501
    )
    return path


def production(tmp_path: Path, text: str) -> str:
    path = tmp_path / "production.yml"
    path.write_text(f"include: [journeys-production]\n{text}\n")
    return str(path)


def rules(result: Result) -> list[tuple[str, str, str, int | None]]:
    """Severity, rule, column and line of each finding."""
    (section,) = result.report["sections"]
    return [(row[0], row[1], row[3], row[5]) for row in section["rows"]]


def test_two_environments_that_are_alike_and_a_source_at_rest(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    package = packages.write(tmp_path / "shop.zip", packages.full_data())
    source, target = serve(package=package), serve(package=package, empty=True)
    result = confmig("check", "--source", source.url, "--target", target.url, "--schema", package)
    assert result.code == 0
    assert f"The rows of 2 tables may move from {source.url} to {target.url}." in result.out
    result = confmig("check", "--source", source.url, "--target", target.url, "--schema", package, "--format", "json")
    assert (result.report["reason"], result.facts["findings"]) == ("", 0)


def test_live_rows_stop_it_or_are_told(confmig: Confmig, serve: Serve, schema: Path) -> None:
    source, target = serve(environment="journeys-sandbox"), serve(environment="journeys-production")
    sides = ("--source", source.url, "--target", target.url, "--schema", schema, "--format", "json")
    stopped = confmig("check", *sides)
    assert (stopped.code, stopped.report["reason"]) == (3, "live-rows")
    assert rules(stopped) == [("error", "live-rows", "", 2), ("error", "live-rows", "", 13)]
    assert "5 rows of msdynmkt_email are live" in stopped.report["verdict"]
    for policy in ("filter", "exclude-status"):
        told = confmig("check", *sides, "--live", policy)
        assert (told.code, told.report["reason"]) == (0, "")
        assert [rule[0] for rule in rules(told)] == ["warning", "warning"]


@pytest.mark.parametrize(
    ("version", "policy", "code", "severity"),
    [
        ("1.2.437.94", "identical", 0, ""),
        ("1.2.437.95", "identical", 3, "error"),
        ("1.2.437.95", "target-newer", 0, ""),
        ("1.2.437.93", "target-newer", 3, "error"),
        ("1.10.0.0", "target-newer", 0, ""),
        ("1.1.65002.146", "target-newer", 3, "error"),
        ("1.2.437.93", "any", 0, "warning"),
    ],
)
def test_versions_of_both_sides(
    version: str, policy: str, code: int, severity: str, confmig: Confmig, serve: Serve, schema: Path, tmp_path: Path
) -> None:
    source = serve(environment="journeys-sandbox")
    target = serve(
        environment=production(tmp_path, f"solutions: [{{uniquename: {ANCHOR}, version: {version}}}]"),
    )
    arguments = ("--source", source.url, "--target", target.url, "--schema", schema, "--live", "filter")
    result = confmig("check", *arguments, "--versions", policy, "--format", "json")
    assert (result.code, result.report["reason"]) == (code, "versions-differ" if code else "")
    told = [rule for rule in rules(result) if rule[1] == "versions-differ"]
    assert told == ([(severity, "versions-differ", "", None)] if severity else [])
    if severity:
        text = confmig("check", *arguments, "--versions", policy)
        assert text.code == code
        assert f"{target.url} has {version}" in text.out


def test_anchors_of_another_name_on_each_side_and_on_one_side_only(
    confmig: Confmig, serve: Serve, schema: Path, tmp_path: Path
) -> None:
    source = serve(environment="journeys-sandbox")
    gone = f"remove: {{solutions: [{ANCHOR}]}}"
    old = f"{gone}\nsolutions: [{{uniquename: DynamicsMKT_AnchorSolution, friendlyname: Old, version: 1.2.437.94}}]"
    for text, code, reason in ((old, 0, ""), (gone, 3, "solution-missing")):
        target = serve(environment=production(tmp_path, text))
        result = confmig(
            "check", "--source", source.url, "--target", target.url, "--schema", schema, "--live", "filter",
            "--format", "json",
        )  # fmt: skip
        assert (result.code, result.report["reason"]) == (code, reason)


def test_another_part_of_the_product_that_differs_is_a_warning_until_it_is_named(
    confmig: Confmig, serve: Serve, schema: Path, tmp_path: Path
) -> None:
    source = serve(environment="journeys-sandbox")
    part = "DynamicsMKT_EmailChannel"
    target = serve(environment=production(tmp_path, f"solutions: [{{uniquename: {part}, version: 1.2.431.8}}]"))
    arguments = ("--source", source.url, "--target", target.url, "--schema", schema, "--live", "filter")
    warned = confmig("check", *arguments, "--format", "json")
    assert warned.code == 0
    assert ("warning", "versions-differ", "", None) in rules(warned)
    named = confmig("check", *arguments, "--compare-solution", part, "--format", "json")
    assert (named.code, named.report["reason"]) == (3, "versions-differ")
    wrong = confmig("check", *arguments, "--compare-solution", "Nope", "--format", "json")
    assert (wrong.code, wrong.report["reason"]) == (3, "solution-missing")


def test_what_the_target_lacks_is_found_on_the_line_that_names_it(
    confmig: Confmig, serve: Serve, schema: Path, tmp_path: Path
) -> None:
    source = serve(environment="journeys-sandbox")
    target = serve(
        environment=production(
            tmp_path, "remove: {tables: [msdynmkt_fragment], columns: {msdynmkt_email: [msdynmkt_previewtext]}}"
        )
    )
    text = schema.read_text().replace("msdynmkt_name", "msdynmkt_previewtext", 2)
    schema.write_text(text.replace("msdynmkt_previewtext", "msdynmkt_name", 1))
    result = confmig(
        "check", "--source", source.url, "--target", target.url, "--schema", schema, "--live", "filter",
        "--format", "json",
    )  # fmt: skip
    assert (result.code, result.report["reason"]) == (3, "table-missing")
    errors = [rule for rule in rules(result) if rule[0] == "error"]
    assert errors == [
        ("error", "table-missing", "", 13),
        ("error", "column-missing", "msdynmkt_previewtext", 5),
        ("error", "relationship-missing", "msdynmkt_email_fragment", 10),
    ]
    places = {(note["file"], note["line"]) for note in result.report["annotations"] if note["level"] == "error"}
    assert places == {("data_schema.xml", 5), ("data_schema.xml", 10), ("data_schema.xml", 13)}


def test_a_source_that_lacks_something_is_not_asked_for_its_rows(
    confmig: Confmig, serve: Serve, schema: Path, tmp_path: Path
) -> None:
    source = serve(environment=production(tmp_path, "remove: {tables: [msdynmkt_fragment]}"))
    target = serve(environment="journeys-sandbox")
    result = confmig("check", "--source", source.url, "--target", target.url, "--schema", schema, "--format", "json")
    assert result.code == 3
    assert [rule[1] for rule in rules(result)] == ["table-missing", "relationship-missing"]


def test_findings_of_a_schema_within_a_package_have_no_lines(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    package = packages.write(tmp_path / "shop.zip", packages.full_data())
    source, target = serve(package=package), serve(environment="journeys-production")
    result = confmig("check", "--source", source.url, "--target", target.url, "--schema", package, "--format", "json")
    assert {rule[1:] for rule in rules(result)} >= {("table-missing", "", None)}
    assert all(note["file"] == "" for note in result.report["annotations"])


@pytest.mark.parametrize("other", ["{url}", "{url}/", "{localhost}"])
def test_one_environment_twice(other: str, confmig: Confmig, serve: Serve, schema: Path) -> None:
    source = serve(environment="journeys-sandbox")
    target = other.format(url=source.url, localhost=source.url.replace("127.0.0.1", "localhost"))
    result = confmig("check", "--source", source.url, "--target", target, "--schema", schema, "--format", "json")
    assert (result.code, result.report["reason"]) == (2, "same-environment")


def test_a_table_that_never_moves(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    text = packages.SCHEMA.replace("shop_item", "msdynmkt_gdprrequest")
    data = packages.data().replace("shop_item", "msdynmkt_gdprrequest")
    package = packages.write(tmp_path / "people.zip", data, text)
    source, target = serve(package=package), serve(package=package, empty=True)
    arguments = ("--source", source.url, "--schema", package, "--format", "json")
    checked = confmig("check", *arguments, "--target", target.url)
    exported = confmig("export", *arguments, "--data", "out.zip")
    for result in (checked, exported):
        assert (result.code, result.report["reason"]) == (3, "never-moved")
    assert not Path("out.zip").exists()


def test_a_spoilt_schema_is_named_with_its_line(confmig: Confmig, serve: Serve, schema: Path) -> None:
    source, target = serve(environment="journeys-sandbox"), serve(environment="journeys-production")
    good = schema.read_text()
    spoilt = {
        "well-formed": good.replace("</fields>", "", 1),
        "has no name": good.replace('name="statuscode" ', ""),
        "neither true nor false": good.replace('primaryKey="true"', 'primaryKey="yes"', 1),
        "the root is": good.replace("entities>", "tables>"),
    }
    lines = {"well-formed": 0, "has no name": 7, "neither true nor false": 4, "the root is": 1}
    for words, text in spoilt.items():
        schema.write_text(text)
        for arguments in (("check", "--target", target.url), ("export",)):
            result = confmig(*arguments, "--source", source.url, "--schema", schema)
            assert result.code == 6, result
            assert words in result.err
            assert f"{schema}, line {lines[words] or ''}" in result.err
        result = confmig("schema", "validate", "--schema", schema, "--format", "json")
        if words in {"well-formed", "the root is"}:  # nothing more can be told of what is no schema at all
            assert result.code == 6, result
        else:
            assert (result.code, rules(result)[0][1::2]) == (3, ("schema-refused", lines[words]))
            assert words in result.report["verdict"]
    result = confmig("check", "--source", source.url, "--target", target.url, "--schema", "nowhere.xml")
    assert result.code == 6
    assert "nowhere.xml" in result.err


def test_the_solutions_that_were_compared_are_told(
    confmig: Confmig, serve: Serve, schema: Path, tmp_path: Path
) -> None:
    source, target = serve(environment="journeys-sandbox"), serve(environment="journeys-production")
    arguments = ("--schema", schema, "--live", "filter", "--format", "json")
    told = confmig("check", "--source", source.url, "--target", target.url, *arguments)
    (compared,) = told.facts["compared_solutions"]
    assert compared.startswith(f"{ANCHOR}: ")
    package = packages.write(tmp_path / "shop.zip", packages.full_data())
    here, there = serve(package=package), serve(package=package, empty=True)
    nothing = confmig("check", "--source", here.url, "--target", there.url, "--schema", package, "--format", "json")
    assert nothing.facts["compared_solutions"] == []
    assert "No solution's version was compared" in nothing.report["verdict"]


def test_a_column_that_both_sides_hold_as_something_else(
    confmig: Confmig, serve: Serve, schema: Path, tmp_path: Path
) -> None:
    """The first finding that an import would only meet at its first row."""
    text = """
tables:
  p_other: {primary_name: p_name, columns: {p_otherid: {type: Uniqueidentifier}, p_name: {type: String}}}
  p_third: {primary_name: p_name, columns: {p_thirdid: {type: Uniqueidentifier}, p_name: {type: String}}}
  p_t:
    primary_name: p_name
    columns:
      p_tid: {type: Uniqueidentifier}
      p_name: {type: String}
      p_look: {type: Lookup, targets: [TARGET]}
      p_when: {type: DateTime, behavior: BEHAVIOR}
rows:
  p_other: [{p_otherid: 11111111-aaaa-4aaa-8aaa-000000000001, p_name: One}]
"""
    one = "11111111-aaaa-4aaa-8aaa-000000000001"
    row = f"  p_t: [{{p_tid: {one}, p_name: T, p_look: {one}}}]\n"
    sides = []
    for name, target, behavior, rows in (
        ("here", "p_other", "UserLocal", row), ("there", "p_third", "DateOnly", "")
    ):  # fmt: skip
        path = tmp_path / f"{name}.yml"
        path.write_text(f"name: {name}\n" + text.replace("TARGET", target).replace("BEHAVIOR", behavior) + rows)
        sides.append(serve(environment=str(path)).url)
    source, target = sides
    assert confmig("schema", "generate", "--source", source, "--table", "p_t", "--table", "p_other").code == 0
    checked = confmig(
        "check", "--source", source, "--target", target, "--schema", "data_schema.xml", "--format", "json"
    )
    assert (checked.code, checked.report["reason"]) == (3, "column-type")
    assert {rule[2] for rule in rules(checked)} == {"p_look", "p_when"}
    assert confmig("export", "--source", source, "--schema", "data_schema.xml").code == 0
    planned = confmig("plan", "--target", target, "--data", "data.zip", "--format", "json")
    assert (planned.code, planned.report["reason"]) == (3, "column-type")
