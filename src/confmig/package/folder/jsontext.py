"""JSON shown over several lines, and put back on one, without a change of what stands in it.

Only blanks between tokens are added and removed: numbers, escapes and duplicate keys stay as they were written, which
they would not through a parser.
"""

import re

import msgspec

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_DEEPEST = 200


def is_json(text: str) -> bool:
    """Whether a text is an object or a list in JSON."""
    if text.lstrip()[:1] not in {"{", "["}:
        return False
    try:
        msgspec.json.decode(text.encode("utf-8", "surrogatepass"))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return True


def indent_json(text: str) -> str | None:
    """The text over several lines, or None when ``minify_json`` would not give it back just as it is."""
    pieces: list[str] = []
    depth = 0
    previous = ""
    for token in _TOKEN.findall(text):
        if token in {"}", "]"}:
            depth -= 1
            if previous not in {"{", "["}:
                pieces.append("\n" + "  " * depth)
        elif previous in {"{", "[", ","}:
            pieces.append("\n" + "  " * depth)
        elif previous == ":":
            pieces.append(" ")
        pieces.append(token)
        depth += token in {"{", "["}
        if depth > _DEEPEST:
            return None
        previous = token
    indented = "".join(pieces) + "\n"
    return indented if minify_json(indented) == text else None


def minify_json(text: str) -> str:
    """The text without the blanks between its tokens."""
    return "".join(_TOKEN.findall(text))
