"""Rows that have other ids in the target, filters, and what a schema asks for."""

import zipfile
from pathlib import Path

import requests

from tests.flow import packages
from tests.flow.conftest import Confmig, Serve

BY_NAME = packages.SCHEMA.replace(
    '<field displayname="Name" name="shop_name" type="string" />',
    '<field updateCompare="true" displayname="Name" name="shop_name" type="string" />',
)
OTHER_FRUIT = "77777777-0000-4000-8000-000000000001"
OTHER_APPLE = "77777777-0000-4000-8000-000000000002"


def test_rows_found_by_their_key_keep_their_ids_and_lookups_follow(
    confmig: Confmig, serve: Serve, tmp_path: Path
) -> None:
    target_rows = packages.data(packages.kind(OTHER_FRUIT, "FRUIT"), packages.item(OTHER_APPLE, "apple"))
    target = serve(package=packages.write(tmp_path / "target.zip", target_rows, BY_NAME))
    package = packages.write(
        tmp_path / "source.zip",
        packages.data(
            packages.kind(packages.FRUIT, "Fruit"),
            packages.item(packages.APPLE, "Apple", packages.lookup("shop_kind", "shop_kind", packages.FRUIT, "Fruit"))
            + packages.item(packages.PLUM, "Plum", packages.lookup("shop_kind", "shop_kind", packages.FRUIT, "Fruit")),
            packages.pair(packages.FRUIT, packages.APPLE, packages.PLUM),
        ),
        BY_NAME,
    )
    done = confmig("import", "--target", target.url, "--data", package, "--format", "json")
    assert done.code == 0, done
    assert (done.facts["created"], done.facts["updated"], done.facts["associations_added"]) == (1, 2, 2)
    items = requests.get(f"{target.url}/api/data/v9.2/shop_items", timeout=10).json()["value"]
    assert {row["shop_itemid"]: row["_shop_kind_value"] for row in items} == {
        OTHER_APPLE: OTHER_FRUIT,
        packages.PLUM: OTHER_FRUIT,
    }
    assert confmig("verify", "--target", target.url, "--data", package).code == 0


def test_two_candidates_are_a_conflict_and_never_a_guess(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    twins = packages.item(OTHER_APPLE, "Apple") + packages.item(OTHER_FRUIT, "Apple")
    target = serve(package=packages.write(tmp_path / "target.zip", packages.data(items=twins), BY_NAME))
    package = packages.write(tmp_path / "a.zip", packages.data(items=packages.item(packages.APPLE, "Apple")), BY_NAME)
    refused = confmig("import", "--target", target.url, "--data", package)
    assert refused.code == 5
    assert "2 rows of the target have its key shop_name" in refused.out
    assert OTHER_APPLE in refused.out


def test_a_filter_of_the_schema_restricts_the_rows(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    source = serve(package=packages.write(tmp_path / "all.zip", packages.full_data()))
    for number, condition in enumerate(
        (
            '&lt;fetch&gt;&lt;entity name="shop_item"&gt;&lt;attribute name="shop_name" /&gt;&lt;filter&gt;'
            '&lt;condition attribute="shop_name" operator="begins-with" value="Ap" /&gt;&lt;/filter&gt;&lt;/entity&gt;'
            "&lt;/fetch&gt;",
            '<fetch><entity name="shop_item"><filter><condition attribute="shop_pieces" operator="eq" value="3" />'
            "</filter></entity></fetch>",
            '&lt;filter&gt;&lt;condition attribute="shop_price" operator="not-null" /&gt;&lt;/filter&gt;',
        )
    ):
        parts = packages.SCHEMA.rsplit("<relationships />", 1)
        schema = tmp_path / f"{number}.xml"
        schema.write_text(f"{parts[0]}<relationships /><filter>{condition}</filter>{parts[1]}")
        done = confmig("export", "--source", source.url, "--schema", schema, "--data", "part.zip", "--format", "json")
        assert done.code == 0, done
        with zipfile.ZipFile("part.zip") as archive:
            text = archive.read("data.xml").decode()
            assert archive.read("data_schema.xml") == schema.read_bytes()
        assert f'<record id="{packages.APPLE}">' in text
        assert f'<record id="{packages.PLUM}">' not in text
        assert 'name="shop_price" value="922337203685477.5807"' in text


def test_a_create_only_table_leaves_what_exists_alone(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    schema = packages.SCHEMA.replace('name="shop_item" displayname="Item"', 'skipupdate="true" name="shop_item"')
    target = serve(package=packages.write(tmp_path / "t.zip", packages.full_data(), schema))
    package = packages.write(tmp_path / "s.zip", packages.full_data(apple="Another"), schema)
    done = confmig("import", "--target", target.url, "--data", package, "--format", "json")
    assert (done.code, done.facts["writes"], done.facts["skipped_rows"]) == (0, 0, 2)
    item = requests.get(f"{target.url}/api/data/v9.2/shop_items({packages.APPLE})", timeout=10).json()
    assert item["shop_name"] == "Apple"


def test_a_table_without_bulk_messages_is_written_by_batches(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    users = "".join(
        f'<record id="88888888-0000-4000-8000-{n:012d}">'
        f"{packages.field('systemuserid', f'88888888-0000-4000-8000-{n:012d}')}"
        f"{packages.field('fullname', 'x' * 4000 if n == 7 else f'User {n}')}</record>"
        for n in range(30)
    )
    schema = (
        '<entities><entity name="systemuser" displayname="User" etc="8" primaryidfield="systemuserid"'
        ' primarynamefield="fullname" disableplugins="false"><fields>'
        '<field displayname="User" name="systemuserid" type="guid" primaryKey="true" />'
        '<field displayname="Full Name" name="fullname" type="string" /></fields></entity></entities>'
    )
    empty = packages.write(tmp_path / "none.zip", '<entities timestamp="2026-01-01T00:00:00Z" />', schema)
    rows = f'<entities><entity name="systemuser"><records>{users}</records></entity></entities>'
    package = packages.write(tmp_path / "users.zip", rows, schema)
    target = serve(package=empty)
    done = confmig("import", "--target", target.url, "--data", package, "--format", "json")
    assert (done.code, done.facts["writes"], done.facts["failed"]) == (9, 29, 1)


def test_ignored_columns_are_neither_compared_nor_written(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    target = serve(package=packages.write(tmp_path / "t.zip", packages.full_data()))
    package = packages.write(tmp_path / "s.zip", packages.full_data(apple="Another"))
    assert confmig("verify", "--target", target.url, "--data", package).code == 4
    ignore = ("--ignore", "shop_item.shop_name")
    assert confmig("verify", "--target", target.url, "--data", package, *ignore).code == 0
    done = confmig("import", "--target", target.url, "--data", package, *ignore, "--format", "json")
    assert (done.code, done.facts["writes"]) == (0, 0)


def test_a_plan_with_more_changes_than_allowed_is_refused(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    package = packages.write(tmp_path / "s.zip", packages.full_data())
    target = serve(package=package, empty=True)
    refused = confmig("import", "--target", target.url, "--data", package, "--max-changes", "3")
    assert refused.code == 5
    assert "--max-changes" in refused.out
    assert confmig("import", "--target", target.url, "--data", package, "--max-changes", "20").code == 0


def test_a_row_whose_key_came_into_being_since_the_plan_is_not_created_twice(
    confmig: Confmig, serve: Serve, tmp_path: Path
) -> None:
    target = serve(package=packages.write(tmp_path / "none.zip", packages.data(), BY_NAME))
    package = packages.write(tmp_path / "one.zip", packages.data(items=packages.item(packages.APPLE, "Apple")), BY_NAME)
    assert confmig("plan", "--target", target.url, "--data", package, "--plan", "a.plan").code == 0
    meanwhile = requests.post(f"{target.url}/api/data/v9.2/shop_items", json={"shop_name": "APPLE"}, timeout=10)
    assert meanwhile.status_code == 204
    stopped = confmig("import", "--target", target.url, "--plan", "a.plan")
    assert (stopped.code, "has come into being" in stopped.out) == (5, True)
    assert len(requests.get(f"{target.url}/api/data/v9.2/shop_items", timeout=10).json()["value"]) == 1
