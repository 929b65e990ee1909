"""Image columns: what may be an image, its thumbnail, its full size, and the columns that come with it.

https://learn.microsoft.com/power-apps/developer/data-platform/image-column-data

The service crops what it gives back with the row to at most 144 by 144 pixels. Without a library that reads images, the
emulator gives back the image as it came.
"""

import base64
import uuid
from datetime import datetime

from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.errors import ServiceError
from confmig.emulator.storage.filestore import forget_content, image_id, keep_file
from confmig.emulator.storage.store import Store, Value

_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_DEFAULT_KB = 10_240
_KB_OF_MB = 1024
_TICKS = 10_000_000
_FIRST_DAY = datetime(1, 1, 1)


def image_columns(table: Table) -> tuple[Column, ...]:
    """The images of a table."""
    return tuple(column for column in table.columns.values() if column.type == "Image")


def is_primary(column: Column) -> bool:
    """Whether an image is its table's primary one."""
    return column.primary_image or column.name == "entityimage"


def settle_images(
    store: Store, table: Table, images: tuple[Column, ...], values: dict[str, Value], now: str, row_id: str | None
) -> None:
    """Check the images that are written, and write what depends on them.

    Args:
        store: Where full sizes are kept.
        table: The table.
        images: Its images.
        values: What is written; it is completed.
        now: The time of the request.
        row_id: The row that is changed; None for a new one, which only the primary image can come with.

    Raises:
        ServiceError: It is no image, too large, or not the primary one.
    """
    for column in images:
        if column.name not in values:
            continue
        text = values[column.name]
        if row_id is None and text is not None and not is_primary(column):
            raise ServiceError(
                400,
                "0x80090487",
                f"Non-primary image attribute {column.name} of entity {table.name} is not allowed to upload during "
                "Create operation.",
            )
        content = None if text is None else base64.b64decode(str(text))
        if content is not None:
            _check(table, column, content, row_id or str(values[table.primary_id]))
        _companions(store, table, column, values, content, now, row_id)


def _check(table: Table, column: Column, content: bytes, row_id: str) -> None:
    limit = column.max_size_kb or _DEFAULT_KB
    if len(content) > limit * 1024:
        sizes = f"MaxSize: {limit // _KB_OF_MB} MB, Uploaded filesize: {len(content) // (1 << 20)} MB."
        raise _unfit(f"File size is too big. {sizes}")
    if not content.startswith(_SIGNATURES):
        raise _unfit(
            f"Update image properties failed for objectid: {row_id}, logicalName: {table.name}, "
            f"attribute: {column.name}"
        )


def _unfit(reason: str) -> ServiceError:
    """ProcessImageFailure; the text is spelled as the service spells it."""
    return ServiceError(400, "0x80072553", f"Error occured when processing image. Reason: {reason}")


def _companions(
    store: Store,
    table: Table,
    column: Column,
    values: dict[str, Value],
    content: bytes | None,
    now: str,
    row_id: str | None,
) -> None:
    """The id, the time and the address of an image; under the id, its full size is kept where it shall be."""
    key = image_id(column.name)
    if key not in table.columns:
        return
    before = (store.read(table, row_id, [key]) or {}).get(key) if row_id is not None else None
    if before is not None:
        forget_content(store, before)
    ticks = int((datetime.fromisoformat(now).replace(tzinfo=None) - _FIRST_DAY).total_seconds()) * _TICKS
    new = None if content is None else keep_file(store, content) if column.full_image else str(uuid.uuid4())
    address = (
        f"/Image/download.aspx?Entity={table.name}&Attribute={column.name}&Id={new}&Timestamp={ticks}"
        if new is not None
        else None
    )
    parts: dict[str, Value] = {
        key: new,
        f"{column.name}_timestamp": ticks if new is not None else None,
        f"{column.name}_url": address,
    }
    values.update({name: value for name, value in parts.items() if name in table.columns})
