"""A column type in the words of other tools, such as ``lookup``, ``integer``, ``memo`` or ``String``.

CMT's own words are lower-case and compared letter by letter.
"""

from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts
from confmig.model.values import ColumnType

RULE = Rule(
    "type-spelling",
    Severity.ERROR,
    "confmig takes the word, CMT refuses the whole package for it.",
    "TALXIS docs, TXM016",
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Look at each column."""
    for table in facts.schema.merged_tables():
        for column in table.columns:
            word = column.type.value
            if column.type_text not in {"", word} and column.type is not ColumnType.UNKNOWN:
                yield RULE.finding(
                    table.name,
                    column.name,
                    f"{table.name}.{column.name} has the type {column.type_text!r}; CMT's word is {word!r}.",
                    f'Write type="{word}".',
                )
