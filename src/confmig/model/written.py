"""A package as its texts, before any value is understood: what lint looks at.

A reader that understands values drops or refuses what is wrong with them; whoever is to tell what is wrong needs the
texts, and the lines on which they stand. Tuples, since there is one for every value of a package.
"""

from typing import NamedTuple


class WrittenValue(NamedTuple):
    """A value: its column, its text (empty where there is none) and line, and what else stands beside it.

    Its ``line`` is 0 when only the file is known.

    ``target`` and ``label`` are the table and the name of the row that a lookup points to, None where they are absent.
    ``parties`` are those of a party list, each as its own values.
    """

    column: str
    text: str
    line: int
    target: str | None = None
    label: str | None = None
    parties: tuple[tuple["WrittenValue", ...], ...] = ()


class WrittenStart(NamedTuple):
    """Where a file of rows begins, and when it says that it was exported; None when it does not say."""

    timestamp: str | None
    file: str
    line: int


class WrittenTable(NamedTuple):
    """Where the rows of a table begin."""

    table: str
    file: str
    line: int


class WrittenRow(NamedTuple):
    """A row. ``new_id`` is the id that another tool has noted for it in a target."""

    table: str
    id: str
    values: tuple[WrittenValue, ...]
    file: str
    line: int
    new_id: str = ""


class WrittenPairs(NamedTuple):
    """The rows that one row is associated with through a many-to-many relationship."""

    table: str
    relationship: str
    source: str
    target_table: str
    target_id_column: str
    targets: tuple[str, ...]
    file: str
    line: int


WrittenEvent = WrittenStart | WrittenTable | WrittenRow | WrittenPairs
