"""Versions of solutions: which may differ, and what is said about those that do."""

from collections.abc import Sequence

import pytest

from confmig.checking.findings import Finding, Severity
from confmig.checking.versions import Sides, VersionPolicy, version_findings
from confmig.profiles.profile import Profile

ANY, IDENTICAL, NEWER = VersionPolicy.ANY, VersionPolicy.IDENTICAL, VersionPolicy.TARGET_NEWER
PRODUCT = Profile("Product", ("prod_",), anchors=("ProductNew", "ProductOld"), solutions=("Product", "Part_"))


def compare(
    source: dict[str, str],
    target: dict[str, str],
    *named: str,
    policy: VersionPolicy = IDENTICAL,
    profiles: Sequence[Profile] = (),
) -> list[Finding]:
    return list(version_findings(Sides(source, target, "the source", "the target"), profiles, named, policy))


def weights(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.severity.value, finding.rule) for finding in findings]


@pytest.mark.parametrize(
    ("source", "target", "allowed_by"),
    [
        ("1.2.3.4", "1.2.3.4", {IDENTICAL, NEWER}),
        ("1.2.3.4", " 1.2.3.4 ", {IDENTICAL, NEWER}),
        ("1.02.3.4", "1.2.3.04", {IDENTICAL, NEWER}),
        ("1.2.3.9", "1.2.3.10", {NEWER}),
        ("1.1.65002.146", "1.2.437.94", {NEWER}),
        ("9.0.0.0", "10.0.0.0", {NEWER}),
        ("1.2.3.10", "1.2.3.9", set()),
        ("10.0.0.0", "9.9.9.9", set()),
        ("1.2", "1.2", {IDENTICAL, NEWER}),
        ("1.2", "1.2.0.0", set()),
        ("1.2", "1.3", set()),
        ("", "", {IDENTICAL, NEWER}),
        ("", "1.2.3.4", set()),
        ("1.2.3.4", "", set()),
        ("1.2.3.4-beta", "1.2.3.5", set()),
        ("1.2.3.4.5", "1.2.3.4.6", set()),
        ("1.2.-3.4", "1.2.3.4", set()),
    ],
)
def test_which_versions_may_differ(source: str, target: str, allowed_by: set[VersionPolicy]) -> None:
    for policy in (IDENTICAL, NEWER):
        findings = compare({"Core": source}, {"Core": target}, "Core", policy=policy)
        assert weights(findings) == ([] if policy in allowed_by else [("error", "versions-differ")]), policy
    told = compare({"Core": source}, {"Core": target}, "Core", policy=ANY)
    assert weights(told) == ([] if IDENTICAL in allowed_by else [("warning", "versions-differ")])


def test_a_difference_names_the_solution_both_sides_and_both_versions() -> None:
    (finding,) = compare({"Core": "1.0.0.9"}, {"Core": "1.0.0.10"}, "Core")
    assert finding.message == "Solution Core: the source has version 1.0.0.9, the target has 1.0.0.10."
    assert "--versions" in finding.hint
    (finding,) = compare({"Core": ""}, {"Core": "1.0.0.10"}, "Core")
    assert "the source has version (none)" in finding.message


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ({"Core": "1.0.0.0"}, {}, "Solution Core 1.0.0.0 is in the source but not in the target."),
        ({}, {"Core": "1.0.0.0"}, "Solution Core 1.0.0.0 is in the target but not in the source."),
        ({}, {}, "Solution Core is neither in the source nor in the target."),
    ],
)
def test_a_named_solution_that_is_absent(source: dict[str, str], target: dict[str, str], message: str) -> None:
    for policy in VersionPolicy:
        (finding,) = compare(source, target, "Core", "Core", policy=policy)
        assert (finding.rule, finding.message) == ("solution-missing", message)
        assert finding.severity is (Severity.WARNING if policy is ANY else Severity.ERROR)


def test_the_anchor_is_found_under_either_name() -> None:
    old, new = {"ProductOld": "1.0.0.1"}, {"ProductNew": "1.0.0.2"}
    (finding,) = compare(old, new, profiles=[PRODUCT])
    assert (finding.rule, finding.severity) == ("versions-differ", Severity.ERROR)
    assert finding.message.startswith("Solution ProductOld / ProductNew: the source has version 1.0.0.1")
    assert compare(old, {"ProductNew": "1.0.0.1"}, profiles=[PRODUCT]) == []


def test_where_a_side_has_both_anchors_the_common_one_counts() -> None:
    both = {"ProductOld": "1.0.0.1", "ProductNew": "2.0.0.1"}
    findings = compare(both, {"ProductOld": "1.0.0.1"}, profiles=[PRODUCT])
    assert weights(findings) == [("warning", "versions-differ")]
    assert "ProductNew 2.0.0.1 and absent" in findings[0].message
    findings = compare(both, both | {"ProductOld": "1.0.0.2"}, profiles=[PRODUCT])
    assert weights(findings) == [("warning", "versions-differ")]
    assert "ProductOld 1.0.0.1 and 1.0.0.2" in findings[0].message


def test_an_anchor_on_one_side_only_is_an_error() -> None:
    for source, target in (({"ProductOld": "1.0.0.1"}, {}), ({}, {"ProductNew": "1.0.0.1"})):
        assert weights(compare(source, target, profiles=[PRODUCT])) == [("error", "solution-missing")]


def test_a_product_without_its_anchor_is_told_unless_other_solutions_are_compared() -> None:
    (finding,) = compare({}, {}, profiles=[PRODUCT])
    assert (finding.rule, finding.severity) == ("solution-missing", Severity.WARNING)
    assert "Product (ProductNew or ProductOld)" in finding.message
    assert compare({"Core": "1.0.0.0"}, {"Core": "1.0.0.0"}, "Core", profiles=[PRODUCT]) == []
    assert compare({}, {}, profiles=[Profile("Without anchors", ("x_",))]) == []


def test_an_anchor_that_is_named_too_is_compared_once() -> None:
    findings = compare({"ProductNew": "1.0.0.1"}, {"ProductNew": "1.0.0.2"}, "ProductNew", profiles=[PRODUCT])
    assert weights(findings) == [("error", "versions-differ")]


def test_the_other_solutions_of_a_product_are_one_warning_whatever_the_policy() -> None:
    source = {"ProductNew": "1.0.0.0", **{f"Part_{number}": "1.0.0.1" for number in range(8)}, "Other": "1.0.0.0"}
    target = {"ProductNew": "1.0.0.0", **{f"Part_{number}": "1.0.0.2" for number in range(7)}, "Other": "2.0.0.0"}
    for policy in VersionPolicy:
        (finding,) = compare(source, target, profiles=[PRODUCT], policy=policy)
        assert finding.severity is Severity.WARNING
        assert "Part_0 1.0.0.1 and 1.0.0.2" in finding.message
        assert "Other" not in finding.message
        assert finding.message.endswith(" and 3 more.")


def test_a_named_part_of_a_product_is_no_longer_among_the_others() -> None:
    source = {"ProductNew": "1.0.0.0", "Part_1": "1.0.0.1"}
    target = {"ProductNew": "1.0.0.0", "Part_1": "1.0.0.2"}
    assert weights(compare(source, target, "Part_1", profiles=[PRODUCT])) == [("error", "versions-differ")]
