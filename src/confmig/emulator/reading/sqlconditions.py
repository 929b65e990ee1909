"""The conditions of a SQL query: a column compared with constants, and the equality of two columns in a join.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/sql#filter-rows
"""

from collections.abc import Callable

from confmig.emulator.reading.sqlsyntax import (
    Between,
    Comparison,
    Condition,
    IsNull,
    Junction,
    Like,
    Listed,
    Not,
    Pair,
    Value,
)
from confmig.emulator.reading.sqltokens import near, unsupported
from confmig.emulator.reading.sqlwords import Words

_SIGNS = {"=": "eq", "<>": "ne", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_TURNED = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


class Conditions(Words):
    """Reads conditions."""

    def condition(self) -> Condition:
        """Conditions joined by AND and OR.

        Raises:
            ServiceError: They are nested too deeply, or say what the service does not answer.
        """
        with self.deeper():
            return self._junction("OR", lambda: self._junction("AND", self._negation))

    def _junction(self, operator: str, part: Callable[[], Condition]) -> Condition:
        parts = [part()]
        while self.accept(operator):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Junction(operator, tuple(parts))

    def _negation(self) -> Condition:
        negations = 0
        while self.accept("NOT"):
            negations += 1
        if self.peek().upper == "EXISTS":
            raise unsupported("EXISTS is")
        if self.peek().text == "(" and self.peek(1).upper != "SELECT":
            self.next()
            found = self.condition()
            self.expect(")")
        else:
            found = self._predicate()
        return Not(found) if negations % 2 else found

    def _predicate(self) -> Condition:
        if self.is_value():
            return self._turned()
        column = self.reference("of a column ")
        self.refuse_arithmetic()
        if self.accept("IS"):
            negated = self.accept("NOT")
            self.expect("NULL")
            return IsNull(column, negated)
        negated = self.accept("NOT")
        if self.accept("LIKE"):
            return Like(column, self._pattern(), negated)
        if self.accept("IN"):
            return Listed(column, self._list(), negated)
        if self.accept("BETWEEN"):
            low = self.value()
            self.expect("AND")
            return Between(column, low, self.value(), negated)
        if negated:
            raise near(self.peek().text)
        operator = self._operator()
        if self.is_value():
            return Comparison(column, operator, self.value())
        right = self.reference("of a column ")
        self.refuse_arithmetic()
        return Pair(column, operator, right)

    def _turned(self) -> Condition:
        """``value operator column``."""
        value = self.value()
        operator = self._operator()
        if self.is_value():
            raise unsupported("Comparing a literal with a literal is")
        return Comparison(self.reference("of a column "), _TURNED[operator], value)

    def _operator(self) -> str:
        token = self.next()
        if token.text not in _SIGNS or token.kind != "sign":
            raise near(token.text)
        return _SIGNS[token.text]

    def _pattern(self) -> str:
        token = self.next()
        if token.kind != "string":
            raise near(token.text)
        if self.peek().upper == "ESCAPE":
            raise unsupported("ESCAPE is")
        return token.value

    def _list(self) -> tuple[Value, ...]:
        self.expect("(")
        if self.peek().upper == "SELECT":
            raise unsupported("A subquery is")
        values = self.series(self.value)
        self.expect(")")
        return values
