"""A lookup to a table that its column does not name as a target."""

from collections.abc import Iterable

from confmig.checking.dependencies import may_be_written
from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named
from confmig.model.schema import Column
from confmig.model.values import ColumnType
from confmig.model.written import WrittenRow, WrittenValue


class LookupTarget(RowRule):
    """Compares lookups with the tables that their columns may point to."""

    rule = Rule(
        "lookup-target",
        Severity.ERROR,
        "CMT leaves the lookup empty without a word.",
        "TALXIS docs, TXM021",
    )

    def wants(self, column: Column) -> bool:
        """Lookups whose tables the schema tells."""
        told = bool(column.targets) and "*" not in column.targets
        return column.type is ColumnType.LOOKUP and told and may_be_written(column)

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """Whether the table is one of the targets; one in another case is ``lookup-case``."""
        if value.target and value.target.lower() not in {target.lower() for target in column.targets}:
            allowed = " or ".join(column.targets)
            message = f"{named(row)}: {column.name} points to {value.target}; the schema says {allowed}."
            yield self.of_row(row, message, f"Add {value.target} to the column's lookupType, or mend the value.", value)
