"""Long texts as unified diffs: readable, complete, bounded, and without anything that steers a reader's screen."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confmig.reporting.linediff import differing_regions, outer_region
from confmig.reporting.textlines import comparable_lines
from confmig.reporting.unified import unified_diff

_LINES = st.lists(st.sampled_from("abcd"), max_size=12)


@settings(deadline=None, max_examples=500)
@given(_LINES, _LINES)
def test_the_first_list_with_its_regions_replaced_is_the_second(first: list[str], second: list[str]) -> None:
    regions = differing_regions(first, second)
    assert regions is not None
    rebuilt, at = [], 0
    for region in regions:
        rebuilt += first[at : region.start] + second[region.other_start : region.other_end]
        at = region.end
    assert rebuilt + first[at:] == second
    assert bool(regions) == (first != second)


def test_few_lines_are_told_where_few_lines_differ() -> None:
    first = [str(number) for number in range(20_000)]
    second = [*first[:10], "new", *first[11:15_000], *first[15_001:]]
    regions = differing_regions(first, second)
    assert regions is not None
    assert [(region.start, region.end) for region in regions] == [(10, 11), (15_000, 15_001)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a\nb\n" * 250_000, "b\nc\n" * 250_000),
        ("\n".join(map(str, range(100_000))), "\n".join(map(str, range(100_000, 0, -1)))),
        ("<" * 1_500_000, "<" * 1_500_000 + ">"),
        ("[" * 100_000, "[" * 100_001),
        ("x" * 10_000_000, "y" * 10_000_000),
    ],
)
def test_texts_made_to_be_slow_end_soon(first: str, second: str) -> None:
    start = time.process_time()
    diff = unified_diff(first, second)
    assert time.process_time() - start < 20
    assert 0 < len(diff.lines) <= 200
    assert sum(map(len, diff.lines)) < 100_000


def test_what_is_too_different_is_told_by_size_and_digest_and_by_its_first_lines() -> None:
    first, second = ["a", "b"] * 50_000, ["c", "d"] * 50_000
    assert differing_regions(first, second) is None
    assert outer_region(["x", *first], ["x", *second]).start == 1
    diff = unified_diff("\n".join(first), "\n".join(second))
    assert diff.lines[0].startswith("\\ too different to be compared by lines: 199,999 characters, SHA-256 ")
    assert "\\ 99,940 more lines with -" in diff.lines
    assert "+c" in diff.lines


@settings(deadline=None, max_examples=300)
@given(*[st.text(st.sampled_from("ab \n\r<>{};,.\t\x00\u202e\u00a0" + '"[]:1'), max_size=600)] * 2)
def test_texts_that_differ_have_a_diff_that_says_so(first: str, second: str) -> None:
    diff = unified_diff(first, second)
    assert bool(diff.lines and any(line[0] in "+-\\" for line in diff.lines)) or first == second
    assert all(line.isprintable() for line in diff.lines)


def test_three_lines_of_context_stand_around_a_change_with_their_numbers() -> None:
    lines = [f"line {number}" for number in range(1, 21)]
    changed = [*lines[:9], "other", *lines[10:]]
    assert unified_diff("\n".join(lines), "\n".join(changed)).lines == (
        "@@ -7,7 +7,7 @@",
        *(" line 7", " line 8", " line 9", "-line 10", "+other", " line 11", " line 12", " line 13"),
    )


def test_changes_far_apart_are_hunks_of_their_own() -> None:
    lines = [str(number) for number in range(40)]
    diff = unified_diff("\n".join(lines), "\n".join(["new", *lines[1:39]]))
    assert [line for line in diff.lines if line.startswith("@@")] == ["@@ -1,4 +1,4 @@", "@@ -37,4 +37,3 @@"]


def test_json_is_compared_member_by_member() -> None:
    first = json.dumps({"name": "Welcome", "steps": [{"wait": 1}, {"mail": "a"}], "empty": {}, "n": 1.50})
    diff = unified_diff(first, first.replace('"wait": 1', '"wait": 2'))
    assert diff.lines[0] == "\\ JSON, shown indented"
    assert [line for line in diff.lines if line[0] in "+-"] == ['-      "wait": 1', '+      "wait": 2']


@pytest.mark.parametrize(("first", "second"), [("1.50", "1.5"), ('"\\u0061"', '"a"'), ("1e2", "100.0")])
def test_json_that_means_the_same_and_stands_otherwise_differs(first: str, second: str) -> None:
    diff = unified_diff(f'{{"a": {first}}}', f'{{"a": {second}}}')
    assert [line for line in diff.lines if line[0] in "+-"] == [f'-  "a": {first}', f'+  "a": {second}']


def test_json_of_another_layout_is_compared_as_it_stands() -> None:
    assert unified_diff('{"a": 1}', '{"a":1}').lines == ("@@ -1,1 +1,1 @@", '-{"a": 1}', '+{"a":1}')


def test_html_on_one_line_is_broken_at_its_tags() -> None:
    page = "<html><body>" + "".join(f"<p>Paragraph number {n} of a mail</p>" for n in range(40)) + "</body></html>"
    diff = unified_diff(page, page.replace("number 20", "number twenty"))
    assert [line for line in diff.lines if line[0] in "+-"] == [
        "-<p>Paragraph number 20 of a mail</p>",
        "+<p>Paragraph number twenty of a mail</p>",
    ]
    assert len(diff.lines) < 12


def test_minified_code_is_broken_at_its_statements() -> None:
    code = "".join(f"function f{n}(a){{return a+{n};}}" for n in range(60))
    diff = unified_diff(code, code.replace("a+30;", "a-30;"))
    assert [line for line in diff.lines if line[0] in "+-"] == ["-return a+30;", "+return a-30;"]


def test_prose_is_broken_at_its_sentences() -> None:
    prose = " ".join(f"This is sentence number {n}." for n in range(60))
    diff = unified_diff(prose, prose.replace("number 30.", "number thirty."))
    assert [line for line in diff.lines if line[0] in "+-"] == [
        "- This is sentence number 30.",
        "+ This is sentence number thirty.",
    ]


def test_what_is_not_to_be_seen_is_made_visible() -> None:
    assert unified_diff("a\u202eb\nc", "ab\nc").lines[1:3] == ("-a<U+202E>b", "+ab")
    assert unified_diff("a\tb", "a b").lines[1:] == ("-a␉b", "+a b")
    assert unified_diff("a\x1b[31m", "a").lines[1:] == ("-a␛[31m", "+a")
    assert unified_diff("a\r\nb", "a\nb").lines[1:] == ("-a␍", "+a", " b")
    assert unified_diff("a\r\nb", "a\r\nc").lines[1:] == (" a", "-b", "+c")


def test_lines_that_are_broken_keep_the_real_ends_of_lines() -> None:
    long = "<p>" + "word " * 50 + "</p>"
    first, second, made = comparable_lines(f"{long}\n<b>", f"{long}<b>")
    assert first != second
    assert "↵" in made
    assert "".join(second) == f"{long}<b>"
