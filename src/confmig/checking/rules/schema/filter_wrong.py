"""A filter that is no FetchXML about its table."""

from confmig.checking.findings import Severity
from confmig.checking.rules.rule import Rule

RULE = Rule(
    "filter-wrong",
    Severity.ERROR,
    "CMT ignores filters at import, but its window cannot open the schema.",
    "TALXIS docs, TXM020",
)
"""The rule is applied where filters are made into queries, so that both agree on what a filter is."""
