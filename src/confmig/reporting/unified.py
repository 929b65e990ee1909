"""A unified diff of two long texts, for people: three lines of context, cut where it gets long.

Characters that are not to be seen are made visible, since they may be all the difference there is.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from confmig.model.printable import visible
from confmig.reporting.linediff import Region, differing_regions, outer_region
from confmig.reporting.textlines import comparable_lines

_CONTEXT = 3
_LARGEST = 2 * 1024**2
"""Characters of a text beyond which its lines are not compared one by one."""
_SHOWN_LINES = 200
_SHOWN_RUN = 60
"""Lines that are shown of one addition or removal."""


@dataclass(frozen=True, slots=True)
class UnifiedDiff:
    """``lines`` begin as those of diff do, those with a backslash being remarks; ``more`` lines are left out."""

    lines: tuple[str, ...]
    more: int = 0


def unified_diff(before: str, after: str) -> UnifiedDiff:
    """What changes from one text to the other."""
    if max(len(before), len(after)) > _LARGEST:
        return UnifiedDiff((_remark(f"too long to be compared by lines: {_measure(before)} → {_measure(after)}"),))
    first, second, made = comparable_lines(before, after)
    regions = differing_regions(first, second)
    remarks = [_remark(made)] if made else []
    if regions is None:
        regions = [outer_region(first, second)]
        remarks.append(_remark(f"too different to be compared by lines: {_measure(before)} → {_measure(after)}"))
    if not regions and before != after:
        remarks.append(_remark(f"they look alike here: {_measure(before)} → {_measure(after)}"))
    lines = [*remarks, *_hunks(first, second, regions)]
    return UnifiedDiff(tuple(map(visible, lines[:_SHOWN_LINES])), max(0, len(lines) - _SHOWN_LINES))


def _remark(text: str) -> str:
    return f"\\ {text}"


def _measure(text: str) -> str:
    """What tells a text that is not shown from others."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{len(text):,} characters, SHA-256 {digest[:16]}…"


def _hunks(first: Sequence[str], second: Sequence[str], regions: Sequence[Region]) -> Iterator[str]:
    for hunk in _grouped(regions):
        head, tail = hunk[0], hunk[-1]
        before = min(_CONTEXT, head.start)
        behind = min(_CONTEXT, len(first) - tail.end)
        yield (
            f"@@ -{_range(head.start - before, tail.end + behind)}"
            f" +{_range(head.other_start - before, tail.other_end + behind)} @@"
        )
        at = head.start - before
        for region in hunk:
            yield from (f" {line}" for line in first[at : region.start])
            yield from _run("-", first[region.start : region.end])
            yield from _run("+", second[region.other_start : region.other_end])
            at = region.end
        yield from (f" {line}" for line in first[at : at + behind])


def _grouped(regions: Sequence[Region]) -> Iterator[list[Region]]:
    """The regions that share their context."""
    hunk: list[Region] = []
    for region in regions:
        if hunk and region.start - hunk[-1].end > 2 * _CONTEXT:
            yield hunk
            hunk = []
        hunk.append(region)
    if hunk:
        yield hunk


def _range(start: int, end: int) -> str:
    """Lines as a hunk's header counts them: from 1, and a range without lines by the line before it."""
    return f"{start + 1 if end > start else start},{end - start}"


def _run(sign: str, lines: Sequence[str]) -> Iterator[str]:
    yield from (sign + line for line in lines[:_SHOWN_RUN])
    if len(lines) > _SHOWN_RUN:
        yield _remark(f"{len(lines) - _SHOWN_RUN:,} more lines with {sign}")
