"""What a package may ask of its reader: beyond these limits it is refused as hostile."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one reading.

    ``ratio``: how many times its packed size a member may have. ``size``: bytes that all members may have together.
    ``value``: characters of one value. ``tables``: how many of them a schema or the data may name.
    """

    ratio: int = 1_000
    size: int = 20 * 1024**3
    value: int = 8 * 1024**2
    tables: int = 10_000


LIMITS = Limits()
"""The limits where nobody has set others."""
