"""Findings as a report: a table for people, annotations for the lines that they are about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from confmig.checking.findings import Finding, Place, errors_of
from confmig.errors import ExitCode
from confmig.reporting.report import SHOWN_ROWS, Annotation, Cell, Fact, Level, Report, Section
from confmig.reporting.values import number_of


@dataclass(frozen=True, slots=True)
class Places:
    """Where findings stand.

    ``lines`` are those of the schema ``file``: (table, column) to line, the table's own with ``""``. ``folder`` leads
    from the repository's root to the files that findings name; None when they lie in a zip, where no platform looks.
    """

    file: str = ""
    lines: Mapping[tuple[str, str], int] = field(default_factory=dict)
    folder: str | None = ""

    def located(self, finding: Finding) -> Finding:
        """The finding with its places: those that it brings, or else its line in the schema."""
        if finding.places:
            return replace(finding, places=tuple(replace(at, file=at.file or self.file) for at in finding.places))
        line = self.lines.get((finding.table, finding.column)) or self.lines.get((finding.table, ""), 0)
        return replace(finding, places=(Place(self.file, line),)) if line else finding


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
        places: Where the findings stand.
    """
    findings = [places.located(finding) for finding in findings]
    errors = errors_of(findings)
    warnings = len(findings) - len(errors)
    count = number_of(len(errors), "error") + (f" and {number_of(warnings, 'warning')}" if warnings else "")
    verdict = passed + (f" {number_of(warnings, 'warning')}." if warnings else "")
    return Report(
        command,
        ExitCode.FINDINGS if errors else ExitCode.DONE,
        f"{count}: {errors[0].message}" if errors else verdict.strip(),
        {"findings": len(findings), "errors": len(errors), "warnings": warnings, **facts},
        [findings_section(findings)],
        reason=errors[0].rule if errors else "",
        annotations=annotations_of(findings, places.folder),
        findings=findings,
    )


def findings_section(findings: Sequence[Finding]) -> Section:
    """The findings as a table; errors first."""
    listed = sorted(findings, key=lambda finding: finding.severity)
    columns = ("severity", "rule", "table", "column", "file", "line", "count", "what", "in CMT", "what to do")
    return Section("Findings", columns, [_row(f) for f in listed[:SHOWN_ROWS]], max(0, len(findings) - SHOWN_ROWS), 3)


def _row(finding: Finding) -> tuple[Cell, ...]:
    file = finding.places[0].file if finding.places else None
    lines = list(dict.fromkeys(place.line for place in finding.places if place.file == file and place.line))
    line: Cell = ", ".join(map(str, lines)) if len(lines) > 1 else next(iter(lines), None)
    count = finding.count if finding.count > 1 else None
    words = (finding.message, finding.consequence, finding.hint)
    return (finding.severity.value, finding.rule, finding.table, finding.column, file, line, count, *words)


def annotations_of(findings: Sequence[Finding], folder: str | None = "") -> list[Annotation]:
    """The findings as annotations, each on its first line where that is in a file of the repository."""
    return [_annotation(finding, folder) for finding in findings]


def _annotation(finding: Finding, folder: str | None) -> Annotation:
    more = f" ({finding.count} times.)" if finding.count > 1 else ""
    cmt = f" In CMT: {finding.consequence}" if finding.consequence else ""
    at = finding.places[0] if finding.places and folder is not None else Place("")
    file = f"{folder}{at.file}" if at.file else ""
    text = f"{finding.message}{more} {finding.hint}{cmt}"
    return Annotation(Level(finding.severity.value), finding.rule, text, file, at.line)
