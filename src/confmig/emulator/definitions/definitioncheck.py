"""What is wrong with a definition file, and in which line.

A file is read fast and judged as a whole; only one that is found wrong is looked at again, key by key, by what is here.
"""

import difflib
import types
import typing
from collections.abc import Iterator
from typing import Literal, get_args, get_origin

import msgspec
import yaml

from confmig.emulator.definitions.definitions import Definition, DefinitionFile

_MOST_PROBLEMS = 10
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class DefinitionLoader(_Loader):  # type: ignore[misc, valid-type]  # the fast one is there unless PyYAML was built bare
    """Reads YAML safely, and refuses a key that is given twice, of which YAML takes the last one silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        """The mapping of a node.

        Raises:
            yaml.constructor.ConstructorError: A key is given twice.
        """
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.value in seen:
                problem = f"the key {key.value} is given twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        mapping: dict[object, object] = super().construct_mapping(node, deep=deep)
        return mapping


def problems(text: str, name: str) -> list[str]:
    """What is wrong with a file that is YAML, each with file, line and place.

    Args:
        text: The text of the file.
        name: Its name.
    """
    root = yaml.compose(text, Loader=_Loader)
    if root is None:
        return []
    found: list[str] = []
    for node, place, problem in _wrong(root, DefinitionFile, ""):
        found.append(f"{name}:{node.start_mark.line + 1}: {place}: {problem}" if place else f"{name}: {problem}")
        if len(found) == _MOST_PROBLEMS:
            break
    return found


def place_of(definition: Definition, *path: str | dict[str, str]) -> str:
    """The file and the line where a definition says something; the last of its files that does.

    Args:
        definition: The definition.
        path: Keys; for an element of a list, the keys and values that it has.
    """
    best, place = 1, definition.file
    paths = (path, ("extend", *path[1:])) if path[:1] == ("tables",) else (path,)
    for name, text in definition.sources:
        for one in paths:
            depth, line = line_of(text, *one)
            if depth >= max(best, 2):
                best, place = depth, f"{name}:{line}"
    return place


def line_of(text: str, *path: str | dict[str, str]) -> tuple[int, int]:
    """How many parts of a path there are in a file, and the line where the last of them begins."""
    node = yaml.compose(text, Loader=_Loader)
    depth = line = 0
    for part in path:
        found = _below(node, part)
        if found is None:
            break
        line, node = found
        depth += 1
    return depth, line


def _below(node: yaml.Node | None, part: str | dict[str, str]) -> tuple[int, yaml.Node] | None:
    if isinstance(part, str) and isinstance(node, yaml.MappingNode):
        return next(((key.start_mark.line + 1, value) for key, value in node.value if key.value == part), None)
    if isinstance(part, dict) and isinstance(node, yaml.SequenceNode):
        for item in node.value:
            if isinstance(item, yaml.MappingNode):
                given = {key.value: str(value.value) for key, value in item.value}
                if all(given.get(name, "").lower() == value.lower() for name, value in part.items()):
                    return item.start_mark.line + 1, item
    return None


def _wrong(node: yaml.Node, kind: object, place: str) -> Iterator[tuple[yaml.Node, str, str]]:
    """The innermost parts that cannot be what they should be: node, place and what is wrong."""
    kind = _inner(kind, node)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from _wrong_struct(node, kind, place)
    elif get_origin(kind) is dict and isinstance(node, yaml.MappingNode):
        key_kind, value_kind = get_args(kind)
        for key, value in node.value:
            inside = f"{place}.{key.value}" if place else key.value
            yield from _wrong_value(key, key_kind, inside)
            yield from _wrong(value, value_kind, inside)
    elif get_origin(kind) is tuple and isinstance(node, yaml.SequenceNode) and get_args(kind)[-1] is Ellipsis:
        for number, item in enumerate(node.value, 1):
            yield from _wrong(item, get_args(kind)[0], f"{place}[{number}]")
    else:
        yield from _wrong_value(node, kind, place)


def _inner(kind: object, node: yaml.Node) -> object:
    """Of several types, the one that a node of this form can have."""
    if get_origin(kind) not in (typing.Union, types.UnionType):
        return kind
    kinds = [one for one in get_args(kind) if one is not types.NoneType]
    if len(kinds) == 1 and node.tag != "tag:yaml.org,2002:null":
        return kinds[0]
    for one in kinds:
        structured = get_origin(one) in (dict, tuple) or (isinstance(one, type) and issubclass(one, msgspec.Struct))
        if structured and not isinstance(node, yaml.ScalarNode):
            return one
    return kind


def _wrong_struct(node: yaml.Node, kind: type[msgspec.Struct], place: str) -> Iterator[tuple[yaml.Node, str, str]]:
    if not isinstance(node, yaml.MappingNode):
        yield node, place, f"there must be keys and values here, such as {kind.__struct_fields__[0]}"
        return
    hints = typing.get_type_hints(kind)
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    given = set()
    for key, value in node.value:
        given.add(key.value)
        inside = f"{place}.{key.value}" if place else str(key.value)
        if key.value in fields:
            yield from _wrong(value, hints[fields[key.value].name], inside)
        else:
            yield key, inside, f"unknown key; {_guess(str(key.value), fields)}"
    for name, field in fields.items():
        if field.required and name not in given:
            yield node, place, f"the key {name} is missing"


def _wrong_value(node: yaml.Node, kind: object, place: str) -> Iterator[tuple[yaml.Node, str, str]]:
    value = _constructed(node)
    try:
        msgspec.convert(value, kind, strict=not isinstance(value, str) or kind is not int)
    except msgspec.ValidationError as error:
        listed = get_args(kind)
        if get_origin(kind) is Literal:
            guess = _guess(str(value), [str(one) for one in listed])
            yield node, place, f"{place.rpartition('.')[2]} cannot be {value!r}; {guess}"
        elif (
            isinstance(value, bool)
            and isinstance(node, yaml.ScalarNode)
            and node.value.lower() not in ("true", "false")
        ):
            yield node, place, f"YAML reads {node.value} as true or false here; put it into quotes"
        else:
            yield node, place, str(error)


def _constructed(node: yaml.Node) -> object:
    loader = yaml.SafeLoader("")
    return loader.construct_document(node)


def _guess(given: str, known: typing.Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(given, names, 1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
