"""What can be told of a schema or package without an environment."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from confmig.checking.findings import Finding, Severity, errors_of
from confmig.checking.rows import refusing, row_findings
from confmig.checking.rules.rule import PackageFacts
from confmig.checking.rules.schema import dependency_missing
from confmig.checking.schemas import schema_findings
from confmig.commands.sides import places_within
from confmig.exporting.filters import filter_findings
from confmig.hosts.progress import Progress
from confmig.model.schema import Schema
from confmig.model.written import WrittenEvent, WrittenRow
from confmig.package.limits import LIMITS, Limits
from confmig.package.package import Package
from confmig.package.text import parse_value
from confmig.package.written import WrittenPackage, WrittenSchema
from confmig.profiles.profile import load_profiles
from confmig.reporting.findings import Places
from confmig.reporting.report import Fact


@dataclass(frozen=True, slots=True)
class Lint:
    """What was found in a package: the findings, where they stand, figures, and the schema that the package has."""

    findings: list[Finding]
    places: Places
    facts: dict[str, Fact]
    schema: Schema


def schema_lint(written: WrittenSchema, outside: Collection[str]) -> list[Finding]:
    """What is wrong with a schema, and what CMT would make of it."""
    rules = schema_findings(written.schema, load_profiles(), outside)
    return [*written.problems, *rules, *filter_findings(written.schema)]


def lint_package(path: Path, outside: Collection[str], limits: Limits = LIMITS) -> Lint:
    """What is wrong with a package, and what CMT would make of it.

    A package without errors is read once more, as every other command reads it: what passes here can be read there.

    Raises:
        PackageError: It is no package, or broken so that nothing more can be told.
    """
    with WrittenPackage(path, limits) as package, Progress("read") as progress:
        written = package.schema
        counter = _Counter(progress)
        facts = PackageFacts(written.schema, refusing(parse_value), package.file_ids, outside)
        findings = [_by_the_rows(finding) for finding in schema_lint(written, outside)]
        findings += row_findings(counter.counted(package.events()), facts)
    told: dict[str, Fact] = {"data_file": str(path), "tables": len(counter.tables), "rows": counter.rows}
    told["lookups_elsewhere"] = facts.elsewhere.total()
    if not errors_of(findings):
        with Package(path, limits) as readable:
            told["data_digest"] = readable.digest
    return Lint(findings, places_within(path, written.member, written.data), told, written.schema)


def _by_the_rows(finding: Finding) -> Finding:
    """A column that leads out of the package is no error where the rows are at hand: they tell what is lost."""
    elsewhere = finding.rule == dependency_missing.RULE.name and finding.column
    return replace(finding, severity=Severity.WARNING) if elsewhere else finding


class _Counter:
    """Counts the rows of a package as they pass by."""

    def __init__(self, progress: Progress) -> None:
        self.rows = 0
        self.tables: set[str] = set()
        self._progress = progress

    def counted(self, events: Iterator[WrittenEvent]) -> Iterator[WrittenEvent]:
        """The same events."""
        for event in events:
            if isinstance(event, WrittenRow):
                self.rows += 1
                self.tables.add(event.table)
                if self.rows % 1000 == 0:
                    self._progress(1000, event.table)
            yield event
