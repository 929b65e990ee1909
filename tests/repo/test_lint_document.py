"""The page of rules is what the rules say."""

from pathlib import Path

from confmig.checking.rules import rows, schema
from confmig.checking.rules.registry import READERS_RULES, ROW_RULES, SCHEMA_RULES, all_rules
from tests.repo.lint_document import PATH, document


def test_the_page_is_made_of_the_rules() -> None:
    assert PATH.read_text(encoding="utf-8") == document(), "python -m tests.repo.lint_document writes it anew"


def test_every_rule_has_a_name_of_its_own() -> None:
    names = [rule.name for rule, _ in all_rules()]
    assert len(names) == len(set(names))


def test_every_file_is_a_rule_of_the_registry_named_by_it() -> None:
    files = {path.stem for package in (schema, rows) for path in _files(package.__path__[0])}
    assert files == {rule.name.replace("-", "_") for rule, _ in all_rules()}
    assert len(files) == len(SCHEMA_RULES) + len(READERS_RULES) + len(ROW_RULES)


def _files(folder: str) -> list[Path]:
    return [path for path in Path(folder).glob("*.py") if path.stem != "__init__"]
