"""JSON shown over several lines, and put back on one, without a change of what stands in it.

Only blanks between tokens are added and removed: numbers, escapes and duplicate keys stay as they were written, which
they would not through a parser.
"""

import re
from collections.abc import Iterator

import msgspec

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_DEEPEST = 200
_LAYOUTS: dict[str, dict[str, str]] = {"!json": {}, "!json-spaced": {",": ", ", ":": ": "}}
"""How JSON stood on one line, by the tag that tells it: without blanks, or with one behind each comma and colon."""

JSON_TAGS = frozenset(_LAYOUTS)


def is_json(text: str) -> bool:
    """Whether a text is an object or a list in JSON."""
    if text.lstrip()[:1] not in {"{", "["}:
        return False
    try:
        msgspec.json.decode(text.encode("utf-8", "surrogatepass"))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return True


def indent_json(text: str) -> tuple[str, str] | None:
    """The tag and the lines from which ``flatten_json`` gives back just this text; None where no tag does."""
    lines = list(json_lines(text))
    if max(depth for depth, _ in lines) > _DEEPEST:
        return None
    indented = "".join("  " * depth + line + "\n" for depth, line in lines)
    return next(((tag, indented) for tag in _LAYOUTS if flatten_json(tag, indented) == text), None)


def flatten_json(tag: str, text: str) -> str:
    """The text on one line, in the layout of the tag."""
    blanks = _LAYOUTS[tag]
    return "".join([blanks.get(token, token) for token in _TOKEN.findall(text)])


def json_lines(text: str) -> Iterator[tuple[int, str]]:
    """JSON with one member a line: how deep a line stands, and its tokens."""
    line, at, depth, previous = "", 0, 0, ""
    for token in _TOKEN.findall(text):
        opened = previous in {"{", "["}
        closes = token in {"}", "]"}
        depth -= closes
        if previous == "," or opened != closes:
            yield at, line
            line, at = "", depth
        elif previous == ":":
            line += " "
        line += token
        depth += token in {"{", "["}
        previous = token
    yield at, line
