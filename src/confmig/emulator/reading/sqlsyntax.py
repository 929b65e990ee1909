"""A SQL query as a tree: what the ``sql`` option of the Web API can say.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/sql
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """A column, with the alias or name of its table where the query gives it."""

    name: str
    table: str = ""

    def __str__(self) -> str:
        return f"{self.table}.{self.name}" if self.table else self.name


@dataclass(frozen=True)
class Literal:
    """A constant: its text, or None for NULL."""

    text: str | None


@dataclass(frozen=True)
class Moment:
    """``GETUTCDATE()``, or ``DATEADD(part, number, base)``; without a part it is the present."""

    part: str = ""
    number: int = 0
    base: "Literal | Moment | None" = None


Value = Literal | Moment


@dataclass(frozen=True)
class Comparison:
    """``column operator value``."""

    column: Reference
    operator: str
    value: Value


@dataclass(frozen=True)
class Like:
    """``column [NOT] LIKE pattern``."""

    column: Reference
    pattern: str
    negated: bool


@dataclass(frozen=True)
class Listed:
    """``column [NOT] IN (values)``."""

    column: Reference
    values: tuple[Value, ...]
    negated: bool


@dataclass(frozen=True)
class Between:
    """``column [NOT] BETWEEN low AND high``."""

    column: Reference
    low: Value
    high: Value
    negated: bool


@dataclass(frozen=True)
class IsNull:
    """``column IS [NOT] NULL``."""

    column: Reference
    negated: bool


@dataclass(frozen=True)
class Pair:
    """``column operator column``, which only joins may say, and only with ``eq``."""

    left: Reference
    operator: str
    right: Reference


@dataclass(frozen=True)
class Junction:
    """Conditions joined by AND or OR."""

    operator: str
    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Not:
    """The opposite of a condition."""

    part: "Condition"


Condition = Comparison | Like | Listed | Between | IsNull | Pair | Junction | Not


@dataclass(frozen=True)
class TableName:
    """A table with its alias."""

    name: str
    alias: str = ""


@dataclass(frozen=True)
class Join:
    """A joined table; without a condition it is one of a list after FROM."""

    table: TableName
    left: bool = False
    on: Condition | None = None


@dataclass(frozen=True)
class Item:
    """What is selected: a column, or an aggregate function of one; ``COUNT(*)`` has none."""

    column: Reference | None
    function: str = ""
    distinct: bool = False
    alias: str = ""


@dataclass(frozen=True)
class Order:
    """One part of ORDER BY."""

    column: Reference
    descending: bool = False


@dataclass(frozen=True)
class Statement:
    """A SELECT statement."""

    items: tuple[Item, ...]
    table: TableName
    joins: tuple[Join, ...] = ()
    where: Condition | None = None
    group: tuple[Reference, ...] = ()
    order: tuple[Order, ...] = ()
    distinct: bool = False
    top: int | None = None
    offset: int = 0
    fetch: int | None = None
