"""Hostile packages before the commands: exit code 6, the member, the line and the reason, and never a traceback."""

import zipfile
from pathlib import Path

import pytest

from tests.flow import packages
from tests.flow.conftest import Confmig, Result, Serve

_BOMB = '<!DOCTYPE e [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><entities>&b;</entities>'


def _refused(result: Result, *words: str) -> None:
    assert result.code == 6, result
    for word in words:
        assert word in result.err, (word, result.err)
    assert "Traceback" not in result.err


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return packages.write(tmp_path / "good.zip", packages.full_data())


@pytest.fixture
def bomb(tmp_path: Path) -> Path:
    return packages.write(tmp_path / "bomb.zip", _BOMB)


def test_every_command_that_reads_packages_refuses_a_hostile_one(
    confmig: Confmig, good: Path, bomb: Path, serve: Serve
) -> None:
    target = serve(package=good).url
    for words in (
        ("diff", bomb, good),
        ("diff", good, bomb),
        ("check", "--data", bomb),
        ("unpack", bomb),
        ("pack", bomb, "--output", "again.zip"),
        ("plan", "--target", target, "--data", bomb),
        ("import", "--target", target, "--data", bomb),
        ("verify", "--target", target, "--data", bomb),
    ):
        _refused(confmig(*words), "bomb.zip: data.xml, line 1", "document type", "Remove the <!DOCTYPE")


def test_a_hostile_schema_is_refused(confmig: Confmig, tmp_path: Path, good: Path, serve: Serve) -> None:
    schema = tmp_path / "schema.xml"
    schema.write_text(f"<!-- a\ncomment -->{_BOMB}")
    source = serve(package=good).url
    for words in (
        ("schema", "validate", "--schema", schema),
        ("check", "--source", source, "--target", source, "--schema", schema),
        ("export", "--source", source, "--schema", schema),
        ("promote", "--source", source, "--target", source, "--schema", schema),
    ):
        _refused(confmig(*words), "schema.xml, line 2", "document type")


def test_a_broken_value_is_told_with_its_line(confmig: Confmig, good: Path, tmp_path: Path) -> None:
    data = packages.full_data().replace("<records>", "<records>\n\n", 1)
    data = data.replace('name="shop_kindid" value="', 'name="shop_kindid" value="x', 1)
    broken = packages.write(tmp_path / "broken.zip", data)
    _refused(
        confmig("diff", good, broken),
        "broken.zip: data.xml, line 3: table shop_kind",
        "column shop_kindid",
        "is no guid",
    )


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ("tables=1", ("schema", "line ", "more than 1 tables", "tables=")),
        ("value=5", ("data_schema.xml, line 2", "more than 5 characters", "value=")),
        ("size=100", ("more than 100 bytes", "size=")),
    ],
)
def test_a_limit_can_be_set_and_the_refusal_says_how_to_raise_it(
    confmig: Confmig, good: Path, limits: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    _refused(confmig("diff", good, good, "--package-limits", limits), *words, "--package-limits")
    _refused(confmig("unpack", good, "--package-limits", limits), *words)
    _refused(confmig("check", "--data", good, "--package-limits", limits), *words)
    target = serve(package=good).url
    _refused(confmig("plan", "--target", target, "--data", good, "--package-limits", limits), *words)
    monkeypatch.setenv("CONFMIG_PACKAGE_LIMITS", limits)
    _refused(confmig("import", "--target", target, "--data", good), *words)
    _refused(confmig("verify", "--target", target, "--data", good), *words)


def test_what_the_defaults_refuse_can_be_allowed(confmig: Confmig, tmp_path: Path) -> None:
    path = tmp_path / "long.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.xml", packages.full_data().replace("Apple", "A" * 12 * 1024**2, 1))
        archive.writestr("data_schema.xml", packages.SCHEMA)
    _refused(confmig("diff", path, path), "data.xml", "250 times", "ratio")
    _refused(confmig("diff", path, path, "--package-limits", "ratio=1032"), "data.xml, line", "characters", "value")
    assert confmig("diff", path, path, "--package-limits", "ratio=1032,value=16MB").code == 0


@pytest.mark.parametrize(
    "text",
    [
        "ratio",
        "ratio=",
        "ratio=0",
        "ratio=-1",
        "rate=1",
        "ratio=1,ratio=2",
        "size=1XB",
        "size=1.5GB",
        "1",
        ",",
        "size=\u0661",
    ],
)
def test_limits_that_are_none_are_a_mistake_of_use(confmig: Confmig, good: Path, text: str) -> None:
    result = confmig("diff", good, good, "--package-limits", text)
    assert result.code == 2, result
    assert "--package-limits" in result.err
    assert "ratio=NUMBER" in result.err
