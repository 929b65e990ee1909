"""Several web servers: each with limits of its own, and a cookie that holds a client to one."""

import json
from collections import Counter
from pathlib import Path

import pytest
import requests

from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client
from .conftest import SHOP

REQUESTS = "x-ms-ratelimit-burst-remaining-xrm-requests"


def test_without_the_cookie_requests_go_to_all_servers_and_each_counts_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = EmulatorOptions(environment=str(SHOP), servers=4, limits="requests=5", log=log)
    with Emulator(options) as emulator:
        names = Counter[str]()
        for _ in range(20):
            reply = requests.get(f"{emulator.url}/api/data/v9.2/WhoAmI", timeout=5)
            assert reply.status_code == 200
            names[reply.cookies["ARRAffinity"]] += 1
        assert sorted(names.values()) == [5, 5, 5, 5]
        assert requests.get(f"{emulator.url}/api/data/v9.2/WhoAmI", timeout=5).status_code == 429
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert Counter(line["server"] for line in lines[:20]) == {0: 5, 1: 5, 2: 5, 3: 5}


def test_the_cookie_holds_a_client_to_one_server() -> None:
    with Emulator(EmulatorOptions(environment=str(SHOP), servers=4, limits="requests=5")) as emulator:
        client = Client(emulator.url)
        replies = [client.send("GET", "WhoAmI") for _ in range(6)]
        assert [reply.status_code for reply in replies] == [200] * 5 + [429]
        assert [reply.headers.get(REQUESTS) for reply in replies] == ["4", "3", "2", "1", "0", "0"]
        assert len({reply.cookies["ARRAffinity"] for reply in replies}) == 1
        # Whoever removes it comes to another server.
        client.session.cookies.clear()
        assert client.send("GET", "WhoAmI").status_code == 200
        client.close()


def test_a_cookie_of_another_environment_means_nothing() -> None:
    with Emulator(EmulatorOptions(environment=str(SHOP), servers=2)) as emulator:
        url = f"{emulator.url}/api/data/v9.2/WhoAmI"
        for cookie in ("ARRAffinity=unknown", "ARRAffinity", "=;;,", '"\\', "a=b; ARRAffinity="):
            assert requests.get(url, headers={"Cookie": cookie}, timeout=5).status_code == 200


def test_over_tls_the_cookies_are_as_a_browser_wants_them() -> None:
    with Emulator(EmulatorOptions(environment=str(SHOP), self_signed=True)) as emulator:
        reply = requests.get(f"{emulator.url}/api/data/v9.2/WhoAmI", verify=str(emulator.authority), timeout=5)
        cookies = {cookie.name: cookie for cookie in reply.cookies}
        assert set(cookies) == {"ARRAffinity", "ARRAffinitySameSite"}
        assert all(cookie.secure and cookie.has_nonstandard_attr("HttpOnly") for cookie in cookies.values())
        assert cookies["ARRAffinitySameSite"].get_nonstandard_attr("SameSite") == "None"


def test_the_hint_of_parallelism_is_on_every_answer() -> None:
    with Emulator(EmulatorOptions(environment=str(SHOP), dop_hint=17)) as emulator:
        client = Client(emulator.url)
        for path in ("WhoAmI", "accounts", "nothings"):
            assert client.send("GET", path).headers["x-ms-dop-hint"] == "17"
        client.close()


def test_numbers_that_make_no_sense() -> None:
    for options in (EmulatorOptions(servers=0), EmulatorOptions(dop_hint=0)):
        with pytest.raises(EmulatorStartError, match="at least"):
            Emulator(options).start()
