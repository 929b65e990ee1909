"""The files of two packages, compared by their bytes."""

import hashlib

from confmig.package.package import Package

_CHUNK = 1024 * 1024


class Payloads:
    """The payloads of one package, each read once; ``asked`` are the ids that a row was found to have."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._known: dict[str, str] = {}
        self.asked: set[str] = set()
        self.ids = frozenset(package.file_ids)

    def describe(self, file_id: str) -> str:
        """Size and SHA-256 of a payload; empty where there is none."""
        self.asked.add(file_id)
        if file_id not in self.ids:
            return ""
        if file_id not in self._known:
            content, size = hashlib.sha256(), 0
            with self._package.open_file(file_id) as stream:
                while chunk := stream.read(_CHUNK):
                    content.update(chunk)
                    size += len(chunk)
            self._known[file_id] = f"{size:,} bytes, SHA-256 {content.hexdigest()}"
        return self._known[file_id]
