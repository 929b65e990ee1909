"""A filter tree as SQL: properties and paths, lambdas over collections, query functions.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/filter-rows
"""

from collections.abc import Callable
from dataclasses import dataclass

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.model import TEXTS, Column, Table
from confmig.emulator.context import Context
from confmig.emulator.errors import bad_query, property_missing, too_many_links
from confmig.emulator.reading import odata
from confmig.emulator.reading.comparing import SIGNS, columns_sql, compared_sql
from confmig.emulator.reading.filters import Sql, comparable
from confmig.emulator.reading.navigating import step_from
from confmig.emulator.reading.patterns import like_sql
from confmig.emulator.reading.queryfunctions import function_sql
from confmig.emulator.storage.store import SORT, Value, quoted

_WILDCARDS = {"contains": ("%", "%"), "startswith": ("", "%"), "endswith": ("%", "")}


@dataclass(frozen=True)
class Field:
    """A column that a path leads to.

    Attributes:
        table: The table at the end of the path.
        column: The column.
        sql: Gives the SQL of one of the row's columns, by name; null when the path leads to no row.
    """

    table: Table
    column: Column
    sql: Callable[[str], str]

    @property
    def value(self) -> str:
        """The SQL of the column's value."""
        return self.sql(self.column.name)


class Filters:
    """Makes conditions of the filters of one query."""

    def __init__(self, context: Context, sql: Sql) -> None:
        self._context = context
        self._sql = sql

    def condition(self, table: Table, alias: str, node: odata.Node) -> str:
        """The condition of a filter tree.

        Args:
            table: The table that paths begin at.
            alias: Its SQL alias.
            node: The tree.

        Raises:
            ServiceError: A property is unknown or a literal has the wrong type.
        """
        if isinstance(node, odata.Group):
            parts = [self.condition(table, alias, part) for part in node.nodes]
            return f"({f' {node.operator.upper()} '.join(parts)})"
        if isinstance(node, odata.Not):
            return f"NOT ifnull({self.condition(table, alias, node.node)}, 0)"
        if isinstance(node, odata.Any):
            return self._lambda(table, alias, node)
        if isinstance(node, odata.Membership):
            one = field_of(self._sql, table, alias, node.path, logical=True)
            return function_sql(self._sql, self._context, one.table, one.column, one.value, node.operator, node.values)
        one = field_of(self._sql, table, alias, node.path)
        if one.column.is_lookup and "/" not in node.path:
            self._context.store.index_lookup(table.name, one.column.name)
        if isinstance(node.value, odata.Property):
            other = field_of(self._sql, table, alias, node.value.path)
            if node.operator not in SIGNS:
                raise bad_query(f"{node.operator} needs a text.")
            return columns_sql(one.column, one.value, node.operator, other.column, other.value)
        return self._comparison(one, node.operator, comparable(one.column, node.value))

    def _comparison(self, one: Field, operator: str, value: Value) -> str:
        """A column compared with a value; as in the service, what is null is not equal to anything that is not."""
        if operator not in SIGNS:
            if not isinstance(value, str) or one.column.type not in TEXTS:
                raise bad_query(f"{operator} needs a text.")
            before, after = _WILDCARDS[operator]
            return like_sql(self._sql, one.column, one.value, before + value + after)
        if value is None:
            if operator not in ("eq", "ne"):
                raise bad_query("null can be compared with eq and ne only.")
            return f"{one.value} IS {'NOT ' if operator == 'ne' else ''}NULL"
        if one.column.name == one.table.primary_id and operator not in ("eq", "ne"):
            return f"{one.sql(SORT)} {SIGNS[operator]} {self._sql.add(naming.sort_key(str(value)))}"
        compared = compared_sql(self._sql, one.column, one.value, operator, value)
        return f"({compared} OR {one.value} IS NULL)" if operator == "ne" else compared

    def _lambda(self, table: Table, alias: str, node: odata.Any) -> str:
        if "/" in node.path:
            # "You can't include conditions on collection-valued navigation properties that are nested in a lookup
            # navigation property" (filter-rows).
            raise bad_query(f"The collection '{node.path}' is behind another navigation property.")
        joined = self._sql.alias()
        step = step_from(self._sql.catalog, table, node.path, alias, joined)
        if step is None or not step.many:
            raise property_missing(node.path, table.name)
        if step.back is not None:
            self._context.store.index_lookup(step.table.name, step.back.column)
        test = "1" if node.condition is None else self.condition(step.table, joined, node.condition)
        if node.every:
            test = f"NOT ifnull({test}, 0)"
        exists = f"EXISTS (SELECT 1 FROM {step.source} WHERE {step.link} AND {test})"  # noqa: S608 (quoted)
        return f"NOT {exists}" if node.every else exists


def field_of(sql: Sql, table: Table, alias: str, path: str, *, logical: bool = False) -> Field:
    """The column that a path leads to, over single-valued navigation properties.

    Args:
        sql: Gives aliases.
        table: Where the path begins.
        alias: Its alias.
        path: The path.
        logical: Whether columns may go by their logical names, as in the functions of Dataverse.

    Raises:
        ServiceError: A property of the path is unknown, or there are more navigation properties than links in a query.
    """
    if path.count("/") > odata.MOST_LINKS:
        raise too_many_links()
    nav, slash, rest = path.partition("/")
    if not slash:
        column = sql.catalog.wire_columns(table.name).get(path)
        if column is None and logical:
            column = table.columns.get(path)
        if column is None or not column.stored:
            raise property_missing(path, table.name)
        return Field(table, column, lambda name: f"{alias}.{quoted(name)}")
    joined = sql.alias()
    step = step_from(sql.catalog, table, nav, alias, joined)
    if step is None:
        raise property_missing(nav, table.name)
    if step.many:
        raise bad_query(f"The parent value for a property access of a property '{rest}' is not a single value.")
    end = field_of(sql, step.table, joined, rest, logical=logical)
    return Field(
        end.table,
        end.column,
        lambda name: f"(SELECT {end.sql(name)} FROM {step.source} WHERE {step.link})",  # noqa: S608 (quoted)
    )
