"""Templates of Azure Pipelines and their expressions, as far as ours need them; whatever else there is, is an error.

https://learn.microsoft.com/azure/devops/pipelines/process/template-expressions
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Values = Mapping[str, Any]
Functions = Mapping[str, Callable[..., object]]

_TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|([A-Za-z_]\w*)|([()\[\],.]))")
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
_DIRECTIVE = re.compile(r"\$\{\{\s*(?:(if)\s+|each\s+(\w+)\s+in\s+)(.*)\}\}")
_TYPES = {"string": (str, int, bool), "object": (dict, list)}


def as_text(value: object) -> str:
    """A value as it stands in a text."""
    return "" if value is None else str(value)


def _same(left: object, right: object) -> bool:
    return as_text(left).casefold() == as_text(right).casefold()


_FUNCTIONS: Functions = {
    "eq": _same,
    "ne": lambda left, right: not _same(left, right),
    "and": lambda *values: all(values),
    "coalesce": lambda *values: next((value for value in values if value not in {None, ""}), None),
    "join": lambda separator, values: separator.join(map(as_text, values)),
}


def evaluate(text: str, values: Values, functions: Functions | None = None) -> Any:
    """The value of an expression; a member that is not there is None, as with the service."""
    known = {**_FUNCTIONS, **(functions or {})}
    tokens = [match.groups() for match in _TOKEN.finditer(text)]
    position = 0

    def sign(expected: str) -> bool:
        nonlocal position
        found = position < len(tokens) and tokens[position][2] == expected
        position += found
        return found

    def value() -> Any:
        nonlocal position
        literal, name, _ = tokens[position]
        position += 1
        if name is None:
            return literal.replace("''", "'")
        if sign("("):
            arguments: list[Any] = []
            while not sign(")"):
                arguments.append(value())
                sign(",")
            return known[name](*arguments)
        found: Any = values[name]
        while (dot := sign(".")) or sign("["):
            key = tokens[position][1] if dot else tokens[position][0]
            position += 1 if dot else 2
            found = found.get(key) if found is not None else None
        return found

    result = value()
    if position < len(tokens) or _TOKEN.sub("", text).strip():
        raise ValueError(f"This expression is not understood: {text}")
    return result


@dataclass(frozen=True)
class Templates:
    """Repositories with templates: their folders by the names that ``resources`` gives them, and ``self``."""

    repositories: Mapping[str, Path]

    def expand(self, document: Values) -> dict[str, Any]:
        """A pipeline as it is once all its templates are expanded."""
        expanded: dict[str, Any] = self._value(document, {}, self.repositories["self"])
        return expanded

    def _value(self, node: Any, values: Values, folder: Path) -> Any:
        if isinstance(node, str):
            whole = _EXPRESSION.fullmatch(node)
            if whole and "${{" not in whole.group(1):
                return evaluate(whole.group(1), values)
            return _EXPRESSION.sub(lambda found: as_text(evaluate(found.group(1), values)), node)
        if isinstance(node, list):
            return [item for each in node for item in self._items(each, values, folder)]
        return dict(self._members(node, values, folder)) if isinstance(node, dict) else node

    def _items(self, node: Any, values: Values, folder: Path) -> Iterator[Any]:
        if isinstance(node, dict) and len(node) == 1 and (condition := _DIRECTIVE.fullmatch(next(iter(node)))):
            # An item that is nothing but a condition stands for the items below it.
            if evaluate(condition.group(3), values):
                yield from self._value(next(iter(node.values())), values, folder)
            return
        if not isinstance(node, dict) or "template" not in node:
            yield self._value(node, values, folder)
            return
        path, _, repository = node["template"].partition("@")
        file = (self.repositories[repository] if repository else folder) / path
        template = yaml.safe_load(file.read_text())
        given = self._value(node.get("parameters", {}), values, folder)
        parameters = _parameters(file.name, template.pop("parameters"), given)
        ((_, items),) = template.items()
        yield from self._value(items, {"parameters": parameters}, file.parent)

    def _members(self, node: Values, values: Values, folder: Path) -> Iterator[tuple[str, Any]]:
        for key, value in node.items():
            directive = _DIRECTIVE.fullmatch(key)
            if directive is None:
                yield self._value(key, values, folder), self._value(value, values, folder)
                continue
            condition, name, expression = directive.groups()
            found = evaluate(expression, values)
            if not condition:
                for member in found.items():
                    pair = dict(zip(("key", "value"), member, strict=True))
                    yield from self._members(value, {**values, name: pair}, folder)
            elif found:
                yield from self._members(value, values, folder)


def _parameters(template: str, declared: Sequence[Values], given: Values) -> Values:
    """The parameters of a template, checked against what it declares."""
    if unknown := given.keys() - {parameter["name"] for parameter in declared}:
        raise ValueError(f"{template} has no parameters {sorted(unknown)}")
    found = {}
    for parameter in declared:
        name = parameter["name"]
        if name not in given and "default" not in parameter:
            raise ValueError(f"{template} needs the parameter {name}")
        value = given.get(name, parameter.get("default"))
        if not isinstance(value, _TYPES[parameter["type"]]) or value not in parameter.get("values", [value]):
            raise ValueError(f"{template}: {name} cannot be {value!r}")
        found[name] = as_text(value) if parameter["type"] == "string" else value
    return found
