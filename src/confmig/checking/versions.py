"""Whether both sides run the same versions: configuration written by another version may not be understood."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from confmig.checking.findings import Finding, Severity
from confmig.profiles.profile import Profile

_VERSION = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,10}){3}")
_SHOWN = 5


class VersionPolicy(StrEnum):
    """Which versions of a solution may differ.

    ``identical``: none. ``target-newer``: the target may be ahead of the source. ``any``: all, with a warning.
    """

    IDENTICAL = "identical"
    TARGET_NEWER = "target-newer"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Sides:
    """The solutions of both sides by unique name, with their versions, and what the sides are called in messages."""

    source: Mapping[str, str]
    target: Mapping[str, str]
    source_name: str
    target_name: str


def version_findings(
    sides: Sides, profiles: Iterable[Profile], named: Sequence[str], policy: VersionPolicy
) -> Iterator[Finding]:
    """Compare the versions of the named solutions and of the products' solutions.

    Args:
        sides: What is installed.
        profiles: The products that the tables to be moved belong to.
        named: Solutions that the user wants compared.
        policy: What may differ.
    """
    for name in dict.fromkeys(named):
        here, there = _names(sides, [name])
        if here or there:
            yield from _compare(sides, here, there, policy)
        else:
            message = f"Solution {name} is neither in {sides.source_name} nor in {sides.target_name}."
            hint = "Check the unique name given with --compare-solution."
            yield Finding("solution-missing", "", "", message, hint, _severity(policy))
    for profile in profiles:
        yield from _compare_product(sides, profile, named, policy)


def compared_solutions(sides: Sides, profiles: Iterable[Profile], named: Sequence[str]) -> list[str]:
    """Which solutions ``version_findings`` compares, with the versions of source and target."""
    pairs = [_names(sides, [name]) for name in named] + [_names(sides, profile.anchors) for profile in profiles]
    return [
        f"{here or there}: {sides.source.get(here, 'absent')} and {sides.target.get(there, 'absent')}"
        for here, there in dict.fromkeys(pairs)
        if here or there
    ]


def _compare_product(sides: Sides, profile: Profile, named: Sequence[str], policy: VersionPolicy) -> Iterator[Finding]:
    """Compare a product by its anchor, if that was not named anyhow, and warn of its other solutions that differ."""
    here, there = _names(sides, profile.anchors)
    if here or there:
        if here != there or here not in named:
            yield from _compare(sides, here, there, policy)
    elif profile.anchors and not named:
        yield Finding(
            "solution-missing",
            "",
            "",
            f"Neither side has a solution of {profile.name} ({' or '.join(profile.anchors)}), so their versions"
            " cannot be compared.",
            "Name the solutions that hold the tables with --compare-solution.",
            Severity.WARNING,
        )
    yield from _others(sides, profile, {*named, here, there})


def _names(sides: Sides, names: Sequence[str]) -> tuple[str, str]:
    """Which of a solution's possible names source and target have, the same one if they can; empty where it is not."""
    common = next((name for name in names if name in sides.source and name in sides.target), "")
    here = common or next((name for name in names if name in sides.source), "")
    there = common or next((name for name in names if name in sides.target), "")
    return here, there


def _compare(sides: Sides, here: str, there: str, policy: VersionPolicy) -> Iterator[Finding]:
    """Compare a solution that at least one side has."""
    if here and there:
        yield from _compare_versions(sides, here, there, policy)
        return
    if here:
        message = f"Solution {here} {sides.source[here]} is in {sides.source_name} but not in {sides.target_name}."
    else:
        message = f"Solution {there} {sides.target[there]} is in {sides.target_name} but not in {sides.source_name}."
    hint = "Install it there, or check the name."
    yield Finding("solution-missing", "", "", message, hint, _severity(policy))


def _compare_versions(sides: Sides, of_source: str, of_target: str, policy: VersionPolicy) -> Iterator[Finding]:
    first, second = sides.source[of_source], sides.target[of_target]
    if _may_differ(first, second, policy):
        return
    name = of_source if of_source == of_target else f"{of_source} / {of_target}"
    yield Finding(
        "versions-differ",
        "",
        "",
        f"Solution {name}: {sides.source_name} has version {first or '(none)'}, {sides.target_name} has"
        f" {second or '(none)'}.",
        "Bring both environments to the same version (updates are rolled out in stages; they may meet in some days),"
        " or decide on the difference with --versions.",
        _severity(policy),
    )


def _severity(policy: VersionPolicy) -> Severity:
    return Severity.WARNING if policy is VersionPolicy.ANY else Severity.ERROR


def _may_differ(source: str, target: str, policy: VersionPolicy) -> bool:
    """Whether a pair of versions is as the policy wants it; four integers each, compared as numbers.

    Nobody can tell which of two is newer when one is anything else, so they must be the same text then.
    """
    first, second = _parsed(source), _parsed(target)
    if first is None or second is None:
        return source == target
    return first == second or (policy is VersionPolicy.TARGET_NEWER and first < second)


def _parsed(version: str) -> tuple[int, ...] | None:
    text = version.strip()
    return tuple(map(int, text.split("."))) if _VERSION.fullmatch(text) else None


def _others(sides: Sides, profile: Profile, compared: set[str]) -> Iterator[Finding]:
    """One warning for all further solutions of a product that differ: its parts are updated one by one."""
    names = {name for name in (*sides.source, *sides.target) if name.startswith(profile.solutions)} - compared
    differing = [
        f"{name} {sides.source.get(name, 'absent')} and {sides.target.get(name, 'absent')}"
        for name in sorted(names)
        if not _may_differ(sides.source.get(name, "absent"), sides.target.get(name, "absent"), VersionPolicy.IDENTICAL)
    ]
    if differing:
        more = f" and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
        yield Finding(
            "versions-differ",
            "",
            "",
            f"Further solutions of {profile.name} differ between {sides.source_name} and {sides.target_name}:"
            f" {'; '.join(differing[:_SHOWN])}{more}.",
            "If it matters, bring both environments to the same version.",
            Severity.WARNING,
        )
