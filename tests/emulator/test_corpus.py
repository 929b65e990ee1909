"""Every real package is served so that each of its values and names can be read back over the wire."""

import html
import os
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import ALL, NAME, TARGET, Client

_CORPUS = Path(os.environ.get("CONFMIG_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))
PACKAGES = sorted(path.name for path in (_CORPUS / "packages").iterdir()) if _CORPUS.is_dir() else ["none"]
ZERO = "00000000-0000-0000-0000-000000000000"
MASKS = {
    "from": 1,
    "to": 2,
    "cc": 3,
    "bcc": 4,
    "requiredattendees": 5,
    "optionalattendees": 6,
    "organizer": 7,
    "resources": 10,
    "customers": 11,
    "partners": 12,
}
Row = dict[str, Any]


def roots(path: Path) -> Iterator[etree._Element]:
    """The XML documents of a package, read in the plainest way."""
    if path.is_dir():
        texts = [file.read_bytes() for file in sorted(path.glob("*.xml")) if not file.name.startswith("[")]
    else:
        with zipfile.ZipFile(path) as archive:
            texts = [archive.read(name) for name in archive.namelist() if not name.startswith("[")]
    for text in texts:
        yield etree.fromstring(text.removeprefix(b"\xef\xbb\xbf").strip())


class Expected:
    """What a package says, by table and row."""

    def __init__(self, path: Path) -> None:
        self.rows: dict[str, dict[str, Row]] = {}
        self.nameless: dict[str, int] = {}
        self.pairs: dict[str, set[tuple[str, str]]] = {}
        self.files = 0
        for root in roots(path):
            for entity in [root] if root.tag == "entity" else root.iter("entity"):
                if entity.find("fields") is None:
                    self._read(entity)

    def _read(self, entity: etree._Element) -> None:
        name = entity.get("name", "")
        for record in entity.iterfind("records/record"):
            self.files += 1
            values = {field.get("name", ""): field for field in record.findall("field")}
            key = record.get("id", "").lower()
            if key == ZERO and not any(field.get("value", "") == key for field in values.values()):
                self.nameless[name] = self.nameless.get(name, 0) + 1
            else:
                self.rows.setdefault(name, {}).setdefault(key, {}).update(values)
        for many in entity.iter("m2mrelationship"):
            for target in many.iter("targetid"):
                pair = (many.get("sourceid", "").lower(), (target.text or "").strip().lower())
                self.pairs.setdefault(many.get("m2mrelationshipname", ""), set()).add(pair)


def definitions(client: Client) -> dict[str, Row]:
    query = '{"Properties":{"AllProperties":true}}'
    listed = client.get(f"RetrieveMetadataChanges(Query=@p1)?@p1={query}")["EntityMetadata"]
    return {entity["LogicalName"]: entity for entity in listed}


def moment(text: str) -> datetime:
    if "/" in text:
        return datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p")
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(whole).replace(microsecond=int((fraction + "000000")[:6]))


def check_date(attribute: Row, given: str, served: str) -> None:
    behavior = attribute["DateTimeBehavior"]["Value"]
    assert moment(given) == moment(served)
    if "/" not in given:
        assert given.endswith("Z") == (behavior == "UserLocal"), "the form with or without Z cannot be told"


def check_lookup(row: Row, name: str, field: etree._Element) -> None:
    prop = f"_{name}_value"
    assert row[prop] == field.get("value", "").lower()
    assert row[prop + TARGET] == field.get("lookupentity")
    assert row.get(prop + NAME) == field.get("lookupentityname")


def check_value(attribute: Row, row: Row, field: etree._Element) -> None:
    name, given, kind = attribute["LogicalName"], field.get("value", ""), attribute["AttributeTypeName"]["Value"]
    if kind in ("LookupType", "CustomerType", "OwnerType"):
        check_lookup(row, name, field)
        return
    served = row[name]
    if kind in ("StringType", "MemoType", "EntityNameType"):
        assert served == re.sub(r"&(#\d+|#x[0-9a-fA-F]+|\w+);", lambda m: html.unescape(m.group()), given)
    elif kind == "DateTimeType":
        check_date(attribute, given, served)
    elif kind == "BooleanType":
        assert str(served).lower() == given.lower()
    elif kind == "MultiSelectPicklistType":
        assert served == given.removeprefix("[-1,").removesuffix(",-1]")
    elif kind == "UniqueidentifierType":
        assert served == given.lower()
    else:
        assert str(served) == given


def check_parties(client: Client, row_id: str, attribute: Row, field: etree._Element, parties: Row) -> None:
    listed = field.findall("activitypointerrecords")
    served = [row for row in client.rows("activityparties", **ALL) if row["_activityid_value"] == row_id]
    mask = MASKS[attribute["LogicalName"]]
    assert len(listed) == sum(1 for row in served if row["participationtypemask"] == mask)
    by_id = {row["activitypartyid"]: row for row in served}
    for party in listed:
        values = {one.get("name", ""): one for one in party.findall("field")}
        partner = values["partyid"].get("value", "").lower()
        own = values["activitypartyid"].get("value", "").lower() if "activitypartyid" in values else None
        row = by_id[own] if own else next(one for one in served if one["_partyid_value"] == partner)
        for name, one in values.items():
            check_value(parties[name], row, one)


def served_rows(client: Client, entity: Row) -> dict[str, Row]:
    key, entity_set = entity["PrimaryIdAttribute"], entity["EntitySetName"]
    rows = {row[key]: row for row in client.iterate(entity_set, **ALL)}
    images = [one["LogicalName"] for one in entity["Attributes"] if one["AttributeTypeName"]["Value"] == "ImageType"]
    if images:
        for row in client.iterate(f"{entity_set}?$select={','.join(images)}"):
            rows[row[key]].update(row)
    return rows


def attributes_of(entity: Row) -> dict[str, Row]:
    return {attribute["LogicalName"]: attribute for attribute in entity["Attributes"]}


def check_tables(client: Client, expected: Expected, tables: dict[str, Row]) -> int:
    parties = attributes_of(tables["activityparty"])
    checked = 0
    for name, rows in expected.rows.items():
        served = served_rows(client, tables[name])
        assert len(served) == len(rows) + expected.nameless.get(name, 0), name
        attributes = attributes_of(tables[name])
        for row_id, values in rows.items():
            for column, field in values.items():
                if attributes[column]["AttributeTypeName"]["Value"] == "PartyListType":
                    check_parties(client, row_id, attributes[column], field, parties)
                else:
                    check_value(attributes[column], served[row_id], field)
                checked += 1
    return checked


def check_pairs(client: Client, expected: Expected, tables: dict[str, Row]) -> None:
    for name, pairs in expected.pairs.items():
        assert tables[name]["IsIntersect"] is True
        many = next(
            one
            for entity in tables.values()
            for one in entity["ManyToManyRelationships"]
            if one["IntersectEntityName"] == name
        )
        one, two = many["Entity1IntersectAttribute"], many["Entity2IntersectAttribute"]
        rows = {(row[one], row[two]) for row in client.iterate(tables[name]["EntitySetName"])}
        assert rows == pairs or rows == {(second, first) for first, second in pairs}


@pytest.mark.parametrize("name", PACKAGES)
def test_every_value_can_be_read_back(corpus: Path, name: str) -> None:
    path = corpus / "packages" / name
    expected = Expected(path)
    with Emulator(EmulatorOptions(package=path)) as emulator:
        client = Client(emulator.url)
        tables = definitions(client)
        assert check_tables(client, expected, tables) or expected.nameless or not expected.rows
        for entity, count in expected.nameless.items():
            rows = client.rows(tables[entity]["EntitySetName"])
            assert len(rows) == count + len(expected.rows.get(entity, {}))
        check_pairs(client, expected, tables)
        client.close()


@pytest.mark.parametrize("name", PACKAGES)
def test_an_empty_target_has_the_tables_and_the_outside_rows_only(corpus: Path, name: str) -> None:
    path = corpus / "packages" / name
    expected = Expected(path)
    with Emulator(EmulatorOptions(package=path, empty=True)) as emulator:
        client = Client(emulator.url)
        tables = definitions(client)
        for entity, rows in expected.rows.items():
            definition = tables[entity]
            key = definition["PrimaryIdAttribute"]
            served = {row[key] for row in client.iterate(f"{definition['EntitySetName']}?$select={key}")}
            assert not served & set(rows)
            for values in rows.values():
                for field in values.values():
                    target = field.get("lookupentity")
                    if target and field.get("value", "").lower() not in expected.rows.get(target, {}):
                        outside = tables[target]["EntitySetName"]
                        assert outside
        client.close()


def test_schema_files_alone_make_empty_environments(corpus: Path) -> None:
    for path in sorted((corpus / "schemas").glob("*.xml")):
        with Emulator(EmulatorOptions(package=path)) as emulator:
            client = Client(emulator.url)
            declared = {
                entity.get("name") for root in [etree.parse(path).getroot()] for entity in root.findall("entity")
            }
            listed = client.get("EntityDefinitions?$select=LogicalName")["value"]
            assert declared <= {entity["LogicalName"] for entity in listed}, path.name
            client.close()
