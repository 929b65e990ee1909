"""Sending an answer, whole or, when a fault says so, not quite."""

import asyncio
import contextlib
import gzip
import re
import socket
import struct

from confmig.emulator.clock import Clock
from confmig.emulator.http.asgi import Receive, Scope, Send
from confmig.emulator.wire.wire import Reply

TRANSPORT = "transport"
_WITHOUT_LENGTH = (204, 304)
_SMALLEST_PACKED = 2048
_PACKED = re.compile(r"(^|[,\s])gzip\s*(;\s*q\s*=\s*(0\.0*[1-9]\d*|1(\.0*)?)\s*)?($|,)")
_DRIPS = 20
# Closing at once and without a goodbye: the other side sees a reset (https://man7.org/linux/man-pages/man7/socket.7.html).
_LINGER_NOT = struct.pack("ii", 1, 0)


def pack(reply: Reply, accepted: str) -> None:
    """Compress a body with gzip when the client accepts that and it pays.

    Args:
        reply: The answer; changed in place.
        accepted: The request's ``Accept-Encoding``.
    """
    kind = reply.headers.get("Content-Type", "")
    if len(reply.body) < _SMALLEST_PACKED or kind.startswith("application/octet-stream"):
        return
    if _PACKED.search(accepted.lower()):
        # The quickest level: what it saves on the wire of one machine is about what it costs.
        reply.body = gzip.compress(reply.body, 1, mtime=0)
        reply.headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}


class Delivery:
    """The way back to one client, who gets some cookies with it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, cookies: list[str]) -> None:
        self._cookies = cookies
        self._transport: asyncio.Transport | None = scope.get("state", {}).get(TRANSPORT)
        self._head_only = scope["method"] == "HEAD"
        self._receive = receive
        self._send = send

    async def whole(self, reply: Reply) -> None:
        """Send an answer."""
        await self._start(reply)
        await self._send({"type": "http.response.body", "body": b"" if self._head_only else reply.body})

    async def slowly(self, reply: Reply, seconds: float, clock: Clock) -> None:
        """Send the head at once and the body in drips."""
        await self._start(reply)
        size = max(1, -(-len(reply.body) // _DRIPS))
        for start in range(0, len(reply.body), size):
            await clock.sleep(seconds / _DRIPS)
            await self._send(
                {"type": "http.response.body", "body": reply.body[start : start + size], "more_body": True}
            )
        await self._send({"type": "http.response.body", "body": b""})

    async def cut_short(self, reply: Reply) -> None:
        """Send half of what the length in the head promises, then close the connection."""
        await self._start(reply)
        await self._send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})
        if self._transport is not None:
            self._transport.close()
        await self._gone()

    async def dropped(self) -> None:
        """Send nothing and reset the connection."""
        if self._transport is not None:
            connection: socket.socket | None = self._transport.get_extra_info("socket")
            if connection is not None:
                with contextlib.suppress(OSError):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            self._transport.abort()
        await self._gone()

    async def _gone(self) -> None:
        """Wait until the server has seen that the connection is no more."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _start(self, reply: Reply) -> None:
        headers = [
            (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in reply.headers.items()
        ]
        headers += [(b"Set-Cookie", cookie.encode()) for cookie in self._cookies]
        if reply.status not in _WITHOUT_LENGTH:
            headers.append((b"Content-Length", str(len(reply.body)).encode()))
        await self._send({"type": "http.response.start", "status": reply.status, "headers": headers})
