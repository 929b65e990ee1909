"""What is said of a definition file that is wrong: the file, the line, the place, and what was perhaps meant."""

from pathlib import Path

import pytest

from confmig.emulator.definitions.definitioncheck import line_of
from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .conftest import SHOP

TEXT = SHOP.read_text("utf-8")


def said_of(folder: Path, text: str) -> list[str]:
    path = folder / "wrong.yml"
    path.write_text(text, "utf-8")
    with pytest.raises(EmulatorStartError) as caught:
        Emulator(EmulatorOptions(environment=str(path))).start()
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("primary_name: name", "primery_name: name", "primery_name: unknown key; did you mean primary_name?"),
        ("{type: State}", "{typ: State}", "tables.account.columns.statecode.typ: unknown key; did you mean type?"),
        ("shop_number: [accountnumber]", "shop_number: [1]", "keys.shop_number[1]: Expected `str`, got `int`"),
        ("max_length: 20, r", "max_length: many, r", "tables.account.columns.name.max_length: Expected `int`"),
        ("1: Small", "1: No", "tables.contact.columns.shop_size.options.1: YAML reads No as true or false here"),
        ("1: Small", "small: Small", "tables.contact.columns.shop_size.options.small: Expected `int`"),
        ("organization: {", "organization: Shop # {", "organization: there must be keys and values here, such as name"),
    ],
)  # fmt: skip
def test_the_line_and_the_place_are_named(tmp_path: Path, right: str, wrong: str, words: str) -> None:
    assert right in TEXT
    text = TEXT.replace(right, wrong, 1)
    line = text[: text.index(wrong)].count("\n") + 1
    lines = said_of(tmp_path, text)
    assert any(words in one for one in lines), lines
    assert any(one.startswith(f"wrong.yml:{line}: ") for one in lines), lines


def test_a_key_that_is_given_twice(tmp_path: Path) -> None:
    text = TEXT.replace("display_name: Contact\n", "display_name: Contact\n    ownership: organization\n")
    assert "the key ownership is given twice" in " ".join(said_of(tmp_path, text))


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    lines = said_of(tmp_path, "tabels: {}\nrows: []\nsolutions: [{friendlyname: X}]\n")
    assert [one.split(": ")[0] for one in lines] == ["wrong.yml:1", "wrong.yml:2", "wrong.yml:3"]
    assert "did you mean tables?" in lines[0]
    assert lines[2].endswith("the key uniquename is missing")


def test_the_list_of_what_is_wrong_ends(tmp_path: Path) -> None:
    assert len(said_of(tmp_path, "".join(f"x{number}: 1\n" for number in range(50)))) == 10


def test_a_file_that_says_nothing_is_an_environment_without_tables_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "empty.yml"
    path.write_text("# nothing yet\n")
    with Emulator(EmulatorOptions(environment=str(path))) as emulator:
        assert emulator.organization_id


def test_a_row_is_found_by_its_id() -> None:
    row = {"contactid": "C0000000-0000-4000-8000-000000000002"}
    depth, line = line_of(TEXT, "rows", "contact", row, "birthdate")
    assert depth == 4
    assert TEXT.splitlines()[line - 1].strip() == "birthdate: 1840-04-02"
    assert line_of(TEXT, "rows", "contact", row, "nothing") == (3, line - 3)
    assert line_of(TEXT, "nowhere") == (0, 0)
