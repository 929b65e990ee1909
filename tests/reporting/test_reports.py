"""Reports: row text is data in every form, private columns are hashes, long texts show where they differ."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from confmig.errors import ExitCode, UsageError
from confmig.model.values import Choices, Lookup
from confmig.reporting.html import render_html
from confmig.reporting.json import render_json
from confmig.reporting.markdown import render_markdown
from confmig.reporting.report import Report, Section
from confmig.reporting.text import render_text
from confmig.reporting.values import shorten, show_change, show_value
from confmig.reporting.write import require_report_paths, write_reports

HOSTILE = "<script>alert(1)</script> [link](http://x) | `code` ${{ github.token }} \x1b[31m ::set-output::"


def report(rows: int = 1) -> Report:
    return Report(
        "plan",
        ExitCode.DONE,
        f"To be done: {HOSTILE}",
        {"created": 3, "has_changes": True, "refusals": [HOSTILE]},
        [Section(f"Changes {HOSTILE}", ("table", "row", "count"), [("t", HOSTILE, n) for n in range(rows)], more=2)],
    )


def test_html_holds_row_text_as_text() -> None:
    page = render_html(report())
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "default-src 'none'" in page
    assert not re.search(r'(?:src|href)="https?:', page)
    assert "… and 2 more" in page
    assert '<td class="number">0</td>' in page


def test_html_shows_whole_sentences_below_their_row_and_none_where_there_is_none() -> None:
    section = Section(
        "Rows", ("table", "rows", "before", "after"), [("account", 3, HOSTILE, ""), ("lead", 4, "a", "a")]
    )
    page = render_html(replace(report(), sections=[replace(section, sentences=2)]))
    assert '<th scope="col">table</th><th scope="col" class="number">rows</th></tr>' in page
    assert '<td colspan="2"><dl><dt>before</dt><dd>a</dd><dt>after</dt><dd>a</dd></dl></td>' in page
    assert page.count("<dt>after</dt>") == 1
    assert "<script>" not in page


def test_markdown_holds_row_text_as_text() -> None:
    text = render_markdown(report()).replace("<!-- -->", "")
    assert not re.search(r"(?<!\\)[<`\[|]", text.replace("| ", "").replace(" |", "").replace("|---|", ""))
    assert "\x1b" not in text
    assert "\\$\\{\\{" in text


@pytest.mark.parametrize(
    "address", ["https://evil.example/x", "HTTP://evil.example", "www.evil.example", "ftp://e.org", "mailto:a@b.org"]
)
def test_markdown_makes_no_link_of_an_address(address: str) -> None:
    section = Section("Rows", ("name",), [(f"see {address}",)])
    text = render_markdown(replace(report(), sections=[section]))
    assert address not in text
    assert "<!-- -->" in text.splitlines()[-1]


def test_text_steers_no_terminal_and_is_cut_for_a_log() -> None:
    text = render_text(report(rows=100))
    assert "\x1b" not in text
    assert "… and 62 more" in text
    assert text.rstrip().splitlines()[-1] == "  has changes: True"


def test_json_says_everything_as_data() -> None:
    document = json.loads(render_json(report(rows=100)))
    assert document["exit_code"] == 0
    assert document["facts"]["refusals"] == [HOSTILE]
    assert len(document["sections"][0]["rows"]) == 100
    assert document["sections"][0]["rows"][0][1] == HOSTILE


def test_a_report_is_written_in_the_form_of_its_suffix(tmp_path: Path) -> None:
    paths = [tmp_path / "deep" / f"report{suffix}" for suffix in (".html", ".md", ".json", ".txt")]
    require_report_paths(paths)
    write_reports(report(), paths)
    starts = [path.read_text()[:9] for path in paths]
    assert starts == ["<!doctype", "## confmi", '{\n  "comm', "Changes <"]
    with pytest.raises(UsageError, match=r"\.pdf"):
        require_report_paths([tmp_path / "a.pdf"])


@pytest.mark.parametrize("column", ["emailaddress1", "mobilephone", "new_apikey", "password", "msdynmkt_fromemail"])
def test_private_columns_are_shown_as_hashes(column: str) -> None:
    shown = show_value(column, "ana@contoso.com")
    assert re.fullmatch("hash [0-9a-f]{12}", shown)
    assert shown != show_value(column, "ben@contoso.com")
    assert "contoso" not in show_change(column, "a" * 80 + "contoso", "a" * 80 + "fabrikam")


def test_values_are_shown_in_a_few_words() -> None:
    assert show_value("x", None) == "—"
    assert show_value("x", Lookup("account", "1", "Contoso")) == "Contoso (1)"
    assert show_value("x", Choices((1, 2))) == "1, 2"
    assert shorten("a\r\n\tb\x1b[0m") == "a b [0m"
    assert len(shorten("x" * 500)) == 60


def test_two_long_texts_are_shown_from_where_they_differ() -> None:
    shown = show_change("msdynmkt_emailbody", "<p>" + "a" * 200 + "old", "<p>" + "a" * 200 + "new")
    assert shown == f"…{'a' * 15}old → …{'a' * 15}new"
    assert show_change("name", "Apple", "Apple, red") == "Apple → Apple, red"
