"""The main job on every real package: export, compare, import, verify, import again."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from confmig.package.container import Container
from confmig.package.package import Package
from tests.conftest import PRINTED
from tests.flow.conftest import Confmig, Serve

CMT_LATER_THAN_2020 = (
    # Written by CMT itself in 2020 and later, as a whole. The split form of xrm-ci-framework has other bytes.
    "MicrosoftLearning__PL-400_Microsoft-Power-Platform-Developer__02-PermitManagementdata.zip",
    "MicrosoftLearning__PL-400_Microsoft-Power-Platform-Developer__06-PermitManagementdata.zip",
    "cloudfyy__contoso-real-estate-power-platform__03-reference-data.zip",
    "cloudfyy__contoso-real-estate-power-platform__04-sample-data.zip",
    "dotnetprog__dataverse-configuration-migration-tool__01-data",
    "microsoft__Dynamics-365-FastTrack-Implementation-Assets__02-FSSummaryConfigurationData.zip",
    "microsoft__Industry-Accelerator-Media__01-MediaCPM_DefaultData.zip",
    "microsoft__Industry-Accelerator-Media__02-DefaultData.zip",
    "microsoft__Industry-Accelerator-Media__03-MediaRegistrationPortalConfigData.zip",
    "microsoft__powerapps-tools__01-AppConfig.zip",
    "pnp__powerplatform-samples__01-PromptWagonSampleData.zip",
)


@pytest.mark.timeout(900)
def test_every_real_package_moves_whole_and_a_second_import_writes_nothing(
    corpus: Path, confmig: Confmig, serve: Serve, record_property: Callable[[str, object], None]
) -> None:
    lines = [f"{'package':72} {'tables':>6} {'rows':>6} {'pairs':>6} {'seconds':>8}"]
    remarks: list[str] = []
    packages = sorted((corpus / "packages").iterdir())
    for package in packages:
        started = time.monotonic()
        counts, words = _move(package, confmig, serve)
        lines.append(f"{package.name[:72]:72} {counts} {time.monotonic() - started:8.1f}")
        remarks += words
    record_property(PRINTED, "\n".join([*lines, "", "What is wrong or odd in a package itself:", *remarks]))
    assert len(packages) >= 37


def _move(package: Path, confmig: Confmig, serve: Serve) -> tuple[str, list[str]]:
    source, target = serve(package=package), serve(package=package, empty=True)
    exported = confmig("export", "--source", source.url, "--schema", package, "--data", "out.zip", "--format", "json")
    assert exported.code == 0, exported
    compared = confmig("diff", package, "out.zip")
    assert compared.code == 0, (package.name, compared.out[:4000])
    first = confmig("import", "--target", target.url, "--data", "out.zip", "--run", "1.run", "--format", "json")
    assert first.code == 0, (package.name, first)
    facts = first.facts
    rows, pairs = exported.facts["rows"], exported.facts["associations"]
    repeated = [row for row in _notes(first.report) if "more than once" in row[2]]
    copies = sum(int(row[3]) for row in repeated)
    assert facts["created"] + facts["unchanged"] == rows - copies, (package.name, facts)
    assert facts["associations_added"] + facts["associations_unchanged"] == pairs
    assert facts["not_applied"] == facts["conflicts"] == facts["skipped_rows"] == facts["differences_left"] == 0
    verified = confmig("verify", "--target", target.url, "--data", "out.zip")
    assert verified.code == 0, (package.name, verified.out[:4000])
    second = confmig("import", "--target", target.url, "--data", "out.zip", "--run", "2.run", "--format", "json")
    assert (second.code, second.facts["writes"]) == (0, 0), package.name
    tables = len(exported.report["sections"][0]["rows"])
    for emulator in (source, target):
        emulator.stop()
    for name in ("1.run", "2.run"):
        Path(name).unlink()
    return f"{tables:6} {rows:6} {pairs:6}", _remarks(package, repeated)


def _notes(report: dict[str, Any]) -> list[list[str]]:
    return [row for section in report["sections"] if section["title"] == "Notes" for row in section["rows"]]


def _remarks(package: Path, repeated: list[list[str]]) -> list[str]:
    words = [f"  {package.name}: {row[0]}: {row[3]} rows: {row[2]}, such as {row[4]}" for row in repeated]
    with Package(package) as opened:
        nameless = sum(1 for event in opened.rows() if getattr(event, "id", "") is None)
        if opened.schema.inferred:
            words.append(f"  {package.name}: it has no schema; one was inferred from its rows")
    if nameless:
        words.append(f"  {package.name}: {nameless} rows share the zero id, so each was given an id of its own")
    return words


@pytest.mark.parametrize("name", CMT_LATER_THAN_2020)
def test_an_exported_package_differs_from_cmts_only_in_the_order_of_rows_and_the_time(
    name: str, corpus: Path, confmig: Confmig, serve: Serve
) -> None:
    package = corpus / "packages" / name
    source = serve(package=package)
    assert confmig("export", "--source", source.url, "--schema", package, "--data", "out.zip").code == 0
    with Container(package) as original, Container(Path("out.zip")) as written:
        assert written.read("data_schema.xml") == original.read("data_schema.xml")
        assert _sorted(_data(written)) == _sorted(_data(original))


JOINED = re.compile(r'\n        <field name="msmedia_(?:cardimage|registrationportalbannerimage)" value="[^"]*" />')
"""Of the one package that declares a table twice: its first copy of the rows lacks these images, its second has them,
so it was joined from two exports and no environment gives both."""


def _data(package: Container) -> str:
    # The corpus holds one package unpacked by git, whose line ends git has changed.
    text = package.read("data.xml").decode().replace("\r\n", "\n")
    return JOINED.sub("", text) if '<entity name="msmedia_mediaevent"' in text else text


def _sorted(text: str) -> list[str]:
    """The document as its pieces: everything around the rows, then the rows and pairs of each table, sorted."""
    text = re.sub(r' timestamp="[^"]*"', "", text)
    pieces: list[str] = []
    for entity in re.split(r"(?=\n  <entity )", text):
        rows = re.findall(r"\n      <record .*?</record>", entity, re.DOTALL)
        pairs = [
            _sorted_targets(found)
            for found in re.findall(r"\n      <m2mrelationship .*?</m2mrelationship>", entity, re.DOTALL)
        ]
        frame = re.sub(r"\n      <(record|m2mrelationship) .*?</\1>", "", entity, flags=re.DOTALL)
        pieces += [frame, *sorted(rows), *sorted(pairs)]
    return pieces


def _sorted_targets(pair: str) -> str:
    targets = sorted(re.findall(r"<targetid>[^<]*</targetid>", pair))
    return re.sub(r"<targetid>.*</targetid>", "".join(targets), pair, flags=re.DOTALL)
