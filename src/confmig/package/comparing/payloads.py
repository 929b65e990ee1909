"""The files of two packages, compared by their bytes."""

from confmig.package.package import Package


class Payloads:
    """The payloads of one package, by size and bytes; ``asked`` are the ids that a row was found to have."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self.asked: set[str] = set()
        self.ids = frozenset(package.file_ids)

    def describe(self, file_id: str) -> str:
        """Size and SHA-256 of a payload; empty where there is none."""
        self.asked.add(file_id)
        if file_id not in self.ids:
            return ""
        size, digest = self._package.file_digest(file_id)
        return f"{size:,} bytes, SHA-256 {digest}"
