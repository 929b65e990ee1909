"""A package that does not say when it was exported, though its dates are to move with the time since then."""

from collections.abc import Iterable, Iterator

from confmig.checking.findings import Finding, Place, Severity
from confmig.checking.rules.rule import RowRule, Rule
from confmig.model.schema import DateMode
from confmig.model.values import ColumnType
from confmig.model.written import WrittenStart


class TimestampMissing(RowRule):
    """Looks at the root of the data."""

    rule = Rule(
        "timestamp-missing",
        Severity.WARNING,
        "Without it no date is moved [inferred].",
        "docs: configure-date-settings-for-demo-data",
    )

    def start(self, start: WrittenStart) -> Iterable[Finding]:
        """Whether dates are relative and nobody knows to what."""
        if start.timestamp is None and any(self._modes()):
            message = "The schema has relative dates, and the package has no timestamp that they are relative to."
            hint = "Add the timestamp of the export to <entities> of data.xml."
            yield self.rule.finding("", "", message, hint, Place(start.file, start.line))

    def _modes(self) -> Iterator[bool]:
        schema = self.facts.schema
        for column in (column for table in schema.merged_tables() for column in table.columns):
            if column.type is ColumnType.DATETIME:
                yield (column.date_mode or schema.date_mode or DateMode.ABSOLUTE) is not DateMode.ABSOLUTE
