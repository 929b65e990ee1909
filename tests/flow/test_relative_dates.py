"""Relative dates through the commands: planned today and imported tomorrow, gone on with, verified, planned again."""

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from confmig.emulator.http.server import Emulator
from tests.flow import packages
from tests.flow.conftest import Confmig, Serve
from tests.flow.test_interrupted import Watched

FAIR = "44444444-dddd-4ddd-8ddd-000000000001"
EXPORTED = "2024-07-26T15:51:30.5429904Z"
PLANNED = "2024-08-16T16:00:00Z"
"""21 days after the export."""

SCHEMA = """<entities dateMode="relative">
  <entity name="shop_fair" displayname="Fair" etc="10003" primaryidfield="shop_fairid" primarynamefield="shop_name" disableplugins="false">
    <fields>
      <field displayname="Fair" name="shop_fairid" type="guid" primaryKey="true" />
      <field displayname="Name" name="shop_name" type="string" />
      <field displayname="Starts" name="shop_starts" type="datetime" />
      <field displayname="Day" name="shop_day" type="datetime" />
      <field displayname="Daily" name="shop_daily" type="datetime" dateMode="relativeDaily" />
      <field displayname="Founded" name="shop_founded" type="datetime" dateMode="absolute" />
    </fields>
  </entity>
</entities>"""  # noqa: E501


def fair(row: str = FAIR, starts: str = "2024-08-01T09:30:00.0000000Z") -> str:
    fields = {
        "shop_fairid": row,
        "shop_name": "Fair",
        "shop_starts": starts,
        "shop_day": "2024-02-29T00:00:00.0000000",
        "shop_daily": "2024-07-20T00:00:00.0000000Z",
        "shop_founded": "1999-05-01T00:00:00.0000000Z",
    }
    texts = "".join(packages.field(name, value) for name, value in fields.items())
    return f'<record id="{row}">{texts}</record>'


def write(path: Path, rows: str = "", timestamp: str | None = EXPORTED, schema: str = SCHEMA) -> Path:
    told = "" if timestamp is None else f' timestamp="{timestamp}"'
    rows = rows or fair()
    text = f'<entities{told}><entity name="shop_fair" displayname="Fair"><records>{rows}</records></entity></entities>'
    return packages.write(path, text, schema)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return write(tmp_path / "fair.zip")


@pytest.fixture
def target(serve: Serve, package: Path) -> Emulator:
    return serve(package=package, empty=True)


def held(target: Emulator, row: str = FAIR) -> dict[str, str]:
    """The dates of a fair in the target."""
    answer = requests.get(f"{target.url}/api/data/v9.2/shop_fairs({row})", timeout=10)
    assert answer.status_code == 200, answer.text
    return {name: answer.json()[f"shop_{name}"] for name in ("starts", "day", "daily", "founded")}


def moved(weekly: int, daily: int) -> dict[str, str]:
    """The dates of the fair, moved."""

    def later(text: str, days: int) -> str:
        return (datetime.fromisoformat(text) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")

    return {
        "starts": later("2024-08-01T09:30:00", weekly),
        "day": later("2024-02-29", weekly)[:10],  # a day without a time
        "daily": later("2024-07-20", daily),
        "founded": "1999-05-01T00:00:00Z",
    }


def test_a_plan_shows_what_is_moved_and_an_import_the_day_after_applies_just_that(
    confmig: Confmig, target: Emulator, package: Path
) -> None:
    common = ("--target", target.url, "--data", package, "--format", "json")
    plan = confmig("plan", *common, "--as-of", PLANNED, "--report", "a.html", "--report", "a.md", "--report", "a.txt")
    assert plan.code == 0, plan
    assert plan.facts["as_of"] == "2024-08-16T16:00:00+00:00"
    assert plan.facts["date_shifts"] == ["relative: 3 weeks (21 days)", "relativeDaily: 21 days"]
    said = "dates are moved forward by 3 weeks (21 days): exported 2024-07-26T15:51:30Z, as of 2024-08-16T16:00:00Z"
    assert said in plan.out
    for name in ("a.html", "a.md", "a.txt"):
        report = Path(name).read_text().replace("\\", "")  # Markdown escapes
        assert said in report, name
        assert "2024-08-22" in report, name
    # No --as-of: whenever this runs, it is long after the plan was made.
    digest = ("--plan", "confmig.plan", "--expect-digest", plan.facts["plan_digest"])
    done = confmig("import", *common, *digest)
    assert (done.code, done.facts["created"], done.facts["differences_left"]) == (0, 1, 0), done
    assert done.facts["as_of"] == plan.facts["as_of"]
    assert held(target) == moved(21, 21)


def test_a_new_plan_moves_dates_again_and_verify_knows_both_days(
    confmig: Confmig, target: Emulator, package: Path
) -> None:
    common = ("--target", target.url, "--data", package, "--format", "json")
    assert confmig("import", *common, "--as-of", PLANNED).code == 0
    later = confmig("plan", *common, "--as-of", "2024-09-03")
    assert later.facts["updated"] == 1
    assert later.facts["date_shifts"] == ["relative: 5 weeks (35 days)", "relativeDaily: 39 days"]
    assert confmig("plan", *common, "--as-of", PLANNED, "--fail-on-changes").code == 0

    assert confmig("verify", *common, "--as-of", PLANNED).code == 0
    assert confmig("verify", *common).code == 0
    assert confmig("verify", *common, "--as-of", "2024-09-03").code == 4
    assert confmig("import", *common, "--as-of", "2024-09-03").facts["updated"] == 1
    assert held(target) == moved(35, 39)
    assert confmig("verify", *common).code == 0


@pytest.mark.parametrize(("column", "value"), [("starts", "2024-08-20T09:30:00Z"), ("founded", "1999-05-08T00:00:00Z")])
def test_verify_finds_a_date_that_no_import_wrote(
    confmig: Confmig, target: Emulator, package: Path, column: str, value: str
) -> None:
    common = ("--target", target.url, "--data", package, "--format", "json")
    assert confmig("import", *common, "--as-of", PLANNED).code == 0
    url = f"{target.url}/api/data/v9.2/shop_fairs({FAIR})"
    assert requests.patch(url, json={f"shop_{column}": value}, timeout=10).status_code == 204
    found = confmig("verify", *common)
    assert (found.code, found.facts["differences"]) == (4, 1)


def test_without_as_of_dates_are_moved_to_now(confmig: Confmig, target: Emulator, tmp_path: Path) -> None:
    exported = (datetime.now(UTC) - timedelta(days=17, hours=1)).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
    done = confmig("import", "--target", target.url, "--data", write(tmp_path / "now.zip", timestamp=exported))
    assert done.code == 0, done
    assert held(target) == moved(14, 17)


def test_an_approved_plan_is_another_once_the_package_tells_another_time_of_export(
    confmig: Confmig, target: Emulator, package: Path, tmp_path: Path
) -> None:
    """The package's digest leaves its timestamp out, so the plan's has to tell."""
    digest = confmig("plan", "--target", target.url, "--data", package, "--as-of", PLANNED, "--format", "json").facts[
        "plan_digest"
    ]
    other = write(tmp_path / "other.zip", timestamp="2024-08-01T00:00:00Z")
    refused = confmig(
        "import", "--target", target.url, "--data", other, "--plan", "confmig.plan", "--expect-digest", digest
    )
    assert refused.code == 5, refused
    assert requests.get(f"{target.url}/api/data/v9.2/shop_fairs", timeout=10).json()["value"] == []


def test_as_of_beside_a_plan_must_be_the_plans_own(confmig: Confmig, target: Emulator, package: Path) -> None:
    confmig("plan", "--target", target.url, "--data", package, "--as-of", PLANNED)
    importing = ("import", "--target", target.url, "--plan", "confmig.plan", "--as-of")
    refused = confmig(*importing, "2024-08-17")
    assert refused.code == 2
    assert "as of 2024-08-16T16:00:00+00:00, not as of 2024-08-17T23:59:59+00:00" in refused.err
    assert confmig(*importing, "2024-08-16T18:00:00+02:00").code == 0


def test_an_import_that_was_killed_goes_on_as_of_its_own_day(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    rows = [f"66666666-ffff-4fff-8fff-{number:012d}" for number in range(900)]
    package = write(tmp_path / "many.zip", "".join(map(fair, rows)))
    watched = Watched(delay=0.4)
    target = serve(watched.wrap, package=package, empty=True)
    command = ["import", "--target", target.url, "--data", str(package), "--run", "a.run", "--format", "json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "confmig", *command, "--as-of", PLANNED],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert watched.created.wait(30)
    process.send_signal(signal.SIGKILL)
    process.wait(30)

    other = confmig(*command, "--as-of", "2024-08-30")
    assert other.code == 2
    assert "moved relative dates as of 2024-08-16T16:00:00+00:00" in other.err
    done = confmig(*command)
    assert (done.code, done.facts["applied"], done.facts["differences_left"]) == (0, 900, 0), done
    answer: dict[str, Any] = requests.get(
        f"{target.url}/api/data/v9.2/shop_fairs?$select=shop_starts", timeout=20
    ).json()
    assert {row["shop_starts"] for row in answer["value"]} == {"2024-08-22T09:30:00Z"}


def test_promote_exports_now_so_a_date_is_moved_only_for_a_later_day(
    confmig: Confmig, serve: Serve, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = serve(package=package), serve(package=package, empty=True)
    schema = tmp_path / "schema.xml"
    schema.write_text(SCHEMA)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1722009090")  # 2024-07-26T15:51:30Z
    monkeypatch.setenv("CONFMIG_AS_OF", "2024-08-09")
    sides = ("--source", source.url, "--target", target.url)
    done = confmig("promote", *sides, "--schema", schema, "--data", "out.zip", "--versions", "any")
    assert done.code == 0, done
    assert (held(source), held(target)) == (moved(0, 0), moved(14, 14))


def test_the_form_of_2019_is_a_time_of_export_too(confmig: Confmig, target: Emulator, tmp_path: Path) -> None:
    package = write(tmp_path / "old.zip", timestamp="7/26/2024 3:51:30 PM")
    assert confmig("import", "--target", target.url, "--data", package, "--as-of", PLANNED).code == 0
    assert held(target) == moved(21, 21)


@pytest.mark.parametrize("timestamp", ["yesterday", "2024-13-01T00:00:00Z", "26.07.2024 15:51"])
@pytest.mark.parametrize("command", ["plan", "import", "verify"])
def test_a_time_of_export_that_is_none_is_a_broken_package(
    confmig: Confmig, target: Emulator, tmp_path: Path, timestamp: str, command: str
) -> None:
    package = write(tmp_path / "broken.zip", timestamp=timestamp)
    refused = confmig(command, "--target", target.url, "--data", package)
    assert refused.code == 6
    assert f"the timestamp of the package is no date and time: {timestamp!r}" in refused.err


def test_a_package_without_relative_dates_may_have_any_timestamp(
    confmig: Confmig, target: Emulator, tmp_path: Path
) -> None:
    schema = SCHEMA.replace(' dateMode="relative"', "").replace(' dateMode="relativeDaily"', "")
    package = write(tmp_path / "any.zip", timestamp="yesterday", schema=schema)
    done = confmig("import", "--target", target.url, "--data", package, "--format", "json")
    assert done.code == 0, done
    assert "as_of" not in done.facts
    assert held(target) == moved(0, 0)


def test_a_package_without_a_time_of_export_keeps_its_dates_and_says_so(
    confmig: Confmig, target: Emulator, tmp_path: Path
) -> None:
    package = write(tmp_path / "untold.zip", timestamp=None)
    done = confmig("import", "--target", target.url, "--data", package, "--as-of", PLANNED)
    assert done.code == 0, done
    assert "dates stay as they are: the package has no timestamp that they are relative to" in done.out
    assert held(target) == moved(0, 0)


def test_a_date_beyond_what_can_be_kept_refuses_the_plan(confmig: Confmig, target: Emulator, tmp_path: Path) -> None:
    package = write(tmp_path / "far.zip", fair(starts="9999-12-30T00:00:00.0000000Z"))
    refused = confmig("plan", "--target", target.url, "--data", package, "--as-of", PLANNED)
    assert refused.code == 5
    assert "moved forward by 21 days is after 9999-12-30" in refused.out


@pytest.mark.parametrize("text", ["tomorrow", "2024-02-30", "9999-12-31T23:59:59-12:00", "7/26/2024", "-1"])
def test_an_as_of_that_is_no_moment_is_refused(confmig: Confmig, target: Emulator, package: Path, text: str) -> None:
    refused = confmig("plan", "--target", target.url, "--data", package, f"--as-of={text}")
    assert refused.code == 2
    assert "this is no day and no time" in refused.err


def test_diff_compares_dates_as_they_stand(confmig: Confmig, package: Path, tmp_path: Path) -> None:
    same = write(tmp_path / "same.zip", timestamp="2025-01-01T00:00:00Z")
    assert confmig("diff", package, same).code == 0
