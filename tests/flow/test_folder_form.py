"""``unpack``, ``pack``, and the main job with a folder where a zip may stand."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.flow import packages
from tests.flow.conftest import Confmig, Result, Serve


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return packages.write(tmp_path / "data.zip", packages.full_data())


def _files(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_unpack_and_pack_lose_nothing_and_say_what_they_did(data: Path, confmig: Confmig) -> None:
    unpacked = confmig("unpack", data, "--output", "folder", "--format", "json")
    assert unpacked.code == 0, unpacked
    assert (unpacked.facts["rows"], unpacked.facts["associations"]) == (4, 2)
    assert unpacked.facts["files_added"] == len(_files(Path("folder")))
    packed = confmig("pack", "folder", "--output", "again.zip", "--format", "json")
    assert packed.code == 0, packed
    assert packed.facts["data_digest"] == unpacked.facts["data_digest"]
    assert confmig("diff", data, "again.zip").code == 0
    assert confmig("diff", data, "folder").code == 0
    assert confmig("unpack", "again.zip", "--output", "second").code == 0
    assert _files(Path("second")) == _files(Path("folder"))


def test_without_output_the_package_gives_the_name(data: Path, confmig: Confmig) -> None:
    assert confmig("unpack", "data.zip").code == 0
    assert Path("data/package.yml").is_file()
    data.unlink()
    assert confmig("pack", "data").code == 0
    assert data.is_file()


def test_the_folder_in_which_one_works_gives_its_own_name(
    data: Path, confmig: Confmig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert confmig("unpack", data, "--output", "folder").code == 0
    monkeypatch.chdir("folder")
    packed = confmig("pack", ".")
    assert packed.code == 0, packed
    assert confmig("diff", ".", "../folder.zip").code == 0


def test_what_is_no_plain_file_is_not_written_over(data: Path, confmig: Confmig) -> None:
    assert confmig("unpack", data, "--output", "folder").code == 0
    os.mkfifo("pipe.zip")
    refused = confmig("pack", "folder", "--output", "pipe.zip")
    assert refused.code == 2, refused
    assert "pipe.zip: this file is no package" in refused.err


def test_where_names_of_files_are_no_utf_8_no_folder_is_written(data: Path) -> None:
    plain = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "confmig", "unpack", data.name]
    done = subprocess.run(command, env=os.environ | plain, cwd=data.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done
    assert "PYTHONUTF8=1" in done.stderr
    assert not data.with_name("data").exists()


def test_a_manifest_goes_along(data: Path, confmig: Confmig, serve: Serve) -> None:
    source, target = serve(package=data), serve(package=data, empty=True)
    assert confmig("export", "--source", source.url, "--schema", data, "--data", "out.zip").code == 0
    manifest = Path("out.manifest.json").read_bytes()
    assert confmig("unpack", "out.zip", "--output", "folder").code == 0
    assert Path("folder.manifest.json").read_bytes() == manifest
    assert confmig("pack", "folder", "--output", "back.zip").code == 0
    assert Path("back.manifest.json").read_bytes() == manifest
    same = confmig("plan", "--target", source.url, "--data", "folder", "--format", "json")
    assert same.code == 5  # the manifest says where the rows come from
    assert "the target is the organization that" in same.out
    assert confmig("plan", "--target", target.url, "--data", "folder").code == 0


def test_the_main_job_takes_folder_and_zip_alike(data: Path, confmig: Confmig, serve: Serve) -> None:
    source, target = serve(package=data), serve(package=data, empty=True)
    options = ("--source", source.url, "--schema", data, "--format", "json")
    by_zip = confmig("export", *options, "--data", "out.zip")
    by_folder = confmig("export", *options, "--data", "out")
    assert (by_zip.code, by_folder.code) == (0, 0), by_folder
    assert by_zip.facts["data_digest"] == by_folder.facts["data_digest"]
    plans = [
        confmig("plan", "--target", target.url, "--data", name, "--plan", f"{name}.plan", "--format", "json").facts
        for name in ("out.zip", "out")
    ]
    assert plans[0]["plan_digest"] == plans[1]["plan_digest"]
    assert plans[0]["created"] == 4
    imported = confmig("import", "--target", target.url, "--data", "out", "--run", "a.run", "--format", "json")
    assert imported.code == 0, imported
    assert imported.facts["created"] == 4
    assert confmig("verify", "--target", target.url, "--data", "out").code == 0
    again = confmig("import", "--target", target.url, "--data", "out.zip", "--run", "b.run", "--format", "json")
    assert (again.code, again.facts["writes"]) == (0, 0)
    assert confmig("check", "--source", source.url, "--target", target.url, "--schema", "out").code == 0


def test_an_export_into_a_folder_touches_only_what_has_changed(data: Path, confmig: Confmig, serve: Serve) -> None:
    source, changed = (
        serve(package=data),
        serve(package=packages.write(data.with_name("b.zip"), packages.full_data("Pear"))),
    )
    assert confmig("export", "--source", source.url, "--schema", data, "--data", "out").code == 0
    for file in Path("out").rglob("*"):
        os.utime(file, (1, 1))
    before = _files(Path("out"))
    assert confmig("export", "--source", source.url, "--schema", data, "--data", "out").code == 0
    assert _files(Path("out")) == before  # the time of export, too
    assert confmig("export", "--source", source.url, "--schema", "out", "--data", "out").code == 0  # by its own schema
    assert {file.stat().st_mtime for file in Path("out").rglob("*") if file.is_file()} == {1}
    assert confmig("export", "--source", changed.url, "--schema", data, "--data", "out").code == 0
    after = _files(Path("out"))
    gone, come = before.keys() - after.keys(), after.keys() - before.keys()
    assert [name.partition("-")[0] for name in (*gone, *come)] == ["shop_item/apple", "shop_item/pear"]
    old = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    assert old == {"package.yml", next(name for name in before if name.startswith("shop_kind/fruit-"))}


def test_a_folder_that_holds_other_things_is_refused_and_left_alone(data: Path, confmig: Confmig) -> None:
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("keep")
    refused = confmig("unpack", data, "--output", "mine")
    assert refused.code == 2
    assert "other things" in refused.err
    assert _files(Path("mine")) == {"notes.txt": b"keep"}
    assert confmig("unpack", data, "--output", data).code == 2
    assert confmig("unpack", "missing").err.startswith("confmig: missing: there is no such data package.")
    assert confmig("unpack", data, "--output", "folder").code == 0
    Path("folder/shop_item/notes.txt").write_text("keep")
    before = _files(Path("folder"))
    refused = confmig("unpack", packages.write(Path("other.zip"), packages.data()), "--output", "folder")
    assert refused.code == 6
    assert "notes.txt" in refused.err
    assert _files(Path("folder")) == before


def test_output_within_the_package_itself_is_refused(data: Path, confmig: Confmig) -> None:
    assert confmig("unpack", data, "--output", "folder").code == 0
    assert confmig("pack", "folder", "--output", "folder/data.zip").code == 2
    assert confmig("unpack", "folder", "--output", "folder/inner").code == 2
    Path("text.txt").write_text("keep")
    assert confmig("pack", "folder", "--output", "text.txt").code == 2
    assert Path("text.txt").read_text() == "keep"


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "--plan", "folder/confmig.plan"),
        ("plan", "--report", "folder/plan.html"),
        ("import", "--unreviewed", "--run", "folder/confmig.run"),
        ("import", "--plan", "folder/confmig.plan"),
        ("verify", "--report", "folder/shop_item/verify.md"),
        ("check", "--report", "folder/check.json"),
    ],
    ids=" ".join,
)
def test_nothing_is_written_among_the_files_of_a_package(
    words: tuple[str, ...], data: Path, confmig: Confmig, serve: Serve
) -> None:
    target = serve(package=data, empty=True).url
    assert confmig("unpack", data, "--output", "folder").code == 0
    before = _files(Path("folder"))
    command, *options = words
    target_option = () if command == "check" else ("--target", target)
    result = confmig(command, *target_option, "--data", "folder", *options)
    assert (result.code, "holds nothing else" in result.err) == (2, True)
    assert _files(Path("folder")) == before
    hidden = confmig("check", "--data", "folder", "--report", "folder/.git/check.json")
    assert hidden.code == 0
    assert Path("folder/.git/check.json").exists()


def test_an_export_puts_no_report_into_its_folder(data: Path, confmig: Confmig, serve: Serve) -> None:
    source = serve(package=data).url
    result = confmig("export", "--source", source, "--schema", data, "--data", "new", "--report", "new/export.md")
    assert (result.code, Path("new").exists()) == (2, False)


def test_members_that_are_no_part_of_a_package_are_told(tmp_path: Path, confmig: Confmig) -> None:
    path = packages.write(tmp_path / "data.zip", packages.full_data())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("readme.txt", "hello")
    result = confmig("unpack", path, "--output", "folder")
    assert result.code == 0
    assert "readme.txt" in result.out


def test_git_sees_one_changed_line(data: Path, confmig: Confmig) -> None:
    assert confmig("unpack", data, "--output", "folder").code == 0

    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@x", "-c", "core.autocrlf=true", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    git("init", "-q", ".")
    git("add", "folder")
    git("commit", "-qm", "one")
    changed = packages.write(
        Path("b.zip"), packages.full_data().replace('"shop_pieces" value="3"', '"shop_pieces" value="4"')
    )
    assert confmig("unpack", changed, "--output", "folder").code == 0
    lines = [line for line in git("diff", "-U0").splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
    assert lines == ["-shop_pieces: 3", "+shop_pieces: 4"]
    git("checkout", "-q", "folder")
    assert confmig("diff", data, "folder").code == 0


def test_the_emulator_serves_a_folder(data: Path, confmig: Confmig) -> None:
    assert confmig("unpack", data, "--output", "folder").code == 0
    command = [sys.executable, "-m", "confmig", "emulator", "--package", "folder", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as emulator:
        try:
            assert emulator.stdout is not None
            url = json.loads(emulator.stdout.readline())["url"]
            exported = confmig("export", "--source", url, "--schema", data, "--data", "out", "--format", "json")
            assert (exported.code, exported.facts["rows"]) == (0, 4), exported
        finally:
            emulator.terminate()
    assert confmig("diff", "folder", "out").code == 0


def test_lint_tells_the_file_and_the_line_of_a_row(data: Path, confmig: Confmig) -> None:
    assert confmig("unpack", data, "--output", "folder").code == 0
    before = _findings(confmig("check", "--data", data, "--format", "json"))
    assert _findings(confmig("check", "--data", "folder", "--format", "json")) == before
    (apple,) = Path("folder/shop_item").glob("apple-*.yml")
    lines = apple.read_text().splitlines()
    line = next(index for index, text in enumerate(lines, 1) if text.startswith("shop_kind:"))
    apple.write_text("\n".join(lines).replace(packages.FRUIT, packages.FRUIT[:-1] + "0") + "\n")
    told = confmig("check", "--data", "folder", "--format", "json").report["findings"]
    (dangling,) = [finding for finding in told if finding["rule"] == "lookup-dangling"]
    assert dangling["places"] == [{"file": f"shop_item/{apple.name}", "line": line}]
    shutil.copy(apple, apple.with_name("copy.yml"))
    told = confmig("check", "--data", "folder", "--format", "json").report["findings"]
    assert "id-twice" in {finding["rule"] for finding in told}


def _findings(result: Result) -> list[tuple[str, str, str]]:
    return sorted((finding["rule"], finding["table"], finding["column"]) for finding in result.report["findings"])


def test_a_package_without_a_schema_is_told_to_have_got_one(tmp_path: Path, confmig: Confmig) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "data.xml").write_text(packages.full_data())
    result = confmig("unpack", "bare", "--output", "folder")
    assert result.code == 0
    assert "no schema" in result.out
    assert "no schema" not in confmig("pack", "folder").out
