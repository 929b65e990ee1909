"""The payloads of file columns, down and up, in blocks.

https://learn.microsoft.com/power-apps/developer/data-platform/file-column-data
"""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from confmig.errors import ServiceError
from confmig.webapi.replies import error_of, fault_of
from confmig.webapi.sender import Request, Response, Sender

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 4 * 1024**2
"""Bytes of a block: the service takes and gives no more at once."""


class FileDownload(io.RawIOBase):
    """A file of the environment, fetched block by block while it is read.

    Args:
        fetch: Gives the answer to a request for the block that begins at this byte.
        what: Which file it is, for messages.

    Raises:
        ServiceError: There is no file, or the environment did not answer properly.
    """

    def __init__(self, fetch: Callable[[int], Response], what: str) -> None:
        self._fetch = fetch
        self._what = what
        response = fetch(0)
        if response.status == 204:
            raise ServiceError(f"{what}: the row has no file any more.", "Run the command again.")
        if response.status not in {200, 206}:
            raise error_of(fault_of(response), what)
        # Who does not know ranges sends the whole file, with 200.
        self.size = len(response.body) if response.status == 200 else _told_size(response, what)
        self._block = memoryview(response.body)
        self._fetched = len(response.body)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a buffer as far as the block at hand goes.

        Raises:
            ServiceError: The file was replaced meanwhile, or the environment did not answer properly.
        """
        if not self._block and self._fetched < self.size:
            self._next_block()
        space = memoryview(buffer).cast("B")
        count = min(len(space), len(self._block))
        space[:count] = self._block[:count]
        self._block = self._block[count:]
        return count

    def _next_block(self) -> None:
        response = self._fetch(self._fetched)
        if response.status not in {204, 206}:
            raise error_of(fault_of(response), self._what)
        if response.status == 204 or not response.body or _told_size(response, self._what) != self.size:
            raise ServiceError(f"{self._what}: the file was replaced while it was read.", "Run the command again.")
        self._block = memoryview(response.body)
        self._fetched += len(response.body)


def _told_size(response: Response, what: str) -> int:
    text = response.headers.get("x-ms-file-size", "")
    if not (text.isascii() and text.isdigit()):
        raise ServiceError(f"{what}: the environment does not tell the file's size.")
    return int(text)


def download_file(sender: Sender, url: str, what: str) -> FileDownload:
    """Begin to read a file; its size is known then.

    Args:
        sender: What sends the requests.
        url: The column's URL, below that of its row.
        what: Which file it is, for messages.
    """

    def fetch(start: int) -> Response:
        # A cached answer would show a state from before a write.
        headers = {"Range": f"bytes={start}-{start + BLOCK - 1}", "If-None-Match": "null"}
        return sender.send(Request("GET", f"{url}/$value", headers))

    return FileDownload(fetch, what)
