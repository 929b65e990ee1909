"""The ``$filter`` language: its text as a tree.

Rules: https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/filter-rows
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from confmig.emulator.errors import ServiceError, bad_query, too_many_conditions
from confmig.emulator.reading.filtertree import (
    Any,
    Comparison,
    Date,
    Group,
    Guid,
    Membership,
    Node,
    Not,
    Property,
    Value,
)

__all__ = ["Any", "Comparison", "Date", "Group", "Guid", "Membership", "Node", "Not", "Property", "Value"]

MOST_CONDITIONS = 500
MOST_LINKS = 15
PREFIX = "Microsoft.Dynamics.CRM."
_DEEPEST = 100
_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<string>'(?:[^']|'')*')"
    r'|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<guid>[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}(?!\w))"
    r"|(?P<date>\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?(?!\w))"
    r"|(?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w))"
    r"|(?P<enum>[A-Za-z_][A-Za-z0-9_.]*'[^']*')"
    r"|(?P<name>[@A-Za-z_][A-Za-z0-9_.]*(?:/[A-Za-z_][A-Za-z0-9_.]*)*)"
    r"|(?P<sign>[(),=:\[\]])"
    r")"
)
_OPERATORS = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_TEXT_FUNCTIONS = frozenset({"contains", "startswith", "endswith"})
_VALUE_NAMES = frozenset({"PropertyValue", "PropertyValue1", "PropertyValue2"})
_CONSTANTS: dict[str, Value] = {"null": None, "true": True, "false": False}
Token = tuple[str, str]


def parse_filter(text: str, aliases: Mapping[str, str]) -> Node:
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


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
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
    def __init__(self, tokens: list[Token], aliases: Mapping[str, str], text: str) -> None:
        self._tokens = tokens
        self._position = 0
        self._aliases = aliases
        self._text = text
        self._conditions = 0
        self._depth = 0
        self._variables: list[str] = []
        self._negated = 0

    def _peek(self) -> Token:
        return self._tokens[self._position] if self._position < len(self._tokens) else ("end", "")

    def _next(self) -> Token:
        token = self._peek()
        self._position += 1
        return token

    def _expect(self, sign: str) -> None:
        if self._next() != ("sign", sign):
            raise self._error()

    def _error(self) -> ServiceError:
        return bad_query(f"Syntax error at position {self._position} in '{self._text}'.")

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error()

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
        if self._peek() != ("name", "not"):
            return self._primary()
        self._next()
        self._deeper()
        self._negated += 1
        node = Not(self._negation())
        self._negated -= 1
        self._depth -= 1
        return node

    def _primary(self) -> Node:
        kind, text = self._next()
        if (kind, text) == ("sign", "("):
            self._deeper()
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
        return Comparison(self._path(name), operator, self._operand())

    def _operand(self) -> Value | Property:
        """What a property is compared with: a literal, an alias of one, or another property."""
        kind, text = self._peek()
        if kind == "name" and not text.startswith("@") and text not in _CONSTANTS:
            self._next()
            return Property(self._path(text))
        return self._literal()

    def _path(self, name: str) -> str:
        """A path as the row has it that the condition is about: without the variable of the lambda, or its alias."""
        if name.startswith("@"):
            tokens = _tokens(self._aliases.get(name, ""))
            if len(tokens) != 1 or tokens[0][0] != "name":
                raise self._error()
            name = tokens[0][1]
        if not self._variables:
            return name
        head, slash, rest = name.partition("/")
        if not slash or head != self._variables[-1]:
            raise bad_query(f"The path '{name}' does not begin with the variable '{self._variables[-1]}'.")
        return rest

    def _call(self, name: str) -> Node:
        if name in _TEXT_FUNCTIONS:
            path = self._path(self._next()[1])
            self._expect(",")
            value = self._literal()
            self._expect(")")
            return Comparison(path, name, value)
        bound, prefixed, function = name.partition(PREFIX)
        if prefixed and (not bound or bound.endswith("/")):
            return self._query_function(function, self._bound(bound.removesuffix("/")))
        collection, _, last = name.rpartition("/")
        if last in ("any", "all") and collection:
            return self._lambda(self._path(collection), every=last == "all")
        raise bad_query(f"An unknown function with name '{name}' was found.")

    def _lambda(self, collection: str, *, every: bool) -> Node:
        if not every and self._peek() == ("sign", ")"):
            self._next()
            return Any(collection, None)
        self._deeper()
        self._variables.append(self._next()[1])
        self._expect(":")
        condition = self.expression()
        self._expect(")")
        self._variables.pop()
        self._depth -= 1
        return Any(collection, condition, every)

    def _bound(self, path: str) -> str:
        """What leads from the row to the one whose property a function of Dataverse names.

        ``o1/Microsoft.Dynamics.CRM.In(PropertyName='statuscode',...)`` is about the row of the lambda, and a navigation
        property before the function about the row that it leads to.
        """
        return "" if path in ("", *self._variables[-1:]) else f"{self._path(path)}/"

    def _query_function(self, function: str, bound: str) -> Node:
        """A function of Dataverse, whose parameters have names: a property, and a value, two values or a list.

        https://learn.microsoft.com/power-apps/developer/data-platform/webapi/use-web-api-functions#limitations-of-query-functions
        """
        if self._negated:
            raise bad_query("Not operator along with the Custom Named Condition operators is not allowed")
        path: Value = None
        given: dict[str, tuple[Value, ...]] = {}
        while True:
            name = self._next()[1]
            self._expect("=")
            if name == "PropertyName":
                path = self._literal()
            elif name == "PropertyValues":
                given[name] = self._values()
            elif name in _VALUE_NAMES:
                given[name] = (self._literal(),)
            else:
                raise self._error()
            sign = self._next()
            if sign == ("sign", ")"):
                break
            if sign != ("sign", ","):
                raise self._error()
        if not isinstance(path, str) or not path:
            raise self._error()
        values = tuple(value for name in sorted(given) for value in given[name])
        return Membership(bound + path, function, values)

    def _values(self) -> tuple[Value, ...]:
        """A list in brackets, or its alias."""
        kind, text = self._peek()
        if kind != "name" or not text.startswith("@"):
            return self._list("[", "]")
        self._next()
        listed = self._aliases.get(text, "[]")
        parser = _Parser(_tokens(listed), self._aliases, listed)
        values = parser._list("[", "]")
        parser.finish()
        return values

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
                raise self._list_error()

    def _list_error(self) -> ServiceError:
        return bad_query(
            "Invalid JSON. A comma character ',' was expected in scope 'Array'. Every two elements in an array and "
            "properties of an object must be separated by commas."
        )

    def _literal(self) -> Value:
        kind, text = self._next()
        if kind == "name" and text.startswith("@"):
            # An alias that is assigned no value is null.
            tokens = _tokens(self._aliases.get(text, "null"))
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
    if kind == "text":
        return _json_text(text)
    if kind == "enum":
        return text[text.index("'") + 1 : -1]
    if kind == "guid":
        return Guid(text.lower())
    if kind == "date":
        return Date(text)
    if kind == "number":
        return _number(text)
    if kind == "name" and text in _CONSTANTS:
        return _CONSTANTS[text]
    raise bad_query(f"Syntax error: '{text}' is not a literal.")


def _json_text(text: str) -> str:
    try:
        return msgspec.json.decode(text, type=str)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise bad_query(f"Invalid JSON. The text {text[:40]} cannot be read.") from error


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
