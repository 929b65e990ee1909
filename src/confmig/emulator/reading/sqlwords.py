"""Reads a SQL text word by word: its names, its constants, and what it may not say.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/sql
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from confmig.emulator.reading.sqlsyntax import Literal, Moment, Reference, Value
from confmig.emulator.reading.sqltokens import END, Token, near, unsupported

RESERVED = frozenset(
    {
        "SELECT", "FROM", "WHERE", "GROUP", "ORDER", "BY", "HAVING", "UNION", "EXCEPT", "INTERSECT", "ON", "INNER",
        "LEFT", "RIGHT", "FULL", "CROSS", "OUTER", "JOIN", "AS", "AND", "OR", "NOT", "IN", "LIKE", "BETWEEN", "IS",
        "NULL", "TOP", "DISTINCT", "OFFSET", "FETCH", "WITH", "FOR", "OPTION", "CASE", "EXISTS", "ASC", "DESC",
    }
)  # fmt: skip
_ARITHMETIC = frozenset("+-*/%")
_DEEPEST = 100
_MOST_DIGITS = 9
_Part = TypeVar("_Part")


class Words:
    """The tokens of a query and the place that is read."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._position = 0
        self._depth = 0

    def peek(self, ahead: int = 0) -> Token:
        """A token that is still to be read."""
        position = self._position + ahead
        return self._tokens[position] if position < len(self._tokens) else END

    def next(self) -> Token:
        """Take the next token."""
        token = self.peek()
        self._position += 1
        return token

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Read what may hold itself again, up to a limit."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise near(self.peek().text)
        yield
        self._depth -= 1

    def accept(self, *words: str) -> bool:
        """Take words, or a sign, when they come next."""
        if any(self.peek(ahead).upper != word for ahead, word in enumerate(words)):
            return False
        self._position += len(words)
        return True

    def expect(self, *words: str) -> None:
        """Take words, or a sign, that must come next."""
        if not self.accept(*words):
            raise near(self.peek().text)

    def series(self, part: Callable[[], _Part]) -> tuple[_Part, ...]:
        """Parts with commas between them."""
        parts = [part()]
        while self.accept(","):
            parts.append(part())
        return tuple(parts)

    def whole(self) -> int:
        """A whole number without a sign."""
        token = self.next()
        if token.kind != "number" or not token.text.isdigit() or len(token.text) > _MOST_DIGITS:
            raise near(token.text)
        return int(token.text)

    def name(self) -> str:
        """A name in lower case, as names of tables and columns are; a keyword only in brackets."""
        token = self.next()
        if token.kind == "name" or (token.kind == "word" and token.upper not in RESERVED):
            return token.value.lower()
        raise near(token.text)

    def reference(self, place: str = "") -> Reference:
        """A column; whatever else stands in its place is said to be unsupported where it is known what it is."""
        token = self.peek()
        if token.upper == "CASE":
            raise unsupported("CASE is")
        if token.kind == "word" and self.peek(1).text == "(":
            raise unsupported(f"The function {token.upper} {place}is")
        if token.text == "(" and self.peek(1).upper == "SELECT":
            raise unsupported("A subquery is")
        first = self.name()
        if not self.accept("."):
            return Reference(first)
        return Reference(self.name(), first)

    def refuse_arithmetic(self) -> None:
        """Refuse an expression of which something was read already."""
        if self.peek().text in _ARITHMETIC and self.peek().kind == "sign":
            raise unsupported("An expression is")

    def is_value(self) -> bool:
        """Whether a constant comes next."""
        token = self.peek()
        return (
            token.kind in ("number", "string")
            or token.upper in ("NULL", "-", "+")
            or (token.upper in ("GETUTCDATE", "DATEADD") and self.peek(1).text == "(")
        )

    def value(self) -> Value:
        """A constant, or a date made of one."""
        value = self._moment() if self.peek().upper in ("GETUTCDATE", "DATEADD") else self._literal()
        self.refuse_arithmetic()
        return value

    def _literal(self) -> Literal:
        sign = "-" if self.accept("-") else ""
        if not sign:
            self.accept("+")
        token = self.next()
        if token.kind == "number":
            return Literal(sign + token.text)
        if token.kind == "string" and not sign:
            return Literal(token.value)
        if token.upper == "NULL" and not sign:
            return Literal(None)
        raise near(token.text)

    def _moment(self) -> Moment:
        with self.deeper():
            return self._call_moment()

    def _call_moment(self) -> Moment:
        name = self.next().upper
        self.expect("(")
        moment = Moment()
        if name == "DATEADD":
            part = self.next()
            if part.kind != "word":
                raise near(part.text)
            self.expect(",")
            sign = -1 if self.accept("-") else 1
            number = sign * self.whole()
            self.expect(",")
            if not self.is_value():
                raise unsupported("DATEADD of a column is")
            moment = Moment(part.text.lower(), number, self.value())
        self.expect(")")
        return moment
