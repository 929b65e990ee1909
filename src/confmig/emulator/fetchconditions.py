"""The filters and conditions of FetchXML as SQL."""

from lxml import etree

from confmig.emulator.dates import wire_date
from confmig.emulator.errors import bad_query, fetch_attribute_missing, too_many_conditions
from confmig.emulator.filters import Sql, comparable, comparison_sql, membership_sql, pattern_sql
from confmig.emulator.model import NUMBERS, Column, Table
from confmig.emulator.odata import MOST_CONDITIONS
from confmig.emulator.store import Value, quoted

_COMPARISONS = {"eq": "eq", "ne": "ne", "neq": "ne", "gt": "gt", "ge": "ge", "lt": "lt", "le": "le"}
_PATTERNS = {
    "like": ("", "", False),
    "not-like": ("", "", True),
    "begins-with": ("", "%", False),
    "not-begin-with": ("", "%", True),
    "ends-with": ("%", "", False),
    "not-end-with": ("%", "", True),
}
_LISTS = {
    "in": "In",
    "not-in": "NotIn",
    "contain-values": "ContainValues",
    "not-contain-values": "DoesNotContainValues",
}
_DAYS = {"on": "=", "not-on": "<>", "on-or-after": ">=", "on-or-before": "<="}


class Conditions:
    """Compiles the filters of one query; ``aliases`` are the linked tables by their FetchXML alias."""

    def __init__(self, sql: Sql, caller_id: str, aliases: dict[str, tuple[Table, str]]) -> None:
        self._sql = sql
        self._caller_id = caller_id
        self._aliases = aliases

    def group(self, element: etree._Element, table: Table, alias: str) -> str:
        """The SQL of a ``<filter>``.

        Raises:
            ServiceError: A column or an operator is unknown, or there are more than 500 conditions.
        """
        if sum(1 for _ in element.iter("condition")) > MOST_CONDITIONS:
            raise too_many_conditions()
        parts = []
        for child in element:
            if child.tag == "filter":
                parts.append(self.group(child, table, alias))
            elif child.tag == "condition":
                parts.append(self._condition(child, table, alias))
        joiner = " OR " if element.get("type") == "or" else " AND "
        return f"({joiner.join(parts)})" if parts else "1"

    def _condition(self, element: etree._Element, table: Table, alias: str) -> str:
        if element.get("entityname") is not None:
            if element.get("entityname") not in self._aliases:
                raise bad_query(f"There is no link-entity with the alias '{element.get('entityname')}'.")
            table, alias = self._aliases[element.get("entityname", "")]
        name = element.get("attribute", "")
        column = table.columns.get(name)
        if column is None or not column.stored:
            raise fetch_attribute_missing(table.name, name)
        operator = element.get("operator", "eq")
        field = f"{alias}.{quoted(name)}"
        if operator in ("null", "not-null"):
            return f"{field} IS {'NOT ' if operator == 'not-null' else ''}NULL"
        if operator in ("eq-userid", "ne-userid"):
            compared = _COMPARISONS[operator.removesuffix("-userid")]
            return comparison_sql(self._sql, table, alias, column, compared, self._caller_id)
        if operator in _LISTS:
            values = [comparable(column, child.text or "") for child in element.iterchildren("value")]
            return membership_sql(self._sql, column, field, _LISTS[operator], values)
        if operator in ("between", "not-between"):
            return self._between(element, column, field, negated=operator == "not-between")
        return self._with_value(element.get("value"), operator, table, alias, column)

    def _between(self, element: etree._Element, column: Column, field: str, *, negated: bool) -> str:
        values: list[Value] = [comparable(column, child.text or "") for child in element.iterchildren("value")]
        if len(values) != 2:
            raise bad_query("between needs two values.")
        low, high = (self._sql.add(value) for value in values)
        # Numbers are kept as their digits, which compare as numbers only with their collation.
        kept = f"{field} COLLATE NUMBER" if column.type in NUMBERS else field
        return f"{kept} {'NOT ' if negated else ''}BETWEEN {low} AND {high}"

    def _with_value(self, text: str | None, operator: str, table: Table, alias: str, column: Column) -> str:
        if text is None:
            raise bad_query(f"The operator '{operator}' of the condition on '{column.name}' needs a value.")
        field = f"{alias}.{quoted(column.name)}"
        if operator in _COMPARISONS:
            if operator in ("eq", "ne", "neq") and "%" in text and column.type in ("String", "Memo"):
                # An equals condition with a wildcard is a pattern, as it is in the service.
                return self._pattern(field, text, negated=operator != "eq")
            value = comparable(column, text)
            return comparison_sql(self._sql, table, alias, column, _COMPARISONS[operator], value)
        if operator in _PATTERNS:
            before, after, negated = _PATTERNS[operator]
            return self._pattern(field, before + text + after, negated=negated)
        if operator in _DAYS:
            if column.type != "DateTime":
                raise bad_query(f"The operator '{operator}' does not go with '{column.name}', which is no date.")
            return f"substr({field}, 1, 10) {_DAYS[operator]} {self._sql.add(wire_date(column, text)[:10])}"
        raise bad_query(f"The operator '{operator}' is not supported.")

    def _pattern(self, field: str, pattern: str, *, negated: bool) -> str:
        test = pattern_sql(self._sql, field, pattern)
        return f"({field} IS NULL OR NOT {test})" if negated else test
