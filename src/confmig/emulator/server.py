"""The HTTP side: an ASGI application, a server in a thread for tests, a server for the command."""

import asyncio
import re
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

import msgspec
import uvicorn

from confmig.emulator.certificates import Tls, tls_files
from confmig.emulator.environment import open_environment
from confmig.emulator.errors import EmulatorStartError, ServiceError
from confmig.emulator.options import EmulatorOptions
from confmig.emulator.service import ROOT, Service
from confmig.emulator.wire import Reply, Request, error_reply

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LONGEST_URL = 32_768
_ORIGIN = re.compile(r"https?://[^/]*")
LARGEST_BODY = 128 << 20
DOP_HINT = "4"
_START_SECONDS = 30.0
_BACKLOG = 2048


def application(service: Service) -> Application:
    """The ASGI application of a service.

    A request is answered in the event loop itself: SQLite is local, so that a thread would only add a switch, and
    requests one after another are the one writer that SQLite wants.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            body = await _body(receive)
            reply = _answer(service, scope, body)
        except ServiceError as error:
            reply = error_reply(error)
        reply.headers["x-ms-dop-hint"] = DOP_HINT
        await _send(send, reply, head_only=scope["method"] == "HEAD")

    return app


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ServiceError(400, "0x80048d19", "The client closed the connection.")
        part = message.get("body", b"")
        size += len(part)
        if size > LARGEST_BODY:
            raise ServiceError(413, "0x8004418A", "Request message length is too large.")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _answer(service: Service, scope: Scope, body: bytes) -> Reply:
    address = (scope.get("raw_path") or scope["path"].encode()).split(b"?")[0].decode("latin-1")
    # A request that comes through a proxy names the server, too.
    path = unquote(_ORIGIN.sub("", address))
    query = scope["query_string"].decode("latin-1")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    root = ROOT.match(path)
    if root is None:
        return Reply(404, b"", {})
    if len(path) + len(query) > LONGEST_URL:
        raise ServiceError(414, "0x80060888", f"The URL is longer than {LONGEST_URL} characters.")
    token = service.options.token
    if token is not None and headers.get("authorization") != f"Bearer {token}":
        challenge = "Bearer authorization_uri=https://login.microsoftonline.com/common/oauth2/authorize"
        resource = f"{scope.get('scheme', 'http')}://{headers.get('host', '')}/"
        return Reply(401, b"", {"WWW-Authenticate": f"{challenge}, resource_id={resource}"})
    base = f"{scope.get('scheme', 'http')}://{headers.get('host', '')}{root.group().rstrip('/')}/"
    return service.answer(Request(scope["method"], base, path[root.end() :], query, headers, body))


async def _send(send: Send, reply: Reply, *, head_only: bool) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in reply.headers.items()]
    if reply.status != 204:
        headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head_only else reply.body})


def _bind(options: EmulatorOptions) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    # The protocol must be named: asyncio turns Nagle's algorithm off only for sockets that say they are TCP.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((options.host, options.port))
        # Only a socket that listens keeps others from taking the port, too.
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise EmulatorStartError(f"cannot listen on {options.host}:{options.port}: {error}") from error
    return bound


def _url(bound: socket.socket, *, secure: bool) -> str:
    host, port = bound.getsockname()[:2]
    return f"http{'s' if secure else ''}://{f'[{host}]' if ':' in host else host}:{port}"


def _config(app: Application, tls: Tls | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
        log_config=None,
        access_log=False,
        interface="asgi3",
        lifespan="off",
        ws="none",
        server_header=False,
        h11_max_incomplete_event_size=1 << 17,
        timeout_graceful_shutdown=5,
    )


class _Server(uvicorn.Server):
    """A server that ends soon, whoever keeps a connection open."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut what is idle, wait for what is under way, then cut that too.

        With TLS, closing alone would wait half a minute for a goodbye that an idle client does not give
        (https://docs.python.org/3/library/asyncio-eventloop.html, ssl_shutdown_timeout).
        """
        connections: Any = self.server_state.connections
        for connection in list(connections):
            if connection.cycle is None or connection.cycle.response_complete:
                connection.transport.abort()
        await super().shutdown(sockets)
        for connection in list(connections):
            connection.transport.abort()
        await asyncio.sleep(0)


class Emulator:
    """An environment served from a thread of this process; a context manager.

    Args:
        options: What it holds and where it listens.
        wrap: Puts another ASGI application around it, such as one that injects faults.

    Attributes:
        url: Where it listens.
        organization_id: The id of the organization.
        authority: PEM file of the authority that clients are to trust, when it made one.
    """

    def __init__(self, options: EmulatorOptions, wrap: Callable[[Application], Application] | None = None) -> None:
        self._options = options
        self._wrap = wrap
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None
        self._service: Service | None = None
        self._open = ExitStack()
        self.url = ""
        self.organization_id = ""
        self.authority: Path | None = None

    def start(self) -> None:
        """Open the environment and wait until it accepts connections.

        Raises:
            EmulatorStartError: It cannot start.
            PackageFileError: Its package cannot be read.
        """
        self._socket = _bind(self._options)
        try:
            tls = self._open.enter_context(tls_files(self._options))
            store = open_environment(self._options)
        except BaseException:
            self._socket.close()
            self._open.close()
            raise
        self.url = _url(self._socket, secure=tls is not None)
        self.authority = tls.authority if tls else None
        self._service = Service(store, self._options)
        self.organization_id = store.organization_id
        app = application(self._service)
        self._server = _Server(_config(self._wrap(app) if self._wrap else app, tls))
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="emulator", daemon=True)
        self._thread.start()
        if not ready.wait(_START_SECONDS) or not self._server.started:
            raise EmulatorStartError("the server did not start in time")

    def _run(self, ready: threading.Event) -> None:
        server, bound = self._server, self._socket
        if server is None or bound is None:
            return

        async def serve() -> None:
            task = asyncio.create_task(server.serve(sockets=[bound]))
            while not server.started and not task.done():
                await asyncio.sleep(0.005)
            ready.set()
            await task

        asyncio.run(serve())

    def stop(self) -> None:
        """End the server and close the store; what was written stays in the store's file."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(timeout=15)
        if self._socket is not None:
            self._socket.close()
        if self._service is not None:
            self._service.store.close()
        self._open.close()
        self._server = self._thread = self._socket = self._service = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(options: EmulatorOptions) -> None:
    """Serve an environment until SIGTERM or SIGINT, then return.

    One line of JSON on stdout says where it listens as soon as it does.

    Raises:
        EmulatorStartError: It cannot start.
        PackageFileError: Its package cannot be read.
    """
    emulator = Emulator(options)
    # Blocked in all threads, and waited for in this one: a handler could run in the middle of anything.
    ends = {signal.SIGTERM, signal.SIGINT}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        emulator.start()
        ready = {"url": emulator.url, "organization_id": emulator.organization_id}
        if emulator.authority is not None:
            ready["ca"] = str(emulator.authority)
        sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
        sys.stdout.flush()
        signal.sigwait(ends)
    finally:
        emulator.stop()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
