"""The main job on packages of our own and on the built-in environments."""

import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import REPOSITORY
from tests.flow import packages
from tests.flow.conftest import Confmig, Serve


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return packages.write(tmp_path / "shop.zip", packages.full_data())


def rows(url: str, path: str) -> list[dict[str, Any]]:
    answer = requests.get(f"{url}/api/data/v9.2/{path}", timeout=10)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


def test_a_package_arrives_with_all_it_says(confmig: Confmig, package: Path, serve: Serve) -> None:
    target = serve(package=package, empty=True)
    done = confmig("import", "--target", target.url, "--data", package, "--format", "json")
    assert done.code == 0, done
    assert (done.facts["created"], done.facts["associations_added"], done.facts["not_applied"]) == (4, 2, 0)
    items = {row["shop_itemid"]: row for row in rows(target.url, "shop_items")}
    assert items[packages.PLUM]["shop_name"] == "Plum & pit"
    assert (items[packages.PLUM]["statecode"], items[packages.PLUM]["statuscode"]) == (1, 2)
    assert items[packages.APPLE]["_transactioncurrencyid_value"] == packages.CURRENCY
    assert items[packages.APPLE]["createdon"] != "2026-01-02T03:04:05Z"
    kinds = {row["shop_kindid"]: row for row in rows(target.url, "shop_kinds")}
    assert kinds[packages.FRUIT]["_shop_best_value"] == packages.APPLE
    assert kinds[packages.STONE]["_shop_parent_value"] == packages.FRUIT


def test_money_and_decimals_keep_all_their_digits_on_the_wire(
    confmig: Confmig, package: Path, serve: Serve, tmp_path: Path
) -> None:
    target = serve(package=package, empty=True)
    assert confmig("import", "--target", target.url, "--data", package).code == 0
    raw = requests.get(f"{target.url}/api/data/v9.2/shop_items({packages.APPLE})", timeout=10).text
    assert '"shop_price":922337203685477.5807' in raw
    assert '"shop_weight":0.1234567891' in raw
    assert confmig("export", "--source", target.url, "--schema", package, "--data", "out.zip").code == 0
    with zipfile.ZipFile("out.zip") as archive:
        text = archive.read("data.xml").decode()
    assert 'name="shop_price" value="922337203685477.5807"' in text
    assert 'name="shop_weight" value="0.1234567891"' in text


def test_a_plan_writes_nothing_and_is_applied_exactly(confmig: Confmig, package: Path, serve: Serve) -> None:
    target = serve(package=package, empty=True)
    planned = confmig("plan", "--target", target.url, "--data", package, "--plan", "a.plan", "--format", "json")
    assert planned.code == 0
    assert planned.facts["has_changes"] is True
    assert rows(target.url, "shop_items") == []
    digest = planned.facts["plan_digest"]
    wrong = confmig("import", "--target", target.url, "--plan", "a.plan", "--expect-digest", "0" * 64)
    assert wrong.code == 5
    assert rows(target.url, "shop_items") == []
    done = confmig("import", "--target", target.url, "--plan", "a.plan", "--expect-digest", digest)
    assert done.code == 0, done
    assert len(rows(target.url, "shop_items")) == 2


def test_the_same_state_gives_the_same_plan_digest_on_another_address(
    confmig: Confmig, package: Path, serve: Serve
) -> None:
    organization = "99999999-9999-4999-8999-999999999999"
    digests = []
    for number in (1, 2):
        target = serve(package=package, empty=True, organization_id=organization)
        result = confmig(
            "plan", "--target", target.url, "--data", package, "--plan", f"{number}.plan", "--format", "json"
        )
        digests.append(result.facts["plan_digest"])
    assert digests[0] == digests[1]


def test_only_what_differs_is_written(confmig: Confmig, package: Path, serve: Serve, tmp_path: Path) -> None:
    target = serve(package=package)
    newer = packages.write(tmp_path / "newer.zip", packages.full_data(apple="Apple, red"))
    planned = confmig("plan", "--target", target.url, "--data", newer, "--plan", "a.plan", "--format", "json")
    assert (planned.facts["created"], planned.facts["updated"], planned.facts["unchanged"]) == (0, 1, 3)
    with sqlite3.connect("a.plan") as connection:
        written = connection.execute("SELECT before, after FROM changes WHERE action = 'update'").fetchall()
    connection.close()
    assert [(json.loads(before), json.loads(after)) for before, after in written] == [
        ({"shop_name": "Apple"}, {"shop_name": "Apple, red"})
    ]
    assert confmig("verify", "--target", target.url, "--data", newer).code == 4
    assert confmig("plan", "--target", target.url, "--data", newer, "--fail-on-changes").code == 4
    assert confmig("import", "--target", target.url, "--data", newer).code == 0
    assert confmig("verify", "--target", target.url, "--data", newer).code == 0


def test_a_row_that_changed_since_the_plan_stops_the_run_before_its_batch(
    confmig: Confmig, package: Path, serve: Serve, tmp_path: Path
) -> None:
    target = serve(package=package)
    newer = packages.write(tmp_path / "newer.zip", packages.full_data(apple="Apple, red"))
    assert confmig("plan", "--target", target.url, "--data", newer, "--plan", "a.plan").code == 0
    moved = requests.patch(
        f"{target.url}/api/data/v9.2/shop_items({packages.APPLE})", json={"shop_name": "Pear"}, timeout=10
    )
    assert moved.status_code == 204
    stopped = confmig("import", "--target", target.url, "--plan", "a.plan")
    assert stopped.code == 5
    assert "the target has moved" in stopped.out
    assert "shop_name" in stopped.out
    item = requests.get(f"{target.url}/api/data/v9.2/shop_items({packages.APPLE})", timeout=10).json()
    assert item["shop_name"] == "Pear"
    skipped = confmig("import", "--target", target.url, "--plan", "a.plan", "--on-drift", "skip")
    assert skipped.code == 9


def test_a_plan_is_for_one_organization(confmig: Confmig, package: Path, serve: Serve) -> None:
    one, other = serve(package=package, empty=True), serve(package=package, empty=True)
    assert confmig("plan", "--target", one.url, "--data", package, "--plan", "a.plan").code == 0
    result = confmig("import", "--target", other.url, "--plan", "a.plan")
    assert result.code == 5
    assert other.organization_id in result.err


def test_a_row_that_fails_costs_its_neighbours_nothing_and_ends_with_9(
    confmig: Confmig, package: Path, serve: Serve, tmp_path: Path
) -> None:
    target = serve(package=package, empty=True)
    ids = [f"44444444-dddd-4ddd-8ddd-{number:012d}" for number in range(60)]
    many = "".join(packages.item(row, "x" * (5_000 if row == ids[33] else 5)) for row in ids)
    bad = packages.write(tmp_path / "bad.zip", packages.data(items=many))
    result = confmig("import", "--target", target.url, "--data", bad, "--run", "a.run", "--format", "json")
    assert result.code == 9
    assert (result.facts["writes"], result.facts["failed"]) == (59, 1)
    failures = next(section for section in result.report["sections"] if section["title"] == "Not applied")["rows"]
    assert "exceeded the maximum allowed length" in failures[0][4]
    assert "0x80044331" in failures[0][4]
    assert len(rows(target.url, "shop_items")) == 59
    again = confmig("import", "--target", target.url, "--data", bad, "--format", "json")
    assert (again.code, again.facts["writes"], again.facts["failed"]) == (9, 0, 1)


def test_the_sandbox_is_promoted_to_production(confmig: Confmig, serve: Serve) -> None:
    source, target = serve(environment="journeys-sandbox"), serve(environment="journeys-production")
    schema = REPOSITORY / "demo" / "data_schema.xml"
    promote = ("promote", "--source", source.url, "--target", target.url, "--schema", schema, "--format", "json")
    refused = confmig(*promote)
    assert (refused.code, refused.report["reason"]) == (3, "live-rows")
    arguments = (*promote, "--live", "exclude-status")
    done = confmig(*arguments, "--run", "1.run", "--report", "report.html", "--report", "report.md")
    assert done.code == 0, done
    assert done.facts["created"] > 90
    assert done.facts["updated"] > 25
    assert done.facts["unchanged"] > 20
    assert done.facts["associations_added"] > 80
    assert "<h1>confmig promote</h1>" in Path("report.html").read_text()
    assert Path("report.md").read_text().startswith("## confmig promote")
    again = confmig(*arguments, "--run", "2.run")
    assert (again.code, again.facts["writes"]) == (0, 0)


def test_two_exports_are_the_same_bytes(
    confmig: Confmig, package: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")
    source = serve(package=package)
    for name in ("1.zip", "2.zip"):
        assert confmig("export", "--source", source.url, "--schema", package, "--data", name).code == 0
    assert Path("1.zip").read_bytes() == Path("2.zip").read_bytes()


def test_diff_tells_every_kind_of_difference(confmig: Confmig, package: Path, tmp_path: Path) -> None:
    other_rows = packages.data(
        packages.kind(packages.FRUIT, "Fruits"),
        packages.item(packages.APPLE, "Apple") + packages.item("55555555-eeee-4eee-8eee-000000000001", "New"),
        packages.pair(packages.FRUIT, packages.APPLE),
    )
    other = packages.write(
        tmp_path / "other.zip", other_rows, packages.SCHEMA.replace('type="number"', 'type="string"')
    )
    result = confmig("diff", package, other, "--format", "json")
    assert result.code == 4
    tables, listed, _ = result.report["sections"]
    assert {row[0] for row in tables["rows"]} == {"shop_item", "shop_kind"}
    assert {row[0] for row in listed["rows"]} == {"schema", "added", "removed", "changed", "disassociated"}
