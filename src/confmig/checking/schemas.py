"""A schema looked at alone, by the rules about schemas."""

from collections.abc import Collection, Iterable, Iterator

from confmig.checking.findings import Finding
from confmig.checking.rules.registry import COMPLETENESS_RULES, MOVING_RULES, SCHEMA_RULES
from confmig.checking.rules.rule import SchemaFacts, SchemaRule
from confmig.checking.rules.schema import schema_missing
from confmig.model.schema import Schema
from confmig.profiles.profile import Profiles


def schema_findings(schema: Schema, profiles: Profiles, outside: Collection[str] = ()) -> Iterator[Finding]:
    """All that is wrong with a schema, and all that CMT would make of it.

    Args:
        schema: The schema.
        profiles: What is known of products.
        outside: Tables whose rows the target is known to have already, under the same ids.
    """
    rules = (schema_missing,) if schema.inferred else SCHEMA_RULES  # a guess has nothing that could be mended
    return _asked(rules, SchemaFacts(schema, profiles, outside))


def completeness_findings(schema: Schema, profiles: Profiles, outside: Collection[str] = ()) -> Iterator[Finding]:
    """Lookups and relationships whose tables a schema does not hold, and what else makes it incomplete."""
    return _asked(COMPLETENESS_RULES, SchemaFacts(schema, profiles, outside))


def never_moved(schema: Schema, profiles: Profiles) -> Iterator[Finding]:
    """Tables whose rows are not moved as data, whatever a schema says; and a schema that moves nothing at all."""
    return _asked(MOVING_RULES, SchemaFacts(schema, profiles))


def _asked(rules: Iterable[SchemaRule], facts: SchemaFacts) -> Iterator[Finding]:
    for rule in rules:
        yield from rule.check(facts)
