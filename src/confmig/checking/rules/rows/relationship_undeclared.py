"""An association by a relationship that the schema does not declare on the table."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import PackageFacts, RowRule, Rule
from confmig.model.written import WrittenPairs


class RelationshipUndeclared(RowRule):
    """Looks for the relationship of each association in the schema."""

    rule = Rule(
        "relationship-undeclared",
        Severity.ERROR,
        "CMT crashes at the association, after the rows are committed.",
        "TALXIS docs, TXM014",
    )

    def __init__(self, facts: PackageFacts) -> None:
        super().__init__(facts)
        self._names = {
            table.name: {item.name for item in table.many_to_many}
            | {text for item in table.many_to_many for word, text in item.attributes if word == "name"}
            for table in facts.schema.merged_tables()
        }

    def pairs(self, pairs: WrittenPairs) -> Iterable[Finding]:
        """Whether the table declares the relationship; of a table that is not declared no more is said than that."""
        if pairs.table not in self._names:
            return
        if not pairs.relationship:
            message = f"An association of {pairs.table} names no relationship; confmig refuses it."
            yield self.of_pairs(pairs, message, "Add m2mrelationshipname.")
        elif pairs.relationship not in self._names[pairs.table]:
            message = f"The schema declares no relationship {pairs.relationship} on {pairs.table}."
            yield self.of_pairs(pairs, message, f"Declare it under <relationships> of {pairs.table}, with manyToMany.")
