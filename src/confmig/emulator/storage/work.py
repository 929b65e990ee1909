"""How much was done with rows; the latency model gives it a time."""

from dataclasses import dataclass


@dataclass
class Work:
    """The rows that requests have written and returned, counted where it happens."""

    written: int = 0
    read: int = 0
