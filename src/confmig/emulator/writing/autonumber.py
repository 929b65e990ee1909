"""Numbers that the service gives to new rows.

https://learn.microsoft.com/power-apps/developer/data-platform/create-auto-number-attributes
"""

import re
import secrets
import string
from datetime import datetime

from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.errors import invalid_argument
from confmig.emulator.storage.store import Store

_PLACE = re.compile(r"\{(SEQNUM|RANDSTRING|DATETIMEUTC):([^{}]*)\}")
_TOKEN = re.compile(r"y+|M+|d+|h+|H+|m+|s+")
_DATE_PARTS = {
    "yyyy": "%Y", "yy": "%y", "MM": "%m", "M": "%m", "dd": "%d", "d": "%d",
    "hh": "%I", "HH": "%H", "mm": "%M", "ss": "%S",
}  # fmt: skip
_LONGEST_RANDOM = 6
_LETTERS = string.ascii_uppercase + string.digits


def next_number(store: Store, table: Table, column: Column, now: str) -> str:
    """The text for a new row, made as the column's format says.

    Args:
        store: Where the sequence is counted.
        table: The table.
        column: The column, which has a format.
        now: The time of the request.

    Raises:
        ServiceError: The format is wrong, which shows only when a row is made.
    """

    def filled(match: re.Match[str]) -> str:
        kind, text = match.groups()
        if kind == "DATETIMEUTC":
            moment = datetime.fromisoformat(now)
            return _TOKEN.sub(lambda part: moment.strftime(_DATE_PARTS.get(part.group(), "%d")), text)
        if not text.isdecimal() or int(text) < 1:
            raise invalid_argument()
        if kind == "SEQNUM":
            return str(store.next_in_sequence(table.name, column.name)).zfill(min(int(text), column.max_length or 100))
        if int(text) > _LONGEST_RANDOM:
            raise invalid_argument()
        return "".join(secrets.choice(_LETTERS) for _ in range(int(text)))

    return _PLACE.sub(filled, column.auto_number)
