"""Files in file columns: exported with their rows, compared by name and content, uploaded in blocks."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from confmig.package.package import Package

from .conftest import Confmig, Serve

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
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.xml", data)
        archive.writestr("data_schema.xml", SCHEMA)
        for named, content in payloads.items():
            if named not in without:
                archive.writestr(f"files/{named}.bin", content)
    return path


DOCS = {
    1: {"shop_paper": ("report.pdf", b"r" * 1024), "shop_cover": ("cover.png", b"c")},
    2: {"shop_paper": ("empty.txt", b"")},
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


def test_a_file_that_the_environment_does_not_give_stops_the_export(
    confmig: Confmig, serve: Serve, tmp_path: Path
) -> None:
    without = frozenset([file_id(1, "shop_paper")])
    given = write_docs(tmp_path / "given.zip", DOCS, without)
    result = confmig("export", "--source", serve(package=given).url, "--schema", given, "--data", tmp_path / "a.zip")
    assert result.code == 8
    assert f"shop_paper of shop_doc {row_id(1)}" in result.err
    assert not (tmp_path / "a.zip").exists()
