"""docs/lint.md, made of the rules themselves: ``python -m tests.repo.lint_document`` writes it anew."""

from confmig.checking.rules.registry import ROW_RULES, all_rules
from confmig.checking.rules.rule import Rule
from tests.conftest import REPOSITORY

PATH = REPOSITORY / "docs" / "lint.md"
HEAD = """\
# What is found without an environment

```
confmig schema validate --schema data_schema.xml
confmig check --data data.zip
```

Both need no sign-in. They look for what Microsoft's Configuration Migration Tool (CMT) would refuse, misread or lose,
and for what confmig itself refuses; `check` looks at the rows too, and with `--source` and `--target` also asks what
it asks of a schema.

An error ends with 3, a warning is told. Each finding names table and column, the file and its lines, what CMT makes
of it, and what to do. Equal findings about one column are one, with their number and the first five places; `--format
json` has them under `findings`. In a pipeline findings stand on the lines of files that the
repository holds: of the folder form, on those of the rows.

Without an environment nobody knows which rows the target has. Lookups to tables that the package is not about are
counted (`lookups_elsewhere`); those to its own tables must lead to rows of it, unless `--outside TABLE` says that the
target has them under the same ids.

Rows are looked at as texts, before any value is understood, in one pass: ids are held, rows are not.

Where a source says *TALXIS*, the behaviour was observed by that project in imports with CMT itself
(TALXIS/platform-metadata, docs/configuration-migration.md; TALXIS/tools-cli); *docs* are Microsoft's. What nobody has
tried is marked as inferred.

"""


def document() -> str:
    """The whole page."""
    of_rows = {kind.rule.name for kind in ROW_RULES}
    rules = list(all_rules())
    parts = [HEAD, "## Schemas\n\n", *(section(*item) for item in rules if item[0].name not in of_rows)]
    parts += ["## Rows\n\n", *(section(*item) for item in rules if item[0].name in of_rows)]
    return "".join(parts).rstrip("\n") + "\n"


def section(rule: Rule, words: str) -> str:
    """One rule."""
    text = " ".join(words.replace("``", "`").split())
    return f"### `{rule.name}` ({rule.severity})\n\n{text}\n\n*In CMT:* {rule.consequence} ({rule.source})\n\n"


if __name__ == "__main__":
    PATH.write_text(document(), encoding="utf-8")
