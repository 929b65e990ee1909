"""An import that is stopped in its middle: what was done is on record, the rest follows, nothing happens twice."""

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests

from confmig.emulator.http.asgi import Application
from tests.flow import packages
from tests.flow.conftest import Confmig, Serve

ROWS = 1_500


@pytest.fixture
def package(tmp_path: Path) -> Path:
    items = "".join(packages.item(f"66666666-ffff-4fff-8fff-{number:012d}", f"Item {number}") for number in range(ROWS))
    return packages.write(tmp_path / "many.zip", packages.data(items=items))


class Watched:
    """Counts requests by their last word, slows writing down, and can lose answers."""

    def __init__(self, *, delay: float = 0.0, lose: int = 0) -> None:
        self.requests: Counter[str] = Counter()
        self.created = threading.Event()
        self._delay = delay
        self._lose = lose

    def wrap(self, inner: Application) -> Application:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await inner(scope, receive, send)
                return
            word = scope["path"].rsplit(".", 1)[-1].rsplit("/", 1)[-1]
            self.requests[word] += 1
            lost = word == "CreateMultiple" and self._lose > 0
            self._lose -= lost
            if lost:
                await inner(scope, receive, self._drop)
                # A response that never comes: the server closes the connection instead of finishing it.
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"99")]})
                return
            await inner(scope, receive, send)
            if word == "CreateMultiple":
                self.created.set()
                await asyncio.sleep(self._delay)

        return app

    async def _drop(self, message: Any) -> None:
        """Carry the request out and say nothing."""


def number_of_items(url: str) -> int:
    answer = requests.get(f"{url}/api/data/v9.2/shop_items?$select=shop_itemid", timeout=20).json()
    return len(answer["value"])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_the_same_command_goes_on_after_a_signal(
    number: signal.Signals, code: int, confmig: Confmig, package: Path, serve: Serve, tmp_path: Path
) -> None:
    watched = Watched(delay=0.4)
    target = serve(watched.wrap, package=package, empty=True)
    command = ["import", "--target", target.url, "--data", str(package), "--run", "a.run", "--format", "json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "confmig", *command], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert watched.created.wait(30)
    process.send_signal(number)
    _, words = process.communicate(timeout=30)
    assert process.returncode == code, words
    if number is not signal.SIGKILL:
        assert b"a.run" in words
    before = number_of_items(target.url)
    assert 0 < before < ROWS
    done = confmig(*command)
    assert done.code == 0, done
    assert done.facts["applied"] == ROWS
    assert done.facts["writes"] <= ROWS - before
    assert number_of_items(target.url) == ROWS
    again = confmig(*command)
    assert (again.code, again.facts["writes"]) == (0, 0)
    assert sorted(path.name for path in tmp_path.glob("*.run")) == ["a-2.run", "a.run"]


def test_a_second_signal_ends_at_once_with_its_own_code(
    confmig: Confmig, package: Path, serve: Serve, tmp_path: Path
) -> None:
    watched = Watched(delay=1.0)
    target = serve(watched.wrap, package=package, empty=True)
    command = ["import", "--target", target.url, "--data", str(package), "--run", "a.run", "--format", "json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "confmig", *command], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert watched.created.wait(30)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    _, words = process.communicate(timeout=30)
    assert (process.returncode, b"Traceback" in words) == (143, False), words
    done = confmig(*command)
    assert (done.code, done.facts["applied"]) == (0, ROWS)


def test_a_lost_answer_is_read_back_and_never_written_twice(confmig: Confmig, package: Path, serve: Serve) -> None:
    watched = Watched(lose=2)
    target = serve(watched.wrap, package=package, empty=True)
    done = confmig("import", "--target", target.url, "--data", package, "--format", "json")
    assert done.code == 0, done
    assert (done.facts["applied"], done.facts["writes"]) == (ROWS, ROWS)
    assert watched.requests["CreateMultiple"] == -(-ROWS // 200)
    assert number_of_items(target.url) == ROWS


def test_a_target_that_goes_away_ends_with_8_and_keeps_the_run(
    confmig: Confmig, package: Path, serve: Serve, tmp_path: Path
) -> None:
    watched = Watched(delay=0.3)
    store = tmp_path / "rows.sqlite"
    target = serve(watched.wrap, package=package, empty=True, store=store)
    host, port = target.url.removeprefix("http://").split(":")

    def stop_after_the_first_batch() -> None:
        watched.created.wait(30)
        target.stop()

    stopper = threading.Thread(target=stop_after_the_first_batch)
    stopper.start()
    started = time.monotonic()
    broken = confmig("import", "--target", target.url, "--data", package, "--run", "a.run")
    stopper.join()
    assert broken.code == 8, broken
    assert time.monotonic() - started < 60
    back = serve(package=package, store=store, host=host, port=int(port))
    done = confmig("import", "--target", back.url, "--data", package, "--run", "a.run", "--format", "json")
    assert done.code == 0, done
    assert number_of_items(back.url) == ROWS


def test_an_approved_plan_resumes_from_its_own_file(confmig: Confmig, package: Path, serve: Serve) -> None:
    target = serve(package=package, empty=True)
    planned = confmig("plan", "--target", target.url, "--data", package, "--plan", "a.plan", "--format", "json")
    arguments = ("import", "--target", target.url, "--plan", "a.plan", "--format", "json")
    digest = ("--expect-digest", planned.facts["plan_digest"])
    first = confmig(*arguments, *digest)
    assert (first.code, first.facts["writes"]) == (0, ROWS)
    second = confmig(*arguments, *digest)
    assert (second.code, second.facts["writes"], second.facts["applied"]) == (0, 0, ROWS)
    lost = confmig(*arguments, *digest, "--run", "another.run")
    assert (lost.code, lost.facts["writes"], lost.facts["applied"]) == (0, 0, ROWS)
