"""A package without a schema: confmig guesses one from the rows, and nothing else is asked about a guess."""

from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts

RULE = Rule(
    "schema-missing",
    Severity.ERROR,
    "CMT does not import a package that has no data_schema.xml.",
    "OpenStrata, which calls CMT as Package Deployer does [code]",
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Whether the schema is a guess."""
    if facts.schema.inferred:
        hint = "Add the schema that the package was exported by; confmig schema generate makes one of an environment."
        yield RULE.finding("", "", "The package has no schema file.", hint)
