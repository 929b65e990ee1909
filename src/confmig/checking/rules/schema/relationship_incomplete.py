"""A many-to-many relationship that does not say what it leads to, or says it otherwise than the target's own table.

Microsoft's own packages have a wrong id column here; what counts at import are the rows (``pair-id-column``).
"""

from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts

RULE = Rule(
    "relationship-incomplete",
    Severity.WARNING,
    "CMT exports the associations by these words; wrong ones come back in the rows, where they make the import crash"
    " after the rows are committed.",
    "TALXIS docs, TXM024",
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Look at each many-to-many relationship."""
    for table in facts.schema.merged_tables():
        for relationship in table.many_to_many:
            target = facts.schema.table(relationship.target or "")
            for word, value, right in (
                ("m2mTargetEntity", relationship.target, ""),
                ("m2mTargetEntityPrimaryKey", relationship.target_primary_id, target.primary_id if target else ""),
            ):
                if not value:
                    message = f"Relationship {relationship.name} of {table.name} has no {word}."
                elif right and value != right:
                    message = f"Relationship {relationship.name} of {table.name} has {word}={value!r}, not {right!r}."
                else:
                    continue
                yield RULE.finding(table.name, relationship.name, message, "Generate the schema again from the source.")
