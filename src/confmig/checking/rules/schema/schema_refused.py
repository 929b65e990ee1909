"""A schema that does not fit the form.

A switch that is neither true nor false, a date mode or an element in another spelling, a table without a name. Also
what confmig reads all the same: a table that names no id column, a column without a type, a filter of elements.
"""

from confmig.checking.findings import Severity
from confmig.checking.rules.rule import Rule

RULE = Rule(
    "schema-refused",
    Severity.ERROR,
    "CMT cannot load the schema, or does not see the element: nothing is imported.",
    "TALXIS docs, TXM018 and CmtData.xsd",
)
"""The rule is applied where schema files are read, since a schema as confmig knows it cannot hold such things."""
