"""What a rule is: what it is called and why it matters, and how it is asked."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from confmig.checking.findings import Finding, Place, Severity
from confmig.checking.rules.ids import RowIds
from confmig.model.schema import Column, Schema, Table
from confmig.model.values import ColumnType
from confmig.model.written import WrittenPairs, WrittenRow, WrittenStart, WrittenTable, WrittenValue
from confmig.profiles.profile import Profiles


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's name and weight, and what CMT does with what it finds; ``source`` says who knows that."""

    name: str
    severity: Severity
    consequence: str
    source: str

    def finding(
        self, table: str, column: str, message: str, hint: str, place: Place | None = None, consequence: str = ""
    ) -> Finding:
        """What the rule has found; ``consequence`` where it is not the usual one."""
        places = (place,) if place else ()
        return Finding(self.name, table, column, message, hint, self.severity, consequence or self.consequence, places)


@dataclass(frozen=True, slots=True)
class SchemaFacts:
    """What rules about a schema go by.

    ``outside`` are the tables whose rows the target is known to have already, under the same ids.
    """

    schema: Schema
    profiles: Profiles
    outside: Collection[str] = ()


class SchemaRule(Protocol):
    """A module with a rule about a schema."""

    @property
    def RULE(self) -> Rule:  # noqa: N802  # a module's constant
        """What it is called and why it matters."""

    def check(self, facts: SchemaFacts, /) -> Iterator[Finding]:
        """What it finds."""


@dataclass(frozen=True, slots=True)
class PackageFacts:
    """What rules about rows go by.

    ``refusal`` says why confmig itself would refuse a text as a value of a type, empty when it takes it. ``file_ids``
    are the files whose payloads the package has, ``outside`` the tables whose rows the target is known to have. What
    has been read so far: ``ids`` of rows, and ``elsewhere``, how many lookups lead to tables that it is not about.
    """

    schema: Schema
    refusal: Callable[[ColumnType, str], str]
    file_ids: Collection[str] = ()
    outside: Collection[str] = ()
    ids: RowIds = field(default_factory=RowIds)
    elsewhere: Counter[str] = field(default_factory=Counter)

    def is_about(self, table: str) -> bool:
        """Whether the package is meant to hold the rows of a table."""
        return self.schema.table(table) is not None or self.ids.has_rows_of(table)


class RowRule:
    """A rule about rows, asked about one after the other; it may keep ids, never rows.

    ``value`` is asked for values of the columns that it ``wants`` only, and not for empty ones.
    """

    rule: ClassVar[Rule]

    def __init__(self, facts: PackageFacts) -> None:
        self.facts = facts

    def wants(self, column: Column) -> bool:
        """Whether the values of a column matter."""
        del column
        return False

    def start(self, start: WrittenStart) -> Iterable[Finding]:
        """Where a file of rows begins."""
        del start
        return ()

    def table(self, start: WrittenTable) -> Iterable[Finding]:
        """Where the rows of a table begin."""
        del start
        return ()

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """A value of a row, with its column as the schema declares it."""
        del row, value, column
        return ()

    def row(self, row: WrittenRow, table: Table) -> Iterable[Finding]:
        """A row, with its table as the schema declares it."""
        del row, table
        return ()

    def pairs(self, pairs: WrittenPairs) -> Iterable[Finding]:
        """The associations of a row."""
        del pairs
        return ()

    def end(self) -> Iterable[Finding]:
        """After the last row."""
        return ()

    def of_row(self, row: WrittenRow, message: str, hint: str, value: WrittenValue | None = None) -> Finding:
        """A finding about a row, or about one of its values."""
        line = value.line if value else row.line
        return self.rule.finding(row.table, value.column if value else "", message, hint, Place(row.file, line))

    def of_pairs(self, pairs: WrittenPairs, message: str, hint: str) -> Finding:
        """A finding about associations."""
        return self.rule.finding(pairs.table, pairs.relationship, message, hint, Place(pairs.file, pairs.line))


def named(row: WrittenRow) -> str:
    """A row at the start of a message."""
    return f"Row {row.id}" if row.id else "A row without an id"


def quoted(text: str) -> str:
    """A text of a value in a message: cut where it is long, its control characters escaped."""
    return repr(text if len(text) <= 60 else text[:57] + "…")
