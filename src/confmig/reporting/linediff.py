"""Two lists of lines, and where they differ: Myers' algorithm with a bound on its work.

difflib's is quadratic and worse on texts that somebody made for that; here the work grows with the number of lines that
differ, and beyond the bound there is no answer but that the texts are too different.
E. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WORK = 500_000
"""Steps that one comparison may take; some tenths of a second."""


@dataclass(frozen=True, slots=True)
class Region:
    """Lines ``start`` to ``end`` of the first list, and of the second, that stand in each other's place."""

    start: int
    end: int
    other_start: int
    other_end: int


def differing_regions(first: Sequence[str], second: Sequence[str], work: int = WORK) -> list[Region] | None:
    """Where two lists differ, in order; None when that would take more than ``work`` steps."""
    begin, end = _common_ends(first, second)
    numbers: dict[str, int] = {}
    left = [numbers.setdefault(line, len(numbers)) for line in first[begin : len(first) - end]]
    right = [numbers.setdefault(line, len(numbers)) for line in second[begin : len(second) - end]]
    if not left or not right:
        kept: tuple[bytearray, bytearray] | None = bytearray(len(left)), bytearray(len(right))
    else:
        kept = _kept_lines(left, right, work)
    return None if kept is None else list(_regions(*kept, begin))


def outer_region(first: Sequence[str], second: Sequence[str]) -> Region:
    """The one region without the lines that both lists begin and end with."""
    begin, end = _common_ends(first, second)
    return Region(begin, len(first) - end, begin, len(second) - end)


def _common_ends(first: Sequence[str], second: Sequence[str]) -> tuple[int, int]:
    shorter = min(len(first), len(second))
    begin = 0
    while begin < shorter and first[begin] == second[begin]:
        begin += 1
    end = 0
    while end < shorter - begin and first[-1 - end] == second[-1 - end]:
        end += 1
    return begin, end


def _kept_lines(left: list[int], right: list[int], work: int) -> tuple[bytearray, bytearray] | None:
    """Which lines of both lists are common to them: a 1 for each."""
    trace = _trace(left, right, work)
    if trace is None:
        return None
    kept = bytearray(len(left)), bytearray(len(right))
    x, y = len(left), len(right)
    for edits in range(len(trace) - 1, -1, -1):
        reached = trace[edits]
        diagonal = x - y
        down = diagonal == -edits or (diagonal != edits and reached[edits + diagonal] < reached[edits + diagonal + 2])
        came_x = reached[edits + diagonal + (2 if down else 0)]
        came_y = came_x - (diagonal + (1 if down else -1))
        while x > max(came_x, 0) and y > max(came_y, 0):
            x, y = x - 1, y - 1
            kept[0][x] = kept[1][y] = 1
        x, y = came_x, came_y
    return kept


def _trace(left: list[int], right: list[int], work: int) -> "list[array[int]] | None":
    """For each number of edits how far each diagonal was reached before it, from diagonal -edits-1 to edits+1."""
    reached = {1: 0}
    trace: list[array[int]] = []
    for edits in range(len(left) + len(right) + 1):
        trace.append(array("q", (reached.get(diagonal, -1) for diagonal in range(-edits - 1, edits + 2))))
        for diagonal in range(-edits, edits + 1, 2):
            down = diagonal == -edits or (
                diagonal != edits and reached.get(diagonal - 1, -1) < reached.get(diagonal + 1, -1)
            )
            start = x = reached[diagonal + 1] if down else reached[diagonal - 1] + 1
            while x < len(left) and 0 <= x - diagonal < len(right) and left[x] == right[x - diagonal]:
                x += 1
            reached[diagonal] = x
            if x >= len(left) and x - diagonal >= len(right):
                return trace
            work -= 1 + x - start
        if work < 0:
            return None
    return trace


def _regions(left: bytearray, right: bytearray, offset: int) -> Iterator[Region]:
    x = y = 0
    while x < len(left) or y < len(right):
        start, other_start = x, y
        while x < len(left) and not left[x]:
            x += 1
        while y < len(right) and not right[y]:
            y += 1
        if (x, y) != (start, other_start):
            yield Region(start + offset, x + offset, other_start + offset, y + offset)
        while x < len(left) and y < len(right) and left[x] and right[y]:
            x, y = x + 1, y + 1
