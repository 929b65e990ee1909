"""Long texts as lines that can be compared: JSON is indented, HTML and minified code broken where it means something.

Nothing is lost: two texts that differ have lines that differ.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from confmig.package.folder.jsontext import is_json, json_lines

Lines = list[str]

_LONGEST = 160
"""A line beyond that is broken."""
_CHUNK = 400
"""What has no place to be broken at is cut to pieces of this length."""
_MOST_INDENTED = 30
_PLACES = (
    re.compile(r"(?<=>)(?=<)"),  # between two tags
    re.compile(r"(?=<[a-zA-Z/!{])|(?<=[;{}])(?=\S)|(?<=%})"),  # before a tag; after a statement, a rule, a Liquid tag
    re.compile(r"(?<=[.;,!?>])(?=\s)"),  # after a sentence
)


def comparable_lines(first: str, second: str) -> tuple[Lines, Lines, str]:
    """Both texts as lines, and how they were made, for people; empty when the lines are those of the texts."""
    if first and second and (pair := _as_json(first, second)):
        return (*pair, "JSON, shown indented")
    if "\r\n" in first and "\r\n" in second and not _bare_line_end(first) and not _bare_line_end(second):
        first, second = first.replace("\r\n", "\n"), second.replace("\r\n", "\n")
    lines = first.split("\n"), second.split("\n")
    if max(map(len, lines[0] + lines[1])) <= _LONGEST:
        return (*_without_empty(*lines), "")
    broken = [_broken(item) for item in lines]
    ends = "; ↵ is where a line ends" if "\n" in first + second else ""
    return (*_without_empty(*broken), f"long lines are shown broken{ends}")


def _bare_line_end(text: str) -> bool:
    return re.search(r"(?<!\r)\n|\r(?!\n)", text) is not None


def _without_empty(first: Lines, second: Lines) -> tuple[Lines, Lines]:
    """A text without characters has no lines, unless the other one is a line without characters, too."""
    return ([] if first == [""] else first), ([] if second == [""] else second)


def _broken(lines: Lines) -> Lines:
    """The lines broken so that each has a readable length; real line ends are marked, so that none is lost."""
    ended = [line + "↵" for line in lines[:-1]] + lines[-1:]
    return [piece for line in ended for piece in _pieces(line, _PLACES)]


def _pieces(line: str, places: tuple[re.Pattern[str], ...]) -> Iterator[str]:
    if len(line) <= _LONGEST:
        yield line
    elif places:
        for piece in _split(line, places[0]):
            yield from _pieces(piece, places[1:])
    else:
        yield from (line[start : start + _CHUNK] for start in range(0, len(line), _CHUNK))


def _split(line: str, place: re.Pattern[str]) -> Iterator[str]:
    cuts = [0, *(match.start() for match in place.finditer(line)), len(line)]
    yield from (line[start:end] for start, end in pairwise(cuts) if start < end)


def _as_json(first: str, second: str) -> tuple[Lines, Lines] | None:
    """Both texts indented, when they are JSON and differ in more than their layout."""
    if not (is_json(first) and is_json(second)):
        return None
    left, right = _indented(first), _indented(second)
    return None if left == right else (left, right)


def _indented(text: str) -> Lines:
    """JSON with one member a line. Its tokens stay as they are: digits, escapes, the order of members."""
    lines = ["  " * min(depth, _MOST_INDENTED) + line for depth, line in json_lines(text)]
    return [piece for line in lines for piece in _pieces(line, _PLACES)]
