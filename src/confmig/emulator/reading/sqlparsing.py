"""SQL text as a tree: one SELECT statement of the subset that the Web API answers.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/sql

That document says that TOP and OFFSET are not supported; Microsoft's Python client documents both and sends them, so
they are understood here.
"""

from confmig.emulator.reading.sqlconditions import Conditions
from confmig.emulator.reading.sqlsyntax import Item, Join, Order, Reference, Statement, TableName
from confmig.emulator.reading.sqltokens import END, near, tokens_of, unsupported
from confmig.emulator.reading.sqlwords import RESERVED

FUNCTIONS = frozenset({"COUNT", "SUM", "AVG", "MIN", "MAX"})
_STATEMENTS = frozenset(
    {"INSERT", "UPDATE", "DELETE", "MERGE", "DROP", "TRUNCATE", "ALTER", "CREATE", "EXEC", "DECLARE", "SET", "GRANT"}
)


def parse_sql(text: str) -> Statement:
    """The tree of a query.

    Raises:
        ServiceError: It is no single SELECT statement, or says what the service does not answer.
    """
    return _Parser(tokens_of(text)).statement()


class _Parser(Conditions):
    def statement(self) -> Statement:
        self._begin()
        distinct = self.accept("DISTINCT")
        if not distinct:
            self.accept("ALL")
        top = self._top()
        items = self.series(self._item)
        self.expect("FROM")
        table = self._table()
        joins = self._joins()
        where = self.condition() if self.accept("WHERE") else None
        group = self.series(self._grouped) if self.accept("GROUP", "BY") else ()
        if self.accept("HAVING"):
            raise unsupported("HAVING is")
        order = self.series(self._ordered) if self.accept("ORDER", "BY") else ()
        offset, fetch = self._window() if order else (0, None)
        self._end()
        return Statement(items, table, joins, where, group, order, distinct, top, offset, fetch)

    def _begin(self) -> None:
        first = self.next()
        if first.upper == "WITH":
            raise unsupported("A common table expression is")
        if first.upper in _STATEMENTS:
            raise unsupported(f"The statement {first.upper} is")
        if first.upper != "SELECT":
            raise near(first.text)

    def _end(self) -> None:
        if self.peek().upper in ("UNION", "EXCEPT", "INTERSECT"):
            raise unsupported(f"{self.peek().upper} is")
        while self.accept(";"):
            pass
        last = self.peek()
        if last is END:
            return
        if self._tokens[self._position - 1].text == ";" or last.upper == "SELECT" or last.upper in _STATEMENTS:
            raise unsupported("More than one statement is")
        raise near(last.text)

    def _top(self) -> int | None:
        if not self.accept("TOP"):
            return None
        bracket = self.accept("(")
        number = self.whole()
        if bracket:
            self.expect(")")
        for words in (("PERCENT",), ("WITH", "TIES")):
            if self.accept(*words):
                raise unsupported(f"TOP {' '.join(words)} is")
        return number

    def _window(self) -> tuple[int, int | None]:
        """``OFFSET n ROWS [FETCH NEXT m ROWS ONLY]``."""
        if not self.accept("OFFSET"):
            return 0, None
        offset = self.whole()
        self._rows()
        if not self.accept("FETCH"):
            return offset, None
        if not self.accept("NEXT"):
            self.expect("FIRST")
        fetch = self.whole()
        self._rows()
        self.expect("ONLY")
        return offset, fetch

    def _rows(self) -> None:
        if not self.accept("ROWS"):
            self.expect("ROW")

    def _item(self) -> Item:
        self._refuse_star()
        token = self.peek()
        if token.upper in FUNCTIONS and self.peek(1).text == "(":
            column, function, distinct = self._call()
            return Item(column, function, distinct, self._alias())
        if token.kind in ("number", "string") or token.upper in ("-", "+"):
            raise unsupported("Selecting literal values is")
        column = self.reference("in the SELECT clause ")
        return Item(column, alias=self._alias())

    def _refuse_star(self) -> None:
        token = self.peek()
        ahead = 2 if token.kind in ("word", "name") and self.peek(1).text == "." else 0
        if self.peek(ahead).text == "*":
            raise unsupported("SELECT * is")

    def _call(self) -> tuple[Reference | None, str, bool]:
        function = self.next().upper
        self.expect("(")
        distinct = self.accept("DISTINCT")
        if not distinct:
            self.accept("ALL")
        column: Reference | None = None
        # COUNT(1) counts rows as COUNT(*) does.
        if function == "COUNT" and (self.peek().text == "*" or self.peek().kind == "number"):
            self.next()
        else:
            column = self.reference("in an aggregate function ")
        self.expect(")")
        if self.peek().upper == "OVER":
            raise unsupported("A window function is")
        return column, function, distinct

    def _alias(self) -> str:
        self.refuse_arithmetic()
        if self.accept("AS"):
            token = self.next()
            if token.kind not in ("word", "name", "string"):
                raise near(token.text)
            return token.value
        token = self.peek()
        if token.kind in ("name", "string") or (token.kind == "word" and token.upper not in RESERVED):
            return self.next().value
        return ""

    def _table(self) -> TableName:
        if self.peek().text == "(":
            raise unsupported("A subquery is")
        name = self.name()
        while self.accept("."):
            # The schema before the name, dbo, says nothing.
            name = self.name()
        if self.accept("AS"):
            return TableName(name, self.name())
        token = self.peek()
        named = token.kind == "name" or (token.kind == "word" and token.upper not in RESERVED)
        return TableName(name, self.name() if named else "")

    def _joins(self) -> tuple[Join, ...]:
        joins: list[Join] = []
        while True:
            for kind in ("RIGHT", "FULL", "CROSS"):
                if self.peek().upper == kind:
                    raise unsupported(f"{kind} JOIN is")
            if self.accept(","):
                joins.append(Join(self._table()))
                continue
            left = self.accept("LEFT")
            if left:
                self.accept("OUTER")
            elif not self.accept("INNER") and self.peek().upper != "JOIN":
                return tuple(joins)
            self.expect("JOIN")
            table = self._table()
            self.expect("ON")
            joins.append(Join(table, left, self.condition()))

    def _grouped(self) -> Reference:
        column = self.reference("in the GROUP BY clause ")
        self.refuse_arithmetic()
        return column

    def _ordered(self) -> Order:
        if self.peek().kind == "number":
            raise unsupported("Ordering by anything but a column is")
        column = self.reference("in the ORDER BY clause ")
        self.refuse_arithmetic()
        descending = self.accept("DESC")
        if not descending:
            self.accept("ASC")
        return Order(column, descending)
