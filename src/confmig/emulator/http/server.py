"""The HTTP server: in a thread for tests, and for the command."""

import asyncio
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from confmig.emulator.environment import open_environment
from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.http.asgi import Application
from confmig.emulator.http.certificates import Tls, tls_files
from confmig.emulator.http.delivering import TRANSPORT
from confmig.emulator.http.front import Front
from confmig.emulator.options import EmulatorOptions
from confmig.emulator.service import Service

_START_SECONDS = 30.0
_BACKLOG = 2048
_LONGEST_HEAD = 1 << 17
# As long as IIS, on which the service runs, keeps a connection that nobody uses
# (https://learn.microsoft.com/iis/configuration/system.applicationhost/sites/site/limits).
_KEEP_ALIVE_SECONDS = 120


class _Protocol(H11Protocol):
    """HTTP/1.1 of uvicorn, in pure Python as everywhere; the application gets at the connection, to break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take up a new connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}


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
        http=_Protocol,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
        log_config=None,
        access_log=False,
        interface="asgi3",
        lifespan="off",
        ws="none",
        server_header=False,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
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
            self._open.callback(store.close)
            self._service = Service(store, self._options)
            app = Front(self._service, self._options)
            self._open.callback(app.close)
        except BaseException:
            self._socket.close()
            self._open.close()
            raise
        self.url = _url(self._socket, secure=tls is not None)
        self.authority = tls.authority if tls else None
        self.organization_id = store.organization_id
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
        self._open.close()
        self._server = self._thread = self._socket = None

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
    # What clients send that is no HTTP is answered with 400, and is no news for who serves.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
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
