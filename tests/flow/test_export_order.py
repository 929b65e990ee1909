"""The order in which an export stands, whatever the order in which the service answers."""

import zipfile
from pathlib import Path

from lxml import etree

from tests.flow import packages
from tests.flow.conftest import Confmig, Serve

# In the order of SQL Server, which compares the last six bytes first, these run the other way round.
_IDS = [
    "10000000-0000-4000-8000-000000000003",
    "20000000-0000-4000-8000-000000000002",
    "30000000-0000-4000-8000-000000000001",
]


def test_rows_by_their_ids_columns_as_in_the_schema_and_pairs_by_both_ids(
    confmig: Confmig, serve: Serve, tmp_path: Path
) -> None:
    backwards = list(reversed(_IDS))
    kinds = "".join(packages.kind(row, f"Kind {row}") for row in backwards)
    items = "".join(
        # The columns of a row stand in another order than the schema's.
        f'<record id="{row}">{packages.field("shop_pieces", 3)}{packages.field("shop_price", "1.5")}'
        f"{packages.field('shop_name', row)}{packages.field('shop_itemid', row)}</record>"
        for row in backwards
    )
    pairs = "".join(packages.pair(row, *backwards) for row in backwards)
    package = packages.write(tmp_path / "shop.zip", packages.data(kinds, items, pairs))
    source = serve(package=package).url
    assert confmig("export", "--source", source, "--schema", package, "--data", "out.zip").code == 0
    with zipfile.ZipFile("out.zip") as archive:
        root = etree.fromstring(archive.read("data.xml").strip())
    tables = {table.get("name"): table for table in root.iterfind("entity")}
    assert list(tables) == ["shop_kind", "shop_item"]
    for table in tables.values():
        assert [record.get("id") for record in table.iterfind("records/record")] == _IDS
    for record in tables["shop_item"].iterfind("records/record"):
        names = [field.get("name") for field in record]
        assert names[:4] == ["shop_itemid", "shop_name", "shop_price", "shop_pieces"]
    links = tables["shop_kind"].findall("m2mrelationships/m2mrelationship")
    assert [link.get("sourceid") for link in links] == _IDS
    assert [[target.text for target in link.iter("targetid")] for link in links] == [_IDS] * 3
