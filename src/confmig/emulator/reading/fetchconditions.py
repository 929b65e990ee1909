"""The filters and conditions of FetchXML as SQL.

https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/reference/operators
"""

from typing import TYPE_CHECKING

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.model import LOOKUPS, TEXTS, Column
from confmig.emulator.errors import bad_query, fetch_attribute_missing
from confmig.emulator.reading.comparing import SIGNS, between_sql, columns_sql, compared_sql, kept_value, listed_sql
from confmig.emulator.reading.datewindows import FETCH_OPERATORS as DATE_OPERATORS
from confmig.emulator.reading.datewindows import date_sql
from confmig.emulator.reading.fetchelements import Element, column_of
from confmig.emulator.reading.fetchusers import OPERATORS as USER_OPERATORS
from confmig.emulator.reading.fetchusers import user_sql
from confmig.emulator.reading.filters import membership_sql
from confmig.emulator.reading.hierarchies import OPERATORS as HIERARCHY_OPERATORS
from confmig.emulator.reading.hierarchies import hierarchy_sql
from confmig.emulator.reading.ordering import label_sql, name_sql
from confmig.emulator.reading.patterns import like_sql
from confmig.emulator.reading.selecting import Source

if TYPE_CHECKING:
    from confmig.emulator.reading.fetchlinks import Block, Links

_PATTERNS = {
    "like": ("", ""),
    "begins-with": ("", "%"),
    "ends-with": ("%", ""),
}
_POSITIVE = {
    "not-like": "like",
    "not-begin-with": "begins-with",
    "not-end-with": "ends-with",
    "not-between": "between",
    "not-in": "in",
    "not-null": "null",
    "not-contain-values": "contain-values",
}
"""Operators that are the opposite of another one."""
_WITH_NULL = frozenset({"not-like", "not-begin-with", "not-end-with", "not-contain-values"})
"""Opposites that also hold for rows without a value."""


class Conditions:
    """Compiles the filters of one block of a query."""

    def __init__(self, links: "Links", block: "Block") -> None:
        self._links = links
        self._sql = links.sql
        self._context = links.context
        self._block = block

    def group(self, element: Element, source: Source) -> str:
        """The SQL of a ``<filter>``.

        Raises:
            ServiceError: A column or an operator is unknown, or a value does not go with its column.
        """
        kind = element.get("type", "and").lower()
        if kind not in ("and", "or"):
            raise bad_query(f"The type '{kind[:40]}' of a filter is neither 'and' nor 'or'.")
        parts = []
        for child in element:
            if child.tag == "filter":
                parts.append(self.group(child, source))
            elif child.tag == "condition":
                parts.append(self._condition(child, source))
            elif child.tag == "link-entity":
                parts.append(self._links.question(child, source, self._block))
            else:
                raise bad_query(f"A filter cannot hold '{child.tag!s}'.")
        return f"({f' {kind.upper()} '.join(parts)})" if len(parts) > 1 else parts[0] if parts else "1"

    def _condition(self, element: Element, source: Source) -> str:
        if element.get("entityname"):
            source = self._block.find(element.get("entityname", ""))
        column, field = self._operand(source, element.get("attribute", ""))
        operator = element.get("operator", "eq").lower()
        if operator == "neq":
            operator = "ne"
        if element.get("valueof") is not None:
            return self._with_column(element.get("valueof", ""), operator, source, column, field)
        positive = _POSITIVE.get(operator)
        if positive is None:
            return self._positive(element, operator, source, column, field)
        condition = self._positive(element, positive, source, column, field)
        if operator in _WITH_NULL:
            return f"({field} IS NULL OR NOT {condition})"
        return f"NOT {condition}"

    def _operand(self, source: Source, name: str) -> tuple[Column, str]:
        """The column of a condition and its SQL; a lookup's and a choice's name count as texts."""
        column = source.table.columns.get(name)
        if column is not None and column.stored:
            return column, source.field(column)
        base = source.table.columns.get(name.removesuffix("name"))
        if not name.endswith("name") or base is None or not base.stored:
            raise fetch_attribute_missing(source.table.name, name)
        named = Column(name=name, type="String")
        if base.is_lookup:
            return named, name_sql(self._sql.catalog, source, base)
        if base.options:
            return named, f"({label_sql(base, source.field(base))})"
        raise fetch_attribute_missing(source.table.name, name)

    def _with_column(self, name: str, operator: str, source: Source, column: Column, field: str) -> str:
        """A comparison with another column of the same row, or of a linked one.

        https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/filter-rows#filter-on-column-values-in-the-same-row
        """
        if operator not in SIGNS:
            raise bad_query(f"The operator '{operator[:40]}' cannot compare two columns.")
        link, dot, attribute = name.rpartition(".")
        other_source = self._block.find(link) if dot else source
        other = column_of(other_source.table, attribute)
        return columns_sql(column, field, operator, other, other_source.field(other))

    def _positive(self, element: Element, operator: str, source: Source, column: Column, field: str) -> str:
        if operator == "null":
            return f"{field} IS NULL"
        if operator in USER_OPERATORS:
            return user_sql(self._sql, self._context, field, operator)
        values = [child.text or "" for child in element.iterchildren("value")]
        if operator in DATE_OPERATORS:
            given = values if element.get("value") is None else [element.get("value", "")]
            return date_sql(self._sql.add, column, field, DATE_OPERATORS[operator], given, self._links.moment)
        if operator in ("in", "contain-values"):
            return self._listed(operator, column, field, values)
        if operator == "between":
            if len(values) != 2:
                raise bad_query(f"The operator 'between' of the condition on '{column.name}' needs two values.")
            low, high = (kept_value(column, value) for value in values)
            return between_sql(self._sql, column, field, low, high)
        text = element.get("value", values[0] if values else None)
        if text is None:
            raise bad_query(f"The operator '{operator[:40]}' of the condition on '{column.name}' needs a value.")
        return self._with_value(text, operator, source, column, field)

    def _listed(self, operator: str, column: Column, field: str, values: list[str]) -> str:
        kept = [kept_value(column, value) for value in values]
        if column.type == "MultiSelectPicklist":
            return membership_sql(self._sql, column, field, "ContainValues", kept)
        if operator == "contain-values":
            raise bad_query(f"The operator '{operator}' does not go with '{column.name}', which is no set of choices.")
        return listed_sql(self._sql, column, field, kept)

    def _with_value(self, text: str, operator: str, source: Source, column: Column, field: str) -> str:
        if operator in SIGNS:
            return self._compared(text, operator, column, field)
        if operator in _PATTERNS:
            before, after = _PATTERNS[operator]
            return like_sql(self._sql, column, field, before + text + after)
        if operator in HIERARCHY_OPERATORS:
            row_id = naming.plain_guid(text)
            if column.type not in LOOKUPS | {"Uniqueidentifier"} or not naming.is_guid(row_id):
                raise bad_query(f"The operator '{operator}' of the condition on '{column.name}' needs the id of a row.")
            return hierarchy_sql(self._sql, source.table, field, column, operator, row_id)
        raise bad_query(f"The operator '{operator[:40]}' is not supported.")

    def _compared(self, text: str, operator: str, column: Column, field: str) -> str:
        if operator in ("eq", "ne") and "%" in text and column.type in TEXTS:
            # An equals condition with a wildcard is a pattern, as it is in the service.
            test = like_sql(self._sql, column, field, text)
            return test if operator == "eq" else f"({field} IS NULL OR NOT {test})"
        test = compared_sql(self._sql, column, field, operator, kept_value(column, text))
        return f"({test} OR {field} IS NULL)" if operator == "ne" else test
