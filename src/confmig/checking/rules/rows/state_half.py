"""A row with a state and no status reason, or the other way round."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named, quoted
from confmig.model.schema import Table
from confmig.model.written import WrittenRow


class StateHalf(RowRule):
    """Looks at both columns of each row."""

    rule = Rule(
        "state-half",
        Severity.WARNING,
        "CMT has taken one of the two since 2019, and sets both: which other half it takes is not known.",
        "docs: release notes 1.0.0.34 of Microsoft.Xrm.Tooling.ConfigurationMigration",
    )

    def row(self, row: WrittenRow, table: Table) -> Iterable[Finding]:
        """Whether a row has one of the two."""
        del table
        there = {value.column: value for value in row.values if value.column in {"statecode", "statuscode"}}
        if len(there) == 1:
            (value,) = there.values()
            other = "statuscode" if value.column == "statecode" else "statecode"
            message = f"{named(row)} has {value.column} {quoted(value.text)} and no {other}."
            yield self.of_row(row, message, f"Add {other} to the schema and to the row.", value)
