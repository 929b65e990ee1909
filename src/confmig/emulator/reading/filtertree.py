"""The tree of a ``$filter``: what the parser makes of its text, and what conditions are made of."""

from dataclasses import dataclass
from decimal import Decimal

Literal = str | int | bool | Decimal | None


@dataclass(frozen=True)
class Date:
    """A date literal without quotes."""

    text: str


@dataclass(frozen=True)
class Guid:
    """A guid literal without quotes."""

    text: str


Value = Literal | Date | Guid


@dataclass(frozen=True)
class Property:
    """Another property of the same row, which a property is compared with."""

    path: str


@dataclass(frozen=True)
class Comparison:
    """``path op value``, or a text function with its text."""

    path: str
    operator: str
    value: Value | Property


@dataclass(frozen=True)
class Membership:
    """``path in (...)``, and the query functions of Dataverse, such as ``Microsoft.Dynamics.CRM.LastXDays``.

    Attributes:
        path: The property.
        operator: Name of the function without its namespace; ``In`` for the operator.
        values: What it is given besides the property.
    """

    path: str
    operator: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Any:
    """``collection/any(x:condition)``, or ``all`` when ``every``.

    Without a condition it asks whether there is a row at all.
    """

    path: str
    condition: "Node | None"
    every: bool = False


@dataclass(frozen=True)
class Group:
    """Conditions that all, or of which one, must hold."""

    operator: str
    nodes: tuple["Node", ...]


@dataclass(frozen=True)
class Not:
    """A condition that must not hold."""

    node: "Node"


Node = Comparison | Membership | Any | Group | Not
