"""An ``entityImportOrder`` that names a table which the schema does not declare, or one twice."""

from collections import Counter
from collections.abc import Iterator

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import Rule, SchemaFacts

ORDER = "entityImportOrder"
"""Stands in the column's place, so that the line of the name in the order can be found."""

RULE = Rule(
    "order-unknown",
    Severity.WARNING,
    "CMT ignores the name, and imports tables that are missing from the list all the same.",
    "TALXIS docs, TXM007",
)


def check(facts: SchemaFacts) -> Iterator[Finding]:
    """Look at each name of the order."""
    hint = "Mend the name, or take it out of <entityImportOrder>."
    for name, count in Counter(facts.schema.import_order).items():
        if facts.schema.table(name) is None:
            yield RULE.finding(
                name, ORDER, f"entityImportOrder names {name!r}, which the schema does not declare.", hint
            )
        elif count > 1:
            yield RULE.finding(name, ORDER, f"entityImportOrder names {name!r} {count} times.", hint)
