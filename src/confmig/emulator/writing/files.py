"""File and image columns through their URL: whole or in chunks, both ways.

https://learn.microsoft.com/power-apps/developer/data-platform/file-column-data
"""

import base64
import re
from contextlib import suppress
from datetime import datetime
from urllib.parse import quote, unquote

from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.context import Context
from confmig.emulator.errors import ServiceError, bad_request, row_missing
from confmig.emulator.storage.filestore import (
    content_id,
    content_size,
    file_name,
    forget_content,
    keep_file,
    mime_type,
    read_part,
)
from confmig.emulator.storage.store import file_column
from confmig.emulator.wire.conditions import check_version
from confmig.emulator.wire.wire import Reply, Request, json_reply
from confmig.emulator.writing.transfers import CHUNK, Transfer, Transfers, check_size
from confmig.emulator.writing.writing import Writer

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})")
_PLAIN_IN_HEADER = " !#$&'()*+,/:;=?@[]~-._"
_EXPOSED = "Access-Control-Expose-Headers"


def on_column(
    transfers: Transfers, writer: Writer, table: Table, row_id: str, column: Column, request: Request
) -> Reply:
    """A request to the URL of a file column, or of an image.

    Raises:
        ServiceError: The method is unknown, the file is too large, or a chunk does not continue what came before.
    """
    if request.method == "GET":
        return _download(writer.context, table, row_id, column, request)
    check_version(writer.context.store, table, row_id, request.headers)
    if request.method == "DELETE":
        set_file(writer, table, row_id, column, None, "")
        return Reply(204)
    if request.method not in ("PATCH", "PUT"):
        raise ServiceError(405, "0x80060888", f"A file column does not support http method '{request.method}'.")
    options = request.options()
    if "sessiontoken" in options:  # before the header, which some clients repeat with each block
        return _chunk(transfers, writer, table, column, request, options["sessiontoken"])
    name = _sent_name(request)
    if request.headers.get("x-ms-transfer-mode") == "chunked":
        began = datetime.fromisoformat(writer.context.now)
        token = transfers.begin(Transfer(table.name, row_id, column.name, began, name))
        location = f"{request.base}{quote(request.path, safe=_PLAIN_IN_HEADER)}?sessiontoken={token}"
        headers = {"Location": location, "x-ms-chunk-size": str(CHUNK), "Accept-Ranges": "bytes"}
        return Reply(200, b"", {**headers, _EXPOSED: "x-ms-chunk-size"})
    if not name:
        raise bad_request("The header x-ms-file-name is missing.")
    set_file(writer, table, row_id, column, request.body, name)
    return Reply(204)


def _sent_name(request: Request) -> str:
    """The name of the file: the header comes before the query option, which alone can hold every character."""
    header = request.headers.get("x-ms-file-name", "")
    if not header:
        return request.options().get("x-ms-file-name", "")
    with suppress(UnicodeError):
        # Some clients send UTF-8 as it is, which HTTP libraries read as Latin-1.
        header = header.encode("latin-1").decode("utf-8")
    return unquote(header)


def _chunk(transfers: Transfers, writer: Writer, table: Table, column: Column, request: Request, token: str) -> Reply:
    transfer = transfers.known(token, writer.context.now)
    if (transfer.table, transfer.column) != (table.name, column.name):
        raise bad_request("The session token is that of another column.")
    if transfer.ended and not request.body:
        return Reply(204)  # clients that count blocks send an empty one after a file of whole blocks
    total = _checked_range(request, transfer)
    check_size(column, total)
    transfer.content += request.body
    if len(transfer.content) < total:
        return Reply(206, b"", {"x-ms-chunk-size": str(CHUNK)})
    name = transfer.name or _sent_name(request)
    set_file(writer, table, transfer.row_id, column, bytes(transfer.content), name)
    transfer.content, transfer.ended = bytearray(), True
    return Reply(204)


def _checked_range(request: Request, transfer: Transfer) -> int:
    """The size of the whole file, of which the body must be the next part."""
    match = _CONTENT_RANGE.fullmatch(request.headers.get("content-range", "").strip())
    start, end, total = (int(number) for number in match.groups()) if match is not None else (-1, -1, -1)
    if transfer.ended or start != len(transfer.content) or end - start + 1 != len(request.body) or end >= total:
        raise bad_request("The header Content-Range is missing or does not continue the file.")
    return total


def set_file(writer: Writer, table: Table, row_id: str, column: Column, content: bytes | None, name: str) -> str | None:
    """Keep the content of a file, or of an image, and point the row to it; None clears it.

    Returns:
        The id of the file.

    Raises:
        ServiceError: The row is not there, or the content does not fit.
    """
    store = writer.context.store
    writer.context.require("Write", table, row_id)
    if writer.context.rights is not None:
        writer.context.rights.check_given(table, [column.name], row_id)
    check_size(column, len(content or b""))
    with store.transaction():
        if not store.exists(table, row_id):
            raise row_missing(table.name, row_id)
        if column.type == "Image":
            encoded = base64.b64encode(content).decode() if content is not None else None
            writer.set_values(table, row_id, {column.name: encoded})
            found = content_id(store, table, row_id, column)
            return None if found is None else str(found)
        old = content_id(store, table, row_id, column)
        if old is not None:
            forget_content(store, old)
        file_id = keep_file(store, content) if content is not None else None
        writer.set_values(table, row_id, {column.name: file_id, file_column(column.name): name or None})
        return file_id


def _download(context: Context, table: Table, row_id: str, column: Column, request: Request) -> Reply:
    """The bytes after ``/$value``, else JSON with base64; a part of them when a range is asked for.

    Of an image it is the thumbnail, unless the full size is asked for.
    """
    context.require("Read", table, row_id)
    if hidden(context, table, column):
        return Reply(204)
    if column.type == "Image" and request.options().get("size") != "full":
        text = (context.store.read(table, row_id, [column.name]) or {}).get(column.name)
        thumbnail = base64.b64decode(str(text or ""))
        size, source = None if text is None else len(thumbnail), None
    else:
        thumbnail, source = b"", content_id(context.store, table, row_id, column)
        size = content_size(context.store, source)
    if size is None:
        return Reply(204)
    start, end, status = _wanted(request, size)
    content = read_part(context.store, source, start, end - start) if source is not None else thumbnail[start:end]
    return _sent(request, content, file_name(context.store, table, row_id, column), status, (start, end, size))


def hidden(context: Context, table: Table, column: Column) -> bool:
    """Whether column security hides a file from the caller, for whom it is as if there were none."""
    return context.rights is not None and column.name in context.rights.hidden_columns(table)


def _wanted(request: Request, size: int) -> tuple[int, int, int]:
    """From where to where a client wants a file, and the status of the answer.

    Raises:
        ServiceError: The range begins after the end.
    """
    match = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if match is None:
        return 0, size, 200
    start = int(match.group(1))
    if match.group(2) and int(match.group(2)) < start:
        # No range at all: https://www.rfc-editor.org/rfc/rfc7233#section-2.1
        return 0, size, 200
    end = min(int(match.group(2)) + 1, size) if match.group(2) else size
    # Clients that count chunks ask for one more after a file of whole chunks: it is empty.
    if start > size:
        raise ServiceError(416, "0x80048d19", "The header Range begins after the end of the file.")
    return start, max(start, end), 206


def _in_header(name: str) -> str:
    """A name as a header can hold it: blanks at its ends would not be a part of it."""
    text = quote(name, safe=_PLAIN_IN_HEADER)
    start, end = len(text) - len(text.lstrip(" ")), len(text.rstrip(" "))
    return "%20" * start + text[start:end] + "%20" * (len(text) - max(start, end))


def _sent(request: Request, content: bytes, name: str, status: int, place: tuple[int, int, int]) -> Reply:
    start, end, size = place
    headers = {
        "x-ms-file-name": _in_header(name),
        "x-ms-file-size": str(size),
        "mimetype": mime_type(name),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        _EXPOSED: "x-ms-file-size; x-ms-file-name; mimetype",
    }
    if status == 206:
        headers["x-ms-chunk-size"] = str(CHUNK)
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}" if content else f"bytes */{size}"
        headers[_EXPOSED] = "x-ms-file-size; x-ms-file-name; x-ms-chunk-size; mimetype"
    if not request.path.endswith("/$value"):
        reply = json_reply({"value": base64.b64encode(content).decode()}, status)
        reply.headers |= headers
        return reply
    return Reply(status, content, {"Content-Type": "application/octet-stream", **headers})
