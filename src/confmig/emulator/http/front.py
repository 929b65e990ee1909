"""What stands between the wire and the service: web servers, limits, latency and faults.

A request is answered in the event loop itself: SQLite is local, so that a thread would only add a switch, and requests
one after another are the one writer that SQLite wants. Only what a model of time makes them wait lets others go on.
"""

import asyncio
import re
import uuid
from urllib.parse import unquote

from confmig.emulator.errors import EmulatorStartError, ServiceError
from confmig.emulator.http import faults
from confmig.emulator.http.asgi import Receive, Scope, Send
from confmig.emulator.http.crossorigin import options_headers, origin_headers
from confmig.emulator.http.delivering import Delivery, pack
from confmig.emulator.http.faults import Fault
from confmig.emulator.http.latency import Latency
from confmig.emulator.http.limits import Account, Limits
from confmig.emulator.http.requestlog import RequestLog
from confmig.emulator.http.webservers import WebServer, WebServers, affinity_cookies
from confmig.emulator.options import EmulatorOptions
from confmig.emulator.service import ROOT, Service
from confmig.emulator.storage.work import Work
from confmig.emulator.wire.wire import Reply, Request, error_reply, unauthorized

LONGEST_URL = 32_768
LARGEST_BODY = 128 << 20
_ORIGIN = re.compile(r"https?://[^/]*")


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete."""


class Front:
    """The ASGI application of a service.

    Args:
        service: What answers.
        options: How it behaves: limits, latency, faults, servers.

    Raises:
        EmulatorStartError: An option cannot be read.
    """

    def __init__(self, service: Service, options: EmulatorOptions) -> None:
        if options.servers < 1 or options.dop_hint < 1:
            raise EmulatorStartError("there is at least one web server, and a degree of parallelism of at least 1")
        limits = Limits.parse(options.limits) if options.limits else None
        self._latency = Latency.parse(options.latency) if options.latency else None
        self._service = service
        self._options = options
        self._clock = options.clock
        self._limits = limits or Limits()
        self._servers = WebServers(
            service.store.organization_id,
            lambda number, name: WebServer(number, name, limits, self._latency),
            options.servers,
        )
        self._log = RequestLog(options.log) if options.log else None

    def close(self) -> None:
        """Close the log."""
        if self._log is not None:
            self._log.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        try:
            await self._exchange(scope, receive, send)
        except asyncio.CancelledError:
            # The server ends, and this request took longer than it waits.
            await Delivery(scope, receive, send, []).dropped()

    async def _exchange(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = self._clock.now()
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        server = self._servers.choose(headers.get("cookie", ""))
        account = server.account(headers.get("authorization", ""), began)
        fault: Fault | None = None
        try:
            body = await _body(receive, headers)
            request = self._request(scope, headers, body)
            if isinstance(request, Reply):
                reply = request
            else:
                fault = self._service.faults.of_request(request.method, request.path)
                reply = await self._answer(server, account, request, fault)
        except ServiceError as error:
            reply = error_reply(error)
        except ClientGoneError:
            return
        self._complete(reply, headers, account)
        self._note(scope, server, reply, fault, began)
        secure = scope.get("scheme") == "https"
        await self._deliver(Delivery(scope, receive, send, affinity_cookies(server, secure=secure)), reply, fault)

    def _request(self, scope: Scope, headers: dict[str, str], body: bytes) -> Request | Reply:
        """The request as the service sees it; or the answer, when it is none for the service.

        Raises:
            ServiceError: The URL is too long.
        """
        path, query = _path(scope), scope["query_string"].decode("latin-1")
        root = ROOT.match(path)
        if root is None:
            return Reply(404, b"There is only the Web API here, at /api/data/v9.2/.", {"Content-Type": "text/plain"})
        if len(path) + len(query) > LONGEST_URL:
            raise ServiceError(414, "0x80060888", f"The URL is longer than {LONGEST_URL} characters.")
        if scope["method"] == "OPTIONS":
            return Reply(200, b"", options_headers(headers))
        home = f"{scope.get('scheme', 'http')}://{headers.get('host') or _own_name(scope)}"
        token = self._options.token
        if token is not None and headers.get("authorization") != f"Bearer {token}":
            return unauthorized(home)
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        return Request(method, f"{home}{root.group().rstrip('/')}/", path[root.end() :], query, headers, body)

    async def _answer(self, server: WebServer, account: Account | None, request: Request, fault: Fault | None) -> Reply:
        """The answer to a request, unless a fault or a limit comes first."""
        if fault is not None:
            instead = self._instead(request, fault)
            if instead is not None:
                return instead
        if account is None:
            return (await self._work(server, request))[0]
        try:
            account.begin(self._clock.now())
        except ServiceError as error:
            return error_reply(error)
        seconds = 0.0
        try:
            reply, seconds = await self._work(server, request)
        finally:
            account.end(self._clock.now(), seconds)
        return reply

    def _instead(self, request: Request, fault: Fault) -> Reply | None:
        """What a fault answers in the service's place, if that is what it does."""
        if fault.rule.kind == faults.EXPIRED:
            return unauthorized(request.base.partition("/api/")[0])
        if fault.rule.kind == faults.DROP_BEFORE:
            return Reply(0)
        throttled = fault.throttling(self._limits)
        return error_reply(throttled) if throttled is not None else fault.gateway_page()

    async def _work(self, server: WebServer, request: Request) -> tuple[Reply, float]:
        """The service's answer, and how long it took to work it out, the model's time included."""
        async with server.workers.one():
            done = self._service.store.work
            before, written, read = self._clock.now(), done.written, done.read
            reply = self._service.answer(request)
            if self._latency is not None:
                await self._clock.sleep(self._latency.seconds(Work(done.written - written, done.read - read)))
            return reply, self._clock.now() - before

    def _complete(self, reply: Reply, headers: dict[str, str], account: Account | None) -> None:
        """Give an answer the headers that every answer has."""
        if "REQ_ID" not in reply.headers:
            reply.headers["REQ_ID"] = reply.headers["x-ms-service-request-id"] = str(uuid.uuid4())
        requests, seconds = self._limits.requests, self._limits.execution
        if account is not None:
            requests, seconds = account.remaining(self._clock.now())
        reply.headers |= {
            "Cache-Control": "no-cache",
            "Expires": "-1",
            "x-ms-dop-hint": str(self._options.dop_hint),
            # So the service writes them, with a comma for thousands:
            # https://learn.microsoft.com/power-apps/developer/data-platform/webapi/use-ps-and-vscode-web-api
            "x-ms-ratelimit-time-remaining-xrm-requests": f"{seconds:,.2f}",
            "x-ms-ratelimit-burst-remaining-xrm-requests": str(requests),
        }
        if "origin" in headers:
            reply.headers |= origin_headers(headers)
        if "accept-encoding" in headers:
            pack(reply, headers["accept-encoding"])

    async def _deliver(self, delivery: Delivery, reply: Reply, fault: Fault | None) -> None:
        kind = fault.rule.kind if fault is not None else ""
        if kind in (faults.DROP_BEFORE, faults.DROP_AFTER):
            await delivery.dropped()
        elif kind == faults.TRUNCATE:
            await delivery.cut_short(reply)
        elif kind == faults.SLOW and fault is not None:
            await delivery.slowly(reply, fault.rule.seconds, self._clock)
        else:
            await delivery.whole(reply)

    def _note(self, scope: Scope, server: WebServer, reply: Reply, fault: Fault | None, began: float) -> None:
        if self._log is None:
            return
        dropped = fault is not None and fault.rule.kind in (faults.DROP_BEFORE, faults.DROP_AFTER)
        self._log.add(
            {
                "time": self._clock.stamp(),
                "method": scope["method"],
                "path": _path(scope),
                "status": None if dropped else reply.status,
                "ms": round((self._clock.now() - began) * 1000, 1),
                "server": server.number,
                "fault": fault.rule.kind if fault is not None else reply.fault,
            }
        )


def _path(scope: Scope) -> str:
    address: str = (scope.get("raw_path") or scope["path"].encode()).split(b"?")[0].decode("latin-1")
    # A request that comes through a proxy names the server, too.
    return unquote(_ORIGIN.sub("", address))


def _own_name(scope: Scope) -> str:
    """The host for links, when a client of HTTP/1.0 does not say how it calls the server."""
    host, port = scope.get("server") or ("", 0)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _body(receive: Receive, headers: dict[str, str]) -> bytes:
    """The body of a request.

    Raises:
        ServiceError: It is too large.
        ClientGoneError: It ended before its end.
    """
    parts: list[bytes] = []
    size = 0
    announced = headers.get("content-length", "")
    # What says that it is too large is not even read; nor does the client send it that waits for "100 Continue".
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > LARGEST_BODY:
        raise _too_large()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        part = message.get("body", b"")
        size += len(part)
        if size > LARGEST_BODY:
            raise _too_large()
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _too_large() -> ServiceError:
    return ServiceError(413, "0x8004418A", "Request message length is too large.")
