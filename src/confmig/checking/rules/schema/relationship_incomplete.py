"""A many-to-many relationship that does not say what it leads to, or says it otherwise than the target's own table.

Microsoft's own packages have a wrong id column here; what counts at import are the rows (``pair-id-column``).
"""

from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts
from confmig.model.schema import Relationship, Table

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
            for what in _wrong(facts, table, relationship):
                message = f"Relationship {relationship.name} of {table.name} has {what}."
                yield RULE.finding(table.name, relationship.name, message, "Generate the schema again from the source.")


def _wrong(facts: SchemaFacts, table: Table, relationship: Relationship) -> Iterator[str]:
    target, key = relationship.target, relationship.target_primary_id
    if not target:
        yield "no m2mTargetEntity"
    elif relationship.reflexive is not (target == table.name):
        yield f"isreflexive={str(relationship.reflexive).lower()!r} and leads to {target}"
    declared = facts.schema.table(target or "")
    if not key:
        yield "no m2mTargetEntityPrimaryKey"
    elif declared and key != declared.primary_id:
        yield f"m2mTargetEntityPrimaryKey={key!r}, not {declared.primary_id!r}"
