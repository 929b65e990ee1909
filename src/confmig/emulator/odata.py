"""The ``$filter`` language: its text as a tree.

Rules: https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/filter-rows
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from confmig.emulator.errors import bad_query, too_many_conditions

MOST_CONDITIONS = 500
_DEEPEST = 100
Literal = str | int | bool | Decimal | None
_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<string>'(?:[^']|'')*')"
    r"|(?P<guid>[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})"
    r"|(?P<date>\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?)"
    r"|(?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<enum>[A-Za-z_][A-Za-z0-9_.]*'[^']*')"
    r"|(?P<name>[@A-Za-z_][A-Za-z0-9_.]*(?:/[A-Za-z_][A-Za-z0-9_.]*)*)"
    r"|(?P<sign>[(),=:\[\]])"
    r")"
)
_OPERATORS = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_TEXT_FUNCTIONS = frozenset({"contains", "startswith", "endswith"})
_PREFIX = "Microsoft.Dynamics.CRM."
_LIST_FUNCTIONS = frozenset({"In", "NotIn", "ContainValues", "DoesNotContainValues"})


@dataclass(frozen=True)
class Date:
    """A date literal without quotes."""

    text: str


@dataclass(frozen=True)
class Guid:
    """A guid literal without quotes."""

    text: str


Value = Literal | Date | Guid


@dataclass(frozen=True)
class Comparison:
    """``path op value``, or a text function with its text."""

    path: str
    operator: str
    value: Value


@dataclass(frozen=True)
class Membership:
    """``path in (...)`` and the query functions that take a list."""

    path: str
    operator: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Any:
    """``collection/any(x:condition)``; without a condition it asks whether there is a row at all."""

    path: str
    condition: "Node | None"


@dataclass(frozen=True)
class Group:
    """Conditions that all, or of which one, must hold."""

    operator: str
    nodes: tuple["Node", ...]


@dataclass(frozen=True)
class Not:
    """A condition that must not hold."""

    node: "Node"


Node = Comparison | Membership | Any | Group | Not


def parse_filter(text: str, aliases: dict[str, str]) -> Node:
    """The tree of a filter.

    Args:
        text: The filter.
        aliases: Query options beginning with ``@``.

    Raises:
        ServiceError: It cannot be understood, or has more than 500 conditions.
    """
    parser = _Parser(_tokens(text), aliases, text)
    node = parser.expression()
    parser.finish()
    return node


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None and text[position:].lstrip().startswith("'"):
            raise bad_query(f"There is an unterminated literal at position {len(text)} in '{text}'.")
        if match is None:
            raise bad_query(f"Syntax error at position {position} in '{text}'.")
        kind = match.lastgroup or ""
        tokens.append((kind, match.group(kind)))
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], aliases: dict[str, str], text: str) -> None:
        self._tokens = tokens
        self._position = 0
        self._aliases = aliases
        self._text = text
        self._conditions = 0
        self._depth = 0
        self._variables: list[str] = []

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._position] if self._position < len(self._tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self._position += 1
        return token

    def _expect(self, sign: str) -> None:
        if self._next()[1] != sign:
            raise self._error()

    def _error(self) -> Exception:
        return bad_query(f"Syntax error at position {self._position} in '{self._text}'.")

    def finish(self) -> None:
        if self._peek()[0] != "end":
            raise self._error()

    def expression(self) -> Node:
        return self._series("or", lambda: self._series("and", self._negation))

    def _series(self, operator: str, part: Callable[[], Node]) -> Node:
        nodes = [part()]
        while self._peek() == ("name", operator):
            self._next()
            nodes.append(part())
        return nodes[0] if len(nodes) == 1 else Group(operator, tuple(nodes))

    def _negation(self) -> Node:
        if self._peek() == ("name", "not"):
            self._next()
            self._depth += 1
            if self._depth > _DEEPEST:
                raise self._error()
            node = Not(self._negation())
            self._depth -= 1
            return node
        return self._primary()

    def _primary(self) -> Node:
        kind, text = self._next()
        if (kind, text) == ("sign", "("):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise self._error()
            node = self.expression()
            self._expect(")")
            self._depth -= 1
            return node
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            raise too_many_conditions()
        if kind != "name":
            raise self._error()
        return self._condition(text)

    def _condition(self, name: str) -> Node:
        if self._peek() == ("sign", "("):
            self._next()
            return self._call(name)
        operator = self._next()[1]
        if operator == "in":
            return Membership(self._path(name), "In", self._list("(", ")"))
        if operator not in _OPERATORS:
            raise self._error()
        return Comparison(self._path(name), operator, self._literal())

    def _path(self, name: str) -> str:
        head, slash, rest = name.partition("/")
        return rest if slash and head in self._variables else name

    def _call(self, name: str) -> Node:
        if name in _TEXT_FUNCTIONS:
            path = self._path(self._next()[1])
            self._expect(",")
            value = self._literal()
            self._expect(")")
            return Comparison(path, name, value)
        if name.startswith(_PREFIX) and name.removeprefix(_PREFIX) in _LIST_FUNCTIONS:
            return self._list_call(name.removeprefix(_PREFIX))
        collection, _, last = name.rpartition("/")
        if last == "any" and collection:
            return self._any(collection)
        raise bad_query(f"The function '{name}' is not supported.")

    def _any(self, collection: str) -> Node:
        if self._peek() == ("sign", ")"):
            self._next()
            return Any(collection, None)
        self._variables.append(self._next()[1])
        self._expect(":")
        condition = self.expression()
        self._expect(")")
        self._variables.pop()
        return Any(collection, condition)

    def _list_call(self, function: str) -> Node:
        path, values = "", None
        while True:
            name = self._next()[1]
            self._expect("=")
            if name == "PropertyName":
                path = str(self._literal())
            elif name == "PropertyValues":
                values = self._list("[", "]")
            else:
                raise self._error()
            if self._next()[1] == ")":
                break
        if not path or values is None:
            raise self._error()
        return Membership(path, function, values)

    def _list(self, opening: str, closing: str) -> tuple[Value, ...]:
        self._expect(opening)
        values: list[Value] = []
        if self._peek() == ("sign", closing):
            self._next()
            return ()
        while True:
            values.append(self._literal())
            sign = self._next()[1]
            if sign == closing:
                return tuple(values)
            if sign != ",":
                raise self._error()

    def _literal(self) -> Value:
        kind, text = self._next()
        if kind == "name" and text.startswith("@") and text in self._aliases:
            tokens = _tokens(self._aliases[text])
            if len(tokens) != 1:
                raise self._error()
            kind, text = tokens[0]
        return literal(kind, text)


def literal(kind: str, text: str) -> Value:
    """The value of a token.

    Raises:
        ServiceError: The token is no literal.
    """
    if kind == "string":
        return text[1:-1].replace("''", "'")
    if kind == "enum":
        return text[text.index("'") + 1 : -1]
    if kind == "guid":
        return Guid(text.lower())
    if kind == "date":
        return Date(text)
    if kind == "number":
        return _number(text)
    constants: dict[str, Value] = {"null": None, "true": True, "false": False}
    if kind == "name" and text in constants:
        return constants[text]
    raise bad_query(f"Syntax error: '{text}' is not a literal.")


def _number(text: str) -> int | Decimal:
    try:
        return int(text) if text.lstrip("+-").isdigit() else Decimal(text)
    except (ValueError, ArithmeticError) as error:
        raise bad_query(f"Syntax error: '{text[:40]}' is not a number.") from error


def parse_literal(text: str) -> Value:
    """The value of one literal standing alone, as in an alternate key.

    Raises:
        ServiceError: It is none.
    """
    tokens = _tokens(text)
    if len(tokens) != 1:
        raise bad_query(f"Syntax error: '{text}' is not a literal.")
    return literal(*tokens[0])
