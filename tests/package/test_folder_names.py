"""What the files of the folder form are called."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confmig.package.folder.naming import RowNames, folded, reading_order, safe_name, safe_suffix, slug

from .folders import files_of, unpack
from .helpers import ID1, ID2, document, make_folder, row, table
from .strategies import texts


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Contoso, Ltd.", "contoso-ltd"),
        ("Müller & Söhne GmbH", "müller-söhne-gmbh"),
        ("Ｗｉｄｅ", "ｗｉｄｅ"),
        ("E\u0301cole", "\u00e9cole"),
        ("日本語 名前", "日本語-名前"),
        ("../../etc/passwd", "etc-passwd"),
        ("CON", "con"),
        ("a\u202eb\u200bc", "a-b-c"),
        ("  -- ", ""),
        ("", ""),
        ("x" * 300, "x" * 60),
        ("ж" * 300, "ж" * 30),
    ],
)
def test_a_row_is_called_as_people_call_it(name: str, expected: str) -> None:
    assert slug(name) == expected


@given(texts | st.text(max_size=300))
def test_a_slug_is_safe_on_every_system(name: str) -> None:
    made = slug(name)
    assert len(made.encode()) <= 60
    assert not set(made) & set('<>:"/\\|?*. \x00\r\n')
    assert made == made.strip("-")
    assert slug(made) == made


@pytest.mark.parametrize(
    "name", ["..", "a/b", "A", "con", "nul", "com1", "files", "associations", "table", "é", "", "x" * 70]
)
def test_a_name_that_is_no_safe_file_name_becomes_another(name: str) -> None:
    made = safe_name(name)
    assert made != name
    assert "/" not in made
    assert made not in {"..", ".", ""}
    assert len(made.encode()) < 80


def test_names_that_differ_only_by_case_or_form_stay_apart() -> None:
    made = [safe_name(name) for name in ("Account", "ACCOUNT", "account", "e\u0301", "\u00e9")]
    assert len({folded(name) for name in made}) == len(made)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("a.PDF", ".pdf"),
        ("a.tar.gz", ".gz"),
        ("a", ".bin"),
        (None, ".bin"),
        ("a.yml", ".bin"),
        ("a./x", ".bin"),
        ("a.é", ".bin"),
    ],
)
def test_a_file_keeps_its_suffix_where_that_is_harmless(name: str | None, suffix: str) -> None:
    assert safe_suffix(name) == suffix


def _names(rows: list[tuple[str, str]]) -> list[str]:
    names = RowNames()
    for name, row_id in rows:
        names.announce(name, row_id)
    return [names.stem(name, row_id) for name, row_id in rows]


def test_rows_that_would_share_a_name_have_their_whole_ids() -> None:
    first, second = "12345678-0000-0000-0000-000000000001", "12345678-0000-0000-0000-000000000002"
    assert _names([("One", first), ("Two", second)]) == ["one-12345678", "two-12345678"]
    assert _names([("One", first), ("ONE", second)]) == [f"one-{first}", f"one-{second}"]
    assert _names([("ONE", second), ("One", first), ("x", first)]) == [f"one-{second}", f"one-{first}", "x-12345678"]
    assert _names([("One", first)] * 3) == [f"one-{first}", f"one-{first}-2", f"one-{first}-3"]


def test_rows_that_stand_twice_are_read_in_their_order() -> None:
    names = [f"one-{ID1}.yml", *(f"one-{ID1}-{number}.yml" for number in range(2, 12))]
    assert sorted({*names}, key=reading_order) == names


@given(
    st.lists(st.tuples(st.sampled_from(["a", "A", "b", "ß", "ss", ""]), st.uuids().map(str)), max_size=8, unique=True)
)
def test_names_do_not_depend_on_the_order_and_never_collide(rows: list[tuple[str, str]]) -> None:
    made = dict(zip(rows, _names(rows), strict=True))
    assert made == dict(zip(reversed(rows), _names(rows[::-1]), strict=True))
    assert len({folded(name) for name in made.values()}) == len(rows)


def test_a_new_row_renames_no_other(tmp_path: Path) -> None:
    def files(name: str, *rows: str) -> set[str]:
        return set(
            files_of(unpack(make_folder(tmp_path / f"{name}-xml", document(table("".join(rows)))), tmp_path / name))
        )

    first, second = (row(f'<field name="name" value="N{index}" />', row_id) for index, row_id in enumerate((ID1, ID2)))
    assert files("both", first, second) - files("one", first) == {"item/n1-22222222.yml"}
