"""An association that leads to another table than its relationship does, or does not say to which."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import PackageFacts, RowRule, Rule
from confmig.model.written import WrittenPairs


class PairTarget(RowRule):
    """Compares targetentityname with the relationship in the schema."""

    rule = Rule(
        "pair-target",
        Severity.ERROR,
        "CMT looks for the rows in that table, and so does confmig: the association fails [inferred].",
        "the form of real exports",
    )

    def __init__(self, facts: PackageFacts) -> None:
        super().__init__(facts)
        self._targets = {
            (table.name, item.name): item.target
            for table in facts.schema.merged_tables()
            for item in table.many_to_many
        }

    def pairs(self, pairs: WrittenPairs) -> Iterable[Finding]:
        """Whether both name the same table."""
        right = self._targets.get((pairs.table, pairs.relationship))
        if right and pairs.target_table != right:
            message = f"The association by {pairs.relationship} has targetentityname={pairs.target_table!r}."
            yield self.of_pairs(pairs, message, f"Write {right!r}, as the schema does.")
