"""YAML as hostile input, read into nodes that keep their lines.

Every scalar is text: what type a value has is said by the schema, so nothing is guessed. Anchors, aliases, tags of
other programs, duplicate keys and deep nesting are refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from confmig.errors import PackageError

_LOADER = yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader
_DEEPEST = 8
_OTHER_BREAKS = re.compile("[\x85\u2028\u2029]")
_CONFLICT = re.compile("^(?:<{7} |>{7} )", re.MULTILINE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_COMMENT = re.compile(r"[ \t]+#")
_QUOTE = (
    "A text that has ': ' or ' #' in it, or begins with a sign such as [ { * & ! | > % @ \" ', stands in double quotes."
)
_LONGEST_REASON = 300
_MEND = "Mend the file at that line, or unpack the package again."


def looks_conflicted(text: str) -> bool:
    """Whether a text, in a file of its own, would be taken for a merge that nobody has decided."""
    return _CONFLICT.search(text) is not None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text; ``tag`` says how it is meant."""

    text: str
    line: int
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: list["Node"]
    line: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values, in their order; a key has a line of its own."""

    entries: dict[str, "Node"]
    line: int


Node = Scalar | Sequence | Mapping


class Place:
    """A file in messages.

    Args:
        name: How the file is called.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def error(self, line: int, reason: str, hint: str = _MEND) -> PackageError:
        """The file cannot be read, for that reason in that line; what it quotes of the file is shown in short."""
        shown = reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}…"
        return PackageError(f"{self.name}, line {line}: {shown}.", hint)

    def refuse_conflict(self, text: str) -> None:
        """Refuse a text in which two versions stand because a merge could not decide.

        Raises:
            PackageError: It is one.
        """
        if found := _CONFLICT.search(text):
            line = text.count("\n", 0, found.start()) + 1
            raise self.error(line, "a conflict of a merge stands here", "Decide for one of the two sides.")


def read_yaml(data: bytes, place: Place) -> Mapping:
    """Read a file that holds one mapping.

    Raises:
        PackageError: It is no YAML, or more than we write.
    """
    text = _decoded(data, place)
    try:
        return _read(text, place)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = f"this is no YAML: {error.problem or error.context}"
        raise place.error(mark.line + 1 if mark else 1, reason, _QUOTE) from error
    except yaml.YAMLError as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        reason = f"this is no YAML: {getattr(error, 'reason', error)}"
        raise place.error(line, reason) from error


def _decoded(data: bytes, place: Place) -> str:
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise place.error(line, f"this is no UTF-8: {error.reason}", "Save the file as UTF-8.") from error
    place.refuse_conflict(text)
    if found := _OTHER_BREAKS.search(text):
        line = text.count("\n", 0, found.start()) + 1
        escape = f"\\u{ord(found.group()):04x}"
        raise place.error(line, "readers of YAML break lines here in other ways", f"Write {escape} in double quotes.")
    return text


def _read(text: str, place: Place) -> Mapping:
    events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
    root = _Reader(events, place, text.split("\n") if _COMMENT.search(text) else []).document()
    if not isinstance(root, Mapping):
        raise place.error(root.line if root else 1, "a mapping is expected, such as id: …")
    return root


class _Reader:
    """Makes nodes of a parser's events; ``lines`` are those of a file that may have comments."""

    def __init__(self, events: Iterator[yaml.Event], place: Place, lines: list[str]) -> None:
        self._events = events
        self._place = place
        self._lines = lines

    def document(self) -> Node | None:
        """The one document of a file, or None when there is nothing in it."""
        root: Node | None = None
        for event in self._events:
            match event:
                case yaml.ScalarEvent() | yaml.CollectionStartEvent() | yaml.AliasEvent():
                    root = self._node(event, 0)
                case yaml.DocumentStartEvent() if root is not None:
                    raise self._place.error(_line(event), "a second document begins here")
                case _:
                    pass
        return root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if getattr(event, "anchor", None) is not None:
            raise self._place.error(_line(event), "anchors and aliases are not read", "Write the value out.")
        if depth > _DEEPEST:
            raise self._place.error(_line(event), "the file is nested too deeply")
        match event:
            case yaml.ScalarEvent():
                return self._scalar(event)
            case yaml.SequenceStartEvent():
                self._require_no_tag(event)
                return self._sequence(event, depth)
            case _:
                self._require_no_tag(event)
                return self._mapping(event, depth)

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        if _SURROGATE.search(event.value):
            raise self._place.error(_line(event), "half of a surrogate pair is no character")
        if self._lines and event.style in {None, ""}:
            self._require_no_comment(event)
        return Scalar(event.value, _line(event), event.tag or "")

    def _require_no_comment(self, event: yaml.ScalarEvent) -> None:
        """Refuse a comment behind a text without quotes: ``Offer #1`` is mostly meant as it stands."""
        end = event.end_mark
        if end is not None and end.line < len(self._lines) and _COMMENT.match(self._lines[end.line], end.column):
            raise self._place.error(
                end.line + 1,
                "a comment begins at the # in this line, and cuts the text off",
                "Write a text with ' #' in it in double quotes, and a comment on a line of its own.",
            )

    def _require_no_tag(self, event: yaml.Event) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise self._place.error(_line(event), f"the tag {tag} is unknown here")

    def _sequence(self, start: yaml.Event, depth: int) -> Sequence:
        items: list[Node] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event, depth + 1))
        return Sequence(items, _line(start))

    def _mapping(self, start: yaml.Event, depth: int) -> Mapping:
        entries: dict[str, Node] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar) or key.tag:
                raise self._place.error(key.line, "a key is to be a text")
            if key.text in entries:
                raise self._place.error(key.line, f"{key.text!r} stands here twice", "Leave one of the two.")
            entries[key.text] = self._node(next(self._events), depth + 1)
        return Mapping(entries, _line(start))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
