"""A SQL statement as the pieces of a SELECT over the store.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/sql
"""

from decimal import Decimal, InvalidOperation

from confmig.emulator.catalog.model import WHOLE, Column, Table
from confmig.emulator.context import Context
from confmig.emulator.errors import bad_query, fetch_attribute_missing, fetch_entity_missing, too_many_conditions
from confmig.emulator.reading.comparing import between_sql, compared_sql, joined_sql, kept_value, listed_sql
from confmig.emulator.reading.filters import Sql, membership_sql
from confmig.emulator.reading.members import aggregate_members, aggregate_value, column_members, etag_sql
from confmig.emulator.reading.odata import MOST_CONDITIONS
from confmig.emulator.reading.ordering import plain_sql, sorted_by
from confmig.emulator.reading.pagingcookies import Sorted
from confmig.emulator.reading.patterns import like_sql
from confmig.emulator.reading.reading import LARGEST_PAGE
from confmig.emulator.reading.selecting import Select, Source
from confmig.emulator.reading.sqlsyntax import (
    Between,
    Comparison,
    Condition,
    IsNull,
    Item,
    Join,
    Junction,
    Like,
    Listed,
    Not,
    Order,
    Pair,
    Reference,
    Statement,
    TableName,
    Value,
)
from confmig.emulator.reading.sqltokens import unsupported
from confmig.emulator.reading.sqlvalues import text_of
from confmig.emulator.storage.store import table_sql
from confmig.emulator.wire.wire import Annotations

_FUNCTIONS = {"SUM": "sum", "AVG": "avg", "MIN": "min", "MAX": "max"}
_MOST_JOINS = 60


class Compiler:
    """Compiles a statement to the pieces of a SELECT over the store."""

    def __init__(self, context: Context, annotations: Annotations) -> None:
        self._context = context
        self._catalog = context.store.catalog
        self._sql = Sql(self._catalog)
        self._annotations = annotations
        self._sources: list[Source] = []
        self._conditions = 0
        self._results: dict[str, Sorted] = {}
        self.names: list[str] = []

    def compile(self, statement: Statement) -> Select:
        """The pieces of a statement.

        Raises:
            ServiceError: A table or column is unknown, or a clause says what the service does not answer.
        """
        if statement.top is not None and statement.top > LARGEST_PAGE:
            raise bad_query(f"TOP must be between 0 and {LARGEST_PAGE}.")
        if len(statement.joins) > _MOST_JOINS:
            raise bad_query(f"A query may join {_MOST_JOINS} tables.")
        select = Select(self._sql, self._source(statement.table, "t"))
        for join in statement.joins:
            self._join(select, join)
        if statement.where is not None:
            select.where.append(self._condition(statement.where))
        select.distinct = statement.distinct
        select.aggregated = bool(statement.group) or any(item.function for item in statement.items)
        if select.aggregated:
            self._grouped(select, statement)
        else:
            self._plain(select, statement.items)
        select.order = [self._order(select, order) for order in statement.order]
        return select

    def _source(self, name: TableName, alias: str) -> Source:
        table = self._catalog.tables.get(name.name)
        if table is None:
            raise fetch_entity_missing(name.name)
        shown = name.alias or name.name
        if any(source.name == shown for source in self._sources):
            raise bad_query(f"The table name '{shown}' is specified multiple times in the FROM clause.")
        self._context.require("Read", table)
        self._sources.append(Source(table, alias, shown))
        return self._sources[-1]

    def _join(self, select: Select, join: Join) -> None:
        """A joined table: one equality between columns of two tables, and conditions on the joined one.

        https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/sql#additional-on-filters
        """
        source = self._source(join.table, self._sql.alias())
        rows = f"{table_sql(source.table.name)} {source.alias}"
        if join.on is None:
            select.repeats = True
            select.joins.append(f"JOIN {rows}")
            return
        parts = join.on.parts if isinstance(join.on, Junction) and join.on.operator == "AND" else (join.on,)
        pairs = [part for part in parts if isinstance(part, Pair)]
        if len(pairs) != 1 or pairs[0].operator != "eq":
            raise unsupported("A JOIN that is not ON one equality of two columns is")
        tests = [self._pair(select, source, pairs[0])]
        for part in parts:
            if not isinstance(part, Pair):
                self._check_owner(part, source)
                tests.append(self._condition(part))
        select.joins.append(f"{'LEFT JOIN' if join.left else 'JOIN'} {rows} ON {' AND '.join(tests)}")

    def _pair(self, select: Select, source: Source, pair: Pair) -> str:
        ends = (self._find(pair.left), self._find(pair.right))
        if ends[0][0] is ends[1][0] or source not in (ends[0][0], ends[1][0]):
            raise unsupported("A JOIN that is not ON columns from the two tables is")
        (own, near), (other, far) = ends if ends[0][0] is source else (ends[1], ends[0])
        select.repeats |= near.name != source.table.primary_id
        return joined_sql(near, own.field(near), far, other.field(far))

    def _check_owner(self, condition: Condition, source: Source) -> None:
        """Refuse a condition of a join that is not on the joined table."""
        if isinstance(condition, Junction):
            for part in condition.parts:
                self._check_owner(part, source)
        elif isinstance(condition, Not):
            self._check_owner(condition.part, source)
        elif not isinstance(condition, Pair) and self._find(condition.column)[0] is not source:
            raise unsupported("A condition of a JOIN that is not on the joined table is")

    def _find(self, reference: Reference) -> tuple[Source, Column]:
        """The column that a reference names.

        Raises:
            ServiceError: There is none, or it is not clear which.
        """
        found = [source for source in self._sources if reference.table in ("", source.name)]
        if not found:
            raise bad_query(f'The multi-part identifier "{reference}" could not be bound.')
        having = [source for source in found if _stored(source.table, reference.name)]
        if not having:
            raise fetch_attribute_missing(found[0].table.name, reference.name)
        if len(having) > 1:
            raise bad_query(f"Ambiguous column name '{reference.name}'.")
        return having[0], having[0].table.columns[reference.name]

    def _plain(self, select: Select, items: tuple[Item, ...]) -> None:
        """Columns of single rows, with the version and the primary key of the row."""
        taken: set[str] = set()
        if not select.distinct:
            select.members += etag_sql(select.root)
            key = select.root.table.columns[select.root.table.primary_id]
            if not any(not item.alias and self._is(item, select.root, key) for item in items):
                items = (*items, Item(Reference(key.name, select.root.name)))
        for item in items:
            source, column = self._find(item.column or Reference(""))
            name = item.alias or (column.wire_name if source is select.root else column.name)
            if name in taken and not item.alias and source is not select.root:
                # That a name given twice brings that of its table along is inferred.
                name = f"{source.name}.{column.name}"
            self._take(taken, name)
            if source is select.root and not item.alias:
                select.members += column_members(self._catalog, source, column, self._annotations)
                self.names.append(name)
            else:
                select.members += column_members(self._catalog, source, column, self._annotations, name)
            if item.alias:
                self._results[item.alias.lower()] = sorted_by(self._catalog, source, column, raw=True)

    def _is(self, item: Item, source: Source, column: Column) -> bool:
        return item.column is not None and self._find(item.column) == (source, column)

    def _take(self, taken: set[str], name: str) -> None:
        if name in taken:
            raise bad_query(f"The column '{name}' was specified multiple times.")
        taken.add(name)

    def _grouped(self, select: Select, statement: Statement) -> None:
        groups = [self._find(reference) for reference in statement.group]
        select.group = [plain_sql(column, source.field(column)) for source, column in groups]
        taken: set[str] = set()
        for item in statement.items:
            if item.function:
                self._function(select, item, taken)
                continue
            source, column = self._find(item.column or Reference(""))
            if (source, column) not in groups:
                raise bad_query(
                    f"Column '{source.table.name}.{column.name}' is invalid in the select list because it is not "
                    "contained in either an aggregate function or the GROUP BY clause."
                )
            name = item.alias or column.name
            if name in taken and not item.alias:
                name = f"{source.name}.{column.name}"
            self._take(taken, name)
            select.members += column_members(self._catalog, source, column, self._annotations, name)
            self._results[name.lower()] = sorted_by(self._catalog, source, column, raw=True)

    def _function(self, select: Select, item: Item, taken: set[str]) -> None:
        source, column = self._find(item.column) if item.column is not None else (None, None)
        function = _FUNCTIONS.get(item.function) or ("countcolumn" if column is not None else "count")
        field = source.field(column) if source is not None and column is not None else ""
        value = aggregate_value(function, column, field, distinct=item.distinct)
        # How the service names a result without an alias is not documented.
        name = item.alias or (item.function.lower() if column is None else f"{item.function.lower()}_{column.name}")
        self._take(taken, name)
        select.members += aggregate_members(function, column, value, name, self._annotations)
        number = function in ("sum", "avg") or (column is not None and function != "countcolumn" and _is_number(column))
        self._results[name.lower()] = Sorted(f"CAST({value} AS TEXT) COLLATE NUMBER" if number else value, name, value)

    def _order(self, select: Select, order: Order) -> Sorted:
        """By a column, or by the alias of a result."""
        known = self._results.get(order.column.name) if not order.column.table else None
        if known is None:
            source, column = self._find(order.column)
            if select.aggregated and plain_sql(column, source.field(column)) not in select.group:
                raise bad_query(
                    f"Column '{source.table.name}.{column.name}' is invalid in the ORDER BY clause because it is not "
                    "contained in either an aggregate function or the GROUP BY clause."
                )
            select.elsewhere |= source is not select.root
            return sorted_by(self._catalog, source, column, descending=order.descending, raw=True)
        select.elsewhere |= not known.expression.startswith(f"{select.root.alias}.")
        return Sorted(known.expression, known.name, known.shown, order.descending, known.guid, known.label)

    def _condition(self, condition: Condition) -> str:
        if isinstance(condition, Junction):
            return f"({f' {condition.operator} '.join(self._condition(part) for part in condition.parts)})"
        if isinstance(condition, Not):
            return f"NOT ({self._condition(condition.part)})"
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            raise too_many_conditions()
        if isinstance(condition, Pair):
            raise unsupported("Comparing a column with a column is")
        source, column = self._find(condition.column)
        field = source.field(column)
        if isinstance(condition, IsNull):
            return f"{field} IS {'NOT ' if condition.negated else ''}NULL"
        test = self._test(condition, column, field)
        if isinstance(condition, Comparison):
            return test
        return f"NOT {test}" if condition.negated else test

    def _test(self, condition: Comparison | Like | Listed | Between, column: Column, field: str) -> str:
        if isinstance(condition, Like):
            return like_sql(self._sql, column, field, condition.pattern)
        if isinstance(condition, Listed):
            return self._listed(condition, column, field)
        if isinstance(condition, Between):
            low, high = self._text(condition.low), self._text(condition.high)
            if low is None or high is None:
                return "(NULL)"
            return between_sql(self._sql, column, field, kept_value(column, low), kept_value(column, high))
        text = self._text(condition.value)
        if text is None:
            # Nothing is equal to NULL, nor different from it.
            return "(NULL)"
        if column.type in WHOLE and not text.lstrip("-").isdigit():
            return compared_sql(
                self._sql, Column(name=column.name, type="Decimal"), f"CAST({field} AS TEXT)", condition.operator,
                _digits(text),
            )  # fmt: skip
        return compared_sql(self._sql, column, field, condition.operator, kept_value(column, _boolean(column, text)))

    def _listed(self, condition: Listed, column: Column, field: str) -> str:
        texts = [text for text in map(self._text, condition.values) if text is not None]
        values = [kept_value(column, _boolean(column, text)) for text in texts]
        if column.type == "MultiSelectPicklist":
            return membership_sql(self._sql, column, field, "ContainValues", values)
        return f"({listed_sql(self._sql, column, field, values)})"

    def _text(self, value: Value) -> str | None:
        return text_of(value, self._context.now)


def _stored(table: Table, name: str) -> bool:
    column = table.columns.get(name)
    return column is not None and column.stored


def _is_number(column: Column) -> bool:
    return column.type in WHOLE or column.type in ("Decimal", "Money", "Double")


def _boolean(column: Column, text: str) -> str:
    return text.lower() if column.type == "Boolean" else text


def _digits(text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise bad_query(f"Conversion failed when converting the value '{text[:40]}' to a number.") from error
    if not number.is_finite():
        raise bad_query(f"Conversion failed when converting the value '{text[:40]}' to a number.")
    return str(number)
