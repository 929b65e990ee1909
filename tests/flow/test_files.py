"""Files in file columns: exported with their rows, compared by name and content, uploaded in blocks."""

import asyncio
import hashlib
import subprocess
import sys
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
import requests

from confmig.emulator.http.asgi import Application
from confmig.model.records import Record
from confmig.model.values import FileRef
from confmig.package.package import Package
from tests.flow.conftest import Confmig, Serve
from tests.webapi.wire import LOST, Instead, Wire, refusal

SCHEMA = """<entities>
  <entity name="shop_doc" displayname="Doc" etc="10003" primaryidfield="shop_docid" primarynamefield="shop_name" disableplugins="false">
    <fields>
      <field displayname="Doc" name="shop_docid" type="guid" primaryKey="true" />
      <field displayname="Name" name="shop_name" type="string" />
      <field displayname="Paper" name="shop_paper" type="filedata" />
      <field displayname="Cover" name="shop_cover" type="filedata" />
    </fields>
    <relationships />
  </entity>
</entities>"""  # noqa: E501

File = tuple[str, bytes]
"""A file's name and content."""

LARGE = bytes(range(256)) * 36 * 1024
"""9 MB: two whole blocks and a part of one."""


def row_id(number: int) -> str:
    return f"44444444-dddd-4ddd-8ddd-{number:012}"


def file_id(number: int, column: str) -> str:
    return f"{'5555555' if column == 'shop_paper' else '6666666'}5-eeee-4eee-8eee-{number:012}"


def write_docs(path: Path, docs: Mapping[int, Mapping[str, File]], without: frozenset[str] = frozenset()) -> Path:
    """A package of documents with their files; the payloads of the files ``without`` are missing."""
    records, payloads = [], {}
    for number, files in docs.items():
        fields = f'<field name="shop_docid" value="{row_id(number)}" /><field name="shop_name" value="Doc {number}" />'
        for column, (name, content) in files.items():
            named = file_id(number, column)
            written = quoteattr(name, {"\n": "&#xA;", "\r": "&#xD;", "\t": "&#x9;"})
            fields += f'<field name="{column}" value="{named}" filename={written} />'
            payloads[named] = content
        records.append(f'<record id="{row_id(number)}">{fields}</record>')
    data = (
        '<entities><entity name="shop_doc" displayname="Doc"><records>'
        f"{''.join(records)}</records><m2mrelationships /></entity></entities>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.xml", data)
        archive.writestr("data_schema.xml", SCHEMA)
        for named, content in payloads.items():
            if named not in without:
                archive.writestr(f"files/{named}.bin", content)
    return path


DOCS: dict[int, dict[str, File]] = {
    1: {"shop_paper": ("report.pdf", b"r" * 1024), "shop_cover": ("cover.png", b"c")},
    2: {"shop_paper": (" empty.txt ", b"")},
    3: {"shop_paper": ("large.bin", LARGE)},
    4: {"shop_paper": ('Bericht "Grüße" & 日本 <1>.txt', b"odd")},
    5: {"shop_paper": ("../../etc/passwd\n::set-output", b"path")},
    6: {},
}


def files_in(path: Path) -> dict[str, bytes]:
    with Package(path) as package:
        found = {}
        for file in package.file_ids:
            with package.open_file(file) as stream:
                found[file] = stream.read()
        return found


def expected(docs: Mapping[int, Mapping[str, File]]) -> dict[str, bytes]:
    return {file_id(number, column): file[1] for number, files in docs.items() for column, file in files.items()}


def test_files_are_exported_and_two_exports_are_the_same_bytes(
    confmig: Confmig, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    given = write_docs(tmp_path / "given.zip", DOCS)
    source = serve(package=given).url
    exports = [tmp_path / "one.zip", tmp_path / "two.zip"]
    for path in exports:
        result = confmig("export", "--source", source, "--schema", given, "--data", path, "--format", "json")
        assert result.code == 0, result.err
        assert (result.facts["files"], result.facts["file_bytes"]) == (6, 1024 + 1 + len(LARGE) + 3 + 4)
    assert exports[0].read_bytes() == exports[1].read_bytes()
    assert files_in(exports[0]) == expected(DOCS)
    assert confmig("diff", given, exports[0]).code == 0
    manifest = (tmp_path / "one.manifest.json").read_text()
    assert '"files": 6' in manifest


def test_files_are_exported_into_the_folder_form(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    given = write_docs(tmp_path / "given.zip", DOCS)
    folder = tmp_path / "folder"
    assert confmig("export", "--source", serve(package=given).url, "--schema", given, "--data", folder).code == 0
    assert files_in(folder) == expected(DOCS)


def test_an_honest_file_of_zeros_is_no_zip_bomb(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    docs: dict[int, dict[str, File]] = {1: {"shop_paper": ("disk.img", bytes(12 * 1024**2))}}
    given = write_docs(tmp_path / "given.zip", docs)
    path = tmp_path / "a.zip"
    assert confmig("export", "--source", serve(package=given).url, "--schema", given, "--data", path).code == 0
    assert files_in(path) == expected(docs)


def test_a_file_that_the_environment_does_not_give_stops_the_export(
    confmig: Confmig, serve: Serve, tmp_path: Path
) -> None:
    without = frozenset([file_id(1, "shop_paper")])
    given = write_docs(tmp_path / "given.zip", DOCS, without)
    result = confmig("export", "--source", serve(package=given).url, "--schema", given, "--data", tmp_path / "a.zip")
    assert result.code == 8
    assert f"shop_paper of shop_doc {row_id(1)}" in result.err
    assert not (tmp_path / "a.zip").exists()


def package_of(confmig: Confmig, target: str, given: Path, name: str) -> dict[tuple[str, str], File]:
    """What the target holds: its files, by row and column, as an export brings them."""
    path = given.with_name(name)
    assert confmig("export", "--source", target, "--schema", given, "--data", path).code == 0
    found: dict[tuple[str, str], File] = {}
    with Package(path) as package:
        for event in package.rows():
            if isinstance(event, Record):
                for column, value in event.values.items():
                    if isinstance(value, FileRef):
                        with package.open_file(value.id) as stream:
                            found[event.id or "", column] = (value.name or "", stream.read())
    return found


def held(docs: Mapping[int, Mapping[str, File]]) -> dict[tuple[str, str], File]:
    return {(row_id(number), column): file for number, files in docs.items() for column, file in files.items()}


def test_files_arrive_and_a_second_import_writes_nothing(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    given = write_docs(tmp_path / "given.zip", DOCS)
    wire = Wire()
    target = serve(wire, package=given, empty=True)
    done = confmig("import", "--target", target.url, "--data", given, "--format", "json")
    assert done.code == 0, done.out + done.err
    assert (done.facts["writes"], done.facts["created"], done.facts["differences_left"]) == (12, 6, 0)
    assert package_of(confmig, target.url, given, "back.zip") == held(DOCS)
    assert len(wire.targets("UploadBlock")) == 5 + 2  # none for the empty file, three for the large one
    assert confmig("verify", "--target", target.url, "--data", given).code == 0
    before = len(wire.targets("CommitFileBlocksUpload"))
    again = confmig("import", "--target", target.url, "--data", given, "--format", "json")
    assert (again.code, again.facts["writes"]) == (0, 0)
    assert len(wire.targets("CommitFileBlocksUpload")) == before


def test_what_is_different_is_shown_and_written_and_nothing_else(
    confmig: Confmig, serve: Serve, tmp_path: Path
) -> None:
    given = write_docs(tmp_path / "given.zip", DOCS)
    target = serve(package=given).url
    changed: dict[int, dict[str, File]] = {
        **DOCS,
        1: {"shop_paper": ("report.pdf", b"R" * 1024), "shop_cover": ("front.png", b"c")},
        3: {"shop_paper": ("large.bin", LARGE[:-1])},
        6: {"shop_cover": ("new.txt", b"new")},
    }
    data = write_docs(tmp_path / "changed.zip", changed)
    planned = confmig("plan", "--target", target, "--data", data, "--format", "json")
    assert (planned.code, planned.facts["updated"], planned.facts["created"]) == (0, 3, 0)
    rows = next(part["rows"] for part in planned.report["sections"] if part["title"] == "Changes")
    told = {(row[1], row[3].partition(":")[0]): row[3].partition(": ")[2] for row in rows}
    digests = {content: hashlib.sha256(content).hexdigest()[:16] for content in (b"r" * 1024, b"R" * 1024)}
    assert told["Doc 1", "shop_paper"] == (
        f"report.pdf (1,024 bytes, sha256 {digests[b'r' * 1024]})"
        f" → report.pdf (1,024 bytes, sha256 {digests[b'R' * 1024]})"
    )
    assert told["Doc 1", "shop_cover"].startswith("cover.png (1 byte) → front.png (1 byte, sha256 ")
    assert told["Doc 3", "shop_paper"].startswith(f"large.bin ({len(LARGE):,} bytes) → large.bin ({len(LARGE) - 1:,} ")
    assert told["Doc 6", "shop_cover"].startswith("— → new.txt (3 bytes, sha256 ")
    assert len(told) == 4
    differences = confmig("verify", "--target", target, "--data", data, "--format", "json")
    assert (differences.code, differences.facts["differences"]) == (4, 4)
    done = confmig("import", "--target", target, "--plan", "confmig.plan", "--data", data, "--format", "json")
    assert (done.code, done.facts["writes"], done.facts["differences_left"]) == (0, 4, 0)
    assert package_of(confmig, target, given, "back.zip") == held(changed)


def test_a_plan_with_files_is_not_applied_without_its_package(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    given = write_docs(tmp_path / "given.zip", DOCS)
    target = serve(package=given, empty=True).url
    assert confmig("plan", "--target", target, "--data", given).code == 0
    refused = confmig("import", "--target", target, "--plan", "confmig.plan")
    assert refused.code == 5
    assert "--data" in refused.err
    assert package_of(confmig, target, given, "back.zip") == {}
    assert confmig("import", "--target", target, "--plan", "confmig.plan", "--data", given).code == 0


def test_a_payload_that_the_package_lacks_is_named_before_anything_is_written(
    confmig: Confmig, serve: Serve, tmp_path: Path
) -> None:
    missing = file_id(2, "shop_paper")
    data = write_docs(tmp_path / "data.zip", DOCS, frozenset([missing]))
    target = serve(package=write_docs(tmp_path / "given.zip", DOCS), empty=True).url
    for command in ("plan", "import", "verify"):
        refused = confmig(command, "--target", target, "--data", data)
        assert refused.code == 6
        assert f"files/{missing}.bin" in refused.err
        assert f"table shop_doc, row {row_id(2)}, shop_paper" in refused.err
    rows = requests.get(f"{target}/api/data/v9.2/shop_docs?$select=shop_docid", timeout=20).json()
    assert rows["value"] == []


@pytest.mark.parametrize("part", ["CommitFileBlocksUpload", "UploadBlock", "InitializeFileBlocksUpload"])
@pytest.mark.parametrize("instead", [LOST, Instead(504, b"<html>"), Instead(200, b"<html>Please wait</html>")])
def test_a_file_whose_answer_was_lost_is_read_back(
    confmig: Confmig, serve: Serve, tmp_path: Path, part: str, instead: Instead
) -> None:
    given = write_docs(tmp_path / "given.zip", DOCS)
    wire = Wire()
    target = serve(wire, package=given, empty=True)
    left = [instead]
    wire.fault = lambda passed: left.pop() if left and part in passed.target else None
    done = confmig("import", "--target", target.url, "--data", given, "--run", "a.run", "--format", "json")
    if instead.body.startswith(b"<html>P") and not part.startswith("Commit"):
        assert done.code == 8  # no service answers so, and nothing tells what to do then; the same command goes on
        done = confmig("import", "--target", target.url, "--data", given, "--run", "a.run", "--format", "json")
    assert (done.code, done.facts["not_applied"], done.facts["differences_left"]) == (0, 0, 0), done.out + done.err
    assert package_of(confmig, target.url, given, "back.zip") == held(DOCS)


def test_an_upload_that_was_killed_between_blocks_begins_anew(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    given = write_docs(tmp_path / "given.zip", {3: DOCS[3]})
    taken = threading.Event()
    blocks: list[str] = []

    def wrap(inner: Application) -> Application:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await inner(scope, receive, send)
            if scope["type"] == "http" and "UploadBlock" in scope["path"]:
                blocks.append(scope["path"])
                if len(blocks) == 2:
                    taken.set()
                    await asyncio.sleep(0.5)

        return app

    target = serve(wrap, package=given, empty=True).url
    command = ["import", "--target", target, "--data", str(given), "--run", "a.run", "--format", "json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "confmig", *command], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert taken.wait(30)
    process.kill()
    process.wait(30)
    assert package_of(confmig, target, given, "between.zip") == {}
    done = confmig(*command)
    assert (done.code, done.facts["applied"], done.facts["differences_left"]) == (0, 2, 0), done.err
    assert package_of(confmig, target, given, "back.zip") == held({3: DOCS[3]})


def test_a_file_that_was_replaced_since_the_plan_is_left_alone(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    given = write_docs(tmp_path / "given.zip", DOCS)
    target = serve(package=given).url
    data = write_docs(tmp_path / "changed.zip", {1: {"shop_paper": ("report.pdf", b"new")}})
    assert confmig("plan", "--target", target, "--data", data).code == 0
    url = f"{target}/api/data/v9.2/shop_docs({row_id(1)})/shop_paper"
    headers = {"Content-Type": "application/octet-stream", "x-ms-file-name": "report.pdf"}
    assert requests.patch(url, data=b"theirs", headers=headers, timeout=20).status_code == 204
    stopped = confmig("import", "--target", target, "--plan", "confmig.plan", "--data", data, "--format", "json")
    assert (stopped.code, stopped.facts["stale"]) == (5, 1)
    assert requests.get(f"{url}/$value", timeout=20).content == b"theirs"


def test_a_file_that_the_service_refuses_fails_alone_and_in_its_words(
    confmig: Confmig, serve: Serve, tmp_path: Path
) -> None:
    docs = {
        1: {"shop_paper": ("huge.bin", LARGE[: 8 * 1024**2] * 4 + b"!")},
        2: {"shop_paper": ("small.txt", b"s")},
    }
    given = write_docs(tmp_path / "given.zip", docs)
    target = serve(package=given, empty=True).url
    done = confmig("import", "--target", target, "--data", given, "--format", "json")
    assert (done.code, done.facts.get("failed")) == (9, 1), done.out + done.err
    rows = next(part["rows"] for part in done.report["sections"] if part["title"] == "Not applied")
    assert [(row[1], row[3], row[4]) for row in rows] == [
        ("Doc 1", "failed", "Attachment file size is too big. [0x80044a02]")
    ]
    assert package_of(confmig, target, given, "back.zip") == held({2: docs[2]})


def test_an_approved_plan_goes_on_with_the_files_that_are_left(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    given = write_docs(tmp_path / "given.zip", DOCS)
    wire = Wire()
    target = serve(wire, package=given, empty=True)
    planned = confmig("plan", "--target", target.url, "--data", given, "--format", "json")
    command = ["import", "--target", target.url, "--plan", "confmig.plan", "--data", given, "--format", "json"]
    command += ["--expect-digest", planned.facts["plan_digest"]]
    left = [refusal(400, "0x80043e09", "The attachment is blocked.")]
    wire.fault = lambda passed: left.pop() if left and "UploadBlock" in passed.target else None
    first = confmig(*command)
    assert (first.code, first.facts["applied"], first.facts["failed"]) == (9, 11, 1), first.err
    second = confmig(*command, "--run", "another.run")
    assert (second.code, second.facts["writes"], second.facts["not_applied"]) == (0, 1, 0), second.out + second.err
    assert package_of(confmig, target.url, given, "back.zip") == held(DOCS)


def test_an_import_goes_on_with_its_run_where_the_name_is_that_of_one_that_has_ended(
    confmig: Confmig, serve: Serve, tmp_path: Path
) -> None:
    given = write_docs(tmp_path / "given.zip", DOCS)
    wire = Wire()
    target = serve(wire, package=given, empty=True)
    ended = write_docs(tmp_path / "ended.zip", {6: {}})
    command = ["import", "--target", target.url, "--run", "a.run", "--format", "json", "--data"]
    assert confmig(*command, ended).facts["run_file"] == "a.run"
    left = [refusal(400, "0x80043e09", "The attachment is blocked.")]
    wire.fault = lambda passed: left.pop() if left and "UploadBlock" in passed.target else None
    first = confmig(*command, given)
    assert (first.code, first.facts["run_file"]) == (9, "a-2.run"), first.err
    second = confmig(*command, given)
    assert (second.code, second.facts["run_file"], second.facts["writes"]) == (0, "a-2.run", 1), second.err


def test_files_that_the_package_does_not_name_stay_in_the_target(
    confmig: Confmig, serve: Serve, tmp_path: Path
) -> None:
    given = write_docs(tmp_path / "given.zip", DOCS)
    target = serve(package=given).url
    less = write_docs(tmp_path / "less.zip", {number: {} for number in DOCS})
    done = confmig("import", "--target", target, "--data", less, "--format", "json")
    assert (done.code, done.facts["writes"]) == (0, 0)
    assert package_of(confmig, target, given, "back.zip") == held(DOCS)
