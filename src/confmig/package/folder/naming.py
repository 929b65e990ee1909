"""How files and folders are called: readable, the same on every machine, and never a path that a package chose.

Names of a package (tables, columns, relationships, rows) are data. What is no safe file name is replaced.
"""

import hashlib
import re
from collections import Counter
from pathlib import PurePosixPath
from unicodedata import ucd_3_2_0

from confmig.package.folder import ASSOCIATIONS, FILES

_SLUG_BYTES = 60
_SAFE = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
_NUMBERED = re.compile(r"(.*[0-9a-f]{12})-([0-9]+)")
_OF_WINDOWS = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
_TAKEN = {ASSOCIATIONS, FILES, "table", *_OF_WINDOWS}
_READ_AS_ROWS = {".yml", ".yaml"}


def slug(text: str) -> str:
    """A readable part of a file name: letters and digits of any script, in lower case, all else as hyphens.

    Unicode's version 3.2 decides what a letter is, which every Python has: a later one knows more letters, and the
    same row would be called otherwise there.
    """
    kept: list[str] = []
    size = 0
    for character in ucd_3_2_0.normalize("NFC", ucd_3_2_0.normalize("NFC", text[:200]).lower()):
        if ucd_3_2_0.category(character)[0] in "LMN":
            part = character
        elif kept and kept[-1] != "-":
            part = "-"
        else:
            continue
        size += len(part.encode())
        if size > _SLUG_BYTES:
            break
        kept.append(part)
    return "".join(kept).strip("-")


def safe_name(name: str) -> str:
    """The name of a table, column or relationship as a file name: as it is, or a slug and a hash of it."""
    if _SAFE.fullmatch(name) and name not in _TAKEN:
        return name
    return _joined(slug(name), hash_of(name)[:8])


def safe_suffix(file_name: str | None) -> str:
    """The suffix of a file, as far as it is harmless and not that of a row; else ``.bin``."""
    suffix = PurePosixPath(file_name or "").suffix.lower()
    return suffix if _SUFFIX.fullmatch(suffix) and suffix not in _READ_AS_ROWS else ".bin"


def hash_of(text: str) -> str:
    """A hash of a text that has no id."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _joined(*parts: str) -> str:
    return "-".join(part for part in parts if part)


def folded(name: str) -> str:
    """Names that are one file on some system have this in common."""
    return ucd_3_2_0.normalize("NFKC", ucd_3_2_0.normalize("NFC", name).casefold())


class RowNames:
    """The names of one table's row files, which do not depend on the order of the rows.

    A name is the slug of the row's name and eight digits of its id. Rows that would share one have their whole ids in
    it; rows that share those, too, stand in the package more than once and are numbered. So all rows are announced
    first, each with its name and its id, or a hash for want of one.
    """

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._shared: set[str] = set()
        self._given: Counter[str] = Counter()

    def announce(self, name: str, row_id: str) -> None:
        """A row that will be asked for."""
        short = folded(_joined(slug(name), row_id[:8]))
        (self._shared if short in self._seen else self._seen).add(short)

    def stem(self, name: str, row_id: str) -> str:
        """The next row's file name, without suffix; rows that stand there twice are asked for in their order."""
        readable = slug(name)
        stem = _joined(readable, row_id[:8])
        if folded(stem) not in self._shared:
            return stem
        stem = _joined(readable, row_id)
        self._given[folded(stem)] += 1
        number = self._given[folded(stem)]
        return stem if number == 1 else f"{stem}-{number}"


def reading_order(name: str) -> tuple[str, int]:
    """Sorts the names of row files so that numbered ones stand in the order of their numbers."""
    stem = name.rpartition(".")[0]
    numbered = _NUMBERED.fullmatch(stem)
    return (numbered[1], int(numbered[2])) if numbered else (stem, 0)
