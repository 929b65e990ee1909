"""File and image columns through actions: in blocks, which need not come in order.

https://learn.microsoft.com/power-apps/developer/data-platform/file-column-data
"""

import base64
from datetime import datetime

from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.context import Context
from confmig.emulator.errors import ServiceError, invalid_argument, row_missing
from confmig.emulator.storage.filestore import content_id, content_size, file_name, read_part
from confmig.emulator.wire.operations import PREFIX, Call, Operations
from confmig.emulator.wire.wire import Reply
from confmig.emulator.writing.files import hidden, set_file
from confmig.emulator.writing.transfers import CHUNK, Transfer, Transfers, check_size
from confmig.emulator.writing.writing import Writer

_LONGEST_ID = 64


class FileBlocks:
    """The block actions, over the transfers of one environment."""

    def __init__(self, transfers: Transfers) -> None:
        self._transfers = transfers

    def add_actions(self, operations: Operations) -> None:
        """Make the actions callable."""
        operations.actions(
            {
                "InitializeFileBlocksUpload": self.begin_upload,
                "UploadBlock": self.upload,
                "CommitFileBlocksUpload": self.commit,
                "InitializeFileBlocksDownload": self.begin_download,
                "DownloadBlock": self.download,
                "DeleteFile": delete_file,
            }
        )

    def begin_upload(self, call: Call) -> Reply:
        """Begin an upload.

        Raises:
            ServiceError: No column or no row is named.
        """
        transfer = _transfer(call, *_target(call))
        transfer.name = str(call.parameters.get("FileName") or "")
        return call.answer({"FileContinuationToken": self._transfers.begin(transfer)})

    def upload(self, call: Call) -> Reply:
        """Take a block.

        Raises:
            ServiceError: The block, or its id, is not what it should be.
        """
        transfer = self._known(call)
        name = call.parameters.get("BlockId")
        if not isinstance(name, str) or not 0 < len(_decoded(name, "BlockId")) <= _LONGEST_ID:
            raise invalid_argument("BlockId is not the base64 of at most 64 bytes.")
        if any(len(other) != len(name) for other in transfer.blocks):
            raise invalid_argument("BlockId is not as long as those of the other blocks.")
        content = _decoded(call.parameters.get("BlockData"), "BlockData")
        if len(content) > CHUNK:
            raise ServiceError(400, "0x80044a02", "The block is larger than 4 MB.")
        column = call.writer.context.store.catalog.tables[transfer.table].columns[transfer.column]
        sizes = {**{one: len(block) for one, block in transfer.blocks.items()}, name: len(content)}
        check_size(column, sum(sizes.values()))
        transfer.blocks[name] = content
        return Reply(204)

    def commit(self, call: Call) -> Reply:
        """Put the blocks together, in the order of the list.

        Raises:
            ServiceError: A block is missing, or the file does not fit.
        """
        transfer = self._known(call)
        listed = call.parameters.get("BlockList")
        if not isinstance(listed, list) or not set(map(str, listed)) <= set(transfer.blocks):
            raise invalid_argument("The BlockList names a block that was not uploaded.")
        content = b"".join(transfer.blocks[str(one)] for one in listed)
        table = call.writer.context.store.catalog.tables[transfer.table]
        name = str(call.parameters.get("FileName") or transfer.name)
        file_id = set_file(call.writer, table, transfer.row_id, table.columns[transfer.column], content, name)
        self._transfers.end(call.parameters.get("FileContinuationToken"))
        return call.answer({"FileId": file_id, "FileSizeInBytes": len(content)})

    def begin_download(self, call: Call) -> Reply:
        """Begin a download; of an image, it is the full size.

        Raises:
            ServiceError: No column or no row is named, or there is no file.
        """
        table, column, row_id = _target(call)
        context = call.writer.context
        context.require("Read", table, row_id)
        transfer = _transfer(call, table, column, row_id)
        transfer.source = content_id(context.store, table, row_id, column)
        size = content_size(context.store, transfer.source)
        if size is None or hidden(context, table, column):
            raise _no_file(table, column, row_id, transfer.source)
        return call.answer(
            {
                "FileSizeInBytes": size,
                "FileName": file_name(context.store, table, row_id, column),
                "FileContinuationToken": self._transfers.begin(transfer),
                "IsChunkingSupported": True,
            }
        )

    def download(self, call: Call) -> Reply:
        """Give a block.

        Raises:
            ServiceError: The token or the place is wrong.
        """
        transfer = self._known(call)
        start, length = (_whole(call, name, default) for name, default in (("Offset", 0), ("BlockLength", CHUNK)))
        data = read_part(call.writer.context.store, transfer.source, start, length)
        return call.answer({"Data": base64.b64encode(data).decode()})

    def _known(self, call: Call) -> Transfer:
        return self._transfers.known(call.parameters.get("FileContinuationToken"), call.writer.context.now)


def _transfer(call: Call, table: Table, column: Column, row_id: str) -> Transfer:
    return Transfer(table.name, row_id, column.name, datetime.fromisoformat(call.writer.context.now))


def _target(call: Call) -> tuple[Table, Column, str]:
    """The column and the row that a call names."""
    context: Context = call.writer.context
    target = call.parameters.get("Target")
    if not isinstance(target, dict):
        raise invalid_argument("The parameter Target is missing.")
    name = str(target.get("@odata.type", "")).removeprefix("#").removeprefix(PREFIX)
    table = context.store.catalog.tables.get(name)
    column = table.columns.get(str(call.parameters.get("FileAttributeName"))) if table else None
    if table is None or column is None or column.type not in ("File", "Image"):
        raise invalid_argument("Target or FileAttributeName does not name a file column.")
    row_id = str(target.get(table.primary_id)).lower()
    if not context.store.exists(table, row_id):
        raise row_missing(table.name, row_id)
    return table, column, row_id


def _no_file(table: Table, column: Column, row_id: str, image: object) -> ServiceError:
    where = f"attribute: {column.name} of {table.name} record with id {row_id}."
    if column.type == "Image":
        return ServiceError(
            404, "0x80040217", f"No FileAttachment records found for imagedescriptorId: {image} for image {where}"
        )
    return ServiceError(404, "0x80040217", f"No FileAttachment records found for {where}")


def _decoded(value: object, name: str) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except ValueError as error:
        raise invalid_argument(f"{name} is not base64.") from error


def _whole(call: Call, name: str, default: int) -> int:
    value = call.parameters.get(name, default)
    if type(value) is not int or not 0 <= value < 2**63:
        raise invalid_argument(f"{name} is not a place in a file.")
    return value


def delete_file(call: Call) -> Reply:
    """Remove the file with an id from its row.

    Raises:
        ServiceError: There is none.
    """
    file_id = str(call.parameters.get("FileId")).lower()
    writer: Writer = call.writer
    store = writer.context.store
    for table in store.catalog.tables.values():
        for column in table.columns.values():
            if column.type == "File":
                for row_id in store.find(table, {column.name: file_id}):
                    set_file(writer, table, row_id, column, None, "")
                    return Reply(204)
    raise ServiceError(404, "0x80040217", f"Entity 'fileattachment' With Id = {file_id} Does Not Exist")
