"""Findings as a report: a table for people, annotations for the lines that they are about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from confmig.checking.findings import Finding, errors_of
from confmig.errors import ExitCode
from confmig.reporting.report import SHOWN_ROWS, Annotation, Fact, Level, Report, Section
from confmig.reporting.values import number_of


@dataclass(frozen=True, slots=True)
class Places:
    """Where the tables and columns stand in the schema file: (table, column) to line, the table's own with ``""``."""

    file: str = ""
    lines: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def line(self, finding: Finding) -> int:
        """The line that a finding is about, or 0."""
        return self.lines.get((finding.table, finding.column)) or self.lines.get((finding.table, ""), 0)


NOWHERE = Places()


def findings_report(command: str, findings: Sequence[Finding], places: Places = NOWHERE) -> Report:
    """What stands against doing the work."""
    return result_of_checks(command, findings, "", {}, places)


def result_of_checks(
    command: str, findings: Sequence[Finding], passed: str, facts: Mapping[str, Fact], places: Places = NOWHERE
) -> Report:
    """The result of a command that only looks.

    Args:
        command: Its name.
        findings: What it found.
        passed: The verdict when nothing stops the work.
        facts: Figures of the command's own.
        places: Where the findings stand in the schema file.
    """
    errors = errors_of(findings)
    warnings = len(findings) - len(errors)
    count = number_of(len(errors), "error") + (f" and {number_of(warnings, 'warning')}" if warnings else "")
    verdict = passed + (f" {number_of(warnings, 'warning')}." if warnings else "")
    return Report(
        command,
        ExitCode.FINDINGS if errors else ExitCode.DONE,
        f"{count}: {errors[0].message}" if errors else verdict.strip(),
        {"findings": len(findings), "errors": len(errors), "warnings": warnings, **facts},
        [findings_section(findings, places)],
        reason=errors[0].rule if errors else "",
        annotations=annotations_of(findings, places),
    )


def findings_section(findings: Sequence[Finding], places: Places = NOWHERE) -> Section:
    """The findings as a table; errors first."""
    listed = sorted(findings, key=lambda finding: finding.severity)
    rows = [
        (f.severity.value, f.rule, f.table, f.column, places.line(f) or None, f.message, f.hint)
        for f in listed[:SHOWN_ROWS]
    ]
    columns = ("severity", "rule", "table", "column", "line", "what", "what to do")
    return Section("Findings", columns, rows, max(0, len(findings) - SHOWN_ROWS))


def annotations_of(findings: Sequence[Finding], places: Places = NOWHERE) -> list[Annotation]:
    """The findings as annotations, on their lines where the schema is a file of the repository."""
    return [
        Annotation(
            Level(finding.severity.value),
            finding.rule,
            f"{finding.message} {finding.hint}",
            places.file if places.line(finding) else "",
            places.line(finding),
        )
        for finding in findings
    ]
