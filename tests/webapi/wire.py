"""What lies between client and emulator: it counts requests, and loses or replaces answers."""

import re
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from confmig.emulator.http.asgi import Application, Receive, Scope, Send


@dataclass(frozen=True)
class Passed:
    """A request on its way to the emulator; ``target`` is below the API's root, decoded."""

    method: str
    target: str
    body: bytes
    authorization: str


@dataclass(frozen=True)
class Instead:
    """An answer given in the emulator's place. ``status`` 0 loses the answer after the request was carried out."""

    status: int
    body: bytes = b""
    retry_after: str = ""


LOST = Instead(0)


def refusal(status: int, code: str, message: str) -> Instead:
    """An error in the service's form."""
    return Instead(status, f'{{"error":{{"code":"{code}","message":"{message}"}}}}'.encode())


class Wire:
    """Passes requests on, keeping what it saw.

    Attributes:
        fault: Says which requests are answered otherwise.
        page: Rows a page; the service, too, may give fewer than were asked for.
    """

    def __init__(self) -> None:
        self.passed: list[Passed] = []
        self.fault: Callable[[Passed], Instead | None] = lambda _: None
        self.page = 5000

    def __call__(self, inner: Application) -> Application:
        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            await self._answer(inner, scope, receive, send)

        return application

    def targets(self, part: str) -> list[str]:
        """Method and target of the requests in whose target this stands."""
        return [f"{one.method} {one.target}" for one in self.passed if part in one.target]

    def bodies(self, part: str) -> list[bytes]:
        """The bodies of the requests in whose target this stands."""
        return [one.body for one in self.passed if part in one.target]

    def clear(self) -> None:
        """Forget what was seen and pass everything on."""
        self.passed.clear()
        self.fault = lambda _: None

    async def _answer(self, inner: Application, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        headers = dict(scope["headers"])
        path = (scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")).decode("latin-1")
        target = unquote(path.partition("/api/data/v9.2/")[2])
        passed = Passed(scope["method"], target, body, headers.get(b"authorization", b"").decode())
        self.passed.append(passed)
        instead = self.fault(passed)
        if instead is None:
            await inner(self._with_smaller_pages(scope), _once(body), send)
        elif instead.status == 0:
            await inner(scope, _once(body), _nowhere)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
        else:
            names = [(b"content-type", b"application/json"), (b"content-length", str(len(instead.body)).encode())]
            if instead.retry_after:
                names.append((b"retry-after", instead.retry_after.encode()))
            await send({"type": "http.response.start", "status": instead.status, "headers": names})
            await send({"type": "http.response.body", "body": instead.body})

    def _with_smaller_pages(self, scope: Scope) -> Scope:
        page = str(self.page).encode()
        headers = [
            (name, value.replace(b"maxpagesize=5000", b"maxpagesize=" + page)) for name, value in scope["headers"]
        ]
        query = re.sub(rb"count%3D%225000%22", b"count%3D%22" + page + b"%22", scope["query_string"])
        return {**scope, "headers": headers, "query_string": query}


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _once(body: bytes) -> Receive:
    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _nowhere(message: MutableMapping[str, Any]) -> None:
    """Take the answer and give it to nobody."""
