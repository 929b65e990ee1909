"""A small HTTP server whose replies are written down beforehand, and a directory that hands out tokens."""

import json
import os
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl

from confmig.webapi.sender import Request, Response

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Seen:
    """A request as it arrived; ``connection`` is the client's port, which tells connections apart."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form."""
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True)
class Answer:
    """A reply.

    ``raw`` is sent instead of a proper reply, before the connection is closed; ``naked`` the same, but past TLS.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    naked: bytes | None = None


CUT = Answer(raw=b"")
"""The connection is closed without an answer."""


def json_answer(value: object, status: int = 200, **headers: str) -> Answer:
    """A reply with a JSON body."""
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one segment a reply: two would wait for the client's acknowledgement
    timeout = 10
    disable_nagle_algorithm = True
    server: "_Listener"

    def _reply(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, self.rfile.read(length), self.client_address[1])
        answer = self.server.take(seen)
        if answer.naked is not None:
            with socket.socket(fileno=os.dup(self.connection.fileno())) as plain:
                plain.sendall(answer.naked)
            self.close_connection = True
        elif answer.raw is not None:
            self.wfile.write(answer.raw)
            self.close_connection = True
        else:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_CONNECT = _reply  # noqa: N815 (as the base class asks)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Stay silent."""


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    take: Callable[[Seen], Answer]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the tests."""


class Server:
    """Serves on loopback; a context manager.

    Args:
        replies: The replies in order, or a function of the request; when they are used up, ``{}`` with 200.
        tls: Certificate and key, as one PEM file.
        port: Where it listens; 0 takes a free port.
    """

    def __init__(
        self, replies: Sequence[Answer] | Callable[[Seen], Answer] = (), tls: str | None = None, port: int = 0
    ) -> None:
        self.seen: list[Seen] = []
        self._left = [] if callable(replies) else list(replies)
        self._answer = replies if callable(replies) else None
        self._lock = threading.Lock()
        self._listener = _Listener((LOOPBACK, port), _Handler)
        self._listener.take = self._take
        self.port = self._listener.server_address[1]
        self.url = f"{'https' if tls else 'http'}://{LOOPBACK}:{self.port}"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            self._listener.socket = context.wrap_socket(self._listener.socket, server_side=True)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)

    def _take(self, seen: Seen) -> Answer:
        with self._lock:
            self.seen.append(seen)
            if self._answer is None:
                return self._left.pop(0) if self._left else Answer()
        return self._answer(seen)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()


class Directory(Server):
    """A token endpoint over TLS; gives the tokens ``first``, ``second`` … unless replies are written down."""

    tenant = "11111111-2222-3333-4444-555555555555"

    def __init__(self, tls: str, *replies: Answer, expires_in: object = 3599) -> None:
        self._tokens = list(replies)
        self._names = iter(["first", "second", "third", "fourth"])
        self._expires_in = expires_in
        super().__init__(self._endpoint, tls)

    def _endpoint(self, seen: Seen) -> Answer:
        if seen.target == f"/{self.tenant}/v2.0/.well-known/openid-configuration":
            base = f"{self.url}/{self.tenant}/oauth2/v2.0"
            return json_answer({"authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token"})
        if seen.target != f"/{self.tenant}/oauth2/v2.0/token":
            return json_answer({"error": "invalid_request", "error_description": "no such endpoint"}, 404)
        if self._tokens:
            return self._tokens.pop(0)
        return json_answer({"access_token": next(self._names), "expires_in": self._expires_in})

    @property
    def forms(self) -> list[dict[str, str]]:
        """What was sent to the token endpoint."""
        return [seen.form for seen in self.seen if seen.method == "POST"]


class Replies:
    """A sender that has the responses ready, in order or by a function, and keeps what was sent."""

    def __init__(self, *replies: Response | Exception, by: Callable[[Request], Response] | None = None) -> None:
        self._left = list(replies)
        self._by = by
        self.sent: list[Request] = []

    def send(self, request: Request) -> Response:
        """Give the next response."""
        self.sent.append(request)
        if self._by is not None:
            return self._by(request)
        reply = self._left.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


def response(status: int = 200, value: object = None, headers: dict[str, str] | None = None) -> Response:
    """A response with a JSON body."""
    return Response(status, headers or {}, b"" if value is None else json.dumps(value).encode())


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
