"""A lookup that names its table in another case than the schema does."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named
from confmig.model.schema import Column
from confmig.model.values import ColumnType
from confmig.model.written import WrittenRow, WrittenValue


class LookupCase(RowRule):
    """Compares the spelling of tables in lookups and owners."""

    rule = Rule(
        "lookup-case",
        Severity.ERROR,
        "CMT fails on the row.",
        "TALXIS docs, TXM015",
    )

    def wants(self, column: Column) -> bool:
        """Lookups and owners."""
        return column.type in {ColumnType.LOOKUP, ColumnType.OWNER}

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """Whether the table's name is in lower case, or as the schema spells it."""
        target = value.target or ""
        if target not in column.targets and target != target.lower():
            message = f"{named(row)}: {column.name} points to {target!r}, which is not in lower case."
            yield self.of_row(row, message, f"Write {target.lower()!r}.", value)
