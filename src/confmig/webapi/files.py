"""The payloads of file columns, down and up, in blocks.

https://learn.microsoft.com/power-apps/developer/data-platform/file-column-data
"""

import base64
import io
import mimetypes
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from confmig.errors import LostAnswerError, ServiceError
from confmig.webapi.replies import Json, decode_json, encode_json, error_of, fault_of, text_of
from confmig.webapi.sender import Request, Response, Sender
from confmig.webapi.writes import DONE, JSON_BODY, LOST, WriteResult, WriteStatus, is_empty, is_unclear

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


class FileUpload:
    """Uploads a file in blocks; before the last request, which puts them together, the column is as it was.

    Args:
        sender: What sends the requests.
        api: The API's root URL with a slash at its end.
        what: Which file it is, for messages.
    """

    def __init__(self, sender: Sender, api: str, what: str) -> None:
        self._sender = sender
        self._api = api
        self._what = what

    def send(self, row: Json, column: str, name: str, blocks: Iterable[bytes]) -> WriteResult:
        """Upload a file.

        Args:
            row: The row, by its type and id.
            column: The file column.
            name: The file's name.
            blocks: Its bytes, in pieces of at most ``BLOCK``.

        Raises:
            ServiceError: The environment did not answer properly; the column is as it was.
        """
        begun = self._post("InitializeFileBlocksUpload", {"Target": row, "FileAttributeName": column, "FileName": name})
        if begun.status >= 300:
            return self._refused(begun)
        token = text_of(decode_json(begun.body, self._what), "FileContinuationToken", self._what)
        ids: list[str] = []
        size = 0
        for block in blocks:
            size += len(block)
            ids.append(base64.b64encode(f"{len(ids):08}".encode()).decode())  # all of one length, as they must be
            data = base64.b64encode(block).decode()
            taken = self._post("UploadBlock", {"BlockId": ids[-1], "BlockData": data, "FileContinuationToken": token})
            if taken.status >= 300:
                return self._refused(taken)
            if not is_empty(taken):
                raise ServiceError(f"{self._what}: something else answered in the service's place.")
        return self._commit(
            {"FileName": name, "MimeType": _mime_type(name), "BlockList": ids, "FileContinuationToken": token}, size
        )

    def _commit(self, body: Json, size: int) -> WriteResult:
        try:
            done = self._post("CommitFileBlocksUpload", body, repeatable=False)
        except LostAnswerError:
            return LOST
        if is_unclear(done):
            return LOST
        if done.status >= 300:
            return self._refused(done)
        try:
            told = decode_json(done.body, self._what).get("FileSizeInBytes")
        except ServiceError:
            return LOST  # whatever answered, it was not the service
        return DONE if told == size else LOST

    def _post(self, action: str, body: Json, *, repeatable: bool = True) -> Response:
        return self._sender.send(Request("POST", self._api + action, JSON_BODY, encode_json(body), repeatable))

    def _refused(self, response: Response) -> WriteResult:
        """The result of a refusal; an environment that is too busy, or is not there, refuses nothing.

        Raises:
            ServiceError: It is one of these.
        """
        fault = fault_of(response)
        if response.status in {429, 503} or is_unclear(response):
            raise error_of(fault, self._what)
        return WriteResult(WriteStatus.REFUSED, fault)


def _mime_type(name: str) -> str:
    """The type that a file's name suggests, by Python's own list: that of the machine may be another."""
    return mimetypes.MimeTypes().guess_type(name)[0] or "application/octet-stream"
