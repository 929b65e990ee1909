"""What files and images hold, beside the rows that have them."""

import mimetypes
import uuid

from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.storage.store import Store, Value, file_column


def keep_file(store: Store, content: bytes) -> str:
    """Keep a content and give the id under which it is found."""
    file_id = str(uuid.uuid4())
    store.query("INSERT INTO files VALUES (?, ?)", (file_id, content))
    return file_id


def content_size(store: Store, file_id: Value) -> int | None:
    """The length of a content; None when there is none."""
    row = store.query("SELECT length(content) FROM files WHERE id = ?", (file_id,)).fetchone()
    return None if row is None else int(row[0])


def read_part(store: Store, file_id: Value, start: int, length: int) -> bytes:
    """A part of a content; empty beyond its end."""
    sql = "SELECT substr(content, ?, ?) FROM files WHERE id = ?"
    row = store.query(sql, (start + 1, length, file_id)).fetchone()
    # SQLite says of a part of nothing that it is null.
    return bytes(row[0]) if row is not None and row[0] is not None else b""


def forget_content(store: Store, file_id: Value) -> None:
    """Remove a content."""
    store.query("DELETE FROM files WHERE id = ?", (file_id,))


def forget_files(store: Store, table: Table, row_id: str) -> None:
    """Remove the contents of a row that is deleted."""
    names = [column.name for column in table.columns.values() if column.type == "File"]
    names += [image_id(column.name) for column in table.columns.values() if column.type == "Image"]
    names = [name for name in names if name in table.columns]
    if names:
        for file_id in (store.read(table, row_id, names) or {}).values():
            if file_id is not None:
                forget_content(store, file_id)


def image_id(column: str) -> str:
    """The column that holds the id of an image, under which its full size is kept."""
    return f"{column}id"


def content_id(store: Store, table: Table, row_id: str, column: Column) -> Value:
    """The id under which the content of a file, or the full size of an image, is kept."""
    name = column.name if column.type == "File" else image_id(column.name)
    if name not in table.columns:
        return None
    return (store.read(table, row_id, [name]) or {}).get(name)


def file_name(store: Store, table: Table, row_id: str, column: Column) -> str:
    """The name of a file; an image has none of its own."""
    name = file_column(column.name)
    if column.type == "Image" or name not in table.columns:
        return f"{column.name}.png"
    return str((store.read(table, row_id, [name]) or {}).get(name) or "")


def mime_type(name: str) -> str:
    """The type that a file's name suggests."""
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
