"""The filters of a schema, looked at before anything is asked with them."""

from collections.abc import Iterator

from confmig.checking.findings import Finding
from confmig.checking.rules.schema.filter_wrong import RULE
from confmig.errors import PackageError
from confmig.model.schema import Schema
from confmig.webapi.queries import filter_query


def filter_findings(schema: Schema) -> Iterator[Finding]:
    """The filters that are no query for rows of their table."""
    for table in schema.tables:  # a table that is declared twice has a filter in each place
        if table.filter is not None:
            try:
                filter_query(table.name, table.filter)
            except PackageError as error:
                yield RULE.finding(table.name, "", error.message, error.hint)
