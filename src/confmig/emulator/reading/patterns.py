"""The patterns of LIKE as SQL Server reads them: ``%``, ``_``, ``[a-z]`` and ``[^a-z]``.

https://learn.microsoft.com/power-apps/developer/data-platform/wildcard-characters
"""

from confmig.emulator.catalog.model import TEXTS, Column
from confmig.emulator.reading.filters import Sql, pattern_sql

_GLOB = {"%": "*", "_": "?", "*": "[*]", "?": "[?]"}


def like_sql(sql: Sql, column: Column, field: str, pattern: str) -> str:
    """The condition that a value, as a text, matches a pattern without regard to case."""
    if column.type not in TEXTS:
        field = f"CAST({field} AS TEXT)"
    if "[" not in pattern:
        # SQL Server has no escape character unless a query names one.
        return pattern_sql(sql, field, pattern.replace("\\", "\\\\"))
    return f"folded({field}) GLOB {sql.add(_glob(pattern.casefold()))}"


def _glob(pattern: str) -> str:
    """A pattern in the language of SQLite's GLOB, which has sets of characters, too."""
    parts, position = [], 0
    while position < len(pattern):
        end = pattern.find("]", position + 2) if pattern[position] == "[" else -1
        if end > 0:
            parts.append(pattern[position : end + 1])
            position = end + 1
        else:
            parts.append(_GLOB.get(pattern[position], pattern[position]))
            position += 1
    return "".join(parts)
