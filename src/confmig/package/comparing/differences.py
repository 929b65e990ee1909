"""What a difference is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from confmig.model.values import Value
from confmig.package.formatting import attributes_text


class Kind(StrEnum):
    """What kind of difference it is, seen from the first package to the second.

    ``FORM`` is another way of saying the same, as digits of a number or the name of a lookup, and what no import reads.
    """

    SCHEMA = "schema"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    ASSOCIATED = "associated"
    DISASSOCIATED = "disassociated"
    FORM = "form"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.

    ``row`` is the row's id and ``name`` its primary name; ``before`` and ``after`` are the values of ``column``, a
    relationship's other row, or what ``aspect`` names, as the type of a column or the copies of a row. ``values`` are
    those of a row that was added or removed.
    """

    kind: Kind
    table: str
    row: str = ""
    column: str = ""
    before: Value = None
    after: Value = None
    aspect: str = ""
    name: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)


def attributes_shown(attributes: Iterable[tuple[str, str]]) -> str | None:
    """Attributes that we do not know, as a side of a difference; None where there are none."""
    return attributes_text(attributes).strip() or None
