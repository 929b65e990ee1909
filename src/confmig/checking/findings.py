"""What a check finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """An error that stops the work: which rule, about which table and column, what is wrong and what to do."""

    rule: str
    table: str
    column: str
    message: str
    hint: str
