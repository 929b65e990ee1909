"""Files on their way: uploads and downloads that have begun and not ended."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from confmig.emulator.catalog.model import Column
from confmig.emulator.errors import ServiceError, invalid_argument
from confmig.emulator.storage.store import Value

CHUNK = 4_194_304
_DEFAULT_KB = 32_768
_LONGEST = timedelta(hours=1)
_MOST = 64


@dataclass
class Transfer:
    """A file on its way, in either direction.

    Attributes:
        table: The table of the row.
        row_id: The row.
        column: The column.
        began: When it began.
        name: The name of the file.
        content: What came so far, in order.
        blocks: What came so far, by the ids of blocks.
        source: For a download, the id of the content.
        ended: Whether everything came.
    """

    table: str
    row_id: str
    column: str
    began: datetime
    name: str = ""
    content: bytearray = field(default_factory=bytearray)
    blocks: dict[str, bytes] = field(default_factory=dict)
    source: Value = None
    ended: bool = False


class Transfers:
    """The transfers of one environment.

    One that was abandoned is forgotten after an hour, or when too many have begun after it.
    """

    def __init__(self) -> None:
        self._known: dict[str, Transfer] = {}

    def begin(self, transfer: Transfer) -> str:
        """Take up a transfer and give its token."""
        self._sweep(transfer.began)
        token = uuid.uuid4().hex
        self._known[token] = transfer
        return token

    def known(self, token: object, now: str) -> Transfer:
        """The transfer with a token.

        Raises:
            ServiceError: There is none, or it began too long ago.
        """
        self._sweep(datetime.fromisoformat(now))
        transfer = self._known.get(str(token))
        if transfer is None:
            raise invalid_argument("The file continuation token is not known or has expired.")
        return transfer

    def end(self, token: object) -> None:
        """Forget a transfer."""
        self._known.pop(str(token), None)

    def _sweep(self, now: datetime) -> None:
        for token, transfer in list(self._known.items()):
            if now - transfer.began > _LONGEST or len(self._known) > _MOST:
                del self._known[token]


def check_size(column: Column, size: int) -> None:
    """Refuse a file that is larger than its column takes; images have a limit, and an error, of their own.

    Raises:
        ServiceError: It is.
    """
    if column.type == "File" and size > (column.max_size_kb or _DEFAULT_KB) * 1024:
        raise ServiceError(400, "0x80044a02", "Attachment file size is too big.")
