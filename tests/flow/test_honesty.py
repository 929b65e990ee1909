"""What a command says is what is so: no claim without a look, nothing replaced, one writer, few requests."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests

from confmig.applying.runfile import RunFile
from confmig.emulator.http.asgi import Application
from confmig.planning.planfile import PlanFile
from tests.flow import packages
from tests.flow.conftest import Confmig, Serve


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return packages.write(tmp_path / "shop.zip", packages.full_data())


def rename_apple(url: str, name: str) -> None:
    answer = requests.patch(f"{url}/api/data/v9.2/shop_items({packages.APPLE})", json={"shop_name": name}, timeout=10)
    assert answer.status_code == 204


def test_a_finished_run_is_evidence_and_says_nothing_about_now(confmig: Confmig, package: Path, serve: Serve) -> None:
    target = serve(package=package, empty=True)
    assert confmig("plan", "--target", target.url, "--data", package, "--plan", "a.plan").code == 0
    arguments = ("import", "--target", target.url, "--plan", "a.plan")
    assert confmig(*arguments).code == 0
    rename_apple(target.url, "Pear")
    evidence = Path("a.run").read_bytes()
    for again in (confmig(*arguments, "--format", "json"), confmig(*arguments, "--data", package, "--format", "json")):
        assert (again.code, again.report["reason"], again.facts["writes"]) == (5, "target-changed", 0)
        assert again.facts["run_file"] == "a-2.run"
    assert Path("a.run").read_bytes() == evidence


def test_a_plan_is_looked_at_again_by_its_own_policies(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    target = serve(package=packages.write(tmp_path / "old.zip", packages.full_data(apple="Pear")))
    newer = packages.write(tmp_path / "new.zip", packages.full_data())
    plan = ("plan", "--target", target.url, "--data", newer, "--ignore", "shop_item.shop_name", "--plan", "a.plan")
    assert confmig(*plan).code == 0
    assert confmig("import", "--target", target.url, "--plan", "a.plan", "--data", newer).code == 0
    late = confmig("import", "--target", target.url, "--plan", "a.plan", "--lookups", "null")
    assert (late.code, "decided when a plan is made" in late.err) == (2, True)


def test_another_package_beside_a_plan_is_refused(
    confmig: Confmig, package: Path, serve: Serve, tmp_path: Path
) -> None:
    target = serve(package=package, empty=True)
    other = packages.write(tmp_path / "other.zip", packages.full_data(apple="Other"))
    assert confmig("plan", "--target", target.url, "--data", package, "--plan", "a.plan").code == 0
    refused = confmig("import", "--target", target.url, "--plan", "a.plan", "--data", other)
    assert (refused.code, "another package" in refused.err) == (5, True)


def test_a_plan_replaces_an_older_plan_and_nothing_else(confmig: Confmig, package: Path, serve: Serve) -> None:
    target = serve(package=package, empty=True)
    before = package.read_bytes()
    assert confmig("plan", "--target", target.url, "--data", package, "--plan", package).code == 2
    assert package.read_bytes() == before
    assert confmig("import", "--target", target.url, "--data", package, "--run", "a.run").code == 0
    assert confmig("plan", "--target", target.url, "--data", package, "--plan", "a.run").code == 2
    RunFile.open(Path("a.run")).close()
    for _ in range(2):
        assert confmig("plan", "--target", target.url, "--data", package, "--plan", "a.plan").code == 0


def test_a_run_file_has_one_writer(confmig: Confmig, package: Path, serve: Serve) -> None:
    target = serve(package=package, empty=True)
    assert confmig("plan", "--target", target.url, "--data", package, "--plan", "a.plan").code == 0
    with PlanFile(Path("a.plan")) as plan, RunFile.start(plan, Path("a.run")):
        second = confmig("import", "--target", target.url, "--plan", "a.plan")
        assert (second.code, "another import" in second.err.lower()) == (2, True)
    assert confmig("import", "--target", target.url, "--plan", "a.plan").code == 0


def test_creates_and_updates_of_one_table_make_few_requests(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    words: Counter[str] = Counter()

    def wrap(inner: Application) -> Application:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            words[scope["path"].rsplit(".", 1)[-1].rsplit("/", 1)[-1]] += 1
            await inner(scope, receive, send)

        return app

    ids = [f"99999999-0000-4000-8000-{number:012d}" for number in range(400)]
    old = "".join(packages.item(row, "old") for row in ids[::2])
    new = "".join(packages.item(row, "new") for row in ids)
    target = serve(wrap, package=packages.write(tmp_path / "old.zip", packages.data(items=old)))
    package = packages.write(tmp_path / "new.zip", packages.data(items=new))
    done = confmig("import", "--target", target.url, "--data", package, "--format", "json")
    assert (done.code, done.facts["created"], done.facts["updated"]) == (0, 200, 200)
    assert (words["CreateMultiple"], words["UpdateMultiple"], words["$batch"]) == (1, 1, 0)
    assert sum(words.values()) < 25


def test_a_create_that_meets_another_row_fails_with_the_services_words(
    confmig: Confmig, package: Path, serve: Serve
) -> None:
    body = b'{"error":{"code":"0x80040237","message":"A record with matching key values already exists."}}'

    def wrap(inner: Application) -> Application:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["method"] == "POST":
                headers = [(b"content-type", b"application/json"), (b"req_id", b"a-request")]
                await send({"type": "http.response.start", "status": 412, "headers": headers})
                await send({"type": "http.response.body", "body": body})
            else:
                await inner(scope, receive, send)

        return app

    target = serve(wrap, package=packages.write(package.parent / "none.zip", packages.data()))
    row = packages.write(package.parent / "one.zip", packages.data(items=packages.item(packages.APPLE, "Apple")))
    done = confmig("import", "--target", target.url, "--data", row, "--format", "json")
    assert (done.code, done.facts["failed"], done.facts["unknown"]) == (9, 1, 0)
    assert "matching key values" in done.out


def test_nobody_reading_the_output_does_not_end_an_import(
    package: Path, serve: Serve, tmp_path: Path, confmig: Confmig
) -> None:
    target = serve(package=package, empty=True)
    command = [sys.executable, "-m", "confmig", "import", "--target", target.url, "--data", str(package)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    assert process.wait(60) == 0
    assert confmig("verify", "--target", target.url, "--data", package).code == 0


def test_a_report_is_written_when_an_import_ends_with_an_error(confmig: Confmig, package: Path, serve: Serve) -> None:
    target = serve(package=package, empty=True, deny=("prvCreateshop_item",))
    result = confmig(
        "import", "--target", target.url, "--data", package, "--report", "deep/report.md", "--format", "json"
    )
    assert result.code == 7
    assert "access is denied" in result.report["verdict"]
    assert "access is denied" in Path("deep/report.md").read_text()
