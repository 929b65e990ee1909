"""If-Match and If-None-Match: whether a request is for a row as it is.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/perform-conditional-operations-using-web-api
"""

import re
from collections.abc import Mapping

from confmig.emulator.catalog.model import Table
from confmig.emulator.errors import duplicate_row, version_mismatch, versions_disabled
from confmig.emulator.storage.store import Store

_VERSION = re.compile(r'(?:W/)?"?(\d{1,19})"?')
_ANY = "*"


def must_exist(headers: Mapping[str, str]) -> bool:
    """Whether a row may only be changed, and not be made."""
    return "if-match" in headers


def refuse_existing(headers: Mapping[str, str]) -> None:
    """Refuse a row that is there when it may only be made.

    Raises:
        ServiceError: ``If-None-Match: *`` was said. ``null``, which many clients send, says nothing.
    """
    if headers.get("if-none-match", "").strip() == _ANY:
        raise duplicate_row()


def check_version(store: Store, table: Table, row_id: str, headers: Mapping[str, str]) -> None:
    """Refuse when If-Match names another version than the row has.

    Raises:
        ServiceError: It does, or the rows of the table have no versions that can be named.
    """
    wanted = headers.get("if-match", _ANY).strip()
    if wanted == _ANY:
        return
    if not table.optimistic:
        raise versions_disabled(table.name)
    match = _VERSION.fullmatch(wanted)
    if match is None or int(match.group(1)) != _version(store, table, row_id):
        raise version_mismatch()


def is_unchanged(store: Store, table: Table, row_id: str, headers: Mapping[str, str]) -> bool:
    """Whether a client that reads a row has it already, as If-None-Match says."""
    match = _VERSION.fullmatch(headers.get("if-none-match", "").strip())
    return match is not None and int(match.group(1)) == _version(store, table, row_id)


def _version(store: Store, table: Table, row_id: str) -> object:
    if "versionnumber" not in table.columns:
        return None
    return (store.read(table, row_id, ["versionnumber"]) or {}).get("versionnumber")
