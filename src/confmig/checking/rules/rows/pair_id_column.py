"""An association that names another id column than that of the table it leads to, or none."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule
from confmig.model.written import WrittenPairs


class PairIdColumn(RowRule):
    """Compares targetentitynameidfield with the table's id column."""

    rule = Rule(
        "pair-id-column",
        Severity.ERROR,
        "CMT crashes at the association, after the rows are committed. confmig takes the table's own id column.",
        "TALXIS docs, TXM024",
    )

    def pairs(self, pairs: WrittenPairs) -> Iterable[Finding]:
        """Whether the id column is the target's, where the schema tells that."""
        target = self.facts.schema.table(pairs.target_table)
        word, right = pairs.target_id_column, target.primary_id if target else ""
        if not word or (right and word != right):
            message = f"The association by {pairs.relationship} has targetentitynameidfield={word!r}."
            hint = f"Write {right or 'the id column of ' + (pairs.target_table or 'the target')}."
            yield self.of_pairs(pairs, message, hint)
