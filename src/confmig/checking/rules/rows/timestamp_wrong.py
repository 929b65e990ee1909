"""A package whose time of export is no time."""

from collections.abc import Iterable

from confmig.checking.findings import Finding, Place, Severity
from confmig.checking.rules.rule import RowRule, Rule, quoted
from confmig.model.values import ColumnType
from confmig.model.written import WrittenStart


class TimestampWrong(RowRule):
    """Looks at the root of the data."""

    rule = Rule(
        "timestamp-wrong",
        Severity.ERROR,
        "CMT aborts the import.",
        "TALXIS docs, TXM019",
    )

    def start(self, start: WrittenStart) -> Iterable[Finding]:
        """Whether the time can be read."""
        if start.timestamp is not None and (
            not start.timestamp or self.facts.refusal(ColumnType.DATETIME, start.timestamp)
        ):
            message = f"The timestamp of the package is {quoted(start.timestamp)}, which is no time."
            hint = "Write it as 2026-05-01T08:00:00.0000000Z, or take it out."
            yield self.rule.finding("", "", message, hint, Place(start.file, start.line))
