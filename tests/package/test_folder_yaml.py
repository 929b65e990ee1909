"""Every text survives the YAML of the folder form, whichever reader of YAML reads it."""

from contextlib import suppress

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from confmig.errors import PackageError
from confmig.package.folder.yamlread import Mapping, Place, Scalar, Sequence, read_yaml
from confmig.package.folder.yamltext import entry, flow_mapping, scalar, text_value

from .strategies import texts

_PLACE = Place("file.yml")
_LOADERS = [yaml.BaseLoader, yaml.CBaseLoader]
_LINES = st.lists(
    st.one_of(
        texts, st.sampled_from(["", " ", "\t", "  x", "# no", "- a", "---", "...", "key: value", "a #b", "'", '"'])
    ),
    max_size=6,
)
_BREAKS = st.sampled_from(["\n", "\r\n", "\n\n", "\r", "\n\r"])
_DOCUMENTS = st.tuples(_LINES, _BREAKS, st.sampled_from(["", "\n", "\n\n", "\r\n"])).map(
    lambda parts: parts[1].join(parts[0]) + parts[2]
)
_WORDS = st.sampled_from(
    [
        "",
        "null",
        "~",
        "yes",
        "No",
        "true",
        "1",
        "007",
        "1.0",
        "1e3",
        "0x1f",
        "2024-01-01",
        ".inf",
        "=",
        "<<",
        "-",
        "?",
        "!x",
    ]
)
_ALL = st.one_of(texts, _DOCUMENTS, _WORDS)


def _decoded(node: object) -> str:
    assert isinstance(node, Scalar)
    return node.text.replace("\n", "\r\n") if node.tag == "!crlf" else node.text


@settings(max_examples=400)
@given(_ALL, texts.filter(bool))
def test_a_text_is_read_as_it_was_written(text: str, key: str) -> None:
    written = (
        entry(key, text_value(text)) + entry("next!", "1") + "list:\n" + f"  - {text_value(text, '  ')}\n  - inner:\n"
        f"    {entry('deep', text_value(text, '      '), '      ').lstrip(' ')}"
    )
    if key in {"next!", "list"}:
        return
    root = read_yaml(written.encode(), _PLACE)
    assert list(root.entries) == [key, "next!", "list"]
    assert _decoded(root.entries[key]) == text
    items = root.entries["list"]
    assert isinstance(items, Sequence)
    assert _decoded(items.items[0]) == text


@settings(max_examples=300)
@given(_ALL, _ALL)
@pytest.mark.parametrize("loader", _LOADERS)
def test_other_readers_of_yaml_read_the_same(loader: type[yaml.BaseLoader], text: str, key: str) -> None:
    written = entry(key, scalar(text)) + entry(f"{key} ", flow_mapping([(key, scalar(text, flow=True)), ("$x", "1")]))
    assert yaml.load(written, Loader=loader) == {key: text, f"{key} ": {key: text, "$x": "1"}}  # noqa: S506


@given(_ALL)
@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
def test_a_reader_that_guesses_types_takes_every_text_for_a_text(loader: type[yaml.SafeLoader], text: str) -> None:
    assert yaml.load(entry("key", scalar(text)), Loader=loader) == {"key": text}  # noqa: S506
    if "!crlf" not in text_value(text):
        assert yaml.load(entry("key", text_value(text)), Loader=loader) == {"key": text}  # noqa: S506


@given(_ALL)
def test_a_text_without_line_breaks_stands_on_one_line_and_misleads_nobody(text: str) -> None:
    line = scalar(text)
    assert "\n" not in line
    assert not set(line) & set("\u202e\u2066\u200b\xa0\ufeff\x85\u2028\x00")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Contoso", "Contoso"),
        ("Contoso & Söhne, Zürich", "Contoso & Söhne, Zürich"),
        ("it's", "it's"),
        ("https://contoso.com/a?b=c#d", "https://contoso.com/a?b=c#d"),
        ("a: b", '"a: b"'),
        ("no", '"no"'),
        ("007", '"007"'),
        ("", '""'),
        (' "x" ', "' \"x\" '"),
        ("\t", '"\\t"'),
        ("a\u202eb", '"a\\u202eb"'),
        ("😀", "😀"),
    ],
)
def test_a_text_is_written_as_plainly_as_can_be(text: str, written: str) -> None:
    assert scalar(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("one\ntwo", "|-\n  one\n  two"),
        ("one\ntwo\n", "|\n  one\n  two"),
        ("one\n\ntwo\n\n", "|+\n  one\n\n  two\n"),
        ("  one\ntwo", "|2-\n    one\n  two"),
        ("one\r\ntwo", "!crlf |-\n  one\n  two"),
        ("one\rtwo\n", '"one\\rtwo\\n"'),
        ("\n", '"\\n"'),
    ],
)
def test_several_lines_are_a_block(text: str, written: str) -> None:
    assert text_value(text) == written


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (b"a: &x 1\nb: *x\n", 1, "anchors and aliases"),
        (b"a: 1\nb: *x\n", 2, "anchors and aliases"),
        (b"a: 1\nb: 2\na: 3\n", 3, "twice"),
        (b"a: 1\nb: \xff\n", 2, "no UTF-8"),
        (b"a: 1\n\nb: x\x01y\n", 3, "control characters|not allowed"),
        (b"a: 1\nb: \xe2\x80\xa8\n", 2, "break lines"),
        (b'a: 1\nb: "\\ud800"\n', 2, "escape|surrogate"),
        (b"a: [[[[[[[[[[1]]]]]]]]]]\n", 1, "deeply"),
        (b"a: !!python/object/apply:os.system [ls]\n", 1, "tag"),
        (b"a: 1\n---\nb: 2\n", 2, "second document"),
        (b"a: 1\nb: c: d\n", 2, "mapping values"),
        (b"a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> theirs\n", 2, "conflict of a merge"),
        (b"", 1, "mapping"),
        (b"- a\n", 1, "mapping"),
        (b"? [a]\n: b\n", 1, "key"),
    ],
)
def test_what_is_no_yaml_of_ours_is_refused_with_its_line(data: bytes, line: int, reason: str) -> None:
    with pytest.raises(PackageError, match=reason) as caught:
        read_yaml(data, _PLACE)
    assert caught.value.message.startswith(f"file.yml, line {line}: ")
    assert caught.value.hint


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(PackageError):
        assert isinstance(read_yaml(data, _PLACE), Mapping)


def test_what_git_or_an_editor_does_to_line_ends_changes_no_block() -> None:
    text = entry("a", text_value("one\ntwo\n")) + entry("b", text_value("three\r\nfour"))
    for changed in (text, text.replace("\n", "\r\n"), "\ufeff" + text):
        root = read_yaml(changed.encode(), _PLACE)
        assert [_decoded(node) for node in root.entries.values()] == ["one\ntwo\n", "three\r\nfour"]
