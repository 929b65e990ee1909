"""What files and images hold, beside the rows that have them."""

import uuid

from confmig.emulator.model import Table
from confmig.emulator.store import Store, Value


def keep_file(store: Store, content: bytes) -> str:
    """Keep a content and give the id under which it is found."""
    file_id = str(uuid.uuid4())
    store.query("INSERT INTO files VALUES (?, ?)", (file_id, content))
    return file_id


def read_content(store: Store, file_id: Value) -> bytes | None:
    """The content with an id; None when there is none."""
    row = store.query("SELECT content FROM files WHERE id = ?", (file_id,)).fetchone()
    return None if row is None else bytes(row[0])


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
