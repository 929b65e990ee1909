"""Two questions about what needs what, without recursion: what runs in circles, and what is the longest way down."""

from collections.abc import Collection, Iterable, Mapping

Needs = Mapping[str, Collection[str]]
"""Name to the names that it needs first."""


def circles(names: Iterable[str], needs: Needs) -> list[set[str]]:
    """The groups of several names that need each other, in whatever roundabout way (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    groups: list[set[str]] = []
    for root in names:
        if root in index:
            continue
        work = [(root, iter(needs.get(root, ())))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            name, rest = work[-1]
            needed = next(rest, None)
            if needed is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    group = _take_group(stack, on_stack, name)
                    if len(group) > 1:
                        groups.append(group)
            elif needed not in index:
                index[needed] = low[needed] = len(index)
                stack.append(needed)
                on_stack.add(needed)
                work.append((needed, iter(needs.get(needed, ()))))
            elif needed in on_stack:
                low[name] = min(low[name], index[needed])
    return groups


def _take_group(stack: list[str], on_stack: set[str], last: str) -> set[str]:
    group: set[str] = set()
    while last not in group:
        name = stack.pop()
        on_stack.discard(name)
        group.add(name)
    return group


def heights(names: Iterable[str], needs: Needs) -> dict[str, int]:
    """The length of the longest chain of needs below each name; there must be no circles."""
    found: dict[str, int] = {}
    pending = list(names)
    while pending:
        name = pending[-1]
        missing = [needed for needed in needs.get(name, ()) if needed not in found]
        if missing:
            pending.extend(missing)
            continue
        found.setdefault(name, 1 + max((found[needed] for needed in needs.get(name, ())), default=-1))
        pending.pop()
    return found
