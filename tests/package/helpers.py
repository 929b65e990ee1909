"""Packages made by hand, and what is read from them."""

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from confmig.errors import PackageError
from confmig.model.records import PackageEvent, Record, TableStart
from confmig.package.package import Package
from confmig.package.writer import write_package

ID1 = "11111111-1111-4111-8111-111111111111"
ID2 = "22222222-2222-4222-8222-222222222222"
ID3 = "33333333-3333-4333-8333-333333333333"

SCHEMA = """\
<entities >
  <entity name="item" displayname="Item" etc="1" primaryidfield="itemid" primarynamefield="name" disableplugins="false">
    <fields>
      <field displayname="Item" name="itemid" type="guid" primaryKey="true" />
      <field displayname="Name" name="name" type="string" />
      <field displayname="Count" name="count" type="number" />
      <field displayname="Price" name="price" type="money" />
      <field displayname="Due" name="due" type="datetime" />
      <field displayname="Open" name="open" type="bool" />
      <field displayname="Parent" name="parentid" type="entityreference" lookupType="item" />
      <field displayname="To" name="to" type="partylist" lookupType="account|contact" />
    </fields>
    <relationships />
  </entity>
</entities>"""


def document(*tables: str) -> str:
    """The text of a data.xml with these <entity> elements."""
    return '<entities timestamp="2024-01-01T00:00:00.0000000Z">' + "".join(tables) + "</entities>"


def table(records: str, name: str = "item", associations: str = "") -> str:
    """One <entity> element of a data.xml."""
    return (
        f'<entity name="{name}" displayname="Item"><records>{records}</records>'
        f"<m2mrelationships>{associations}</m2mrelationships></entity>"
    )


def row(fields: str, row_id: str = ID1) -> str:
    """One <record> element."""
    return f'<record id="{row_id}">{fields}</record>'


def make_folder(path: Path, data: str | bytes, schema: str | bytes | None = SCHEMA) -> Path:
    """A package as a folder; None means that it has no schema file."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "data.xml").write_bytes(data if isinstance(data, bytes) else data.encode())
    if schema is not None:
        (path / "data_schema.xml").write_bytes(schema if isinstance(schema, bytes) else schema.encode())
    return path


def make_zip(path: Path, members: Iterable[tuple[str, bytes]]) -> Path:
    """A zip of these members, in this order."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def events_of(path: Path) -> list[PackageEvent]:
    """All that a package holds."""
    with Package(path) as package:
        return list(package.rows())


def records_of(path: Path) -> list[Record]:
    """The rows of a package."""
    return [event for event in events_of(path) if isinstance(event, Record)]


def digest_of(path: Path) -> str:
    """The digest of a package."""
    with Package(path) as package:
        return package.digest


def refusal_of(path: Path) -> str:
    """The message with which reading a package fails; it must fail."""
    with pytest.raises(PackageError) as caught:
        events_of(path)
    return caught.value.message


def rewrite(path: Path, to: Path) -> Path:
    """Read a package and write what was read."""
    with Package(path) as package:
        write_package(to, package.schema_bytes, package.schema, package.rows(), package.timestamp)
    return to


def member_of(path: Path, name: str) -> bytes:
    """The bytes of a member of a zip."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def without_empty_tables(events: Sequence[PackageEvent]) -> list[PackageEvent]:
    """The events without the beginnings of tables that hold nothing: CMT does not write those."""
    followers = [*events[1:], TableStart("")]
    pairs = zip(events, followers, strict=True)
    return [
        event for event, follower in pairs if not (isinstance(event, TableStart) and isinstance(follower, TableStart))
    ]
