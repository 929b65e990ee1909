"""The manifest beside a package, and the versions that a target must have because of it."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
import requests

from confmig import __version__
from confmig.package.manifest import manifest_path
from confmig.package.package import Package
from tests.flow import packages
from tests.flow.conftest import Confmig, Result, Serve

ANCHOR = "DynamicsCij_AnchorSolution"
PART = "DynamicsMKT_EmailChannel"
ORGANIZATION = "99999999-9999-4999-8999-999999999999"
FEW = "--table=msdynmkt_topic"


@pytest.fixture
def source(confmig: Confmig, serve: Serve) -> str:
    """An environment that was exported into ``data.zip``."""
    url = serve(environment="journeys-sandbox").url
    assert confmig("schema", "generate", "--source", url, FEW).code == 0
    assert confmig("export", "--source", url, "--schema", "data_schema.xml").code == 0
    return url


@pytest.fixture
def shop(confmig: Confmig, serve: Serve, tmp_path: Path) -> str:
    """Another environment that was exported into ``data.zip``, whose tables belong to no product."""
    package = packages.write(tmp_path / "shop.zip", packages.full_data())
    url = serve(package=package).url
    assert confmig("export", "--source", url, "--schema", package).code == 0
    return url


@pytest.fixture
def target(serve: Serve, tmp_path: Path) -> str:
    """The production of ORGANIZATION, at the source's versions."""
    return serve(environment="journeys-production", organization_id=ORGANIZATION).url


def at_version(serve: Serve, tmp_path: Path, version: str) -> str:
    """The production of ORGANIZATION after an update."""
    path = tmp_path / f"{version}.yml"
    path.write_text(f"include: [journeys-production]\nsolutions: [{{uniquename: {ANCHOR}, version: {version}}}]\n")
    return serve(environment=str(path), organization_id=ORGANIZATION).url


def ended(result: Result) -> tuple[int, str]:
    return result.code, result.report["reason"]


def notes(result: Result) -> list[str]:
    return [row[2] for item in result.report["sections"] if item["title"] == "Notes" for row in item["rows"]]


def test_what_a_manifest_says(confmig: Confmig, source: str) -> None:
    manifest = json.loads(Path("data.manifest.json").read_text())
    with Package(Path("data.zip")) as package:
        assert manifest["package_digest"] == package.digest
    assert manifest["source_url"] == source
    assert manifest["solutions"][ANCHOR] == "1.2.437.94"
    assert (manifest["source_version"], manifest["tool_version"], manifest["format"]) == (
        "9.2.26104.00187",
        __version__,
        1,
    )
    assert len(manifest["source_organization"]) == 36
    first = Path("data.manifest.json").read_bytes()
    assert confmig("export", "--source", source, "--schema", "data_schema.xml").code == 0
    assert Path("data.manifest.json").read_bytes() == first


@pytest.mark.parametrize(
    ("data", "manifest"),
    [
        ("data.zip", "data.manifest.json"),
        ("a/Data.ZIP", "a/Data.manifest.json"),
        ("a/folder", "a/folder.manifest.json"),
        ("v1.2", "v1.2.manifest.json"),
    ],
)
def test_where_a_manifest_lies(data: str, manifest: str) -> None:
    assert manifest_path(Path(data)) == Path(manifest)


def test_a_folder_that_is_called_by_no_name(confmig: Confmig, serve: Serve, tmp_path: Path, source: str) -> None:
    assert manifest_path(Path()) == tmp_path.parent / f"{tmp_path.name}.manifest.json"
    assert confmig("export", "--source", source, "--schema", "data_schema.xml", "--data", ".").code == 2
    package = packages.write(tmp_path / "shop.zip", packages.full_data())
    shutil.unpack_archive(package, tmp_path)
    shop = serve(package=package, empty=True)
    assert confmig("plan", "--target", shop.url, "--data", ".").code == 0


@pytest.mark.parametrize("version", ["1.2.437.93", "1.2.437.95"])
def test_a_target_of_another_version_is_refused(
    version: str, confmig: Confmig, serve: Serve, source: str, tmp_path: Path
) -> None:
    target = at_version(serve, tmp_path, version)
    for command in ("plan", "import"):
        refused = confmig(command, "--target", target, "--data", "data.zip", "--format", "json")
        assert ended(refused) == (3, "versions-differ")
        assert "1.2.437.94" in refused.report["verdict"]
        assert version in refused.report["verdict"]
        newer = confmig(
            command, "--target", target, "--data", "data.zip", "--versions", "target-newer", "--format", "json"
        )
        assert ended(newer) == ((0, "") if version.endswith("5") else (3, "versions-differ"))
    anyhow = confmig("plan", "--target", target, "--data", "data.zip", "--versions", "any", "--format", "json")
    assert anyhow.code == 0
    assert any(version in note for note in notes(anyhow))


def test_a_refused_plan_leaves_no_plan_file(
    confmig: Confmig, serve: Serve, source: str, target: str, tmp_path: Path
) -> None:
    assert confmig("plan", "--target", target, "--data", "data.zip").code == 0
    newer = at_version(serve, tmp_path, "1.2.437.95")
    assert confmig("plan", "--target", newer, "--data", "data.zip").code == 3
    assert not Path("confmig.plan").exists()


def test_a_target_that_was_updated_after_the_plan_was_made(
    confmig: Confmig, serve: Serve, source: str, target: str, tmp_path: Path
) -> None:
    for policy in ("identical", "target-newer", "any"):
        plan = f"{policy}.plan"
        made = confmig("plan", "--target", target, "--data", "data.zip", "--plan", plan, "--versions", policy)
        assert made.code == 0, made
    newer = at_version(serve, tmp_path, "1.2.437.95")
    older = at_version(serve, tmp_path, "1.2.437.93")
    for url, policy in ((newer, "identical"), (older, "target-newer")):
        for more in ((), ("--data", "data.zip")):
            refused = confmig("import", "--target", url, "--plan", f"{policy}.plan", *more, "--format", "json")
            assert ended(refused) == (3, "versions-differ")
            assert not Path(f"{policy}.run").exists()
    for url, policy in ((newer, "target-newer"), (older, "any")):
        done = confmig("import", "--target", url, "--plan", f"{policy}.plan", "--format", "json")
        assert ended(done) == (0, "")


def test_a_named_solution_must_be_the_same_too(
    confmig: Confmig, serve: Serve, source: str, target: str, tmp_path: Path
) -> None:
    path = tmp_path / "part.yml"
    path.write_text(f"include: [journeys-production]\nsolutions: [{{uniquename: {PART}, version: 1.2.431.8}}]\n")
    other = serve(environment=str(path)).url
    warned = confmig("plan", "--target", other, "--data", "data.zip", "--format", "json")
    assert warned.code == 0
    assert any(PART in note for note in notes(warned))
    arguments = ("--data", "data.zip", "--compare-solution", PART, "--format", "json")
    assert ended(confmig("plan", "--target", other, *arguments)) == (3, "versions-differ")
    assert ended(confmig("plan", "--target", target, *arguments)) == (0, "")


def test_a_package_without_a_manifest_or_with_that_of_another(
    confmig: Confmig, serve: Serve, source: str, target: str, tmp_path: Path
) -> None:
    manifest = Path("data.manifest.json")
    foreign = json.loads(manifest.read_text()) | {"package_digest": "0" * 64}
    newer = at_version(serve, tmp_path, "1.2.437.95")
    manifest.unlink()
    for content, reason in ((None, "no manifest of its own"), (json.dumps(foreign), "manifest.json is not of this")):
        if content is not None:
            manifest.write_text(content)
        told = confmig("plan", "--target", newer, "--data", "data.zip", "--format", "json")
        assert told.code == 0
        assert any(reason in note for note in notes(told))
        named = ("plan", "--target", newer, "--data", "data.zip", "--compare-solution", ANCHOR, "--format", "json")
        assert ended(confmig(*named)) == (3, "manifest-missing")
        assert confmig(*named, "--versions", "any").code == 0


def test_a_manifest_says_what_the_package_holds(confmig: Confmig, shop: str) -> None:
    manifest = json.loads(Path("data.manifest.json").read_text())
    assert manifest["tables"] == {
        "shop_item": {"rows": 2, "associations": 0},
        "shop_kind": {"rows": 2, "associations": 2},
    }
    assert manifest["files"] == 0
    with Package(Path("data.zip")) as package:
        assert manifest["schema_digest"] == package.schema_digest


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        ("Apple", "Pear", "(the digest of the content is "),
        (f"<targetid>{packages.PLUM}</targetid>", "", "(shop_kind has 1 associations where it says 2; the digest"),
        (
            '<entity name="shop_item" displayname="Item">',
            '<entity name="shop_items">',
            "(shop_item has 0 rows where it",
        ),
        ('name="shop_pieces" type="number"', 'name="shop_pieces" type="bigint"', "(the schema is another; the digest"),
    ],
)
def test_a_package_that_was_changed_after_its_export_is_told_as_such(
    confmig: Confmig, shop: str, tmp_path: Path, old: str, new: str, difference: str
) -> None:
    with zipfile.ZipFile("data.zip") as archive:
        members = {name: archive.read(name) for name in ("data.xml", "data_schema.xml")}
    changed = {name: content.replace(old.encode(), new.encode()) for name, content in members.items()}
    changed["data.xml"] = changed["data.xml"].replace(b"\r\n          \r\n", b"\r\n")
    assert changed != members
    with zipfile.ZipFile("data.zip", "w") as archive:
        for name, content in changed.items():
            archive.writestr(name, content)
    with Package(Path("data.zip")) as package:
        assert package.digest
    told = confmig("plan", "--target", shop, "--data", "data.zip", "--same-organization", "--format", "json")
    assert told.code in {0, 3, 5}
    said = json.dumps(told.report, ensure_ascii=False)
    assert f"data.manifest.json is not of this package {difference}" in said
    Path("data.manifest.json").unlink()
    told = confmig("plan", "--target", shop, "--data", "data.zip", "--same-organization", "--format", "json")
    assert "manifest" not in json.dumps(told.report)


def test_a_manifest_of_an_earlier_version_without_counts_is_one(confmig: Confmig, shop: str) -> None:
    path = Path("data.manifest.json")
    manifest = json.loads(path.read_text())
    for name in ("schema_digest", "tables", "files"):
        del manifest[name]
    path.write_text(json.dumps(manifest))
    told = confmig("plan", "--target", shop, "--data", "data.zip", "--same-organization", "--format", "json")
    assert (told.code, "manifest" in json.dumps(told.report)) == (0, False)
    path.write_text(json.dumps(manifest | {"package_digest": "0" * 64}))
    told = confmig("plan", "--target", shop, "--data", "data.zip", "--same-organization", "--format", "json")
    assert (told.code, [note.count("the digest of the content") for note in notes(told)]) == (0, [1])


def test_where_no_version_matters_no_manifest_is_missed(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    package = packages.write(tmp_path / "shop.zip", packages.full_data())
    target = serve(package=package, empty=True)
    planned = confmig("plan", "--target", target.url, "--data", package, "--format", "json")
    assert planned.code == 0
    assert not any("manifest" in note for note in notes(planned))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'"text"', b"\xff\xfe", b"{}", b'{"package_digest": 5}', b"null"]
)
def test_a_manifest_that_cannot_be_read(content: bytes, confmig: Confmig, source: str, target: str) -> None:
    Path("data.manifest.json").write_bytes(content)
    for command in ("plan", "import"):
        result = confmig(command, "--target", target, "--data", "data.zip")
        assert result.code == 6
        assert "data.manifest.json: the manifest cannot be read" in result.err


def test_a_manifest_of_a_later_format_and_a_folder_in_its_place(confmig: Confmig, source: str, target: str) -> None:
    manifest = Path("data.manifest.json")
    later = json.loads(manifest.read_text()) | {"format": 2, "more": True}
    manifest.write_text(json.dumps(later))
    result = confmig("plan", "--target", target, "--data", "data.zip")
    assert (result.code, "format 2" in result.err) == (6, True)
    manifest.unlink()
    manifest.mkdir()
    assert confmig("plan", "--target", target, "--data", "data.zip").code == 6
    assert confmig("export", "--source", source, "--schema", "data_schema.xml").code == 2


def test_a_package_goes_back_to_its_own_organization_only_when_told(confmig: Confmig, source: str) -> None:
    arguments = ("plan", "--target", source, "--data", "data.zip", "--format", "json")
    assert ended(confmig(*arguments)) == (5, "plan-refused")  # though there is nothing to write: it is a mistake
    topics = requests.get(f"{source}/api/data/v9.2/msdynmkt_topics?$top=1", timeout=10).json()["value"]
    topic = f"{source}/api/data/v9.2/msdynmkt_topics({topics[0]['msdynmkt_topicid']})"
    assert requests.patch(topic, json={"msdynmkt_name": "Changed"}, timeout=10).status_code == 204
    refused = confmig(*arguments)
    assert refused.code == 5
    assert "the organization that the package was exported from" in refused.report["verdict"]
    assert confmig(*arguments, "--same-organization").code == 0
