"""A plain client for the tests: what goes over the wire is written out in each test."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import requests

ALL = {"Prefer": 'odata.include-annotations="*"'}
NAME = "@OData.Community.Display.V1.FormattedValue"
TARGET = "@Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION = "@Microsoft.Dynamics.CRM.associatednavigationproperty"


class Client:
    """Sends requests to one emulator, below ``/api/data/v9.2/``."""

    def __init__(self, url: str) -> None:
        self.root = f"{url}/api/data/v9.2/"
        self.session = requests.Session()
        self.session.trust_env = False

    def send(self, method: str, path: str, body: object = None, **headers: str) -> requests.Response:
        """Send a request; header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        if body is not None and "Content-Type" not in named:
            named["Content-Type"] = "application/json"
        url = path if path.startswith("http") else self.root + path
        return self.session.request(method, url, data=data, headers=named, timeout=30)

    def get(self, path: str, **headers: str) -> Any:
        """The JSON of a GET that must succeed, numbers with a point as their text."""
        reply = self.send("GET", path, **headers)
        assert reply.status_code == 200, reply.text
        return json.loads(reply.content, parse_float=str)

    def rows(self, path: str, **headers: str) -> list[dict[str, Any]]:
        """All rows of a query, following the links to further pages."""
        return list(self.iterate(path, **headers))

    def iterate(self, path: str, **headers: str) -> Iterator[dict[str, Any]]:
        link: str | None = path
        while link:
            page = self.get(link, **headers)
            yield from page["value"]
            link = page.get("@odata.nextLink")

    def create(self, entity_set: str, body: dict[str, Any]) -> str:
        """Create a row and give its id."""
        reply = self.send("POST", entity_set, body)
        assert reply.status_code == 204, reply.text
        return reply.headers["OData-EntityId"][-37:-1]

    def close(self) -> None:
        self.session.close()


def error(reply: requests.Response) -> tuple[int, str]:
    """Status and code of an error, whose body and headers have the documented form."""
    assert reply.headers["REQ_ID"] == reply.headers["x-ms-service-request-id"]
    assert reply.headers["Content-Type"].startswith("application/json")
    body = reply.json()["error"]
    assert body["message"]
    return reply.status_code, body["code"]


def until(condition: Callable[[], bool]) -> None:
    """Wait until the server is where a test wants it."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)
