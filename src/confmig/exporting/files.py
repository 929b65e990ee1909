"""The files of exported rows: where each lies in the source, and its payload, fetched when it is written."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from confmig.model.records import Record
from confmig.model.values import FileRef
from confmig.webapi.environment import Environment


class ExportedFiles:
    """Remembers which row has which file, and opens them by their ids; ``size`` counts the bytes that were fetched."""

    def __init__(self, source: Environment) -> None:
        self._source = source
        self._places: dict[str, tuple[str, str, str]] = {}
        self.size = 0

    def take(self, record: Record) -> None:
        """Remember the files of a row."""
        for column, value in record.values.items():
            if isinstance(value, FileRef):
                self._places[value.id] = (record.table, record.id or "", column)

    def __len__(self) -> int:
        return len(self._places)

    @contextmanager
    def open(self, file_id: str) -> Iterator[IO[bytes]]:
        """Open a file of the source.

        Raises:
            ServiceError: It is not there any more, or the environment did not answer properly.
        """
        with self._source.open_file(*self._places[file_id]) as content:
            self.size += content.size
            yield io.BufferedReader(content)
