"""What conditions are made of, whatever language they are written in: parameters, literals, patterns, lists.

Texts are compared without regard to case and to blanks at the end, as the SQL Server collation of Dataverse does.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.catalog.model import LOOKUPS, NUMBERS, TEXTS, WHOLE, Column, Table
from confmig.emulator.errors import bad_query
from confmig.emulator.reading import odata
from confmig.emulator.storage.store import Value, quoted
from confmig.emulator.writing.dates import wire_date


@dataclass
class Sql:
    """SQL under construction: its parameters, which are numbered so that its pieces may be written in any order."""

    catalog: Catalog
    parameters: list[Value] = field(default_factory=list)
    aliases: int = 0

    def add(self, value: Value) -> str:
        """Take up a parameter and give its mark."""
        self.parameters.append(value)
        return f"?{len(self.parameters)}"

    def alias(self) -> str:
        """A new name for a joined table."""
        self.aliases += 1
        return f"j{self.aliases}"


def comparable(column: Column, value: odata.Value) -> Value:
    """A literal in the form in which the column's values are kept.

    Raises:
        ServiceError: A literal of this type cannot be compared with the column.
    """
    if value is None:
        return None
    kind = column.type
    if isinstance(value, odata.Guid | odata.Date):
        value = value.text
    if kind == "Boolean":
        return _boolean(value)
    if kind in WHOLE:
        return _whole(value)
    if kind in NUMBERS:
        return _digits(value)
    if isinstance(value, bool | int | Decimal):
        if kind in TEXTS:
            raise _incompatible(column, value)
        value = str(value)
    if kind == "DateTime":
        return wire_date(column, value)
    if kind in LOOKUPS or kind in ("Uniqueidentifier", "File"):
        if not naming.is_guid(value.strip("{}")):
            raise _incompatible(column, value)
        return value.strip("{}").lower()
    return value.rstrip(" ")


def _incompatible(column: Column, value: object) -> Exception:
    return bad_query(
        f"A binary operator with incompatible types was detected. '{value}' cannot be compared with '{column.name}'."
    )


def _boolean(value: object) -> int:
    if value in (True, 1, "true", "1"):
        return 1
    if value in (False, 0, "false", "0"):
        return 0
    raise bad_query(f"'{value}' is not a boolean.")


def _whole(value: object) -> int:
    try:
        number = int(str(value))
    except ValueError as error:
        raise bad_query(f"'{value}' is not a whole number.") from error
    if not -(2**63) <= number < 2**63:
        raise bad_query(f"'{value}' is not a whole number.")
    return number


def _digits(value: object) -> str:
    try:
        return str(Decimal(str(value)))
    except ArithmeticError as error:
        raise bad_query(f"'{value}' is not a number.") from error


def collation(text: str) -> str:
    """The collation for comparing with a text: SQLite's own is right as long as the text is ASCII."""
    return "NOCASE" if text.isascii() else "FOLDED"


def pattern_sql(sql: Sql, name: str, pattern: str) -> str:
    """The condition that a text matches a pattern with ``%`` and ``_``."""
    if pattern.isascii():
        return f"{name} LIKE {sql.add(pattern)} ESCAPE '\\'"
    return f"folded({name}) LIKE {sql.add(pattern.casefold())} ESCAPE '\\'"


def membership_sql(sql: Sql, column: Column, name: str, operator: str, values: list[Value]) -> str:
    """The condition that a value is in a list, or that a set of choices contains some of a list."""
    if operator in ("ContainValues", "DoesNotContainValues") or column.type == "MultiSelectPicklist":
        tests = " OR ".join(f"(',' || {name} || ',') LIKE {sql.add(f'%,{value!s},%')}" for value in values) or "0"
        positive = operator in ("ContainValues", "In")
        return f"({tests})" if positive else f"NOT ifnull(({tests}), 0)"
    negated = "NOT " if operator == "NotIn" else ""
    if column.type in TEXTS:
        ascii_only = all(str(value).isascii() for value in values)
        listed = ", ".join(sql.add(value) for value in values)
        return f"rtrim({name}) COLLATE {'NOCASE' if ascii_only else 'FOLDED'} {negated}IN ({listed})"
    if column.type in NUMBERS:
        listed = ", ".join(sql.add(value) for value in values)
        return f"{name} COLLATE NUMBER {negated}IN ({listed})"
    listed = ", ".join(sql.add(value) for value in values)
    return f"{name} {negated}IN ({listed})"


def visible_sql(table: Table, alias: str) -> str:
    """The condition that leaves out the rows that collection reads do not show."""
    if not table.hidden:
        return "1"
    listed = ", ".join(f"'{row_id}'" for row_id in table.hidden)
    return f"{alias}.{quoted(table.primary_id)} NOT IN ({listed})"
