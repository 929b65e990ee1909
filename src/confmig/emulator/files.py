"""File and image columns: whole or in chunks, through their URL or through the block actions.

https://learn.microsoft.com/power-apps/developer/data-platform/file-column-data
"""

import base64
import binascii
import re
import uuid
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from confmig.emulator.context import Context
from confmig.emulator.errors import ServiceError, bad_request, invalid_argument, row_missing
from confmig.emulator.model import Column, Table
from confmig.emulator.operations import Call, Operations
from confmig.emulator.store import file_column
from confmig.emulator.wire import Reply, Request, json_reply
from confmig.emulator.writing import Writer

CHUNK = 4_194_304
ACTIONS = frozenset(
    {
        "InitializeFileBlocksUpload",
        "UploadBlock",
        "CommitFileBlocksUpload",
        "InitializeFileBlocksDownload",
        "DownloadBlock",
        "DeleteFile",
    }
)
_RANGE = re.compile(r"bytes[ =](\d+)-(\d*)(?:/(\d+|\*))?")


@dataclass
class Transfer:
    """A file on its way, in either direction."""

    table: str
    row_id: str
    column: str
    name: str = ""
    content: bytearray = field(default_factory=bytearray)
    ended: bool = False
    blocks: dict[str, bytes] = field(default_factory=dict)


class Files:
    """The transfers of one environment that have begun and not ended."""

    def __init__(self) -> None:
        self._transfers: dict[str, Transfer] = {}

    def on_column(self, writer: Writer, table: Table, row_id: str, column: Column, request: Request) -> Reply:
        """A request to the URL of a file column.

        Raises:
            ServiceError: The method is unknown, or a chunk does not continue what came before.
        """
        if request.method == "GET":
            return _download(writer.context, table, row_id, column, request)
        if request.method == "DELETE":
            _set_file(writer, table, row_id, column, None, "")
            return Reply(204)
        if request.method not in ("PATCH", "PUT"):
            raise ServiceError(405, "0x80060888", f"A file column does not support http method '{request.method}'.")
        options = request.options()
        name = options.get("x-ms-file-name") or unquote(request.headers.get("x-ms-file-name", ""))
        if "sessiontoken" in options:  # before the header, which some clients repeat with each block
            return self._chunk(writer, table, column, request, options["sessiontoken"])
        if request.headers.get("x-ms-transfer-mode") == "chunked":
            token = self._begin(Transfer(table.name, row_id, column.name, name))
            location = f"{request.base}{request.path}?sessiontoken={quote(token)}"
            headers = {"Location": location, "x-ms-chunk-size": str(CHUNK), "Accept-Ranges": "bytes"}
            return Reply(200, b"", headers)
        if not name:
            raise bad_request("The header x-ms-file-name is missing.")
        _set_file(writer, table, row_id, column, request.body, name)
        return Reply(204)

    def _begin(self, transfer: Transfer) -> str:
        token = uuid.uuid4().hex
        self._transfers[token] = transfer
        return token

    def _known(self, token: object) -> Transfer:
        transfer = self._transfers.get(str(token))
        if transfer is None:
            raise invalid_argument("The file continuation token is not known.")
        return transfer

    def _chunk(self, writer: Writer, table: Table, column: Column, request: Request, token: str) -> Reply:
        transfer = self._known(token)
        if transfer.ended and not request.body:
            return Reply(204)  # clients that count blocks send an empty one after a file of whole blocks
        match = _RANGE.fullmatch(request.headers.get("content-range", "").strip())
        if match is None or int(match.group(1)) != len(transfer.content):
            raise bad_request("The header Content-Range does not continue the file.")
        transfer.content += request.body
        total = match.group(3)
        if total is None or total == "*" or len(transfer.content) < int(total):
            return Reply(206, b"", {"x-ms-chunk-size": str(CHUNK)})
        name = transfer.name or unquote(request.headers.get("x-ms-file-name", ""))
        _set_file(writer, table, transfer.row_id, column, bytes(transfer.content), name)
        transfer.content, transfer.ended = bytearray(), True
        return Reply(204)

    def add_actions(self, operations: Operations) -> None:
        """Make the block actions callable."""
        operations.actions(dict.fromkeys(ACTIONS, self.act))

    def act(self, call: Call) -> Reply:
        """One of the block actions.

        Raises:
            ServiceError: An argument is wrong.
        """
        writer, action, body = call.writer, call.name, call.parameters
        if action in ("InitializeFileBlocksUpload", "InitializeFileBlocksDownload"):
            answer = self._initialize(writer.context, body, upload=action.endswith("Upload"))
        elif action == "UploadBlock":
            content = _decoded(body.get("BlockData"))
            if len(content) > CHUNK:
                raise ServiceError(400, "0x80044a02", "The block is larger than 4 MB.")
            self._known(body.get("FileContinuationToken")).blocks[str(body.get("BlockId"))] = content
            return Reply(204)
        elif action == "CommitFileBlocksUpload":
            answer = self._commit(writer, body)
        elif action == "DownloadBlock":
            transfer = self._known(body.get("FileContinuationToken"))
            start, length = _whole(body.get("Offset"), 0), _whole(body.get("BlockLength"), CHUNK)
            answer = {"Data": base64.b64encode(transfer.content[start : start + length]).decode()}
        else:
            return _delete_file(writer, str(body.get("FileId")).lower())
        return call.answer(answer)

    def _initialize(self, context: Context, body: dict[str, object], *, upload: bool) -> dict[str, object]:
        target = body.get("Target")
        if not isinstance(target, dict):
            raise invalid_argument("The parameter Target is missing.")
        name = str(target.get("@odata.type", "")).removeprefix("#").removeprefix("Microsoft.Dynamics.CRM.")
        table = context.store.catalog.tables.get(name)
        column = table.columns.get(str(body.get("FileAttributeName"))) if table else None
        if table is None or column is None or column.type not in ("File", "Image"):
            raise invalid_argument("Target or FileAttributeName does not name a file column.")
        row_id = str(target.get(table.primary_id)).lower()
        if not context.store.exists(table, row_id):
            raise row_missing(table.name, row_id)
        transfer = Transfer(table.name, row_id, column.name, str(body.get("FileName") or ""))
        if upload:
            return {"FileContinuationToken": self._begin(transfer)}
        content, transfer.name = read_file(context, table, row_id, column)
        if content is None:
            raise ServiceError(404, "0x80040217", f"No FileAttachment records found for attribute {column.name}.")
        transfer.content += content
        return {
            "FileSizeInBytes": len(content),
            "FileName": transfer.name,
            "FileContinuationToken": self._begin(transfer),
            "IsChunkingSupported": True,
        }

    def _commit(self, writer: Writer, body: dict[str, object]) -> dict[str, object]:
        transfer = self._known(body.get("FileContinuationToken"))
        listed = body.get("BlockList")
        blocks = [str(one) for one in listed] if isinstance(listed, list) else []
        if not set(blocks) <= set(transfer.blocks):
            raise invalid_argument("The BlockList names a block that was not uploaded.")
        content = b"".join(transfer.blocks[one] for one in blocks)
        table = writer.context.store.catalog.tables[transfer.table]
        name = str(body.get("FileName") or transfer.name)
        file_id = _set_file(writer, table, transfer.row_id, table.columns[transfer.column], content, name)
        del self._transfers[str(body.get("FileContinuationToken"))]
        return {"FileId": file_id, "FileSizeInBytes": len(content)}


def _decoded(value: object) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except binascii.Error as error:
        raise invalid_argument("BlockData is not base64.") from error


def _whole(value: object, default: int) -> int:
    return value if isinstance(value, int) and value >= 0 else default


def _set_file(
    writer: Writer, table: Table, row_id: str, column: Column, content: bytes | None, name: str
) -> str | None:
    """Keep the content of a file, or of an image, and point the row to it; None clears it."""
    store = writer.context.store
    writer.context.require("Write", table, row_id)
    with store.transaction():
        if not store.exists(table, row_id):
            raise row_missing(table.name, row_id)
        if column.type == "Image":
            encoded = base64.b64encode(content).decode() if content is not None else None
            writer.set_values(table, row_id, {column.name: encoded})
            return None
        old = (store.read(table, row_id, [column.name]) or {}).get(column.name)
        if old is not None:
            store.query("DELETE FROM files WHERE id = ?", (old,))
        file_id = str(uuid.uuid4()) if content is not None else None
        if content is not None:
            store.query("INSERT INTO files VALUES (?, ?)", (file_id, content))
        writer.set_values(table, row_id, {column.name: file_id, file_column(column.name): name or None})
        return file_id


def _delete_file(writer: Writer, file_id: str) -> Reply:
    store = writer.context.store
    for table in store.catalog.tables.values():
        for column in table.columns.values():
            if column.type == "File":
                for row_id in store.find(table, {column.name: file_id}):
                    _set_file(writer, table, row_id, column, None, "")
                    return Reply(204)
    raise ServiceError(404, "0x80040217", f"Entity 'fileattachment' With Id = {file_id} Does Not Exist")


def read_file(context: Context, table: Table, row_id: str, column: Column) -> tuple[bytes | None, str]:
    """The content of a file or image column, None when it has none, and the name of the file."""
    store = context.store
    row = store.read(table, row_id, [column.name]) or {}
    value = row.get(column.name)
    if value is None:
        return None, ""
    if column.type == "Image":
        return base64.b64decode(str(value)), f"{column.name}.png"
    kept = store.query("SELECT content FROM files WHERE id = ?", (value,)).fetchone()
    name = (store.read(table, row_id, [file_column(column.name)]) or {}).get(file_column(column.name))
    return (bytes(kept[0]) if kept else None), str(name or "")


def _download(context: Context, table: Table, row_id: str, column: Column, request: Request) -> Reply:
    """The bytes after ``/$value``, else JSON with base64; a part of them when a range is asked for."""
    context.require("Read", table, row_id)
    content, name = read_file(context, table, row_id, column)
    if content is None:
        return Reply(204)
    size, status = len(content), 200
    match = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if match is not None:
        start = int(match.group(1))
        content, status = content[start : int(match.group(2)) + 1 if match.group(2) else None], 206
    headers = {
        "x-ms-file-name": quote(name),
        "x-ms-file-size": str(size),
        "x-ms-chunk-size": str(CHUNK),
        "mimetype": "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
    }
    if not request.path.endswith("/$value"):
        reply = json_reply({"value": base64.b64encode(content).decode()})
        reply.headers |= headers
        return reply
    return Reply(status, content, {"Content-Type": "application/octet-stream", **headers})
