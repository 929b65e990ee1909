"""An activity table, account or contact without ``etc``, its number in the source environment.

Other tables do not need it, and every environment has numbers of its own.
"""

from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts

_ORDERED = {"account", "contact"}

RULE = Rule(
    "etc-missing",
    Severity.WARNING,
    "CMT tells by this number which tables are activities, to import them after the others, and which are account and"
    " contact; without it they come in the schema's order.",
    "TALXIS tools-cli, plan 02, Handler [code]; the effect is inferred",
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Look at the tables that CMT knows by their number."""
    for table in facts.schema.merged_tables():
        if not table.object_type_code and (table.name in _ORDERED or table.primary_id == "activityid"):
            message = f"{table.name} has no etc, by which CMT puts it in its place."
            yield RULE.finding(table.name, "", message, "Generate the schema again, or write an entityImportOrder.")
