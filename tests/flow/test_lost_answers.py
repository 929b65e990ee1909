"""Writes whose answer was lost, or was none: the rows tell what became of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from confmig.emulator.http.asgi import Application
from tests.flow import packages
from tests.flow.conftest import Confmig, Result, Serve
from tests.webapi.wire import LOST, Instead, Passed, Wire

HTML = Instead(200, b"<html>Please wait</html>")
SHORT = Instead(200, b'{"Ids":[]}')


def first(part: str, instead: Instead, times: int = 1) -> Callable[[Passed], Instead | None]:
    """Answer the first requests with this in their path otherwise."""
    left = [instead] * times
    return lambda passed: left.pop() if left and part in passed.target else None


def adjusting(inner: Application, old: bytes, new: bytes) -> Application:
    """A service that changes a value while it writes it, as plug-ins do."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def adjusted() -> Any:
            message = await receive()
            return {**message, "body": message.get("body", b"").replace(old, new)}

        await inner(scope, adjusted, send)

    return app


def older() -> str:
    return packages.data(
        items=packages.item(packages.APPLE, "Older apple") + packages.item(packages.PLUM, "Older plum")
    )


def newer() -> str:
    return packages.data(
        packages.kind(packages.FRUIT, "Fruit"),
        packages.item(packages.APPLE, "Apple") + packages.item(packages.PLUM, "Plum"),
        packages.pair(packages.FRUIT, packages.APPLE, packages.PLUM),
    )


def unapplied(result: Result) -> list[list[str]]:
    rows: list[list[str]] = next(part["rows"] for part in result.report["sections"] if part["title"] == "Not applied")
    return rows


@pytest.mark.parametrize("part", ["CRM.CreateMultiple", "CRM.UpdateMultiple", "$batch"])
@pytest.mark.parametrize("instead", [LOST, HTML, SHORT, Instead(504, b"<html>")])
def test_what_was_written_counts_once_whatever_came_back(
    confmig: Confmig, serve: Serve, tmp_path: Path, part: str, instead: Instead
) -> None:
    wire = Wire()
    target = serve(wire, package=packages.write(tmp_path / "old.zip", older()))
    package = packages.write(tmp_path / "new.zip", newer())
    wire.fault = first(part, instead)
    done = confmig("import", "--target", target.url, "--data", package, "--format", "json")
    assert (done.code, done.facts["applied"], done.facts["writes"], done.facts["unknown"]) == (0, 5, 5, 0), done
    again = 1 if instead is LOST else 2
    assert len(wire.targets(part)) == (2 if part == "$batch" and instead.status in {0, 504} else again)


def test_a_row_that_the_service_changed_is_unknown_and_stops_nothing(
    confmig: Confmig, serve: Serve, tmp_path: Path
) -> None:
    wire = Wire()
    package = packages.write(tmp_path / "new.zip", newer())
    target = serve(
        lambda inner: wire(adjusting(inner, b'"Apple"', b'"APPLE"')),
        package=packages.write(tmp_path / "old.zip", older()),
    )
    wire.fault = first("CRM.UpdateMultiple", LOST)
    arguments = ("import", "--target", target.url, "--data", package, "--run", "a.run", "--format", "json")
    for written in (4, 0):
        done = confmig(*arguments)
        assert (done.code, done.report["reason"]) == (9, "rows-failed"), done
        assert (done.facts["applied"], done.facts["unknown"], done.facts["writes"]) == (4, 1, written)
        ((table, row, _, outcome, why),) = unapplied(done)
        assert (table, row, outcome) == ("shop_item", "Apple", "unknown")
        assert why == "the answer was lost, and neither the value before nor the one planned is there: shop_name"
        assert done.facts["differences_left"] == 1


def test_so_is_a_new_row(confmig: Confmig, serve: Serve, tmp_path: Path) -> None:
    wire = Wire()
    package = packages.write(tmp_path / "new.zip", newer())
    target = serve(lambda inner: wire(adjusting(inner, b'"Fruit"', b'"FRUIT"')), package=package, empty=True)
    wire.fault = first("shop_kinds/Microsoft.Dynamics.CRM.CreateMultiple", LOST)
    arguments = ("import", "--target", target.url, "--data", package, "--run", "a.run", "--format", "json")
    for _ in range(2):
        done = confmig(*arguments)
        assert (done.code, done.facts["unknown"], done.facts["stale"]) == (9, 1, 0), done
        assert "the row is there, with other values than planned: shop_name" in unapplied(done)[0][4]


def test_a_row_that_somebody_else_wrote_in_part_just_as_planned_is_not_stale(
    confmig: Confmig, serve: Serve, tmp_path: Path
) -> None:
    def items(name: str, pieces: int) -> str:
        return packages.data(items=packages.item(packages.APPLE, name, packages.field("shop_pieces", pieces)))

    target = serve(package=packages.write(tmp_path / "old.zip", items("Old", 1)))
    package = packages.write(tmp_path / "new.zip", items("New", 2))
    assert confmig("plan", "--target", target.url, "--data", package, "--plan", "a.plan").code == 0
    row = f"{target.url}/api/data/v9.2/shop_items({packages.APPLE})"
    assert requests.patch(row, json={"shop_pieces": 2}, timeout=10).status_code == 204
    assert confmig("import", "--target", target.url, "--plan", "a.plan", "--data", package).code == 0
