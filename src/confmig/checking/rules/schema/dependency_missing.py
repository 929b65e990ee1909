"""A lookup or relationship whose table the schema does not hold, or a table that makes no sense without another.

Microsoft's tool calls this "Validate Schema".
"""

from collections.abc import Iterator

from confmig.checking.dependencies import lookups_elsewhere, reachable_tables, sides_elsewhere
from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts
from confmig.profiles.profile import Profiles

RULE = Rule(
    "dependency-missing",
    Severity.ERROR,
    "CMT looks the row up in the target, by id and by name; where it is not found the lookup stays empty, and the run"
    " goes on.",
    "TALXIS tools-cli, plan 09; docs: create-schema-export-configuration-data",
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Look at the lookups and relationships of each table, then at the tables that belong together."""
    reachable = reachable_tables(facts.schema, facts.outside)
    for table in facts.schema.merged_tables():
        for column in lookups_elsewhere(table, reachable):
            yield RULE.finding(
                table.name,
                column.name,
                f"{table.name}.{column.name} points to {' or '.join(column.targets)}, which the schema does not hold.",
                _advice(column.targets[0], "column", facts.profiles),
            )
        for relationship in sides_elsewhere(table, reachable):
            yield RULE.finding(
                table.name,
                relationship.name,
                f"Relationship {relationship.name} of {table.name} leads to {relationship.target}, which the schema"
                " does not hold.",
                _advice(relationship.target or "", "relationship", facts.profiles),
            )
    yield from _incomplete_groups(facts)


def _advice(missing: str, what: str, profiles: Profiles) -> str:
    outside = f"if the target has those rows under the same ids, give --outside {missing}."
    if profiles.why_never(missing):
        return f"Take the {what} out, or, {outside}"
    return f"Add table {missing} to the schema, take the {what} out, or, {outside}"


def _incomplete_groups(facts: SchemaFacts) -> Iterator[Finding]:
    present = {table.name for table in facts.schema.merged_tables()}
    for missing, here in facts.profiles.companions(present):
        if missing not in facts.outside:
            yield RULE.finding(
                here,
                "",
                f"{here} is incomplete without {missing}: neither works without the other.",
                f"Add table {missing} to the schema, or, if the target has those rows under the same ids, give"
                f" --outside {missing}.",
            )
