"""A lookup that does not name its table, or not the row that it points to."""

from collections.abc import Iterable

from confmig.checking.dependencies import may_be_written
from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named
from confmig.model.schema import Column
from confmig.model.values import ColumnType
from confmig.model.written import WrittenRow, WrittenValue


class LookupIncomplete(RowRule):
    """Looks at lookups and owners."""

    rule = Rule(
        "lookup-incomplete",
        Severity.ERROR,
        "CMT leaves the lookup empty without a word; any name will do where the id is found.",
        "TALXIS docs, TXM021",
    )

    def wants(self, column: Column) -> bool:
        """Lookups and owners; real exports lack names in those that nobody writes."""
        return column.type in {ColumnType.LOOKUP, ColumnType.OWNER} and may_be_written(column)

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """Whether both attributes are there and say something."""
        missing = [
            word for word, text in (("lookupentity", value.target), ("lookupentityname", value.label)) if not text
        ]
        if missing:
            message = f"{named(row)}: {column.name} has no {' and no '.join(missing)}."
            if "lookupentity" in missing and (len(column.targets) != 1 or column.targets[0] == "*"):
                message += " confmig refuses it: nothing says which table is meant."
            yield self.of_row(row, message, "Add the attributes: the table's name, and the row's name.", value)
