"""A filter tree as SQL.

Texts are compared without regard to case and to blanks at the end, as the SQL Server collation of Dataverse does.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from confmig.emulator import naming, odata
from confmig.emulator.catalog import Catalog
from confmig.emulator.dates import wire_date
from confmig.emulator.datewindows import Moment
from confmig.emulator.errors import bad_query, property_missing
from confmig.emulator.model import LOOKUPS, NUMBERS, TEXTS, WHOLE, Column, Table
from confmig.emulator.store import SORT, Value, quoted, table_sql

_SQL = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}


@dataclass
class Sql:
    """SQL text under construction with its parameters and a count for aliases.

    Attributes:
        catalog: The tables.
        moment: What relative dates are relative to.
        caller_id: The user whom conditions such as EqualUserId mean.
        parameters: The parameters so far.
        aliases: How many joined tables have a name.
    """

    catalog: Catalog
    moment: Moment | None = None
    caller_id: str = ""
    parameters: list[Value] = field(default_factory=list)
    aliases: int = 0

    def add(self, value: Value) -> str:
        """Take up a parameter and give its mark."""
        self.parameters.append(value)
        return "?"

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


def filter_sql(sql: Sql, table: Table, alias: str, node: odata.Node) -> str:
    """The condition of a filter tree.

    Args:
        sql: Where parameters go.
        table: The table that paths begin at.
        alias: Its alias.
        node: The tree.

    Raises:
        ServiceError: A property is unknown or a literal has the wrong type.
    """
    if isinstance(node, odata.Group):
        return "(" + f" {node.operator.upper()} ".join(filter_sql(sql, table, alias, part) for part in node.nodes) + ")"
    if isinstance(node, odata.Not):
        return f"NOT ifnull({filter_sql(sql, table, alias, node.node)}, 0)"
    if isinstance(node, odata.Any):
        return _any_sql(sql, table, alias, node)
    nav, slash, name = node.path.partition("/")
    if slash:
        return _path_sql(sql, table, alias, nav, _with_path(node, name))
    column = sql.catalog.wire_columns(table.name).get(node.path)
    if column is None and isinstance(node, odata.Membership):
        # Query functions name columns by their logical name.
        column = table.columns.get(node.path)
    if column is None or not column.stored:
        raise property_missing(node.path, table.name)
    if isinstance(node, odata.Membership):
        values = [comparable(column, value) for value in node.values]
        return membership_sql(sql, column, f"{alias}.{quoted(column.name)}", node.operator, values)
    return comparison_sql(sql, table, alias, column, node.operator, comparable(column, node.value))


def _with_path(node: odata.Comparison | odata.Membership, path: str) -> odata.Node:
    if isinstance(node, odata.Comparison):
        return odata.Comparison(path, node.operator, node.value)
    return odata.Membership(path, node.operator, node.values)


def _path_sql(sql: Sql, table: Table, alias: str, nav: str, node: odata.Node) -> str:
    one = sql.catalog.lookup(table.name, nav)
    if one is None or one.target not in sql.catalog.tables:
        raise property_missing(nav, table.name)
    target = sql.catalog.tables[one.target]
    joined = sql.alias()
    condition = filter_sql(sql, target, joined, node)
    return (
        f"EXISTS (SELECT 1 FROM {table_sql(target.name)} {joined} WHERE {joined}.{quoted(target.primary_id)} = "  # noqa: S608 (quoted)
        f"{alias}.{quoted(one.column)} AND {condition})"
    )


def _any_sql(sql: Sql, table: Table, alias: str, node: odata.Any) -> str:
    joined = sql.alias()
    own = f"{alias}.{quoted(table.primary_id)}"
    many = sql.catalog.association(table.name, node.path)
    if many is not None:
        relationship, first = many
        other = sql.catalog.tables[relationship.table2 if first else relationship.table1]
        near, far = relationship.column1, relationship.column2
        near, far = (near, far) if first else (far, near)
        pair = sql.alias()
        source = (
            f"{table_sql(relationship.intersect)} {pair} JOIN {table_sql(other.name)} {joined} ON "
            f"{joined}.{quoted(other.primary_id)} = {pair}.{quoted(far)}"
        )
        link = f"{pair}.{quoted(near)} = {own}"
    else:
        one = sql.catalog.collection(table.name, node.path)
        if one is None:
            raise property_missing(node.path, table.name)
        other = sql.catalog.tables[one.table]
        source, link = f"{table_sql(other.name)} {joined}", f"{joined}.{quoted(one.column)} = {own}"
    condition = f" AND {filter_sql(sql, other, joined, node.condition)}" if node.condition is not None else ""
    return f"EXISTS (SELECT 1 FROM {source} WHERE {link}{condition})"  # noqa: S608 (quoted)


def comparison_sql(sql: Sql, table: Table, alias: str, column: Column, operator: str, value: Value) -> str:
    """The condition that compares a column with one value.

    Raises:
        ServiceError: The operator does not go with the value.
    """
    name = f"{alias}.{quoted(column.name)}"
    if operator in ("contains", "startswith", "endswith"):
        return like_sql(sql, name, operator, value)
    if value is None:
        if operator not in ("eq", "ne"):
            raise bad_query("null can be compared with eq and ne only.")
        return f"{name} IS {'NOT ' if operator == 'ne' else ''}NULL"
    if column.type in TEXTS:
        compared = f"rtrim({name}) {_SQL[operator]} {sql.add(value)} COLLATE {collation(str(value))}"
    elif column.type in NUMBERS:
        compared = f"{name} {_SQL[operator]} {sql.add(value)} COLLATE NUMBER"
    elif column.name == table.primary_id and operator not in ("eq", "ne"):
        compared = f"{alias}.{quoted(SORT)} {_SQL[operator]} {sql.add(naming.sort_key(str(value)))}"
    else:
        compared = f"{name} {_SQL[operator]} {sql.add(value)}"
    return f"({compared} OR {name} IS NULL)" if operator == "ne" else compared


def collation(text: str) -> str:
    """The collation for comparing with a text: SQLite's own is right as long as the text is ASCII."""
    return "NOCASE" if text.isascii() else "FOLDED"


def like_sql(sql: Sql, name: str, operator: str, value: Value) -> str:
    """The condition that a text contains, begins or ends with another.

    Raises:
        ServiceError: The other is not a text.
    """
    if not isinstance(value, str):
        raise bad_query(f"{operator} needs a text.")
    escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern = ("" if operator == "startswith" else "%") + escaped + ("" if operator == "endswith" else "%")
    return pattern_sql(sql, name, pattern)


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
