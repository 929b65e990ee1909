"""``confmig check --data`` and ``confmig schema validate``: lint, without an environment."""

import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from confmig.checking.rules.registry import all_rules
from confmig.package.package import Package
from tests.checking.linted import DATA, NOBODY, PLUM, SCHEMA, line_of, spoilt, write_folder
from tests.conftest import PRINTED
from tests.flow import packages
from tests.flow.conftest import Confmig, Serve

DANGLING = spoilt(DATA, f'name="shop_parent" value="{PLUM}"', f'name="shop_parent" value="{NOBODY}"')
LINE = line_of(DANGLING, "shop_parent")


def zipped(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder), "zip", folder))


def test_a_good_package_passes_without_an_environment(confmig: Confmig, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "good")
    for path in (folder, zipped(folder)):
        result = confmig("check", "--data", path, "--format", "json")
        assert (result.code, result.report["reason"]) == (0, "")
        assert (result.facts["errors"], result.facts["warnings"]) == (0, 1)
        assert (result.facts["tables"], result.facts["rows"]) == (2, 4)
        with Package(path) as package:
            assert result.facts["data_digest"] == package.digest


def test_a_finding_is_told_with_its_place_its_consequence_and_what_to_do(confmig: Confmig, tmp_path: Path) -> None:
    package = zipped(write_folder(tmp_path / "bad", DANGLING))
    result = confmig("check", "--data", package)
    assert result.code == 3
    assert re.search(rf"lookup-dangling +shop_item +shop_parent +data\.xml +{LINE}$", result.out, re.MULTILINE)
    assert f"    what: Row 11111111-aaaa-4aaa-8aaa-000000000001: shop_parent points to shop_item {NOBODY}" in result.out
    assert "    in CMT: CMT looks the row up in the target" in result.out
    assert "    what to do: Add the row, or" in result.out
    told = confmig("check", "--data", package, "--format", "json")
    error = next(finding for finding in told.report["findings"] if finding["severity"] == "error")
    assert told.report["reason"] == error["rule"] == "lookup-dangling"
    assert error["places"] == [{"file": "data.xml", "line": LINE}]
    assert error["count"] == 1
    assert "data_digest" not in told.facts
    assert confmig("check", "--data", package, "--outside", "shop_item").code == 0


def test_annotations_stand_on_the_lines_of_files_that_the_repository_holds(confmig: Confmig, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "config" / "shop", DANGLING)
    (note,) = _errors(confmig("check", "--data", folder, "--format", "json").report)
    assert (note["file"], note["line"]) == ("config/shop/data.xml", LINE)
    (note,) = _errors(confmig("check", "--data", zipped(folder), "--format", "json").report)
    assert (note["file"], note["line"]) == ("", 0)
    schema = tmp_path / "config" / "shop" / "data_schema.xml"
    schema.write_text(spoilt(SCHEMA, 'type="number"', 'type="integer"'))
    checked = ("check", "--data", folder, "--outside", "shop_item")
    for arguments in (checked, ("schema", "validate", "--schema", schema)):
        (note,) = _errors(confmig(*arguments, "--format", "json").report)
        assert (note["file"], note["line"]) == ("config/shop/data_schema.xml", 6)


def _errors(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [note for note in report["annotations"] if note["level"] == "error"]


def test_github_gets_the_annotation(confmig: Confmig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(tmp_path / "shop", DANGLING)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    result = confmig("check", "--data", folder)
    assert f"::error file=shop/data.xml,line={LINE},title=lookup-dangling::Row 11111111" in result.err


def test_reports_show_the_findings_in_each_form(confmig: Confmig, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "shop", DANGLING)
    reports = [f"--report={name}" for name in ("a.html", "a.md", "a.txt", "a.json")]
    assert confmig("check", "--data", folder, *reports).code == 3
    for name in ("a.html", "a.md", "a.txt", "a.json"):
        text = Path(name).read_text()
        assert "lookup" in text
        assert str(LINE) in text
        assert "CMT looks the row up" in text


def test_what_only_a_second_reading_finds_ends_with_6(confmig: Confmig, tmp_path: Path) -> None:
    """A payload whose bytes are damaged is no matter of a rule; but a package that passes can be read."""
    package = zipped(write_folder(tmp_path / "shop"))
    with zipfile.ZipFile(package) as archive:
        offset = archive.getinfo("files/33333333-cccc-4ccc-8ccc-000000000001.bin").header_offset
    content = bytearray(package.read_bytes())
    content[offset + 14] ^= 0xFF  # the CRC-32 of the local header
    directory = content.index(b"PK\x01\x02", offset) if b"PK\x01\x02" in content else 0
    at = content.index(b"files/33333333-cccc-4ccc-8ccc-000000000001.bin", directory) - 46
    content[at + 16] ^= 0xFF  # and that of the directory
    package.write_bytes(content)
    result = confmig("check", "--data", package)
    assert result.code == 6
    assert "33333333-cccc-4ccc-8ccc-000000000001.bin" in result.err


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (DATA.replace("</records>", "", 1), "line 40: this is no well-formed XML"),
        ('<!DOCTYPE entities [<!ENTITY a "b">]>' + DATA, "document type"),
        (DATA.replace('<field name="shop_name"', "<field", 1), "line 6: a <field> of shop_item has no name"),
        ("", "is empty"),
        ("<root/>", "the root is <root>"),
        (SCHEMA, "this is a schema"),
        (DATA.replace('<entity name="shop_kind"', "<entity"), "an <entity> has no name"),
        (f"<entities><records><record id='{PLUM}' /></records></entities>", "a row stands outside of any table"),
        (DATA.replace("Apple", "\x01"), "line 6: this is no well-formed XML"),
    ],
)
def test_a_package_that_cannot_be_read_ends_with_6_and_the_line(
    data: str, words: str, confmig: Confmig, tmp_path: Path
) -> None:
    result = confmig("check", "--data", write_folder(tmp_path / "shop", data))
    assert (result.code, result.out) == (6, "")
    assert words in result.err


def test_what_the_reader_refuses_is_a_finding_here(confmig: Confmig, tmp_path: Path) -> None:
    data = spoilt(DATA, 'name="shop_sold" value="True"', 'name="shop_sold" value="1"')
    package = write_folder(tmp_path / "shop", data)
    result = confmig("check", "--data", package, "--format", "json")
    assert (result.code, result.report["reason"]) == (3, "bool-misread")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Nothing to check was given"),
        (("--data", "d", "--schema", "s"), "Both --schema and --data"),
        (("--schema", "s"), "needs two environments"),
        (("--data", "d", "--source", "http://127.0.0.1:1"), "there is no --target"),
        (("--schema", "s", "--target", "http://127.0.0.1:1"), "there is no --source"),
        (("--data", "d", "--compare-solution", "x"), "--compare-solution needs two environments"),
        (("--schema", "s", "--source", "http://127.0.0.1:1", "--target", "http://127.0.0.1:2", "--outside", "x"),
         "--outside is about the rows of a package"),
    ],
)  # fmt: skip
def test_options_that_make_no_question(arguments: tuple[str, ...], words: str, confmig: Confmig) -> None:
    result = confmig("check", *arguments)
    assert (result.code, result.out) == (2, "")
    assert words in result.err


def test_with_two_environments_a_package_is_asked_everything(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    good = packages.write(tmp_path / "shop.zip", packages.full_data())
    source, target = serve(package=good), serve(environment="journeys-production")
    sides = ("--source", source.url, "--target", target.url, "--format", "json")
    result = confmig("check", "--data", good, *sides)
    assert (result.code, result.report["reason"]) == (3, "table-missing")
    bad = packages.write(tmp_path / "bad.zip", packages.full_data().replace(packages.STONE, NOBODY, 1))
    result = confmig("check", "--data", bad, *sides)
    rules = {finding["rule"] for finding in result.report["findings"]}
    assert rules >= {"id-differs", "table-missing"}
    assert result.facts["source"] == source.url
    twin = serve(package=good, empty=True)
    passed = confmig("check", "--data", good, "--source", source.url, "--target", twin.url)
    assert passed.code == 0
    assert "may move from" in passed.out


def test_every_real_package_is_looked_at(
    corpus: Path, confmig: Confmig, record_property: Callable[[str, object], None]
) -> None:
    """CMT's own packages have findings too: most are rows of one name, which CMT writes over each other."""
    errors: Counter[str] = Counter()
    lines = []
    paths = sorted((corpus / "packages").iterdir())
    for path in paths:
        result = confmig("check", "--data", path, "--format", "json")
        findings = result.report["findings"]
        assert result.code == (3 if result.facts["errors"] else 0), path.name
        assert all(finding["places"] for finding in findings if finding["rule"] != "schema-missing"), path.name
        assert len({(f["rule"], f["table"], f["column"], f["message"]) for f in findings}) == len(findings), path.name
        counts = Counter(finding["rule"] for finding in findings)
        errors.update(finding["rule"] for finding in findings if finding["severity"] == "error")
        lines.append(f"  {path.name[:72]:72} {result.code}  {', '.join(f'{n} {rule}' for rule, n in counts.items())}")
    record_property(PRINTED, "\n".join(["confmig check --data, over real packages:", *lines]))
    lookups = {"lookup-incomplete", "lookup-target"}
    assert set(errors) == {*lookups, "id-twice", "name-shared", "table-not-imported", "schema-missing"}
    assert set(errors) <= {rule.name for rule, _ in all_rules()}


def test_every_real_schema_is_looked_at(corpus: Path, confmig: Confmig) -> None:
    for path in sorted((corpus / "schemas").iterdir()):
        result = confmig("schema", "validate", "--schema", path, "--format", "json")
        assert result.code == (3 if result.facts["errors"] else 0), path.name
