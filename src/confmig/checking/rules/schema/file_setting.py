"""A file column: CMT knows those by a setting only."""

from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts
from confmig.model.values import ColumnType

RULE = Rule(
    "file-setting",
    Severity.WARNING,
    "Unless its setting ExportFiles is on, CMT takes the column for a missing one and stops before anything is written;"
    " pac cannot switch it on.",
    "TALXIS tools-cli, docs/configuration-migration.md, section 7",
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Look for file columns."""
    for table in facts.schema.merged_tables():
        for column in table.columns:
            if column.type is ColumnType.FILE:
                message = f"{table.name}.{column.name} holds files."
                yield RULE.finding(table.name, column.name, message, "For CMT, set ExportFiles=true.")
