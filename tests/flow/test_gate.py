"""The gate: what was approved is applied, or nothing is."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from confmig.emulator.http.server import Emulator
from confmig.package.manifest import Manifest, write_manifest
from confmig.package.package import Package
from tests.flow import packages
from tests.flow.conftest import Confmig, Result, Serve
from tests.flow.test_interrupted import Watched
from tests.hosts.conftest import TOKEN, Platform
from tests.hosts.github import GitHub
from tests.webapi.wire import Passed, Wire, refusal

DEFAULT_SOLUTION = "fd140aaf-4df4-11dd-bd17-0019b9312238"


@dataclass
class Gate:
    """A target that holds an older form of a package, and the package's plan, approved by its digest."""

    confmig: Confmig
    target: Emulator
    wire: Wire
    package: Path
    digest: str

    def knock(self, *options: object, data: bool = True) -> Result:
        """Import the approved plan."""
        given = ("--target", self.target.url, "--plan", "a.plan", "--expect-digest", self.digest, "--format", "json")
        return self.confmig("import", *given, *(("--data", self.package) if data else ()), *options)

    def is_shut(self, result: Result, reason: str, code: int = 5) -> dict[str, Any]:
        """Check that an import was refused for this reason, and that nothing that writes reached the target."""
        assert (result.code, result.report["reason"]) == (code, reason), result
        assert [one for one in self.wire.passed if one.method != "GET"] == []
        return result.report

    def patch(self, path: str, **values: object) -> None:
        self.wire.clear()
        answer = requests.patch(f"{self.target.url}/api/data/v9.2/{path}", json=values, timeout=10)
        assert answer.status_code == 204, answer.text
        self.wire.clear()

    def item(self, row: str) -> dict[str, Any]:
        found: dict[str, Any] = requests.get(f"{self.target.url}/api/data/v9.2/shop_items({row})", timeout=10).json()
        return found


def older() -> str:
    return packages.data(items=packages.item(packages.APPLE, "Old apple", packages.field("shop_pieces", 3)))


@pytest.fixture
def gate(confmig: Confmig, serve: Serve, tmp_path: Path) -> Gate:
    return approved(confmig, serve, tmp_path)


def approved(confmig: Confmig, serve: Serve, folder: Path, *options: object) -> Gate:
    wire = Wire()
    package = packages.write(folder / "new.zip", packages.full_data())
    target = serve(wire, package=packages.write(folder / "old.zip", older()))
    body = {"transactioncurrencyid": packages.CURRENCY, "currencyname": "Euro", "isocurrencycode": "EUR"}
    made = requests.post(f"{target.url}/api/data/v9.2/transactioncurrencies", json=body, timeout=10)
    assert made.status_code == 204, made.text
    planned = confmig(
        "plan", "--target", target.url, "--data", package, "--plan", "a.plan", "--format", "json", *options
    )
    assert planned.code == 0, planned
    wire.clear()
    return Gate(confmig, target, wire, package, planned.facts["plan_digest"])


def edit(path: str, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for sql in statements:
            connection.execute(sql)


def test_an_approved_plan_is_applied(gate: Gate) -> None:
    done = gate.knock()
    assert (done.code, done.facts["differences_left"], done.facts["not_applied"]) == (0, 0, 0)
    assert gate.item(packages.APPLE)["shop_name"] == "Apple"


# The plan file

EVIL = """UPDATE changes SET after = replace(after, '"Apple"', '"Evil"') WHERE after LIKE '%"Apple"%'"""
SHOWN = "CREATE TABLE shown AS SELECT * FROM changes"


def test_another_plan_is_refused(gate: Gate) -> None:
    options = ("--data", gate.package, "--ignore", "shop_item.shop_name")
    assert gate.confmig("plan", "--target", gate.target.url, *options).code == 0
    shutil.copyfile("confmig.plan", "a.plan")
    gate.wire.clear()
    report = gate.is_shut(gate.knock(), "plan-changed")
    assert gate.digest in report["verdict"]


@pytest.mark.parametrize("digest", ["", "0", "f" * 64])
def test_another_digest_is_refused(gate: Gate, digest: str) -> None:
    gate.digest = digest
    gate.is_shut(gate.knock(), "plan-changed")


@pytest.mark.parametrize("name", ["EXPECT_DIGEST", "EXPECT_DATA_DIGEST", "PLAN_AGE", "REQUIRE_APPROVAL"])
@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_variable_does_not_open_the_gate(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, name: str, empty: str
) -> None:
    monkeypatch.setenv(f"CONFMIG_{name}", empty)
    result = gate.confmig("import", "--target", gate.target.url, "--plan", "a.plan", "--format", "json")
    gate.is_shut(result, "usage", 2)


@pytest.mark.parametrize(
    "statements",
    [
        (EVIL,),
        ("UPDATE header SET value = '[]' WHERE key = 'tables'",),
        ("UPDATE header SET value = '\"\"' WHERE key = 'source_organization'", EVIL),
        ("UPDATE header SET value = '\"\"' WHERE key = 'digest'", "UPDATE changes SET after = 'no json'"),
        ("CREATE TRIGGER later AFTER UPDATE ON changes BEGIN DELETE FROM changes; END",),
        ("CREATE TABLE extra (x)",),
        ("CREATE INDEX another ON changes (name)",),
        ("ALTER TABLE changes ADD COLUMN more TEXT AS (upper(tbl))",),
        (SHOWN, "DROP TABLE changes", "CREATE VIEW changes AS SELECT * FROM shown"),
        (SHOWN, "DROP TABLE changes", "CREATE VIEW CHANGES AS SELECT * FROM shown"),
        ("CREATE VIEW outcomes AS SELECT seq, 'applied' AS status FROM changes",),
        ("CREATE TABLE outcomes (seq INTEGER PRIMARY KEY, status TEXT AS ('applied'))",),
    ],
)
@pytest.mark.parametrize("data", [True, False])
def test_a_plan_file_that_was_touched_is_refused(gate: Gate, statements: tuple[str, ...], data: bool) -> None:
    edit("a.plan", *statements)
    gate.is_shut(gate.knock(data=data), "plan-changed")
    assert not list(Path().glob("*.run"))


def hide_from_the_index(path: str, index: str) -> None:
    """Leave the rows as they are, and an index of them that is empty."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        find = "SELECT sql, rootpage FROM sqlite_master WHERE name = ?"
        (sql, _) = connection.execute(find, [index]).fetchone()
        connection.execute("CREATE TABLE kept AS SELECT * FROM changes")
        connection.execute(f"DROP INDEX {index}")
        connection.execute("DELETE FROM changes")
        connection.execute(sql)
        (_, root) = connection.execute(find, [index]).fetchone()
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = ?", [index])
        connection.execute("PRAGMA writable_schema=RESET")
        connection.execute("INSERT INTO changes SELECT * FROM kept")
        connection.execute("DROP TABLE kept")
        connection.execute("PRAGMA writable_schema=ON")
        entry = ("index", index, "changes", root, sql)
        connection.execute(
            "INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) VALUES (?, ?, ?, ?, ?)", entry
        )
        connection.execute("PRAGMA writable_schema=RESET")


@pytest.mark.parametrize("index", ["by_table", "by_row"])
@pytest.mark.parametrize("data", [True, False])
def test_an_index_that_hides_changes_is_refused(gate: Gate, index: str, data: bool) -> None:
    hide_from_the_index("a.plan", index)
    with closing(sqlite3.connect("a.plan")) as connection:
        assert connection.execute("SELECT count(*) FROM changes NOT INDEXED").fetchone()[0] > 0
        assert connection.execute(f"SELECT count(*) FROM changes INDEXED BY {index}").fetchone()[0] == 0  # noqa: S608
    gate.is_shut(gate.knock(data=data), "plan-changed")


@pytest.mark.parametrize(
    "change", ["matched_by = 'evil'", "before = '[]'", "name = NULL, id = NULL", "phase = 'x'", "keys = x'ff'"]
)
@pytest.mark.parametrize("data", [True, False])
def test_a_change_that_is_none_is_refused_before_the_first_write(gate: Gate, change: str, data: bool) -> None:
    edit("a.plan", f"UPDATE changes SET {change} WHERE seq = (SELECT max(seq) FROM changes)")  # noqa: S608
    gate.is_shut(gate.knock(data=data), "plan-changed")


def test_the_report_names_the_target_that_was_used(gate: Gate) -> None:
    edit("a.plan", """UPDATE header SET value = '"https://harmless.example"' WHERE key = 'target_url'""")
    assert gate.knock().facts["target"] == gate.target.url


def test_what_was_checked_is_what_is_applied_even_with_a_log_beside_the_plan(gate: Gate) -> None:
    shutil.copyfile("a.plan", "work.plan")
    with closing(sqlite3.connect("work.plan", isolation_level=None)) as connection:
        connection.execute(EVIL)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute(EVIL.replace("Evil", "").replace('"Apple"', '"Evil"').replace('""', '"Apple"'))
        shutil.copyfile("work.plan", "a.plan")
        shutil.copyfile("work.plan-wal", "a.plan-wal")
    done = gate.knock()
    assert done.code == 0, done
    assert gate.item(packages.APPLE)["shop_name"] == "Apple"


def test_a_plan_for_another_organization_is_refused(gate: Gate, serve: Serve) -> None:
    other = serve(package=gate.package, empty=True)
    result = gate.knock("--target", other.url)
    assert (result.code, result.report["reason"]) == (5, "other-target")


@pytest.mark.parametrize(
    ("made", "age", "reason"),
    [
        (timedelta(minutes=-50), "1h", ""),
        (timedelta(minutes=-70), "1h", "plan-expired"),
        (timedelta(days=-3), "2d", "plan-expired"),
        (timedelta(days=-3), "5000m", ""),
        (timedelta(days=2), "7d", "plan-expired"),
        (None, "7d", "plan-expired"),
    ],
)
def test_a_plan_has_an_age(gate: Gate, made: timedelta | None, age: str, reason: str) -> None:
    created = "some day" if made is None else (datetime.now(UTC) + made).isoformat(timespec="seconds")
    edit("a.plan", f"UPDATE header SET value = '{json.dumps(created)}' WHERE key = 'created'")  # noqa: S608
    result = gate.knock("--plan-age", age)
    if reason:
        gate.is_shut(result, reason)
    else:
        assert result.code == 0, result


@pytest.mark.parametrize("age", ["", "7", "a week", "-1d", "1y"])
def test_an_age_is_a_number_with_a_unit(gate: Gate, age: str) -> None:
    gate.is_shut(gate.knock(f"--plan-age={age}"), "usage", 2)


# The package


@pytest.mark.parametrize("data", [True, False])
def test_the_package_is_the_one_that_was_exported(gate: Gate, data: bool) -> None:
    with Package(gate.package) as package:
        digest = package.digest
    gate.is_shut(gate.knock("--expect-data-digest", "0" * 64, data=data), "package-changed")
    assert gate.knock("--expect-data-digest", f" {digest.upper()} ", data=data).code == 0


def test_another_package_is_refused(gate: Gate) -> None:
    packages.write(gate.package, packages.full_data(apple="Another"))
    gate.is_shut(gate.knock(), "package-changed")


# The target


def test_a_target_that_has_changed_is_refused_with_a_list_of_what_has(gate: Gate) -> None:
    gate.patch(f"shop_items({packages.APPLE})", shop_name="Somebody's apple", shop_pieces=4)
    report = gate.is_shut(gate.knock(), "plan-changed")
    (section,) = (one for one in report["sections"] if one["title"] == "Not as approved")
    ((table, row, why),) = section["rows"]
    assert (table, row) == ("shop_item", "Apple")
    assert "shop_name has changed" in why or "shop_pieces is to get a value that was not approved" in why
    assert report["facts"]["plan_digest"] == gate.digest != report["facts"]["digest_now"]


def test_a_target_that_has_changed_elsewhere_is_not_refused(gate: Gate) -> None:
    gate.patch(f"shop_items({packages.APPLE})", shop_pieces=3, createdon=None)
    assert gate.knock().code == 0


def test_without_the_package_a_row_that_has_changed_stops_the_import_before_its_batch(gate: Gate) -> None:
    gate.patch(f"shop_items({packages.APPLE})", shop_name="Somebody's apple")
    stopped = gate.knock(data=False)
    assert (stopped.code, stopped.report["reason"]) == (5, "target-changed")
    assert gate.item(packages.APPLE)["shop_name"] == "Somebody's apple"


def test_versions_are_compared_once_more(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    package = packages.write(tmp_path / "new.zip", packages.full_data())
    with Package(package) as opened:
        manifest = Manifest(
            package_digest=opened.digest,
            source_organization="11111111-0000-4000-8000-000000000001",
            source_url="https://dev.example",
            solutions={"Default": "1.0"},
        )
    beside = write_manifest(package, manifest)
    gate = approved(confmig, serve, tmp_path, "--compare-solution", "Default")
    beside.unlink()  # the plan knows by itself what the versions of the source were
    gate.patch(f"solutions({DEFAULT_SOLUTION})", version="1.1")
    result = gate.knock()
    assert result.code == 3, result
    assert "version 1.0" in result.out
    assert [one for one in gate.wire.passed if one.method != "GET"] == []
    gate.patch(f"solutions({DEFAULT_SOLUTION})", version="1.0")
    assert gate.knock().code == 0


# What is left of an approved plan


class Door:
    """Lets so many requests that write pass, and refuses all further ones."""

    def __init__(self, opens: int) -> None:
        self._left = opens

    def __call__(self, passed: Passed) -> Any:
        if passed.method == "GET":
            return None
        self._left -= 1
        return None if self._left >= 0 else refusal(403, "0x80040220", "Principal user is missing prvWrite privilege")


@pytest.mark.parametrize("opens", range(1, 7))
@pytest.mark.parametrize("lost", [True, False])
def test_an_import_that_was_cut_off_goes_on_under_the_same_approval(gate: Gate, opens: int, lost: bool) -> None:
    gate.wire.fault = Door(opens)
    first = gate.knock()
    assert first.code == 7, first
    if lost:
        Path("a.run").unlink()
    gate.wire.clear()
    done = gate.knock()
    assert done.code == 0, done
    assert (done.facts["not_applied"], done.facts["differences_left"]) == (0, 0)
    assert first.facts["writes"] + done.facts["writes"] == done.facts["applied"]
    assert sorted(Path().glob("*.run")) == [Path("a.run")]
    if not lost:
        assert done.facts["applied"] == first.facts["applied"] + done.facts["writes"]


def test_somebody_elses_change_meanwhile_is_found(gate: Gate) -> None:
    gate.wire.fault = Door(3)
    assert gate.knock().code == 7
    gate.patch(f"shop_kinds({packages.FRUIT})", shop_name="Somebody's")
    gate.is_shut(gate.knock(), "plan-changed")


def test_an_import_that_was_killed_goes_on_without_its_run_file(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    count = 1_000
    rows = "".join(packages.item(f"66666666-ffff-4fff-8fff-{number:012d}", f"Item {number}") for number in range(count))
    package = packages.write(tmp_path / "many.zip", packages.data(items=rows))
    watched = Watched(delay=0.4)
    target = serve(watched.wrap, package=package, empty=True)
    planned = confmig("plan", "--target", target.url, "--data", package, "--plan", "a.plan", "--format", "json")
    digest = planned.facts["plan_digest"]
    command = ["import", "--target", target.url, "--plan", "a.plan", "--data", str(package), "--expect-digest", digest]
    process = subprocess.Popen([sys.executable, "-m", "confmig", *command], cwd=tmp_path, stderr=subprocess.DEVNULL)
    assert watched.created.wait(30)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    for path in tmp_path.glob("a.run*"):
        path.unlink()
    before = len(requests.get(f"{target.url}/api/data/v9.2/shop_items?$select=shop_name", timeout=20).json()["value"])
    assert 0 < before < count
    done = confmig(*command, "--format", "json")
    assert done.code == 0, done
    assert (done.facts["applied"], done.facts["writes"]) == (count, count - before)


# Run files


def test_a_finished_run_is_never_resumed(gate: Gate) -> None:
    assert gate.knock().code == 0
    gate.patch(f"shop_items({packages.APPLE})", shop_name="Old apple")
    again = gate.knock()
    assert (again.code, again.facts["run_file"], again.facts["writes"]) == (0, "a-2.run", 1)
    gate.patch(f"shop_items({packages.APPLE})", shop_name="Old apple")
    third = gate.knock("--plan", "a.run")  # a finished run is a plan, too
    assert (third.code, third.facts["run_file"], third.facts["writes"]) == (0, "a-3.run", 1)


def test_a_run_that_did_not_end_is_its_own_plan(gate: Gate) -> None:
    gate.wire.fault = Door(2)
    assert gate.knock().code == 7
    gate.wire.clear()
    done = gate.knock("--plan", "a.run")
    assert (done.code, done.facts["run_file"], done.facts["not_applied"]) == (0, "a.run", 0)


OUTCOMES = (
    "CREATE TABLE outcomes (\n    seq INTEGER PRIMARY KEY, status TEXT NOT NULL, attempts INTEGER NOT NULL,"
    " message TEXT, code TEXT, request_id TEXT,\n    at TEXT NOT NULL\n)"
)


@pytest.mark.parametrize("named", [False, True])
def test_a_prepared_run_file_does_not_bring_other_changes(gate: Gate, named: bool) -> None:
    shutil.copyfile("a.plan", "a.run")
    edit("a.run", OUTCOMES, EVIL)
    gate.is_shut(gate.knock(*(("--run", "a.run") if named else ())), "plan-changed")


def test_the_run_of_another_plan_is_not_taken_for_this_ones(gate: Gate) -> None:
    options = ("--ignore", "shop_item.shop_pieces", "--plan", "a.run")
    assert gate.confmig("plan", "--target", gate.target.url, "--data", gate.package, *options).code == 0
    edit("a.run", OUTCOMES)
    gate.wire.clear()
    gate.is_shut(gate.knock(), "usage", 2)


def test_outcomes_that_were_written_beforehand_are_found_by_the_second_look(gate: Gate) -> None:
    shutil.copyfile("a.plan", "a.run")
    prepared = "INSERT INTO outcomes SELECT seq, 'applied', 1, '', '', '', '' FROM changes WHERE tbl = 'shop_item'"
    edit("a.run", OUTCOMES, f"{prepared} AND action = 'update' AND phase = 1")
    done = gate.knock()
    assert (done.code, done.report["reason"]) == (9, "differences-left")
    assert gate.item(packages.APPLE)["shop_name"] == "Old apple"


def test_outcomes_of_everything_are_no_run_that_goes_on(gate: Gate) -> None:
    shutil.copyfile("a.plan", "a.run")
    edit("a.run", OUTCOMES, "INSERT INTO outcomes SELECT seq, 'applied', 1, '', '', '', '' FROM changes")
    done = gate.knock(data=False)
    assert (done.code, done.facts["run_file"]) == (0, "a-2.run")
    assert gate.item(packages.APPLE)["shop_name"] == "Apple"


# Approvals


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gate: Gate) -> Iterator[Platform]:
    state = {
        "token": TOKEN,
        "repository": "example/solution",
        "environments": {"production": {"reviewers": ["ada"]}, "test": {}},
        "reviews": {"7": [{"state": "approved", "login": "ada", "environments": ["production"]}]},
        "comments": {},
    }
    platform = Platform(tmp_path / "github.json", state, GitHub)
    with platform.server as server:
        variables = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": server.url,
            "GITHUB_REPOSITORY": "example/solution",
            "GITHUB_RUN_ID": "7",
            "GITHUB_ACTOR": "linus",
            "GITHUB_TRIGGERING_ACTOR": "linus",
            "GITHUB_TOKEN": TOKEN,
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield platform


APPROVED = ("--require-approval", "--approval-environment", "production")


def test_an_approved_run_imports_and_names_who_approved(gate: Gate, github: Platform) -> None:
    done = gate.knock(*APPROVED)
    assert (done.code, done.facts["approved_by"], done.facts["environment"]) == (0, "ada", "production")


def test_an_own_approval_is_told(gate: Gate, github: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    done = gate.knock(*APPROVED)
    assert (done.code, "approved by the one who started it" in done.err) == (0, True)


Change = Callable[[Platform], None]


def nobody_approved(github: Platform) -> None:
    github.state["reviews"]["7"] = []
    github.save()


def nobody_is_asked(github: Platform) -> None:
    github.state["environments"]["production"] = {}
    github.save()


def github_is_silent(github: Platform) -> None:
    github.answers("/approvals", cut=True)


def github_denies(github: Platform) -> None:
    github.state["denied"] = ["actions"]
    github.save()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (nobody_approved, "not-approved"),
        (nobody_is_asked, "no-reviewers"),
        (github_is_silent, "approval-unknown"),
        (github_denies, "approval-unknown"),
    ],
)
def test_a_run_that_nobody_approved_writes_nothing(gate: Gate, github: Platform, change: Change, reason: str) -> None:
    change(github)
    gate.is_shut(gate.knock(*APPROVED), reason)
    assert not list(Path().glob("*.run"))


def test_an_approval_needs_an_environment_a_plan_and_its_digest(gate: Gate, github: Platform) -> None:
    gate.is_shut(gate.knock("--require-approval"), "usage", 2)
    plan = ("--target", gate.target.url, "--plan", "a.plan", "--format", "json")
    gate.is_shut(gate.confmig("import", *plan, *APPROVED), "usage", 2)
    data = ("--target", gate.target.url, "--data", gate.package, "--format", "json")
    gate.is_shut(gate.confmig("import", *data, "--unreviewed", *APPROVED), "usage", 2)
    gate.is_shut(gate.confmig("import", *data), "unreviewed", 2)
