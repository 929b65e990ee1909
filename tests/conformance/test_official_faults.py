"""How Microsoft's Python client takes the service's limits and faults: it reads of them what it is told."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .test_official_client import SHOP, TOKEN, connected, names_of


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch, *faults: str, limits: str | None = None) -> Iterator[DataverseClient]:
    options = EmulatorOptions(environment=SHOP, token=TOKEN, self_signed=True, faults=faults, limits=limits)
    with Emulator(options) as emulator, connected(emulator, monkeypatch) as opened:
        yield opened


def create_many(client: DataverseClient, number: int) -> None:
    for place in range(number):
        client.records.create("account", {"name": f"A{place}"})


def test_a_limit_that_is_exceeded(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(monkeypatch, limits="requests=20,window=60s") as client, pytest.raises(HttpError) as caught:
        create_many(client, 30)
    error = caught.value
    assert (error.status_code, error.details["service_error_code"]) == (429, "0x80072322")
    assert error.is_transient
    assert 1 <= error.details["retry_after"] <= 60
    assert error.details["service_request_id"]


@pytest.mark.parametrize(("kind", "status"), [("429-concurrent", 429), ("503", 503), ("504", 504), ("deadlock", 500)])
def test_a_fault_is_told_apart(monkeypatch: pytest.MonkeyPatch, kind: str, status: int) -> None:
    with serving(monkeypatch, f"{kind}:method=POST,times=1,retry-after=9s") as client:
        with pytest.raises(HttpError) as caught:
            client.records.create("account", {"name": "A"})
        assert caught.value.status_code == status
        assert caught.value.is_transient == (status != 500)
        assert caught.value.details.get("retry_after") == (9 if status != 500 else None)
        client.records.create("account", {"name": "A"})
        assert names_of(client, "name eq 'A'") == ["A"]


def test_a_lost_answer_is_sent_again_by_this_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """It repeats what the network lost, even a create: before the commit that helps, after it there are two rows."""
    for fault, rows in (("drop-before", ["A"]), ("drop-after", ["A", "A"])):
        with serving(monkeypatch, f"{fault}:method=POST,times=1") as client:
            client.records.create("account", {"name": "A"})
            assert names_of(client, "name eq 'A'") == rows
