"""A package whose time of export is no time."""

import re
from collections.abc import Iterable

from confmig.checking.findings import Finding, Place, Severity
from confmig.checking.rules.rule import RowRule, Rule, quoted
from confmig.model.values import ColumnType
from confmig.model.written import WrittenStart

_SEVENTH_DIGIT = re.compile(r"(\.[0-9]{6})[0-9]")


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
        if start.timestamp is not None and self._is_no_time(start.timestamp):
            message = f"The timestamp of the package is {quoted(start.timestamp)}, which is no time."
            hint = "Write it as 2026-05-01T08:00:00.0000000Z, or take it out."
            yield self.rule.finding("", "", message, hint, Place(start.file, start.line))

    def _is_no_time(self, text: str) -> bool:
        # CMT writes a seventh digit of the second, which a value of a row could lose and which does not matter here.
        return not text or bool(self.facts.refusal(ColumnType.DATETIME, _SEVENTH_DIGIT.sub(r"\1", text)))
