"""A party of an activity without a row, or without saying as what it takes part.

Someone of whom only the address is known is no row, and is left alone.
"""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named
from confmig.model.schema import Column
from confmig.model.values import ColumnType
from confmig.model.written import WrittenRow, WrittenValue


class PartyIncomplete(RowRule):
    """Looks at party lists."""

    rule = Rule(
        "party-incomplete",
        Severity.WARNING,
        "CMT needs partyid and participationtypemask of each [inferred]. confmig takes the second from the column.",
        "TALXIS, an exhaustive package",
    )

    def wants(self, column: Column) -> bool:
        """Party lists."""
        return column.type is ColumnType.PARTIES

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """Whether each party says who and as what."""
        for party in value.parties:
            texts = {item.column: item.text for item in party}
            wanted = () if texts.get("addressused") else ("partyid",)
            missing = [name for name in (*wanted, "participationtypemask") if not texts.get(name)]
            if missing:
                message = f"{named(row)}: a party of {column.name} has no {' and no '.join(missing)}."
                yield self.of_row(row, message, "Add what is missing, or take the party out.", value)
